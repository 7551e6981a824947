"""A generator as one function of named inputs: the model that is exported."""

import math
from dataclasses import asdict, dataclass

import keras
import numpy as np
from keras import ops

from kgan import backend, conditions
from kgan.checkpoints.keras_file import load_model
from kgan.conditions import together
from kgan.latents import get, seeds
from kgan.players.activation import image_range
from kgan.players.any_size import multiple_of, of_any_size

SIDE = 64  # pixels of given images to try, at least
LATENTS, LABELS, GIVEN, IMAGES = "latents", "labels", "given", "images"


@dataclass(frozen=True)
class Input:
    """An input of an export.

    Attributes:
        name: `latents`, `labels`, or `given` for what the generator is given besides, such as an image to translate.
        shape: Tuple of one example's sizes; `None` is any.
        dtype: Its type, as numpy calls it.
        meaning: What it holds, in words.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    meaning: str

    def record(self):
        return {**asdict(self), "shape": ["batch", *("any" if side is None else side for side in self.shape)]}


class Sampler:
    """A generator with all that surrounds it when images are made.

    Args:
        generator: `keras.Model`.
        condition: `kgan.conditions.Condition`; of two domains, one direction.
        latent_dim: Integer, or `None` without latents.
        latents: Their distribution, a name or a function.
        pixels: Boolean. Whether images are uint8, those that are given too.
        any_size: Boolean. Whether given images may have any size, if the generator consists of convolutions.

    Attributes:
        inputs: The `Input`s.
        image_shape: The shape of the generator's own images.
        multiple: Integer. What heights and widths of given images must be multiples of; `None` if they have one size.
        sizes: Heights and widths of given images to try: one that is no square too, where any is possible; else `None`.
    """

    def __init__(self, generator, condition, latent_dim=None, latents="normal", pixels=False, any_size=True):
        if not getattr(generator, "outputs", None):
            raise ValueError(
                f"The generator must be a Functional or Sequential model. Received: model {generator.name!r}, a "
                f"{type(generator).__name__}"
            )
        self.generator, self.condition, self.latents, self.pixels = generator, condition, latents, pixels
        self.image_range = image_range(generator)
        self.image_shape = tuple(generator.outputs[0].shape[1:])
        self.inputs, self.multiple = list[Input](), None
        self.sizes: list[tuple[int, int] | None] = [None]
        if latent_dim is not None:
            self.inputs.append(Input(LATENTS, (latent_dim,), "float32", "one row of latents for each image"))
        if condition.gives_images:
            shape = tuple(condition.specs(generator).shape[1:])
            if any_size and self._make_any_size():
                shape = (None, None, shape[-1])
            dtype, meaning = ("uint8", "pixels") if pixels else ("float32", "images in [-1, 1]")
            if isinstance(condition, conditions.Masked):
                meaning += f"; the last channel is above {127 if pixels else 0} in holes"
            self.inputs.append(Input(GIVEN, shape, dtype, meaning))
        elif len(condition.classes):
            self.inputs.append(Input(LABELS, (), "int32", f"class numbers, 0 to {len(condition.classes) - 1}"))
        elif (spec := condition.specs(generator)) is not None:
            self.inputs.append(Input(GIVEN, tuple(spec.shape[1:]), spec.dtype, "the condition"))

    def _make_any_size(self):
        """Whether the generator takes images of any size; from here on it does."""
        again = of_any_size(self.generator)
        if again is None:
            return False
        given = self.generator.inputs[-1].shape[1]
        self.multiple = multiple_of(again, self.generator, self.image_shape[0] / given)
        if self.multiple is not None:
            self.generator = again
            side = self.multiple * math.ceil(min(SIDE, given) / self.multiple)
            self.sizes = [(side, side), (side, side + self.multiple)]
        return self.multiple is not None

    def model(self):
        """A Functional `keras.Model` of a dict of the inputs, whose output is `{"images": ...}`."""
        symbols = {one.name: keras.Input(one.shape, name=one.name, dtype=one.dtype) for one in self.inputs}
        latents, given = symbols.get(LATENTS), symbols.get(GIVEN, symbols.get(LABELS))
        if self.condition.gives_images:
            given = _AsGiven(self.condition, self.pixels)(given)
        seen = self.condition.seen_by(self.generator, given, 0 if latents is None else 1)
        made = self.generator(together(latents, seen))
        finish = _Finish(self.condition, self.image_range, self.pixels, name=IMAGES)
        model = keras.Model(symbols, {IMAGES: finish(made if given is None else [made, given])})
        model(self.fixed(1, self.sizes[0]))  # Keras exports models that have been called
        return model

    def fixed(self, count, size=None):
        """The same `count` inputs at every call, a dict of arrays by their names, floats where images are given.

        Args:
            count: Integer.
            size: Tuple, height and width of given images, where they may have any.
        """
        found = {}
        for one in self.inputs:
            if one.name == LATENTS:
                found[LATENTS] = ops.convert_to_numpy(get(self.latents)((count, *one.shape), seeds(0)))
            elif one.name == LABELS:
                found[LABELS] = np.arange(count, dtype="int32") % len(self.condition.classes)
            else:
                found[GIVEN] = self._noise(count, one, size)
        return found

    def _noise(self, count, one, size):
        """Noise in the place of given images, with a hole where one is to be filled, or of another condition."""
        shape = one.shape if size is None else (*size, one.shape[-1])
        random = np.random.default_rng(0)
        if not self.condition.gives_images:
            return random.standard_normal((count, *shape)).astype(one.dtype)
        noise = random.integers(0, 256, (count, *shape)).astype("uint8")
        if isinstance(self.condition, conditions.Masked):
            height, width = shape[:2]
            noise[..., -1] = 0
            noise[:, height // 4 : height // 2, width // 4 : width // 2, -1] = 255
        return noise if self.pixels else noise / np.float32(127.5) - np.float32(1.0)


def in_single_precision(model, folder):
    """The model, or a copy of it that computes in float32, where it computes in half precision."""
    if all(layer.compute_dtype == "float32" for layer in backend.layers_in(model)):
        return model
    model.save(folder / "mixed.keras")
    copy = load_model(folder / "mixed.keras")
    for layer in backend.layers_in(copy):
        layer.dtype_policy = "float32"
    return copy


class _AsGiven(keras.layers.Layer):
    """What the condition gives, of images in [-1, 1] or of pixels; as `ImageCondition.from_user`, in the graph."""

    def __init__(self, condition, pixels):
        super().__init__()
        self.condition, self.pixels = condition, pixels

    def call(self, images):
        images = ops.cast(images, "float32") / 127.5 - 1.0 if self.pixels else images
        if isinstance(self.condition, conditions.Masked):
            return self.condition.with_masks(images[:, :, :, :-1], images[:, :, :, -1] > 0)
        return images


class _Finish(keras.layers.Layer):
    """What leaves an export: the images that the outputs mean, in [-1, 1], or as pixels."""

    def __init__(self, condition, image_range, pixels, name):
        super().__init__(name=name)
        self.condition, self.image_range, self.pixels = condition, image_range, pixels

    def call(self, inputs):
        made, given = inputs if isinstance(inputs, list) else (inputs, None)
        images = self.condition.completed(made, given)
        if self.image_range[0] == 0 and len(images.shape) == 4:
            images = 2.0 * images - 1.0
        if self.pixels:
            return ops.cast(ops.clip(ops.round((images + 1.0) * 127.5), 0.0, 255.0), "uint8")
        return images
