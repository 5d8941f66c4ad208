"""Checkpoints → ONNX files and the manifest beside them.

usage: export.py --reader FILE.pt --detector FILE.pt --out models/plates [--temperature T] [--reader-pool DIR] [--detector-pool DIR]

With a pool of samples the convolutions become 8-bit (quantise.py). Other weights are stored as 16-bit floats and widened when the model is loaded: half the size, no other arithmetic. The outputs are
probabilities; the reader's characters are sharpened (below 1) or softened by a temperature (Guo et al. 2017).
"""
import argparse
import hashlib
import json
import os
import re

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from detector import STRIDE, UNIT, Detector
from plates import HEIGHT, WIDTH
from pool import Pool
from quantise import quantised
from reader import Reader
from stem import with_bytes, without_steps
from texts import ALPHABET, COLOURS, COUNTRIES, SLOTS


#: Fitted on the calibration part of the photos; the accept rule's thresholds were set with it (docs/plates.md).
TEMPERATURE = 0.7

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def calibration(folder, n):
    """Pictures of the newest shard of a pool, or None without one."""
    if not folder:
        return None
    pool = Pool(folder)
    return np.ascontiguousarray(pool.load(pool.names()[-1])["x"][:n])


class ReaderOut(nn.Module):
    def __init__(self, model, temperature):
        super().__init__()
        self.model, self.temperature = model, temperature

    def forward(self, picture):
        chars, country, lines, colour = self.model(picture)
        return (chars / self.temperature).softmax(-1), country.softmax(-1), lines.softmax(-1), colour.softmax(-1)


class DetectorOut(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, picture):
        score, corners = self.model(picture)
        return torch.sigmoid(score), corners


def halved(model):
    """Large weights as float16 with a Cast behind each; constant folding at load makes float32 of them again."""
    casts = []
    for w in list(model.graph.initializer):
        a = numpy_helper.to_array(w)
        if a.dtype != np.float32 or a.size < 64:
            continue
        model.graph.initializer.remove(w)
        model.graph.initializer.append(numpy_helper.from_array(a.astype(np.float16), w.name + "_h"))
        casts.append(onnx.helper.make_node("Cast", [w.name + "_h"], [w.name], to=onnx.TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    onnx.checker.check_model(model)


def write(model, example, path, outputs, axes, pictures=None, leave=()):
    """`pictures` (n, h, w, 3) uint8: then the convolutions become 8-bit, by their ranges over these."""
    torch.onnx.export(model.eval(), example, path, input_names=["picture"], output_names=outputs, dynamic_axes=axes, opset_version=14)
    graph = onnx.load(path)
    if pictures is not None:
        known = with_bytes(graph)
        graph = quantised(graph, pictures, REPOSITORY, known, {w.name for w in graph.graph.initializer if any(part in w.name for part in leave)})
        without_steps(graph)
    halved(graph)
    onnx.save(graph, path)
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def signed(card, checksum):
    """Writes the model's checksum into its card, where there is one."""
    if os.path.exists(card):
        with open(card, encoding="utf-8") as f:
            text = re.sub(r"(?m)^- SHA-256: `.*`$", f"- SHA-256: `{checksum}`", f.read())
        with open(card, "w", encoding="utf-8") as f:
            f.write(text)


def main():
    a = argparse.ArgumentParser()
    for name in ("reader", "detector", "out"):
        a.add_argument(f"--{name}", required=True)
    a.add_argument("--temperature", type=float, default=TEMPERATURE)
    for name in ("reader", "detector"):
        a.add_argument(f"--{name}-pool")
    a = a.parse_args()
    os.makedirs(a.out, exist_ok=True)
    reader, detector = Reader(), Detector()
    reader.load_state_dict(torch.load(a.reader, map_location="cpu")["model"])
    detector.load_state_dict(torch.load(a.detector, map_location="cpu")["model"])
    names = ["chars", "country", "lines", "colour"]
    pictures = torch.zeros(2, HEIGHT, WIDTH, 3, dtype=torch.uint8)
    read_sum = write(ReaderOut(reader, a.temperature), pictures, f"{a.out}/reader.onnx", names, {k: {0: "n"} for k in ["picture", *names]}, calibration(a.reader_pool, 256))
    scene = torch.zeros(1, 64, 96, 3, dtype=torch.uint8)
    map_axes = {"picture": {1: "h", 2: "w"}, "score": {2: "h8", 3: "w8"}, "corners": {2: "h8", 3: "w8"}}
    find_sum = write(DetectorOut(detector), scene, f"{a.out}/detector.onnx", ["score", "corners"], map_axes, calibration(a.detector_pool, 64))
    manifest = {
        "version": 2,
        "detector": {
            "name": "Luồng plate detector", "file": "detector.onnx", "sha256": find_sum, "licence": "Apache-2.0", "card": "detector.md",
            "stride": STRIDE, "unit": UNIT, "step": 32,
        },
        "reader": {
            "name": "Luồng plate reader", "file": "reader.onnx", "sha256": read_sum, "licence": "Apache-2.0", "card": "reader.md",
            "width": WIDTH, "height": HEIGHT, "slots": SLOTS, "alphabet": ALPHABET, "countries": COUNTRIES, "colours": COLOURS,
        },
    }
    with open(f"{a.out}/manifest.json", "w", encoding="utf-8") as f:
        text = json.dumps(manifest, ensure_ascii=False, indent=2)
        # Lists of words on one line, as the repository's formatter has them.
        f.write(re.sub(r'\[\s+("[^\]]*")\s+\]', lambda m: "[" + re.sub(r",\s+", ", ", m[1]) + "]", text) + "\n")
    for card, checksum in (("reader.md", read_sum), ("detector.md", find_sum)):
        signed(f"{a.out}/{card}", checksum)
    for name in ("reader.onnx", "detector.onnx"):
        print(name, os.path.getsize(f"{a.out}/{name}") // 1024, "KiB")


if __name__ == "__main__":
    main()
