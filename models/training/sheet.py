"""A sheet of samples to look at beside real ones.

usage: sheet.py OUT.png --fonts NODE_MODULES/@fontsource [--train DIR] [--plates DIR] [--what reader|scenes] [--seed N]
"""
import argparse

import cv2
import numpy as np

from generate_reader import surroundings
from glyphs import Shapes
from plates import ALPHABET, HEIGHT, WIDTH, samples
from real import validation
from scenes import Scenes, scene


def tiles_of(a, shapes, r):
    if a.what == "scenes":
        scenes = Scenes(a.train)
        for _ in range(20):
            im, quads = scene(r, shapes, scenes)
            im = im.copy()
            for q in quads[~np.isnan(quads[:, 0, 0])]:
                cv2.polylines(im, [q.astype(int)], True, (0, 255, 0), 1)
            yield cv2.resize(im, (320, 252), interpolation=cv2.INTER_AREA)
        return
    around = surroundings(a.train)
    real = validation(a.plates)[0] if a.plates else None
    for i in range(60):
        if real is not None and i % 2:  # which are the drawn ones?
            yield _tile(real[r.integers(len(real))], "real")
            continue
        im, (slots, *_) = samples(r, shapes, around, views=1)[0]
        yield _tile(im, "".join(ALPHABET[c] if ALPHABET[c].isascii() else "?" for c in slots if c))


def _tile(im, text):
    tile = np.zeros((HEIGHT + 22, 200, 3), np.uint8)
    tile[:HEIGHT, :WIDTH] = im
    cv2.putText(tile, text, (2, HEIGHT + 14), 0, 0.4, (0, 255, 0), 1)
    return tile


def main():
    a = argparse.ArgumentParser()
    a.add_argument("out")
    a.add_argument("--fonts", required=True)
    a.add_argument("--train")
    a.add_argument("--plates", help="folder with the scoring sets: every second tile is a real one")
    a.add_argument("--what", choices=("reader", "scenes"), default="reader")
    a.add_argument("--seed", type=int, default=1)
    a = a.parse_args()
    tiles = list(tiles_of(a, Shapes(a.fonts, a.train), np.random.default_rng(a.seed)))
    across = 5 if a.what == "scenes" else 6
    sheet = np.vstack([np.hstack(tiles[i : i + across]) for i in range(0, len(tiles), across)])
    cv2.imwrite(a.out, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
