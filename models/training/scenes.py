"""One sample for the detector: a real scene under a clean licence, its plates exchanged for drawn ones of Vietnam and China,
more of them set elsewhere, and text that is no plate: signs, phone and fleet numbers, container codes, time stamps, watermarks.
"""
import csv

import cv2
import numpy as np

from camera import corners_of, tilted
from draw import draw_plate
from texts import random_look
from wear import frame_strip, wear
from weather import headlamps, rain

#: Size of the training pictures; at run time any multiples of 32 do.
WIDTH, HEIGHT = 448, 352
#: Plates kept per picture.
MOST = 8


def _listed(train):
    """Rows of labels.csv by the path of their scene, sorted."""
    rows = {}
    with open(f"{train}/labels.csv", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            if row["kind"] == "scene":
                rows.setdefault(f"{train}/{row['file']}", []).append(row)
    return sorted(rows.items())


def held_apart(train):
    """Paths of the scenes that nothing is trained on: every twentieth."""
    return frozenset(path for path, _ in _listed(train)[::20])


class Scenes:
    """Photos with the quads of the foreign plates in them; backgrounds have none."""

    def __init__(self, train, avoid=frozenset(), apart=False, without=frozenset(), side=560):
        """avoid: texts that are never drawn; apart: the scenes held apart instead of the others; without: paths left out."""
        self.avoid = avoid
        self.items = []
        kept = held_apart(train)
        for path, plates_of in _listed(train):
            if (path in kept) != apart or path in without:
                continue
            im = cv2.imread(path)
            if im is None:
                continue
            k = min(1.0, side / max(im.shape[:2]))
            quads = []
            for row in plates_of:
                if row["quad"]:
                    quads.append(np.float32([float(v) for v in row["quad"].split()]).reshape(4, 2) * k)
                elif row["x1"]:
                    x1, y1, x2, y2 = (float(row[c]) * k for c in ("x1", "y1", "x2", "y2"))
                    quads.append(np.float32([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]))
            small = cv2.resize(im, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
            self.items.append((cv2.cvtColor(small, cv2.COLOR_BGR2RGB), quads))


def _set_in(im, plate, inner, quad):
    """Warps `plate` (its corners `inner`) onto `quad` of `im`, in place."""
    ph, pw = plate.shape[:2]
    outer = cv2.perspectiveTransform(corners_of(pw, ph)[None], cv2.getPerspectiveTransform(inner, np.float32(quad)))[0]
    lo = np.maximum(np.floor(outer.min(0)).astype(int) - 1, 0)
    hi = np.minimum(np.ceil(outer.max(0)).astype(int) + 1, [im.shape[1], im.shape[0]])
    if (hi - lo < 2).any():
        return False
    m = cv2.getPerspectiveTransform(inner, np.float32(quad - lo))
    size = tuple(int(v) for v in hi - lo)
    a = cv2.warpPerspective(np.full((ph, pw), 255, np.uint8), m, size).astype(np.float32)[..., None] / 255
    part = im[lo[1] : hi[1], lo[0] : hi[0]]
    part[:] = (part * (1 - a) + cv2.warpPerspective(plate, m, size) * a + 0.5).astype(np.uint8)
    return True


def _plate(r, shapes, avoid, width, holder=0.2):
    """A worn drawn plate that will be `width` pixels wide: picture, its inner corners, its width and height. `holder`: how often it has one."""
    look = random_look(r, avoid)
    while look.kind == "painted":
        look = random_look(r, avoid)
    plate, ink, _ = draw_plate(r, shapes, look)
    if r.random() < 0.85:  # the others are new
        plate = wear(r, plate, ink)
    h, w = plate.shape[:2]
    at = (0, 0)
    if r.random() < holder:
        plate, at = frame_strip(r, plate)
    if width < 0.8 * w:
        plate = cv2.GaussianBlur(plate, (0, 0), 0.42 * w / width)
    return plate, corners_of(w, h) + np.float32(at), w, h


def _matched(r, plate, region):
    """The plate in about the light of the place where it goes."""
    want = float(np.percentile(region, 80)) * r.uniform(0.75, 1.35) + 12
    return np.clip(plate * min(1.25, want / max(40.0, float(np.percentile(plate, 70)))), 0, 255)


#: Of the plates that are added so many are a vehicle's second one, so many of the others are seen from far aside, so many on plain sheet metal.
SECOND, ASIDE, PLAIN = 0.3, 0.25, 0.25


def _panel(r, im, quad, taken):
    """Plain sheet metal around a plate, if no other is in the way: no bumper, no lamps to tell by where it is."""
    size = np.ptp(quad, axis=0)
    lo, hi = quad.min(0) - size * r.uniform(0.1, 1.5, 2), quad.max(0) + size * r.uniform(0.1, 1.5, 2)
    if overlaps(np.float32([lo, hi]), taken, 2):
        return
    (x0, y0), (x1, y1) = np.maximum(lo, 0).astype(int), hi.astype(int)
    part = im[y0:y1, x0:x1]
    shade = r.uniform(10, 240) + (r.normal(0, 12, 3) if r.random() < 0.5 else r.normal(0, 60, 3))
    part[:] = np.clip(shade + np.linspace(0, r.normal(0, 25), len(part))[:, None, None], 0, 255)


def _exchange(r, shapes, avoid, im, quad):
    """Sets a drawn plate over a foreign one. Returns its quad or None."""
    side = float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[3] - quad[0]))
    if min(side) < 4:
        return None
    plate, inner, w, h = _plate(r, shapes, avoid, max(side))
    k = max(side[0] / w, side[1] / h) * r.uniform(1.02, 1.15)
    centre = quad.mean(0)
    angle = np.arctan2(*(quad[1] - quad[0])[::-1])
    c, s = np.cos(angle), np.sin(angle)
    new = tilted(r, w * k, h * k, 0.5) @ np.float32([[c, s], [-s, c]]) + centre
    lo = np.maximum(quad.min(0).astype(int), 0)
    hi = quad.max(0).astype(int)
    region = im[lo[1] : hi[1], lo[0] : hi[0]]
    if region.size == 0:
        return None
    return new if _set_in(im, _matched(r, plate, region), inner, new) else None


