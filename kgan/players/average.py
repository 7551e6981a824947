"""The averaged generator: a copy of the generator whose weights are a moving average of the trained ones."""

from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from kgan import ramps
from kgan.arguments import is_number
from kgan.players.check import symbolic_inputs


def check_decay(ema):
    """Raise ValueError if it is not a valid decay."""
    if isinstance(ema, LearningRateSchedule) and ramps.all_are(lambda end: 0 <= end < 1, ema):
        return
    if ema is not None and not (is_number(ema) and 0.0 < ema < 1.0):
        raise ValueError(
            "`ema` must be a decay between 0 and 1, such as 0.999, a schedule of one, or None. "
            f"Received: {ramps.shown(ema)}"
        )


def copy_of(generator, latent_dim, condition):
    """A copy of a generator with the same weights, which is not trained."""
    copy = type(generator).from_config(generator.get_config())
    copy(symbolic_inputs(copy, latent_dim, condition))
    begin(copy, generator)
    copy.trainable = False
    return copy


def begin(averaged, generator):
    """Set the averaged weights to the trained ones."""
    for average, variable in zip(averaged.weights, generator.weights, strict=True):
        average.assign(ops.copy(variable))


def decay(ema, updates):
    """The decay after this number of the generator's updates: a number is warmed up, a schedule is not."""
    if isinstance(ema, LearningRateSchedule):
        return ema(updates)
    updates = ops.cast(updates, "float32")
    return ops.minimum(ema, (1.0 + updates) / (10.0 + updates))


def follow(gan):
    """Move the averaged generator towards the trained one, BatchNormalization statistics included."""
    if gan.ema_generator is None:
        return
    left = 1.0 - decay(gan.rules.ema, gan.g_opt.iterations)
    for average, variable in zip(gan.ema_generator.weights, gan.generator.weights, strict=True):
        value = ops.convert_to_tensor(variable)
        if "float" in average.dtype:
            value = average + ops.cast(left, average.dtype) * (value - average)
        average.assign(value)
