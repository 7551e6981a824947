"""Who is updated when.

A schedule's `step(gan, real)` is one training step on one batch of real images `(batch, height, width, channels)`, of a GAN
with classes on a list of these and their labels. A player that does not move in a step reports its loss, and its weights,
statistics and optimizer stay as they are.
"""

from keras import ops
from keras.saving import register_keras_serializable

from kgan.backend import when
from kgan.critic import logits_of
from kgan.names import integer, lookup
from kgan.training import (
    adapt,
    fakes,
    frozen,
    minimize_discriminator,
    penalize,
    remember,
    report_discriminator,
    report_generator,
    update_both,
    update_discriminator,
    update_generator,
    with_classes,
)


class Schedule:
    """A subclass gives `step(gan, real)`, and `check(loss)` where it does not suit every loss."""

    def step(self, gan, real):
        raise NotImplementedError(f"{type(self).__name__} does not define `step(gan, real)`.")

    def check(self, loss):
        """Raise ValueError if this schedule cannot train with that loss."""

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


@register_keras_serializable("kgan")
class Simultaneous(Schedule):
    """Both players from one forward pass, at the same weights; the discriminator is updated first."""

    def step(self, gan, real):
        update_both(gan, real, gan.draw_latents(real))


@register_keras_serializable("kgan")
class Alternating(Schedule):
    """`d_steps` updates of the discriminator, each on its own minibatch, for one of the generator.

    Algorithm 1 of Goodfellow et al., arXiv:1406.2661: each training step updates the discriminator, every `d_steps`-th the
    generator too, against the discriminator just updated.

    Example:

    >>> kgan.schedules.Alternating(d_steps=5).get_config()
    {'d_steps': 5, 'reuse_latents': False}

    Args:
        d_steps: Integer, k of the paper.
        reuse_latents: Whether the generator is updated on the latents that the discriminator's fakes were made of, as much
            PyTorch code does, rather than on fresh ones.
    """

    def __init__(self, d_steps: int = 1, reuse_latents: bool = False):
        self.d_steps = integer("d_steps", d_steps, at_least=1, of="Alternating")
        self.reuse_latents = reuse_latents

    def step(self, gan, real):
        latents = gan.draw_latents(real)
        restore_generator = remember(gan.generator)
        real_logits, fake_logits = update_discriminator(gan, real, latents)
        gan.turn.assign((gan.turn + 1) % self.d_steps)

        def generator_moves():
            again = latents if self.reuse_latents else gan.draw_latents(real)
            update_generator(gan, again, real if gan.loss.paired else None)

        def generator_waits():
            restore_generator()
            report_generator(gan, fake_logits, real_logits)

        when(ops.equal(gan.turn, 0), generator_moves, generator_waits)

    def get_config(self):
        return {"d_steps": self.d_steps, "reuse_latents": self.reuse_latents}


@register_keras_serializable("kgan")
class Combined(Schedule):
    """Freeze the discriminator and train the two as one model, as Keras tutorials do.

    The discriminator is updated on real images, then, separately, on fakes of a generator in inference mode; then the
    generator through the frozen discriminator, whose dropout is on and whose BatchNormalization is in inference mode.
    """

    def step(self, gan, real):
        def on_real():
            logits = gan.critic(real)
            return [with_classes(gan, ops.mean(gan.d_objective.real(logits_of(logits))), logits)], logits

        real_logits = minimize_discriminator(gan, on_real)
        adapt(gan, real, real_logits)
        fake = fakes(gan, gan.draw_latents(real), training=False)

        def on_fake():
            logits = gan.critic(fake)
            penalty = penalize(gan, real, fake, turn=gan.d_opt.iterations // 2)  # two updates a step
            loss = with_classes(gan, ops.mean(gan.d_objective.fake(logits_of(logits))), logits)
            return [loss + penalty], logits

        fake_logits = minimize_discriminator(gan, on_fake)
        report_discriminator(gan, real_logits, fake_logits)
        with frozen(gan.discriminator):
            update_generator(gan, gan.draw_latents(real))

    def check(self, loss):
        if loss.real is None or loss.fake is None:
            raise ValueError(
                "The schedule 'combined' updates the discriminator on real and on fake images separately, which a loss "
                f"of pairs of them does not allow. Received: loss={type(loss).__name__}. Use schedule='alternating'."
            )


@register_keras_serializable("kgan")
class Periods(Schedule):
    """The discriminator alone for `d_epochs` epochs, then the generator alone for `g_epochs`, and so on.

    Epochs are counted over all calls of `fit`, and saved with the model.

    Args:
        d_epochs: Integer. Epochs of each of the discriminator's periods.
        g_epochs: Integer. Epochs of each of the generator's.
    """

    def __init__(self, d_epochs: int = 1, g_epochs: int = 1):
        self.d_epochs = integer("d_epochs", d_epochs, at_least=1, of="Periods")
        self.g_epochs = integer("g_epochs", g_epochs, at_least=1, of="Periods")

    def step(self, gan, real):
        latents = gan.draw_latents(real)

        def discriminator_moves():
            restore_generator = remember(gan.generator)
            real_logits, fake_logits = update_discriminator(gan, real, latents)
            restore_generator()
            report_generator(gan, fake_logits, real_logits)

        def generator_moves():
            restore_discriminator = remember(gan.discriminator)
            fake, real_logits, fake_logits = update_generator(gan, latents, real)
            penalize(gan, real, fake, turn=gan.g_opt.iterations)  # for the logs
            restore_discriminator()
            report_discriminator(gan, real_logits, fake_logits)

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
    if isinstance(identifier, str):
        return lookup("schedule", identifier, SCHEDULES)()
    if isinstance(identifier, Schedule):
        return identifier
    raise ValueError(
        "`schedule` must be a name of kgan.schedules or an object such as kgan.schedules.Alternating(d_steps=5). "
        f"Received: {identifier!r}"
    )
