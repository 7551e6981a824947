"""The Inception network of the FID, the KID and the Inception Score.

It is the Inception-v3 (Szegedy et al., arXiv:1512.00567) that the Inception Score (Salimans et al., arXiv:1606.03498) and
the FID (Heusel et al., arXiv:1706.08500) were defined with, TensorFlow's of 2015-12-05. It is not the one of
`keras.applications`: images are resized without half-pixel centres, average pools leave the padding out of the mean, the
last block has a max pool where the others have an average, and the classes are 1008.
"""

import keras
import numpy as np
from keras import layers, ops

from kgan.backend import pth

SIZE = 299
# independent of the user's policy and data format, so that scores can be compared
_TERMS = {"dtype": "float32", "data_format": "channels_last"}

# A block has parallel branches, each a chain of convolutions (filters, height, width); a dict splits the end of a branch.
# A block without `branch_pool` halves its images: the last convolution of each branch has strides of 2, and there is a
# parallel max pool.
_FORK = {"a": (384, 1, 3), "b": (384, 3, 1)}
_BLOCK_8 = {
    "branch1x1": [(320, 1, 1)],
    "branch3x3": [(384, 1, 1), _FORK],
    "branch3x3dbl": [(448, 1, 1), (384, 3, 3), _FORK],
    "branch_pool": [(192, 1, 1)],
}


def _block_17(filters):
    return {
        "branch1x1": [(192, 1, 1)],
        "branch7x7": [(filters, 1, 1), (filters, 1, 7), (192, 7, 1)],
        "branch7x7dbl": [(filters, 1, 1), (filters, 7, 1), (filters, 1, 7), (filters, 7, 1), (192, 1, 7)],
        "branch_pool": [(192, 1, 1)],
    }


def _block_35(pool_filters):
    return {
        "branch1x1": [(64, 1, 1)],
        "branch5x5": [(48, 1, 1), (64, 5, 5)],
        "branch3x3dbl": [(64, 1, 1), (96, 3, 3), (96, 3, 3)],
        "branch_pool": [(pool_filters, 1, 1)],
    }


_BLOCKS = {
    "Mixed_5b": _block_35(32),
    "Mixed_5c": _block_35(64),
    "Mixed_5d": _block_35(64),
    "Mixed_6a": {"branch3x3": [(384, 3, 3)], "branch3x3dbl": [(64, 1, 1), (96, 3, 3), (96, 3, 3)]},
    "Mixed_6b": _block_17(128),
    "Mixed_6c": _block_17(160),
    "Mixed_6d": _block_17(160),
    "Mixed_6e": _block_17(192),
    "Mixed_7a": {
        "branch3x3": [(192, 1, 1), (320, 3, 3)],
        "branch7x7x3": [(192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3)],
    },
    "Mixed_7b": _BLOCK_8,
    "Mixed_7c": _BLOCK_8,
}


def inception(path, logits=True):
    """The FID Inception, with weights from a file.

    Example:

    >>> # model = inception("pt_inception-2015-12-05-6726825d.pth")
    >>> # features = model.predict(images)["features"]

    Args:
        path: Path of the weights, `pt_inception-2015-12-05-6726825d.pth` of pytorch-fid, which is
            `weights-inception-2015-12-05-6726825d.pth` of torch-fidelity.
        logits: Whether the model also returns logits.

    Returns:
        A `keras.Model` for inference, in float32. For images `(batch, height, width, 3)` of any size, uint8 or floats in
        [0, 255], it returns a dict: `"features"`, `(batch, 2048)`, and `"logits"`, `(batch, 1008)`, without the bias, as in
        the Inception Score.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if PyTorch, which reads the file, is not installed.
        ValueError: if the file does not contain these weights.
    """
    weights = _Weights(path)
    # the classes first: torchvision's Inception has the same names, but 1000 classes
    classes = weights("fc.weight", 1008, 2048)
    images = keras.Input((None, None, 3), dtype="float32", name="images")
    x = _Resize(dtype="float32", name="resize")(images)  # (batch, 299, 299, 3)
    x = _conv(x, weights, "Conv2d_1a_3x3", 32, 3, 3, strides=2, padding="valid")
    x = _conv(x, weights, "Conv2d_2a_3x3", 32, 3, 3, padding="valid")
    x = _conv(x, weights, "Conv2d_2b_3x3", 64, 3, 3)
    x = layers.MaxPooling2D(3, 2, **_TERMS)(x)
    x = _conv(x, weights, "Conv2d_3b_1x1", 80, 1, 1)
    x = _conv(x, weights, "Conv2d_4a_3x3", 192, 3, 3, padding="valid")
    x = layers.MaxPooling2D(3, 2, **_TERMS)(x)  # (batch, 35, 35, 192)
    for name, branches in _BLOCKS.items():
        x = _block(x, weights, name, branches)
    features = layers.GlobalAveragePooling2D(**_TERMS, name="features")(x)
    outputs = {"features": features}
    if logits:
        dense = layers.Dense(1008, use_bias=False, kernel_initializer="zeros", dtype="float32", name="logits")
        outputs["logits"] = dense(features)
        dense.set_weights([classes.T])
    model = keras.Model(images, outputs, name="fid_inception")
    model.trainable = False
    return model