def overlaps(quad, others, slack=4):
    lo, hi = quad.min(0) - slack, quad.max(0) + slack
    return any((lo < o.max(0)).all() and (o.min(0) < hi).all() for o in others)


def _add(r, shapes, avoid, im, taken):
    """Sets a drawn plate anywhere. Returns its quad or None."""
    width = float(np.exp(r.uniform(np.log(20), np.log(190))))
    plate, inner, w, h = _plate(r, shapes, avoid, width)
    k = width / w
    quad = tilted(r, w * k, h * k, 1.6 if r.random() < ASIDE else 1.0)
    lo = -quad.min(0) + 2
    room = np.float32([im.shape[1], im.shape[0]]) - quad.max(0) - 2
    if (room <= lo).any():
        return None
    quad = quad + np.float32([r.uniform(lo[0], room[0]), r.uniform(lo[1], room[1])])
    if overlaps(quad, taken):
        return None
    if r.random() < PLAIN:
        _panel(r, im, quad, taken)
    x, y = quad.mean(0).astype(int)
    region = im[max(0, y - 20) : y + 20, max(0, x - 30) : x + 30]
    return quad if _set_in(im, _matched(r, plate, region) if r.random() < 0.6 else np.clip(plate, 0, 255), inner, quad) else None


#: Narrower ones are not labelled: see `scene`.
_LEAST = 14


def _second(r, shapes, avoid, im, taken):
    """A second plate on the same vehicle, as trucks of two countries have: close to one that is there, sloping as it does. Its quad or None."""
    h, w = im.shape[:2]
    within = lambda quad: (quad.min(0) > 1).all() and (quad.max(0) < [w - 1, h - 1]).all()
    first = taken[r.integers(len(taken))]
    along, down = first[1] - first[0], first[3] - first[0]
    wide, high = float(np.linalg.norm(along)), float(np.linalg.norm(down))
    if not within(first) or wide < 2 * _LEAST or high < 4:
        return None
    plate, inner, pw, ph = _plate(r, shapes, avoid, wide, holder=0)
    k = wide / pw * r.uniform(0.7, 1.3)
    across, upright = along / wide * pw * k, down / high * ph * k
    gap = r.uniform(0.08, 0.7) * high
    corner = first[0] + [
        down * (1 + gap / high) + along * r.normal(0, 0.15),
        -upright - down * (gap / high) + along * r.normal(0, 0.15),
        along * (1 + gap / wide) + down * r.normal(0, 0.2),
        -across - along * (gap / wide) + down * r.normal(0, 0.2),
    ][r.choice(4, p=[0.4, 0.3, 0.15, 0.15])]
    quad = np.float32([corner, corner + across, corner + across + upright, corner + upright])
    # By their outlines: upright boxes around two sloping plates overlap where the plates do not.
    if not within(quad) or any(cv2.intersectConvexConvex(quad, np.float32(o))[0] > 0 for o in taken):
        return None
    (x0, y0), (x1, y1) = first.min(0).astype(int), np.ceil(first.max(0)).astype(int)
    return quad if _set_in(im, _matched(r, plate, im[y0:y1, x0:x1]), inner, quad) else None


