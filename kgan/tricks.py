"""What the discriminator is told and shown in training besides the truth, and what bounds its weights."""

import numbers

import keras
from keras import ops

from kgan import ramps
from kgan.losses import AdversarialLoss, KerasLoss, flat
from kgan.names import is_number


class Flipped(AdversarialLoss):
    """A loss to which a real image is now and then said to be fake, and the other way round.

    Losses themselves are pure functions of logits, and what is logged; this one draws anew in each call.

    Args:
        loss: The loss, of two parts.
        share: Float. Probability, for each example, that its label is exchanged.
        seeds: A `keras.random.SeedGenerator`.
    """

    def __init__(self, loss, share, seeds):
        self.loss, self.share, self.seeds = loss, share, seeds

    def real(self, real_logits):
        return self._told(real_logits, self.loss.real, self.loss.fake)

    def fake(self, fake_logits):
        return self._told(fake_logits, self.loss.fake, self.loss.real)

    def _told(self, logits, rightly, wrongly):
        flipped = keras.random.uniform((ops.shape(logits)[0],), seed=self.seeds) < self.share
        return ops.where(flipped, flat(wrongly(logits)), flat(rightly(logits)))


class InstanceNoise:
    """Gaussian noise whose standard deviation falls from `std` to 0, linearly, in `steps` updates of the discriminator.

    It makes real and generated images overlap (Sonderby et al., arXiv:1610.04490, section 3).

    Args:
        std: Float.
        steps: Integer.
        optimizer: The discriminator's optimizer, which counts its updates.
        seeds: A `keras.random.SeedGenerator`.
    """

    def __init__(self, std, steps, optimizer, seeds):
        self.std, self.steps, self.optimizer, self.seeds = std, steps, optimizer, seeds

    def __call__(self, images):
        left = ops.maximum(0.0, 1.0 - ops.cast(self.optimizer.iterations, "float32") / self.steps)
        noise = keras.random.normal(ops.shape(images), dtype=images.dtype, seed=self.seeds)
        return images + ops.cast(self.std * left, images.dtype) * noise


def clip(model, bound):
    """w <- clip(w, -bound, bound) for all trained weights of a model; of WGAN (Arjovsky et al., arXiv:1701.07875)."""
    for variable in model.trainable_variables:
        variable.assign(ops.clip(variable, -bound, bound))


def check(loss, weight_clip, label_flip, instance_noise):
    """Raise ValueError if an argument of `compile` is none, or does not go with the loss."""
    if weight_clip is not None and not _positive(weight_clip):
        raise ValueError(f"`weight_clip` must be a number > 0 or None. Received: {ramps.shown(weight_clip)}")
    if label_flip != 0 and not (_positive(label_flip) and label_flip < 1):
        raise ValueError(f"`label_flip` must be a probability in [0, 1). Received: {ramps.shown(label_flip)}")
    if label_flip and (loss.real is None or loss.fake is None or isinstance(loss, KerasLoss)):
        name = type(loss.loss if isinstance(loss, KerasLoss) else loss).__name__
        raise ValueError(
            "`label_flip` needs a loss of kgan with a value for each real and each fake image, such as 'non_saturating'. "
            f"Received: loss={name}"
        )
    if instance_noise is not None and not (
        isinstance(instance_noise, list | tuple)
        and len(instance_noise) == 2
        and all(_positive(one) for one in instance_noise)
        and isinstance(instance_noise[1], numbers.Integral)
    ):
        raise ValueError(
            f"`instance_noise` must be None or a pair (std, steps), such as (0.1, 10000). Received: {instance_noise!r}"
        )


def _positive(value):
    return is_number(value) and value > 0
