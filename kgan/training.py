"""One update of one player: losses, penalties and terms -> gradients -> optimizer -> logs.

`kgan.schedules` decides which player is updated when; this module is the same for all schedules. A batch is a pair
`(given, real)` (`kgan.conditions.Batch`); `given` is passed on without being read.
"""

import contextlib
import functools

import keras
from keras import ops

from kgan import backend, ramps
from kgan.conditions import each, leaves, together
from kgan.players import average


def minimize(losses, *players):
    """Run `losses() -> ([a loss for each player], extra)` once, then update each player; return `extra`.

    All gradients are taken at the same weights, before the first update. A player is a pair `(model, optimizer)`. Its loss
    contains what its own layers add: in each of its calls their activity regularizers and what they pass to `add_loss`, and
    once the regularizers of its weights.
    """

    trained = [model.trainable_variables for model, _ in players]

    def scaled():
        with backend.added_losses() as added:
            values, extra = losses()
        return [
            optimizer.scale_loss(sum([*added[id(model)], *weight_losses(variables)], value))
            for value, (model, optimizer), variables in zip(values, players, trained, strict=True)
        ], extra

    extra, gradients = backend.gradients(scaled, trained)
    for (_, optimizer), grads, variables in zip(players, gradients, trained, strict=True):
        with ramps.at(optimizer, optimizer.iterations):
            backend.apply(optimizer, grads, variables)
    return extra


def weight_losses(variables):
    """The regularizers of variables, such as a layer's `kernel_regularizer`: a list of scalars."""
    regularized = [variable for variable in variables if variable.regularizer is not None]
    return [variable.regularizer(ops.convert_to_tensor(variable)) for variable in regularized]


def fakes(gan, given, latents, training=True):
    """G(z), G(z, y) with the condition's values y, or G(y) without latents."""
    seen = gan.condition.seen_by(gan.generator, given, 0 if latents is None else 1)
    return gan.condition.completed(backend.call(gan.generator, together(latents, seen), training), given)


def play(gan, batch, latents):
    """The forward pass of both players: G(z), then D(real), then D(fake). Returns the fakes and both verdicts."""
    fake = fakes(gan, batch.given, latents)  # (batch, height, width, channels)
    return fake, gan.critic(batch.real, batch.given), gan.critic(fake, batch.given)


def discriminator_loss(gan, real, fake):
    loss = ops.mean(gan.d_objective.discriminator(real.logits, fake.logits))
    return loss + other_losses(gan, real, fake)


def generator_loss(gan, real, fake):
    loss = ops.mean(gan.loss.generator(fake.logits, None if real is None else real.logits))
    return loss + other_losses(gan, fake)


def other_losses(gan, *verdicts):
    """The losses of the discriminator's other outputs, such as the cross-entropy of the classes, for either player."""
    return gan.rules.class_loss_weight * sum(ops.mean(loss) for one in verdicts for loss in one.losses.values())


def penalize(gan, batch, fake, turn=None):
    """The sum of all penalties, each reported under its own name; and what the discriminator's layers add meanwhile.

    Args:
        gan: The `GAN`.
        batch: The `Batch`.
        fake: Fakes.
        turn: Integer tensor, the number of updates before this one; by default those of the discriminator. A lazy penalty is
            computed in every n-th update, and multiplied by n.
    """
    turn = gan.d_opt.iterations if turn is None else turn
    critic = functools.partial(gan.critic.score, given=batch.given)  # a function of images alone
    real, fake = gan.critic.pack(batch.real), gan.critic.pack(each(ops.stop_gradient, fake))
    dtype = gan.discriminator.variable_dtype

    def value_of(penalty):
        with ramps.at(penalty, gan.d_opt.iterations), backend.added_losses() as added:
            value = penalty(critic, real, fake, gan.penalty_seeds)
        gan.logs.update({penalty.name: value}, real)
        return sum(added[id(gan.discriminator)], ops.cast(penalty.every * value, dtype))

    return _sum_of(gan.rules.penalties, turn, value_of, dtype)


def _sum_of(parts, turn, value_of, dtype):
    """The sum of `value_of` each part of a loss; of a lazy one, 0 but in every n-th update, where `turn` counts them."""
    total = 0.0
    for part in parts:
        if part.every == 1:
            total = total + value_of(part)
        else:
            due = ops.equal(turn % part.every, 0)
            total = total + backend.when(due, functools.partial(value_of, part), lambda: ops.zeros((), dtype))
    return total


def add_terms(gan, batch, fake, latents, training=True):
    """The sum of all terms of the generator's loss, each reported under its own name.

    A lazy term is computed in every n-th update of the generator, and multiplied by n.
    """
    generator = functools.partial(fakes, gan, latents=latents, training=training)  # a function of what is given alone
    dtype = gan.generator.variable_dtype

    def value_of(term):
        with ramps.at(term, gan.g_opt.iterations):
            value = term(generator, batch.given, fake, batch.real)
        gan.logs.update({term.name: value}, batch.real)
        return ops.cast(term.every * value, dtype)

    if not training:
        return sum(value_of(term) for term in gan.rules.terms)
    return _sum_of(gan.rules.terms, gan.g_opt.iterations, value_of, dtype)