def resize(images):
    """Resize images bilinearly to 299 x 299 as TensorFlow 1 did: new pixel i lies at i * size / 299, without half pixels."""
    for axis in (2, 1):
        size = ops.shape(images)[axis]
        position = ops.arange(SIZE, dtype="float32") * ops.cast(size / SIZE, "float32")
        index = ops.cast(position, "int32")
        share = ops.reshape(position - ops.floor(position), [-1] + [1] * (3 - axis))
        pixel = ops.take(images, index, axis=axis)
        neighbour = ops.take(images, ops.minimum(index + 1, size - 1), axis=axis)
        images = pixel + (neighbour - pixel) * share
    return images


class _Resize(layers.Layer):
    """Resizes images and maps [0, 255] to [-1, 1)."""

    def call(self, images):
        return (resize(images) - 128) / 128

    def compute_output_shape(self, input_shape):
        return (input_shape[0], SIZE, SIZE, input_shape[3])


class _Weights:
    """The arrays of the file, each returned after a check of its shape."""

    def __init__(self, path):
        self.path = path
        self.arrays = pth.read(path)

    def __call__(self, name, *shape):
        found = self.arrays[name].shape if name in self.arrays else "none"
        if found != shape:
            raise ValueError(
                f"{self.path} must hold the weights of the FID Inception, with {name} of shape {shape}. Received: {found}"
            )
        return self.arrays[name]


def _conv(x, weights, name, filters, height, width, strides=1, padding="same"):
    """A convolution, its batch normalization folded into kernel and bias, and ReLU.

    gamma * (k * x - mean) / sqrt(var + 0.001) + beta = (s k) * x + (beta - s mean), s = gamma / sqrt(var + 0.001)
    """
    kernel = weights(f"{name}.conv.weight", filters, x.shape[-1], height, width)
    gamma, beta, mean, var = (
        weights(f"{name}.bn.{part}", filters).astype("float64")
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(var + 0.001)
    layer = layers.Conv2D(
        filters,
        (height, width),
        strides,
        padding,
        activation="relu",
        kernel_initializer="zeros",  # draws no random numbers
        name=name.replace(".", "_"),
        **_TERMS,
    )
    x = layer(x)
    layer.set_weights([kernel.transpose(2, 3, 1, 0) * scale, beta - scale * mean])
    return x


def _block(x, weights, name, branches):
    halves = "branch_pool" not in branches
    outputs = []
    for branch, chain in branches.items():
        y = x
        if branch == "branch_pool":
            pool = layers.MaxPooling2D if name == "Mixed_7c" else layers.AveragePooling2D
            y = pool(3, 1, padding="same", **_TERMS)(x)
        for index, step in enumerate(chain, 1):
            number = f"_{index}" if len(chain) > 1 else ""
            forks = step if isinstance(step, dict) else {"": step}
            last = {"strides": 2, "padding": "valid"} if halves and index == len(chain) else {}
            ends = [_conv(y, weights, f"{name}.{branch}{number}{fork}", *forks[fork], **last) for fork in forks]
            y = ends[0]
        outputs += ends
    if halves:
        outputs.append(layers.MaxPooling2D(3, 2, **_TERMS)(x))
    return layers.Concatenate(name=name, dtype="float32")(outputs)
