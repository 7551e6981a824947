"""The transformations of ADA, each for a random share of the images (Karras et al., arXiv:2006.06676, appendix B)."""

import math
from collections.abc import Sequence
from typing import Literal

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule
from keras.saving import register_keras_serializable

from kgan.augment.augmentation import Augmentation, check_policy, check_share
from kgan.augment.places import interpolate

Kind = Literal["blit", "geometric", "color"]
POLICY: tuple[Kind, ...] = ("blit", "geometric", "color")


def blit(matrix, u, p, height, width):
    """Mirroring left to right, quarter turns, translations by whole pixels; `u` is `(batch, 7)`.

    `matrix` maps positions in the new image to positions in the old one, `(batch, 3, 3)` on (x, y, 1) from the centre, so
    the inverse of each transformation is multiplied on its right.
    """
    u = iter(ops.unstack(u, axis=1))
    matrix = matrix @ _scale(1.0 - 2.0 * _where(next(u) < p, _floor(2.0 * next(u)), 0.0), 1.0)
    matrix = matrix @ _turn(-math.pi / 2.0 * _where(next(u) < p, _floor(4.0 * next(u)), 0.0))
    moved = next(u) < p
    x, y = (_where(moved, ops.round(0.125 * (2.0 * next(u) - 1.0) * size), 0.0) for size in (width, height))
    return matrix @ _move(-x, -y)


def geometric(matrix, u, z, p, height, width):
    """Scaling, a turn, scaling of one axis against the other, a turn, translation; `u` is `(batch, 7)`, `z` `(batch, 4)`."""
    u, z = iter(ops.unstack(u, axis=1)), iter(ops.unstack(z, axis=1))
    once = 1.0 - ops.sqrt(1.0 - p)  # so that at least one of the two turns happens with probability p
    factor = 2.0 ** _where(next(u) < p, 0.2 * next(z), 0.0)
    matrix = matrix @ _scale(1.0 / factor, 1.0 / factor)
    matrix = matrix @ _turn(-math.pi * _where(next(u) < once, 2.0 * next(u) - 1.0, 0.0))
    factor = 2.0 ** _where(next(u) < p, 0.2 * next(z), 0.0)
    matrix = matrix @ _scale(1.0 / factor, factor)
    matrix = matrix @ _turn(-math.pi * _where(next(u) < once, 2.0 * next(u) - 1.0, 0.0))
    moved = next(u) < p
    x, y = (_where(moved, 0.125 * next(z) * size, 0.0) for size in (width, height))
    return matrix @ _move(-x, -y)


def color(images, u, z, p):
    """Brightness, contrast, luma flip, hue and saturation; `u` is `(batch, 7)`, `z` `(batch, 3)`.

    v = (1, .., 1) / sqrt(channels) is the axis of luma: v v^T x is the mean over the channels.
    """
    u, z = iter(ops.unstack(u[:, :, None, None, None], axis=1)), iter(ops.unstack(z[:, :, None, None, None], axis=1))
    images = images + _where(next(u) < p, 0.2 * next(z), 0.0)
    images = images * 2.0 ** _where(next(u) < p, 0.5 * next(z), 0.0)
    flipped = _where(next(u) < p, _floor(2.0 * next(u)), 0.0)
    images = images - 2.0 * flipped * ops.mean(images, axis=3, keepdims=True)  # (I - 2 v v^T) x
    angle = math.pi * _where(next(u) < p, 2.0 * next(u) - 1.0, 0.0)
    luma = ops.mean(images, axis=3, keepdims=True)
    if images.shape[3] == 3:  # a turn about v: cos x + sin v x x + (1 - cos) v v^T x
        across = (ops.roll(images, 1, axis=3) - ops.roll(images, -1, axis=3)) / math.sqrt(3.0)
        images = ops.cos(angle) * images + ops.sin(angle) * across + (1.0 - ops.cos(angle)) * luma
    if images.shape[3] > 1:
        images = luma + 2.0 ** _where(next(u) < p, next(z), 0.0) * (images - luma)  # v v^T x + s (I - v v^T) x
    return images


