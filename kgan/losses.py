"""The adversarial losses, one under the other.

With r = D(real) and f = D(fake), both in logits:

| name             | discriminator                   | generator    | source                              |
|------------------|---------------------------------|--------------|-------------------------------------|
| non_saturating   | softplus(-r) + softplus(f)      | softplus(-f) | Goodfellow et al., arXiv:1406.2661  |
| minimax          | softplus(-r) + softplus(f)      | -softplus(f) | Goodfellow et al., arXiv:1406.2661  |
| least_squares    | ((r - 1)^2 + f^2) / 2           | (f - 1)^2 / 2| Mao et al., arXiv:1611.04076        |
| wasserstein      | f - r                           | -f           | Arjovsky et al., arXiv:1701.07875   |
| hinge            | relu(1 - r) + relu(1 + f)       | -f           | Lim and Ye, arXiv:1705.02894        |
| relativistic     | softplus(f - r)                 | softplus(r - f) | Jolicoeur-Martineau, arXiv:1807.00734 |
| relativistic_average | (softplus(E f - r) + softplus(f - E r)) / 2 | r and f exchanged | Wang et al., arXiv:1809.00219 |

A discriminator may score each part of an image: a map (batch, height, width, 1). The loss of an image is then the mean over
its map. It may have several such scores, a list, as of several scales: then all of this is summed over them. E is the mean
over the batch.

softplus(-x) is -log(sigmoid(x)) and softplus(x) is -log(1 - sigmoid(x)), without the overflow.
"""

import functools
from typing import Any

import keras
from keras import ops
from keras.saving import register_keras_serializable

from kgan import backend, ramps
from kgan.arguments import Configured, is_number, nearest


class AdversarialLoss(Configured):
    """What discriminator and generator minimize, as pure functions of logits.

    A subclass defines `real` and `fake`, whose sum is the discriminator's loss, and `generator`; or, where the loss does not
    separate into these two parts, `discriminator` and `generator`. Each method returns one value for each example.

    Attributes:
        threshold: Float. An image whose logit is above it counts as real. Under a paired loss the image with the
            higher logit of the two counts as real.
        paired: Whether the loss compares each fake image with a real one, so that `generator` needs `real_logits`. Other
            losses may receive `None`.

    Example:

    >>> @keras.saving.register_keras_serializable("mine")
    ... class Shifted(kgan.losses.AdversarialLoss):
    ...     def real(self, real_logits):
    ...         return ops.softplus(1.0 - real_logits)
    ...
    ...     def fake(self, fake_logits):
    ...         return ops.softplus(1.0 + fake_logits)
    ...
    ...     def generator(self, fake_logits, real_logits=None):
    ...         return ops.softplus(-fake_logits)
    >>> logits = ops.zeros((2,))
    >>> [round(float(value), 4) for value in Shifted().discriminator(logits, logits)]
    [2.6265, 2.6265]
    """

    threshold = 0.0
    paired = False
    real: Any = None
    fake: Any = None

    def discriminator(self, real_logits, fake_logits):
        """The discriminator's loss, `(batch,)`, of logits `(batch,)`, `(batch, 1)` or `(batch, height, width, 1)`."""
        return self.real(real_logits) + self.fake(fake_logits)

    def generator(self, fake_logits, real_logits=None):
        """The generator's loss, `(batch,)`, of logits `(batch,)`, `(batch, 1)` or `(batch, height, width, 1)`."""
        raise NotImplementedError(f"{type(self).__name__} does not define `generator(fake_logits, real_logits)`.")

    def margin(self, logits, others=None):
        """How far logits lie above what counts as real, a tensor like them.

        That is above the threshold; under a paired loss, above `others`, the logits that these are compared with.
        """
        return logits - (others if self.paired else self.threshold)

    def right(self, real_logits, fake_logits):
        """Which real and which fake images the discriminator judges rightly, two tensors of booleans like the logits.

        Under a paired loss it judges pairs, so that both are the same.
        """
        real = self.margin(real_logits, fake_logits) > 0
        return real, real if self.paired else self.margin(fake_logits) <= 0


def flat(logits):
    """Logits as `(batch,)`, or of a map as `(batch, n)`: a sum of (batch, 1) and (batch,) would be (batch, batch)."""
    logits = ops.convert_to_tensor(logits)
    if len(logits.shape) < 2:
        return logits
    if logits.shape[-1] != 1:
        raise ValueError(
            "Logits must have the shape (batch,), (batch, 1) or (batch, height, width, 1). "
            f"Received: shape {tuple(logits.shape)}."
        )
    return ops.reshape(logits, (-1,) if len(logits.shape) == 2 else (ops.shape(logits)[0], -1))


def mean(logits):
    """The mean of logits over the whole batch, of which several processes may have a part each."""
    return ops.mean(backend.whole(logits))


def of_images(values):
    """One value for each image, `(batch,)`: the mean over its map, of values `(batch, n)` or of any other shape."""
    values = ops.convert_to_tensor(values)
    return values if len(values.shape) < 2 else ops.mean(values, axis=list(range(1, len(values.shape))))


def per_image(formula):
    """Let a method that is a formula of logits `(batch,)` or `(batch, n)` take any logits, and return `(batch,)`."""

    @functools.wraps(formula)
    def computed(self, *args, **kwargs):
        flattened = [None if one is None else flat(one) for one in args]
        by_name = {name: None if one is None else flat(one) for name, one in kwargs.items()}
        return of_images(formula(self, *flattened, **by_name))

    return computed


