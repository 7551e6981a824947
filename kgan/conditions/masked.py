"""Masked: images with a hole, which the generator fills."""

import math
from typing import Literal

import keras
import numpy as np
from keras import ops
from keras.saving import register_keras_serializable

from kgan import latents
from kgan.arguments import integer, is_number, lookup
from kgan.conditions.images import Derived, ImageCondition, shapes_given


def centre(n, height, width, share, count, seeds):
    """A rectangle in the middle, with this share of the sides: Context Encoders (Pathak et al., arXiv:1604.07379)."""
    inside = [
        ops.abs(ops.arange(side) * 2 - (side - 1)) < round(side * share) for side in (height, width)
    ]  # twice the distance from the middle
    mask = ops.logical_and(inside[0][:, None], inside[1][None])
    return ops.broadcast_to(mask[None], (n, height, width))


def boxes(n, height, width, share, count, seeds):
    """`count` rectangles at random, whose sides are between a half of this share of the image's and all of it."""
    drawn = keras.random.uniform((n, count, 4), seed=seeds)
    tall = ops.round(height * share * (0.5 + 0.5 * drawn[..., 0:1]))  # (n, count, 1)
    wide = ops.round(width * share * (0.5 + 0.5 * drawn[..., 1:2]))
    top, left = ops.floor(drawn[..., 2:3] * (height - tall + 1)), ops.floor(drawn[..., 3:4] * (width - wide + 1))
    rows, columns = ops.arange(height, dtype="float32"), ops.arange(width, dtype="float32")
    rows = ops.logical_and(rows >= top, rows < top + tall)  # (n, count, height)
    columns = ops.logical_and(columns >= left, columns < left + wide)
    return ops.any(ops.logical_and(rows[..., None], columns[..., None, :]), axis=1)


def brush(n, height, width, share, count, seeds):
    """`count` strokes of a round brush at random, each a line with 4 corners, of up to this share of the shorter side from
    one to the next and a thickness of up to half of that, after DeepFill v2 (Yu et al., arXiv:1806.03589).
    """
    side = min(height, width)
    drawn = keras.random.uniform((n, count, 4 + 2 * STEPS), seed=seeds)
    radius = side * share / 4 * (0.5 + 0.5 * drawn[..., 0])  # (n, count)
    at = drawn[..., 1:3] * ops.convert_to_tensor([height, width], "float32")
    rows = ops.arange(height, dtype="float32")[None, :, None]
    columns = ops.arange(width, dtype="float32")[None, None]
    hole = ops.zeros((n, height, width), "bool")
    angle = 2.0 * math.pi * drawn[..., -1]
    for step in range(STEPS):
        angle = angle + (2.0 * drawn[..., 4 + 2 * step] - 1.0) * math.pi / 2  # at most a quarter turn
        length = side * share * (0.5 + 0.5 * drawn[..., 3 + 2 * step])
        way = ops.stack([ops.sin(angle), ops.cos(angle)], axis=-1) * length[..., None]
        for stroke in range(count):
            begin, along = at[:, stroke, :, None, None], way[:, stroke, :, None, None]
            down, right = rows - begin[:, 0], columns - begin[:, 1]
            # the nearest point of the line from `begin` to `begin + along`
            nearest = (down * along[:, 0] + right * along[:, 1]) / (along[:, 0] ** 2 + along[:, 1] ** 2)
            nearest = ops.clip(nearest, 0.0, 1.0)
            far = ops.square(down - nearest * along[:, 0]) + ops.square(right - nearest * along[:, 1])
            hole = ops.logical_or(hole, far <= ops.square(radius[:, stroke, None, None]))
        at = at + way
    return hole


STEPS = 4
HOLES = {"boxes": boxes, "brush": brush, "centre": centre}


@register_keras_serializable("kgan")
class Masked(Derived):
    """Inpainting: the generator is given the image with a hole, and fills it.

    What is given has one more channel than the image: the image, in whose hole all values are 0, and the mask, 1 in the hole
    and 0 elsewhere. A player whose input has as many channels as the image sees no mask, one with a single channel only the
    mask, and one with two inputs both of them apart. What the generator outputs outside of the hole is replaced by what was
    there; the discriminator, the terms and `translate` see the result.

    Example:

    >>> given = kgan.conditions.Masked(share=0.5).given(np.ones((1, 4, 4, 1), "float32"))
    >>> np.asarray(given)[0, ..., 1].tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]

    Args:
        kind: `"centre"`, a rectangle in the middle; `"boxes"`, rectangles, or `"brush"`, strokes of a brush, which are drawn
            anew for each image of each step with the GAN's seeds.
        share: Float above 0 and below 1. The size of the hole, or of each of its parts, as a share of the image's sides.
        count: Integer. The number of boxes or strokes.
    """

    keeps_opacity = False

    def __init__(self, kind: Literal["centre", "boxes", "brush"] = "centre", share: float = 0.5, count: int = 1):
        lookup("kind of mask", kind, HOLES)
        if not is_number(share) or not 0 < share < 1:
            raise ValueError(f"`share` of Masked must be above 0 and below 1. Received: {share!r}")
        self.kind, self.share = kind, share
        self.count = integer("count", count, at_least=1, of="Masked")

    def masks(self, n, height, width, seeds):
        """Draw masks `(n, height, width)`, true in the hole."""
        return HOLES[self.kind](n, height, width, self.share, self.count, seeds)

    def given(self, images, seeds=None):
        images = ops.convert_to_tensor(images)
        seeds = latents.seeds(0) if seeds is None else seeds
        masks = self.masks(ops.shape(images)[0], images.shape[1], images.shape[2], seeds)
        return self.with_masks(images, masks)

    def with_masks(self, images, masks):
        """What is given for images `(batch, height, width, channels)` and masks `(batch, height, width)`, true in holes."""
        masks = ops.expand_dims(ops.cast(masks, images.dtype), -1)
        return ops.concatenate([images * (1.0 - masks), masks], axis=-1)

    def given_shape(self, image_shape):
        return (*image_shape[:-1], image_shape[-1] + 1)

    def from_user(self, images, image_shape, given_shape, seeds):
        given = super().from_user(images, image_shape, given_shape, seeds)
        hole = given[..., -1:] > 0  # of an uint8 array, a mask is 0 and 255, and becomes -1 and 1
        return np.concatenate([np.where(hole, 0.0, given[..., :-1]), hole], axis=-1).astype("float32")

    def seen_by(self, player, given, others):
        image, mask = given[:, :, :, :-1], given[:, :, :, -1:]  # of four axes, as LiteRT knows it
        channels = image.shape[-1]
        parts = {(1,): mask, (channels,): image, (channels, 1): [image, mask]}
        return parts.get(tuple(shape[-1] for shape in shapes_given(player, others)), given)

    def completed(self, output, given):
        output, given = ops.convert_to_tensor(output), ops.convert_to_tensor(given)
        masks = ops.cast(given[:, :, :, -1:], output.dtype)
        return masks * output + (1.0 - masks) * ops.cast(given[:, :, :, :-1], output.dtype)

    def of_picture(self, pixels, opacity, channels):
        if opacity is None or opacity.min() > 127:
            raise ValueError("the picture has no transparent part, which the generator would fill")
        seen = ImageCondition.of_picture(self, pixels, opacity, channels - 1)
        hole = opacity[..., None] <= 127
        return np.concatenate([np.where(hole, 0.0, seen), hole], axis=-1).astype("float32")

    def drawn(self, given):
        return given[..., :-1]

    def get_config(self):
        return {"kind": self.kind, "share": self.share, "count": self.count}
