"""Draws one clean plate, to scale (Vietnam: Circular 24/2023; China: GA 36-2018), as an RGB picture and nothing around it."""
import cv2
import numpy as np

GROUNDS = {
    "white": (236, 236, 232), "yellow": (244, 186, 22), "blue": (30, 66, 170), "green": (96, 196, 140), "red": (190, 30, 34), "black": (26, 26, 28),
}
RED = (190, 30, 30)
#: Characters on light and on dark grounds.
BLACK, WHITE = (20, 20, 24), (240, 240, 236)
#: Pixels a millimetre at which plates are drawn.
SCALE = 0.52


def _jitter(r, colour, by):
    return tuple(float(np.clip(c + r.normal(0, by), 0, 255)) for c in colour)


def _paste(ink, mask, x, y, w, h):
    """Puts the mask's ink into the box (pixels, floats)."""
    x0, y0, x1, y1 = int(round(x)), int(round(y)), int(round(x + w)), int(round(y + h))
    x0, y0, x1, y1 = max(0, x0), max(0, y0), min(ink.shape[1], max(x1, x0 + 1)), min(ink.shape[0], max(y1, y0 + 1))
    if x1 <= x0 or y1 <= y0:
        return
    m = cv2.resize(mask, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    part = ink[y0:y1, x0:x1]
    np.maximum(part, m, out=part)


def _weight(r, mask, by):
    """Thicker or thinner strokes, as paints and presses differ. `by` in pixels of the mask."""
    n = int(round(by))
    if n == 0:
        return mask
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(n) + 1, 2 * abs(n) + 1))
    if n > 0:
        return cv2.dilate(cv2.copyMakeBorder(mask, n, n, n, n, cv2.BORDER_CONSTANT, value=0), kernel)
    return cv2.erode(mask, kernel)


#: Fonts after DIN 1451, as the presses of Vietnamese plates have it.
DIN = ("font:barlow-condensed", "font:barlow-semi", "font:sofia-sans-condensed")


class Pen:
    """How one plate's characters look: the set of shapes, stroke weight, size and slack."""

    def __init__(self, r, shapes, country):
        self.shapes = shapes
        plates = shapes.vn if country == "vn" else (["cn140"] if shapes.cn else [])
        x = r.random()
        self.true = bool(plates) and x < (0.35 if country == "vn" else 0.5)
        din = [s for s in shapes.latin if s.startswith(DIN)]
        if self.true:
            # The slanted versions of the Vietnamese glyphs come from photos seen askew: the upright one is the commonest.
            self.set = plates[0] if r.random() < 0.55 else plates[r.integers(len(plates))]
        elif country == "vn" and din and x < 0.72:
            self.set = din[r.integers(len(din))]
        elif country == "vn" and shapes.cn and x < 0.82:
            self.set = "cn140"  # near the shapes of the plates before 2010
        else:
            self.set = shapes.latin[r.integers(len(shapes.latin))]
        self.fallback = shapes.latin[r.integers(len(shapes.latin))]
        self.han = shapes.han[r.integers(len(shapes.han))]
        self.weight = r.normal(0, 2.2)
        self.width = r.normal(1, 0.05)
        self.height = r.normal(1, 0.025)
        #: Centres of the characters in pixels of the drawn plate, in reading order: where the reader's attention belongs.
        self.centres = []

    def mask(self, r, char, role=None):
        name = role if role and self.true else self.set
        m = self.shapes.get(name, char, self.fallback)
        if m is None:
            m = self.shapes.sets[self.han][char]
        return _weight(r, m, self.weight)


def _char(r, pen, ink, char, x, y, w, h, role=None):
    """One character in its cell (mm). Narrow ones keep their shape, centred."""
    m = pen.mask(r, char, role)
    aspect = m.shape[1] / m.shape[0]
    cw = w * pen.width
    ch = h * pen.height
    pen.centres.append(((x + w / 2) * SCALE, (y + h / 2) * SCALE))
    if char in "1IJ" or aspect < 0.3:
        cw = min(cw, max(ch * aspect * 1.05, ch * 0.12))
    _paste(ink, m, (x + (w - cw) / 2) * SCALE, (y + (h - ch) / 2) * SCALE, cw * SCALE, ch * SCALE)


