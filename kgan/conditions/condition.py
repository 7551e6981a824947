"""The base class of conditions, and what they have in common."""

import abc
from collections.abc import Mapping, Sequence

import numpy as np
from keras import ops

from kgan.arguments import Configured


class Condition(Configured, abc.ABC):
    """What the images of a GAN depend on besides latents.

    A subclass defines `read` and `specs`, and `draw` if images are to be generated without `labels`, as by ImageGrid. The
    other methods have defaults that suit a condition without classes.

    Example:

    >>> @keras.saving.register_keras_serializable("mine")
    ... class Brightness(kgan.conditions.Condition):
    ...     def read(self, data):
    ...         images, brightness = data
    ...         return brightness, images
    ...
    ...     def specs(self, generator):
    ...         return keras.KerasTensor((None, 1))
    >>> given, real = Brightness().read((np.zeros((2, 4, 4, 1), "uint8"), np.ones((2, 1))))
    >>> given.shape, real.shape
    ((2, 1), (2, 4, 4, 1))

    Attributes:
        what: String. What error messages call the values of the condition.
        watched: Names of the tensors that `watch` returns. Their ranges are checked during the training.
        classes: The class numbers, a sequence; empty if there are no classes.
        gives_images: Whether `given` is an image, so that latents are optional.
        needs_pairs: Whether the data are pairs of what is given and the real image, so that `x` in `fit(x, y)` is given.
        domains: Names of the domains of images that the generator makes, if there are several. It then makes a list of
            images for each example, one of each domain, and the real ones are such a list too.
    """

    what = "the condition"
    watched: tuple[str, ...] = ()
    classes: Sequence[int] = ()
    gives_images = False
    needs_pairs = False
    domains: tuple[str, ...] = ()

    @property
    def towers(self):
        """The number of images that the generator makes for each example."""
        return max(1, len(self.domains))

    @abc.abstractmethod
    def read(self, data):
        """Return a batch, in the form in which `fit` receives it, as the pair `(given, real)` of a `Batch`.

        The real images are returned as they are in the data; the GAN gives them the shape and the range of the generator's.
        """

    def prepared(self, given, real, seeds):
        """Return what the players are given.

        Args:
            given: As `read` returned it.
            real: Real images `(batch, height, width, channels)` in the range of the generator's.
            seeds: A `keras.random.SeedGenerator` to draw with.
        """
        return given

    def seen_by(self, player, given, others):
        """Return the part of `given` that a player takes, a tensor or a list of them, one for each input.

        Args:
            player: `keras.Model`.
            given: The values of the condition.
            others: Integer. The number of the player's inputs before these: latents of the generator, or none; images of the
                discriminator.
        """
        return given

    def completed(self, output, given):
        """Return the image that the generator's output means, such as with what was there before put in."""
        return output

    def one_way(self, generator, to=None):
        """Return a generator of images to images and its condition, those of one direction where there are two.

        Args:
            generator: `keras.Model`.
            to: Name in `domains`; `None` if there are none.

        Raises:
            ValueError: if there is no such domain.
        """
        if to is not None:
            raise ValueError(
                "`to` is for a GAN of two domains, with the condition kgan.conditions.Unpaired(). "
                f"Received: to={to!r} and the condition {type(self).__name__}"
            )
        return generator, self

    def select(self, element):
        """Return the part of a dataset's element that `read` needs, as the tuple that Keras expects.

        It is called before the engine sees the data, so that whatever it leaves out need not be a tensor.
        """
        return element if isinstance(element, tuple | Mapping) else (element,)

    @abc.abstractmethod
    def specs(self, generator):
        """Return the shape and type of `given`, a `keras.KerasTensor`, or `None` if `given` is `None`."""

    def draw(self, n, wanted, seeds):
        """Return the condition's values for `n` images to generate, an array `(n, ...)`, or `None`.

        Args:
            n: Integer.
            wanted: The argument `labels` of `generate`; `None` draws values.
            seeds: A `keras.random.SeedGenerator` to draw with.

        Raises:
            ValueError: if `wanted` is not valid.
        """
        if wanted is None or np.ndim(wanted) == 0 or len(wanted) != n:
            received = "None" if wanted is None else f"shape {np.shape(wanted)}"
            raise ValueError(
                f"{type(self).__name__} does not define `draw`, so images can be generated only for given values: "
                f"`labels` must hold one for each of the {n} images. Received: {received}"
            )
        return np.asarray(wanted)

    def shapes_in_data(self, image_shape, given_shape):
        """Return the shapes of images in `fit(x, y)`, without the batch, one for `x` and one for `y`; `()` where it is not
        known what they are.

        Args:
            image_shape: Tuple, the shape of the generator's images.
            given_shape: Tuple, the shape of the images given, or `None`.
        """
        return (), ()

    def labels(self, y):
        """Return the part of `y` in `fit(x, y)` that this condition reads."""
        return y

    def labels_like(self, labels, n):
        """Return `labels` for `generate(n)` with the distribution of these labels of real images, `(m,)` or `None`."""
        return

    def layout(self, n, columns=None):
        """Return how `n` images are arranged in a grid.

        Returns:
            The number of columns, or `None` for a square; the index of each image's latent vector; and each image's label,
            or `None`.
        """
        return columns, np.arange(n), None

    def judge(self, others, given):
        """Return the losses and hits of the discriminator's other outputs, besides its score.

        Args:
            others: List of tensors, the outputs.
            given: The values of the condition, such as labels `(batch,)`.

        Returns:
            Two dicts of tensors `(batch,)`: losses that are added to those of both players, and hits, which are 1 or 0. The
            keys are the names of the logs without `d_` and `g_`.
        """
        return {}, {}

    def log_names(self, outputs):
        """Return the names of additional logs, for a discriminator with this number of outputs."""
        return ()

    def player_arguments(self, image_shape=None, given_shape=None):
        """Return the arguments that a function in `kgan.architectures` needs to make a player for this condition.

        Args:
            image_shape: Tuple, the shape of one real image.
            given_shape: Tuple, the shape of what the data hold besides, for one image; or `None`.
        """
        return {}

    def scores(self, shapes):
        """Return how many of the discriminator's outputs are scores, the first ones; `judge` receives the others.

        A discriminator may have several scores, as of several scales, unless the condition judges other outputs.

        Args:
            shapes: List of tuples, the outputs' shapes without the batch.
        """
        return len(shapes) if type(self).judge is Condition.judge else 1

    def check_players(self, generator, discriminator, pack):
        """Raise ValueError if a player was not made for this condition, or images cannot be packed under it."""
        if self.specs(generator) is not None and not takes_given(generator):
            raise ValueError(
                f"With the condition {type(self).__name__} the generator must take [latents, given]. "
                f"Received: model {generator.name!r}, which takes latents alone."
            )

    def check_outputs(self, discriminator, shapes):
        """Raise ValueError if the shapes of the discriminator's outputs, tuples without the batch, are not valid."""
        count = self.scores(shapes)
        if count < len(shapes) or not all(map(is_score, shapes)):
            raise ValueError(
                "The discriminator must output a score for each image, shape (batch, 1), or for each part of it, a map "
                f"(batch, height, width, 1), or a list of such. Received: shape {' and '.join(map(shown, shapes))} from "
                f"model {discriminator.name!r}."
            )

    def check_data(self, labels):
        """Raise ValueError if the labels of a whole data set, `(n,)` or `None`, are not what this condition reads."""

    def check_classes(self):
        """Raise ValueError if there are no classes that can be scored separately."""
        if not self.classes:
            raise ValueError("Classes can be scored separately only for a GAN that was made with `num_classes`.")

    def watch(self, data):
        """Return the condition's tensors in a batch whose smallest and largest values are to be checked, by name."""
        return {}

    def check_range(self, name, low, high):
        """Raise ValueError if values of the tensor `name` lie outside of their range; `low` and `high` are floats."""


def together(*inputs):
    """The input of a model: those tensors that are not `None`, as a list, or as one tensor if there is only one."""
    there = [one for several in inputs for one in leaves(several) if one is not None]
    return there[0] if len(there) == 1 else there


def each(function, *values):
    """`function` of several images, such as those of two domains, as a list; or of one."""
    if isinstance(values[0], list | tuple):
        return [function(*several) for several in zip(*values, strict=True)]
    return function(*values)


def total(function, *values):
    """The sum over several images, such as those of two domains, of the mean over all else of `function` of them."""
    return sum(ops.mean(function(*several)) for several in zip(*map(leaves, values), strict=True))


def leaves(value):
    """A list of tensors as it is, one tensor as a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def takes_given(model):
    """Whether a model takes the condition as a second input; true if the number of its inputs is not known."""
    return len(getattr(model, "inputs", None) or (None, None)) > 1


def is_score(shape):
    """Whether an output of that shape, without the batch, is a score: a number, or a map of them."""
    return len(shape) in (1, 3) and shape[-1] == 1


def shown(shape):
    """A shape, without the batch, in words: `(batch, 1)`."""
    return f"({', '.join(['batch', *map(str, shape)])})"
