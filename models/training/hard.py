"""What the detector takes for a plate and is none: radiator grilles, lamps, badges, names on doors. The reader is the one who must say so."""
from types import SimpleNamespace

import numpy as np
import torch

from camera import light, seen
from detector import Detector, peaks
from draw import GROUNDS, draw_panel
from plates import MARGIN, NOTHING, found, photographed, rectified
from scenes import overlaps, scene, sign
from texts import LETTERS

#: Places this probable are kept: the runtime reads from 0.25 on, and the next detector errs elsewhere.
THRESHOLD = 0.12
#: Narrower ones may be plates: scenes do not tell where those under 14 pixels are.
LEAST = 18
#: Room kept around a place, as a share of its size, so that it can be cut out a little differently each time.
ROOM = 0.4


class Mistaken:
    """Places in drawn-over scenes (see scenes.py) that a trained detector finds and that overlap no plate, theirs or ours."""

    def __init__(self, detector, shapes, scenes, seed=1, most=1000):
        """detector: checkpoint as train_detector.py or start/ has it; most: places looked for, in at most twice as many scenes."""
        torch.set_num_threads(1)
        model = Detector().eval()
        model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in torch.load(detector, map_location="cpu")["model"].items()})
        r = np.random.default_rng([seed, 11])
        self.places = []
        for _ in range(2 * most):
            if len(self.places) >= most:
                break
            picture, quads = scene(r, shapes, scenes)
            plates = list(quads[~np.isnan(quads[:, 0, 0])])
            for quad, _ in peaks(model, torch.from_numpy(picture[None]), THRESHOLD, 4)[0]:
                if min(np.ptp(quad, axis=0)) >= 4 and np.ptp(quad[:, 0]) >= LEAST and _within(quad, picture) and not overlaps(quad, plates, 0):
                    self.places.append(_piece(picture, quad))

    def cut(self, r):
        """One of them (there must be some) as the reader is given it, seen a little differently each time, with labels."""
        picture, quad = self.places[r.integers(len(self.places))]
        picture = seen(r, light(r, picture.astype(np.float32)), float(np.ptp(quad[:, 1])), 0.3)
        return rectified(picture, found(r, quad), MARGIN), NOTHING


def _within(quad, picture):
    """Whether it keeps off the edge: scenes do not tell where plates are that the edge cuts off."""
    h, w = picture.shape[:2]
    return (quad.min(0) > 3).all() and (quad.max(0) < [w - 3, h - 3]).all()


def _letters(r, n):
    return "".join(LETTERS[i] for i in r.integers(0, 26, n))


def _name(r):
    """A word or two, or a telephone number: nothing that a part of a plate might say."""
    word = lambda: _letters(r, r.integers(3, 9))
    return f"0{r.integers(100, 1000)}.{r.integers(100, 1000)}.{r.integers(100, 1000)}" if r.random() < 0.2 else word() if r.random() < 0.6 else f"{word()} {word()}"


def lettering(r, shapes, around):
    """A firm's or a maker's name, on a sign or straight on the body, as the reader is given a plate; with labels."""
    picture, ink = sign(r, shapes, _name)
    look = SimpleNamespace(kind="painted" if r.random() < 0.4 else "sign", lines=1)
    photo, quad, _ = photographed(r, shapes, around, look, (picture, ink, np.float32([[0, 0]])))
    return rectified(photo, found(r, quad), MARGIN), NOTHING


ORANGE = (232, 115, 26)


def _like_a_plate(r):
    """Rows of a text that is of no syntax of the two countries, but near to one; and whether it is a hazard plate."""
    d = lambda n: "".join(str(v) for v in r.integers(0, 10, n))
    a = lambda n: _letters(r, n)
    x = r.random()
    if x < 0.35:
        return [d(r.choice([2, 3, 3])), d(4)], True
    if x < 0.65:  # a container's owner and number; the check digit is often on its own
        return [a(3) + "U", d(6 if r.random() < 0.6 else 7)], False
    rows = [[d(3), d(5)], [d(3), d(4)], [f"{d(3)}-{d(4)}"], [a(2), d(5)], [f"{a(2)}-{d(5)}"], [d(4), d(4)], [f"{a(3)}-{d(4)}"]]
    return rows[r.integers(len(rows))], False


def near_miss(r, shapes, around):
    """A panel like a plate with a text that is none, as the reader is given it; with labels: hazard plates, containers' numbers on two lines."""
    rows, hazard = _like_a_plate(r)
    ground = ORANGE if hazard else list(GROUNDS.values())[r.integers(len(GROUNDS))]
    look = SimpleNamespace(kind="painted" if not hazard and r.random() < 0.3 else "sign", lines=len(rows))
    photo, quad, _ = photographed(r, shapes, around, look, draw_panel(r, shapes, rows, ground, hazard))
    return rectified(photo, found(r, quad), MARGIN), NOTHING


def _piece(picture, quad):
    """A copy of the place with room around it, and where it lies in that."""
    h, w = picture.shape[:2]
    lo, hi = quad.min(0), quad.max(0)
    room = (hi - lo) * ROOM + 2
    x0, y0 = np.clip(np.floor(lo - room), 0, [w - 2, h - 2]).astype(int)
    x1, y1 = np.clip(np.ceil(hi + room), [x0 + 2, y0 + 2], [w, h]).astype(int)
    return picture[y0:y1, x0:x1].copy(), np.float32(quad) - np.float32([x0, y0])