@register_keras_serializable("kgan")
class Transforms(Augmentation):
    """The transformations of ADA with a given probability (arXiv:2006.06676, appendix B).

    Each of them is applied to an image with probability p, independently of the others. All geometric transformations
    together are one bilinear interpolation of the image, which is mirrored beyond its borders; the paper's pipeline filters
    with wavelets before and after, so that images are smoother there if they become much smaller.

    Example:

    >>> augment = kgan.augment.Transforms(p=kgan.ramps.Cosine(0.0, 0.3, 10000), policy=("blit", "geometric"))
    >>> tuple(kgan.augment.Transforms(p=0.5)(ops.zeros((2, 8, 8, 1)), seeds=keras.random.SeedGenerator(0)).shape)
    (2, 8, 8, 1)

    Args:
        p: Float in [0, 1], or a schedule.
        policy: Names of what may happen to an image: `"blit"` (mirroring, quarter turns, translation by up to an eighth of
            the size), `"geometric"` (scaling, turns, scaling of one axis against the other, translation between pixels),
            `"color"` (brightness, contrast, flipped luma, and with several channels saturation, with three of them hue).

    Raises:
        ValueError: if `p` is not in [0, 1], or `policy` names something else.
    """

    def __init__(
        self,
        p: float | LearningRateSchedule = 0.2,
        policy: Sequence[Kind] = POLICY,
    ):
        super().__init__()
        self.p = check_share("Transforms", "p", p)
        self.policy = check_policy("Transforms", policy, POLICY)

    def call(self, images, seeds):
        batch = ops.shape(images)[0]
        u = keras.random.uniform((batch, 21), dtype=images.dtype, seed=seeds)
        z = keras.random.normal((batch, 7), dtype=images.dtype, seed=seeds)
        p = ops.cast(self.p, images.dtype)
        height, width = images.shape[1:3]
        matrix = None
        if "blit" in self.policy:
            matrix = blit(_move(ops.zeros_like(u[:, 0]), 0.0), u[:, :7], p, height, width)
        if "geometric" in self.policy:
            matrix = _move(ops.zeros_like(u[:, 0]), 0.0) if matrix is None else matrix
            matrix = geometric(matrix, u[:, 7:14], z[:, :4], p, height, width)
        if matrix is not None:
            images = interpolate(images, *_places(matrix, height, width))
        return color(images, u[:, 14:], z[:, 4:], p) if "color" in self.policy else images

    def get_config(self):
        return {"p": self.p, "policy": list(self.policy)}


def _places(matrix, height, width):
    """Rows and columns in the old image of each pixel of the new one, (batch, height, width)."""
    x = ops.arange(width, dtype=matrix.dtype)[None, None, :] - (width - 1) / 2.0
    y = ops.arange(height, dtype=matrix.dtype)[None, :, None] - (height - 1) / 2.0
    m = matrix[:, :, :, None, None]
    columns = m[:, 0, 0] * x + m[:, 0, 1] * y + m[:, 0, 2] + (width - 1) / 2.0
    rows = m[:, 1, 0] * x + m[:, 1, 1] * y + m[:, 1, 2] + (height - 1) / 2.0
    return rows, columns


def _matrix(like, rows):
    rows = [[entry + ops.zeros_like(like) for entry in row] for row in (*rows, (0.0, 0.0, 1.0))]
    return ops.stack([ops.stack(row, axis=1) for row in rows], axis=1)  # (batch, 3, 3)


def _scale(x, y):
    return _matrix(x, ((x, 0.0, 0.0), (0.0, y, 0.0)))


def _turn(angle):
    cos, sin = ops.cos(angle), ops.sin(angle)
    return _matrix(angle, ((cos, -sin, 0.0), (sin, cos, 0.0)))


def _move(x, y):
    return _matrix(x, ((1.0, 0.0, x), (0.0, 1.0, y)))


def _floor(x):
    return ops.cast(ops.floor(x), x.dtype)  # float32 on PyTorch


def _where(condition, value, otherwise):
    return ops.where(condition, value, ops.full_like(value, otherwise))