def _words(r):
    d = lambda n: "".join(str(v) for v in r.integers(0, 10, n))
    a = lambda n: "".join(chr(65 + v) for v in r.integers(0, 26, n))
    return [
        f"0{d(3)}.{d(3)}.{d(3)}", f"{a(3)}U {d(6)} {d(1)}", f"{d(2)}/{d(2)}/20{d(2)} {d(2)}:{d(2)}:{d(2)}", a(r.integers(3, 10)),
        f"{a(1)}-{d(2)}", f"{d(2)}{a(2)}", f"{d(4)} KG", f"MAX {d(1)}.{d(1)}T", f"TEL {d(8)}", f"{a(4)} {a(6)}", d(r.integers(1, 5)), f"{a(1)}{d(3)}",
    ][r.integers(12)]


_VIETNAMESE = (
    "CÔNG TY TNHH VẬN TẢI HÀNG HÓA XE ĐÔNG LẠNH KHỐI LƯỢNG TOÀN BỘ CHUYÊN CHỞ HỢP TÁC XÃ ĐỊA CHỈ SỐ ĐIỆN THOẠI NÔNG SẢN BẢO QUẢN QUỐC TẾ KÉO THEO "
    "Xe tải Trọng lượng Số chỗ Giữ khoảng cách Phương tiện Kích thước Thùng hàng"
).split()
_HAN = "总质量核定载吨中国物流严禁超保持车距运输有限公司危险品冷藏货专用倒请注意安全绿色通道鲜活农产急刹长电话省市县大小号年月日客准驾人员自重"


def _written(r):
    """Words as on doors and walls of trucks, which are no plate's: Vietnamese with its marks, or Chinese."""
    if r.random() < 0.5:
        return " ".join(_VIETNAMESE[i] for i in r.integers(0, len(_VIETNAMESE), r.integers(1, 5)))
    text = "".join(_HAN[i] for i in r.integers(0, len(_HAN), r.integers(2, 9)))
    return text if r.random() < 0.7 else f"{text} {r.integers(1, 50)}{_HAN[r.integers(len(_HAN))]}"


_FONTS = [cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX]


#: So many signs are in the words of the two countries.
WRITTEN = 0.35


def sign(r, shapes, words=_words):
    """A sign: one to three rows of `words(r)`, or of words as trucks have them, on a ground. Returns float32 RGB and the mask of its strokes."""
    rows = []
    font = shapes.sets[shapes.latin[r.integers(len(shapes.latin))]]
    written = r.random() < WRITTEN
    for _ in range(r.choice([1, 2, 3], p=[0.6, 0.28, 0.12])):
        if written:
            rows.append(shapes.written(r, _written(r), 40))
            continue
        cells = []
        for c in words(r):
            m = font.get(c)
            if m is None:
                cells.append(np.zeros((40, 12), np.uint8))
                if c in ".:/-":
                    cells[-1][18 if c == "-" else 34 : 22 if c == "-" else 40, 3:9] = 255
                continue
            cells.append(np.pad(cv2.resize(m, (max(4, int(40 * m.shape[1] / m.shape[0])), 40), interpolation=cv2.INTER_AREA), ((0, 0), (2, 4))))
        rows.append(np.concatenate(cells, axis=1))
    wide = max(x.shape[1] for x in rows)
    ink = np.concatenate([np.pad(x, ((8, 8), (10, 10 + wide - x.shape[1]))) for x in rows])
    if r.random() < 0.2:
        ink = np.ascontiguousarray(ink.T) if r.random() < 0.3 else ink
    ground = r.uniform(0, 255, 3) if r.random() < 0.7 else np.float32([235, 235, 235])
    shade = np.float32([245, 245, 245]) if ground.mean() < 128 else r.uniform(0, 80, 3)
    a = ink.astype(np.float32)[..., None] / 255
    picture = np.float32(ground) * (1 - a) + np.float32(shade) * a
    return picture.astype(np.float32), ink


