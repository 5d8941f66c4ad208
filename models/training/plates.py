"""One sample for the reader: a drawn, worn, photographed and rectified plate with its labels."""
import glob

import cv2
import numpy as np

from camera import corners_of, light, seen, tilted
from draw import draw_plate
from texts import ALPHABET, COLOURS, COUNTRIES, SLOTS, random_look
from wear import frame_strip, smooth_noise, wear
from weather import lamplit, rain

#: What the reader sees.
WIDTH, HEIGHT = 144, 64
#: Plates' widths in the photos, pixels: usual and small ones, by lines. Within a range narrow ones come most often.
WIDTHS = {1: ((46, 200), (32, 70)), 2: ((27, 130), (22, 62))}
#: So many are as small as trucks across a road in a photo from the web.
SMALL = 0.4


class Surroundings:
    """Patches of real backgrounds to set plates into; without photos, soft noise."""

    def __init__(self, folders, without=frozenset(), most=400, seed=0):
        """`without`: paths that are held apart."""
        files = [f for folder in folders for f in sorted(glob.glob(f"{folder}/**/*.jpg", recursive=True) + glob.glob(f"{folder}/**/*.png", recursive=True))]
        files = [f for f in files if f not in without]
        np.random.default_rng(seed).shuffle(files)
        self.pictures = []
        for f in files[:most]:
            im = cv2.imread(f)
            if im is not None:
                k = 480 / max(im.shape[:2])
                self.pictures.append(cv2.cvtColor(cv2.resize(im, None, fx=min(1, k), fy=min(1, k), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB))

    def patch(self, r, w, h):
        if not self.pictures or r.random() < 0.25:
            base = np.empty((h, w, 3), np.float32)
            base[:] = r.uniform(10, 230, 3) if r.random() < 0.5 else r.uniform(10, 230)
            return base + ((smooth_noise(r, h, w, r.integers(2, 12)) - 0.5) * r.uniform(0, 120))[..., None]
        im = self.pictures[r.integers(len(self.pictures))]
        ph, pw = im.shape[:2]
        k = r.uniform(0.15, 1.0)
        cw, ch = max(4, int(pw * k)), max(4, int(min(ph, pw * k * h / w)))
        x, y = r.integers(0, pw - cw + 1), r.integers(0, ph - ch + 1)
        return cv2.resize(im[y : y + ch, x : x + cw], (w, h), interpolation=cv2.INTER_AREA).astype(np.float32)


def labels(look):
    """Class indices of the nine slots; country; lines - 1; colour (unknown for painted: -1)."""
    slots = np.zeros(SLOTS, np.uint8)
    for i, c in enumerate(look.text):
        slots[i] = ALPHABET.index(c)
    return slots, COUNTRIES.index(look.country), look.lines - 1, COLOURS.index(look.colour) if look.kind != "painted" else 255


def where(centres):
    """Places of the nine characters as x, y bytes; 255 where there is none or it lies outside."""
    out = np.full((SLOTS, 2), 255, np.uint8)
    for i, (x, y) in enumerate(centres):
        if 0 <= x < WIDTH and 0 <= y < HEIGHT:
            out[i] = int(x), int(y)
    return out.reshape(-1)


#: Labels of what is no plate.
NOTHING = (np.zeros(SLOTS, np.uint8), COUNTRIES.index("none"), 255, 255, where([]))


def partly(look):
    """Labels of a plate that is not all to be seen: no text, but a plate of its country stands there."""
    _, *about = labels(look)
    return (np.zeros(SLOTS, np.uint8), *about, where([]))


#: So many photos are of a night with lamps in it, so many of a rainy day.
LAMPS, RAIN = 0.06, 0.06


def weathered(r, scene, quad, mask, side):
    """Light, and at times headlamps or rain, on a scene with a plate (`mask`: where, 0…1, (h, w, 1)) of `side` pixels' height. Returns it."""
    x = r.random()
    if x < LAMPS:
        return lamplit(r, scene, quad, mask, side)
    scene = light(r, scene)
    if x > 1 - RAIN:
        rain(r, scene, side)
    return scene


def photographed(r, shapes, around, look, drawn=None):
    """A drawn plate as seen by a camera. Returns uint8 RGB, the plate's quad (4×2, clockwise from top-left) and its characters' centres."""
    plate, ink, centres = drawn or draw_plate(r, shapes, look)
    plate = wear(r, plate.copy(), ink)
    h, w = plate.shape[:2]
    at = (0, 0)
    if look.kind != "painted" and r.random() < 0.12:
        plate, at = frame_strip(r, plate)
    ph, pw = plate.shape[:2]
    least, most = WIDTHS[look.lines][r.random() < SMALL]
    width = float(np.exp(r.uniform(np.log(least), np.log(most))))
    k = width / w
    quad = tilted(r, w, h) * k
    span = quad.max(0) - quad.min(0)
    size = np.ceil(span * r.uniform(1.25, 1.7)).astype(int) + 6
    quad = quad - quad.min(0) + (size - span) / 2 * np.float32([r.uniform(0.6, 1.4), r.uniform(0.6, 1.4)])
    quad = quad.astype(np.float32)
    # Before it shrinks, the picture is blurred as a sensor's cells do.
    if k < 0.8:
        plate = cv2.GaussianBlur(plate, (0, 0), 0.42 / k)
    inner = corners_of(w, h) + np.float32(at)
    m = cv2.getPerspectiveTransform(inner, quad)
    scene = around.patch(r, int(size[0]), int(size[1]))
    moved = cv2.warpPerspective(plate, m, tuple(int(v) for v in size), flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.full((ph, pw), 255, np.uint8), m, tuple(int(v) for v in size), flags=cv2.INTER_LINEAR)
    a = (mask.astype(np.float32) / 255)[..., None]
    if look.kind == "painted" and r.random() < 0.7:  # painted on the body: the ground goes on
        scene[:] = plate[0, 0]
    scene = scene * (1 - a) + moved * a
    if at != (0, 0) and r.random() < 0.4:  # a detector may take the holder for a part of the plate
        quad = cv2.perspectiveTransform(corners_of(pw, ph)[None], m)[0]
    side = float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2
    return seen(r, weathered(r, scene, quad, a, side), side), quad, cv2.perspectiveTransform((centres + np.float32(at))[None], m)[0]


def rectified(picture, quad, margin=0.0, points=None):
    """What the reader is given: the quad, widened by `margin` of its size on each side, as WIDTH×HEIGHT; and where `points` go."""
    m = np.float32([margin * WIDTH, margin * HEIGHT])
    target = corners_of(WIDTH, HEIGHT) + np.float32([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * m
    map_ = cv2.getPerspectiveTransform(np.float32(quad), target)
    out = cv2.warpPerspective(picture, map_, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return out if points is None else (out, cv2.perspectiveTransform(points[None], map_)[0])


def found(r, quad):
    """The quad as a detector would give it: shifted, grown, each corner a little off."""
    w = float(np.linalg.norm(quad[1] - quad[0]))
    h = float(np.linalg.norm(quad[3] - quad[0]))
    off = np.float32([[r.normal(0, 0.018) * w, r.normal(0, 0.04) * h] for _ in range(4)])
    centre = quad.mean(0)
    grow = np.float32([1 + r.normal(0.0, 0.03), 1 + r.normal(0.02, 0.06)])
    shift = np.float32([r.normal(0, 0.012) * w, r.normal(0, 0.03) * h])
    # A corner of a small plate is half a pixel off, whatever the plate's size.
    off = off + r.normal(0, 0.4, (4, 2)).astype(np.float32)
    # Of plates seen from the side it finds the slope of the long edges, but often takes the short ones to stand upright on them, or the other way round.
    along, across = (quad[1] - quad[0]) / w, (quad[3] - quad[0]) / h
    if r.random() < 0.35:
        off = off + np.outer([-0.5, -0.5, 0.5, 0.5], along * r.normal(0, 0.2) * h).astype(np.float32)
    if r.random() < 0.25:
        off = off + np.outer([-0.5, 0.5, 0.5, -0.5], across * r.normal(0, 0.09) * h).astype(np.float32)
    return (quad - centre) * grow + centre + shift + off


def boxed(r, quad):
    """An upright box around the quad, as in crops made by other programs: tight, sometimes too tight."""
    lo, hi = quad.min(0), quad.max(0)
    span = hi - lo
    tight = 0.03 if r.random() < 0.5 else 0.0
    a, b = r.normal(0.01 - tight, 0.025, 2), r.normal(0.02 - 2 * tight, 0.05, 2)
    lo, hi = lo - span * np.float32([a[0], b[0]]), hi + span * np.float32([a[1], b[1]])
    return np.float32([[lo[0], lo[1]], [hi[0], lo[1]], [hi[0], hi[1]], [lo[0], hi[1]]])


def lettered(r, centres, lines, quad):
    """An upright box around the characters alone, as labellers draw it: the plate's edge is outside, outer characters may be cut by a third."""
    lo, hi = centres.min(0), centres.max(0)
    pitch = (hi[0] - lo[0]) / max(3.0, (len(centres) - 1 + 0.7) if lines == 1 else 4.4)
    high = float(np.linalg.norm(quad[3] - quad[0])) * (0.7 if lines == 1 else 0.42)
    left, right = pitch * r.normal(0.52, 0.12, 2)
    up, down = high * np.maximum(r.normal(0.57, 0.05, 2), 0.46)
    x1, y1, x2, y2 = lo[0] - left, lo[1] - up, hi[0] + right, hi[1] + down
    return np.float32([[x1, y1], [x2, y1], [x2, y2], [x1, y2]])


def _cut(r, picture, quad, centres, look):
    """The plate as the detector cuts it out, or as some crop shows it."""
    x = r.random()
    if x < 0.62:
        return rectified(picture, found(r, quad), MARGIN, centres)
    box = boxed(r, quad) if x < 0.76 else lettered(r, centres, look.lines, quad)
    return rectified(picture, box, 0, centres)


def cut_off(r, picture, quad, centres, lines):
    """The plate without a third of a character to two at one end, or without up to four, or None: a bad cut, the picture's edge, or
    something that stands before it. What is left may read like another plate: the reader must give no text (see partly)."""
    unit = cv2.getPerspectiveTransform(np.float32(quad), np.float32([[0, 0], [1, 0], [1, 1], [0, 1]]))
    us = cv2.perspectiveTransform(centres[None], unit)[0, :, 0]
    # On two lines the lower one reaches farther out on both sides.
    pitch = (us.max() - us.min()) / (len(us) - 1 if lines == 1 else 4.4)
    right = r.random() < 0.6
    # A half-hidden character is the worst: what is left of 8 may be 1.
    hidden = pitch * r.uniform(*HIDDEN[r.choice(3, p=[0.5, 0.25, 0.25])])
    at = us.max() - hidden if right else us.min() + hidden
    least, most = (0.2, 0.97) if right else (0.03, 0.8)
    if not least < at < most:
        return None
    quad = np.float32(quad)
    up, down = quad[0] + (quad[1] - quad[0]) * at, quad[3] + (quad[2] - quad[3]) * at
    rest = np.float32([quad[0], up, down, quad[3]]) if right else np.float32([up, quad[1], quad[2], down])
    if r.random() < 0.7:
        picture, x = picture.copy(), int(np.clip((up[0] + down[0]) / 2, 1, picture.shape[1] - 2))
        beyond = slice(x, None) if right else slice(None, x)
        # The runtime lets the picture's edge go on; a post or another truck has a colour of its own.
        picture[:, beyond] = picture[:, [x - 1 if right else x]] if r.random() < 0.45 else r.integers(0, 256, 3)
        if r.random() < 0.5:
            rest = quad
    return rectified(picture, found(r, rest), MARGIN)


#: Margin around the plate with which the runtime cuts plates out; the reader is trained with it.
MARGIN = 0.04
#: So many plates are seen without a part of a character to four of them at one end; of green ones, which then read like others, more.
CUT_OFF, GREEN_CUT_OFF = 0.16, 0.24
#: Pitches hidden from the end character's centre inwards.
HIDDEN = ((-0.15, 0.6), (0.6, 1.4), (1.4, 4.0))


def samples(r, shapes, around, avoid=frozenset(), views=3):
    """Pictures (HEIGHT, WIDTH, 3) uint8 with labels: `views` photos of one plate. Texts in `avoid` are never drawn."""
    look = random_look(r, avoid)
    drawn = draw_plate(r, shapes, look)
    often = GREEN_CUT_OFF if look.colour == "green" else CUT_OFF
    out = []
    for _ in range(views):
        picture, quad, centres = photographed(r, shapes, around, look, drawn)
        if r.random() < often and (cut := cut_off(r, picture, quad, centres, look.lines)) is not None:
            out.append((cut, partly(look)))
            continue
        cut, centres = _cut(r, picture, quad, centres, look)
        out.append((cut, (*labels(look), where(centres))))
    return out


def no_plate(r, around):
    """A piece of background with no plate of either country: all slots empty."""
    w, h = int(r.integers(60, 300)), int(r.integers(24, 160))
    im = seen(r, light(r, around.patch(r, w, h)), h)
    return cv2.resize(im, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), NOTHING
