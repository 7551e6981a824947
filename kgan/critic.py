"""The discriminator's score: its logits, whatever activation it ends in."""

import contextlib
from typing import Any, NamedTuple

import keras
from keras import ops

from kgan.labels import parts, takes_labels


class Verdict(NamedTuple):
    """What a discriminator with an auxiliary classifier says of a batch.

    Attributes:
        logits: Tensor `(batch, 1)`, the score.
        class_losses: Tensor `(batch,)`, the cross-entropy of the labels, -log P(class = label | image).
        class_hits: Tensor `(batch,)`, 1 where the most likely class is the label.
    """

    logits: Any
    class_losses: Any
    class_hits: Any


def logits_of(verdict):
    """The logits `(batch, 1)` in what a `Critic` returns."""
    return verdict.logits if isinstance(verdict, Verdict) else verdict


class Critic:
    """Calls a discriminator so that it puts out logits, in float32 at least.

    A discriminator that ends in a sigmoid is run without it: the logit of a saturated probability cannot be recovered, and
    Keras does so by itself on TensorFlow only. The last activation is read from the graph of a Functional or Sequential
    model; any other model is opaque and called as it is.

    Args:
        discriminator: `keras.Model`, images, or `[images, labels]`, -> `(batch, 1)`, and class logits beside that or not.
        pack: Integer. How many images the discriminator sees at once.

    Attributes:
        known: Whether the last activation could be read.
        sigmoid: Name of the layer that applies a sigmoid last, or `None`.
        logits: Whether to leave that sigmoid out.
        augment: Function images -> images, applied to all that it sees in training, to each image before it is packed; or
            `None`.
        noise: Likewise, applied to what is packed.
    """

    def __init__(self, discriminator, pack=1):
        self.discriminator, self.count = discriminator, pack
        self.logits = True
        self.augment: Any = None
        self.noise = None
        self._last = _last_operation(discriminator)
        self.known = self._last is not None
        self.sigmoid = self._last.name if self.known and _is_sigmoid(self._last) else None

    def __call__(self, examples, training=True):
        """Scores of shape `(batch, 1)`, one for each pack, for images of shape `(batch, height, width, channels)`.

        With classes the examples are lists `[images, labels]`; a discriminator that names classes gives a `Verdict`.
        """
        images, labels = parts(examples)
        outputs = self._outputs(self.pack(images), training, labels)
        if len(outputs) == 1:
            return outputs[0]
        logits, class_logits = outputs
        losses = keras.losses.sparse_categorical_crossentropy(labels, class_logits, from_logits=True)
        hits = ops.equal(ops.cast(ops.argmax(class_logits, axis=-1), labels.dtype), labels)
        return Verdict(logits, losses, ops.cast(hits, losses.dtype))

    def pack(self, images):
        """Each `pack` images that follow each other as one with all their channels (PacGAN, Lin et al., arXiv:1712.04086).

        Where the last ones are too few, the first ones join them.
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
        """The packs of their images, augmented one by one."""
        if self.count == 1:
            return self.augment(packed)
        images = ops.stack(ops.split(packed, self.count, axis=-1), axis=1)  # (packs, pack, height, width, channels)
        images = ops.reshape(images, (-1, *images.shape[2:]))
        return self._joined(self.augment(images), ops.shape(packed)[0])

    def score(self, images, training=True, labels=None):
        """Scores of images that are packed already."""
        return self._outputs(images, training, labels)[0]

    def _outputs(self, images, training, labels):
        if training and self.augment is not None:
            images = self._augmented(images)
        if training and self.noise is not None:
            images = self.noise(images)
        with self._without_sigmoid() if self.sigmoid and self.logits else contextlib.nullcontext():
            told = labels is not None and takes_labels(self.discriminator)
            outputs = self.discriminator([images, labels] if told else images, training=training)
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        return [ops.cast(one, self.discriminator.variable_dtype) for one in outputs]

    @contextlib.contextmanager
    def _without_sigmoid(self):
        # a layer's `activation`, or the `call` of the bare operation keras.ops.sigmoid
        attribute = "activation" if hasattr(self._last, "activation") else "call"
        before = getattr(self._last, attribute)
        setattr(self._last, attribute, keras.activations.linear)
        try:
            yield
        finally:
            setattr(self._last, attribute, before)


def _last_operation(model):
    """The layer or operation that makes a model's output, looking through reshapes, wrappers and nested models."""
    if not getattr(model, "outputs", None):
        return None
    operation, node, _ = model.outputs[0]._keras_history
    while isinstance(operation, keras.layers.Flatten | keras.layers.Reshape):
        before = operation._inbound_nodes[node].input_tensors[0]
        operation, node, _ = before._keras_history
    if isinstance(operation, keras.Model):
        return _last_operation(operation)
    return operation.layer if isinstance(operation, keras.layers.Wrapper) else operation


def _is_sigmoid(operation):
    activation = getattr(operation, "activation", None)
    return activation in (keras.activations.sigmoid, keras.ops.sigmoid) or type(operation).__name__ == "Sigmoid"
