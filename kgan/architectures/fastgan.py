"""The light players of FastGAN (Liu et al., arXiv:2101.04775), which learn from a hundred pictures to some thousands.

The generator begins with 4 x 4 features, and doubles them by nearest-neighbour upsampling, a 3 x 3 convolution, batch
normalization and a gated linear unit; at 8, 32, 128 and 512 pixels a block has two such convolutions. By skip-layer
excitation (section 3.1) features of 4, 8, 16 and 32 pixels scale the channels of those 16 times as large:

    y = x_high * sigmoid(1 x 1 convolution(swish(4 x 4 convolution(x_low, averaged to 4 x 4)))).

The discriminator halves the image down to 8 x 8 features, in blocks of two paths, scales their channels likewise, and judges
each 4 x 4 part of the features; a smaller one judges the image at half its size. In training it also reconstructs real
images from its features (section 3.2), as `kgan.penalties.Reconstruction` asks it to.

Widths, spectral normalization and blocks are those of the authors' code, but for three things: their blocks of two
convolutions inject noise, while here the image is a function of the latents; their generator makes the smaller image for the
discriminator too, which is an average here; and they compare reconstructions by a pretrained network.
"""

from collections.abc import Sequence

import keras
from keras import layers, ops

from kgan.architectures.halving import check_image
from kgan.architectures.normalization import normal
from kgan.arguments import Misfit
from kgan.backend import channels_last
from kgan.layers import Reconstructed, SpectralNormalization

SIZES = (32, 64, 128, 256, 512, 1024)
# pixels -> the width of features, in `filters`
OF_GENERATOR = {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 1 / 2, 512: 1 / 4, 1024: 1 / 8}
OF_DISCRIMINATOR = {8: 16, 16: 8, 32: 4, 64: 2, 128: 1, 256: 1 / 2, 512: 1 / 4, 1024: 1 / 8}
SLOPE = 0.2  # of LeakyReLU below zero


@channels_last()
def generator(
    image_shape: Sequence[int] = (256, 256, 3), latent_dim: int = 256, filters: int = 64, momentum: float = 0.9
):
    """A generator with skip-layer excitation, ending in tanh.

    Example:

    >>> kgan.architectures.fastgan.generator((64, 64, 3), filters=8).output_shape
    (None, 64, 64, 3)

    Args:
        image_shape: Tuple `(height, width, channels)`; height and width are equal, a power of 2 from 32 to 1024.
        latent_dim: Integer.
        filters: Integer. Channels of the features of 128 pixels; those of 4 pixels have 16 times as many.
        momentum: Float. Momentum of the moving statistics.

    Returns:
        A `keras.Model`, `(batch, latent_dim)` -> `(batch, height, width, channels)` in [-1, 1].

    Raises:
        ValueError: if the image has another size.
    """
    size = _side(image_shape)

    def gated(x, width):
        """x is an output of twice the width."""
        return ops.glu(layers.BatchNormalization(momentum=momentum, epsilon=1e-5)(x))

    latents = keras.Input((latent_dim,))
    first = _width(filters, OF_GENERATOR[4])
    first_layer = SpectralNormalization(layers.Dense(4 * 4 * 2 * first, use_bias=False, kernel_initializer=normal()))
    x = layers.Reshape((4, 4, 2 * first))(first_layer(latents))
    of_side = {4: gated(x, first)}
    side = 4
    while side < size:
        x, side = of_side[side], 2 * side
        width = _width(filters, OF_GENERATOR[side])
        x = gated(_convolution(2 * width, 3)(layers.UpSampling2D(interpolation="nearest")(x)), width)
        if side in (8, 32, 128, 512):
            x = gated(_convolution(2 * width, 3)(x), width)
        of_side[side] = _excited(of_side[side // 16], x) if side // 16 in of_side else x
    images = _convolution(image_shape[2], 3, activation="tanh")(of_side[size])
    return keras.Model(latents, images, name="generator")


@channels_last()
def discriminator(
    image_shape: Sequence[int] = (256, 256, 3), filters: int = 64, momentum: float = 0.9, decoders: bool = True
):
    """A discriminator that judges parts of the image at two scales, and can reconstruct it.

    Args:
        image_shape: As in `generator`; the channels may be those of several images.
        filters: Integer. Channels of the features of 128 pixels; those of 8 pixels have 16 times as many.
        momentum: Float. Momentum of the moving statistics.
        decoders: Whether it can reconstruct images. The penalty `Reconstruction` trains the decoders; without it leave them
            out.

    Returns:
        A `keras.Model`, `(batch, height, width, channels)` -> two maps of logits, `(batch, 5, 5, 1)`.

    Raises:
        ValueError: if the image has another size.
    """
    size = _side(image_shape)
    images = keras.Input(image_shape)

    def width_of(side):
        return _width(filters, OF_DISCRIMINATOR[side])

    def activated(x):
        return layers.LeakyReLU(SLOPE)(layers.BatchNormalization(momentum=momentum, epsilon=1e-5)(x))

    def block(x, side):
        """Half the size, by two paths of which the mean is taken."""
        width = width_of(side)
        main = activated(_convolution(width, 4, 2)(x))
        main = activated(_convolution(width, 3)(main))
        direct = activated(_convolution(width, 1)(layers.AveragePooling2D(2)(x)))
        return layers.Average()([main, direct])

    def logits(x):
        return _convolution(1, 4, padding="valid")(x)

    side = min(size, 256)
    stride = size // side
    x = _convolution(width_of(side), 3 if stride == 1 else 2 * stride, stride)(images)
    levels = [layers.LeakyReLU(SLOPE)(x)]
    while side > 8:
        side //= 2
        x = block(levels[-1], side)
        x = _excited(levels[-3], x) if len(levels) > 2 else x
        # decoders of 8 x 8 features for the whole image, and of a quarter of the 16 x 16 ones for that part of it
        if decoders and side <= 16:
            x = Reconstructed(filters, whole=side == 8)([x, images])
        levels.append(x)
    of_image = logits(activated(_convolution(width_of(16), 1)(levels[-1])))
    side = size // 4
    x = layers.LeakyReLU(SLOPE)(_convolution(width_of(side), 4, 2)(layers.AveragePooling2D(2)(images)))
    while side > 8:
        side //= 2
        x = activated(_convolution(width_of(side), 4, 2)(x))
    return keras.Model(images, [of_image, logits(x)], name="discriminator")


def _side(image_shape):
    """The side of square images of one of the sizes."""
    check_image("image_shape", "fastgan", image_shape)
    height, width, _ = image_shape
    if height != width or height not in SIZES:
        nearest = min(SIZES, key=lambda side: abs(side - max(height, width)))
        raise Misfit(
            f"fastgan makes square images of {', '.join(map(str, SIZES))} pixels. Received: {height} x {width}",
            size=nearest,
        )
    return height


def _width(filters, times):
    return max(1, int(filters * times))


def _convolution(width, kernel_size, stride=1, padding="same", **kwargs):
    return SpectralNormalization(
        layers.Conv2D(
            width, kernel_size, stride, padding=padding, use_bias=False, kernel_initializer=normal(), **kwargs
        )
    )


def _excited(low, high):
    """Skip-layer excitation: the channels of `high` scaled by what `low` says."""
    width = high.shape[-1]
    x = layers.AveragePooling2D(low.shape[1] // 4)(low) if low.shape[1] > 4 else low
    x = ops.silu(_convolution(width, 4, padding="valid")(x))
    return layers.Multiply()([high, _convolution(width, 1, activation="sigmoid")(x)])
