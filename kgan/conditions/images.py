"""Conditions that give the generator an image: pairs, and those that make it from the real image."""

import abc
import math

import keras
import numpy as np
from keras import ops
from keras.saving import register_keras_serializable

from kgan import latents
from kgan.conditions.batch import no_weights, scaled, unpacked
from kgan.conditions.condition import Condition, shown
from kgan.pictures import LUMA, floats


class ImageCondition(Condition):
    """A condition whose value is an image, or several, each `(batch, height, width, channels)` in [-1, 1].

    The generator takes what is given, or `[latents, given]` for a GAN with `latent_dim`; the discriminator takes the image,
    or `[image, given]` if it has two inputs.

    Attributes:
        keeps_opacity: Whether transparent parts of a picture that is translated stay transparent.
    """

    what = "the images given"
    gives_images = True
    keeps_opacity = True

    def drawn(self, given):
        """Return what is given as images `(n, height, width, channels)` in [-1, 1] to be drawn beside generated ones."""
        return given

    def specs(self, generator):
        return keras.KerasTensor((None, *_inputs(generator)[-1].shape[1:]))

    def player_arguments(self, image_shape=None, given_shape=None):
        return {"given_shape": given_shape}

    def of_picture(self, pixels, opacity, channels):
        """Return what the generator is given for a picture, floats `(height, width, channels)`.

        Args:
            pixels: uint8 array `(height, width, 3)` of colours.
            opacity: uint8 array `(height, width)`, or `None` for a picture without transparent parts.
            channels: Integer, the number of channels.

        Raises:
            ValueError: if the condition cannot use that picture.
        """
        colours = floats(pixels)
        if channels == 1:
            return np.asarray(ops.convert_to_numpy(grey(ops.convert_to_tensor(colours))))
        if channels != 3:
            raise ValueError(f"the generator takes images of {channels} channels, and pictures have 1 or 3")
        return colours

    def from_user(self, images, image_shape, given_shape, seeds):
        """Return what the generator is given for images that a user wants to translate, an array; see `GAN.translate`.

        Args:
            images: Array.
            image_shape: Tuple, the shape of one of the generator's images.
            given_shape: Tuple, the shape of what it is given for one.
            seeds: A `keras.random.SeedGenerator` to draw with.
        """
        if len(np.shape(images)) != 4 or np.shape(images)[1:] != given_shape:
            raise ValueError(
                f"The images to translate must have the shape of the generator's input, {shown(given_shape)}. "
                f"Received: an array of shape {np.shape(images)}"
            )
        images = np.asarray(images)
        found = np.asarray(ops.convert_to_numpy(scaled(images)))
        if not (found.size == 0 or found.min() >= -1.001 and found.max() <= 1.001):
            raise ValueError(
                "The images to translate must be uint8, or floats in [-1, 1]. "
                f"Received: {images.dtype} from {images.min():g} to {images.max():g}"
            )
        return found

    def check_players(self, generator, discriminator, pack):
        if pack > 1:
            raise ValueError(
                f"`pack` must be 1 with the condition {type(self).__name__}, since each image comes with one that is given. "
                f"Received: pack={pack}"
            )
        _inputs(generator)


def _inputs(generator):
    """The symbolic inputs of a generator.

    Raises:
        ValueError: if they are not known.
    """
    inputs = getattr(generator, "inputs", None)
    if not inputs or not getattr(generator, "outputs", None):
        raise ValueError(
            f"The shapes of the generator's inputs are not known: model {generator.name!r} is a {type(generator).__name__}. "
            "Make it a Functional model: x = keras.Input(shape); keras.Model(x, model(x))."
        )
    return inputs


def shapes_given(player, others):
    """The shapes of the inputs of a player that come after the first `others`; empty if they are not known."""
    return [tuple(one.shape) for one in (getattr(player, "inputs", None) or ())[others:]]


# what the two images of a pair may be called in a mapping or a file; the first names that are there are used
PAIRS = (("a", "b"), ("sources", "targets"), ("source", "target"), ("given", "real"), ("input", "target"), ("x", "y"))


def two_of(element, refuse):
    """The two images of a dataset's element, a tuple; `refuse(received)` raises where there are not two."""
    if isinstance(element, dict):
        for source, target in PAIRS:
            if source in element and target in element:
                return element[source], element[target]
        refuse(f"a mapping with the keys {', '.join(map(repr, element))}")
    if not isinstance(element, list | tuple):
        refuse("images alone")
    if len(element) == 3 and element[2] is not None:
        raise no_weights("a batch of three parts, the last of which would be `sample_weight`")
    if len(element) < 2 or element[1] is None:
        refuse("images alone")
    return tuple(element[:2])


