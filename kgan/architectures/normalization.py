"""Initial weights and normalization of players that receive an image, as in the PyTorch code of Pix2Pix and CycleGAN.

Kernels start with N(0, 0.02^2), and scales of batch normalizations with N(1, 0.02^2). Batch normalization has PyTorch's
constants, which are not those of Keras. Instance normalization, each channel of each image by itself, has no scale and
no shift.
"""

from typing import Literal

from keras import layers
from keras.initializers import RandomNormal

Norm = Literal["batch", "instance"] | None


def check_norm(family, norm):
    """Raise ValueError if there is no such normalization."""
    if norm not in ("batch", "instance", None):
        raise ValueError(f"`norm` of {family} must be 'batch', 'instance' or None. Received: {norm!r}")


def has_bias(norm):
    """Whether the convolutions have a bias: not with batch normalization, which has its own."""
    return norm != "batch"


def normalized(norm, x):
    """Normalize features `(batch, height, width, channels)`."""
    if norm == "batch":
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=normal(mean=1.0))(x)
    if norm == "instance":
        return layers.GroupNormalization(groups=-1, epsilon=1e-5, center=False, scale=False)(x)
    return x


def normal(mean=0.0):
    """A new initializer N(mean, 0.02^2); each weight needs its own, since one makes the same values every time."""
    return RandomNormal(mean, stddev=0.02)
