"""Rain, and what headlamps do at night. Float32 RGB, 0…255, changed in place but by lamplit; streaks, drops and lamps have sizes after the plate's."""
import cv2
import numpy as np

from camera import light

#: Drawn streaks are bounded: a downpour over a large picture would take longer than all else.
MOST_STREAKS = 500


def rain(r, im, side):
    """A grey veil, streaks that fall all one way, drops on the window before the camera. side: the plate's height in pixels."""
    h, w = im.shape[:2]
    im += (r.uniform(70, 200) - im) * np.float32(r.uniform(0, 0.35))
    streaks = np.zeros((h, w), np.uint8)
    slope, length = r.normal(0, 0.3), side * r.uniform(0.3, 1.8)
    thick = max(1, int(side * r.uniform(0.0, 0.05)))
    for _ in range(min(MOST_STREAKS, int(h * w / side**2 * r.uniform(0.5, 8)))):
        x, y, long = r.uniform(0, w), r.uniform(-length, h), length * r.uniform(0.4, 1.4)
        ends = np.int32(np.float32([[x, y], [x + slope * long, y + long]]) * 16)  # to the sixteenth of a pixel
        cv2.line(streaks, ends[0].tolist(), ends[1].tolist(), int(r.uniform(40, 255)), thick, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(streaks, (0, 0), r.uniform(0.3, 0.3 + 0.05 * side)).astype(np.float32)[..., None] / 255
    im += (r.uniform(170, 255) - im) * soft * np.float32(r.uniform(0.2, 0.8))
    for _ in range(r.choice(5, p=[0.4, 0.25, 0.15, 0.1, 0.1])):
        _drop(r, im, side * r.uniform(0.1, 0.3))


def _drop(r, im, radius):
    """A drop on the window: a small, soft, upside-down picture of what is around it, lighter below."""
    h, w = im.shape[:2]
    x, y = r.uniform(0, w), r.uniform(0, h)
    x0, y0, x1, y1 = (int(np.clip(v, 0, top)) for v, top in ((x - radius, w), (y - radius, h), (x + radius + 1, w), (y + radius + 1, h)))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    dx, dy = np.meshgrid(np.arange(x0, x1, dtype=np.float32) - np.float32(x), np.arange(y0, y1, dtype=np.float32) - np.float32(y))
    far = np.sqrt((dx * r.uniform(0.9, 1.3)) ** 2 + dy**2) / radius
    view = cv2.remap(im, np.float32(x) - dx * 2, np.float32(y) - dy * 2, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    view = cv2.GaussianBlur(view, (0, 0), 0.3 + 0.15 * radius) + (dy / radius * r.uniform(0, 60))[..., None]
    im[y0:y1, x0:x1] += (view - im[y0:y1, x0:x1]) * (np.clip((1 - far) * 3, 0, 1) * r.uniform(0.3, 0.9))[..., None]


def lamplit(r, im, quad, mask, side):
    """A night with lamps in it: those of the plate's own vehicle, or what others throw on the plate, or both. quad, mask and side: as
    headlamps and reflecting have them. Returns the picture."""
    thrown_back = r.random() < 0.5
    if thrown_back:
        reflecting(r, im, mask, side)
    im = light(r, im, not thrown_back)
    if not thrown_back or r.random() < 0.5:
        headlamps(r, im, quad)
    return im


def headlamps(r, im, quad):
    """A vehicle's own lamps beside its plate, shining into the camera: burnt out in the middle, halos, a veil over the plate.
    quad: the plate's corners, clockwise from top-left."""
    h, w = im.shape[:2]
    along, down = quad[1] - quad[0], quad[3] - quad[0]
    wide = max(4.0, float(np.linalg.norm(along)))
    x, y = np.arange(w, dtype=np.float32)[None], np.arange(h, dtype=np.float32)[:, None]
    infrared = np.ptp(im[::8, ::8], axis=2).max() < 3
    colour = np.float32([[1, 1, 1], [1, 0.95, 0.8], [0.9, 0.95, 1]][0 if infrared else r.integers(3)]) * 255
    where = r.uniform(0.65, 2.0), r.uniform(-2.5, 1.0)
    radius, bright, veil = wide * r.uniform(0.05, 0.22), r.uniform(1, 4), r.uniform(0, 0.35)
    for side in (-1, 1):
        if r.random() < 0.15:  # one is out, or behind something
            continue
        cx, cy = quad.mean(0) + along * side * where[0] + down * where[1]
        d2 = (x - cx) ** 2 + (y - cy) ** 2
        glow = bright / (1 + (d2 / radius**2) ** 1.3) + veil / (1 + d2 / wide**2)
        if r.random() < 0.3:  # a smear on the window draws the light out
            lean = r.normal(0, 0.4)
            glow += bright * r.uniform(0.1, 0.5) * np.exp(-np.abs(y - cy - lean * (x - cx)) / (0.15 * radius + 0.5)) / (1 + np.abs(x - cx) / radius)
        im += glow[..., None] * colour


def reflecting(r, im, mask, side):
    """Another's lamps, or the camera's, on a plate in the dark: it throws the light back, all around is black, and its ground
    outshines the strokes. mask: where the plate is, 0…1, (h, w, 1); side: its height in pixels."""
    im *= r.uniform(0.03, 0.4) + mask * r.uniform(0.6, 1.3)
    shine = cv2.GaussianBlur(cv2.max(im - r.uniform(120, 200), 0), (0, 0), 0.3 + side * r.uniform(0.02, 0.12))
    im += shine * np.float32(r.uniform(0.2, 1.2))
