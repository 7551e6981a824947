"""No condition, or a class for each image."""

import keras
import numpy as np
from keras import ops
from keras.saving import register_keras_serializable

from kgan.arguments import Misfit, integer
from kgan.backend import static_shape
from kgan.conditions.batch import unpacked
from kgan.conditions.condition import Condition, is_score, shown, takes_given


@register_keras_serializable("kgan")
class Unconditional(Condition):
    """No condition: images depend on latents alone. Labels in the data are ignored."""

    def read(self, data):
        return None, unpacked(data)[0]

    def select(self, element):
        return (unpacked(element)[0],)

    def specs(self, generator):
        return None

    def shapes_in_data(self, image_shape, given_shape):
        return image_shape, ()

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
        if is_score(shapes[0]) and not all(map(is_score, shapes)):
            raise ValueError(
                "The outputs of a discriminator are scores: one for each image, (batch, 1), or a map of them. "
                f"Received: shape {' and '.join(map(shown, shapes))} from model {discriminator.name!r}. "
                "Class logits besides a score need a GAN with `num_classes`."
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
        if str(getattr(labels, "dtype", "")) in ("object", "string", "<dtype: 'string'>") or _is_text(labels):
            self._refuse("text")
        return (images,) if labels is None else (images, labels)

    def shapes_in_data(self, image_shape, given_shape):
        return image_shape, ()

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
                f"Received: shape {shown(shape[1:])}"
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
        [logits] = others  # (batch, n)
        losses = keras.losses.sparse_categorical_crossentropy(given, logits, from_logits=True)
        hits = ops.equal(ops.cast(ops.argmax(logits, axis=-1), given.dtype), given)
        return {"class_loss": losses}, {"class_accuracy": ops.cast(hits, losses.dtype)}

    def scores(self, shapes):
        return len(shapes) - self._classifies(shapes)

    def _classifies(self, shapes):
        """Whether the last of several outputs holds class logits."""
        return len(shapes) > 1 and (shapes[-1] == (self.n,) or not is_score(shapes[-1]))

    def log_names(self, outputs):
        return ("d_class_loss", "g_class_loss", "d_class_accuracy") if outputs > 1 else ()

    def player_arguments(self, image_shape=None, given_shape=None):
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
        classifies = self._classifies(shapes)
        if classifies and not (is_score(shapes[0]) and shapes[-1] == (self.n,)):
            raise ValueError(
                f"A discriminator with two outputs must output a score (batch, 1) and class logits (batch, {self.n}). "
                f"Received: shapes {' and '.join(map(shown, shapes))} from model {discriminator.name!r}."
            )
        super().check_outputs(discriminator, shapes[:-1] if classifies else shapes)
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


def _is_text(labels):
    return isinstance(labels, np.ndarray) and labels.dtype.kind in "US"


def _check_made_for(n, generator, discriminator):
    """Raise ValueError if the layers of a player were made for another number of classes."""
    for player, model in (("generator", generator), ("discriminator", discriminator)):
        made_for = {one.num_classes for one in getattr(model, "operations", ()) if hasattr(one, "num_classes")}
        if made_for - {n}:
            made = " and ".join(map(str, sorted(made_for)))
            raise ValueError(
                f"The {player}, model {model.name!r}, was made for {made} classes. Received: GAN(..., num_classes={n})"
            )
