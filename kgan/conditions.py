"""What images depend on besides latents: nothing, or a class.

A condition reads a batch, defines the inputs of the players, draws what `generate` needs, and checks all of it. The rest of
kgan passes on the condition's values y without reading them: the generator takes latents z or `[z, y]`, the discriminator
an image x, or `[x, y]` if it has two inputs.
"""

import abc
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops
from keras.saving import register_keras_serializable

from kgan.arguments import Configured, Misfit, integer, lookup
from kgan.backend import static_shape


class Batch(NamedTuple):
    """The data of one training step.

    Attributes:
        given: What the players take besides latents and images, such as labels `(batch,)`; `None` without a condition.
        real: Real images `(batch, height, width, channels)`, floats in [-1, 1].
    """

    given: Any
    real: Any


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
    """

    what = "the condition"
    watched: tuple[str, ...] = ()
    classes: Sequence[int] = ()

    @abc.abstractmethod
    def read(self, data):
        """Return a batch, in the form in which `fit` receives it, as the pair `(given, real)` of a `Batch`.

        The real images are returned as they are in the data; the GAN gives them the shape and the range of the generator's.
        """

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

    def player_arguments(self):
        """Return the arguments that a function in `kgan.architectures` needs to make a player for this condition."""
        return {}

    def check_players(self, generator, discriminator, pack):
        """Raise ValueError if a player was not made for this condition, or images cannot be packed under it."""
        if self.specs(generator) is not None and not takes_given(generator):
            raise ValueError(
                f"With the condition {type(self).__name__} the generator must take [latents, given]. "
                f"Received: model {generator.name!r}, which takes latents alone."
            )

    def check_outputs(self, discriminator, shapes):
        """Raise ValueError if the shapes of the discriminator's outputs, strings, are not valid."""
        if shapes != ["(batch, 1)"]:
            raise ValueError(
                "The discriminator must output one number for each image, shape (batch, 1). "
                f"Received: shape {' and '.join(shapes)} from model {discriminator.name!r}."
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


@register_keras_serializable("kgan")
class Unconditional(Condition):
    """No condition: images depend on latents alone. Labels in the data are ignored."""

    def read(self, data):
        return None, unpacked(data)[0]

    def select(self, element):
        return (unpacked(element)[0],)

    def specs(self, generator):
        return None

    def labels(self, y):
        return None

    def check_players(self, generator, discriminator, pack):
        _check_made_for(None, generator, discriminator)
        for player, model in (("generator", generator), ("discriminator", discriminator)):
            count = len(getattr(model, "inputs", None) or (None,))
            if count > 1:
                raise ValueError(
                    f"The {player}, model {model.name!r}, takes {count} inputs, and the GAN has no condition that gives it "
                    "more than one. Add `num_classes=...` or `condition=...`."
                )

    def check_outputs(self, discriminator, shapes):
        if len(shapes) > 1:
            raise ValueError(
                "The discriminator must output one number for each image, shape (batch, 1). "
                f"Received: shape {' and '.join(shapes)} from model {discriminator.name!r}. "
                "Class logits besides it need a GAN with `num_classes`."
            )
        super().check_outputs(discriminator, shapes)

    def draw(self, n, wanted, seeds):
        if wanted is not None:
            raise ValueError(f"`labels` are for a GAN with `num_classes` or `condition`. Received: labels={wanted!r}")


@register_keras_serializable("kgan")
class Classes(Condition):
    """Each image has a class: class-conditional GANs (Mirza and Osindero, arXiv:1411.1784).

    A batch is a pair of images and labels, integers `(batch,)` or `(batch, 1)` in [0, n). Fakes are made for the labels of
    the real images of the same batch. The discriminator takes `[images, labels]`; or it takes images alone and outputs
    class logits `(batch, n)` besides its score. Then their cross-entropy, -log P(class = label | image), is added to the
    losses of both players: both maximize the log-likelihood of the classes (Odena et al., arXiv:1610.09585, equation 3).

    Args:
        n: Integer. The number of classes.
    """

    what = "labels"
    watched = ("labels",)

    def __init__(self, n: int):
        self.n = integer("n", n, at_least=1, of="Classes")
        self.classes = range(self.n)

    def read(self, data):
        images, labels = unpacked(data)
        # clip, because with a label out of range engines raise their own errors or compute NaN before the range is checked
        return ops.clip(self._class_numbers(labels), 0, self.n - 1), images

    def select(self, element):
        images, labels = unpacked(element)
        return (images,) if labels is None else (images, labels)

    def labels(self, y):
        if y is not None and not hasattr(y, "dtype"):
            y = np.asarray(y)
        if isinstance(y, np.ndarray) and y.dtype.kind not in "iu":
            self._refuse(y.dtype)
        return y

    def _refuse(self, dtype):
        raise ValueError(
            f"Labels must be integers. Received: {dtype}. np.unique(labels, return_inverse=True) numbers the classes."
        )

    def _class_numbers(self, labels):
        """Labels as an int32 tensor `(batch,)`."""
        if labels is None:
            raise ValueError(
                f"A GAN with `num_classes={self.n}` trains on pairs of images and labels. Received: images alone."
            )
        shape: tuple = static_shape(labels) or (None,)
        if len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
            raise ValueError(
                "Labels must be class numbers of shape (batch,), not one-hot vectors. "
                f"Received: shape ({', '.join(['batch', *map(str, shape[1:])])})"
            )
        dtype = keras.backend.standardize_dtype(labels.dtype)
        if "int" not in dtype:
            self._refuse(dtype)
        return ops.cast(ops.reshape(labels, (-1,)), "int32")

    def specs(self, generator):
        return keras.KerasTensor((None,), "int32")

    def draw(self, n, wanted, seeds):
        if wanted is None:
            drawn = keras.random.randint((n,), 0, self.n, dtype="int32", seed=seeds)
            return ops.convert_to_numpy(drawn)
        labels = np.asarray(wanted)
        if labels.dtype.kind not in "iu" or labels.shape not in ((), (n,)):
            raise ValueError(
                f"`labels` must be a class number, or an array with one for each of the {n} images. "
                f"Received: {wanted!r}"
            )
        if labels.size:
            self.check_range("labels", labels.min(), labels.max())
        return np.broadcast_to(labels, (n,)).astype("int32")

    def labels_like(self, labels, n):
        if labels is None:
            return None
        return np.sort(labels)[np.linspace(0, len(labels) - 1, n).astype(int)].astype("int32")

    def layout(self, n, columns=None):
        """One row for each class, starting again after the last class; the images of a column share their latents."""
        columns = columns or -(-n // self.n)
        return columns, np.arange(n) % columns, np.arange(n) // columns % self.n

    def judge(self, others, given):
        if not others:
            return {}, {}
        [logits] = others
        losses = keras.losses.sparse_categorical_crossentropy(given, logits, from_logits=True)
        hits = ops.equal(ops.cast(ops.argmax(logits, axis=-1), given.dtype), given)
        return {"class_loss": losses}, {"class_accuracy": ops.cast(hits, losses.dtype)}

    def log_names(self, outputs):
        return ("d_class_loss", "g_class_loss", "d_class_accuracy") if outputs > 1 else ()

    def player_arguments(self):
        return {"num_classes": self.n}

    def check_players(self, generator, discriminator, pack):
        if pack > 1:
            raise ValueError(
                "`pack` must be 1 with `num_classes`, since the images of a pack would be of several classes. "
                f"Received: pack={pack}"
            )
        _check_made_for(self.n, generator, discriminator)
        if not takes_given(generator):
            raise ValueError(
                f"With `num_classes={self.n}` the generator must take [latents, labels]. "
                f"Received: model {generator.name!r}, which takes latents alone."
            )

    def check_outputs(self, discriminator, shapes):
        classifies = len(shapes) == 2
        if classifies and shapes != ["(batch, 1)", f"(batch, {self.n})"]:
            raise ValueError(
                f"A discriminator with two outputs must output a score (batch, 1) and class logits (batch, {self.n}). "
                f"Received: shapes {' and '.join(shapes)} from model {discriminator.name!r}."
            )
        if not classifies:
            super().check_outputs(discriminator, shapes)
        if not classifies and not takes_given(discriminator):
            raise ValueError(
                f"With `num_classes={self.n}` the discriminator must take [images, labels], or output class logits "
                f"(batch, {self.n}) besides its score. Received: model {discriminator.name!r}, which does neither."
            )

    def check_data(self, labels):
        if labels is None:
            raise Misfit("`num_classes` needs data with labels, and these data have no labels", classes=None)
        classes = np.unique(labels)
        if classes.dtype.kind not in "iu":
            raise Misfit(f"`num_classes` needs labels that are integers. Received: {classes.dtype}", classes=None)
        if classes[0] < 0 or classes[-1] != self.n - 1:
            fitting = {"classes": None} if classes[0] < 0 else {"n": int(classes[-1]) + 1}
            raise Misfit(
                f"`num_classes` must be the number of the data's classes, numbered from 0. Received: {self.n}, "
                f"and data of {len(classes)} classes, {classes[0]} to {classes[-1]}",
                **fitting,
            )

    def watch(self, data):
        return {"labels": unpacked(data)[1]}

    def check_range(self, name, low, high):
        if low < 0 or high >= self.n:
            raise ValueError(
                f"Labels must lie in [0, {self.n - 1}], as `num_classes` is {self.n}. "
                f"Received: labels from {low:g} to {high:g}"
            )

    def get_config(self):
        return {"n": self.n}


CONDITIONS = {"classes": Classes, "unconditional": Unconditional}


def get(identifier=None, num_classes=None):
    """Return a condition: the object itself, the one of that name, or `Classes(num_classes)`.

    Args:
        identifier: A `Condition`, or a name in `CONDITIONS`; `None` for `Unconditional`.
        num_classes: Integer, the short form of `Classes(num_classes)`.

    Raises:
        ValueError: if `identifier` is not valid, or both are given.
    """
    if num_classes is not None:
        if identifier is not None:
            raise ValueError(
                "`num_classes` is the short form of `condition=kgan.conditions.Classes(...)`; give one of the two. "
                f"Received: num_classes={num_classes!r} and a condition, {type(identifier).__name__}"
            )
        return Classes(integer("num_classes", num_classes, at_least=1))
    if isinstance(identifier, Condition):
        return identifier
    if identifier is None:
        return Unconditional()
    if isinstance(identifier, str):
        kind = lookup("condition", identifier, CONDITIONS)
        try:
            return kind()
        except TypeError:
            raise ValueError(
                f"`condition` {identifier!r} needs arguments: give the object, kgan.conditions.{kind.__name__}(...)."
            ) from None
    raise ValueError(
        "`condition` must be None, a name of kgan.conditions or an object such as kgan.conditions.Classes(10). "
        f"Received: {identifier!r}"
    )


def _check_made_for(n, generator, discriminator):
    """Raise ValueError if the layers of a player were made for another number of classes."""
    for player, model in (("generator", generator), ("discriminator", discriminator)):
        made_for = {one.num_classes for one in getattr(model, "operations", ()) if hasattr(one, "num_classes")}
        if made_for - {n}:
            made = " and ".join(map(str, sorted(made_for)))
            raise ValueError(
                f"The {player}, model {model.name!r}, was made for {made} classes. Received: GAN(..., num_classes={n})"
            )


def together(*inputs):
    """The input of a model: those tensors that are not `None`, as a list, or as one tensor if there is only one."""
    there = [one for one in inputs if one is not None]
    return there[0] if len(there) == 1 else there


def takes_given(model):
    """Whether a model takes the condition as a second input; true if the number of its inputs is not known."""
    return len(getattr(model, "inputs", None) or (None, None)) > 1


def no_weights(received):
    """The error that says what to do instead of giving weights."""
    return ValueError(
        "A GAN takes no weights of real images, since generated images have none: instead of a weight, repeat an image in "
        f"the data or draw it more often. Received: {received}"
    )


def unpacked(data):
    """The images and the labels, or `None`, of a batch: images alone, a tuple or list with labels, or a mapping.

    In a mapping the images are the only entry with more than two axes, or else the only entry with two; the labels are the
    entry called `label`, `labels` or `y`, or else the only other one.

    Raises:
        ValueError: if a mapping does not say which entry holds the images, or there is a third part, which for Keras is
            `sample_weight`.
    """
    if isinstance(data, Mapping):
        axes = {key: len(getattr(value, "shape", None) or ()) for key, value in data.items()}
        images = [key for key in axes if axes[key] > 2] or [key for key in axes if axes[key] == 2]
        if len(images) != 1:
            raise ValueError(
                "A batch that is a mapping must have one entry of images. "
                f"Received: {len(images)} of them, and the keys {', '.join(map(repr, data))}"
            )
        others = [key for key in data if key not in images]
        labels = [key for key in others if str(key) in ("label", "labels", "y")] or others
        return data[images[0]], data[labels[0]] if len(labels) == 1 else None
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(tuple(data) if isinstance(data, list) else data)
    if weights is not None:
        raise no_weights(
            "a batch of three parts, the last of which would be `sample_weight` (a `condition` of your own can read it)"
        )
    return images, labels


def scaled(images, image_range=(-1.0, 1.0)):
    """Images as floats: whole numbers in [0, 255] are scaled to the range, floats are not changed.

    Args:
        images: Tensor of any shape. Tables `(batch, numbers)` of whole numbers must be uint8.
        image_range: Pair, (-1, 1) or (0, 1).

    Raises:
        ValueError: if they are neither whole numbers nor floats.
    """
    dtype = keras.backend.standardize_dtype(images.dtype)
    if "float" in dtype:
        return ops.cast(images, keras.backend.floatx())
    if dtype == "bool":
        return ops.where(images, *map(float, reversed(image_range)))
    if "int" not in dtype:
        raise ValueError(f"Images must be whole numbers in [0, 255] or floats in [-1, 1]. Received: {dtype}")
    if dtype != "uint8" and len(static_shape(images) or ()) == 2:
        raise ValueError(
            f"A table of {dtype} may hold numbers, or the pixels of flattened images. "
            "Cast numbers to float32, pixels to uint8."
        )
    images = ops.cast(images, keras.backend.floatx())
    return images / 255.0 if image_range[0] == 0 else (images - 127.5) / 127.5
