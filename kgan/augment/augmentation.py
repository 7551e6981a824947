"""The base class of augmentations, and checks of their arguments."""

import keras
from keras import ops

from kgan import ramps


class Augmentation(keras.layers.Layer):
    """Changes the real and generated images that the discriminator sees in training, so that it does not overfit a small
    data set.

    The generator's gradient flows through it. A subclass defines `call(images, seeds)`, a differentiable function from
    images in [-1, 1] of shape `(batch, height, width, channels)` to images of the same shape. Each image is changed by its
    own random numbers, drawn from a `keras.random.SeedGenerator`. The state is in the weights, which are saved with the
    GAN; the arguments must be in `get_config`, as those of any Keras layer.
    """

    def __init__(self):
        super().__init__(autocast=False)
        self.built = True

    def call(self, images, seeds):
        raise NotImplementedError(f"{type(self).__name__} does not define `call(images, seeds)`.")

    def adapt(self, margins, count):
        """Called after each update of the discriminator on real images.

        Args:
            margins: How far the logits of real images lie above the loss's threshold, or, for a paired loss, above the
                logits of generated images, `(batch, 1)`.
            count: The number of real images.
        """

    def values(self):
        """Functions, by name, that return the values to log."""
        return {}

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**ramps.read(config))


class Augmented:
    """An augmentation in the training of one GAN: it is called with the GAN's seeds and the current values of schedules.

    Args:
        augment: The augmentation.
        image_shape: The shape of one image.
        optimizer: The discriminator's optimizer, which counts its updates.
        seeds: A `keras.random.SeedGenerator`.
    """

    def __init__(self, augment, image_shape, optimizer, seeds):
        self.augment, self.image_shape, self.optimizer, self.seeds = augment, image_shape, optimizer, seeds

    def __call__(self, images):
        # a dataset may not define the size of its images; and float32, since float16 is too coarse for places and colours
        images = ops.cast(ops.reshape(images, (-1, *self.image_shape)), keras.config.floatx())
        with ramps.at(self.augment, self.optimizer.iterations):
            return self.augment(images, seeds=self.seeds)


def check_policy(owner, policy, known):
    """Return the policy as a tuple of names.

    Raises:
        ValueError: if it is empty, or contains an unknown name, or a name twice.
    """
    named = tuple(policy) if isinstance(policy, list | tuple) else ()
    if not named or any(name not in known for name in named) or len(set(named)) < len(named):
        raise ValueError(
            f"`policy` of {owner} must be a list of some of {', '.join(map(repr, known))}, each once. "
            f"Received: {policy!r}"
        )
    return named


def check_share(owner, name, value):
    """Return the value, a number in [0, 1] or a schedule that stays there.

    Raises:
        ValueError: if it is not in [0, 1].
    """
    if not ramps.all_are(lambda end: 0 <= end <= 1, value):
        raise ValueError(f"`{name}` of {owner} must be in [0, 1]. Received: {ramps.shown(value)}")
    return value