def update_both(gan, batch, latents):
    """Both players from one forward pass."""

    def losses():
        fake, on_real, on_fake = play(gan, batch, latents)
        seen, on_seen = fake, on_fake
        if gan.image_pool is not None:
            seen = gan.image_pool(fake)
            on_seen = gan.critic(seen, batch.given)
        d_loss = discriminator_loss(gan, on_real, on_seen) + penalize(gan, batch, seen)
        g_loss = generator_loss(gan, on_real, on_fake) + add_terms(gan, batch, fake, latents)
        return [d_loss, g_loss], (on_real, on_fake, on_seen)

    on_real, on_fake, on_seen = minimize(losses, (gan.discriminator, gan.d_opt), (gan.generator, gan.g_opt))
    after_discriminator(gan, batch, on_real, on_seen)
    average.follow(gan)
    gan.logs.discriminator(on_real, on_seen)
    gan.logs.generator(on_real, on_fake)


def update_discriminator(gan, batch, latents, fake=None):
    """The discriminator alone, against these fakes, or those of `latents`. Returns its verdicts on real and fake images."""

    def losses():
        seen = fakes(gan, batch.given, latents) if fake is None else fake
        seen = seen if gan.image_pool is None else gan.image_pool(seen)
        on_real, on_fake = gan.critic(batch.real, batch.given), gan.critic(seen, batch.given)
        return [discriminator_loss(gan, on_real, on_fake) + penalize(gan, batch, seen)], (on_real, on_fake)

    verdicts = minimize(losses, (gan.discriminator, gan.d_opt))
    after_discriminator(gan, batch, *verdicts)
    gan.logs.discriminator(*verdicts)
    return verdicts


def update_on_real(gan, batch):
    """The discriminator alone, on real images alone. Returns its verdict."""

    def losses():
        on_real = gan.critic(batch.real, batch.given)
        return [ops.mean(gan.d_objective.real(on_real.logits)) + other_losses(gan, on_real)], on_real

    on_real = minimize(losses, (gan.discriminator, gan.d_opt))
    after_discriminator(gan, batch, on_real)
    return on_real


def update_on_fake(gan, batch, latents):
    """The discriminator alone, on fakes of a generator in inference mode, with the penalties. Returns its verdict."""
    fake = fakes(gan, batch.given, latents, training=False)
    fake = fake if gan.image_pool is None else gan.image_pool(fake)

    def losses():
        on_fake = gan.critic(fake, batch.given)
        penalty = penalize(gan, batch, fake, turn=gan.d_opt.iterations // 2)  # half of its updates are on real images
        return [ops.mean(gan.d_objective.fake(on_fake.logits)) + other_losses(gan, on_fake) + penalty], on_fake

    on_fake = minimize(losses, (gan.discriminator, gan.d_opt))
    tricks_after_update(gan)
    return on_fake


def update_generator(gan, batch, latents, with_real=False):
    """The generator alone. Returns the fakes, and the discriminator's verdicts on real images, or `None`, and on fakes.

    Args:
        gan: The `GAN`.
        batch: The `Batch`.
        latents: Latents.
        with_real: Whether the discriminator sees the real images too, as it does under a paired loss anyway.
    """

    def losses():
        if with_real or gan.loss.paired:
            fake, on_real, on_fake = play(gan, batch, latents)
        else:
            fake, on_real = fakes(gan, batch.given, latents), None
            on_fake = gan.critic(fake, batch.given)
        g_loss = generator_loss(gan, on_real, on_fake) + add_terms(gan, batch, fake, latents)
        return [g_loss], (fake, on_real, on_fake)

    fake, on_real, on_fake = minimize(losses, (gan.generator, gan.g_opt))
    average.follow(gan)
    gan.logs.generator(on_real, on_fake)
    return fake, on_real, on_fake


def update_in_turn(gan, batch):
    """The discriminator, and then the generator against the new one, with the same fakes, from one forward pass of the
    generator, as the authors of Pix2Pix write it. For a generator without latents."""

    def losses():
        fake = fakes(gan, batch.given, None)
        update_discriminator(gan, batch, None, each(ops.stop_gradient, fake))
        on_real = gan.critic(batch.real, batch.given) if gan.loss.paired else None
        on_fake = gan.critic(fake, batch.given)
        return [generator_loss(gan, on_real, on_fake) + add_terms(gan, batch, fake, None)], (on_real, on_fake)

    verdicts = minimize(losses, (gan.generator, gan.g_opt))
    average.follow(gan)
    gan.logs.generator(*verdicts)


def after_discriminator(gan, batch, on_real, on_fake=None):
    """Apply what follows an update of the discriminator on real images: tricks, and the adaptation of an augmentation."""
    tricks_after_update(gan)
    if gan.augment is not None:
        margin = gan.loss.margin(on_real.logits, None if on_fake is None else on_fake.logits)
        gan.augment.adapt(backend.whole(margin), backend.parts() * ops.shape(leaves(batch.real)[0])[0])


def tricks_after_update(gan):
    for trick in gan.rules.tricks:
        trick.after_update(gan.discriminator)


@contextlib.contextmanager
def frozen(model):
    """Run the model's BatchNormalization layers in inference mode, as Keras does where `trainable` is False."""
    layers = [layer for layer in backend.layers_in(model) if isinstance(layer, keras.layers.BatchNormalization)]
    before = [layer.trainable for layer in layers]
    try:
        for layer in layers:
            layer.trainable = False
        yield
    finally:
        for layer, trainable in zip(layers, before, strict=True):
            layer.trainable = trainable


def waiting(player, report):
    """Return a function for a player that is not updated in this step, to be called after the other player's update.

    The other player's update runs the waiting one in training mode. The function restores its statistics, which are all
    weights but the trained ones, and reports its loss: it passes its verdicts on to `report`.
    """
    statistics = [(variable, ops.copy(variable)) for variable in player.non_trainable_weights]

    def wait(*verdicts):
        for variable, value in statistics:
            variable.assign(value)
        report(*verdicts)

    return wait
