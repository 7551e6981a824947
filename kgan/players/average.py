"""The averaged generator: a copy of the generator whose weights are a moving average of the trained ones."""

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from kgan import ramps
from kgan.arguments import is_number
from kgan.backend import layers_in
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


def copy_of(generator, make, latent_dim, condition):
    """A copy of a generator with the same weights, which is not trained.

    Args:
        generator: `keras.Model`.
        make: The function that made the generator, or `None`. It is called again where the generator's class or one of its
            layers cannot be made from its config.
        latent_dim: Integer.
        condition: `kgan.conditions.Condition`.

    Raises:
        ValueError: if no copy can be made.
    """
    problems = []
    for again in (_from_config, make and (lambda _: make())):
        try:
            copy = again and again(generator)
            if copy is None or copy is generator:
                continue
            copy(symbolic_inputs(copy, latent_dim, condition))
            if [tuple(weight.shape) for weight in copy.weights] == [
                tuple(weight.shape) for weight in generator.weights
            ]:
                break
            problems.append("the copy has other weights")
        except (NotImplementedError, TypeError, ValueError, AttributeError) as error:
            problems.append(" ".join(str(error).split()).partition(". ")[0])
    else:
        raise ValueError(
            f"`ema` needs a copy of the generator, and {generator.name!r} ({type(generator).__name__}) cannot be copied: "
            f"{problems[0]}. Pass `generator` to GAN as a function that makes a new model in each call, or define "
            "`get_config` and `from_config`."
        )
    begin(copy, generator)
    copy.trainable = False
    return copy


def begin(averaged, generator):
    """Set the averaged weights to the trained ones."""
    for average, variable in zip(averaged.weights, generator.weights, strict=True):
        average.assign(ops.copy(variable))


def _from_config(model):
    # the user's own objects, not a file: their classes need not be registered
    classes = {type(layer).__name__: type(layer) for layer in layers_in(model)}
    with keras.saving.CustomObjectScope(classes):
        return _again(model)


def _again(layer):
    if isinstance(layer, keras.layers.Lambda):
        return layer  # it has no weights, and what it is made of is a function, not a config
    if isinstance(layer, keras.Model) and type(layer).__module__.partition(".")[0] == "keras":
        return keras.models.clone_model(layer, clone_function=_again)
    return type(layer).from_config(layer.get_config())


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
