"""Residual players, as in WGAN-GP (Gulrajani et al., arXiv:1704.00028) and SNGAN (Miyato et al., arXiv:1802.05957).

The defaults are SNGAN's networks for CIFAR-10 (its table 4) except for `spectral_norm: true` in the discriminator. Those of
WGAN-GP have `filters: 128` in both players and `pooling: mean`. The generator starts at a base of 4 pixels, or 7 for
28 x 28 images; the discriminator halves the image to 8 or 7 pixels, and has two more blocks there.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers, ops

from kgan.architectures import conditioning as conditional
from kgan.architectures.halving import check_attention, halvings
from kgan.arguments import lookup
from kgan.backend import channels_last
from kgan.layers import MinibatchStdDev, SelfAttention, SpectralNormalization


@channels_last()
def generator(
    image_shape: Sequence[int] = (32, 32, 3),
    latent_dim: int = 128,
    filters: int = 256,
    normalization: Literal["batch"] | None = "batch",
    spectral_norm: bool = False,
    attention: int | None = None,
    num_classes: int | None = None,
    conditioning: Literal["concatenation", "batch_norm"] = "batch_norm",
):
    """A generator of residual blocks that double the image, ending in tanh.

    A block is x -> up(1 x 1(x)) + 3 x 3(relu(norm(3 x 3(up(relu(norm(x))))))), with nearest-neighbour doubling.

    Args:
        image_shape: Tuple `(height, width, channels)`; height and width must be even.
        latent_dim: Integer.
        filters: Integer. Filters of all convolutions.
        normalization: `"batch"`, before each ReLU, or `None`.
        spectral_norm: Whether all layers are spectrally normalized, as in SAGAN (arXiv:1805.08318).
        attention: Integer, the height of the features that a self-attention layer (arXiv:1805.08318) follows; `None`
            leaves it out.
        num_classes: Integer. Makes a class-conditional generator.
        conditioning: How it receives the class, as in `kgan.architectures.conditioning`: `"batch_norm"`, as in the
            projection paper (arXiv:1802.05637), or `"concatenation"`.

    Returns:
        A `keras.Model`, `(batch, latent_dim)` -> `(batch, height, width, channels)` in [-1, 1]; with classes
        `[latents, labels]` -> images.

    Raises:
        ValueError: if the image cannot be halved, there are no features of the height of `attention`, `conditioning` or
            `normalization` is not one of these names, or `"batch_norm"` is used without normalization.
    """
    if normalization not in ("batch", None):
        raise ValueError(f"`normalization` of resnet must be 'batch' or None. Received: {normalization!r}")
    doublings = halvings("resnet", image_shape, base=4)
    check_attention(attention, [image_shape[0] >> level for level in reversed(range(doublings + 1))])
    height, width = (side >> doublings for side in image_shape[:2])
    normalized = SpectralNormalization if spectral_norm else lambda layer: layer

    inputs, latents, of_class = conditional.latents_and_labels(latent_dim, num_classes, conditioning)
    if num_classes and conditioning == "batch_norm" and not normalization:
        raise ValueError("`conditioning` must be 'concatenation' without `normalization`. Received: 'batch_norm'")

    def active(x):
        return layers.ReLU()(of_class(conditional.batch_norm(num_classes, conditioning), x) if normalization else x)

    def attend(x):
        return SelfAttention(spectral_norm)(x) if x.shape[1] == attention else x

    x = normalized(layers.Dense(height * width * filters))(latents)
    x = attend(layers.Reshape((height, width, filters))(x))
    for _ in range(doublings):
        shortcut = layers.UpSampling2D()(normalized(layers.Conv2D(filters, 1))(x))
        x = normalized(_convolution(filters))(layers.UpSampling2D()(active(x)))
        x = normalized(_convolution(filters))(active(x))
        x = attend(layers.Add()([shortcut, x]))
    images = normalized(layers.Conv2D(image_shape[2], 3, padding="same", activation="tanh"))(active(x))
    return keras.Model(inputs, images, name="generator")


@channels_last()
def discriminator(
    image_shape: Sequence[int] = (32, 32, 3),
    filters: int = 128,
    pooling: Literal["sum", "mean"] = "sum",
    spectral_norm: bool = False,
    minibatch_std: bool = False,
    attention: int | None = None,
    num_classes: int | None = None,
    conditioning: Literal["projection", "auxiliary"] = "projection",
):
    """A discriminator of residual blocks without normalization, ending in logits.

    A block is x -> down(1 x 1(x)) + down(3 x 3(relu(3 x 3(relu(x))))), with 2 x 2 averages; the first one has no ReLU before
    its first convolution, and the last two, x + 3 x 3(relu(3 x 3(relu(x)))), do not halve.

    Args:
        image_shape: Tuple `(height, width, channels)`; height and width must be even.
        filters: Integer. Filters of all convolutions.
        pooling: Whether the features of the last block are summed over all places, as in SNGAN, or averaged, as in WGAN-GP.
        spectral_norm: Whether all layers are spectrally normalized, as in SNGAN.
        minibatch_std: Whether the last layer receives how much the images of a batch differ (arXiv:1710.10196).
        attention: Integer, the height of the features that a self-attention layer (arXiv:1805.08318) follows; `None`
            leaves it out.
        num_classes: Integer. Makes a class-conditional discriminator.
        conditioning: How it receives the class, as in `kgan.architectures.conditioning`: `"projection"` or `"auxiliary"`.

    Returns:
        A `keras.Model`, `(batch, height, width, channels)` -> `(batch, 1)`; with classes as
        `kgan.architectures.conditioning.judging`.

    Raises:
        ValueError: if the image cannot be halved, there are no features of the height of `attention`, or `conditioning` or
            `pooling` is not one of these names.
    """
    pool = lookup("pooling of resnet", pooling, {"sum": ops.sum, "mean": ops.mean})
    count = halvings("resnet", image_shape, base=8)
    check_attention(attention, [image_shape[0] >> level for level in range(1, count + 1)])
    normalized = SpectralNormalization if spectral_norm else lambda layer: layer

    def residual(x, first=False):
        x = normalized(_convolution(filters))(x if first else layers.ReLU()(x))
        return normalized(_convolution(filters))(layers.ReLU()(x))

    x = images = keras.Input(image_shape)
    for level in range(count):
        shortcut = normalized(layers.Conv2D(filters, 1))(layers.AveragePooling2D(2)(x))
        x = layers.Add()([shortcut, layers.AveragePooling2D(2)(residual(x, first=level == 0))])
        if x.shape[1] == attention:
            x = SelfAttention(spectral_norm)(x)
    for _ in range(2):
        x = layers.Add()([x, residual(x)])
    x = layers.ReLU()(x)
    if minibatch_std:
        x = MinibatchStdDev()(x)
    features = pool(x, axis=(1, 2))  # (batch, filters)

    def linear(units, **kwargs):
        return normalized(layers.Dense(units, **kwargs))

    return conditional.judging(images, features, linear, num_classes, conditioning)


def _convolution(filters):
    return layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_uniform")
