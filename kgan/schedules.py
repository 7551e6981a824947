"""Schedules: which player is updated in which step.

A schedule's `step(gan, batch)` is one training step on one batch, a pair `(given, real)` (`kgan.conditions.Batch`). A player
that is not updated in a step still reports its loss; its weights, statistics and optimizer do not change.
"""

from keras import ops
from keras.saving import register_keras_serializable

from kgan.arguments import Configured, chosen, integer
from kgan.backend import when
from kgan.losses import has_parts
from kgan.training import (
    frozen,
    penalize,
    update_both,
    update_discriminator,
    update_generator,
    update_in_turn,
    update_on_fake,
    update_on_real,
    waiting,
)


class Schedule(Configured):
    """A subclass defines `step(gan, batch)`, and `check_loss(loss)` where it does not suit every loss."""

    def step(self, gan, batch):
        raise NotImplementedError(f"{type(self).__name__} does not define `step(gan, batch)`.")

    def check_loss(self, loss):
        """Raise ValueError if this schedule cannot train with that loss."""


@register_keras_serializable("kgan")
class Simultaneous(Schedule):
    """Both players from one forward pass, at the same weights; the discriminator is updated first."""

    def step(self, gan, batch):
        update_both(gan, batch, gan.draw_latents(batch))


@register_keras_serializable("kgan")
class Alternating(Schedule):
    """`d_steps` updates of the discriminator, each on its own minibatch, for each update of the generator.

    Algorithm 1 of Goodfellow et al., arXiv:1406.2661: each training step updates the discriminator; every `d_steps`-th
    step then also updates the generator, against the updated discriminator.

    Example:

    >>> kgan.schedules.Alternating(d_steps=5).get_config()
    {'d_steps': 5, 'reuse_latents': False}

    Args:
        d_steps: Integer, k in the paper.
        reuse_latents: Whether the generator's update uses the same latents as the discriminator's update, as in much
            PyTorch code, instead of new ones. Without latents, and with one update of each player, both use the same fakes,
            dropout included, as in Pix2Pix (arXiv:1611.07004), so that the generator runs once.
    """

    def __init__(self, d_steps: int = 1, reuse_latents: bool = False):
        self.d_steps = integer("d_steps", d_steps, at_least=1, of="Alternating")
        self.reuse_latents = reuse_latents

    def step(self, gan, batch):
        latents = gan.draw_latents(batch)

        def generator_moves():
            update_generator(gan, batch, latents if self.reuse_latents else gan.draw_latents(batch))

        if self.d_steps == 1 and self.reuse_latents and latents is None:
            update_in_turn(gan, batch)
            return
        if self.d_steps == 1:  # without a branch, which engines cannot look into
            update_discriminator(gan, batch, latents)
            generator_moves()
            return
        generator_waits = waiting(gan.generator, gan.logs.generator)
        verdicts = update_discriminator(gan, batch, latents)
        gan.turn.assign((gan.turn + 1) % self.d_steps)
        when(ops.equal(gan.turn, 0), generator_moves, lambda: generator_waits(*verdicts))

    def get_config(self):
        return {"d_steps": self.d_steps, "reuse_latents": self.reuse_latents}


@register_keras_serializable("kgan")
class Combined(Schedule):
    """Freeze the discriminator and train both players as one model, as Keras tutorials do.

    The discriminator is updated first on real images, and then on fakes of a generator in inference mode. The generator is
    updated last, through the frozen discriminator, whose dropout is on and whose BatchNormalization is in inference mode.
    """

    def step(self, gan, batch):
        on_real = update_on_real(gan, batch)
        on_fake = update_on_fake(gan, batch, gan.draw_latents(batch))
        gan.logs.discriminator(on_real, on_fake)
        with frozen(gan.discriminator):
            update_generator(gan, batch, gan.draw_latents(batch))

    def check_loss(self, loss):
        if not has_parts(loss):
            raise ValueError(
                "The schedule 'combined' updates the discriminator on real and on fake images separately, which a paired "
                f"loss does not allow. Received: loss={type(loss).__name__}. Use schedule='alternating'."
            )


@register_keras_serializable("kgan")
class Periods(Schedule):
    """The discriminator alone for `d_epochs` epochs, then the generator alone for `g_epochs`, and so on.

    Epochs are counted over all calls of `fit`, and saved with the model.

    Args:
        d_epochs: Integer. The length of each of the discriminator's periods.
        g_epochs: Integer. The length of each of the generator's periods.
    """

    def __init__(self, d_epochs: int = 1, g_epochs: int = 1):
        self.d_epochs = integer("d_epochs", d_epochs, at_least=1, of="Periods")
        self.g_epochs = integer("g_epochs", g_epochs, at_least=1, of="Periods")

    def step(self, gan, batch):
        latents = gan.draw_latents(batch)

        def discriminator_moves():
            generator_waits = waiting(gan.generator, gan.logs.generator)
            generator_waits(*update_discriminator(gan, batch, latents))

        def generator_moves():
            discriminator_waits = waiting(gan.discriminator, gan.logs.discriminator)
            fake, *verdicts = update_generator(gan, batch, latents, with_real=True)
            penalize(gan, batch, fake, turn=gan.g_opt.iterations)  # for the logs
            discriminator_waits(*verdicts)

        when(gan.epochs % (self.d_epochs + self.g_epochs) < self.d_epochs, discriminator_moves, generator_moves)

    def get_config(self):
        return {"d_epochs": self.d_epochs, "g_epochs": self.g_epochs}


SCHEDULES = {
    "alternating": Alternating,
    "combined": Combined,
    "periods": Periods,
    "simultaneous": Simultaneous,
}


def get(identifier):
    """Return a schedule: the object itself, or the one of that name with its defaults.

    Raises:
        ValueError: if `identifier` is neither a known name nor a `Schedule`.
    """
    said = "`schedule` must be a name of kgan.schedules or an object such as kgan.schedules.Alternating(d_steps=5)."
    return chosen("schedule", identifier, SCHEDULES, Schedule, said)