def _row(r, pen, ink, text, cx, y, w, h, gap):
    """Characters with dots and dashes around `cx` (mm)."""
    widths = [h * 0.14 if c == "." else h * r.uniform(0.18, 0.28) if c == "-" else (w * 0.75 if c == "1" and r.random() < 0.35 else w) for c in text]
    x = cx - (sum(widths) + gap * (len(text) - 1)) / 2
    round_dash = r.random() < 0.35
    low = r.random() < 0.65  # the dot stands on the line on most plates, half way up on others
    for c, cw in zip(text, widths):
        if c == ".":
            cv2.circle(ink, (int((x + cw / 2) * SCALE), int((y + h * (r.uniform(0.82, 0.95) if low else r.uniform(0.5, 0.7))) * SCALE)), max(1, int(round(h * r.uniform(0.055, 0.085) * SCALE))), 255, -1, cv2.LINE_AA)
        elif c == "-" and round_dash:
            cv2.circle(ink, (int((x + cw / 2) * SCALE), int((y + h * 0.5) * SCALE)), max(1, int(round(h * r.uniform(0.055, 0.09) * SCALE))), 255, -1, cv2.LINE_AA)
        elif c == "-":
            top = y + h * 0.46
            cv2.rectangle(ink, (int(x * SCALE), int(top * SCALE)), (int((x + cw) * SCALE), int((top + h * r.uniform(0.09, 0.13)) * SCALE)), 255, -1)
        else:
            _char(r, pen, ink, c, x, y, cw, h)
        x += cw + gap


def _split_vn(text):
    """Series and number: what stands on the upper and on the lower line of two."""
    if not text[0].isdigit():  # the army's two letters; T and the locality on a temporary plate
        n = 2 if text[1].isalpha() else 3
    elif text[2].isdigit():  # an embassy's country before the series: 80-011-NG-01
        n = 5
    else:
        n = 2 + sum(c.isalpha() for c in text)
    return text[:n], text[n:]


def _dotted(r, look, digits):
    if look.kind == "army":
        return f"{digits[:2]}-{digits[2:]}" if r.random() < 0.8 else digits
    if digits[0].isalpha():
        return f"{digits[:2]}-{digits[2:]}"
    if look.kind == "diplomatic":
        return f"{digits[:3]}-{digits[3:]}" if r.random() < 0.5 else f"{digits[:3]}.{digits[3:]}"
    return f"{digits[:3]}.{digits[3:]}" if len(digits) == 5 and r.random() < 0.93 else digits


def _draw_vn(r, pen, look):
    series, digits = _split_vn(look.text)
    number = _dotted(r, look, digits)
    if look.lines == 1:
        w, h = (520, 110) if r.random() < 0.6 else (470, 110)
        ink = np.zeros((int(h * SCALE), int(w * SCALE)), np.uint8)
        text = f"{series}-{number}" if r.random() < 0.95 else f"{series}{number}"
        n = sum(c not in ".-" for c in text)
        ch = r.uniform(68, 84)
        gap = r.uniform(5, 11)
        room = w - r.uniform(20, 60) - gap * (len(text) - 1) - h * 0.36
        cw = min(r.uniform(38, 50), room / n)
        _row(r, pen, ink, text, w / 2 + r.normal(0, 3), (h - ch) / 2 + r.normal(0, 2), cw, ch, gap)
        return ink
    w, h = ((330, 165), (280, 200), (300, 180))[r.choice(3, p=[0.55, 0.35, 0.1])]
    ink = np.zeros((int(h * SCALE), int(w * SCALE)), np.uint8)
    ch = h * r.uniform(0.345, 0.41)
    gap = r.uniform(5, 12)
    top = h * r.uniform(0.06, 0.1)
    low = h - ch - h * r.uniform(0.06, 0.1)
    upper = series if r.random() < 0.8 or len(series) < 3 or not series[0].isdigit() else f"{series[:2]}-{series[2:]}"
    _row(r, pen, ink, upper, w / 2 + r.normal(0, 3), top, min(r.uniform(0.5, 0.66) * ch, (w * 0.8) / len(upper)), ch, gap * r.uniform(0.8, 1.4))
    n = len(digits)
    if n == 4 and r.random() < 0.6:  # the older plates space them out
        gap = r.uniform(16, 34)
    room = w - r.uniform(14, 34) - gap * (len(number) - 1) - ch * 0.14
    _row(r, pen, ink, number, w / 2 + r.normal(0, 3), low, min(r.uniform(0.55, 0.68) * ch, room / n), ch, gap)
    return ink


