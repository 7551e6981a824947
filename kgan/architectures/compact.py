"""A generator that makes good pictures from little computation: a DCGAN (arXiv:1511.06434) with two changes.

Its features are gated linear units of batch-normalized transposed convolutions, as in FastGAN (arXiv:2101.04775). The last
doubling is bilinear, with a 3 x 3 convolution, since transposed ones leave a checkerboard of single pixels
(https://distill.pub/2016/deconv-checkerboard). docs/performance.md says what each is worth. The discriminator beside it is
`dcgan.discriminator` with `base: 4` and `minibatch_std: true`.
"""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers, ops

from kgan.architectures import conditioning as conditional
from kgan.architectures.halving import halvings
from kgan.backend import channels_last


@channels_last()
def generator(
    image_shape: Sequence[int] = (64, 64, 3),
    latent_dim: int = 128,
    filters: int = 12,
    momentum: float = 0.9,
    num_classes: int | None = None,
    conditioning: Literal["concatenation", "batch_norm"] = "concatenation",
):
    """A generator of gated transposed convolutions from 4 x 4 features, or 7 x 7 for images of 28, ending in tanh.

    Example:

    >>> kgan.architectures.compact.generator((64, 64, 3)).count_params()
    588519

    Args:
        image_shape: Tuple `(height, width, channels)`; height and width must be multiples of 4.
        latent_dim: Integer.
        filters: Integer. Channels of the features of half the image's size; smaller ones have twice as many each time.
        momentum: Float. Momentum of the moving statistics.
        num_classes: Integer. Makes a class-conditional generator.
        conditioning: How it receives the class, as in `kgan.architectures.conditioning`: `"concatenation"` or
            `"batch_norm"`.

    Returns:
        A `keras.Model`, `(batch, latent_dim)` -> `(batch, height, width, channels)` in [-1, 1]; with classes
        `[latents, labels]` -> images.

    Raises:
        ValueError: if the image cannot be halved twice, or `conditioning` is not one of these names.
    """
    count = halvings("compact", image_shape, base=4, least=2)
    height, width = (side >> count for side in image_shape[:2])
    inputs, latents, normalized = conditional.latents_and_labels(latent_dim, num_classes, conditioning)

    def gated(x):
        return ops.glu(normalized(conditional.batch_norm(num_classes, conditioning, momentum=momentum), x))

    deepest = 2 * (filters << count - 1)  # half of it are gates
    x = layers.Dense(height * width * deepest, use_bias=False)(latents)
    x = gated(layers.Reshape((height, width, deepest))(x))
    for level in reversed(range(count - 1)):
        x = gated(layers.Conv2DTranspose(2 * (filters << level), 4, 2, padding="same", use_bias=False)(x))
    x = layers.UpSampling2D(interpolation="bilinear")(x)
    images = layers.Conv2D(image_shape[2], 3, padding="same", activation="tanh")(x)
    return keras.Model(inputs, images, name="generator")
