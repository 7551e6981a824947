"""The last activation of a player, and the range of images that follows from it."""

import keras

from kgan.backend import last_operation

_ACTIVATIONS = {
    "sigmoid": (keras.activations.sigmoid, keras.ops.sigmoid),
    "hard_sigmoid": (keras.activations.hard_sigmoid, keras.ops.hard_sigmoid),
    "tanh": (keras.activations.tanh, keras.ops.tanh),
}


def last_activation(model):
    """The name of the activation that makes a model's output, or `None`: another one, or a model without a graph."""
    operation = last_operation(model)
    activation = getattr(operation, "activation", None)
    for name, functions in _ACTIVATIONS.items():
        if activation in functions or type(operation).__name__ == name.title().replace("_", ""):
            return name
    return None


def image_range(generator):
    """The range of a generator's images: (0, 1) if it ends in a sigmoid, (-1, 1) otherwise."""
    return (0.0, 1.0) if last_activation(generator) in ("sigmoid", "hard_sigmoid") else (-1.0, 1.0)
