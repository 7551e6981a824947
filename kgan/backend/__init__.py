"""What kgan needs from an engine: the only place that imports TensorFlow, JAX or PyTorch, or depends on which one is used.

- `gradients(losses, groups)` runs `losses() -> (losses, extra)` once and returns `extra` and, for each loss, its gradient
  with respect to its own group of variables.
- `apply(optimizer, gradients, variables)` is the optimizer's update.
- `input_gradient(function, x)` is the gradient of `sum(function(x))` with respect to `x`; it can be differentiated itself.
- `call(model, inputs, training)` calls a player, and `added_losses()` is a context in which the losses that layers add in
  each such call are collected, also in those within `input_gradient`. A branch of `when` has a context of its own.
- `when(condition, then, otherwise)` runs one of two functions, which return nothing, or tensors of the same shape and type.
- `pin_seeds(model)` makes a model's dropout a function of the seeds that are saved with it.
- `stream(batches)` returns the form of `kgan.data.Batches` that the engine's `fit` reads fastest, and a function to call
  when their order has changed.
- `static_shape(tensor)` is its shape, a tuple; `None` where TensorFlow does not even know the number of axes.
- `undisturbed()` is a context in which generating and evaluating leave global random states alone.
- `sync(model)` puts the state of a running `fit` into the variables, if the engine keeps it elsewhere during training.
- `devices(model)` is the list of the devices that a training uses, such as `["gpu:0"]`.
- `layers_in(model)`, `last_operation(model)`, `variables_of(optimizer)` and `learning_rate_of(optimizer)` have
  no public name in Keras.
- `Steps` connects the engine's stock `fit` to a model's `step` and `test`.

`NAME` is the engine's name in Keras, `TITLE` its own name, `COMPILER` the compiler that `jit_compile=True` turns on,
`ONE_STEP_AT_ONCE` whether it accepts only `steps_per_execution=1`, and `GROUPS_ONE_BY_ONE` whether a grouped convolution is
faster as one convolution for each group.
"""

import keras

from kgan.backend.added import added_losses, call
from kgan.backend.keras_internals import last_operation, layers_in, learning_rate_of, variables_of

NAME = keras.backend.backend()

if NAME == "jax":
    from kgan.backend.jax import (
        COMPILER,
        GROUPS_ONE_BY_ONE,
        ONE_STEP_AT_ONCE,
        TITLE,
        Steps,
        apply,
        devices,
        gradients,
        input_gradient,
        pin_seeds,
        stream,
        sync,
        undisturbed,
        when,
    )
elif NAME == "torch":
    from kgan.backend.torch import (
        COMPILER,
        GROUPS_ONE_BY_ONE,
        ONE_STEP_AT_ONCE,
        TITLE,
        Steps,
        apply,
        devices,
        gradients,
        input_gradient,
        pin_seeds,
        stream,
        sync,
        undisturbed,
        when,
    )
elif NAME == "tensorflow":
    from kgan.backend.tensorflow import (
        COMPILER,
        GROUPS_ONE_BY_ONE,
        ONE_STEP_AT_ONCE,
        TITLE,
        Steps,
        apply,
        devices,
        gradients,
        input_gradient,
        pin_seeds,
        stream,
        sync,
        undisturbed,
        when,
    )
else:
    raise ImportError(
        f"kgan trains on the Keras backends 'tensorflow', 'jax' and 'torch'. Received: {NAME!r}, "
        "from the variable KERAS_BACKEND or ~/.keras/keras.json."
    )


def static_shape(tensor):
    return None if getattr(tensor.shape, "rank", 0) is None else tuple(tensor.shape)


__all__ = [
    "COMPILER",
    "GROUPS_ONE_BY_ONE",
    "NAME",
    "ONE_STEP_AT_ONCE",
    "TITLE",
    "Steps",
    "added_losses",
    "apply",
    "call",
    "devices",
    "gradients",
    "input_gradient",
    "last_operation",
    "layers_in",
    "learning_rate_of",
    "pin_seeds",
    "static_shape",
    "stream",
    "sync",
    "undisturbed",
    "variables_of",
    "when",
]
