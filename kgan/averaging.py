"""The averaged generator: a twin of the trained one that follows it."""

from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from kgan import ramps
from kgan.names import is_number
from kgan.players import symbolic_latents


def check(ema):
    """Raise ValueError if it is no decay."""
    if isinstance(ema, LearningRateSchedule) and ramps.all_are(lambda end: 0 <= end < 1, ema):
        return
    if ema is not None and not (is_number(ema) and 0.0 < ema < 1.0):
        raise ValueError(
            "`ema` must be a decay between 0 and 1, such as 0.999, a schedule of one, or None. "
            f"Received: {ramps.shown(ema)}"
        )


def prepare(gan, ema):
    """Give the GAN an averaged generator, or take it away."""
    if ema is None:
        if gan.ema_generator is not None:
            gan._tracker.untrack(gan.ema_generator)
        gan.ema_generator = None
    elif gan.ema_generator is None:
        twin = type(gan.generator).from_config(gan.generator.get_config())
        twin(symbolic_latents(gan.latent_dim, gan.num_classes))
        for average, variable in zip(twin.weights, gan.generator.weights, strict=True):
            average.assign(ops.copy(variable))
        twin.trainable = False
        gan.ema_generator = twin


def decay(ema, updates):
    """The decay after so many of the generator's updates: a number is warmed up, a schedule taken as it is."""
    if isinstance(ema, LearningRateSchedule):
        return ema(updates)
    updates = ops.cast(updates, "float32")
    return ops.minimum(ema, (1.0 + updates) / (10.0 + updates))


def follow(gan):
    """Move the averaged generator towards the trained one, BatchNormalization statistics included."""
    if gan.ema_generator is None:
        return
    left = 1.0 - decay(gan.ema, gan.g_opt.iterations)
    for average, variable in zip(gan.ema_generator.weights, gan.generator.weights, strict=True):
        value = ops.convert_to_tensor(variable)
        if "float" in average.dtype:
            value = average + ops.cast(left, average.dtype) * (value - average)
        average.assign(value)
