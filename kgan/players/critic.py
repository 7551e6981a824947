"""The discriminator's score: its logits, with any last activation."""

import contextlib
from typing import Any, NamedTuple

import keras
from keras import ops

from kgan.backend import call, last_operation
from kgan.conditions import each, leaves, takes_given, together
from kgan.players.activation import activation_of


class Verdict(NamedTuple):
    """The outputs of a discriminator for a batch.

    Attributes:
        logits: The score of each image, a tensor `(batch, 1)`, or a map of them, `(batch, height, width, 1)`; a list of such
            tensors for a discriminator with several scores.
        losses: Dict of tensors `(batch,)`: losses of its other outputs, which both players minimize, such as `class_loss`.
        hits: Dict of tensors `(batch,)`: 1 where its other outputs are right, 0 elsewhere, such as `class_accuracy`.
    """

    logits: Any
    losses: dict[str, Any]
    hits: dict[str, Any]


class Critic:
    """Calls a discriminator so that it returns logits, in float32 at least.

    A discriminator that ends in a sigmoid is run without it: the logit of a saturated probability cannot be recovered, and
    Keras does so by itself on TensorFlow only. The last activation is read from the graph of a Functional or Sequential
    model; any other model is opaque and called without a change.

    Args:
        discriminator: `keras.Model`, images or `[images, given]` -> `(batch, 1)`, and any outputs that `condition` judges.
        condition: `kgan.conditions.Condition`.
        pack: Integer. The number of images that the discriminator sees at once.
        scores: Integer. The number of its scores.

    Attributes:
        known: Whether the last activation could be read.
        sigmoid: Name of the layer that applies a sigmoid last, or `None`.
        logits: Whether to leave that sigmoid out.
        augment: Function images -> images, applied in training to each image before it is packed; or `None`.
        tricks: Functions images -> images, applied in training to all packs.
    """

    def __init__(self, discriminator, condition, pack=1, scores=1):
        self.discriminator, self.condition, self.count, self.scores = discriminator, condition, pack, scores
        self.logits = True
        self.augment: Any = None
        self.tricks: tuple = ()
        self._takes_given = takes_given(discriminator)
        last = [last_operation(discriminator, output) for output in range(scores)]
        self.known = None not in last
        self._sigmoids = list({id(one): one for one in last if activation_of(one) == "sigmoid"}.values())
        self.sigmoid = self._sigmoids[0].name if self._sigmoids else None

    def __call__(self, images, given=None, training=True):
        """Return the `Verdict` on images `(batch, height, width, channels)`, with one score for each pack."""
        scores, others = self._outputs(self.pack(images), given, training)
        return Verdict(scores if self.scores > 1 else scores[0], *self.condition.judge(others, given))

    def pack(self, images):
        """Join each `pack` consecutive images along their channels (PacGAN, Lin et al., arXiv:1712.04086).

        If too few images are left for the last pack, the first images of the batch are used again.
        """
        if self.count == 1:
            return images
        packs = (ops.shape(images)[0] + self.count - 1) // self.count
        images = ops.take(images, ops.arange(packs * self.count) % ops.shape(images)[0], axis=0)
        return self._joined(images, packs)

    def _joined(self, images, packs):
        images = ops.reshape(images, (packs, self.count, *images.shape[1:]))
        return ops.concatenate(ops.unstack(images, self.count, axis=1), axis=-1)

    def _augmented(self, packed):
        """Packs whose images are augmented one by one."""
        if self.count == 1:
            return self.augment(packed)
        images = ops.stack(ops.split(packed, self.count, axis=-1), axis=1)  # (packs, pack, height, width, channels)
        images = ops.reshape(images, (-1, *images.shape[2:]))
        return self._joined(self.augment(images), ops.shape(packed)[0])

    def score(self, packs, given=None):
        """Scores `(batch, 1)` in training mode, of images that are packed already; a list of them for several domains.

        The score of an image is the mean over its map, and the sum over several scores, as in the losses.
        """
        scores, _ = self._outputs(packs, given, training=True)
        if not isinstance(packs, list):
            return sum(map(_of_map, scores))
        of_each = len(scores) // len(packs)
        return [sum(map(_of_map, scores[first : first + of_each])) for first in range(0, len(scores), of_each)]

    def _outputs(self, packs, given, training):
        if training:
            packs = packs if self.augment is None else self._augmented(packs)
            for trick in self.tricks:
                packs = each(trick, packs)
        with self._without_sigmoid() if self.sigmoid and self.logits else contextlib.nullcontext():
            seen = self.condition.seen_by(self.discriminator, given, 1) if self._takes_given else None
            inputs = together(packs, seen)
            outputs = call(self.discriminator, inputs, training)
        outputs = [ops.cast(one, self.discriminator.variable_dtype) for one in leaves(outputs)]
        return outputs[: self.scores], outputs[self.scores :]

    @contextlib.contextmanager
    def _without_sigmoid(self):
        before = []
        try:
            for layer in self._sigmoids:
                for name, value in _linear(layer).items():
                    before.append((layer, name, getattr(layer, name)))
                    setattr(layer, name, value)
            yield
        finally:
            for layer, name, value in before:
                setattr(layer, name, value)


def _linear(layer):
    """The attributes of a layer, or of an operation, that ends in a sigmoid, as they are without it."""
    # a layer's `activation`, or the `call` of the bare operation keras.ops.sigmoid
    changed = {"activation" if hasattr(layer, "activation") else "call": keras.activations.linear}
    regularizer = getattr(layer, "activity_regularizer", None)
    if regularizer is not None:  # of the probabilities
        changed["activity_regularizer"] = lambda logits: regularizer(keras.ops.sigmoid(logits))
    return changed


def _of_map(scores):
    """Scores `(batch, 1)` of a map `(batch, height, width, 1)`."""
    return scores if len(scores.shape) < 3 else ops.mean(scores, axis=[1, 2])
