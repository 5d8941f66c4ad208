"""The reader's network: a small dense CNN, one layer of self-attention over its 8×18 cells, and nine slots that each look
for their character. One- and two-line plates of both countries need no splitting: where the lines are is learnt.
"""
import torch
from torch import nn

from plates import HEIGHT, WIDTH
from texts import ALPHABET, COLOURS, COUNTRIES, SLOTS


def conv(a, b, stride=1):
    return nn.Sequential(nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True))


class Residual(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.a = conv(n, n)
        self.b = nn.Sequential(nn.Conv2d(n, n, 3, 1, 1, bias=False), nn.BatchNorm2d(n))

    def forward(self, x):
        return torch.relu(x + self.b(self.a(x)))


def flat(layers, x):
    """Linear layers over all rows of (N, rows, width) at once: exported as one operation with its bias. Only N may differ from picture to picture."""
    rows, width = int(x.shape[1]), int(x.shape[2])
    return layers(x.reshape(-1, width)).view(-1, rows, width)


class Attention(nn.Module):
    """Multi-head attention written out, so that the exported graph is plain."""

    def __init__(self, n, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.out = (nn.Linear(n, n) for _ in range(4))

    def forward(self, q, kv):
        asking, cells, c = int(q.shape[1]), int(kv.shape[1]), int(kv.shape[2])
        h, d = self.heads, c // self.heads
        a = (flat(self.q, q) * d**-0.5).view(-1, asking, h, d).transpose(1, 2)
        b = flat(self.k, kv).view(-1, cells, h, d).permute(0, 2, 3, 1)
        w = torch.softmax(torch.matmul(a, b), dim=-1)
        v = flat(self.v, kv).view(-1, cells, h, d).transpose(1, 2)
        return flat(self.out, torch.matmul(w, v).transpose(1, 2).reshape(-1, asking, c)), w


class Layer(nn.Module):
    """Attention and a small MLP, normalised before each."""

    def __init__(self, n, heads, wide):
        super().__init__()
        self.nq, self.nk, self.nm = nn.LayerNorm(n), nn.LayerNorm(n), nn.LayerNorm(n)
        self.attention = Attention(n, heads)
        self.mlp = nn.Sequential(nn.Linear(n, wide), nn.ReLU(inplace=True), nn.Linear(wide, n))

    def forward(self, q, kv):
        seen, weights = self.attention(self.nq(q), self.nk(kv))
        q = q + seen
        return q + flat(self.mlp, self.nm(q)), weights


class Reader(nn.Module):
    """uint8 (N, HEIGHT, WIDTH, 3) RGB → logits of slots (N, 9, classes), country (N, 3), lines (N, 2), colour (N, 6)."""

    def __init__(self, base=24, middle=64, width=128):
        super().__init__()
        self.features = nn.Sequential(
            conv(3, base, 2), conv(base, middle, 2), Residual(middle), conv(middle, width, 2), Residual(width), Residual(width)
        )
        cells = (HEIGHT // 8) * (WIDTH // 8)
        self.place = nn.Parameter(torch.randn(1, cells, width) * 0.02)
        self.context = Layer(width, 4, width * 2)
        self.slots = nn.Parameter(torch.randn(1, SLOTS + 1, width) * 0.02)
        self.look = nn.ModuleList([Layer(width, 4, width * 2) for _ in range(2)])
        self.norm = nn.LayerNorm(width)
        self.cell = nn.Linear(width, len(ALPHABET))  # only trained with, see forward
        self.char = nn.Linear(width, len(ALPHABET))
        self.about = nn.Linear(width, len(COUNTRIES) + 2 + len(COLOURS))

    def load_state_dict(self, state, strict=True):
        """Weights of a reader of another height fit, too: where its cells are is interpolated (--start after a change of HEIGHT)."""
        place, across = state["place"], WIDTH // 8
        if place.shape != self.place.shape:
            grid = place.float().view(1, -1, across, place.shape[2]).permute(0, 3, 1, 2)
            grid = nn.functional.interpolate(grid, (HEIGHT // 8, across), mode="bilinear", align_corners=False)
            state = {**state, "place": grid.permute(0, 2, 3, 1).reshape(self.place.shape)}
        return super().load_state_dict(state, strict)

    def forward(self, picture, teach=False):
        """With `teach` also: logits of the character in each cell (N, 144, classes) and the slots' attention (N, 4, 10, 144) of each layer:
        told where the characters are, the network need not find out how reading works."""
        x = picture.permute(0, 3, 1, 2).float() / 127.5 - 1
        x = self.features(x)
        cells = x.reshape(-1, *self.place.shape[:0:-1]).transpose(1, 2) + self.place
        dense = self.cell(cells) if teach else None
        cells, _ = self.context(cells, cells)
        attended = []
        slots = self.slots  # the same for all pictures until they have looked
        for layer in self.look:
            slots, weights = layer(slots, cells)
            attended.append(weights)
        slots = self.norm(slots)
        about = self.about(slots[:, SLOTS])
        c, l = len(COUNTRIES), len(COUNTRIES) + 2
        answer = self.char(slots[:, :SLOTS]), about[:, :c], about[:, c:l], about[:, l:]
        return (*answer, dense, attended) if teach else answer
