"""Trains the reader from a pool that generate_reader.py fills. The learning rate follows the clock, so that a run of
`--minutes` ends well on any machine (loop.py); --start goes on from a checkpoint.

usage: train_reader.py --pool DIR --out FILE.pt --minutes N [--train DIR --plates DIR] [--batch 64] [--rate 1.2e-3]
"""
import numpy as np
import torch
from torch import nn

from loop import Loop, options
from plates import HEIGHT, WIDTH
from reader import Reader
from real import chinese_crops, scored_texts, validation, varied
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
    a = options(("train", "plates"), 64, 1.2e-3)
    avoid = scored_texts(a.plates) if a.plates else frozenset()
    real = chinese_crops(a.plates, a.train, avoid) if a.train and a.plates else []
    check = validation(a.plates) if a.plates else None
    loop = Loop(Reader, a, shards=6, newest=30, warm=300, clip=2.0)
    r = loop.r

    def one(x, y, done):
        x = shake(r, x)
        if real:
            chosen = [real[i] for i in r.integers(0, len(real), a.batch // 12)]
            x[: len(chosen)] = [varied(r, im) for im, _ in chosen]
            y[: len(chosen)] = [label for _, label in chosen]
        loss = losses(loop.model, torch.from_numpy(x).to(loop.device), torch.from_numpy(y).to(loop.device), max(0.0, 0.5 * (1 - done / 0.7)))
        return loss, (loss,)

    print(f"{len(real)} real crops", flush=True)
    loop.run(one, lambda model: score(model, *check, loop.device) if check else None)


if __name__ == "__main__":
    main()
