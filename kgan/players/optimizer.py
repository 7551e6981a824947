"""The object that Keras sees as `model.optimizer`, and the checks of each player's optimizer."""

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from kgan import ramps
from kgan.backend import layers_in, learning_rate_of, variables_of

PLAYERS = {"d_opt": "discriminator", "g_opt": "generator"}
CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")  # Keras compares them with 0 in Python


class OptimizerPair:
    """Both players' optimizers. Keras' trainers and callbacks read its attributes; it performs no updates.

    Attributes:
        optimizers: The two optimizers, the discriminator's first.
        iterations: The number of the discriminator's updates.
        learning_rate: That of the discriminator. If a new one is assigned, the generator's changes in proportion, so that
            a callback for one optimizer keeps the ratio of the two.
    """

    name, built = "d_opt_and_g_opt", True

    def __init__(self, *optimizers):
        self.optimizers = optimizers
        self._ratio = 1.0  # of the generator's rate to the discriminator's

    def get_config(self):
        """The arguments of both optimizers, by name, such as `d_opt_learning_rate`."""
        configs = {optimizer.name: optimizer.get_config() for optimizer in self.optimizers}
        return {f"{name}_{key}": value for name, config in configs.items() for key, value in config.items()}

    @property
    def learning_rate(self):
        return self.optimizers[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, rate):
        check_rates_can_change(self.optimizers, "`optimizer.learning_rate`")
        first, second = (float(ops.convert_to_numpy(optimizer.learning_rate)) for optimizer in self.optimizers)
        if first > 0:  # a warm-up may begin at 0
            self._ratio = second / first
        for optimizer, factor in zip(self.optimizers, (1.0, self._ratio), strict=True):
            optimizer.learning_rate = factor * rate

    @property
    def variables(self):
        return [variable for optimizer in self.optimizers for variable in optimizer.variables]

    @property
    def iterations(self):
        return self.optimizers[0].iterations


def for_player(identifier, name, model):
    """Return a player's optimizer with a name, built for the model's variables, and with loss scaling under float16.

    Args:
        identifier: A Keras optimizer, or its name.
        name: String, `"d_opt"` or `"g_opt"`.
        model: The player.

    Raises:
        ValueError: if it is not a Keras optimizer, averages weights itself, was built for other variables, or has a schedule
            that `check_schedules` refuses.
    """
    try:
        optimizer = keras.optimizers.get(identifier)
    except ValueError:
        optimizer = None
    if not isinstance(optimizer, keras.Optimizer):
        raise ValueError(
            f"`{name}` must be a Keras optimizer such as keras.optimizers.Adam(2e-4, beta_1=0.5). Received: {identifier!r}"
        )
    inner = check_schedules(optimizer, f"`{name}`")
    if inner.use_ema:
        raise ValueError(
            f"`{name}` must not have `use_ema=True`: it would replace the player's weights by their average during the "
            "training. Pass `ema=0.999` to `compile` for an averaged generator besides the trained one."
        )
    if not model.trainable_variables:
        raise ValueError(
            f"The {PLAYERS[name]}, model {model.name!r}, has no trainable variables that `{name}` could update."
        )
    if model.compute_dtype == "float16" and inner is optimizer:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    if not optimizer.built:
        optimizer.name = name  # before it is built, since its slots are named after it
        optimizer.build(model.trainable_variables)
    built_for = {id(variable) for variable in variables_of(inner)}
    if built_for != {id(variable) for variable in model.trainable_variables}:
        raise ValueError(
            f"`{name}` was built for other variables than the trainable ones of model {model.name!r}, and cannot update "
            "them. Pass a new optimizer instance."
        )
    return optimizer


def check_rates_can_change(optimizers, what):
    """Raise ValueError if a learning rate is a schedule, which `what` cannot change."""
    for optimizer in optimizers:
        rate = learning_rate_of(ramps.holder(optimizer))
        if isinstance(rate, LearningRateSchedule):
            raise ValueError(
                f"{what} cannot change the learning rate of `{optimizer.name}`, which is a schedule. "
                f"Give that optimizer a number. Received: {ramps.shown(rate)}"
            )


def trainable_parts(model):
    """The ids of all layers and variables of a model that are trainable: what `compile` decides to train."""
    return frozenset(id(one) for one in (*layers_in(model), *model.variables) if one.trainable)


def check_trainable(name, model, parts):
    """Raise ValueError if other parts of a player are trainable than at `compile`, which some engines would not notice.

    Args:
        name: String, `"d_opt"` or `"g_opt"`.
        model: The player.
        parts: Its `trainable_parts` at that time.
    """
    if trainable_parts(model) != parts:
        raise ValueError(
            f"`trainable` of the {PLAYERS[name]}, model {model.name!r}, or of a part of it has changed since `compile`, "
            "which decides what is trained: call `compile` again, with new optimizers."
        )


def check_schedules(optimizer, of):
    """Restore schedules among its arguments; return the optimizer inside a LossScaleOptimizer, or the optimizer itself.

    Args:
        optimizer: `keras.Optimizer`.
        of: String. The optimizer's name in error messages.

    Raises:
        ValueError: if a schedule takes a learning rate below 0 or a beta out of [0, 1), or the argument must be a number.
    """
    inner = ramps.holder(optimizer)
    found = {name: value for name, value in vars(inner).items() if not name.startswith("_")}
    for argument, value in ramps.read(found).items():
        if value is not found[argument]:
            setattr(inner, argument, value)
        if argument in ("beta_1", "beta_2") and not ramps.all_are(lambda end: 0 <= end < 1, value):
            raise ValueError(f"`{argument}` of {of} must stay in [0, 1). Received: {ramps.shown(value)}")
        if argument in CLIPS and isinstance(value, LearningRateSchedule):
            raise ValueError(f"`{argument}` of {of} must be a number, not a schedule. Received: {ramps.shown(value)}")
    rate = learning_rate_of(inner)
    if isinstance(rate, ramps.Ramp) and not (min(rate.start, rate.end) >= 0 and max(rate.start, rate.end) > 0):
        raise ValueError(
            f"`learning_rate` of {of} must stay >= 0, and not be 0 throughout. Received: {ramps.shown(rate)}"
        )
    return inner
