"""The one object that Keras sees as `model.optimizer`, and what makes an optimizer fit for a player."""

import keras

from kgan import ramps


class Pair:
    """Both players' optimizers. Keras' trainers and callbacks look at its attributes; it updates nothing itself."""

    built = True

    def __init__(self, *optimizers):
        self.optimizers = optimizers

    @property
    def variables(self):
        return [variable for optimizer in self.optimizers for variable in optimizer.variables]

    @property
    def iterations(self):
        return self.optimizers[0].iterations


def prepare(identifier, name, model):
    """Return the optimizer of one player, named, scaling its loss under float16, and built for the model's variables.

    Args:
        identifier: A Keras optimizer, or its name.
        name: String, `"d_opt"` or `"g_opt"`.
        model: The player.

    Raises:
        ValueError: if it is no Keras optimizer, averages weights itself, or belongs to another model.
    """
    try:
        optimizer = keras.optimizers.get(identifier)
    except ValueError:
        optimizer = None
    if not isinstance(optimizer, keras.Optimizer):
        raise ValueError(
            f"`{name}` must be a Keras optimizer such as keras.optimizers.Adam(2e-4, beta_1=0.5). Received: {identifier!r}"
        )
    inner = ramps.holder(optimizer)
    found = {name: value for name, value in vars(inner).items() if not name.startswith("_")}
    for argument, value in ramps.read(found).items():
        if value is not found[argument]:
            setattr(inner, argument, value)
        is_beta = argument in ("beta_1", "beta_2") and isinstance(value, ramps.Ramp)
        if is_beta and not ramps.all_are(lambda end: 0 <= end < 1, value):
            raise ValueError(
                f"`{argument}` of `{name}` must stay in [0, 1), or an average of gradients is none. "
                f"Received: {ramps.shown(value)}"
            )
    if inner.use_ema:
        raise ValueError(
            f"`{name}` must not have `use_ema=True`: it would swap the player's weights for their average in the middle "
            "of the game. Pass `ema=0.999` to `compile` for an averaged generator beside the trained one."
        )
    if not model.trainable_variables:
        raise ValueError(f"The player of `{name}`, model {model.name!r}, has no trainable variables to update.")
    if model.compute_dtype == "float16" and inner is optimizer:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    if not optimizer.built:
        optimizer.name = name  # before it is built: its slots are called after it
        optimizer.build(model.trainable_variables)
    built_for = {id(variable) for variable in inner._trainable_variables}
    if built_for != {id(variable) for variable in model.trainable_variables}:
        raise ValueError(
            f"`{name}` was built for the variables of another model and cannot update {model.name!r}. "
            "Pass a new optimizer instance."
        )
    return optimizer
