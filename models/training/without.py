"""Samples without one of the steps that make drawn plates look real: trained with them (choices.py --part dense), a reader shows what the step gives.
Held-apart sets drawn so (heldapart.py) show what the step takes."""
import cv2

import hard
import plates
from camera import corners_of

#: What is left without "fonts": one after DIN 1451, one other, one for the provinces.
FEW = ("font:barlow-condensed-500", "font:oswald-500", "han:NotoSansCJK-Bold")


def _few(shapes, _):
    shapes.latin = [s for s in shapes.latin if s in FEW]
    shapes.han = [s for s in shapes.han if s in FEW]


def _replaced(**by):
    """Other functions or constants under these names, wherever samples are made."""

    def change(_, modules):
        for module in modules:
            for name, new in by.items():
                if hasattr(module, name):
                    setattr(module, name, new)

    return change


STEPS = {
    #: bolts, dirt, scratches, dents, shadows, glare
    "wear": _replaced(wear=lambda r, im, ink: im),
    #: exposure, colour, night, infrared, headlamps, rain
    "light": _replaced(light=lambda r, im, night=None: im, weathered=lambda r, scene, *about: scene),
    #: blur, sharpening, noise, JPEG
    "camera": _replaced(seen=lambda r, im, *about: cv2.convertScaleAbs(cv2.max(im, 0))),
    #: views from the side
    "tilt": _replaced(tilted=lambda r, w, h, *about: corners_of(w, h) - corners_of(w, h).mean(0)),
    #: the errors of a detector's corners
    "corners": _replaced(found=lambda r, quad: quad),
    #: plates 22 to 70 pixels wide
    "small": _replaced(SMALL=0.0),
    #: many fonts
    "fonts": _few,
}


def leave_out(step, shapes, modules=(plates, hard)):
    """Changes this process: these modules draw without `step`, one of STEPS; `shapes` is changed by "fonts"."""
    STEPS[step](shapes, modules)
