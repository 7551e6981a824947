"""Players that receive an image, with weights and images that show every difference between two networks."""

import numpy as np
from keras import layers

from tests.helpers import values


def randomized(model):
    """The model with weights of every kind that are neither 0 nor 1, such that its features stay of the same size."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        for variable in layer.weights:
            shape = variable.shape
            if variable.name == "kernel":
                up = isinstance(layer, layers.Conv2DTranspose)
                fan_in = np.prod(shape[:2]) * shape[3 if up else 2] / (4 if up else 1)
                variable.assign(rng.normal(0.0, 1.2 / np.sqrt(fan_in), shape))
            elif variable.name in ("gamma", "moving_variance", "alpha"):
                variable.assign(rng.uniform(0.3, 1.5, shape))
            else:
                variable.assign(rng.normal(0.0, 0.3, shape))
    return model


def images(*shape):
    return np.random.default_rng(1).uniform(-1.0, 1.0, shape).astype("float32")


def applied(model, *inputs):
    """The outputs in inference mode, of one that has several a list."""
    made = model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
    return values(made) if isinstance(made, list) else values([made])[0]


def kinds(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]


def same(ours, x, network):
    """Within 1e-4 of what the PyTorch network makes of images, neither constant nor saturated."""
    import torch

    with torch.no_grad():
        theirs = network(torch.tensor(x.transpose(0, 3, 1, 2))).numpy().transpose(0, 2, 3, 1)
    assert theirs.size < 10 or theirs.std() > 0.03
    assert np.abs(theirs).max() > 1.0 or np.abs(theirs).mean() < 0.9
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-5)
