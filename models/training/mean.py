"""A weighted mean of checkpoints of one network, near each other in one training: often better than each (Izmailov et al. 2018, SWA).

usage: mean.py OUT.pt A.pt=0.35 B.pt=0.65
"""
import sys

import torch


def main():
    out, *parts = sys.argv[1:]
    shares = [float(p.rsplit("=", 1)[1]) for p in parts]
    if not parts or abs(sum(shares) - 1) > 1e-6:
        raise SystemExit(f"the shares must add up to 1, not {sum(shares)}")
    models = [torch.load(p.rsplit("=", 1)[0], map_location="cpu")["model"] for p in parts]
    mean = {k: sum(m[k].float() * s for m, s in zip(models, shares)) if v.is_floating_point() else v for k, v in models[-1].items()}
    torch.save({"model": mean}, out)


if __name__ == "__main__":
    main()
