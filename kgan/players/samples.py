"""Samples: generated images that need not be in memory all at once."""

import numpy as np
from keras import ops

from kgan import backend, pictures
from kgan.conditions import Unconditional, together
from kgan.players.activation import image_range


class Samples:
    """Images of a generator, like an array, but each is made when it is asked for.

    Args:
        generator: `keras.Model`.
        latents: Array `(n, latent_dim)`, or `None`.
        given: The values of the condition, an array of n, or `None`.
        shape: Tuple, the shape of one image.
        batch_size: Integer. Number of images that are generated at once.
        condition: `kgan.conditions.Condition`.
    """

    dtype = np.dtype("float32")

    def __init__(self, generator, latents, given, shape, batch_size=256, condition=None):
        self.generator, self.latents, self.given = generator, latents, given
        self.condition = condition or Unconditional()
        self.shape, self.batch_size = (len(given if latents is None else latents), *shape), batch_size
        self.image_range = (-1.0, 1.0)

    def standard(self):
        """Convert images of the generator's own range to [-1, 1] from here on; returns the samples."""
        self.image_range = image_range(self.generator)
        return self

    def __len__(self):
        return self.shape[0]

    def parts(self):
        """Yield all images, one batch at a time."""
        for begin in range(0, len(self), self.batch_size):
            yield self[begin : begin + self.batch_size]

    def __getitem__(self, chosen):
        """A float32 array of the images at an array or a slice of positions."""
        positions = np.arange(len(self))[chosen]
        images = np.empty((0, *self.shape[1:]), self.dtype)
        for begin in range(0, len(positions), self.batch_size):
            some = positions[begin : begin + self.batch_size]
            latents, given = (None if one is None else one[some] for one in (self.latents, self.given))
            seen = self.condition.seen_by(self.generator, given, 0 if latents is None else 1)
            inputs = together(latents, seen)
            # not `predict`, whose pipeline takes longer than the images of one batch, and stays in memory on TensorFlow
            with backend.undisturbed(), backend.by_itself(self.generator):
                made = self.generator.predict_on_batch(inputs)
                made = np.asarray(ops.convert_to_numpy(self.condition.completed(made, given)))
            if not begin:
                images = np.empty((len(positions), *made.shape[1:]), self.dtype)
            images[begin : begin + len(made)] = made
        return pictures.standard(images, self.image_range)
