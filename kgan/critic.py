"""The discriminator's score: its logits, whatever activation it ends in."""

import contextlib
from typing import Any

import keras
from keras import ops


class Critic:
    """Calls a discriminator so that it puts out logits, in float32 at least.

    A discriminator that ends in a sigmoid is run without it: the logit of a saturated probability cannot be recovered, and
    Keras does so by itself on TensorFlow only. The last activation is read from the graph of a Functional or Sequential
    model; any other model is opaque and called as it is.

    Args:
        discriminator: `keras.Model`, images -> `(batch, 1)`.
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

    def __call__(self, images, training=True):
        """Scores of shape `(batch, 1)`, one for each pack, for images of shape `(batch, height, width, channels)`."""
        return self.score(self.pack(images), training)

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
        shape = images.shape[1:]
        images = ops.reshape(images, (packs, self.count, *shape))
        images = ops.moveaxis(images, 1, -2)  # (packs, height, width, pack, channels)
        return ops.reshape(images, (packs, *shape[:-1], self.count * shape[-1]))

    def _augmented(self, packed):
        """The packs of their images, augmented one by one."""
        if self.count == 1:
            return self.augment(packed)
        packs, *places, channels = ops.shape(packed)
        images = ops.reshape(packed, (packs, *places, self.count, channels // self.count))
        images = ops.moveaxis(images, -2, 1)  # (packs, pack, height, width, channels)
        images = ops.reshape(images, (packs * self.count, *places, channels // self.count))
        return self._joined(self.augment(images), packs)

    def score(self, images, training=True):
        """Scores of images that are packed already."""
        if training and self.augment is not None:
            images = self._augmented(images)
        if training and self.noise is not None:
            images = self.noise(images)
        with self._without_sigmoid() if self.sigmoid and self.logits else contextlib.nullcontext():
            scores = self.discriminator(images, training=training)
        return ops.cast(scores, self.discriminator.variable_dtype)

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
