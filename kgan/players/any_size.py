"""A generator of images to images, applied to an image of any size."""

import math

import keras
import numpy as np
from keras import ops

from kgan import backend
from kgan.conditions import together

AT_ONCE = 2**20  # pixels of the output that are computed at once


class AnySize:
    """Applies a generator to images of any size.

    A generator of convolutions is made again for images of any height and width. An image is padded by reflection to the
    next size that the generator can halve as often as it needs to, and the result is cropped. An image whose result has more
    than a million pixels is cut into overlapping tiles, whose results fade into each other. A generator that takes one size
    alone, such as one with a dense layer, gets all images as tiles of that size.

    Args:
        generator: `keras.Model` that takes what is given, or `[latents, given]`.
        condition: `kgan.conditions.Condition`.
        latents: Array `(1, latent_dim)`, or `None`.
        at_once: Integer. The number of pixels of a result that are computed at once.

    Attributes:
        scale: Float. How many times as high and wide as the given image the result is.
        multiple: Integer. Height and width of what the generator is applied to are multiples of it.
    """

    def __init__(self, generator, condition, latents=None, at_once=AT_ONCE):
        self.condition, self.latents = condition, latents
        self.channels = condition.specs(generator).shape[-1]
        # the last inputs are those of what is given
        (height, width), made = generator.inputs[-1].shape[1:3], generator.outputs[0].shape[1:3]
        self.scale = made[0] / height
        again = of_any_size(generator)
        self.model = generator if again is None else again
        self.multiple = None if again is None else multiple_of(again, generator, self.scale)
        if self.multiple is None:
            self.model, self.tile = generator, (height, width)
        else:
            most = math.sqrt(at_once) / self.scale
            side = max(self.multiple, int(most) // self.multiple * self.multiple)
            self.tile = (side, side)

    def __call__(self, given):
        """Return the generator's image, `(height, width, channels)`, for what is given, an array of one image."""
        height, width = given.shape[:2]
        if self.multiple is None or math.prod(self.tile) < height * width:
            return self._in_tiles(given)
        padded = [-(-side // self.multiple) * self.multiple for side in (height, width)]
        return self._cropped(self._apply(_padded(given, padded)), height, width)

    def _apply(self, given):
        given = given[None].astype("float32")
        seen = self.condition.seen_by(self.model, given, 0 if self.latents is None else 1)
        with backend.undisturbed():
            made = self.model.predict_on_batch(together(self.latents, seen))
        return np.asarray(ops.convert_to_numpy(self.condition.completed(made, given)))[0]

    def _cropped(self, made, height, width):
        return made[: round(height * self.scale), : round(width * self.scale)]

    def _in_tiles(self, given):
        height, width = given.shape[:2]
        rows, columns = (_begins(side, tile) for side, tile in zip((height, width), self.tile, strict=True))
        padded = _padded(given, [max(side, tile) for side, tile in zip((height, width), self.tile, strict=True)])
        size = [round(side * self.scale) for side in padded.shape[:2]]
        fading = np.outer(*(_fading(round(tile * self.scale)) for tile in self.tile))[..., None]
        total, weights = np.zeros((*size, 1), "float32"), np.zeros((*size, 1), "float32")
        for top in rows:
            for left in columns:
                made = self._apply(padded[top : top + self.tile[0], left : left + self.tile[1]])
                total = total if total.shape[2] == made.shape[2] else np.zeros((*size, made.shape[2]), "float32")
                (down, right), (tall, wide) = (round(one * self.scale) for one in (top, left)), made.shape[:2]
                total[down : down + tall, right : right + wide] += fading * made
                weights[down : down + tall, right : right + wide] += fading
        return self._cropped(total / weights, height, width)


def of_any_size(generator):
    """The same generator for images of any height and width, with the same weights; `None` if it takes one size alone."""
    inputs = [
        keras.Input(one.shape[1:] if len(one.shape) != 4 else (None, None, one.shape[-1])) for one in generator.inputs
    ]
    try:
        again = keras.models.clone_model(generator, input_tensors=together(*inputs))
        again.set_weights(generator.get_weights())
    except Exception:  # of any of its layers
        return None
    return again


def multiple_of(model, generator, scale):
    """The least power of 2 that height and width must be multiples of; `None` if no power of 2 is enough."""
    least, sides = 1, generator.inputs[-1].shape[1:3]
    while least <= max(sides):
        # multiples of this power of 2, and of no larger one
        size = [(-(-side // least) | 1) * least for side in sides]
        if _fits(model, size, scale):
            return least
        least *= 2
    return None


def _fits(model, size, scale):
    """Whether a model can be applied to images of that size; only the trial tells, since layers are not all checked."""
    shapes = [one.shape[1:] if len(one.shape) != 4 else (*size, one.shape[-1]) for one in model.inputs]
    try:
        made = model(together(*(ops.zeros((1, *shape)) for shape in shapes)), training=False)
    except Exception:  # of any of its layers, and of any engine
        return False
    return tuple(made.shape[1:3]) == tuple(round(side * scale) for side in size)


def _padded(image, size):
    """An image with reflections below it and to its right."""
    more = [(0, wanted - there) for there, wanted in zip(image.shape[:2], size, strict=True)]
    return np.pad(image, [*more, (0, 0)], "reflect" if min(image.shape[:2]) > 1 else "edge")


def _begins(side, tile):
    """Where tiles begin that cover a side, with an overlap of at least a quarter."""
    if side <= tile:
        return [0]
    count = 1 + math.ceil((side - tile) / (tile - max(1, tile // 4)))
    return np.linspace(0, side - tile, count).round().astype(int).tolist()


def _fading(side):
    """Weights that rise from the edges of a tile to a quarter of it."""
    edge = np.minimum(np.arange(side) + 1, side - np.arange(side))
    return np.minimum(edge / max(1, side // 4), 1.0).astype("float32")
