"""What a camera does to a picture: perspective, size, light, blur, noise, sharpening, JPEG. Float32 or uint8 RGB in, as noted."""
import cv2
import numpy as np


def corners_of(w, h):
    return np.float32([[0, 0], [w, 0], [w, h], [0, h]])


def tilted(r, w, h, strength=1.0):
    """Where a camera sees the corners of a w×h rectangle that is turned by up to ±55° (yaw), ±32° (pitch), ±22° (roll). Centred on 0, size about w."""
    # Most cameras look straight on; every fifth picture is somebody's phone.
    strength *= 1.0 if r.random() < 0.8 else 1.9
    yaw, pitch, roll = r.normal(0, 17) * strength, r.normal(0, 9) * strength, r.normal(0, 4) * strength
    yaw, pitch, roll = np.deg2rad(np.clip(yaw, -55, 55)), np.deg2rad(np.clip(pitch, -32, 32)), np.deg2rad(np.clip(roll, -22, 22))
    p = corners_of(w, h) - np.float32([w / 2, h / 2])
    x, y, z = p[:, 0] * np.cos(yaw), p[:, 1], p[:, 0] * np.sin(yaw)
    y, z = y * np.cos(pitch) - z * np.sin(pitch), y * np.sin(pitch) + z * np.cos(pitch)
    far = w * r.uniform(3, 14)
    q = np.stack([x, y], 1) * (far / (far + z))[:, None]
    c, s = np.cos(roll), np.sin(roll)
    return np.float32(q @ np.float32([[c, s], [-s, c]]))


def light(r, im, night=None):
    """Exposure, gamma, white balance, saturation, and infrared. float32 in place; returns the picture."""
    if r.random() < 0.1:
        im[:] = im.mean(axis=2, keepdims=True)
    elif r.random() < 0.3:
        grey = im.mean(axis=2, keepdims=True)
        im[:] = grey + (im - grey) * r.uniform(0.3, 1.5)
    im *= np.float32(np.exp(r.normal(0, 0.09, 3)))
    lo, hi = r.uniform(-10, 80), r.uniform(130, 285)
    if night or (night is None and r.random() < 0.1):
        lo, hi = r.uniform(0, 25), r.uniform(60, 140)
    im *= (hi - lo) / 255
    im += lo
    if r.random() < 0.4:
        table = (255 * (np.arange(256) / 255) ** np.exp(r.normal(0, 0.35))).astype(np.float32)
        im[:] = table[cv2.convertScaleAbs(cv2.max(im, 0))]
    return im


def motion(r, im, size):
    """Blur along a line; `size` in pixels."""
    n = int(size) | 1
    if n < 3:
        return im
    k = np.zeros((n, n), np.float32)
    a = r.normal(0, 0.35) if r.random() < 0.7 else r.uniform(0, np.pi)
    dx, dy = np.cos(a) * n / 2, np.sin(a) * n / 2
    cv2.line(k, (int(round(n / 2 - dx)), int(round(n / 2 - dy))), (int(round(n / 2 + dx)), int(round(n / 2 + dy))), 1, 1, cv2.LINE_AA)
    return cv2.filter2D(im, -1, k / max(k.sum(), 1e-6))


def seen(r, im, h, hard=1.0):
    """Blur, sharpening, noise and JPEG of a picture in which the plate is `h` pixels high. float32 in, uint8 out."""
    if r.random() < 0.5:
        im = cv2.GaussianBlur(im, (0, 0), abs(r.normal(0.2, 0.018 * h * hard)) + 0.15)
    if r.random() < 0.18:
        im = motion(r, im, r.uniform(1, 1 + 0.1 * h * hard))
    if r.random() < 0.45:
        im = im + r.standard_normal(im.shape[:2] + ((1,) if r.random() < 0.5 else (3,)), np.float32) * (abs(r.normal(0, 6 * hard)) + 0.1)
    if r.random() < (0.6 if h < 28 else 0.35):  # cameras sharpen; so do web sites when they shrink photos
        im = im + (im - cv2.GaussianBlur(im, (0, 0), r.uniform(0.7, 1.6))) * r.uniform(0.3, 2.2)
    im = cv2.convertScaleAbs(cv2.max(im, 0))
    for _ in range(r.choice(3, p=[0.2, 0.6, 0.2])):
        quality = int(np.clip(r.normal(72, 20), 15, 97))
        im = cv2.imdecode(cv2.imencode(".jpg", im, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return im
