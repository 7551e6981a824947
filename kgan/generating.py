"""What a GAN is used for: images of latents, of a condition, of other images."""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from kgan.arguments import integer
from kgan.latents import seeds as seeds_of
from kgan.players.samples import Samples


class Generating:
    """The methods of a GAN that make images, from the averaged generator if there is one."""

    condition: Any
    image_shape: tuple[int, ...]
    given_shape: tuple[int, ...] | None
    latent_dim: int | None
    sampling_generator: Any
    sync: Callable
    _sample: Callable

    def generate(self, n, seed=None, batch_size=256, labels=None):
        """Generate images with the averaged generator if there is one, otherwise with the trained one.

        Args:
            n: Integer. Number of images.
            seed: Integer. The same seed gives the same images. `None` draws a random seed.
            batch_size: Integer. Number of images that are generated at once.
            labels: The condition of the images. With `num_classes` it is an integer, the class of all images, or integers
                `(n,)`; `None` draws classes uniformly. Classes are drawn after the latents, so that the same seed gives the
                same latents with any labels.

        Returns:
            A float32 array `(n, height, width, channels)` in the generator's own range, `image_range`.

        Raises:
            ValueError: if the value of an argument is not valid.
        """
        return self.samples(n, seed, batch_size, labels)[:]

    def samples(self, n, seed=None, batch_size=256, labels=None):
        """The images of `generate`, each of which is made when it is asked for: for more of them than fit into memory.

        Args, Raises: as `generate`.

        Returns:
            A `kgan.players.samples.Samples`, which has a shape and a length and takes slices, as an array does.
        """
        n, batch_size = integer("n", n, at_least=0), integer("batch_size", batch_size, at_least=1)
        return self._samples(np.arange(n), labels, seed, batch_size)

    def generate_grid(self, rows, columns, seed=None):
        """Generate the images of a grid, row by row, in the layout of the condition: with classes, one row for each class.

        Args:
            rows, columns: Integers.
            seed: As in `generate`.

        Returns:
            A float32 array `(rows * columns, height, width, channels)` in the generator's own range, `image_range`.
        """
        _, which, labels = self.condition.layout(rows * columns, columns)
        # with labels a row at a time: an image's last bits depend on how many are computed at once
        return self._samples(which, labels, seed, 256 if labels is None else columns)[:]

    def translate(self, images, seed=None, batch_size=16, to=None):
        """Translate images with the averaged generator if there is one, otherwise with the trained one.

        Args:
            images: What the generator is given, an array `(n, height, width, channels)`: uint8, or floats in [-1, 1]. If it
                is made from real images, these may be given too, where they have other channels: such as colours for the
                condition `Grey`, or images without a mask for `Masked`.
            seed: Integer. Seed of the latents, and of masks; `None` draws a random seed.
            batch_size: Integer. Number of images that are translated at once.
            to: `"a"` or `"b"`, the domain of the result, for a GAN with the condition `Unpaired`.

        Returns:
            A float32 array `(n, height, width, channels)` in the generator's own range, `image_range`.

        Raises:
            ValueError: if the condition gives no images, these do not fit the generator, or `to` is missing.
        """
        return self.translations(images, seed, batch_size, to)[:]

    def translations(self, images, seed=None, batch_size=16, to=None):
        """The images of `translate`, each of which is made when it is asked for, a `kgan.players.samples.Samples`.

        Args, Raises: as `translate`.
        """
        batch_size = integer("batch_size", batch_size, at_least=1)
        seeds = seeds_of(None if seed is None else integer("seed", seed, at_least=0))
        if not self.condition.gives_images:
            raise ValueError(
                "`translate` is for a GAN whose condition gives the generator images, such as kgan.conditions.Pairs(). "
                f"Received: the condition {type(self.condition).__name__}"
            )
        self.sync()
        generator, condition = self.condition.one_way(self.sampling_generator, to)
        made_shape, given_shape = (tuple(one.shape[1:]) for one in (generator.outputs[0], condition.specs(generator)))
        images = np.asarray(images)
        if images.ndim == 3 and given_shape[-1] == 1:
            images = images[..., None]
        given = condition.from_user(images, made_shape, given_shape, seeds)
        latents = self._latents(np.arange(len(given)), seeds)
        return Samples(generator, latents, given, made_shape, batch_size, condition)

    def _samples(self, which, labels, seed, batch_size):
        """Images of some of the latent vectors that the seed gives: those at the positions `which`."""
        seeds = seeds_of(None if seed is None else integer("seed", seed, at_least=0))
        latents = self._latents(which, seeds)
        given = self.condition.draw(len(which), labels, seeds)
        self.sync()
        return Samples(self.sampling_generator, latents, given, self.image_shape, batch_size, self.condition)

    def _latents(self, which, seeds):
        if self.latent_dim is None:
            return None
        latents = self._sample((int(which.max(initial=-1)) + 1, self.latent_dim), seeds)
        return ops.convert_to_numpy(latents)[which]