@register_keras_serializable("kgan")
class Pairs(ImageCondition):
    """Images to images, learned from pairs: Pix2Pix (Isola et al., arXiv:1611.07004).

    A batch is a pair of images, the source and the target: `fit(sources, targets)`. The generator is given the source.

    Example:

    >>> sources, targets = np.zeros((2, 8, 8, 1), "uint8"), np.full((2, 8, 8, 3), 255, "uint8")
    >>> given, real = kgan.conditions.Pairs().read((sources, targets))
    >>> given.shape, real.shape
    ((2, 8, 8, 1), (2, 8, 8, 3))
    """

    watched, needs_pairs = ("given",), True

    def read(self, data):
        return self.select(data)

    def select(self, element):
        return two_of(element, self._refuse)

    def shapes_in_data(self, image_shape, given_shape):
        return given_shape, image_shape

    def _refuse(self, received):
        raise ValueError(
            "A GAN with the condition Pairs trains on pairs of images, fit(sources, targets), or on a dataset of tuples "
            f"(sources, targets). Received: {received}"
        )

    def prepared(self, given, real, seeds):
        return scaled(given)

    def watch(self, data):
        given, _ = self.select(data)
        return {"given": given} if "float" in keras.backend.standardize_dtype(given.dtype) else {}

    def check_range(self, name, low, high):
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError("The images given must be finite. Received: NaN or infinity")
        if low < -1.001 or high > 1.001:
            raise ValueError(
                f"The images given must be uint8, or floats in [-1, 1]. Received: floats from {low:g} to {high:g}. "
                "For values in [0, 255], x / 127.5 - 1 scales them."
            )


class Derived(ImageCondition):
    """A condition that is made from the real image, so that images alone are enough data.

    A subclass defines `given(images, seeds)`.

    Example:

    >>> @keras.saving.register_keras_serializable("mine")
    ... class Mirrored(kgan.conditions.Derived):
    ...     def given(self, images, seeds=None):
    ...         return images[:, :, ::-1]
    >>> Mirrored().given(np.array([[[[1.0], [2.0]]]])).ravel().tolist()
    [2.0, 1.0]
    """

    @abc.abstractmethod
    def given(self, images, seeds=None):
        """Return what the generator is given, in [-1, 1].

        Args:
            images: Real images `(batch, height, width, channels)`, floats in [-1, 1].
            seeds: A `keras.random.SeedGenerator` to draw with. `None` draws the same in each call.
        """

    def read(self, data):
        return None, unpacked(data)[0]

    def select(self, element):
        return (unpacked(element)[0],)

    def shapes_in_data(self, image_shape, given_shape):
        return image_shape, ()

    def labels(self, y):
        return None

    def prepared(self, given, real, seeds):
        return self.given(real, seeds)

    def specs(self, generator):
        _inputs(generator)
        return keras.KerasTensor((None, *self.given_shape(generator.output_shape[1:])))

    def from_user(self, images, image_shape, given_shape, seeds):
        shape = np.shape(images)
        if len(shape) == 4 and shape[1:] == image_shape != given_shape and shape[-1] != given_shape[-1]:
            real = super().from_user(images, image_shape, image_shape, seeds)
            return np.asarray(ops.convert_to_numpy(self.given(ops.convert_to_tensor(real), seeds)))
        return super().from_user(images, image_shape, given_shape, seeds)

    def of_picture(self, pixels, opacity, channels):
        colours = super().of_picture(pixels, opacity, 3)
        return ops.convert_to_numpy(self.given(ops.convert_to_tensor(colours[None]), latents.seeds(0)))[0]

    def given_shape(self, image_shape):
        """The shape of what is given for an image of that shape, without the batch."""
        return tuple(self.given(ops.zeros((1, *image_shape))).shape[1:])

    def player_arguments(self, image_shape=None, given_shape=None):
        return {"given_shape": self.given_shape(image_shape)}


def grey(images):
    """Colours `(..., 3)` as grey `(..., 1)` by ITU-R 601 luma; grey images are not changed."""
    if images.shape[-1] == 1:
        return images
    return ops.sum(images[..., :3] * ops.convert_to_tensor(LUMA, images.dtype), axis=-1, keepdims=True)
