"""An ONNX file as what `engine.js` computes: operators in order, and the bytes of all constants."""

import pathlib
import re

import numpy as np

ENGINE = pathlib.Path(__file__).with_name("engine.js")
FLOAT, INTEGER = "float", "integer"
FLAT = [[1], [1, 1]]
# what `engine.js` computes of an operator: for some of its attributes the only values that it knows
KNOWN: dict[str, dict[str, list]] = {
    "AveragePool": {"ceil_mode": [0], "dilations": FLAT},
    "MaxPool": {"ceil_mode": [0], "dilations": FLAT, "storage_order": [0]},
    "Pad": {"mode": ["constant", "edge", "reflect"]},
    "Resize": {
        "antialias": [0],
        "axes": [],
        "coordinate_transformation_mode": ["half_pixel", "asymmetric", "align_corners", "tf_half_pixel_for_nn"],
        "exclude_outside": [0],
        "keep_aspect_ratio_policy": ["stretch"],
        "mode": ["nearest", "linear"],
        "nearest_mode": ["floor", "ceil", "round_prefer_ceil", "round_prefer_floor"],
    },
}
TWO_AXES = ("AveragePool", "Conv", "ConvTranspose", "MaxPool")  # of images, not of series or volumes


def operators():
    """The names of the ONNX operators that `engine.js` has."""
    table = ENGINE.read_text("utf-8").partition("const OPERATORS = {")[2].partition("\n};")[0]
    return set(re.findall(r"(?:^|[,{] )\s*([A-Z]\w*):", table, re.MULTILINE))


def read(path):
    """Read an ONNX file whose sizes are all fixed.

    Args:
        path: Path of the file.

    Returns:
        A dict of `nodes`, `constants` by name, and the name of the `output`; and the bytes of the constants.

    Raises:
        ValueError: if it has an operator that `engine.js` lacks, or one with another attribute than it knows.
    """
    import onnx
    import onnxruntime

    # what depends on fixed sizes alone is computed once
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path.with_suffix(".folded.onnx"))
    onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    model = onnx.load(options.optimized_model_filepath).graph
    lacking = sorted({node.op_type for node in model.node} - operators())
    if lacking:
        raise ValueError(f"The page cannot compute {', '.join(lacking)}, of which this generator consists.")
    constants, parts, at = {}, [], 0
    for one in model.initializer:
        values = onnx.numpy_helper.to_array(one)
        kind = FLOAT if values.dtype.kind == "f" else INTEGER
        # the largest integers are what ONNX calls the end of an axis
        data = (values.astype("<f4") if kind == FLOAT else np.clip(values, -(2**31), 2**31 - 1).astype("<i4")).tobytes()
        constants[one.name] = {"shape": list(values.shape), "type": kind, "at": at}
        parts.append(data)
        at += len(data)
    nodes = [
        {
            "op": node.op_type,
            "inputs": list(node.input),
            "outputs": list(node.output),
            "attributes": {one.name: _plain(onnx.helper.get_attribute_value(one)) for one in node.attribute},
        }
        for node in model.node
    ]
    for node in nodes:
        _check(node)
    return {"nodes": nodes, "constants": constants, "output": model.output[0].name}, b"".join(parts)


def _check(node):
    """Raise ValueError if `engine.js` would compute something else than this operator says."""
    op, attributes = node["op"], node["attributes"]
    kernel = attributes.get("kernel_shape", [1, 1])
    for name, value in attributes.items():
        if value not in KNOWN.get(op, {}).get(name, [value]):
            raise ValueError(f"The page cannot compute {op} with {name}={value}, of which this generator consists.")
    if op in TWO_AXES and len(kernel) != 2:
        raise ValueError(f"The page cannot compute {op} over {len(kernel)} axes, of which this generator consists.")
    if op == "Pad" and len(node["inputs"]) > 3:
        raise ValueError("The page cannot compute Pad with axes, of which this generator consists.")


def _plain(value):
    if isinstance(value, bytes):
        return value.decode()
    return value if isinstance(value, int | float) else list(value)
