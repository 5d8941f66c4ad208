"""Shards of samples on disk: generators write them, trainers read them, the oldest make room. Bounded by `keep`."""
import os
import time

import numpy as np


class Pool:
    def __init__(self, folder, keep=40):
        self.folder, self.keep = folder, keep
        os.makedirs(folder, exist_ok=True)

    def names(self):
        return sorted(n for n in os.listdir(self.folder) if n.endswith(".npz") and ".part" not in n)

    def write(self, **arrays):
        """Adds a shard under a name that is complete at once; takes the oldest away when there are too many."""
        name = f"{time.time_ns():020d}-{os.getpid()}"
        np.savez(f"{self.folder}/{name}.part.tmp", **arrays)
        os.replace(f"{self.folder}/{name}.part.tmp.npz", f"{self.folder}/{name}.npz")
        for old in self.names()[: -self.keep]:
            try:
                os.unlink(f"{self.folder}/{old}")
            except FileNotFoundError:
                pass

    def load(self, name):
        with np.load(f"{self.folder}/{name}") as f:
            return {k: f[k] for k in f.files}

    def wait(self, least=1):
        """Waits for the first shards (ten minutes at most)."""
        for _ in range(600):
            if len(self.names()) >= least:
                return
            time.sleep(1)
        raise SystemExit(f"no generator has written to {self.folder}")
