"""Fully connected players, as in the first GANs.

The defaults are the pair of the Fashion-MNIST tutorials with batch normalization. Without it, with `units=(256, 512, 1024)`
and normal kernels of standard deviation 0.02 in the generator, and `units=(1024, 512, 256)`, dropout 0.3 and Glorot kernels
in the discriminator, they are the pair of the freeze-the-discriminator tutorial.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import layers

from kgan.architectures import conditioning as conditional
from kgan.backend import channels_last
from kgan.layers import MinibatchStdDev, SpectralNormalization


@channels_last()
def generator(
    image_shape: Sequence[int] = (28, 28, 1),
    latent_dim: int = 100,
    units: Sequence[int] = (128, 256, 512, 1024),
    batch_norm: bool = True,
    momentum: float = 0.1,
    epsilon: float = 0.8,
    slope: float = 0.2,
    activation: str | None = "tanh",
    kernel_initializer: Any = "he_uniform",
    num_classes: int | None = None,
    conditioning: Literal["concatenation", "batch_norm"] = "concatenation",
):
    """A generator of dense layers that widen.

    Args:
        image_shape: Tuple of integers, shape of an image, `(height, width, channels)`.
        latent_dim: Integer.
        units: Integers. Units of the hidden layers.
        batch_norm: Whether all hidden layers but the first are batch-normalized.
        momentum: Float. Momentum of the moving statistics.
        epsilon: Float. Added to the variance.
        slope: Float. Slope of LeakyReLU below zero.
        activation: Of the last layer: `"tanh"` for images in [-1, 1], or `None` for points anywhere.
        kernel_initializer: Keras initializer of all kernels.
        num_classes: Integer. Makes a class-conditional generator.
        conditioning: How it receives the class, as in `kgan.architectures.conditioning`: `"concatenation"` or
            `"batch_norm"`.

    Returns:
        A `keras.Model`, `(batch, latent_dim)` -> `(batch, *image_shape)`; with classes `[latents, labels]` -> images.

    Raises:
        ValueError: if `conditioning` is not one of these names.
    """
    stack: list[Any] = [keras.Input((latent_dim,))]
    for index, width in enumerate(units):
        stack.append(layers.Dense(width, kernel_initializer=kernel_initializer))
        if batch_norm and index:
            stack.append(conditional.batch_norm(num_classes, conditioning, momentum=momentum, epsilon=epsilon))
        stack.append(layers.LeakyReLU(slope))
    stack.append(layers.Dense(math.prod(image_shape), activation=activation, kernel_initializer=kernel_initializer))
    stack.append(layers.Reshape(image_shape))
    return conditional.generator(stack, num_classes, conditioning)


@channels_last()
def discriminator(
    image_shape: Sequence[int] = (28, 28, 1),
    units: Sequence[int] = (512, 256),
    dropout: float = 0.0,
    slope: float = 0.2,
    activation: str | None = "sigmoid",
    kernel_initializer: Any = "he_uniform",
    spectral_norm: bool = False,
    minibatch_std: bool = False,
    num_classes: int | None = None,
    conditioning: Literal["projection", "concatenation", "auxiliary"] = "projection",
):
    """A discriminator of dense layers that narrow.

    Args:
        image_shape: Tuple of integers, shape of an image, `(height, width, channels)`.
        units: Integers. Units of the hidden layers.
        dropout: Float. Rate after each hidden layer; 0 leaves dropout out.
        slope: Float. Slope of LeakyReLU below zero.
        activation: Of the last layer: `"sigmoid"`, or `None` for logits. The losses use logits in both cases.
        kernel_initializer: Keras initializer of all kernels.
        spectral_norm: Whether all layers are spectrally normalized (arXiv:1802.05957).
        minibatch_std: Whether the last layer receives how much the images of a batch differ (arXiv:1710.10196).
        num_classes: Integer. Makes a class-conditional discriminator.
        conditioning: How it receives the class, as in `kgan.architectures.conditioning`: `"projection"`, `"concatenation"`
            or `"auxiliary"`.

    Returns:
        A `keras.Model`, `(batch, *image_shape)` -> `(batch, 1)`; with classes as
        `kgan.architectures.conditioning.discriminator`.

    Raises:
        ValueError: if `conditioning` is not one of these names.
    """
    normalized = SpectralNormalization if spectral_norm else lambda layer: layer

    def linear(units, **kwargs):
        return normalized(layers.Dense(units, **{"kernel_initializer": kernel_initializer, **kwargs}))

    before, stack = [keras.Input(image_shape), layers.Flatten()], []
    for width in units:
        stack += [linear(width), layers.LeakyReLU(slope)]
        if dropout:
            stack.append(layers.Dropout(dropout))
    if minibatch_std:
        stack.append(MinibatchStdDev())
    return conditional.discriminator(before, stack, linear, num_classes, conditioning, activation)
