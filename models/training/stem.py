"""The first convolution of an exported network, written so that it takes the picture's bytes as they lie in memory.

A 3×3 convolution of stride 2 over three colours is the slowest of all in 8 bits: nine bytes at a time are gathered for sixteen sums. The same
sums come from a picture in which `PIXELS` neighbours of a row are one pixel of 3 × PIXELS channels (a reshape: nothing moves), by a kernel two
such pixels wide, mostly zeros, that gives PIXELS / 2 neighbours of the result at once (a reshape again).
"""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

#: Neighbours taken as one; the picture's width must be a multiple of it.
PIXELS = 4


def folded(weight, pixels=PIXELS):
    """Weights (out, 3, 3, 3) of a convolution of stride 2, padding 1 → (pixels / 2 × out, pixels × 3, 3, 2) of stride (2, 1), padding 1 above and left."""
    out, colours = weight.shape[:2]
    w = np.zeros((pixels // 2, out, pixels, colours, 3, 2), weight.dtype)
    for j in range(pixels // 2):
        for kx in range(3):
            column = 2 * j + kx - 1  # -1: the last one of the pixel before
            w[j, :, column % pixels, :, :, int(column >= 0)] = weight[:, :, :, kx]
    return w.reshape(-1, pixels * colours, 3, 2)


def with_bytes(model):
    """Replaces what lies between the input `picture` (N, H, W, 3) and the first ReLU, in place: (bytes / 127.5 - 1) * weights becomes
    (bytes - 128) * weights / 127.5, what 128 is too much going into the bias. Only the padding is half a level darker. Returns the range of the bytes for quantise.py."""
    graph = model.graph
    constants = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
    conv = next(n for n in graph.node if n.op_type == "Conv")
    relu = next(n for n in graph.node if conv.output[0] in n.input)
    weight, bias = constants[conv.input[1]], constants[conv.input[2]]
    rest = [n for n in graph.node if n is not relu and n is not conv and n not in _leading(graph, conv.input[0])]
    values = {
        "stem/weight": folded(weight) / np.float32(127.5),
        "stem/bias": np.tile(bias + weight.sum((1, 2, 3)) * np.float32(0.5 / 127.5), PIXELS // 2),
        "stem/128": np.float32(128),
        "stem/pixels": np.int64([0, 0, -1, 3 * PIXELS]),
        "stem/columns": np.int64([0, 0, -1, len(weight)]),
    }
    graph.initializer.extend(numpy_helper.from_array(v, k) for k, v in values.items())
    stem = [
        helper.make_node("Reshape", [graph.input[0].name, "stem/pixels"], ["stem/wide"]),
        helper.make_node("Transpose", ["stem/wide"], ["stem/planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["stem/planes"], ["stem/float"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["stem/float", "stem/128"], ["stem/centred"]),
        helper.make_node("Conv", ["stem/centred", "stem/weight", "stem/bias"], ["stem/sums"], kernel_shape=[3, 2], strides=[2, 1], pads=[1, 1, 0, 0]),
        helper.make_node("Relu", ["stem/sums"], ["stem/relu"]),
        helper.make_node("Transpose", ["stem/relu"], ["stem/rows"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["stem/rows", "stem/columns"], ["stem/split"]),
        helper.make_node("Transpose", ["stem/split"], [relu.output[0]], perm=[0, 3, 1, 2]),
    ]
    del graph.node[:]
    graph.node.extend(stem + rest)
    return {"stem/centred": {"min": -128.0, "max": 127.0}}


def _leading(graph, name):
    """The nodes that make `name` of the picture."""
    node = next((n for n in graph.node if name in n.output), None)
    return [] if node is None else [node, *(m for i in node.input for m in _leading(graph, i))]


def without_steps(model):
    """After quantising: bytes - 128 with scale 1 and zero 128 are the bytes themselves."""
    graph = model.graph
    step = next(n for n in graph.node if n.op_type == "QuantizeLinear" and n.input[0] == "stem/centred")
    constants = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
    scale, zero = (constants[i] for i in step.input[1:])
    if scale != 1 or zero != 128:
        raise ValueError(f"the picture is quantised with scale {scale}, zero {zero}")
    for node in graph.node:
        node.input[:] = ["stem/planes" if i == step.output[0] else i for i in node.input]
    gone = [n for n in graph.node if n is step or n.output[0] in ("stem/float", "stem/centred")]
    for node in gone:
        graph.node.remove(node)
    graph.initializer.remove(next(w for w in graph.initializer if w.name == "stem/128"))
