"""What all augmentations share."""

import keras

from kgan import ramps


class Augmentation(keras.layers.Layer):
    """Changes the images that the discriminator sees in training, real and generated ones alike, so that it cannot learn a
    small data set by heart.

    The generator's gradient flows through it. A subclass gives `call(images, seeds)`, from images in [-1, 1] of shape
    `(batch, height, width, channels)` to such images, differentiable, each of them changed by numbers of its own that are
    drawn from a `keras.random.SeedGenerator`. Its state is in its weights, which are saved with the GAN.
    """

    def __init__(self):
        super().__init__(autocast=False)
        self.built = True

    def call(self, images, seeds):
        raise NotImplementedError(f"{type(self).__name__} does not define `call(images, seeds)`.")

    def adapt(self, margins, count):
        """Called after each update of the discriminator on real images.

        Args:
            margins: How far their logits lie above the loss's threshold, `(batch, 1)`.
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
