"""What the reader was chosen by: one part begun anew, the trained rest around it, the same samples in the same order, the same look at real photos.

slots, ctc: the head on the trained backbone. dense, depthwise: the convolutions of the backbone under the trained head.

usage: choices.py --part slots|ctc|dense|depthwise --pool DIR --start FILE.pt --plates DIR [--save FILE.pt] [--steps 1000] [--batch 64] [--rate 8e-4]
"""
import argparse

import numpy as np
import torch
from torch import nn

from plates import HEIGHT, WIDTH
from pool import Pool
from reader import Reader
from real import validation
from texts import ALPHABET, SLOTS
from train_reader import losses, score, shake


class Ctc(Reader):
    """The cells of the upper and of the lower half, from left to right: 36 places, each a character or none. Two-line plates are read
    half by half; on one-line plates it is learnt in which half to speak."""

    def __init__(self):
        super().__init__()
        width = self.norm.normalized_shape[0]
        self.rows = nn.Linear(HEIGHT // 16 * width, width)
        self.after = nn.LayerNorm(width)
        self.step = nn.Linear(width, len(ALPHABET))

    def places(self, picture):
        x = self.features(picture.permute(0, 3, 1, 2).float() / 127.5 - 1)
        cells = x.flatten(2).transpose(1, 2) + self.place
        dense = self.cell(cells)
        cells, _ = self.context(cells, cells)
        n, _, c = cells.shape
        high, wide = HEIGHT // 8, WIDTH // 8
        halves = cells.view(n, 2, high // 2, wide, c).permute(0, 1, 3, 2, 4).reshape(n, 2 * wide, high // 2 * c)
        return self.step(torch.relu(self.after(self.rows(halves).float()))), dense

    def losses(self, x, y, teach):
        y = y.long()
        logits, dense = self.places(x)
        text = y[:, :SLOTS]
        steps = torch.full((len(x),), logits.shape[1])
        loss = nn.functional.ctc_loss(logits.float().log_softmax(-1).transpose(0, 1), text, steps, (text != 0).sum(1), zero_infinity=True)
        at = y[:, SLOTS + 3 :].reshape(len(y), SLOTS, 2)
        known = (at[:, :, 0] != 255) & (text != 0)
        if teach > 0 and known.any():
            cell = at[:, :, 1].clamp(max=HEIGHT - 1) // 8 * (WIDTH // 8) + at[:, :, 0].clamp(max=WIDTH - 1) // 8
            own = dense.float().gather(1, cell[:, :, None].expand(-1, -1, dense.shape[2]))
            loss = loss + teach * nn.functional.cross_entropy(own[known], text[known])
        return loss

    def forward(self, picture, teach=False):
        """As slots, one-hot: for `score`."""
        best = self.places(picture)[0].argmax(-1)
        out = torch.zeros(len(best), SLOTS, len(ALPHABET))
        for i, row in enumerate(best.tolist()):
            text = [c for k, c in enumerate(row) if c != 0 and (k == 0 or row[k - 1] != c)][:SLOTS]
            for k, c in enumerate(text + [0] * (SLOTS - len(text))):
                out[i, k, c] = 1
        return (out,)


def _light(a, b, stride=1):
    """A 3×3 convolution as one for each channel and one over the channels (Howard et al. 2017, MobileNets)."""
    return nn.Sequential(
        nn.Conv2d(a, a, 3, stride, 1, groups=a, bias=False), nn.BatchNorm2d(a), nn.ReLU(inplace=True), nn.Conv2d(a, b, 1, bias=False), nn.BatchNorm2d(b)
    )


class Depthwise(Reader):
    """The reader with a backbone of the same widths and depth, of depthwise convolutions but for the first one."""

    def __init__(self):
        super().__init__()
        for layer in self.features[1:]:
            if hasattr(layer, "a"):  # Residual: see reader.py
                n = layer.b[0].out_channels
                layer.a, layer.b = nn.Sequential(_light(n, n), nn.ReLU(inplace=True)), _light(n, n)
            else:
                old = layer[0]
                layer[0], layer[1] = _light(old.in_channels, old.out_channels, old.stride), nn.Identity()


#: The trained weights around a new head, and around a new backbone.
_BACKBONE = ("features", "place", "context", "cell")
_HEAD = ("place", "context", "look", "slots", "norm", "cell", "char", "about")
#: What is trained, and what of the trained weights is kept.
PARTS = {"slots": (Reader, _BACKBONE), "ctc": (Ctc, _BACKBONE), "dense": (Reader, _HEAD), "depthwise": (Depthwise, _HEAD)}


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--part", choices=PARTS, required=True)
    for name in ("pool", "start", "plates", "save"):
        a.add_argument(f"--{name}")
    a.add_argument("--steps", type=int, default=1000)
    a.add_argument("--batch", type=int, default=64)
    a.add_argument("--rate", type=float, default=8e-4)
    a = a.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    r = np.random.default_rng(1)
    make, parts = PARTS[a.part]
    model = make()
    trained = torch.load(a.start, map_location="cpu")["model"]
    own = model.state_dict()
    kept = {k: v for k, v in trained.items() if k.startswith(parts)}
    model.load_state_dict({**own, **kept})
    model = model.to(memory_format=torch.channels_last).train()
    check = validation(a.plates)
    pool = Pool(a.pool)
    shards = pool.names()[:6]
    loaded = [pool.load(n) for n in shards]
    optimiser = torch.optim.AdamW(model.parameters(), lr=a.rate, weight_decay=0.02)
    told = 0.0
    for step in range(1, a.steps + 1):
        shard = loaded[r.integers(len(loaded))]
        pick = r.integers(0, len(shard["x"]), a.batch)
        x, y = torch.from_numpy(shake(r, shard["x"][pick])), torch.from_numpy(shard["y"][pick])
        for g in optimiser.param_groups:
            g["lr"] = a.rate * min(1, step / 100) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * step / a.steps)))
        teach = max(0.0, 0.5 * (1 - step / a.steps / 0.7))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model.losses(x, y, teach) if isinstance(model, Ctc) else losses(model, x, y, teach)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        told += float(loss.detach())
        if step % 100 == 0:
            print(f"{a.part} step {step} loss {told / 100:.4f}", flush=True)
            told = 0.0
        if step % 250 == 0 or step == a.steps:
            print(f"    {score(model, *check, 'cpu')}", flush=True)
    if a.save:
        torch.save(model.state_dict(), a.save)


if __name__ == "__main__":
    main()
