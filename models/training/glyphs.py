"""Shapes of characters as masks: fonts under free licences and, where given, glyphs in the shapes of real plates.

A mask is a uint8 array, 0 (nothing) to 255 (ink), cut to the ink's own box. `Shapes.get(set, char)` answers one.
"""
import glob
import os

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from texts import DIGITS, LETTERS, PROVINCES, SUFFIXES

WEIGHTS = (400, 500, 600, 700)
#: Packages and weights never trained on, nor is Droid Sans Fallback: they draw the held-apart sets. Of the strange ones some weights are hairlines. Those
#: like plates are the nearest to the plates' own glyphs among 82 more packages (overlap 0.75 to 0.82 with Vietnam's and with China's, each stretched to
#: one box; Barlow Condensed 600, the nearest font trained with, 0.85 and 0.77; rajdhani 400 0.43 and 0.49).
HELD_APART = {
    "strange": {"antonio": WEIGHTS, "archivo-narrow": WEIGHTS, "rajdhani": WEIGHTS},
    "like plates": {"akshar": (500, 600), "sintony": (700,), "sarabun": (700,)},
}
NOTO = "/usr/share/fonts/opentype/noto/Noto*CJK-*.ttc"
_HEIGHT = 160


def _cut(mask):
    ys, xs = np.where(mask > 40)
    if len(ys) == 0:
        return None
    return np.ascontiguousarray(mask[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1])


def _from_font(path, chars, index=0):
    font = ImageFont.truetype(path, _HEIGHT, index=index)
    out = {}
    for c in chars:
        im = Image.new("L", (_HEIGHT * 2, _HEIGHT * 2))
        ImageDraw.Draw(im).text((_HEIGHT // 2, _HEIGHT // 4), c, fill=255, font=font)
        mask = _cut(np.asarray(im))
        if mask is not None:
            out[c] = mask
    return out


def _from_picture(path):
    im = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_GRAYSCALE)
    # Raster glyphs are coarse: enlarged, smoothed and cut at half, they have clean outlines again.
    k = _HEIGHT / im.shape[0]
    im = cv2.resize(im, None, fx=k, fy=k, interpolation=cv2.INTER_CUBIC)
    im = cv2.GaussianBlur(im, (0, 0), max(0.8, k * 0.6))
    return _cut(np.clip((128.0 - im) * 4 + 128, 0, 255).astype(np.uint8))


def _han(fonts, held_apart):
    """Fonts with Chinese characters: (path, index in it)."""
    if held_apart:
        found = [(p, 0) for p in glob.glob("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf")]
    else:
        found = [(p, 2) for p in sorted(glob.glob(NOTO))]
        found += [(p, 0) for p in sorted(glob.glob(f"{fonts}/*/files/*-chinese-simplified-400-normal.woff2"))]
    if not glob.glob(NOTO) or not found:
        raise SystemExit("no font for Chinese characters found: apt-get install fonts-noto-cjk, and fonts-droid-fallback for the held-apart sets")
    return found


def _packages(fonts, held_apart):
    """Packages of fonts and their weights: those for a held-apart set, or all but those."""
    if held_apart:
        return HELD_APART[held_apart].items()
    apart = {package for packages in HELD_APART.values() for package in packages}
    return [(package, WEIGHTS) for package in sorted(os.listdir(fonts)) if package not in apart]


class Shapes:
    """All sets of characters. `vn` and `cn140`, `cn220`, `green` are plate shapes; the fonts' names begin with `font:`."""

    def __init__(self, fonts, train=None, held_apart=None):
        """fonts: folder with @fontsource packages; train: folder with glyphs_cn_leijd and glyphs_vn_mrzaizai2k, or None.
        held_apart: only fonts never trained on, those of one key of HELD_APART; None: all others."""
        self.sets = {}
        han = _han(fonts, held_apart)
        for package, weights in _packages(fonts, held_apart):
            for weight in weights:
                path = f"{fonts}/{package}/files/{package}-latin-{weight}-normal.woff2"
                if os.path.exists(path):
                    self.sets[f"font:{package}-{weight}"] = _from_font(path, DIGITS + LETTERS)
        self.latin = [s for s in self.sets if s.startswith("font:")]
        for path, index in han:
            self.sets["han:" + os.path.basename(path).split(".")[0]] = _from_font(path, PROVINCES + SUFFIXES, index)
        sans = [s for s in self.sets if s.startswith("han:NotoSans")]
        self.han = 2 * sans + [s for s in self.sets if s.startswith("han:") and s not in sans]  # plates are nearer to these
        self.writing = [ImageFont.truetype(path, _HEIGHT // 2, index=2) for path in sorted(glob.glob(NOTO))]
        self.vn = []
        self.cn = False
        if train:
            for version in range(1, 6):
                pictures = glob.glob(f"{train}/glyphs_vn_mrzaizai2k/v{version}_*.png")
                if pictures:
                    self.sets[f"vn:{version}"] = {os.path.basename(p)[3]: _from_picture(p) for p in pictures}
                    self.vn.append(f"vn:{version}")
            for name, prefixes in (("cn140", ("140_",)), ("up220", ("220_up_", "220_")), ("down220", ("220_down_", "220_")), ("green", ("green_",))):
                masks = {}
                for prefix in reversed(prefixes):
                    for p in glob.glob(f"{train}/glyphs_cn_leijd/{prefix}?.jpg"):
                        masks[os.path.basename(p)[len(prefix)]] = _from_picture(p)
                if masks:
                    self.sets[name] = masks
                    self.cn = True

    def written(self, r, text, height):
        """A row of any text, `height` pixels high: the mask of its strokes with a margin, by one of the fonts that have all letters."""
        font = self.writing[r.integers(len(self.writing))]
        left, top, right, bottom = font.getbbox(text)
        im = Image.new("L", (right + 8, bottom + 8))
        ImageDraw.Draw(im).text((4, 4), text, fill=255, font=font)
        mask = np.asarray(im)[top + 2 :, left:]
        return cv2.resize(mask, (max(8, mask.shape[1] * height // mask.shape[0]), height), interpolation=cv2.INTER_AREA)

    def get(self, name, char, fallback):
        """The mask of `char` in the set `name`, or in `fallback` where that set lacks it."""
        return self.sets[name].get(char) if char in self.sets[name] else self.sets[fallback].get(char)
