"""Gradient penalties of the discriminator, one under the other.

With D in logits and the norm taken over all pixels of an image:

r1                weight / 2 E ||grad_x D(x)||^2 with x real, Mescheder et al., arXiv:1801.04406
gradient_penalty  weight E (||grad_x D(x)|| - 1)^2 with x = u real + (1 - u) fake and u ~ U(0, 1),
                  Gulrajani et al., arXiv:1704.00028
"""

import math

import keras
from keras import ops
from keras.saving import register_keras_serializable

from kgan.backend import input_gradient
from kgan.names import lookup


class Penalty:
    """A term added to the discriminator's loss.

    A subclass gives `name`, under which its value is logged, and `__call__(critic, real, fake, seed)`: `critic` maps images
    to logits `(batch, 1)`, `real` and `fake` are `(batch, height, width, channels)`, `seed` is a
    `keras.random.SeedGenerator`; it returns a scalar.

    Args:
        weight: Float. The strength, lambda or gamma of the papers.
    """

    name = "penalty"

    def __init__(self, weight: float = 10.0):
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            raise ValueError(f"`weight` of {type(self).__name__} must be a number >= 0. Received: {weight!r}")
        self.weight = weight

    def __call__(self, critic, real, fake, seed):
        raise NotImplementedError(f"{type(self).__name__} does not define `__call__(critic, real, fake, seed)`.")

    def get_config(self):
        return {"weight": self.weight}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def squared_norm(gradient):
    """Squared Euclidean norm of each example's gradient, (batch,)."""
    return ops.sum(ops.square(ops.reshape(gradient, (ops.shape(gradient)[0], -1))), axis=1)


@register_keras_serializable("kgan")
class R1(Penalty):
    """Zero-centred penalty on real images (arXiv:1801.04406, equation 9).

    Example:

    With D(x) = 3 x the gradient is 3 everywhere, and the penalty weight / 2 * 9.

    >>> penalty = kgan.penalties.R1(weight=10.0)
    >>> float(penalty(lambda x: 3.0 * x, ops.ones((4, 1)), None, None))
    45.0
    """

    name = "r1"

    def __call__(self, critic, real, fake, seed):
        return self.weight / 2.0 * ops.mean(squared_norm(input_gradient(critic, real)))


@register_keras_serializable("kgan")
class GradientPenalty(Penalty):
    """One-centred penalty between real and fake images, of WGAN-GP (arXiv:1704.00028, algorithm 1).

    The root's argument has 1e-12 added: its derivative at zero is infinite.
    """

    name = "gradient_penalty"

    def __call__(self, critic, real, fake, seed):
        ones = (1,) * (len(real.shape) - 1)
        u = keras.random.uniform((ops.shape(real)[0], *ones), dtype=real.dtype, seed=seed)
        between = u * real + (1.0 - u) * ops.cast(fake, real.dtype)
        norm = ops.sqrt(squared_norm(input_gradient(critic, between)) + 1e-12)
        return self.weight * ops.mean(ops.square(norm - 1.0))


PENALTIES = {"gradient_penalty": GradientPenalty, "r1": R1}


def get(identifier):
    """Return a penalty: the object itself, or the one of that name with its default weight.

    Raises:
        ValueError: if `identifier` is neither a known name nor a `Penalty`.
    """
    if isinstance(identifier, str):
        return lookup("penalty", identifier, PENALTIES)()
    if isinstance(identifier, Penalty):
        return identifier
    raise ValueError(
        f"A penalty must be a name of kgan.penalties or an object such as kgan.penalties.R1(10.0). "
        f"Received: {identifier!r}"
    )
