"""One update of one player: losses and penalties -> gradients -> optimizer -> logs.

`kgan.schedules` decides who is updated when; what is here is the same for all of them. Real images and fakes of a GAN with
classes are lists `[images, labels]`, and latents `[latents, labels]`; they are handed on as they are.
"""

import contextlib
import functools

import keras
from keras import ops

from kgan import averaging, backend, ramps, tricks
from kgan.critic import logits_of
from kgan.labels import joined, parts


def prepare(images, shape):
    """Real images as floats in [-1, 1]: uint8 is scaled, floats are taken as they are.

    Args:
        images: Tensor `(batch, *shape)`.
        shape: What the generator makes, without the batch.

    Raises:
        ValueError: if the shape is another one, or the type is neither uint8 nor a float.
    """
    if not hasattr(images, "shape"):
        raise ValueError(f"A batch must be one tensor of images. Received: {type(images).__name__}")
    whole = backend.static_shape(images)
    if whole is None:
        raise ValueError(f"Real images must have the generator's shape {shape}. Received: images of unlike shapes")
    got = whole[1:]  # None where a dataset does not say
    if len(got) != len(shape) or any(size not in (None, wanted) for size, wanted in zip(got, shape, strict=True)):
        raise ValueError(
            f"Real images must have the generator's shape {('batch', *shape)}. Received: {('batch', *got)}".replace(
                "'batch'", "batch"
            )
        )
    dtype = keras.backend.standardize_dtype(images.dtype)
    if dtype == "uint8":
        return (ops.cast(images, keras.backend.floatx()) - 127.5) / 127.5
    if "float" not in dtype:
        raise ValueError(f"Images must be uint8 in [0, 255] or floats in [-1, 1]. Received: {dtype}")
    return ops.cast(images, keras.backend.floatx())


def minimize(losses, *players):
    """Run `losses() -> ([one for each player], extra)` once, then update each player; return `extra`.

    All gradients are taken at the same weights, before the first update. A player is a pair `(model, optimizer)`.
    """

    def scaled():
        values, extra = losses()
        return [
            optimizer.scale_loss(sum(model.losses, value))  # + the model's own regularizers
            for value, (model, optimizer) in zip(values, players, strict=True)
        ], extra

    extra, gradients = backend.gradients(scaled, [model.trainable_variables for model, _ in players])
    for (model, optimizer), grads in zip(players, gradients, strict=True):
        with ramps.at(optimizer, optimizer.iterations):
            backend.apply(optimizer, grads, model.trainable_variables)
    return extra


def minimize_discriminator(gan, losses):
    """`minimize` for the discriminator alone, whose weights are then clipped."""
    extra = minimize(losses, (gan.discriminator, gan.d_opt))
    clip_weights(gan)
    return extra


def clip_weights(gan):
    """Clip the discriminator's weights, where `weight_clip` is given."""
    if gan.weight_clip is not None:
        tricks.clip(gan.discriminator, gan.weight_clip)


def adapt(gan, real, real_logits, fake_logits=None):
    """Let an adaptive augmentation see what the discriminator made of real images before it was updated.

    Under a loss of pairs only what it made of them beside the generated ones means anything, as in R3GAN's code.
    """
    if gan.augment is not None:
        images, _ = parts(real)
        threshold = logits_of(fake_logits) if gan.loss.paired else gan.loss.threshold
        gan.augment.adapt(logits_of(real_logits) - threshold, ops.shape(images)[0])


def fakes(gan, latents, training=True):
    """G(z); with classes G(z, y) and y, the labels that came with the latents."""
    _, labels = parts(latents)
    return joined(gan.generator(latents, training=training), labels)


def play(gan, real, latents):
    """The forward pass of both players: G(z), then D(real), then D(fake)."""
    fake = fakes(gan, latents)  # (batch, height, width, channels)
    real_logits = gan.critic(real)  # (batch, 1)
    fake_logits = gan.critic(fake)
    return fake, real_logits, fake_logits


def discriminator_loss(gan, real_logits, fake_logits):
    loss = ops.mean(gan.d_objective.discriminator(logits_of(real_logits), logits_of(fake_logits)))
    return with_classes(gan, loss, real_logits, fake_logits)


def generator_loss(gan, fake_logits, real_logits):
    loss = ops.mean(gan.loss.generator(logits_of(fake_logits), logits_of(real_logits)))
    return with_classes(gan, loss, fake_logits)


def with_classes(gan, loss, *verdicts):
    """`loss` + the cross-entropy of the classes, where the discriminator names them.

    Both players maximize L_C, the log-likelihood of the classes of real and generated images (Odena et al.,
    arXiv:1610.09585, equation 3); the real ones' is no function of the generator.
    """
    if not gan.classifies:
        return loss
    return loss + gan.class_loss_weight * sum(ops.mean(verdict.class_losses) for verdict in verdicts)


