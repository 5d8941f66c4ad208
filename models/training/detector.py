"""The detector's network: a small dense CNN down to stride 32 and back up to stride 8; each cell says whether a plate's
centre lies in it and where its four corners are (after Zhou et al. 2019, Objects as Points, with corners for the box).
"""
import torch
from torch import nn

from reader import Residual, conv

STRIDE = 8
#: Corner offsets leave the network in this many pixels.
UNIT = 32.0


class Detector(nn.Module):
    """uint8 (N, H, W, 3) RGB, sides multiples of 32 → logits (N, 1, H/8, W/8), corner offsets (N, 8, H/8, W/8) from the cell's centre, pixels/UNIT."""

    def __init__(self, a=16, b=24, c=40, d=80, e=128, up=48):
        super().__init__()
        self.s4 = nn.Sequential(conv(3, a, 2), conv(a, b, 2))
        self.s8 = nn.Sequential(conv(b, c, 2), Residual(c))
        self.s16 = nn.Sequential(conv(c, d, 2), Residual(d))
        self.s32 = nn.Sequential(conv(d, e, 2), Residual(e))
        self.from32 = nn.Conv2d(e, d, 1)
        self.mix16 = conv(d, up)
        self.from8 = nn.Conv2d(c, up, 1)
        self.mix8 = conv(up, up)
        self.out = nn.Conv2d(up, 9, 1)
        nn.init.constant_(self.out.bias, 0)
        self.out.bias.data[0] = -5.0

    def forward(self, picture):
        x = picture.permute(0, 3, 1, 2).float() / 127.5 - 1
        s8 = self.s8(self.s4(x))
        s16 = self.s16(s8)
        s32 = self.from32(self.s32(s16))
        x = self.mix16(s16 + nn.functional.interpolate(s32, scale_factor=2, mode="nearest"))
        x = self.mix8(self.from8(s8) + nn.functional.interpolate(x, scale_factor=2, mode="nearest"))
        x = self.out(x)
        return x[:, :1], x[:, 1:]


def targets(quads, width, height):
    """quads (N, M, 4, 2) with NaN → heat (N, h, w) 0…1, offsets (N, 8, h, w), weight (N, h, w). All on the quads' device."""
    n, m = quads.shape[:2]
    h, w = height // STRIDE, width // STRIDE
    ys, xs = torch.meshgrid(torch.arange(h, device=quads.device), torch.arange(w, device=quads.device), indexing="ij")
    cx, cy = (xs + 0.5) * STRIDE, (ys + 0.5) * STRIDE
    heat = torch.zeros(n, h, w, device=quads.device)
    offsets = torch.zeros(n, 8, h, w, device=quads.device)
    weight = torch.zeros(n, h, w, device=quads.device)
    for j in range(m):
        q = quads[:, j]
        there = ~torch.isnan(q[:, 0, 0])
        if not there.any():
            continue
        q = torch.nan_to_num(q)
        centre = q.mean(1)
        across = ((q[:, 1] - q[:, 0]).norm(dim=1) + (q[:, 2] - q[:, 3]).norm(dim=1)) / 2
        down = ((q[:, 3] - q[:, 0]).norm(dim=1) + (q[:, 2] - q[:, 1]).norm(dim=1)) / 2
        dx, dy = cx[None] - centre[:, 0, None, None], cy[None] - centre[:, 1, None, None]
        sx = (across * 0.13).clamp(min=4.0)[:, None, None]
        sy = (down * 0.2).clamp(min=3.5)[:, None, None]
        g = torch.exp(-0.5 * ((dx / sx) ** 2 + (dy / sy) ** 2)) * there[:, None, None]
        # The cell that holds the centre is always a full positive.
        own = (dx.abs() <= STRIDE / 2) & (dy.abs() <= STRIDE / 2) & there[:, None, None]
        g = torch.where(own, torch.ones_like(g), g)
        better = g > heat
        size = (across * down).clamp(min=1).sqrt()[:, None, None]
        to = (q.view(n, 8)[:, :, None, None] - torch.stack([cx, cy] * 4)[None]) / UNIT
        offsets = torch.where(better[:, None], to, offsets)
        weight = torch.where(better & (g > 0.35), g / (size / UNIT), weight)
        heat = torch.maximum(heat, g)
    return heat, offsets, weight


def losses(model, x, quads):
    logits, offsets = model(x)
    logits, offsets = logits.float()[:, 0], offsets.float()
    heat, to, weight = targets(quads, x.shape[2], x.shape[1])
    p = torch.sigmoid(logits).clamp(1e-5, 1 - 1e-5)
    positive = heat >= 0.999
    hit = -((1 - p) ** 2) * torch.log(p) * positive
    miss = -((1 - heat) ** 4) * p**2 * torch.log(1 - p) * ~positive
    count = positive.sum().clamp(min=1)
    corner = (nn.functional.smooth_l1_loss(offsets, to, reduction="none", beta=0.03).sum(1) * weight).sum() / weight.sum().clamp(min=1e-3) * (weight.sum() / (weight > 0).sum().clamp(min=1))
    return (hit.sum() + miss.sum()) / count, corner


@torch.no_grad()
def peaks(model, x, threshold=0.25, most=6):
    """Quads and scores of each picture, best first."""
    logits, offsets = model(x)
    p = torch.sigmoid(logits.float())
    top = (p == nn.functional.max_pool2d(p, 3, 1, 1)) & (p > threshold)
    out = []
    for i in range(len(x)):
        ys, xs = torch.where(top[i, 0])
        scores = p[i, 0, ys, xs]
        order = scores.argsort(descending=True)[:most]
        ys, xs, scores = ys[order], xs[order], scores[order]
        centre = torch.stack([(xs + 0.5) * STRIDE, (ys + 0.5) * STRIDE], 1)
        quads = offsets.float()[i, :, ys, xs].T.reshape(-1, 4, 2) * UNIT + centre[:, None]
        out.append([(q.numpy(), float(s)) for q, s in zip(quads.cpu(), scores.cpu())])
    return out
