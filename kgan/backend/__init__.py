"""What kgan needs from an engine: the only place that imports TensorFlow, JAX or PyTorch, or depends on which one is used.

- `gradients(losses, groups)` runs `losses() -> (losses, extra)` once and returns `extra` and, for each loss, its gradient
  with respect to its own group of variables.
- `apply(optimizer, gradients, variables)` is the optimizer's update.
- `input_gradient(function, x)` is the gradient of `sum(function(x))` with respect to `x`, a tensor or a list, as
  may be what `function` returns; it can be differentiated itself.
- `call(model, inputs, training)` calls a player, and `added_losses()` is a context in which the losses that layers add in
  each such call are collected, also in those within `input_gradient`. A branch of `when` has a context of its own.
- `when(condition, then, otherwise)` runs one of two functions, which return nothing, or tensors of the same shape and type.
- `lay_out(variables)` keeps kernels in memory in the order in which the engine's convolutions read them.
- `pin_seeds(model)` makes a model's dropout a function of the seeds that are saved with it.
- `stream(batches)` returns the form of `kgan.data.Batches` or `Unpaired` that the engine's `fit` reads fastest, and a
  function to call when their order has changed.
- `static_shape(tensor)` is its shape, a tuple; `None` where TensorFlow does not even know the number of axes.
- `with_shape(tensor, shape)` is the tensor with a shape that it must have, where TensorFlow does not know the sizes.
- `undisturbed()` is a context in which generating and evaluating leave global random states alone.
- `sync(model)` puts the state of a running `fit` into the variables, if the engine keeps it elsewhere during training.
- `devices()` is the list of the devices that a training uses, such as `["gpu:0"]`, and `has_accelerator()` says whether one
  of them is not the processor.
- `channels_last()` is a context in which new layers have the channels last.
- `layers_in(model)`, `last_operation(model)`, `variables_of(optimizer)`, `learning_rate_of(optimizer)` and `Directions` have
  no public name in Keras.
- `Steps` connects the engine's stock `fit` to a model's `step` and `test`.

`NAME` is the engine's name in Keras, `TITLE` its own name, `COMPILER` the compiler that `jit_compile=True` turns on,
`SHAPE_ERRORS` the exceptions that it raises where `with_shape` is wrong, `EXPORT_FORMAT` the format of
`keras.Model.export` that needs no other package, `ONE_STEP_AT_ONCE` whether it accepts only
`steps_per_execution=1`, and `GROUPS_ONE_BY_ONE` whether a grouped convolution is faster as one convolution for each group.
"""

import keras

from kgan.backend.added import added_losses, call
from kgan.backend.keras_internals import (
    Directions,
    channels_last,
    last_operation,
    layers_in,
    learning_rate_of,
    operations_before,
    variables_of,
)

NAME = keras.backend.backend()

if NAME == "jax":
    from kgan.backend.jax import (
        COMPILER,
        EXPORT_FORMAT,
        GROUPS_ONE_BY_ONE,
        ONE_STEP_AT_ONCE,
        SHAPE_ERRORS,
        TITLE,
        Steps,
        apply,
        devices,
        gradients,
        input_gradient,
        lay_out,
        pin_seeds,
        stream,
        sync,
        undisturbed,
        when,
        with_shape,
    )
elif NAME == "torch":
    from kgan.backend.torch import (
        COMPILER,
        EXPORT_FORMAT,
        GROUPS_ONE_BY_ONE,
        ONE_STEP_AT_ONCE,
        SHAPE_ERRORS,
        TITLE,
        Steps,
        apply,
        devices,
        gradients,
        input_gradient,
        lay_out,
        pin_seeds,
        stream,
        sync,
        undisturbed,
        when,
        with_shape,
    )
elif NAME == "tensorflow":
    from kgan.backend.tensorflow import (
        COMPILER,
        EXPORT_FORMAT,
        GROUPS_ONE_BY_ONE,
        ONE_STEP_AT_ONCE,
        SHAPE_ERRORS,
        TITLE,
        Steps,
        apply,
        devices,
        gradients,
        input_gradient,
        lay_out,
        pin_seeds,
        stream,
        sync,
        undisturbed,
        when,
        with_shape,
    )
else:
    raise ImportError(
        f"kgan trains on the Keras backends 'tensorflow', 'jax' and 'torch'. Received: {NAME!r}, "
        "from the variable KERAS_BACKEND or ~/.keras/keras.json."
    )


def static_shape(tensor):
    return None if getattr(tensor.shape, "rank", 0) is None else tuple(tensor.shape)


def has_accelerator():
    """Whether the engine trains on anything but the processor."""
    return any(not name.startswith("cpu") for name in devices())


__all__ = [
    "COMPILER",
    "Directions",
    "EXPORT_FORMAT",
    "GROUPS_ONE_BY_ONE",
    "NAME",
    "ONE_STEP_AT_ONCE",
    "SHAPE_ERRORS",
    "TITLE",
    "Steps",
    "added_losses",
    "apply",
    "call",
    "channels_last",
    "devices",
    "gradients",
    "has_accelerator",
    "input_gradient",
    "lay_out",
    "last_operation",
    "operations_before",
    "layers_in",
    "learning_rate_of",
    "pin_seeds",
    "static_shape",
    "stream",
    "sync",
    "undisturbed",
    "variables_of",
    "when",
    "with_shape",
]
