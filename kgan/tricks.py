"""Changes to the training of the discriminator besides its loss, one trick under the other.

weight_clip     w <- clip(w, -bound, bound) after each update, Arjovsky et al., arXiv:1701.07875, algorithm 1
label_flip      a real image is labelled fake, or a fake one real, with a small probability
instance_noise  Gaussian noise on all images that it sees, which decreases to 0, Sonderby et al., arXiv:1610.04490, section 3
"""

import functools

import keras
from keras import ops
from keras.saving import register_keras_serializable

from kgan import ramps
from kgan.arguments import Configured, chosen, integer, is_number
from kgan.conditions import leaves
from kgan.losses import AdversarialLoss, has_parts, of_images
from kgan.objective import KerasLoss, OverScales


class Trick(Configured):
    """A change to the training of the discriminator.

    A subclass overrides the methods for what it changes: the loss, the images, or the weights after an update. It draws
    random numbers from `seeds`, a `keras.random.SeedGenerator` that is saved with the GAN.
    """

    def check_loss(self, loss):
        """Raise ValueError if the trick does not suit this loss."""

    def change_loss(self, loss, seeds):
        """Return the loss that the discriminator minimizes in place of `loss`; the logs keep `loss` itself."""
        return loss

    def change_images(self, images, updates, seeds):
        """Return what the discriminator sees in place of `images`, `(batch, height, width, channels)`, real or generated.

        `updates` is the number of the discriminator's updates so far, an integer tensor.
        """
        return images

    def after_update(self, discriminator):
        """Called after each update of the discriminator, a `keras.Model`."""


@register_keras_serializable("kgan")
class WeightClip(Trick):
    """All trained weights of the discriminator are clipped to [-bound, bound] after each of its updates: WGAN
    (arXiv:1701.07875, algorithm 1).

    Args:
        bound: Float above 0, c in the paper, which uses 0.01.

    Raises:
        ValueError: if `bound` is not a number above 0.
    """

    def __init__(self, bound: float = 0.01):
        self.bound = _positive(self, "bound", bound)

    def after_update(self, discriminator):
        for variable in discriminator.trainable_variables:
            variable.assign(ops.clip(variable, -self.bound, self.bound))

    def get_config(self):
        return {"bound": self.bound}


@register_keras_serializable("kgan")
class LabelFlip(Trick):
    """In an update of the discriminator each image's label, real or fake, is exchanged with a small probability.

    Each example is drawn independently in each update. The logs use the true labels.

    Args:
        probability: Float above 0 and below 1.

    Raises:
        ValueError: if `probability` is not such a number; in `compile`, if the loss is a Keras loss, which has one value for
            a whole batch, or a paired loss.
    """

    def __init__(self, probability: float = 0.05):
        self.probability = _positive(self, "probability", probability, below=1)

    def check_loss(self, loss):
        loss = loss.loss if isinstance(loss, OverScales) else loss
        if not has_parts(loss) or isinstance(loss, KerasLoss):
            name = type(loss.loss if isinstance(loss, KerasLoss) else loss).__name__
            raise ValueError(
                "The trick 'label_flip' needs a loss of kgan with a value for each real and each fake image, such as "
                f"'non_saturating'. Received: loss={name}"
            )

    def change_loss(self, loss, seeds):
        return Flipped(loss, self.probability, seeds)

    def get_config(self):
        return {"probability": self.probability}


class Flipped(AdversarialLoss):
    """A loss with some labels exchanged; `real` and `fake` draw which ones in each call.

    Args:
        loss: The loss, with the parts `real` and `fake`.
        probability: Float. The probability that an example's label is exchanged.
        seeds: A `keras.random.SeedGenerator`.
    """

    def __init__(self, loss, probability, seeds):
        self.loss, self.probability, self.seeds = loss, probability, seeds

    def real(self, real_logits):
        return self._exchanged(real_logits, self.loss.real, self.loss.fake)

    def fake(self, fake_logits):
        return self._exchanged(fake_logits, self.loss.fake, self.loss.real)

    def _exchanged(self, logits, right, wrong):
        flipped = keras.random.uniform((ops.shape(leaves(logits)[0])[0],), seed=self.seeds) < self.probability
        return ops.where(flipped, of_images(wrong(logits)), of_images(right(logits)))


@register_keras_serializable("kgan")
class InstanceNoise(Trick):
    """Gaussian noise on all images that the discriminator sees in training, so that real and generated images overlap
    (arXiv:1610.04490, section 3).

    Args:
        std: Float above 0. The standard deviation at the beginning; it decreases linearly to 0.
        steps: Integer. The number of the discriminator's updates after which it is 0.

    Raises:
        ValueError: if `std` is not a number above 0, or `steps` is not an integer above 0.
    """

    def __init__(self, std: float = 0.1, steps: int = 10_000):
        self.std = _positive(self, "std", std)
        self.steps = integer("steps", steps, at_least=1, of="InstanceNoise")

    def change_images(self, images, updates, seeds):
        left = ops.maximum(0.0, 1.0 - ops.cast(updates, "float32") / self.steps)
        noise = keras.random.normal(ops.shape(images), dtype=images.dtype, seed=seeds)
        return images + ops.cast(self.std * left, images.dtype) * noise

    def get_config(self):
        return {"std": self.std, "steps": self.steps}


def _positive(trick, name, value, below=None):
    if not is_number(value) or value <= 0 or (below is not None and value >= below):
        wanted = "> 0" if below is None else f"above 0 and below {below}"
        raise ValueError(
            f"`{name}` of {type(trick).__name__} must be a number {wanted}. Received: {ramps.shown(value)}"
        )
    return value


TRICKS = {"instance_noise": InstanceNoise, "label_flip": LabelFlip, "weight_clip": WeightClip}


def get(identifier):
    """Return a trick: the object itself, or the one of that name with its defaults.

    Raises:
        ValueError: if `identifier` is neither a known name nor a `Trick`.
    """
    said = "A trick must be a name of kgan.tricks or an object such as kgan.tricks.WeightClip(0.01)."
    return chosen("trick", identifier, TRICKS, Trick, said)


def loss_under(tricks, loss, seeds):
    """The loss that the discriminator minimizes under several tricks."""
    return functools.reduce(lambda changed, trick: trick.change_loss(changed, seeds), tricks, loss)
