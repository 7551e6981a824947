"""DiffAugment (Zhao et al., arXiv:2006.10738)."""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule
from keras.saving import register_keras_serializable

from kgan.augment.augmentation import Augmentation, check_policy, check_share
from kgan.augment.places import pick


def color(images, u, strength):
    """Brightness, then saturation, then contrast.

    Args:
        images: Tensor `(batch, height, width, channels)`.
        u: From U(0, 1), `(batch, 3)`.
        strength: Float.
    """
    u = u[:, :, None, None, None]
    images = images + strength * (u[:, 0] - 0.5)
    grey = ops.mean(images, axis=3, keepdims=True)
    images = grey + (1.0 + strength * (2.0 * u[:, 1] - 1.0)) * (images - grey)
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return mean + (1.0 + strength * (u[:, 2] - 0.5)) * (images - mean)


def translation(images, u, strength):
    """Translation by whole pixels, up to an eighth of the size, with zeros outside; `u` is `(batch, 2)`."""

    def places(size, u):
        limit = ops.floor(strength * size / 8.0 + 0.5)
        shift = _integer(u, 2.0 * limit + 1.0) - ops.cast(limit, "int32")
        return ops.clip(ops.arange(size, dtype="int32") + shift[:, None] + 1, 0, size + 1)  # (batch, size)

    _, height, width, _ = images.shape
    padded = ops.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return pick(padded, places(height, u[:, 0])[:, :, None], places(width, u[:, 1])[:, None, :])


def cutout(images, u, strength):
    """A rectangle of half the size, which may lie partly outside, becomes zero; `u` is `(batch, 2)`."""

    def inside(size, u):
        length = ops.cast(ops.floor(strength * size / 2.0 + 0.5), "int32")
        first = _integer(u, ops.cast(size + 1 - length % 2, u.dtype))[:, None] - length // 2
        place = ops.arange(size, dtype="int32")
        return ops.logical_and(place >= first, place < first + length)  # (batch, size)

    _, height, width, _ = images.shape
    hidden = ops.logical_and(inside(height, u[:, 0])[:, :, None], inside(width, u[:, 1])[:, None, :])
    return ops.where(hidden[..., None], ops.zeros_like(images), images)


OPERATIONS = {"color": (color, slice(0, 3)), "translation": (translation, slice(3, 5)), "cutout": (cutout, slice(5, 7))}


@register_keras_serializable("kgan")
class DiffAugment(Augmentation):
    """Changes the colours of every image, translates it, and cuts out a rectangle: for small data sets (arXiv:2006.10738).

    Example:

    >>> augment = kgan.augment.DiffAugment(policy=("translation", "cutout"))
    >>> images = keras.random.uniform((2, 8, 8, 3))
    >>> tuple(augment(images, seeds=keras.random.SeedGenerator(0)).shape)
    (2, 8, 8, 3)

    Args:
        policy: Names of what is done to each image, in this order: `"color"` (brightness by up to 0.5, saturation times 0 to
            2, contrast times 0.5 to 1.5), `"translation"` (by up to an eighth of the size, with zeros outside), `"cutout"`
            (a rectangle of half the height and half the width becomes zero).
        strength: Float in [0, 1], or a schedule. All of these limits and sizes are multiplied by it; at 0 images are not
            changed.

    Raises:
        ValueError: if `policy` names something else, or `strength` is not in [0, 1].
    """

    def __init__(
        self,
        policy: Sequence[Literal["color", "translation", "cutout"]] = ("color", "translation", "cutout"),
        strength: float | LearningRateSchedule = 1.0,
    ):
        super().__init__()
        self.policy = check_policy("DiffAugment", policy, tuple(OPERATIONS))
        self.strength = check_share("DiffAugment", "strength", strength)

    def call(self, images, seeds):
        u = keras.random.uniform((ops.shape(images)[0], 7), dtype=images.dtype, seed=seeds)
        for name in self.policy:
            operation, numbers = OPERATIONS[name]
            images = operation(images, u[:, numbers], self.strength)
        return images

    def get_config(self):
        return {"policy": list(self.policy), "strength": self.strength}


def _integer(u, count):
    """An integer from 0 to count - 1."""
    return ops.cast(ops.minimum(ops.floor(u * count), count - 1.0), "int32")  # u * count may be rounded up to count
