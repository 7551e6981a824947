"""The modern residual players of R3GAN (Huang et al., arXiv:2501.05441), without normalization.

Both players are stages, one for each resolution, of `blocks` residual blocks

    x + 1 x 1(lrelu(grouped 3 x 3(lrelu(1 x 1(x)))))

which are `expansion` times as wide inside, in groups of `group_width` channels. As in Fixup (arXiv:1901.09321), the last
convolution of a block starts at zero, and the other two are normal with the standard deviation

    a L^(-1 / (2 m - 2)) / sqrt(fan_in),  a^2 = 2 / (1 + 0.2^2),

of L blocks in the player with m = 3 convolutions each. Between stages the image is doubled by bilinear interpolation or
halved by 2 x 2 averages (the authors' code filters with [1, 2, 1] instead), with a 1 x 1 convolution where widths differ.

The defaults are small enough for two CPU cores. The authors' setting for CIFAR-10 is `widths: 768, blocks: 2` and
`latent_dim: 64`; for FFHQ at 256 x 256 the widths are [768, 768, 768, 768, 384, 192, 96].
"""

import math
import numbers
from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers
from keras.initializers import RandomNormal, VarianceScaling

from kgan.architectures import conditioning as conditional
from kgan.architectures.halving import halvings
from kgan.arguments import Misfit, integer
from kgan.backend import channels_last
from kgan.layers import GroupedConv2D, ModulatedBasis

SLOPE = 0.2  # of LeakyReLU below zero


@channels_last()
def generator(
    image_shape: Sequence[int] = (28, 28, 1),
    latent_dim: int = 64,
    widths: int | Sequence[int] = 32,
    blocks: int = 1,
    expansion: int = 2,
    group_width: int = 16,
    activation: str | None = "tanh",
    num_classes: int | None = None,
):
    """A generator from a learned basis of 4 x 4 features, or 7 x 7 for images of 28, scaled by a linear map of the latents.

    Args:
        image_shape: Tuple `(height, width, channels)`; height and width must be even.
        latent_dim: Integer.
        widths: Integer, channels of all stages; or a sequence, one for each, from the smallest features to the image.
        blocks: Integer. Blocks of a stage.
        expansion: Integer. The factor by which a block is wider inside.
        group_width: Integer. Channels of a group of the 3 x 3 convolutions.
        activation: Of the last layer: `"tanh"`, or `None` as in the paper, where values may lie outside [-1, 1].
        num_classes: Integer. Makes a class-conditional generator: the class is appended to the latents.

    Returns:
        A `keras.Model`, `(batch, latent_dim)` -> `(batch, height, width, channels)`; with classes `[latents, labels]` ->
        images.

    Raises:
        ValueError: if the image cannot be halved, there are more or fewer widths than stages, or a group does not fit.
    """
    doublings = halvings("r3gan", image_shape, base=4)
    stages = _stages(widths, doublings + 1, expansion, group_width)
    block = _Block(expansion, group_width, count=blocks * len(stages))
    inputs, latents, _ = conditional.latents_and_labels(latent_dim, num_classes)
    x = ModulatedBasis((image_shape[0] >> doublings, image_shape[1] >> doublings, stages[0]))(latents)
    for stage, width in enumerate(stages):
        if stage:
            x = layers.UpSampling2D(interpolation="bilinear")(_as_wide(width, x))
        for _ in range(blocks):
            x = block(x)
    images = _pointwise(image_shape[2], 1.0, activation=activation)(x)
    return keras.Model(inputs, images, name="generator")


