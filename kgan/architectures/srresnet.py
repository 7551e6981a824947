"""SRResNet, the generator of SRGAN (Ledig et al., arXiv:1609.04802, figure 4): a large image from a small one.

A 9 x 9 convolution; residual blocks x + norm(3 x 3(prelu(norm(3 x 3(x))))) of the small size, with a skip over all of
them; for each doubling a 3 x 3 convolution to four times the channels and a pixel shuffle; a 9 x 9 convolution.
"""

from collections.abc import Sequence

import keras
from keras import layers

from kgan.architectures import given
from kgan.architectures.normalization import Norm, check_norm, normal, normalized
from kgan.backend import channels_last
from kgan.layers import PixelShuffle


@channels_last()
def generator(
    image_shape: Sequence[int] = (96, 96, 3),
    latent_dim: int | None = None,
    given_shape: Sequence[int] | None = None,
    factor: int = 4,
    filters: int = 64,
    blocks: int = 16,
    norm: Norm = "batch",
):
    """A residual network that enlarges an image, ending in tanh.

    Tanh is not in the paper's figure; the code that it is known by, TensorLayer's, has it, and its initial weights. A PReLU
    has one slope, 1/4 at first. The convolutions have biases, also those that a normalization follows.

    Example:

    >>> generator = kgan.architectures.srresnet.generator((32, 32, 3), factor=4, filters=8, blocks=2)
    >>> generator.input_shape, generator.output_shape
    ((None, 8, 8, 3), (None, 32, 32, 3))

    Args:
        image_shape: Tuple `(height, width, channels)` of the large image.
        latent_dim: Integer. Makes a generator of `[latents, given]`: the latents are appended to each pixel of the small
            image. `None` leaves latents out.
        given_shape: Tuple, the shape of the small image. By default it is `image_shape`, divided by `factor`.
        factor: Integer, a power of 2, by which the image is enlarged; 1 keeps its size. With a `given_shape` it is not used.
        filters: Integer. Filters of all convolutions but those before a pixel shuffle, and the last one.
        blocks: Integer. Residual blocks.
        norm: `"batch"`, `"instance"` or `None`.

    Returns:
        A `keras.Model`, given images `(batch, height / factor, width / factor, channels)`, or `[latents, given]`, -> images
        `(batch, height, width, channels)` in [-1, 1]. Its layers suit all sizes.

    Raises:
        ValueError: if `factor` is not a power of 2, the large image is not the small one times a power of 2, or `norm` or
            `latent_dim` is not one of these values.
    """
    given_shape, doublings = given.to_be_enlarged("srresnet", image_shape, given_shape, factor)
    check_norm("srresnet", norm)
    inputs, x = given.inputs(given_shape, latent_dim)
    x = start = _prelu(_convolution(filters, 9)(x))
    for _ in range(blocks):
        y = _prelu(normalized(norm, _convolution(filters)(x)))
        x = layers.Add()([x, normalized(norm, _convolution(filters)(y))])
    x = layers.Add()([start, normalized(norm, _convolution(filters)(x))])
    for _ in range(doublings):
        x = _prelu(PixelShuffle(2)(_convolution(4 * filters)(x)))
    images = _convolution(image_shape[2], 9, activation="tanh")(x)
    return keras.Model(inputs, images, name="generator")


def _convolution(width, size=3, **kwargs):
    return layers.Conv2D(width, size, padding="same", kernel_initializer=normal(), **kwargs)


def _prelu(x):
    return layers.PReLU(keras.initializers.Constant(0.25), shared_axes=[1, 2, 3])(x)
