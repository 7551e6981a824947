"""The U-Net of Pix2Pix (Isola et al., arXiv:1611.07004, section 6.1.1): an image from an image of the same size.

The given image is halved n times, until it has one pixel, or an odd height or width, and doubled again. Each block of the
decoder but the first also receives the features of the encoder that have the same size:

    e_k = norm(4 x 4(leaky relu(e_(k-1)))),  y_k = dropout(norm(4 x 4 transposed(relu([e_(n-k+1), y_(k-1)])))),

all with stride 2. The first and the last convolution of the encoder are not normalized, nor is the output, tanh. ReLU comes
after the concatenation, as in both codes of the authors; in the TensorFlow tutorial it comes before, which is another
network.
"""

from collections.abc import Sequence

import keras
from keras import layers

from kgan.architectures import given
from kgan.architectures.halving import check_multiples, halvings
from kgan.architectures.normalization import Norm, check_norm, has_bias, normal, normalized
from kgan.arguments import integer
from kgan.backend import channels_last


@channels_last()
def generator(
    image_shape: Sequence[int] = (256, 256, 3),
    latent_dim: int | None = None,
    given_shape: Sequence[int] | None = None,
    filters: int = 64,
    downs: int | None = None,
    norm: Norm = "batch",
    dropout: float = 0.5,
):
    """A U-Net, ending in tanh.

    The decoder has dropout after its first three blocks, as in the paper, or fewer if it is shallow: `downs - 4`, at least
    one. (The authors' PyTorch code has it after blocks 2 to 4, and not at all if `downs` is 5.) Batches of one image need
    `norm="instance"`, or batch normalization that is never in inference mode.

    Example:

    >>> generator = kgan.architectures.unet.generator((32, 32, 3), given_shape=(32, 32, 1), filters=8)
    >>> generator.input_shape, generator.output_shape
    ((None, 32, 32, 1), (None, 32, 32, 3))

    Args:
        image_shape: Tuple `(height, width, channels)`; height and width must be multiples of 2 to the power of `downs`.
        latent_dim: Integer. Makes a generator of `[latents, given]`: the latents are appended to each pixel, as in
            BicycleGAN (arXiv:1711.11586). `None` leaves latents out.
        given_shape: Tuple, the shape of the given image, `image_shape` by default. It may have other channels, such as 1 for
            a grey image, or 4 for an image and a mask.
        filters: Integer. Filters of the first layer; each later one has twice as many, up to 8 times as many.
        downs: Integer, 2 or more. How often the image is halved; by default as often as possible, 8 times at most.
        norm: `"batch"`, `"instance"` or `None`. With `"batch"` the only bias is that of the last convolution.
        dropout: Float. Rate; 0 leaves dropout out.

    Returns:
        A `keras.Model`, given images `(batch, height, width, channels)`, or `[latents, given]`, -> images
        `(batch, height, width, channels)` in [-1, 1]. Its layers suit all sizes that can be halved as often.

    Raises:
        ValueError: if the image cannot be halved as often, at least twice; the given image has another size; or `norm`,
            `downs` or `latent_dim` is not one of these values.
    """
    given_shape = given.of_same_size("unet", image_shape, given_shape)
    check_norm("unet", norm)
    if downs is None:
        downs = min(8, halvings("unet", image_shape, base=1, least=2))
    downs = integer("downs", downs, at_least=2, of="unet")
    check_multiples(f"`downs` of unet is {downs}", image_shape, 2**downs)
    widths = [filters * min(8, 2**level) for level in range(downs)]
    with_dropout = max(1, min(3, downs - 4)) if dropout else 0

    inputs, x = given.inputs(given_shape, latent_dim)
    skips = []
    for level, width in enumerate(widths):
        x = layers.LeakyReLU(0.2)(x) if level else x
        x = layers.Conv2D(width, 4, 2, "same", use_bias=has_bias(norm), kernel_initializer=normal())(x)
        x = normalized(norm, x) if 0 < level < downs - 1 else x
        skips.append(x)
    x = skips.pop()
    for block, width in enumerate(reversed(widths[:-1])):
        x = layers.ReLU()(x)
        x = layers.Conv2DTranspose(width, 4, 2, "same", use_bias=has_bias(norm), kernel_initializer=normal())(x)
        x = normalized(norm, x)
        x = layers.Dropout(dropout)(x) if block < with_dropout else x
        x = layers.Concatenate()([skips.pop(), x])
    last = layers.Conv2DTranspose(image_shape[2], 4, 2, "same", activation="tanh", kernel_initializer=normal())
    return keras.Model(inputs, last(layers.ReLU()(x)), name="generator")
