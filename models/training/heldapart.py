"""Pictures that nothing was trained on, for what no photo set covers: drawn plates of rare kinds and in rare weather in held-apart scenes,
and scenes without a plate. Writes labels.csv as scoring sets have it, so that `npm run bench:plates -- --photos DIR` scores it.

Held apart are the fonts of letters, digits and provinces, the texts (another seed), and every twentieth scene but those in start/seen.txt:
pieces of them, or other frames of the same film, were once backgrounds of plates.

usage: heldapart.py --out DIR --fonts NODE_MODULES/@fontsource --train DIR [--each 200] [--empty 600] [--sequences 100]
  [--letters strange|"like plates"] [--without STEP]
"""
import argparse
import csv
import os
import sys

import cv2
import numpy as np

import scenes as s
from camera import light, seen, tilted
from draw import draw_plate
from glyphs import HELD_APART, Shapes
from texts import CN_LETTERS, DIGITS, PROVINCES, Look, chinese, vietnamese
from wear import wear
from weather import lamplit, rain
from without import leave_out


def wanted(r, make, fits):
    look = make(r)
    while not fits(look):
        look = make(r)
    return look


def ordinary(r):
    return wanted(r, chinese if r.random() < 0.5 else vietnamese, lambda k: k.kind == "ordinary")


SETS = {
    "trailer": lambda r: Look(r.choice(list(PROVINCES)) + r.choice(list(CN_LETTERS)) + "".join(r.choice(list(DIGITS), 4)) + "挂", "cn", "yellow", 2, "trailer"),
    "rear": lambda r: wanted(r, chinese, lambda k: k.lines == 2 and k.kind == "ordinary"),
    "rm": lambda r: Look(f"{r.integers(11, 100)}{r.choice(['RM', 'R'])}" + "".join(r.choice(list(DIGITS), 5)), "vn", "white", 2, "special"),
    "nev": lambda r: wanted(r, chinese, lambda k: k.colour == "green"),
    "night": ordinary,
    "lamps": ordinary,
    "rain": ordinary,
}


def of_its_own(seed, name):
    """Random numbers for one set: it stays as it is when others change."""
    return np.random.default_rng([seed, *name.encode()])


def in_weather(r, im, quad, name):
    """A scene in the light and weather of the set `name`."""
    side = float(np.linalg.norm(quad[3] - quad[0]))
    if name == "lamps":
        mask = cv2.fillConvexPoly(np.zeros(im.shape[:2], np.uint8), np.int32(quad), 1)[..., None]
        return lamplit(r, im, quad, mask.astype(np.float32), side)
    im = light(r, im, name == "night")
    if name == "rain":
        rain(r, im, side)
    return im


def gate_camera(r, shapes, base, look, name):
    """A scene as a camera at a lane sees it: one plate, 90…200 pixels wide (two lines: 60…140), up to ±30°."""
    h, w = base.shape[:2]
    k = 640 / w
    im = cv2.resize(base, (640, max(360, int(h * k))), interpolation=cv2.INTER_LINEAR)
    taken = []
    for _ in range(r.integers(0, 3)):
        s._sign(r, shapes, im, taken)
    plate, ink, _ = draw_plate(r, shapes, look)
    plate = wear(r, plate, ink)
    ph, pw = plate.shape[:2]
    width = r.uniform(60, 140) if look.lines == 2 else r.uniform(90, 200)
    if width < 0.8 * pw:
        plate = cv2.GaussianBlur(plate, (0, 0), 0.42 * pw / width)
    quad = tilted(r, width, width * ph / pw, 0.7)
    room = np.float32([im.shape[1], im.shape[0]]) - quad.max(0) - 8
    quad = quad + np.float32([r.uniform(8 - quad[:, 0].min(), room[0]), r.uniform(max(8 - quad[:, 1].min(), im.shape[0] * 0.3), room[1])])
    s._set_in(im, np.clip(plate, 0, 255), s.corners_of(pw, ph), quad)
    return seen(r, in_weather(r, im.astype(np.float32), quad, name), 22, 0.45), quad


