"""Real photos under clean licences: Chinese crops with text for the reader (use=train rows and the train folder)."""
import csv
import os

import cv2
import numpy as np

from plates import HEIGHT, WIDTH
from texts import ALPHABET, COUNTRIES, SLOTS


def labels_of(text, country, lines):
    slots = np.zeros(SLOTS, np.uint8)
    for i, c in enumerate(text):
        slots[i] = ALPHABET.index(c)
    return np.concatenate([slots, [COUNTRIES.index(country), int(lines or 1) - 1, 255], [255] * (2 * SLOTS)]).astype(np.uint8)


def held(file):
    """Every second of the shared crops is kept apart for validation."""
    return sum(os.path.basename(file).encode()) % 2 == 0


def trains(row):
    """Whether a row of the scoring sets trains the reader."""
    return row["use"] == "train" and row["kind"] == "crop" and row["country"] == "cn" and not held(row["file"])


def _rows(folder):
    with open(f"{folder}/labels.csv", encoding="utf-8") as f:
        yield from csv.DictReader(f)


def scored_texts(plates):
    """Texts of all rows that are scored: never drawn, never trained on. `plates`: folder with labels.csv."""
    return frozenset(row["text"] for row in _rows(plates) if not trains(row))


def chinese_crops(plates, train, avoid):
    """(picture RGB, labels) of every crop that may train and whose text is not in `avoid`."""
    out = []
    for root, keep in ((train, lambda r: r["kind"] == "crop" and r["country"] == "cn"), (plates, trains)):
        for row in _rows(root):
            if not keep(row) or row["text"] in avoid or any(c not in ALPHABET for c in row["text"]):
                continue
            im = cv2.imread(f"{root}/{row['file']}")
            if im is not None:
                out.append((cv2.cvtColor(im, cv2.COLOR_BGR2RGB), labels_of(row["text"], row["country"], row["lines"])))
    return out


def varied(r, im):
    """A real crop with its edges moved a little, other light and a little blur."""
    h, w = im.shape[:2]
    pad = cv2.copyMakeBorder(im, h // 6, h // 6, w // 12, w // 12, cv2.BORDER_REPLICATE)
    q = np.float32([[0, 0], [w, 0], [w, h], [0, h]]) + np.float32([w // 12, h // 6])
    q += np.stack([r.normal(0, 0.015 * w, 4), r.normal(0, 0.04 * h, 4)], 1).astype(np.float32) + np.float32([r.normal(0, 0.01 * w), r.normal(0, 0.03 * h)])
    target = np.float32([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]])
    out = cv2.warpPerspective(pad, cv2.getPerspectiveTransform(q, target), (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
    if r.random() < 0.3:
        out = cv2.GaussianBlur(out, (0, 0), r.uniform(0.3, 1.6))
    out = out.astype(np.float32) * np.float32(np.exp(r.normal(0, 0.06, 3))) * r.uniform(0.5, 1.2) + r.uniform(-5, 35)
    if r.random() < 0.4:
        out += r.standard_normal(out.shape, np.float32) * r.uniform(0, 9)
    return np.clip(out, 0, 255).astype(np.uint8)


def validation(plates):
    """Rows for looking at while training: crops as they are, scenes by their published box. Never trained on."""
    xs, ys, names = [], [], []
    for row in _rows(plates):
        if trains(row) or (row["use"] == "train" and row["kind"] == "scene" and not row["file"].startswith("cn/easypr")):
            continue
        if any(c not in ALPHABET for c in row["text"]) or len(row["text"]) > SLOTS or (row["kind"] == "scene" and not row["x1"]):
            continue
        im = cv2.imread(f"{plates}/{row['file']}")
        if row["kind"] == "scene":
            x1, y1, x2, y2 = (float(row[k]) for k in ("x1", "y1", "x2", "y2"))
            im = im[max(0, int(y1)) : int(y2) + 1, max(0, int(x1)) : int(x2) + 1]
        xs.append(cv2.cvtColor(cv2.resize(im, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA if im.shape[1] > WIDTH else cv2.INTER_LINEAR), cv2.COLOR_BGR2RGB))
        ys.append(labels_of(row["text"], row["country"], row["lines"]))
        names.append("/".join(row["file"].split("/")[:2]))
    return np.stack(xs), np.stack(ys), names
