"""How a loss fits what a discriminator puts out: Keras' losses, sigmoids, several scores."""

import functools
import warnings

import keras
from keras import ops

from kgan import backend
from kgan.losses import AdversarialLoss, has_parts


class KerasLoss(AdversarialLoss):
    """A Keras loss as an adversarial loss: `loss(1, D(real)) + loss(0, D(fake))`, and `loss(1, D(fake))` for the generator.

    It receives D's output unchanged, `(batch, 1)`, and keeps its own reduction. Of several processes that have a part of the
    batch each, a sum counts as many times: the mean over the processes follows.
    """

    def __init__(self, loss, threshold):
        self.loss = loss
        self.threshold = threshold

    def real(self, real_logits):
        return self._of(ops.ones_like(real_logits), real_logits)

    def fake(self, fake_logits):
        return self._of(ops.zeros_like(fake_logits), fake_logits)

    def generator(self, fake_logits, real_logits=None):
        return self._of(ops.ones_like(fake_logits), fake_logits)

    def _of(self, wanted, logits):
        value = self.loss(wanted, logits)
        return value * backend.parts() if getattr(self.loss, "reduction", None) == "sum" else value


class OverScales(AdversarialLoss):
    """The sum of a loss over several scores, lists of logits, as of a discriminator that looks at several scales."""

    def __init__(self, loss):
        self.loss, self.threshold, self.paired = loss, loss.threshold, loss.paired
        if has_parts(loss):
            self.real, self.fake = functools.partial(self._sum, loss.real), functools.partial(self._sum, loss.fake)

    def _sum(self, formula, logits, others=None):
        several = zip(logits, [None] * len(logits) if others is None else others, strict=True)
        return sum(formula(*one) if others is not None else formula(one[0]) for one in several)

    def discriminator(self, real_logits, fake_logits):
        return self._sum(self.loss.discriminator, real_logits, fake_logits)

    def generator(self, fake_logits, real_logits=None):
        return self._sum(self.loss.generator, fake_logits, real_logits)

    def margin(self, logits, others=None):
        others = [None] * len(logits) if others is None else others
        return _side_by_side(map(self.loss.margin, logits, others))

    def right(self, real_logits, fake_logits):
        real, fake = zip(*map(self.loss.right, real_logits, fake_logits), strict=True)
        return _side_by_side(real), _side_by_side(fake)


def _side_by_side(several):
    """Tensors with a first axis of images as one, `(batch, n)`."""
    return ops.concatenate([ops.reshape(one, (ops.shape(one)[0], -1)) for one in several], axis=1)


def adversarial(loss, critic):
    """Return `loss`, a result of `get`, as an `AdversarialLoss` that fits the output of `critic`.

    kgan's own losses, and Keras losses with `from_logits`, are computed on logits wherever the discriminator's last
    activation is known: if it is a sigmoid, on the input of the sigmoid. `critic.logits` is set to whether the critic
    returns logits.
    """
    found = _for_output(loss, critic)
    return OverScales(found) if critic.scores > 1 else found


def _for_output(loss, critic):
    if isinstance(loss, AdversarialLoss):
        critic.logits = True
        return loss
    from_logits = getattr(loss, "from_logits", None)
    if from_logits is None:  # mean squared error, hinge: computed on the unchanged output
        critic.logits = False
        hinge = isinstance(loss, keras.losses.Hinge | keras.losses.SquaredHinge)
        return KerasLoss(loss, 0.0 if hinge else 0.5)
    if not critic.known:  # kgan cannot see the last activation, so the user's `from_logits` decides
        critic.logits = from_logits
        return KerasLoss(loss, 0.0 if from_logits else 0.5)
    if from_logits and critic.sigmoid:
        warnings.warn(
            f"The discriminator ends in a sigmoid (layer {critic.sigmoid!r}), but {type(loss).__name__} was given "
            "`from_logits=True`; the loss is computed on the logits that go into the sigmoid. Drop one of the two.",
            stacklevel=4,
        )
    critic.logits = True
    return KerasLoss(type(loss).from_config({**loss.get_config(), "from_logits": True}), 0.0)