@channels_last()
def discriminator(
    image_shape: Sequence[int] = (28, 28, 1),
    widths: int | Sequence[int] = 32,
    blocks: int = 1,
    expansion: int = 2,
    group_width: int = 16,
    num_classes: int | None = None,
    conditioning: Literal["projection", "auxiliary"] = "projection",
):
    """The reverse of the generator: from the image to 4 x 4 features (7 x 7 for images of 28), then a weight for each place.

    Args:
        image_shape: Tuple `(height, width, channels)`; height and width must be even.
        widths: Integer, channels of all stages; or a sequence, one for each, from the smallest features to the image, as in
            the generator.
        blocks: Integer. Blocks of a stage.
        expansion: Integer. The factor by which a block is wider inside.
        group_width: Integer. Channels of a group of the 3 x 3 convolutions.
        num_classes: Integer. Makes a class-conditional discriminator.
        conditioning: How it receives the class, as in `kgan.architectures.conditioning`: `"projection"` or `"auxiliary"`.

    Returns:
        A `keras.Model`, `(batch, height, width, channels)` -> `(batch, 1)`, logits; with classes as
        `kgan.architectures.conditioning.judging`.

    Raises:
        ValueError: if the image cannot be halved, there are more or fewer widths than stages, a group does not fit, or
            `conditioning` is not one of these names.
    """
    count = halvings("r3gan", image_shape, base=4)
    stages = _stages(widths, count + 1, expansion, group_width)
    block = _Block(expansion, group_width, count=blocks * len(stages))
    images = keras.Input(image_shape)
    x = _pointwise(stages[-1], 1.0)(images)
    for stage, width in enumerate(reversed(stages)):
        if stage:
            x = _as_wide(width, layers.AveragePooling2D(2)(x))
        for _ in range(blocks):
            x = block(x)
    size = x.shape[1:3]
    whole = layers.DepthwiseConv2D(
        size, use_bias=False, depthwise_initializer=RandomNormal(stddev=math.prod(size) ** -0.5)
    )
    features = layers.Flatten()(whole(x))  # (batch, width)

    def linear(units, **kwargs):
        return layers.Dense(units, **{"use_bias": False, "kernel_initializer": _normal(1.0), **kwargs})

    return conditional.judging(images, features, linear, num_classes, conditioning)


class _Block:
    """Applies a new residual block to features in each call; the player has `count` blocks in all."""

    def __init__(self, expansion, group_width, count):
        self.expansion, self.group_width = expansion, group_width
        self.gain = math.sqrt(2.0 / (1.0 + SLOPE**2)) * count ** (-1 / 4)

    def __call__(self, x):
        width = self.expansion * x.shape[-1]
        y = layers.Conv2D(width, 1, kernel_initializer=_normal(self.gain))(x)
        y = layers.LeakyReLU(SLOPE)(y)
        groups = width // self.group_width
        y = GroupedConv2D(width, 3, padding="same", groups=groups, kernel_initializer=_normal(self.gain))(y)
        y = layers.LeakyReLU(SLOPE)(y)
        return layers.Add()([x, layers.Conv2D(x.shape[-1], 1, use_bias=False, kernel_initializer="zeros")(y)])


def _normal(gain):
    """N(0, gain^2 / fan_in)."""
    return VarianceScaling(gain**2, mode="fan_in", distribution="untruncated_normal")


def _pointwise(width, gain, **kwargs):
    return layers.Conv2D(width, 1, use_bias=False, kernel_initializer=_normal(gain), **kwargs)


def _as_wide(width, x):
    return x if x.shape[-1] == width else _pointwise(width, 1.0)(x)


def _stages(widths, count, expansion, group_width):
    """The width of each stage, from the smallest features to the image."""
    given = list(widths) if isinstance(widths, Sequence) else [widths] * count
    if (
        not (given and all(isinstance(width, numbers.Integral) and int(width) > 0 for width in given))
        or len(given) != count
    ):
        raise Misfit(
            f"`widths` must be one number, or {count}, one for each resolution, integers above 0. Received: {widths!r}",
            widths=(given[:1] * count + given)[-count:],
        )
    integer("group_width", group_width, at_least=1, of="r3gan")
    if any(width * expansion % group_width for width in given):
        raise ValueError(
            f"`group_width` must divide `expansion` times each of the widths, {[width * expansion for width in given]}. "
            f"Received: {group_width}"
        )
    return given