@register_keras_serializable("kgan")
class NonSaturating(AdversarialLoss):
    """Cross-entropy, the generator maximizing log D(G(z)) (arXiv:1406.2661, section 3).

    Args:
        smoothing: Float s. The label of real images is 1 - s, that of fakes stays 0: one-sided label smoothing (Salimans et
            al., arXiv:1606.03498, section 3.4). Keras' `BinaryCrossentropy(label_smoothing=2 * s)` smooths both.

    Raises:
        ValueError: if `smoothing` is not in [0, 1).
    """

    smoothing = 0.0  # for subclasses whose own constructor does not set it

    def __init__(self, smoothing: float = 0.0):
        if not is_number(smoothing) or not 0 <= smoothing < 1:
            raise ValueError(
                f"`smoothing` of {type(self).__name__} must be in [0, 1). Received: {ramps.shown(smoothing)}"
            )
        self.smoothing = smoothing

    @per_image
    def real(self, real_logits):
        if not self.smoothing:
            return ops.softplus(-real_logits)
        return (1.0 - self.smoothing) * ops.softplus(-real_logits) + self.smoothing * ops.softplus(real_logits)

    @per_image
    def fake(self, fake_logits):
        return ops.softplus(fake_logits)

    @per_image
    def generator(self, fake_logits, real_logits=None):
        return ops.softplus(-fake_logits)

    def get_config(self):
        return {"smoothing": self.smoothing}


@register_keras_serializable("kgan")
class Minimax(NonSaturating):
    """Cross-entropy, the generator minimizing log(1 - D(G(z))) (arXiv:1406.2661, equation 1); it saturates.

    Args:
        smoothing: Float. As in `NonSaturating`.
    """

    @per_image
    def generator(self, fake_logits, real_logits=None):
        return -ops.softplus(fake_logits)


@register_keras_serializable("kgan")
class LeastSquares(AdversarialLoss):
    """LSGAN with targets 0 for fake and 1 for real (arXiv:1611.04076, equation 9)."""

    threshold = 0.5

    @per_image
    def real(self, real_logits):
        return ops.square(real_logits - 1.0) / 2.0

    @per_image
    def fake(self, fake_logits):
        return ops.square(fake_logits) / 2.0

    @per_image
    def generator(self, fake_logits, real_logits=None):
        return ops.square(fake_logits - 1.0) / 2.0


@register_keras_serializable("kgan")
class Wasserstein(AdversarialLoss):
    """The critic's difference of means; it needs a Lipschitz critic (arXiv:1701.07875, algorithm 1)."""

    @per_image
    def real(self, real_logits):
        return -real_logits

    @per_image
    def fake(self, fake_logits):
        return fake_logits

    @per_image
    def generator(self, fake_logits, real_logits=None):
        return -fake_logits


@register_keras_serializable("kgan")
class Hinge(AdversarialLoss):
    """The hinge loss of geometric GAN and SNGAN (arXiv:1705.02894, arXiv:1802.05957)."""

    @per_image
    def real(self, real_logits):
        return ops.relu(1.0 - real_logits)

    @per_image
    def fake(self, fake_logits):
        return ops.relu(1.0 + fake_logits)

    @per_image
    def generator(self, fake_logits, real_logits=None):
        return -fake_logits


@register_keras_serializable("kgan")
class Relativistic(AdversarialLoss):
    """RpGAN: each fake is compared with a real image (arXiv:1807.00734, equations 9 and 10)."""

    paired = True

    @per_image
    def discriminator(self, real_logits, fake_logits):
        return ops.softplus(fake_logits - real_logits)

    @per_image
    def generator(self, fake_logits, real_logits=None):
        return ops.softplus(real_logits - fake_logits)


@register_keras_serializable("kgan")
class RelativisticAverage(AdversarialLoss):
    """RaGAN as in ESRGAN (arXiv:1809.00219, equations 1 and 2): each image is compared with the mean of those of the other
    kind (arXiv:1807.00734, equation 8). Half the sum of both parts, as in ESRGAN's code.
    """

    paired = True

    @per_image
    def discriminator(self, real_logits, fake_logits):
        real, fake = real_logits - mean(fake_logits), fake_logits - mean(real_logits)
        return (ops.softplus(-real) + ops.softplus(fake)) / 2.0

    @per_image
    def generator(self, fake_logits, real_logits=None):
        real, fake = real_logits - mean(fake_logits), fake_logits - mean(real_logits)
        return (ops.softplus(real) + ops.softplus(-fake)) / 2.0

    def margin(self, logits, others=None):
        return logits - mean(others)

    def right(self, real_logits, fake_logits):
        return self.margin(real_logits, fake_logits) > 0, self.margin(fake_logits, real_logits) <= 0


LOSSES = {
    "hinge": Hinge,
    "least_squares": LeastSquares,
    "minimax": Minimax,
    "non_saturating": NonSaturating,
    "relativistic": Relativistic,
    "relativistic_average": RelativisticAverage,
    "wasserstein": Wasserstein,
}


def get(identifier):
    """Return a loss of kgan, or a Keras loss, from its name or the object itself.

    Raises:
        ValueError: if `identifier` is not a valid loss.
    """
    if isinstance(identifier, str):
        if identifier in LOSSES:
            return LOSSES[identifier]()
        try:
            return keras.losses.get(identifier)
        except ValueError:
            raise ValueError(f"Unknown loss {identifier!r}. {nearest(identifier, LOSSES)}") from None
    if isinstance(identifier, type) and issubclass(identifier, AdversarialLoss | keras.Loss):
        return identifier()
    if isinstance(identifier, AdversarialLoss) or callable(identifier):
        return identifier
    raise ValueError(
        "`loss` must be a name of kgan.losses, a kgan.losses.AdversarialLoss or a Keras loss such as "
        f"keras.losses.BinaryCrossentropy(). Received: {identifier!r}"
    )


def has_parts(loss):
    """Whether a loss has a part for real images and one for fakes, unlike a paired loss."""
    return loss.real is not None and loss.fake is not None
