"""RRDBNet, the generator of ESRGAN (Wang et al., arXiv:1809.00219, section 3.1): a large image from a small one.

The trunk is made of residual-in-residual dense blocks without normalization, x + 0.2 f(f(f(x))) with

    f(x) = x + 0.2 c_5,  c_k = lrelu(3 x 3([x, c_1, ..., c_(k-1)])),

where c_5 has no LeakyReLU. It is followed, for each doubling, by nearest-neighbour interpolation and a 3 x 3 convolution.
Initial weights are those of the authors' code (BasicSR): kernels in the dense blocks He-normal times 0.1, the others
uniform within 1 / sqrt(fan_in), which is what PyTorch takes by default.
"""

from collections.abc import Sequence

import keras
from keras import layers
from keras.initializers import VarianceScaling

from kgan.architectures import given
from kgan.backend import channels_last


@channels_last()
def generator(
    image_shape: Sequence[int] = (128, 128, 3),
    latent_dim: int | None = None,
    given_shape: Sequence[int] | None = None,
    factor: int = 4,
    filters: int = 64,
    growth: int = 32,
    blocks: int = 23,
    activation: str | None = "tanh",
):
    """A deep residual network that enlarges an image.

    Example:

    >>> generator = kgan.architectures.rrdb.generator((32, 32, 3), filters=8, growth=4, blocks=1)
    >>> generator.input_shape, generator.output_shape
    ((None, 8, 8, 3), (None, 32, 32, 3))

    Args:
        image_shape: Tuple `(height, width, channels)` of the large image.
        latent_dim: Integer. Makes a generator of `[latents, given]`: the latents are appended to each pixel of the small
            image. `None` leaves latents out.
        given_shape: Tuple, the shape of the small image. By default it is `image_shape`, divided by `factor`.
        factor: Integer, a power of 2, by which the image is enlarged; 1 keeps its size. With a `given_shape` it is not used.
            (For factors below 4 BasicSR instead rearranges pixels to channels first, and enlarges by 4.)
        filters: Integer. Filters of the convolutions outside the dense blocks.
        growth: Integer. Filters of the convolutions c_1 to c_4 in a dense block.
        blocks: Integer. Residual-in-residual blocks, of 15 convolutions each.
        activation: Of the last layer: `"tanh"`, or `None` as in the paper, where values may lie outside [-1, 1].

    Returns:
        A `keras.Model`, given images `(batch, height / factor, width / factor, channels)`, or `[latents, given]`, -> images
        `(batch, height, width, channels)`. Its layers suit all sizes.

    Raises:
        ValueError: if `factor` is not a power of 2, the large image is not the small one times a power of 2, or
            `latent_dim` is not `None` or an integer above 0.
    """
    given_shape, doublings = given.to_be_enlarged("rrdb", image_shape, given_shape, factor)
    inputs, x = given.inputs(given_shape, latent_dim)
    x = start = _convolution(filters)(x)
    for _ in range(blocks):
        y = x
        for _ in range(3):
            y = _dense_block(y, growth)
        x = _plus_fifth(x, y)
    x = layers.Add()([start, _convolution(filters)(x)])
    for _ in range(doublings):
        x = layers.LeakyReLU(0.2)(_convolution(filters)(layers.UpSampling2D()(x)))
    x = layers.LeakyReLU(0.2)(_convolution(filters)(x))
    images = _convolution(image_shape[2], activation=activation)(x)
    return keras.Model(inputs, images, name="generator")


def _dense_block(x, growth):
    def convolution(width):
        start = VarianceScaling(2.0 * 0.1**2, mode="fan_in", distribution="untruncated_normal")
        return _convolution(width, kernel_initializer=start)

    features = [x, layers.LeakyReLU(0.2)(convolution(growth)(x))]
    for _ in range(3):
        features.append(layers.LeakyReLU(0.2)(convolution(growth)(layers.Concatenate()(features))))
    return _plus_fifth(x, convolution(x.shape[-1])(layers.Concatenate()(features)))


def _plus_fifth(x, residual):
    return layers.Add()([x, layers.Rescaling(0.2)(residual)])


def _convolution(width, **kwargs):
    uniform = VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")
    return layers.Conv2D(width, 3, padding="same", **{"kernel_initializer": uniform, **kwargs})
