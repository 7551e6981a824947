"""The last activation of a player, and the range of images that follows from its last layers."""

import math
from collections.abc import Callable

import keras
from keras import activations, layers, ops

from kgan.backend import operations_before

_UNIT, _BOTH = (0.0, 1.0), (-1.0, 1.0)
# the range of each activation: the functions that compute it, as an argument, an operation or a layer
_ACTIVATIONS = {
    "sigmoid": (_UNIT, (activations.sigmoid, ops.sigmoid)),
    "hard_sigmoid": (_UNIT, (activations.hard_sigmoid, ops.hard_sigmoid)),
    "softmax": (_UNIT, (activations.softmax, ops.softmax)),
    "tanh": (_BOTH, (activations.tanh, ops.tanh)),
    "hard_tanh": (_BOTH, (activations.hard_tanh, ops.hard_tanh)),
    "softsign": (_BOTH, (activations.softsign, ops.softsign)),
    "sin": (_BOTH, (ops.sin,)),
    "cos": (_BOTH, (ops.cos,)),
}
# layers whose output has the range of their input, in inference
_KEEPING = (
    layers.Flatten,
    layers.Reshape,
    layers.Permute,
    layers.Identity,
    layers.Dropout,
    layers.SpatialDropout2D,
    layers.GaussianNoise,
    layers.ActivityRegularization,
    layers.UpSampling2D,
    layers.Cropping2D,
    layers.AveragePooling2D,
    layers.MaxPooling2D,
)


def activation_of(operation):
    """The name of the activation of a layer or an operation, or `None`."""
    function = getattr(operation, "function" if isinstance(operation, layers.Lambda) else "activation", None)
    for name, (_, functions) in _ACTIVATIONS.items():
        if function in functions or type(operation).__name__ == name.title().replace("_", ""):
            return name
    return None


def bounds(model, output=0):
    """The smallest and the largest value of a model's output, by its position, as its last layers say: a pair, or `None` if
    it is not known, as of a model without a graph or one that ends in a convolution.
    """
    outputs = getattr(model, "outputs", None)
    if not outputs:
        return None
    after: list[Callable] = []  # from the output inwards: functions of both ends
    for operation, args in operations_before(outputs[output]):
        operation = operation.layer if isinstance(operation, layers.Wrapper) else operation
        name = activation_of(operation)
        found = bounds(operation) if isinstance(operation, keras.Model) else name and _ACTIVATIONS[name][0]
        if found is None:
            found = _bounded(operation)
        if found is not None:
            for function in reversed(after):
                found = tuple(sorted(map(function, found)))
            return found
        function = _changed(operation, args)
        if function is None:
            return None
        after.append(function)
    return None


def _bounded(operation):
    """The range of an operation that has one whatever its input is, or `None`."""
    kind = type(operation).__name__
    if kind == "Clip":
        low, high = (getattr(operation, name, None) for name in ("x_min", "x_max"))
        return (float(low), float(high)) if isinstance(low, int | float) and isinstance(high, int | float) else None
    if isinstance(operation, layers.ReLU) and operation.max_value is not None and not operation.negative_slope:
        return 0.0, float(operation.max_value)
    if getattr(operation, "activation", None) in (activations.relu6, ops.relu6) or kind == "Relu6":
        return 0.0, 6.0
    return None


def _changed(operation, args):
    """How an operation changes the ends of a range, a function, or `None` if that is not known."""
    if isinstance(operation, _KEEPING):
        return lambda end: end
    if isinstance(operation, layers.Rescaling):
        if isinstance(operation.scale, int | float) and isinstance(operation.offset, int | float):
            return lambda end: end * operation.scale + operation.offset
        return None
    if isinstance(operation, layers.Activation) and operation.activation is activations.linear:
        return lambda end: end
    numbers = [one for one in args if isinstance(one, int | float)]
    if len(args) != 2 or len(numbers) != 1:
        return None
    [number], first = numbers, isinstance(args[0], int | float)
    calculated = {
        "Add": lambda end: end + number,
        "Subtract": (lambda end: number - end) if first else (lambda end: end - number),
        "Multiply": lambda end: end * number,
        "TrueDivide": None if first or not number else (lambda end: end / number),
        "Divide": None if first or not number else (lambda end: end / number),
    }
    return calculated.get(type(operation).__name__)


def image_range(generator):
    """The range of a generator's images: (0, 1) if its last layers say so, such as a sigmoid, and (-1, 1) otherwise.

    Raises:
        ValueError: if they say another one, such as (0, 255), or its outputs differ.
    """
    count = max(1, len(getattr(generator, "outputs", None) or ()))
    found = {_range_of(generator, output) for output in range(count)}
    if len(found) > 1:
        raise ValueError(
            f"All images of the generator, model {generator.name!r}, must have one range. "
            f"Received: outputs in {' and in '.join(f'[{low:g}, {high:g}]' for low, high in sorted(found))}"
        )
    return found.pop()


def _range_of(generator, output):
    found = bounds(generator, output)
    if found is None or -1.001 <= found[0] < 0 and found[1] <= 1.001:
        return _BOTH
    low, high = found
    if low >= 0 and high <= 1.001:
        return _UNIT
    if len(generator.outputs[output].shape) != 4 or not math.isfinite(high):
        return _BOTH
    raise ValueError(
        f"The images of the generator, model {generator.name!r}, would lie in [{low:g}, {high:g}], as its last layers say. "
        "They must lie in [-1, 1], as after tanh, or in [0, 1], as after a sigmoid: leave out the layers that scale them."
    )
