"""A batch of data: its images, and what comes with them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
from keras import ops

from kgan.backend import static_shape


class Batch(NamedTuple):
    """The data of one training step.

    Attributes:
        given: What the players take besides latents and images, such as labels `(batch,)`; `None` without a condition.
        real: Real images `(batch, height, width, channels)`, floats in [-1, 1].
    """

    given: Any
    real: Any


def no_weights(received):
    """The error that says what to do instead of giving weights."""
    return ValueError(
        "A GAN takes no weights of real images, since generated images have none: instead of a weight, repeat an image in "
        f"the data or draw it more often. Received: {received}"
    )


def unpacked(data):
    """The images and the labels, or `None`, of a batch: images alone, a tuple or list with labels, or a mapping.

    In a mapping the images are the only entry with more than two axes, or else the only entry with two; the labels are the
    entry called `label`, `labels` or `y`, or else the only other one.

    Raises:
        ValueError: if a mapping does not say which entry holds the images, or there is a third part, which for Keras is
            `sample_weight`.
    """
    if isinstance(data, Mapping):
        axes = {key: len(getattr(value, "shape", None) or ()) for key, value in data.items()}
        images = [key for key in axes if axes[key] > 2] or [key for key in axes if axes[key] == 2]
        if len(images) != 1:
            raise ValueError(
                "A batch that is a mapping must have one entry of images. "
                f"Received: {len(images)} of them, and the keys {', '.join(map(repr, data))}"
            )
        others = [key for key in data if key not in images]
        labels = [key for key in others if str(key) in ("label", "labels", "y")] or others
        return data[images[0]], data[labels[0]] if len(labels) == 1 else None
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(tuple(data) if isinstance(data, list) else data)
    if weights is not None:
        raise no_weights(
            "a batch of three parts, the last of which would be `sample_weight` (a `condition` of your own can read it)"
        )
    return _only(images), _only(labels)


def _only(part):
    """The only entry of a mapping or a tuple, anything else as it is."""
    if isinstance(part, Mapping):
        part = tuple(part.values())
    return part[0] if isinstance(part, tuple | list) and len(part) == 1 else part


def scaled(images, image_range=(-1.0, 1.0)):
    """Images as floats: whole numbers in [0, 255] are scaled to the range, floats are not changed.

    Args:
        images: Tensor of any shape. Tables `(batch, numbers)` of whole numbers must be uint8.
        image_range: Pair, (-1, 1) or (0, 1).

    Raises:
        ValueError: if they are neither whole numbers nor floats.
    """
    dtype = keras.backend.standardize_dtype(images.dtype)
    if "float" in dtype:
        return ops.cast(images, keras.backend.floatx())
    if dtype == "bool":
        return ops.where(images, *map(float, reversed(image_range)))
    if "int" not in dtype:
        raise ValueError(f"Images must be whole numbers in [0, 255] or floats in [-1, 1]. Received: {dtype}")
    if dtype != "uint8" and len(static_shape(images) or ()) == 2:
        raise ValueError(
            f"A table of {dtype} may hold numbers, or the pixels of flattened images. "
            "Cast numbers to float32, pixels to uint8."
        )
    images = ops.cast(images, keras.backend.floatx())
    return images / 255.0 if image_range[0] == 0 else (images - 127.5) / 127.5
