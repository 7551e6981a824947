"""Tiny players whose layers add losses, and their training by hand: numpy, its own formulas, finite differences.

A player is called several times in an update. What its layers add in each of these calls is part of its loss, and the
regularizers of its weights once.
"""

import keras
import numpy as np
from keras import layers, ops, regularizers

import kgan
from tests.helpers import gradient, softplus, values

RATE = 0.2
# six batches of four points
POINTS = np.random.default_rng(0).uniform(-1, 1, (24, 2)).astype("float32")


@keras.saving.register_keras_serializable("tests")
class Adds(layers.Layer):
    """Adds 0.3 times the mean of what passes through it."""

    def call(self, inputs):
        self.add_loss(0.3 * ops.mean(inputs))
        return inputs


def generator():
    return keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, activation="tanh", activity_regularizer=regularizers.L2(0.2)),
            layers.Dense(2, activation="tanh", kernel_regularizer=regularizers.L2(0.02)),
            Adds(),
        ]
    )


def discriminator(last=None):
    """A model in a model; `last` is its last activation."""
    hidden = layers.Dense(
        5, "tanh", kernel_regularizer=regularizers.L2(0.01), activity_regularizer=regularizers.L2(0.1)
    )
    inner = keras.Sequential([keras.Input((2,)), hidden, Adds()])
    last = layers.Dense(1, last, activity_regularizer=regularizers.L2(0.05) if last else None)
    return keras.Sequential([keras.Input((2,)), inner, last])


def gan_of(discriminator=discriminator):
    gan = kgan.GAN(generator, discriminator, latent_dim=3, seed=5)
    rng = np.random.default_rng(2)
    for variable in [*gan.generator.trainable_variables, *gan.discriminator.trainable_variables]:
        variable.assign(rng.normal(0.0, 0.7, variable.shape))
    return gan


def compiled(gan, **kwargs):
    gan.compile(keras.optimizers.SGD(RATE), keras.optimizers.SGD(RATE), **kwargs)
    return gan


class ByHand:
    """The training of such a GAN, which must not have begun.

    Args:
        gan: `GAN`.
        penalties: Pairs of a name below and of its weight.
        every: Integer. The penalties are part of every n-th update, n times.
        sigmoid: Whether the discriminator ends in a sigmoid, which has an activity regularizer too.
    """

    def __init__(self, gan, penalties=(), every=1, sigmoid=False):
        self.g, self.d = (
            [array.astype("float64") for array in values(player.trainable_variables)]
            for player in (gan.generator, gan.discriminator)
        )
        self.seeds, self.penalty_seeds = keras.random.SeedGenerator(gan.seed), keras.random.SeedGenerator(0)
        self.penalty_seeds.state.assign(ops.copy(gan.penalty_seeds.state))
        self.penalties, self.every, self.sigmoid = penalties, every, sigmoid

    def latents(self):
        return values([keras.random.normal((4, 3), seed=self.seeds)])[0]

    def generated(self, g, latents):
        """The points, and what the layers add."""
        hidden = np.tanh(latents @ g[0] + g[1])
        points = np.tanh(hidden @ g[2] + g[3])
        return points, 0.2 * (hidden**2).sum() / len(points) + 0.3 * points.mean()

    def judged(self, d, points):
        """The logits, and what the layers add."""
        hidden = np.tanh(points @ d[0] + d[1])
        logits = hidden @ d[2] + d[3]
        of_last = 0.05 * (1 / (1 + np.exp(-logits)) ** 2).sum() / len(points) if self.sigmoid else 0.0
        return logits, 0.1 * (hidden**2).sum() / len(points) + 0.3 * hidden.mean() + of_last

    def slopes(self, d, points):
        """The gradients of the logits with respect to the points."""
        return ((1 - np.tanh(points @ d[0] + d[1]) ** 2) * d[2][:, 0]) @ d[0].T

    def penalty(self, name, real, fake):
        """The points for which it calls D, and a function of D's weights."""

        def uniform(shape):
            return values([keras.random.uniform(shape, seed=self.penalty_seeds)])[0]

        if name == "gradient_penalty":
            u = uniform((4, 1))
            points = u * real + (1 - u) * fake
        elif name == "dragan":
            noise, u = uniform((4, 2)), uniform((4, 1))
            points = real + u * 0.5 * real.std() * noise
        else:
            points = fake if name == "r2" else real

        def formula(d):
            if name == "drift":
                return (self.judged(d, points)[0] ** 2).mean()
            squares = (self.slopes(d, points) ** 2).sum(axis=1)
            return squares.mean() / 2 if name in ("r1", "r2") else ((np.sqrt(squares) - 1) ** 2).mean()

        return points, formula

    def d_moved(self, step, real=None, fake=None, penalized=()):
        """D's weights after an update; `penalized` are the real and the generated points for the penalties that are due."""
        due = self.penalties if penalized and step % self.every == 0 else ()
        terms = [(weight, *self.penalty(name, *penalized)) for name, weight in due]

        def loss(d):
            total = 0.01 * (d[0] ** 2).sum()
            for points, sign in ((real, -1), (fake, 1)):
                if points is not None:
                    logits, added = self.judged(d, points)
                    total += softplus(sign * logits).mean() + added
            for weight, points, formula in terms:
                total += self.every * weight * formula(d) + self.judged(d, points)[1]
            return total

        return [array - RATE * slope for array, slope in zip(self.d, gradient(loss, self.d), strict=True)]

    def g_moved(self, latents):
        def loss(g):
            points, added = self.generated(g, latents)
            return softplus(-self.judged(self.d, points)[0]).mean() + added + 0.02 * (g[2] ** 2).sum()

        return [array - RATE * slope for array, slope in zip(self.g, gradient(loss, self.g), strict=True)]

    def simultaneous(self, step, real):
        latents = self.latents()
        fake = self.generated(self.g, latents)[0]
        self.d, self.g = self.d_moved(step, real, fake, (real, fake)), self.g_moved(latents)

    def alternating(self, step, real):
        """The generator moves in every second step."""
        fake = self.generated(self.g, self.latents())[0]
        self.d = self.d_moved(step, real, fake, (real, fake))
        if step % 2:
            self.g = self.g_moved(self.latents())

    def combined(self, step, real):
        self.d = self.d_moved(step, real=real)
        fake = self.generated(self.g, self.latents())[0]
        self.d = self.d_moved(step, fake=fake, penalized=(real, fake))
        self.g = self.g_moved(self.latents())

    def periods(self, step, real):
        """Epochs of two steps; a penalty counts the updates of the discriminator."""
        latents = self.latents()
        if step // 2 % 2:
            self.g = self.g_moved(latents)
        else:
            fake = self.generated(self.g, latents)[0]
            self.d = self.d_moved(step // 4 * 2 + step % 2, real, fake, (real, fake))

    def run(self, rule):
        for step in range(len(POINTS) // 4):
            getattr(self, rule)(step, POINTS[4 * step : 4 * step + 4].astype("float64"))