def _draw_cn(r, pen, look):
    text = look.text
    if look.lines == 2:
        ink = np.zeros((int(220 * SCALE), int(440 * SCALE)), np.uint8)
        _char(r, pen, ink, text[0], 110, 15, 80, 60, "up220")
        _char(r, pen, ink, text[1], 250, 15, 80, 60, "up220")
        if r.random() < 0.7:
            cv2.circle(ink, (int(220 * SCALE), int(45 * SCALE)), int(6 * SCALE) + 1, 255, -1, cv2.LINE_AA)
        for i, c in enumerate(text[2:]):
            _char(r, pen, ink, c, 27.5 + 80 * i, 90, 65, 110, "down220")
        return ink
    if len(text) == 8:
        ink = np.zeros((int(140 * SCALE), int(480 * SCALE)), np.uint8)
        for i, c in enumerate(text):
            _char(r, pen, ink, c, 15.5 + 54 * i if i < 2 else 146 + 53 * (i - 2), 25, 45 if i < 2 else 43, 90, "green")
        return ink
    ink = np.zeros((int(140 * SCALE), int(440 * SCALE)), np.uint8)
    dot = 3 if text[0].isdigit() else 2
    for i, c in enumerate(text):
        _char(r, pen, ink, c, 15.5 + 57 * i if i < dot else 151.5 + 57 * (i - 2) if dot == 2 else 151.5 + 57 * (i - 3) + 35, 25, 45, 90, "cn140")
    if dot == 2:
        cv2.circle(ink, (int(134.5 * SCALE), int(70 * SCALE)), int(5 * SCALE) + 1, 255, -1, cv2.LINE_AA)
    return ink


