"""What years on a truck, weather and light do to a plate. All functions work in place on float32 RGB, 0…255."""
import cv2
import numpy as np


def smooth_noise(r, h, w, cells):
    """A soft random field, 0…1, with about `cells` bumps across."""
    n = max(2, int(cells))
    return cv2.resize(r.random((max(2, n * h // max(w, 1) + 1), n), np.float32), (w, h), interpolation=cv2.INTER_CUBIC).clip(0, 1)


def bolts(r, im):
    h, w = im.shape[:2]
    for _ in range(r.integers(1, 5)):
        x = w * (r.choice([0.12, 0.22, 0.25, 0.5, 0.75, 0.78, 0.88]) + r.normal(0, 0.03))
        y = h * (r.choice([0.1, 0.18, 0.26, 0.5, 0.9], p=[0.3, 0.2, 0.15, 0.1, 0.25]) + r.normal(0, 0.03))
        radius = max(1, int(h * r.uniform(0.02, 0.07)))
        shade = float(r.uniform(10, 120) if r.random() < 0.5 else r.uniform(60, 230))
        cv2.circle(im, (int(x), int(y)), radius, (shade, shade, shade), -1, cv2.LINE_AA)
        cv2.circle(im, (int(x - radius * 0.3), int(y - radius * 0.3)), max(1, radius // 2), (min(255.0, shade + 60),) * 3, -1, cv2.LINE_AA)


def dirt(r, im):
    h, w = im.shape[:2]
    field = smooth_noise(r, h, w, r.integers(3, 40))
    cover = np.clip((field - r.uniform(0.45, 0.8)) * r.uniform(1.5, 5), 0, r.uniform(0.25, 0.75))[..., None]
    if r.random() < 0.4:  # splashed from below
        cover *= np.linspace(0.1, 1, h, dtype=np.float32)[:, None, None]
    mud = np.float32([r.uniform(60, 150), r.uniform(50, 120), r.uniform(30, 90)])
    im += (mud - im) * cover


def scratches(r, im):
    h, w = im.shape[:2]
    for _ in range(r.integers(1, 6)):
        x, y = r.uniform(0, w), r.uniform(0, h)
        a, length = r.uniform(0, np.pi), r.uniform(4, w * 0.3)
        shade = float(r.uniform(60, 220))
        cv2.line(im, (int(x), int(y)), (int(x + np.cos(a) * length), int(y + np.sin(a) * length)), (shade,) * 3, 1, cv2.LINE_AA)


def worn_paint(r, im, ink, ground):
    """Paint off the strokes here and there."""
    field = smooth_noise(r, *ink.shape, r.integers(8, 50))
    off = np.clip((field - r.uniform(0.6, 0.85)) * 6, 0, 0.9) * (ink > 60)
    im += (ground - im) * off[..., None]


def bent(r, im, ink):
    """A plate bent or dented: both pictures are moved the same way."""
    h, w = im.shape[:2]
    x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    by = h * r.uniform(0.01, 0.06)
    if r.random() < 0.5:  # bowed around the bumper
        y = y + by * np.cos(np.pi * (x / w - 0.5)) * r.choice([-1, 1])
    else:
        y = y + (smooth_noise(r, h, w, 3) - 0.5) * 2 * by
        x = x + (smooth_noise(r, h, w, 3) - 0.5) * 2 * by
    return cv2.remap(im, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), ink


def shadow(r, im):
    h, w = im.shape[:2]
    mask = np.zeros((h, w), np.float32)
    if r.random() < 0.5:
        points = np.int32([[r.uniform(-0.2, 1.2) * w, -h], [r.uniform(-0.2, 1.2) * w, 2 * h], [2 * w, 2 * h], [2 * w, -h]])
    else:
        y = r.uniform(0.1, 0.8) * h
        points = np.int32([[-w, -h], [2 * w, -h], [2 * w, y + r.normal(0, 0.1) * h], [-w, y]])
    cv2.fillPoly(mask, [points], float(r.uniform(0.25, 0.7)))
    im *= 1 - cv2.GaussianBlur(mask, (0, 0), r.uniform(0.5, 5))[..., None]


def wet(r, im):
    """Drops and runs of water on the plate itself: bright above, dark below."""
    h, w = im.shape[:2]
    water = smooth_noise(r, h, w, r.integers(25, 70)) ** 2
    if r.random() < 0.5:
        water = cv2.blur(water, (1, max(1, int(h * r.uniform(0.03, 0.2)))))
    im += (cv2.Sobel(water, cv2.CV_32F, 0, 1) * r.uniform(15, 70))[..., None]


def glare(r, im):
    h, w = im.shape[:2]
    x, y = np.meshgrid(np.linspace(0, 1, w, dtype=np.float32), np.linspace(0, h / w, h, dtype=np.float32))
    d = ((x - r.uniform(0, 1)) / r.uniform(0.05, 0.4)) ** 2 + ((y - r.uniform(0, h / w)) / r.uniform(0.03, 0.3)) ** 2
    im += (255 - im * 0.5) * (np.exp(-d) * r.uniform(0.1, 0.75))[..., None]


def gradient(r, im):
    h, w = im.shape[:2]
    a, b, c, d = r.uniform(0.6, 1.25, 4)
    x, y = np.linspace(0, 1, w, dtype=np.float32), np.linspace(0, 1, h, dtype=np.float32)
    im *= ((1 - y)[:, None] * (a + (b - a) * x)[None] + y[:, None] * (c + (d - c) * x)[None])[..., None]


def wear(r, im, ink):
    """A random mixture. `im` float32 RGB, `ink` the mask of strokes. Returns the picture."""
    if r.random() < 0.55:
        bolts(r, im)
    if r.random() < 0.12:
        worn_paint(r, im, ink, np.median(im.reshape(-1, 3)[::17], axis=0))
    if r.random() < 0.4:
        dirt(r, im)
    if r.random() < 0.2:
        scratches(r, im)
    if r.random() < 0.35:
        im, ink = bent(r, im, ink)
    if r.random() < 0.25:
        shadow(r, im)
    if r.random() < 0.4:
        gradient(r, im)
    if r.random() < 0.12:
        glare(r, im)
    if r.random() < 0.05:
        wet(r, im)
    return im


def frame_strip(r, im):
    """Holders with a flag, a star or advertising beside or under the plate: grows the picture, returns it and the plate's offset (x, y)."""
    h, w = im.shape[:2]
    colour = np.float32(r.choice(np.float32([[200, 25, 25], [30, 30, 30], [230, 230, 230], [40, 60, 150]])))
    if r.random() < 0.6:
        side = int(h * r.uniform(0.2, 0.6))
        strip = np.empty((h, side, 3), np.float32)
        strip[:] = colour
        cv2.circle(strip, (side // 2, h // 2), max(2, side // 4), (240, 200, 40), -1, cv2.LINE_AA)
        if r.random() < 0.5:
            cv2.putText(strip, "VIE"[: r.integers(1, 4)], (1, int(h * 0.9)), cv2.FONT_HERSHEY_SIMPLEX, h / 240, (240, 240, 240), 1, cv2.LINE_AA)
        both = r.random() < 0.3
        return np.concatenate([strip, im, strip] if both else [strip, im], axis=1), (side, 0)
    n = max(2, int(h * r.uniform(0.05, 0.16)))
    out = np.empty((h + 2 * n, w + 2 * n, 3), np.float32)
    out[:] = colour
    out[n : n + h, n : n + w] = im
    cv2.putText(out, "AUTO SHOWROOM 0912 345"[: r.integers(5, 22)], (w // 4, h + 2 * n - 2), cv2.FONT_HERSHEY_SIMPLEX, n / 30, (230, 230, 230), 1, cv2.LINE_AA)
    return out, (n, n)