def penalize(gan, real, fake, turn=None):
    """The sum of all penalties, each reported under its own name.

    Args:
        gan: The `GAN`.
        real: Real images.
        fake: Fakes.
        turn: Integer tensor, how many updates there were before this one; the discriminator's, by default. A lazy penalty
            is taken in every n-th, n times.
    """
    turn = gan.d_opt.iterations if turn is None else turn
    (real, labels), (fake, _) = parts(real), parts(fake)
    critic = functools.partial(gan.critic.score, labels=labels)  # a function of images: labels stay as they are
    real, fake = gan.critic.pack(real), gan.critic.pack(ops.stop_gradient(fake))
    dtype = gan.discriminator.variable_dtype

    def term(penalty):
        with ramps.at(penalty, gan.d_opt.iterations):
            value = penalty(critic, real, fake, gan.penalty_seeds)
        gan.report(real, {penalty.name: value})
        return ops.cast(penalty.every * value, dtype)

    total = 0.0
    for penalty in gan.penalties:
        if penalty.every == 1:
            total = total + term(penalty)
        else:
            due = ops.equal(turn % penalty.every, 0)
            total = total + backend.when(due, functools.partial(term, penalty), lambda: ops.zeros((), dtype))
    return total


def update_both(gan, real, latents):
    """Both players from one forward pass."""

    def losses():
        fake, real_logits, fake_logits = play(gan, real, latents)
        d_loss = discriminator_loss(gan, real_logits, fake_logits) + penalize(gan, real, fake)
        return [d_loss, generator_loss(gan, fake_logits, real_logits)], (real_logits, fake_logits)

    real_logits, fake_logits = minimize(losses, (gan.discriminator, gan.d_opt), (gan.generator, gan.g_opt))
    clip_weights(gan)
    adapt(gan, real, real_logits, fake_logits)
    averaging.follow(gan)
    report_discriminator(gan, real_logits, fake_logits)
    report_generator(gan, fake_logits, real_logits)


def update_discriminator(gan, real, latents):
    """The discriminator alone, against fakes of `latents`; returns both logits."""

    def losses():
        fake, real_logits, fake_logits = play(gan, real, latents)
        d_loss = discriminator_loss(gan, real_logits, fake_logits) + penalize(gan, real, fake)
        return [d_loss], (real_logits, fake_logits)

    real_logits, fake_logits = minimize_discriminator(gan, losses)
    adapt(gan, real, real_logits, fake_logits)
    report_discriminator(gan, real_logits, fake_logits)
    return real_logits, fake_logits


def update_generator(gan, latents, real=None):
    """The generator alone; the discriminator sees `real` too where it is given. Returns the fakes and both logits."""

    def losses():
        if real is None:
            fake = fakes(gan, latents)
            real_logits, fake_logits = None, gan.critic(fake)
        else:
            fake, real_logits, fake_logits = play(gan, real, latents)
        return [generator_loss(gan, fake_logits, real_logits)], (fake, real_logits, fake_logits)

    fake, real_logits, fake_logits = minimize(losses, (gan.generator, gan.g_opt))
    averaging.follow(gan)
    report_generator(gan, fake_logits, real_logits)
    return fake, real_logits, fake_logits


def report_discriminator(gan, real_logits, fake_logits):
    loss, real, fake = gan.loss, logits_of(real_logits), logits_of(fake_logits)
    real_told, fake_told = loss.told(real, fake)
    values = {
        "d_loss": loss.discriminator(real, fake),
        "d_real_accuracy": real_told,
        "d_fake_accuracy": fake_told,
    }
    if gan.has_parts:
        values |= {"d_real_loss": loss.real(real), "d_fake_loss": loss.fake(fake)}
    if gan.classifies:
        values["d_class_loss"] = real_logits.class_losses + fake_logits.class_losses
        values["d_class_accuracy"] = real_logits.class_hits
    gan.report(real, values)


def report_generator(gan, fake_logits, real_logits):
    loss, real, fake = gan.loss, logits_of(real_logits), logits_of(fake_logits)
    passed = fake > (real if loss.paired else loss.threshold)  # for real
    values = {"g_loss": loss.generator(fake, real), "g_accuracy": passed}
    if gan.classifies:
        values["g_class_loss"] = fake_logits.class_losses
    gan.report(fake, values)


@contextlib.contextmanager
def frozen(model):
    """Run the model's BatchNormalization layers in inference mode, as Keras does where `trainable` is False."""
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    before = [layer.trainable for layer in layers]
    try:
        for layer in layers:
            layer.trainable = False
        yield
    finally:
        for layer, trainable in zip(layers, before, strict=True):
            layer.trainable = trainable


def remember(model):
    """Return a function that puts the model's statistics (all weights but the trained ones) back as they are now."""
    statistics = [(variable, ops.copy(variable)) for variable in model.non_trainable_weights]

    def restore():
        for variable, value in statistics:
            variable.assign(value)

    return restore
