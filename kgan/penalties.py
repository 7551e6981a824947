"""Penalties of the discriminator, one under the other.

With D in logits and the norm taken over all pixels of an image:

r1                weight / 2 E ||grad_x D(x)||^2 with x real, Mescheder et al., arXiv:1801.04406
r2                the same with x fake
gradient_penalty  weight E (||grad_x D(x)|| - 1)^2 with x = u real + (1 - u) fake and u ~ U(0, 1),
                  Gulrajani et al., arXiv:1704.00028
dragan            the same with x around real, Kodali et al., arXiv:1705.07215
drift             weight E D(x)^2 with x real, Karras et al., arXiv:1710.10196
reconstruction    weight E |x - decoder(features of D(x))| with x real, Liu et al., arXiv:2101.04775
"""

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule
from keras.saving import register_keras_serializable

from kgan import ramps
from kgan.arguments import chosen
from kgan.backend import input_gradient, whole
from kgan.conditions import each, total
from kgan.layers import reconstructing


class Penalty(ramps.Weighted):
    """A term added to the discriminator's loss.

    A subclass defines `name`, under which its value is logged, and `__call__(critic, real, fake, seed)`: `critic` maps
    images to logits `(batch, 1)`, `real` and `fake` are `(batch, height, width, channels)`, `seed` is a
    `keras.random.SeedGenerator`; it returns a scalar. With images of two domains each of these is a list, and the value the
    sum over both.

    Args:
        weight: Float, or a schedule such as `kgan.ramps.Cosine(20.0, 2.0, 1000)`, a function of the number of the
            discriminator's updates. The papers call it lambda or gamma.
        every: Integer n. The penalty is computed only in every n-th update of the discriminator, starting with the first,
            and is multiplied by n there: the lazy regularization of StyleGAN2 (arXiv:1912.04958, section 3.1), as part of
            that update's loss. The log is the mean over the steps that computed it, without the factor n; 0 if none did.
    """

    name = "penalty"

    def __init__(self, weight: float | LearningRateSchedule = 10.0, every: int = 1):
        super().__init__(weight, every)

    def __call__(self, critic, real, fake, seed):
        raise NotImplementedError(f"{type(self).__name__} does not define `__call__(critic, real, fake, seed)`.")


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
        return self.weight / 2.0 * total(squared_norm, input_gradient(critic, real))


@register_keras_serializable("kgan")
class R2(Penalty):
    """Zero-centred penalty on fakes (arXiv:1801.04406, equation 10). It can be combined with `R1`."""

    name = "r2"

    def __call__(self, critic, real, fake, seed):
        return self.weight / 2.0 * total(squared_norm, input_gradient(critic, each(_as, fake, real)))


def _as(images, others):
    """Images in the type of others."""
    return ops.cast(images, others.dtype)


def distance_from_one(critic, images):
    """E (||grad_x D(x)|| - 1)^2; 1e-12 is added under the square root, since its derivative at zero is infinite."""

    def distance(gradient):
        return ops.square(ops.sqrt(squared_norm(gradient) + 1e-12) - 1.0)

    return total(distance, input_gradient(critic, images))


def one_an_image(images, seed):
    """A number from U(0, 1) for each image, (batch, 1, 1, 1)."""
    ones = (1,) * (len(images.shape) - 1)
    return keras.random.uniform((ops.shape(images)[0], *ones), dtype=images.dtype, seed=seed)


@register_keras_serializable("kgan")
class GradientPenalty(Penalty):
    """One-centred penalty between real and fake images, of WGAN-GP (arXiv:1704.00028, algorithm 1)."""

    name = "gradient_penalty"

    def __call__(self, critic, real, fake, seed):
        def between(real, fake):
            u = one_an_image(real, seed)
            return u * real + (1.0 - u) * _as(fake, real)

        return self.weight * distance_from_one(critic, each(between, real, fake))


@register_keras_serializable("kgan")
class DRAGAN(Penalty):
    """One-centred penalty around real images (arXiv:1705.07215).

    In the form of the authors' code: x = real + u / 2 std(real) noise, with noise ~ U(0, 1) for each pixel, u ~ U(0, 1) for
    each image, and the standard deviation of the whole batch. (The paper writes Gaussian noise and no u.)
    """

    name = "dragan"

    def __call__(self, critic, real, fake, seed):
        def around(real):
            noise = keras.random.uniform(ops.shape(real), dtype=real.dtype, seed=seed)
            return real + one_an_image(real, seed) * 0.5 * ops.std(whole(real)) * noise

        return self.weight * distance_from_one(critic, each(around, real))


@register_keras_serializable("kgan")
class Drift(Penalty):
    """Keeps the scores of a Wasserstein critic near zero, which its loss does not do (arXiv:1710.10196, appendix A.1)."""

    name = "drift"

    def __init__(self, weight: float | LearningRateSchedule = 1e-3, every: int = 1):
        super().__init__(weight, every)

    def __call__(self, critic, real, fake, seed):
        return self.weight * total(ops.square, critic(real))


@register_keras_serializable("kgan")
class Reconstruction(Penalty):
    """The self-supervision of FastGAN (arXiv:2101.04775, section 3.2): D's features must say what the image is.

    The mean absolute errors of D's decoders on real images, `kgan.layers.Reconstructed`, added up.
    """

    name = "reconstruction"

    def __init__(self, weight: float | LearningRateSchedule = 1.0, every: int = 1):
        super().__init__(weight, every)

    def __call__(self, critic, real, fake, seed):
        with reconstructing() as errors:
            critic(real)
        if not errors:
            raise ValueError(
                "The penalty Reconstruction needs a discriminator that can reconstruct images, such as that of "
                "kgan.architectures.fastgan, or one with a layer kgan.layers.Reconstructed. This one has none."
            )
        return self.weight * sum(errors)


PENALTIES = {
    "dragan": DRAGAN,
    "drift": Drift,
    "gradient_penalty": GradientPenalty,
    "r1": R1,
    "r2": R2,
    "reconstruction": Reconstruction,
}


def get(identifier):
    """Return a penalty: the object itself, or the one of that name with its default weight.

    Raises:
        ValueError: if `identifier` is neither a known name nor a `Penalty`.
    """
    said = "A penalty must be a name of kgan.penalties or an object such as kgan.penalties.R1(10.0)."
    return chosen("penalty", identifier, PENALTIES, Penalty, said)
