"""What players that receive an image have in common: their inputs, and the sizes that the given image may have."""

import math

import keras
from keras import layers, ops
from keras.saving import register_keras_serializable

from kgan.architectures.halving import check_image, check_multiples
from kgan.arguments import Misfit, integer


@register_keras_serializable("kgan")
class JoinLatents(layers.Layer):
    """Appends latents to an image as channels, the same at every position (as BicycleGAN does, arXiv:1711.11586).

    It is called with `[latents, images]`.

    Example:

    >>> latents, images = np.array([[1.0, 2.0]]), np.zeros((1, 4, 4, 3))
    >>> joined = kgan.architectures.given.JoinLatents()([latents, images])
    >>> ops.convert_to_numpy(joined)[0, 3, 0].tolist()
    [0.0, 0.0, 0.0, 1.0, 2.0]
    """

    def call(self, inputs):
        latents, images = inputs
        return ops.concatenate([images, latents[:, None, None, :] * ops.ones_like(images[..., :1])], axis=-1)

    def compute_output_shape(self, input_shape):
        latents, images = input_shape
        return (*images[:-1], images[-1] + latents[-1])


def inputs(given_shape, latent_dim=None):
    """The inputs of a generator that receives an image.

    Args:
        given_shape: Tuple `(height, width, channels)`.
        latent_dim: Integer; `None` for a generator without latents.

    Returns:
        The inputs of the model, the given image or `[latents, given]`; and the tensor for its first layer.

    Raises:
        ValueError: if `latent_dim` is not `None` or an integer above 0.
    """
    given = keras.Input(given_shape, name="given")
    if latent_dim is None:
        return given, given
    latents = keras.Input((integer("latent_dim", latent_dim, at_least=1),), name="latents")
    return [latents, given], JoinLatents()([latents, given])


def of_same_size(family, image_shape, given_shape=None, **instead):
    """Return the shape of a given image with the height and width of the other; by default it has its channels too.

    Raises:
        Misfit: with what fits `instead`, if it has another height or width.
    """
    check_image("image_shape", family, image_shape)
    if given_shape is None:
        return image_shape
    check_image("given_shape", family, given_shape)
    if list(given_shape[:2]) != list(image_shape[:2]):
        height, width, _ = image_shape
        raise Misfit(
            f"`given_shape` of {family} must have the height and width of `image_shape`, {height} x {width}. "
            f"Received: {given_shape!r}",
            **instead,
        )
    return given_shape


def to_be_enlarged(family, image_shape, given_shape=None, factor=4):
    """Return the shape of a small given image, and how often it is doubled.

    Args:
        family: String. What the error messages call the architecture.
        image_shape: Tuple `(height, width, channels)` of the large image.
        given_shape: Tuple, the shape of the small image; `None` for `image_shape` divided by `factor`.
        factor: Integer, a power of 2; not used if there is a `given_shape`.

    Raises:
        ValueError: if `factor` is not a power of 2.
        Misfit: if `image_shape` cannot be divided by it, or is not `given_shape` times a power of 2.
    """
    check_image("image_shape", family, image_shape)
    height, width, channels = image_shape
    if given_shape is None:
        factor = integer("factor", factor, at_least=1, of=family)
        if factor & (factor - 1):
            raise ValueError(f"`factor` of {family} must be a power of 2. Received: {factor!r}")
        check_multiples(f"`factor` of {family} is {factor}", image_shape, factor)
        return (height // factor, width // factor, channels), factor.bit_length() - 1
    check_image("given_shape", family, given_shape)
    given_height, given_width, given_channels = given_shape
    shared = math.gcd(height, width)
    most = (shared & -shared).bit_length() - 1  # how often both can be halved
    level = min(most, max(0, round(math.log2(height / max(1, given_height)))))
    if (height, width) == (given_height << level, given_width << level):
        return given_shape, level
    fitting = (height >> level, width >> level, given_channels)
    raise Misfit(
        f"`given_shape` of {family} must be that of an image of {height} x {width}, divided by a power of 2. "
        f"Received: {given_shape!r}; the nearest that fits is {fitting!r}."
    )
