"""Convolutional players, after DCGAN (Radford et al., arXiv:1511.06434) in the form of the TensorFlow tutorials on MNIST.

Both players halve or double the image, at least twice, between its size and a base of at most 8 pixels: 28 -> 14 -> 7,
32 -> 16 -> 8, 64 -> 32 -> 16 -> 8. At 28 x 28 x 1 the defaults are the tutorials' networks.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import layers

from kgan.architectures import conditioning as conditional
from kgan.architectures.halving import check_attention, halvings
from kgan.backend import channels_last
from kgan.layers import MinibatchStdDev, SelfAttention, SpectralNormalization


@channels_last()
def generator(
    image_shape: Sequence[int] = (28, 28, 1),
    latent_dim: int = 100,
    filters: int = 64,
    kernel_size: int = 5,
    slope: float = 0.3,
    momentum: float = 0.99,
    straight: bool = True,
    attention: int | None = None,
    num_classes: int | None = None,
    conditioning: Literal["concatenation", "batch_norm"] = "concatenation",
):
    """A generator of transposed convolutions with batch normalization, ending in tanh.

    Args:
        image_shape: Tuple `(height, width, channels)`; height and width must be multiples of 4.
        latent_dim: Integer.
        filters: Integer. Filters of the last hidden layer; each layer before it has twice as many.
        kernel_size: Integer. Kernel size of all convolutions.
        slope: Float. Slope of LeakyReLU below zero.
        momentum: Float. Momentum of the moving statistics.
        straight: Whether a convolution of stride 1 comes first, as in the tutorials. It has more weights than any other; the
            paper's generator does not have it.
        attention: Integer, the height of the features that a self-attention layer (arXiv:1805.08318) follows; `None`
            leaves it out.
        num_classes: Integer. Makes a class-conditional generator.
        conditioning: How it receives the class, as in `kgan.architectures.conditioning`: `"concatenation"` or
            `"batch_norm"`.

    Returns:
        A `keras.Model`, `(batch, latent_dim)` -> `(batch, height, width, channels)` in [-1, 1]; with classes
        `[latents, labels]` -> images.

    Raises:
        ValueError: if the image cannot be halved twice, there are no features of the height of `attention`, or
            `conditioning` is not one of these names.
    """
    count = halvings("dcgan", image_shape, base=8, least=2)
    height, width = (side >> count for side in image_shape[:2])
    strides = ([1] if straight else []) + [2] * (count - 1)
    heights = [height * math.prod(strides[: level + 1]) for level in range(len(strides))]
    check_attention(attention, heights)
    deepest = filters << len(strides)

    def batch_norm():
        return conditional.batch_norm(num_classes, conditioning, momentum=momentum)

    def convolution(width, stride, **kwargs):
        return layers.Conv2DTranspose(width, kernel_size, stride, padding="same", use_bias=False, **kwargs)

    stack: list[Any] = [keras.Input((latent_dim,)), layers.Dense(height * width * deepest, use_bias=False)]
    stack += [batch_norm(), layers.LeakyReLU(slope), layers.Reshape((height, width, deepest))]
    for level, (stride, height) in enumerate(zip(strides, heights, strict=True), start=1):
        stack += [convolution(deepest >> level, stride), batch_norm(), layers.LeakyReLU(slope)]
        if attention == height:
            stack.append(SelfAttention())
    stack.append(convolution(image_shape[2], 2, activation="tanh"))
    return conditional.generator(stack, num_classes, conditioning)


@channels_last()
def discriminator(
    image_shape: Sequence[int] = (28, 28, 1),
    filters: int = 64,
    kernel_size: int = 5,
    slope: float = 0.3,
    dropout: float = 0.3,
    spectral_norm: bool = False,
    minibatch_std: bool = False,
    base: int = 8,
    attention: int | None = None,
    num_classes: int | None = None,
    conditioning: Literal["projection", "concatenation", "auxiliary"] = "projection",
):
    """A discriminator of strided convolutions with dropout, ending in logits.

    Args:
        image_shape: Tuple `(height, width, channels)`; height and width must be multiples of 4.
        filters: Integer. Filters of the first layer; each later one has twice as many.
        kernel_size: Integer. Kernel size of all convolutions.
        slope: Float. Slope of LeakyReLU below zero.
        dropout: Float. Rate after each layer.
        spectral_norm: Whether all layers are spectrally normalized (arXiv:1802.05957).
        minibatch_std: Whether the last layer receives how much the images of a batch differ (arXiv:1710.10196).
        base: Integer. The largest size of the last features: 28 pixels become 7, or with 4 in one more layer 4.
        attention: Integer, the height of the features that a self-attention layer (arXiv:1805.08318) follows; `None`
            leaves it out.
        num_classes: Integer. Makes a class-conditional discriminator.
        conditioning: How it receives the class, as in `kgan.architectures.conditioning`: `"projection"`, `"concatenation"`
            or `"auxiliary"`.

    Returns:
        A `keras.Model`, `(batch, height, width, channels)` -> `(batch, 1)`; with classes as
        `kgan.architectures.conditioning.discriminator`.

    Raises:
        ValueError: if the image cannot be halved twice, there are no features of the height of `attention`, or
            `conditioning` is not one of these names.
    """
    normalized = SpectralNormalization if spectral_norm else lambda layer: layer
    stack: list[Any] = []
    count = halvings("dcgan", image_shape, base=base, least=2, odd=True)
    heights = [-(-image_shape[0] // 2 ** (level + 1)) for level in range(count)]
    check_attention(attention, heights)
    for level in range(count):
        convolution = layers.Conv2D(filters << level, kernel_size, 2, padding="same")
        stack += [normalized(convolution), layers.LeakyReLU(slope)]
        if dropout:
            stack.append(layers.Dropout(dropout))
        if attention == heights[level]:
            stack.append(SelfAttention(spectral_norm))
    if minibatch_std:
        stack.append(MinibatchStdDev())
    stack.append(layers.Flatten())

    def linear(units, **kwargs):
        return normalized(layers.Dense(units, **kwargs))

    return conditional.discriminator([keras.Input(image_shape)], stack, linear, num_classes, conditioning)