def _sign(r, shapes, im, taken):
    """Text that is no plate, on a ground of its own, or straight on what is there."""
    picture, ink = sign(r, shapes)
    h, w = ink.shape
    width = float(np.exp(r.uniform(np.log(25), np.log(300))))
    quad = tilted(r, width, width * h / w, 0.6)
    quad = quad - quad.min(0) + np.float32([r.uniform(-10, im.shape[1] - 20), r.uniform(-5, im.shape[0] - 10)])
    if overlaps(quad, taken, 2):
        return
    k = width / w
    if k < 0.8:
        picture, ink = cv2.GaussianBlur(picture, (0, 0), 0.42 / k), cv2.GaussianBlur(ink, (0, 0), 0.42 / k)
    # A bare sign with a ground of the size of a plate would be one: only text straight on the body, or large or many-lined grounds.
    if r.random() < (0.85 if h < 60 else 0.5):
        lo = np.maximum(np.floor(quad.min(0)).astype(int), 0)
        hi = np.minimum(np.ceil(quad.max(0)).astype(int), [im.shape[1], im.shape[0]])
        if (hi - lo < 2).any():
            return
        m = cv2.getPerspectiveTransform(corners_of(w, h), np.float32(quad - lo))
        a = cv2.warpPerspective(ink, m, tuple(int(v) for v in hi - lo)).astype(np.float32)[..., None] / 255 * r.uniform(0.4, 1)
        part = im[lo[1] : hi[1], lo[0] : hi[0]]
        colour = np.float32([[245, 245, 245], [20, 20, 20], [220, 40, 30], [240, 220, 40], [30, 60, 160]][r.integers(5)])
        part[:] = (part * (1 - a) + colour * a).astype(np.uint8)
    else:
        _set_in(im, np.clip(picture, 0, 255), corners_of(w, h), quad)


def stamp(r, im, taken):
    """A watermark or a time stamp at the upper or lower edge."""
    h, w = im.shape[:2]
    where = (int(r.uniform(0, w * 0.6)), int(r.choice([14, h - 6])))
    colour = [(250, 250, 250), (230, 30, 30), (250, 240, 40)][r.integers(3)]
    if not overlaps(np.float32([[where[0], where[1] - 12], [where[0] + 180, where[1] + 2]]), taken):
        cv2.putText(im, _words(r), where, _FONTS[r.integers(4)], r.uniform(0.3, 0.6), colour, 1, cv2.LINE_AA)


