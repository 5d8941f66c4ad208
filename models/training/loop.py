"""What both trainings share: options, a few shards in memory, the rate that follows the clock, the running mean of the weights, checkpoints."""
import argparse
import copy
import math
import os
import time

import cv2
import numpy as np
import torch
from torch import nn

from pool import Pool


def options(folders, batch, rate):
    """Options of a training; `folders` are the names of those that name a folder."""
    a = argparse.ArgumentParser()
    for name in ("pool", "out", "start", *folders):
        a.add_argument(f"--{name}")
    a.add_argument("--minutes", type=float, required=True)
    a.add_argument("--batch", type=int, default=batch)
    a.add_argument("--rate", type=float, default=rate)
    a.add_argument("--seed", type=int, default=1)
    return a.parse_args()


class Loop:
    """One training. `model` is trained, `mean` is what is kept; `looks()` yields batches until the time is over."""

    def __init__(self, make, a, *, shards, newest, warm, clip, least=1):
        """shards: in memory at a time; newest: of how many they are drawn; warm: steps until the full rate; clip: largest gradient."""
        cv2.setNumThreads(1)
        torch.set_num_threads(int(os.environ.get("THREADS", "1")))
        torch.manual_seed(a.seed)
        self.a, self.r = a, np.random.default_rng(a.seed)
        self.shards, self.newest, self.warm, self.clip, self.least = shards, newest, warm, clip, least
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = make().to(self.device).to(memory_format=torch.channels_last)
        if a.start:
            self.model.load_state_dict(torch.load(a.start, map_location=self.device)["model"])
        self.mean = copy.deepcopy(self.model).eval()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=a.rate, weight_decay=0.02)
        self.step, self.done, self.rate = 0, 0.0, 0.0

    def looks(self):
        """Batches (x, y) as in the shards. One shard is exchanged after each pass over a shard's worth of samples."""
        pool = Pool(self.a.pool)
        pool.wait(self.least)
        begun, loaded, fresh = time.time(), [], 0
        while (spent := (time.time() - begun) / 60) < self.a.minutes:
            self.spent, self.done = spent, spent / self.a.minutes
            if fresh <= 0:
                names = pool.names()
                try:
                    loaded.append(pool.load(names[self.r.integers(max(0, len(names) - self.newest), len(names))]))
                except (FileNotFoundError, EOFError):
                    continue
                loaded = loaded[-self.shards :]
                fresh = len(loaded[-1]["x"])
            shard = loaded[self.r.integers(len(loaded))]
            pick = self.r.integers(0, len(shard["x"]), self.a.batch)
            fresh -= self.a.batch
            yield shard["x"][pick], shard["y"][pick]

    def learn(self, loss):
        """One step down; then the mean follows."""
        self.rate = self.a.rate * min(1, (self.step + 1) / self.warm) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.done)))
        for g in self.optimiser.param_groups:
            g["lr"] = self.rate
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimiser.step()
        self.step += 1
        keep = min(0.999, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for m, p in zip(self.mean.state_dict().values(), self.model.state_dict().values()):
                m.lerp_(p, 1 - keep) if m.dtype.is_floating_point else m.copy_(p)

    def save(self, name=""):
        torch.save({"model": self.mean.state_dict(), "step": self.step}, self.a.out + ".tmp")
        os.replace(self.a.out + ".tmp", self.a.out + name)

    def run(self, losses, score):
        """losses(x, y, done) → (loss, parts to print); score(mean) → a dict or None. A line each 200 steps, a checkpoint and a look each 1,000; OUT.half is from half-way (see mean.py)."""
        print(f"{sum(p.numel() for p in self.model.parameters())} parameters, on {self.device}", flush=True)
        sums, told, half = 0.0, time.time(), False
        for x, y in self.looks():
            if self.done >= 0.5 and not half:
                half = True
                self.save(".half")
            with torch.autocast(self.device, dtype=torch.bfloat16):
                loss, parts = losses(x, y, self.done)
            self.learn(loss)
            sums = sums + np.float64([float(p.detach()) for p in parts])
            if self.step % 200 == 0:
                rate = 200 * self.a.batch / (time.time() - told)
                print(f"{self.spent:6.1f} min step {self.step} loss {' '.join(f'{s / 200:.4f}' for s in sums)} rate {self.rate:.2e} {rate:.0f}/s", flush=True)
                sums, told = 0.0, time.time()
            if self.step % 1000 == 0:
                self.save()
                print(f"    {score(self.mean)}", flush=True)
                told = time.time()
        self.save()
        print(f"end {score(self.mean)}", flush=True)