def approach(r, shapes, base, look, frames):
    """One truck on its way to the barrier: the same worn plate in every frame, nearer and elsewhere each time, in other light and blur."""
    plate, ink, _ = draw_plate(r, shapes, look)
    plate = wear(r, plate, ink)
    ph, pw = plate.shape[:2]
    first, last = (45, 110) if look.lines == 2 else (65, 170)
    turn = np.random.default_rng(r.integers(1 << 30)).bit_generator.state
    for i in range(frames):
        width = first + (last - first) * i / max(1, frames - 1)
        im = cv2.resize(base, (640, 400), interpolation=cv2.INTER_LINEAR)
        same = np.random.default_rng()
        same.bit_generator.state = turn  # the camera's view of the truck hardly changes
        quad = tilted(same, width, width * ph / pw, 0.7) + r.normal(0, 0.008 * width, (4, 2)).astype(np.float32)
        quad += np.float32([250 + 60 * i / frames, 180 + 120 * i / frames]) + r.normal(0, 4, 2).astype(np.float32)
        s._set_in(im, np.clip(cv2.GaussianBlur(plate, (0, 0), max(0.1, 0.42 * pw / width)), 0, 255), s.corners_of(pw, ph), quad)
        yield seen(r, light(r, im.astype(np.float32), False), 22, 0.6)


def main():
    a = argparse.ArgumentParser()
    for name in ("out", "fonts", "train"):
        a.add_argument(f"--{name}", required=True)
    a.add_argument("--each", type=int, default=200)
    a.add_argument("--empty", type=int, default=600)
    a.add_argument("--sequences", type=int, default=100, help="trucks that come nearer, six frames each: for bench:plates --votes")
    a.add_argument("--letters", choices=HELD_APART, default="strange")
    a.add_argument("--without", choices=("wear", "light", "camera", "tilt"), help="leave a step out, to see what it takes")
    a.add_argument("--seed", type=int, default=777)
    a = a.parse_args()
    shapes = Shapes(a.fonts, None, a.letters)
    if a.without:
        leave_out(a.without, shapes, [sys.modules[__name__]])
    with open(os.path.join(os.path.dirname(__file__), "start", "seen.txt"), encoding="utf-8") as f:
        bare = s.Scenes(a.train, apart=True, without={f"{a.train}/{line}" for line in f.read().split()}).items
    os.makedirs(a.out, exist_ok=True)
    rows = []

    def keep(name, i, picture, text, country, lines, quad=None):
        """`quad`: the plate's corners, of which the box is kept: how wide a plate is says much."""
        file = f"{name}/{i:04}.jpg"
        os.makedirs(f"{a.out}/{name}", exist_ok=True)
        cv2.imwrite(f"{a.out}/{file}", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
        rows.append({"file": file, "country": country, "text": text, "lines": lines, "kind": "scene", "use": "test"})
        if quad is not None:
            (x1, y1), (x2, y2) = quad.min(0).round().astype(int), quad.max(0).round().astype(int)
            rows[-1].update(x1=x1, y1=y1, x2=x2, y2=y2)

    for name, make in SETS.items():
        r = of_its_own(a.seed, name)
        for i in range(a.each):
            look = make(r)
            base = bared(r, bare[r.integers(len(bare))])
            picture, quad = gate_camera(r, shapes, base, look, name)
            keep(name, i, picture, look.text, look.country, look.lines, quad)
    r = of_its_own(a.seed, "sequence")
    for i in range(a.sequences):
        look = wanted(r, chinese if r.random() < 0.5 else vietnamese, lambda k: k.kind in ("ordinary", "trailer", "special"))
        for j, picture in enumerate(approach(r, shapes, bared(r, bare[r.integers(len(bare))]), look, 6)):
            keep("sequence", i * 6 + j, picture, look.text, look.country, look.lines)
    r = of_its_own(a.seed, "none")
    for i in range(a.empty):
        im = bared(r, bare[r.integers(len(bare))])
        im = cv2.resize(im, (640, int(640 * im.shape[0] / im.shape[1])))
        for _ in range(r.integers(0, 5)):
            s._sign(r, shapes, im, [])
        if r.random() < 0.5:
            s.stamp(r, im, [])
        keep("none", i, seen(r, light(r, im.astype(np.float32)), 22, 0.4), "", "none", "")
    with open(f"{a.out}/labels.csv", "w", newline="", encoding="utf-8") as f:
        out = csv.DictWriter(f, ["file", "country", "text", "lines", "kind", "x1", "y1", "x2", "y2", "use"])
        out.writeheader()
        out.writerows(rows)
    print(f"{len(rows)} pictures in {a.out}")


def bared(r, item):
    """A held-apart scene with its foreign plates painted over by what is around them."""
    im, quads = item
    im = im.copy()
    if quads:
        mask = np.zeros(im.shape[:2], np.uint8)
        for q in quads:
            cv2.fillConvexPoly(mask, (q.mean(0) + (q - q.mean(0)) * 1.25).astype(np.int32), 255)
        im = cv2.inpaint(im, mask, 5, cv2.INPAINT_TELEA)
    return np.ascontiguousarray(im[:, ::-1]) if r.random() < 0.5 else im


if __name__ == "__main__":
    main()