def _sticker(r, im, taken):
    """A round or square label with a border and a few digits: speed, inspection, the firm's number."""
    size = int(np.exp(r.uniform(np.log(8), np.log(60))))
    x, y = int(r.uniform(0, WIDTH - size)), int(r.uniform(0, HEIGHT - size))
    if overlaps(np.float32([[x, y], [x + size, y + size]]), taken, 2):
        return
    ground, border = (tuple(int(v) for v in r.integers(0, 256, 3)) for _ in range(2))
    centre = (x + size // 2, y + size // 2)
    if r.random() < 0.5:
        cv2.circle(im, centre, size // 2, ground, -1, cv2.LINE_AA)
        cv2.circle(im, centre, size // 2, border, max(1, size // 10), cv2.LINE_AA)
    else:
        cv2.rectangle(im, (x, y), (x + size, y + int(size * r.uniform(0.5, 1))), ground, -1)
    cv2.putText(im, str(r.integers(1, 2030)), (x + size // 8, centre[1] + size // 8), _FONTS[r.integers(4)], size / 90, border, 1, cv2.LINE_AA)


_NOISE = np.random.default_rng(5).standard_normal((HEIGHT + 64, WIDTH + 64, 3), np.float32)


def _weathered(r, im, quads, night):
    """Headlamps beside the plates of a night, and rain. uint8 in and out."""
    lamps, wet = night and quads and r.random() < 0.6, r.random() < 0.06
    if not lamps and not wet:
        return im
    scene = im.astype(np.float32)
    if lamps:
        headlamps(r, scene, quads[r.integers(len(quads))])
    if wet:
        rain(r, scene, r.uniform(12, 40))
    return cv2.convertScaleAbs(cv2.max(scene, 0))


def _photographed(r, im, quads):
    """Light, weather, blur, noise and JPEG of a whole scene, mostly by tables and on bytes: scenes are large."""
    night = r.random() < 0.1
    ramp = np.arange(256) / 255
    lo, hi = (r.uniform(0, 20), r.uniform(60, 140)) if night else (r.uniform(-15, 45), r.uniform(160, 290))
    gamma = np.exp(r.normal(0, 0.25))
    tables = np.stack([np.clip((lo + (hi - lo) * ramp**gamma) * np.exp(r.normal(0, 0.06)), 0, 255) for _ in range(3)], -1)
    if r.random() < 0.12:
        im = cv2.cvtColor(cv2.cvtColor(im, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    im = _weathered(r, cv2.LUT(im, tables.astype(np.uint8)[None]), quads, night)
    if r.random() < 0.35:
        im = cv2.GaussianBlur(im, (0, 0), r.uniform(0.4, 1.6))
    if r.random() < 0.25:
        im = cv2.addWeighted(im, a := r.uniform(1.3, 2.5), cv2.GaussianBlur(im, (0, 0), 1.0), 1 - a, 0)
    if r.random() < 0.35:
        y, x = r.integers(0, 64, 2)
        noise = _NOISE[y : y + HEIGHT, x : x + WIDTH]
        im = cv2.add(im, noise * np.float32(r.uniform(1, 12)), dtype=cv2.CV_8U)
    if r.random() < 0.8:
        im = cv2.imdecode(cv2.imencode(".jpg", im, [cv2.IMWRITE_JPEG_QUALITY, int(np.clip(r.normal(75, 17), 25, 96))])[1], cv2.IMREAD_COLOR)
    return im


def scene(r, shapes, scenes):
    """Picture (HEIGHT, WIDTH, 3) uint8 and quads (MOST, 4, 2) float32 in pixels, NaN where there is none."""
    base, marked = scenes.items[r.integers(len(scenes.items))]
    base = base.copy()
    h, w = base.shape[:2]
    quads = []
    flip = r.random() < 0.5
    if flip:
        base = np.ascontiguousarray(base[:, ::-1])
    for quad in marked:
        if flip:
            quad = np.float32([w, 0] - quad * np.float32([1, -1]))[[1, 0, 3, 2]]
        new = _exchange(r, shapes, scenes.avoid, base, quad) if r.random() < 0.8 else None
        quads.append(quad if new is None else new)
    # The cut: a plate of this picture shall be 22…220 pixels wide, or any part of a picture without.
    k = r.uniform(0.75, 1.4) * max(WIDTH / w, HEIGHT / h)
    if quads and r.random() < 0.75:
        q = quads[r.integers(len(quads))]
        k = np.clip(np.exp(r.uniform(np.log(22), np.log(200))) / max(4.0, float(np.linalg.norm(q[1] - q[0]))), 0.25, 3.5)
        at = q.mean(0) * k - np.float32([r.uniform(0.1, 0.9) * WIDTH, r.uniform(0.15, 0.9) * HEIGHT])
    else:
        at = np.float32([r.uniform(-0.1, 1) * (w * k - WIDTH), r.uniform(-0.1, 1) * (h * k - HEIGHT)])
    if k < 0.8:
        base = cv2.GaussianBlur(base, (0, 0), 0.35 / k)
    m = np.float32([[k, 0, -at[0]], [0, k, -at[1]]])
    im = cv2.warpAffine(base, m, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(114, 114, 114))
    quads = [q * k - at for q in quads]
    for _ in range(r.integers(0, 5)):
        _sign(r, shapes, im, quads)
    for _ in range(r.integers(0, 3)):
        _sticker(r, im, quads)
    for _ in range(r.choice(3, p=[0.45, 0.4, 0.15])):
        q = (_second if quads and r.random() < SECOND else _add)(r, shapes, scenes.avoid, im, quads)
        if q is not None:
            quads.append(q)
    if r.random() < 0.3:
        stamp(r, im, quads)
    picture = _photographed(r, im, quads)
    out = np.full((MOST, 4, 2), np.nan, np.float32)
    n = 0
    for q in quads:
        inside = np.clip(q, 0, [WIDTH, HEIGHT])
        whole = abs(cv2.contourArea(np.float32(q)))
        if n < MOST and whole > 0 and abs(cv2.contourArea(inside.astype(np.float32))) / whole > 0.75 and np.linalg.norm(q[1] - q[0]) >= _LEAST:
            out[n] = q
            n += 1
    return picture, out
