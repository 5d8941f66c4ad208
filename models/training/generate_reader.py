"""Writes shards of reader samples into a pool until stopped. Run as many as there are cores to spare.

usage: generate_reader.py --pool DIR --fonts NODE_MODULES/@fontsource [--train DIR] [--plates DIR] [--seed N] [--shards N] [--detector FILE]
  [--without STEP]
"""
import argparse

import cv2
import numpy as np

from glyphs import Shapes
from hard import Mistaken, lettering, near_miss
from plates import Surroundings, no_plate, samples
from pool import Pool
from real import scored_texts
from scenes import Scenes, held_apart
from without import STEPS, leave_out

BACKGROUNDS = ("roads_bg", "wagon_bg", "openimages_plates", "robertlucian_ro", "naruesorn_th")
PER_SHARD = 6000


#: How often each comes, beside three photos of one plate.
BACKGROUND, NAMES, NEAR, MISTAKEN = 0.05, 0.07, 0.1, 0.08


def surroundings(train):
    """What plates are set into: pieces of scenes, none of them held apart."""
    return Surroundings([f"{train}/{b}" for b in BACKGROUNDS], held_apart(train)) if train else Surroundings([])


def _some(r, shapes, around, avoid, mistaken):
    x = r.random()
    if x < BACKGROUND:
        return [no_plate(r, around)]
    if x < BACKGROUND + NAMES:
        return [lettering(r, shapes, around)]
    if x < BACKGROUND + NAMES + NEAR:
        return [near_miss(r, shapes, around)]
    if mistaken and mistaken.places and x < BACKGROUND + NAMES + NEAR + MISTAKEN:
        return [mistaken.cut(r)]
    return samples(r, shapes, around, avoid)


def main():
    a = argparse.ArgumentParser()
    for name in ("pool", "fonts", "train", "plates"):
        a.add_argument(f"--{name}")
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--shards", type=int, default=10**9)
    a.add_argument("--keep", type=int, default=60)
    a.add_argument("--detector", help="a trained one: what it takes for plates and is none is shown, too")
    a.add_argument("--without", choices=STEPS, help="leave a step out, to see what it gives")
    a = a.parse_args()
    cv2.setNumThreads(1)
    shapes = Shapes(a.fonts, a.train)
    if a.without:
        leave_out(a.without, shapes)
    around = surroundings(a.train)
    avoid = scored_texts(a.plates) if a.plates else frozenset()
    mistaken = Mistaken(a.detector, shapes, Scenes(a.train, avoid), a.seed) if a.detector and a.train else None
    pool = Pool(a.pool, a.keep)
    r = np.random.default_rng(a.seed)
    for _ in range(a.shards):
        xs, ys = [], []
        while len(xs) < PER_SHARD:
            for x, y in _some(r, shapes, around, avoid, mistaken):
                xs.append(x)
                ys.append(np.concatenate([y[0], y[1:4], y[4]]).astype(np.uint8))
        pool.write(x=np.stack(xs[:PER_SHARD]), y=np.stack(ys[:PER_SHARD]))


if __name__ == "__main__":
    main()
