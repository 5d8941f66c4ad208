"""Writes shards of detector scenes into a pool until stopped.

usage: generate_detector.py --pool DIR --fonts NODE_MODULES/@fontsource --train DIR [--plates DIR] [--seed N] [--shards N]
"""
import argparse

import cv2
import numpy as np

from glyphs import Shapes
from pool import Pool
from real import scored_texts
from scenes import Scenes, scene

PER_SHARD = 400


def main():
    a = argparse.ArgumentParser()
    for name in ("pool", "fonts", "train"):
        a.add_argument(f"--{name}", required=True)
    a.add_argument("--plates", help="folder with the scoring sets: their texts are never drawn")
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--shards", type=int, default=10**9)
    a.add_argument("--keep", type=int, default=120)
    a = a.parse_args()
    cv2.setNumThreads(1)
    avoid = scored_texts(a.plates) if a.plates else frozenset()
    shapes, scenes = Shapes(a.fonts, a.train), Scenes(a.train, avoid)
    pool = Pool(a.pool, a.keep)
    r = np.random.default_rng(a.seed)
    for _ in range(a.shards):
        x, y = zip(*(scene(r, shapes, scenes) for _ in range(PER_SHARD)))
        pool.write(x=np.stack(x), y=np.stack(y))


if __name__ == "__main__":
    main()
