"""Trains the detector from a pool that generate_detector.py fills; the learning rate follows the clock (see loop.py).

usage: train_detector.py --pool DIR --out FILE.pt --minutes N [--plates DIR] [--batch 16] [--rate 2e-3]
"""
import csv

import cv2
import numpy as np
import torch

from detector import Detector, losses, peaks
from loop import Loop, options


def letterboxed(im, width, height):
    """The picture shrunk or grown to fit, in the top left corner, grey beside it; and the factor."""
    k = min(width / im.shape[1], height / im.shape[0])
    if k < 0.5:
        im = cv2.resize(im, (int(im.shape[1] * k), int(im.shape[0] * k)), interpolation=cv2.INTER_AREA)
    else:
        im = cv2.resize(im, (int(im.shape[1] * k), int(im.shape[0] * k)), interpolation=cv2.INTER_LINEAR)
    out = np.full((height, width, 3), 114, np.uint8)
    out[: im.shape[0], : im.shape[1]] = im
    return out, k


def validation(plates, most=60):
    """Scored scenes with a published box: (picture 448×448, box in it, set). Never trained on."""
    out, count = [], {}
    with open(f"{plates}/labels.csv", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            name = "/".join(row["file"].split("/")[:2])
            if row["kind"] != "scene" or not row["x1"] or count.get(name, 0) >= most:
                continue
            count[name] = count.get(name, 0) + 1
            im, k = letterboxed(cv2.cvtColor(cv2.imread(f"{plates}/{row['file']}"), cv2.COLOR_BGR2RGB), 448, 448)
            out.append((im, np.float32([float(row[c]) for c in ("x1", "y1", "x2", "y2")]) * k, name))
    return out


@torch.no_grad()
def score(model, rows):
    """Share of scenes whose best find overlaps the box by at least half, and share where any of six does; mean overlap."""
    model.eval()
    right = {}
    for im, box, name in rows:
        found = peaks(model, torch.from_numpy(im)[None], 0.1)[0]
        overlaps = []
        for quad, _ in found:
            lo, hi = quad.min(0), quad.max(0)
            inter = np.clip(np.minimum(hi, box[2:]) - np.maximum(lo, box[:2]), 0, None).prod()
            overlaps.append(inter / ((hi - lo).prod() + (box[2:] - box[:2]).prod() - inter))
        first, best = (overlaps or [0])[0], max(overlaps or [0])
        a = right.setdefault(name, [0, 0, 0, 0.0])
        a[0] += 1
        a[1] += first > 0.5
        a[2] += best > 0.5
        a[3] += best
    model.train()
    return {k: f"{a[1] / a[0] * 100:.0f}/{a[2] / a[0] * 100:.0f}% {a[3] / a[0]:.2f}" for k, a in sorted(right.items())}


def main():
    a = options(("plates",), 16, 2e-3)
    check = validation(a.plates) if a.plates else []
    loop = Loop(Detector, a, shards=5, newest=100, warm=200, clip=5.0, least=3)

    def both(x, y, _):
        heat, corner = losses(loop.model, torch.from_numpy(x).to(loop.device), torch.from_numpy(y).to(loop.device))
        return heat + 2 * corner, (heat, corner)

    loop.run(both, lambda model: score(model, check))


if __name__ == "__main__":
    main()
