"""Labels: the class numbers that go with images, in training and in generating.

An example of a class-conditional GAN is a list `[images, labels]`; of any other GAN it is `images` alone.
"""

import keras
import numpy as np
from keras import ops

from kgan import ramps
from kgan.backend import static_shape
from kgan.names import is_number


def parts(examples):
    """Images and labels of examples; labels are `None` where there are images alone."""
    return tuple(examples) if isinstance(examples, list | tuple) else (examples, None)


def joined(images, labels):
    """Examples of images and labels."""
    return images if labels is None else [images, labels]


def takes_labels(discriminator):
    """Whether a discriminator is called with `[images, labels]`: unless it is known to have a single input."""
    return len(getattr(discriminator, "inputs", None) or (None, None)) > 1


def prepare_labels(labels, num_classes):
    """The labels of a batch as an int32 tensor `(batch,)`.

    Args:
        labels: Tensor of whole numbers, `(batch,)` or `(batch, 1)`; or `None`, where there are none.
        num_classes: Integer.

    Raises:
        ValueError: if there are none, or they have another shape or type.
    """
    if labels is None:
        raise ValueError(
            f"A GAN with `num_classes={num_classes}` trains on pairs of images and labels. Received: images alone."
        )
    shape: tuple = static_shape(labels) or (None,)
    if len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
        raise ValueError(
            "Labels must be class numbers of shape (batch,), not one-hot vectors. "
            f"Received: shape ({', '.join(['batch', *map(str, shape[1:])])})"
        )
    dtype = keras.backend.standardize_dtype(labels.dtype)
    if "int" not in dtype:
        raise ValueError(f"Labels must be whole numbers. Received: {dtype}")
    return ops.cast(ops.reshape(labels, (-1,)), "int32")


def check_range(low, high, num_classes):
    """Raise ValueError if labels from `low` to `high` are not all in [0, num_classes)."""
    if low < 0 or high >= num_classes:
        raise ValueError(
            f"Labels must lie in [0, {num_classes - 1}], as `num_classes` is {num_classes}. "
            f"Received: labels from {low:g} to {high:g}"
        )


def to_generate(n, labels, num_classes, seeds):
    """The labels of `n` images that are to be generated.

    Args:
        n: Integer.
        labels: Integer, one class for all; integers `(n,)`; or `None`, which draws them uniformly.
        num_classes: Integer; `None` of a GAN that knows no classes.
        seeds: A `keras.random.SeedGenerator` to draw with; not used where there is nothing to draw.

    Returns:
        An int32 array `(n,)`, or `None` without classes.

    Raises:
        ValueError: if there are no classes, or these are no such labels.
    """
    if num_classes is None:
        if labels is not None:
            raise ValueError(f"`labels` are for a GAN that was made with `num_classes`. Received: labels={labels!r}")
        return None
    if labels is None:
        drawn = keras.random.randint((n,), 0, num_classes, dtype="int32", seed=seeds)
        return ops.convert_to_numpy(drawn)
    given = np.asarray(labels)
    if given.dtype.kind not in "iu" or given.shape not in ((), (n,)):
        raise ValueError(
            f"`labels` must be a class number, or an array of one for each of the {n} images. Received: {labels!r}"
        )
    if given.size:
        check_range(given.min(), given.max(), num_classes)
    return np.broadcast_to(given, (n,)).astype("int32")


def check_weight(weight, classifies):
    """Raise ValueError if `class_loss_weight` is none, or there is no class loss that it could weigh."""
    if not is_number(weight) or weight < 0:
        raise ValueError(f"`class_loss_weight` must be a number >= 0. Received: {ramps.shown(weight)}")
    if weight != 1.0 and not classifies:
        raise ValueError(
            "`class_loss_weight` is for a discriminator that puts out class logits beside its score. "
            f"Received: {weight!r}, and a discriminator that does not."
        )
