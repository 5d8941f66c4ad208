"""Trains the reader from a pool that generate_reader.py fills. The learning rate follows the clock, so that a run of
`--minutes` ends well on any machine; checkpoints go on after a stop.

usage: train_reader.py --pool DIR --out FILE.pt --minutes N [--train DIR --plates DIR] [--batch 64] [--rate 1.2e-3]
"""
import argparse
import copy
import math
import os
import time

import cv2
import numpy as np
import torch
from torch import nn

from plates import HEIGHT, WIDTH, test_texts
from pool import Pool
from reader import Reader
from real import chinese_crops, validation, varied
from texts import SLOTS


#: Offsets of the 3×3 cells around a character's centre.
_AROUND = [(dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


def teaching(y, dense, attended):
    """Losses of the cells' characters and of where the slots look, for samples whose characters' places are known."""
    across, down = WIDTH // 8, HEIGHT // 8
    at = y[:, SLOTS + 3 :].reshape(len(y), SLOTS, 2)
    known = (at[:, :, 0] != 255) & (y[:, :SLOTS] != 0)
    if not known.any():
        return 0.0
    cx, cy = at[:, :, 0].clamp(max=WIDTH - 1) // 8, at[:, :, 1].clamp(max=HEIGHT - 1) // 8
    cell = cy * across + cx
    own = dense.float().gather(1, cell[:, :, None].expand(-1, -1, dense.shape[2]))
    loss = nn.functional.cross_entropy(own[known], y[:, :SLOTS][known])
    for weights in attended:
        share = weights.float().mean(1)[:, :SLOTS]
        near = sum(share.gather(2, ((cy + dy).clamp(0, down - 1) * across + (cx + dx).clamp(0, across - 1))[:, :, None])[:, :, 0] for dx, dy in _AROUND)
        loss = loss - 0.25 * torch.log(near[known].clamp(1e-4, 1)).mean()
    return loss


def losses(model, x, y, teach=0.0):
    y = y.long()
    if teach > 0:
        chars, country, lines, colour, dense, attended = model(x, True)
        taught = teaching(y, dense, attended)
    else:
        chars, country, lines, colour = model(x)
        taught = 0.0
    slot = nn.functional.cross_entropy(chars.float().reshape(-1, chars.shape[-1]), y[:, :SLOTS].reshape(-1))

    def other(logits, target):
        return nn.functional.cross_entropy(logits.float(), torch.where(target == 255, -100, target), ignore_index=-100) if (target != 255).any() else 0

    return slot + teach * taught + 0.1 * other(country, y[:, SLOTS]) + 0.05 * other(lines, y[:, SLOTS + 1]) + 0.05 * other(colour, y[:, SLOTS + 2])


def shake(r, x):
    """Cheap differences between two looks at one sample: shift by a pixel or two, light."""
    x = np.roll(x, (int(r.integers(-1, 2)), int(r.integers(-2, 3))), axis=(1, 2)).astype(np.float32)
    n = len(x)
    x = x * r.uniform(0.8, 1.2, (n, 1, 1, 1)).astype(np.float32) + r.uniform(-15, 15, (n, 1, 1, 1)).astype(np.float32)
    return np.clip(x, 0, 255).astype(np.uint8)


@torch.no_grad()
def score(model, x, y, names, device):
    model.eval()
    right = {}
    for i in range(0, len(x), 256):
        with torch.autocast(device, dtype=torch.bfloat16):
            chars = model(torch.from_numpy(x[i : i + 256]).to(device))[0]
        ok = (chars.argmax(-1).cpu().numpy() == y[i : i + 256, :SLOTS]).all(1)
        for name, good in zip(names[i : i + 256], ok):
            a, b = right.get(name, (0, 0))
            right[name] = (a + int(good), b + 1)
    model.train()
    return {k: round(a / b * 100, 1) for k, (a, b) in sorted(right.items())}


def main():
    a = argparse.ArgumentParser()
    for name in ("pool", "out", "train", "plates", "start"):
        a.add_argument(f"--{name}")
    a.add_argument("--minutes", type=float, required=True)
    a.add_argument("--batch", type=int, default=64)
    a.add_argument("--rate", type=float, default=1.2e-3)
    a.add_argument("--seed", type=int, default=1)
    a = a.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(int(os.environ.get("THREADS", "1")))
    torch.manual_seed(a.seed)
    r = np.random.default_rng(a.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = Reader().to(device).to(memory_format=torch.channels_last)
    if a.start:
        model.load_state_dict(torch.load(a.start, map_location=device)["model"])
    mean = copy.deepcopy(model).eval()
    optimiser = torch.optim.AdamW(model.parameters(), lr=a.rate, weight_decay=0.02, foreach=True)
    avoid = test_texts(a.plates) if a.plates else frozenset()
    real = chinese_crops(a.plates, a.train, avoid) if a.train and a.plates else []
    check = validation(a.plates) if a.plates else None
    print(f"{sum(p.numel() for p in model.parameters())} parameters, {len(real)} real crops, on {device}", flush=True)
    pool = Pool(a.pool)
    pool.wait()
    begun = told = time.time()
    step, running, loaded, fresh = 0, 0.0, [], 0
    while (spent := (time.time() - begun) / 60) < a.minutes:
        # Six shards in memory at a time; one is exchanged after each pass over a shard's worth of samples.
        if fresh <= 0:
            names = pool.names()
            try:
                loaded.append(pool.load(names[r.integers(max(0, len(names) - 30), len(names))]))
            except (FileNotFoundError, EOFError):
                continue
            loaded = loaded[-6:]
            fresh = len(loaded[-1]["x"])
        shard = loaded[r.integers(len(loaded))]
        pick = r.integers(0, len(shard["x"]), a.batch)
        x, y = shake(r, shard["x"][pick]), shard["y"][pick]
        if real:
            n = a.batch // 12
            chosen = [real[i] for i in r.integers(0, len(real), n)]
            x[:n] = [varied(r, im) for im, _ in chosen]
            y[:n] = [label for _, label in chosen]
        fresh -= a.batch
        done = spent / a.minutes
        rate = a.rate * min(1, (step + 1) / 300) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        for g in optimiser.param_groups:
            g["lr"] = rate
        with torch.autocast(device, dtype=torch.bfloat16):
            loss = losses(model, torch.from_numpy(x).to(device), torch.from_numpy(y).to(device), max(0.0, 0.5 * (1 - done / 0.7)))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        step += 1
        running += float(loss.detach())
        keep = min(0.999, (1 + step) / (10 + step))
        with torch.no_grad():
            for m, p in zip(mean.state_dict().values(), model.state_dict().values()):
                m.lerp_(p, 1 - keep) if m.dtype.is_floating_point else m.copy_(p)
        if step % 200 == 0:
            print(f"{spent:6.1f} min step {step} loss {running / 200:.4f} rate {rate:.2e} {200 * a.batch / (time.time() - told):.0f}/s", flush=True)
            running, told = 0.0, time.time()
        if step % 1000 == 0:
            torch.save({"model": mean.state_dict(), "step": step}, a.out + ".tmp")
            os.replace(a.out + ".tmp", a.out)
            if check:
                print(f"    {score(mean, *check, device)}", flush=True)
                told = time.time()
    torch.save({"model": mean.state_dict(), "step": step}, a.out)
    if check:
        print(f"end {score(mean, *check, device)}", flush=True)


if __name__ == "__main__":
    main()
