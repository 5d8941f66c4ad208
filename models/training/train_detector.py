"""Trains the detector from a pool that generate_detector.py fills; the learning rate follows the clock (see train_reader.py).

usage: train_detector.py --pool DIR --out FILE.pt --minutes N [--plates DIR] [--batch 16] [--rate 2e-3]
"""
import argparse
import copy
import csv
import math
import os
import time

import cv2
import numpy as np
import torch
from torch import nn

from detector import Detector, losses, peaks
from pool import Pool


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
    a = argparse.ArgumentParser()
    for name in ("pool", "out", "plates", "start"):
        a.add_argument(f"--{name}")
    a.add_argument("--minutes", type=float, required=True)
    a.add_argument("--batch", type=int, default=16)
    a.add_argument("--rate", type=float, default=2e-3)
    a.add_argument("--seed", type=int, default=1)
    a = a.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(int(os.environ.get("THREADS", "1")))
    torch.manual_seed(a.seed)
    r = np.random.default_rng(a.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Detector().to(device).to(memory_format=torch.channels_last)
    if a.start:
        model.load_state_dict(torch.load(a.start, map_location=device)["model"])
    mean = copy.deepcopy(model).eval()
    optimiser = torch.optim.AdamW(model.parameters(), lr=a.rate, weight_decay=0.02)
    check = validation(a.plates) if a.plates else []
    print(f"{sum(p.numel() for p in model.parameters())} parameters, on {device}", flush=True)
    pool = Pool(a.pool)
    pool.wait(3)
    begun = told = time.time()
    step, sums, loaded, fresh = 0, np.zeros(2), [], 0
    while (spent := (time.time() - begun) / 60) < a.minutes:
        if fresh <= 0:
            names = pool.names()
            try:
                loaded.append(pool.load(names[r.integers(max(0, len(names) - 100), len(names))]))
            except (FileNotFoundError, EOFError):
                continue
            loaded = loaded[-5:]
            fresh = len(loaded[-1]["x"])
        shard = loaded[r.integers(len(loaded))]
        pick = r.integers(0, len(shard["x"]), a.batch)
        x, y = shard["x"][pick], shard["y"][pick]
        fresh -= a.batch
        rate = a.rate * min(1, (step + 1) / 200) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * spent / a.minutes)))
        for g in optimiser.param_groups:
            g["lr"] = rate
        with torch.autocast(device, dtype=torch.bfloat16):
            heat, corner = losses(model, torch.from_numpy(x).to(device), torch.from_numpy(y).to(device))
        optimiser.zero_grad(set_to_none=True)
        (heat + 2 * corner).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        step += 1
        sums += [float(heat.detach()), float(corner.detach())]
        keep = min(0.999, (1 + step) / (10 + step))
        with torch.no_grad():
            for m, p in zip(mean.state_dict().values(), model.state_dict().values()):
                m.lerp_(p, 1 - keep) if m.dtype.is_floating_point else m.copy_(p)
        if step % 200 == 0:
            print(f"{spent:6.1f} min step {step} heat {sums[0] / 200:.3f} corner {sums[1] / 200:.4f} rate {rate:.2e} {200 * a.batch / (time.time() - told):.0f}/s", flush=True)
            sums[:], told = 0, time.time()
        if step % 1000 == 0:
            torch.save({"model": mean.state_dict(), "step": step}, a.out + ".tmp")
            os.replace(a.out + ".tmp", a.out)
            if check:
                print(f"    {score(mean, check)}", flush=True)
                told = time.time()
    torch.save({"model": mean.state_dict(), "step": step}, a.out)
    if check:
        print(f"end {score(mean, check)}", flush=True)


if __name__ == "__main__":
    main()
