"""Convolutions in 8 bits: QDQ around each (ONNX QuantizeLinear), activations uint8 by measured ranges, weights signed by channel.

Weights use 7 of the 8 bits: on CPUs without VNNI the 16-bit sums of u8×s8 products would overflow else, and the same picture would
read differently on another box. Attention stays in float.
"""
import json
import os
import subprocess
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
LEVELS = 63


def _ranges(model, pictures, root):
    """Runs the model over uint8 pictures (n, h, w, 3) with all outputs of convolutions and what they take made visible."""
    wanted = {name for node in model.graph.node if node.op_type == "Conv" for name in (node.input[0], node.output[0])}
    wanted |= {node.output[0] for node in model.graph.node if node.op_type in ("Relu", "Add")}
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    known = {o.name for o in probe.graph.output}
    inner = {o for node in probe.graph.node for o in node.output}
    for name in sorted(wanted & inner - known):
        probe.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(probe, f"{folder}/probe.onnx")
        pictures.tofile(f"{folder}/pictures.bin")
        n, h, w = pictures.shape[:3]
        # Node finds the packages by where the script lies: inside the repository.
        subprocess.run(["node", f"{HERE}/ranges.mjs", f"{folder}/probe.onnx", f"{folder}/pictures.bin", f"{n},{h},{w}", f"{folder}/out.json"], check=True, cwd=root)
        with open(f"{folder}/out.json", encoding="utf-8") as f:
            return json.load(f)


def quantised(model, pictures, root, known, leave=()):
    """The model with its convolutions in 8 bits. `known`: ranges that need no measuring; `leave`: names of weights that stay in float."""
    ranges = {**_ranges(model, pictures, root), **known}
    for node in model.graph.node:
        if node.op_type == "Resize" and node.input[0] in ranges:  # nearest cells: the same values, and the same steps
            ranges[node.output[0]] = ranges[node.input[0]]
    weights = {w.name: w for w in model.graph.initializer}
    users = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    extra, done = [], {}

    def constant(name, array):
        model.graph.initializer.append(numpy_helper.from_array(array, name))
        return name

    def activation(name):
        """The tensor's quantised twin, made once."""
        if name in done:
            return done[name]
        lo, hi = min(0.0, ranges[name]["min"]), max(1e-6, ranges[name]["max"])
        scale = max((hi - lo) / 255, 1e-8)
        zero = int(np.clip(round(-lo / scale), 0, 255))
        s, z = constant(f"{name}/scale", np.float32(scale)), constant(f"{name}/zero", np.uint8(zero))
        extra.append(helper.make_node("QuantizeLinear", [name, s, z], [f"{name}/q"]))
        extra.append(helper.make_node("DequantizeLinear", [f"{name}/q", s, z], [f"{name}/dq"]))
        done[name] = f"{name}/dq"
        return done[name]

    for node in model.graph.node:
        if node.op_type != "Conv" or node.input[1] not in weights or node.input[1] in leave or node.input[0] not in ranges:
            continue
        w = numpy_helper.to_array(weights[node.input[1]]).astype(np.float32)
        scale = np.maximum(np.abs(w).reshape(len(w), -1).max(1), 1e-8) / LEVELS
        q = np.clip(np.round(w / scale[:, None, None, None]), -LEVELS, LEVELS).astype(np.int8)
        base = node.input[1]
        constant(f"{base}/q", q)
        constant(f"{base}/scale", scale.astype(np.float32))
        constant(f"{base}/zero", np.zeros(len(w), np.int8))
        extra.append(helper.make_node("DequantizeLinear", [f"{base}/q", f"{base}/scale", f"{base}/zero"], [f"{base}/dq"], axis=0))
        node.input[0] = activation(node.input[0])
        node.input[1] = f"{base}/dq"
    # What a convolution gives goes on in 8 bits too, behind its ReLU where it has one, so that the runtime can fuse all of it.
    for node in model.graph.node:
        if node.op_type not in ("Conv", "Add", "Relu", "Resize") or node.output[0] not in ranges or node.output[0] in done:
            continue
        after = users.get(node.output[0], [])
        if node.op_type == "Conv" and len(after) == 1 and after[0].op_type == "Relu":
            continue
        if any(u.op_type in ("Conv", "Add", "Resize", "Relu") for u in after):
            activation(node.output[0])
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            if name in done and node.op_type in ("Add", "Resize", "Relu") and name in ranges:
                node.input[i] = done[name]
    _sorted(model, extra)
    used = {i for n in model.graph.node for i in n.input}
    for w in list(model.graph.initializer):
        if w.name not in used:
            model.graph.initializer.remove(w)
    onnx.checker.check_model(model)
    return model


def _sorted(model, extra):
    """All nodes in an order in which each comes after what it takes."""
    nodes = list(model.graph.node) + extra
    ready = {i.name for i in model.graph.input} | {w.name for w in model.graph.initializer} | {""}
    out = []
    while nodes:
        rest = []
        for node in nodes:
            if all(i in ready for i in node.input):
                out.append(node)
                ready.update(node.output)
            else:
                rest.append(node)
        if len(rest) == len(nodes):
            raise ValueError(f"cannot order {rest[0].name}")
        nodes = rest
    del model.graph.node[:]
    model.graph.node.extend(out)
