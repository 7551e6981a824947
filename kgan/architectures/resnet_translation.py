"""The generator of CycleGAN (Zhu et al., arXiv:1703.10593, section 7.2): an image from an image of the same size.

A 7 x 7 convolution; two 3 x 3 convolutions that halve the image; residual blocks

    x + norm(3 x 3(relu(norm(3 x 3(x)))));

two transposed 3 x 3 convolutions that double it again; a 7 x 7 convolution, and tanh. The convolutions of stride 1 see
the image continued by its reflection, those of stride 2 by zeros. All but the last one are normalized, and ReLU follows
all but that one and those at the end of a block. In the paper's names it is c7s1-64, d128, d256, nine R256, u128, u64,
c7s1-3.
"""

from collections.abc import Sequence

import keras
from keras import layers

from kgan.architectures import given
from kgan.architectures.halving import check_multiples
from kgan.architectures.normalization import Norm, check_norm, has_bias, normal, normalized
from kgan.backend import channels_last
from kgan.layers import ReflectionPadding2D


@channels_last()
def generator(
    image_shape: Sequence[int] = (256, 256, 3),
    latent_dim: int | None = None,
    given_shape: Sequence[int] | None = None,
    filters: int = 64,
    blocks: int = 9,
    norm: Norm = "instance",
):
    """A residual network that keeps the size of an image, ending in tanh.

    The authors take nine blocks for images of 256 pixels, and six for 128. As in their code, convolutions have biases
    also before an instance normalization, which subtracts them again.

    Example:

    >>> generator = kgan.architectures.resnet_translation.generator((32, 48, 3), given_shape=(32, 48, 1), filters=4)
    >>> generator.input_shape, generator.output_shape
    ((None, 32, 48, 1), (None, 32, 48, 3))

    Args:
        image_shape: Tuple `(height, width, channels)`; height and width must be multiples of 4, and 8 or more.
        latent_dim: Integer. Makes a generator of `[latents, given]`: the latents are appended to each pixel. `None`
            leaves latents out.
        given_shape: Tuple, the shape of the given image, `image_shape` by default; it may have other channels.
        filters: Integer. Filters of the first layer. After each halving there are twice as many.
        blocks: Integer. Residual blocks, at a quarter of the height and width.
        norm: `"batch"`, `"instance"` or `None`. With `"batch"` the only bias is that of the last convolution.

    Returns:
        A `keras.Model`, given images `(batch, height, width, channels)`, or `[latents, given]`, -> images
        `(batch, height, width, channels)` in [-1, 1]. Its layers suit all sizes that are valid.

    Raises:
        ValueError: if height or width is not valid, the given image has another size, or `norm` or `latent_dim` is not
            one of these values.
    """
    family = "resnet_translation"
    given_shape = given.of_same_size(family, image_shape, given_shape)
    check_norm(family, norm)
    check_multiples(f"{family} halves an image twice and reflects the result", image_shape, 4, least=8)

    def convolution(x, width, size=3, stride=1):
        x = layers.ZeroPadding2D(1)(x) if stride > 1 else ReflectionPadding2D(size // 2)(x)
        x = layers.Conv2D(width, size, stride, use_bias=has_bias(norm), kernel_initializer=normal())(x)
        return normalized(norm, x)

    inputs, x = given.inputs(given_shape, latent_dim)
    x = layers.ReLU()(convolution(x, filters, size=7))
    for width in (2 * filters, 4 * filters):
        x = layers.ReLU()(convolution(x, width, stride=2))
    for _ in range(blocks):
        y = layers.ReLU()(convolution(x, 4 * filters))
        x = layers.Add()([x, convolution(y, 4 * filters)])
    for width in (2 * filters, filters):
        x = layers.Conv2DTranspose(width, 3, 2, use_bias=has_bias(norm), kernel_initializer=normal())(x)
        x = layers.Cropping2D(((1, 0), (1, 0)))(
            x
        )  # PyTorch's padding; Keras' "same" leaves out the last row and column
        x = layers.ReLU()(normalized(norm, x))
    x = ReflectionPadding2D(3)(x)
    images = layers.Conv2D(image_shape[2], 7, activation="tanh", kernel_initializer=normal())(x)
    return keras.Model(inputs, images, name="generator")