def draw_panel(r, shapes, rows, ground, hazard=False):
    """A panel in the size and hand of a plate with other text: one or two `rows` of letters and digits, dots and dashes. `hazard`: with the
    border and the line between the rows that the orange plates of dangerous goods have (ADR 5.3.2). As draw_plate: picture, ink, centres."""
    pen = Pen(r, shapes, r.choice(["vn", "cn"]))
    w, h = (400, 300) if hazard else (520, 110) if len(rows) == 1 else ((330, 165), (280, 200), (440, 220))[r.integers(3)]
    ink = np.zeros((int(h * SCALE), int(w * SCALE)), np.uint8)
    ch = h * (r.uniform(0.62, 0.76) if len(rows) == 1 else r.uniform(0.34, 0.41))
    for i, row in enumerate(rows):
        y = (h - ch) / 2 if len(rows) == 1 else h * (0.5 * i + 0.25) - ch / 2
        gap = r.uniform(5, 12)
        _row(r, pen, ink, row, w / 2, y, min(r.uniform(0.5, 0.68) * ch, (w * 0.9 - gap * len(row)) / len(row)), ch, gap)
    if hazard:
        thick = max(2, int(15 * SCALE * r.uniform(0.6, 1.1)))
        cv2.rectangle(ink, (0, 0), (ink.shape[1] - 1, ink.shape[0] - 1), 255, thick)
        cv2.line(ink, (0, ink.shape[0] // 2), (ink.shape[1], ink.shape[0] // 2), 255, thick)
    a = ink.astype(np.float32)[..., None] / 255
    dark = np.mean(ground) > 110
    picture = np.float32(_jitter(r, ground, 14)) * (1 - a) + np.float32(_jitter(r, BLACK if dark else WHITE, 12)) * a
    return picture, ink, np.float32(pen.centres)


def _ground(r, look, h, w):
    """The plate's own colour; green plates fade, large ones are yellow under province and letter."""
    base = np.empty((h, w, 3), np.float32)
    base[:] = _jitter(r, GROUNDS[look.colour], 14)
    if look.colour == "green":
        fade = np.linspace(r.uniform(0.5, 1.0), 0, h, dtype=np.float32)[:, None, None]
        base = base * (1 - fade) + np.float32([238, 244, 238]) * fade if look.kind == "green" else base
        if look.kind == "green-large":
            base[:, : int(124 * SCALE)] = _jitter(r, GROUNDS["yellow"], 10)
    return base


def _ink_colour(r, look):
    if look.colour in ("white", "yellow", "green"):
        if look.kind == "zone":
            return _jitter(r, RED, 12)
        return _jitter(r, BLACK, 12)
    return _jitter(r, WHITE, 10)


def _red_letters(picture, ground, ink, look, centres):
    """Of embassies (NG) and of international organisations (QT) the letters are red, the digits black (Circular 24/2023)."""
    first = next(i for i, c in enumerate(look.text) if c.isalpha())
    (x0, y), (x1, _) = centres[first], centres[first + 1]
    across, down = (x1 - x0) / 2, picture.shape[0] * (0.42 if look.lines == 1 else 0.22)
    place = np.s_[max(0, int(y - down)) : int(y + down), max(0, int(x0 - across)) : int(x1 + across)]
    picture[place] = ground[place] * (1 - ink[place]) + np.float32(RED) * ink[place]


def draw_plate(r, shapes, look):
    """Draws `look` in a random hand. Returns float32 RGB (h, w, 3), 0…255, the ink's mask (h, w), 0…255, and the characters' centres (n, 2)."""
    pen = Pen(r, shapes, look.country)
    ink = _draw_vn(r, pen, look) if look.country == "vn" else _draw_cn(r, pen, look)
    h, w = ink.shape
    ground = _ground(r, look, h, w)
    colour = np.float32(_ink_colour(r, look))
    if look.kind == "painted":
        ground[:] = r.uniform(0, 255, 3)
        colour = np.float32([250, 250, 250]) if ground[0, 0].mean() < 140 else np.float32([20, 20, 20])
    elif r.random() < 0.9:
        inset = int(r.integers(1, 4))
        cv2.rectangle(ink, (inset, inset), (w - 1 - inset, h - 1 - inset), int(r.integers(120, 256)), 1 if r.random() < 0.6 else 2, cv2.LINE_AA)
    a = ink.astype(np.float32)[..., None] / 255
    picture = ground * (1 - a) + colour * a
    if look.kind in ("police", "hk") and look.colour == "white":
        last = slice(int(w * 0.86), w - 4)
        picture[:, last] = ground[:, last] * (1 - a[:, last]) + np.float32([200, 30, 30]) * a[:, last]
    if look.kind == "diplomatic" and any(s in look.text for s in ("NG", "QT")) and r.random() < 0.9:
        _red_letters(picture, ground, a, look, pen.centres)
    # Pressed characters: a light and a dark rim along the strokes.
    if r.random() < 0.5:
        relief = cv2.Sobel(cv2.GaussianBlur(ink, (0, 0), 1.2), cv2.CV_32F, r.integers(0, 2), 1, ksize=3) if r.random() < 0.5 else cv2.Sobel(ink, cv2.CV_32F, 1, 0, ksize=3)
        picture += (relief * r.uniform(-0.06, 0.06))[..., None]
    return picture, ink, np.float32(pen.centres)
