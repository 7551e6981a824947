"""What all augmentations share."""

import keras
from keras import ops

from kgan import ramps


class Augmentation(keras.layers.Layer):
    """Changes the images that the discriminator sees in training, real and generated ones alike, so that it cannot learn a
    small data set by heart.

    The generator's gradient flows through it. A subclass gives `call(images, seeds)`, from images in [-1, 1] of shape
    `(batch, height, width, channels)` to such images, differentiable, each of them changed by numbers of its own that are
    drawn from a `keras.random.SeedGenerator`. Its state is in its weights, which are saved with the GAN; its arguments
    must be in `get_config`, as those of any Keras layer.
    """

    def __init__(self):
        super().__init__(autocast=False)
        self.built = True

    def call(self, images, seeds):
        raise NotImplementedError(f"{type(self).__name__} does not define `call(images, seeds)`.")

    def adapt(self, margins, count):
        """Called after each update of the discriminator on real images.

        Args:
            margins: How far their logits lie above the loss's threshold, or under a loss of pairs above those of generated
                images, `(batch, 1)`.
            count: How many images they were.
        """

    def values(self):
        """Functions that return what is logged of it, by name."""
        return {}

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**ramps.read(config))


class Augmented:
    """What an augmentation makes of images in one GAN's training: with the GAN's seeds, and the strength of the moment.

    Args:
        augment: The augmentation.
        image_shape: The shape of one image.
        optimizer: The discriminator's optimizer, which counts its updates.
        seeds: A `keras.random.SeedGenerator`.
    """

    def __init__(self, augment, image_shape, optimizer, seeds):
        self.augment, self.image_shape, self.optimizer, self.seeds = augment, image_shape, optimizer, seeds

    def __call__(self, images):
        # a dataset need not say its images' size; and where players compute in float16, places and colours are float32 yet
        images = ops.cast(ops.reshape(images, (-1, *self.image_shape)), keras.config.floatx())
        with ramps.at(self.augment, self.optimizer.iterations):
            return self.augment(images, seeds=self.seeds)


def check_policy(owner, policy, known):
    """Return the policy as a tuple of names.

    Raises:
        ValueError: if it names none, something unknown, or something twice.
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
        ValueError: if it is none.
    """
    if not ramps.all_are(lambda end: 0 <= end <= 1, value):
        raise ValueError(f"`{name}` of {owner} must be in [0, 1]. Received: {ramps.shown(value)}")
    return value
