"""PatchGAN, the discriminator of Pix2Pix (Isola et al., arXiv:1611.07004): a logit for each patch of an image.

The patches overlap, and a logit depends on nothing outside its patch. With n halvings, patches of

    1, 16, 34, 70, 142 or 286 pixels have n = 0, 1, 2, 3, 4 or 5:

n 4 x 4 convolutions with stride 2, and two with stride 1. The first and the last one are not normalized.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from kgan.architectures.given import of_same_size
from kgan.architectures.halving import check_image
from kgan.architectures.normalization import Norm, check_norm, has_bias, normal, normalized
from kgan.arguments import Misfit, integer
from kgan.backend import channels_last

FIELDS = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}  # pixels of a patch -> how often the image is halved


@channels_last()
def discriminator(
    image_shape: Sequence[int] = (256, 256, 3),
    given_shape: Sequence[int] | None = None,
    given: bool = True,
    receptive_field: Literal[1, 16, 34, 70, 142, 286] = 70,
    filters: int = 64,
    norm: Norm = "batch",
    scales: Literal[1, 2, 3] = 1,
):
    """A convolutional discriminator of patches, ending in a map of logits.

    Example:

    >>> discriminator = kgan.architectures.patch.discriminator((32, 32, 3), receptive_field=16, filters=8)
    >>> discriminator.input_shape, discriminator.output_shape
    ([(None, 32, 32, 3), (None, 32, 32, 3)], (None, 14, 14, 1))

    Args:
        image_shape: Tuple `(height, width, channels)`, of any height and width that is not too small for a patch: with n
            halvings at least 3 * 2^n pixels.
        given_shape: Tuple, the shape of the given image, `image_shape` by default; it may have other channels.
        given: Whether the discriminator also sees the given image, which is appended to the image as channels. If not, the
            given image may have any size.
        receptive_field: Integer. Height and width of a patch in pixels.
        filters: Integer. Filters of the first layer; each later one has twice as many, up to 8 times as many.
        norm: `"batch"`, `"instance"` or `None`. With `"batch"` normalized convolutions have no bias.
        scales: Integer. With 2 or 3, further discriminators with their own weights see averages over 2 x 2 and 4 x 4 pixels,
            as in pix2pixHD (arXiv:1711.11585; its code averages over 3 x 3, which overlap).

    Returns:
        A `keras.Model`, `[image, given]`, or the image alone, -> logits `(batch, h, w, 1)`, with n halvings
        h = floor(height / 2^n) - 2; for patches of one pixel h = height. With more `scales` a list of these, the full size
        first.

    Raises:
        ValueError: if the image is too small, the given image has another size, or `norm`, `receptive_field` or `scales`
            is not one of these values.
    """
    check_image("image_shape", "patch", image_shape)
    check_norm("patch", norm)
    _check_sizes(image_shape, receptive_field, scales)
    inputs = whole = keras.Input(image_shape, name="image")
    if given:
        given_shape = of_same_size("patch", image_shape, given_shape, given=False)
        inputs = [whole, keras.Input(given_shape, name="given")]
        whole = layers.Concatenate()(inputs)
    maps = []
    for scale in range(scales):
        x = layers.AveragePooling2D(2**scale)(whole) if scale else whole
        maps.append(_logits(x, FIELDS[receptive_field], filters, norm))
    return keras.Model(inputs, maps if scales > 1 else maps[0], name="discriminator")


def _logits(x, halved, filters, norm):
    """The map of logits, in PyTorch's padding: one pixel on each side, for odd sizes too."""

    def convolution(x, width, stride=1, bias=True):
        size = 4 if halved else 1
        same = stride == 2 and not any(side % 2 for side in x.shape[1:3])  # then Keras adds these pixels itself, faster
        x = layers.ZeroPadding2D(1)(x) if halved and not same else x
        padding = "same" if same else "valid"
        return layers.Conv2D(width, size, stride, padding, use_bias=bias, kernel_initializer=normal())(x)

    x = layers.LeakyReLU(0.2)(convolution(x, filters, 2 if halved else 1))
    for level in range(1, max(1, halved) + 1):
        width, stride = filters * min(8, 2**level), 2 if level < halved else 1
        x = layers.LeakyReLU(0.2)(normalized(norm, convolution(x, width, stride, has_bias(norm))))
    return convolution(x, 1, bias=bool(halved) or has_bias(norm))  # the authors' 1 x 1 network has no bias here


def _check_sizes(image_shape, receptive_field, scales):
    if receptive_field not in FIELDS:
        raise ValueError(
            f"`receptive_field` of patch must be one of {', '.join(map(str, FIELDS))}. Received: {receptive_field!r}"
        )
    if integer("scales", scales, at_least=1, of="patch") > 3:
        raise ValueError(f"`scales` of patch must be 1, 2 or 3. Received: {scales!r}")
    side = min(image_shape[:2])
    least = {field: (3 << halved if halved else 1) << (scales - 1) for field, halved in FIELDS.items()}
    if side < least[receptive_field]:
        fitting = [field for field in FIELDS if side >= least[field]]
        instead = {"receptive_field": fitting[-1]} if fitting else {"scales": 1}
        nearest = f"; the largest that fits is {fitting[-1]}" if fitting else ""
        height, width, _ = image_shape
        at_scales = f" with {scales} scales" if scales > 1 else ""
        raise Misfit(
            f"`receptive_field` of patch is {receptive_field}, which{at_scales} needs images of at least "
            f"{least[receptive_field]} x {least[receptive_field]}. Received: {height} x {width}{nearest}.",
            **instead,
        )
