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
- `spread(devices)` is a context in which GANs that are made are trained on a number of devices, or `"all"`, and in all
  processes that were started for it; `on_one_device()` one in which models are not; `by_itself(*models)` one in which one
  process alone calls models that are.
- `process()` is the number of this process among those that train one GAN together, and how many these are; `is_first()`
  whether it is the first;
  `check_together(model)` raises ValueError where that is not possible, and `begin_together(variables)` gives variables the
  values of the first process.
- `share(value)` is the value of the first process in all of them, plain data, and `from_first(make)` what `make()` returns
  there; `first_then_others(make)` is `make()`, called in the first one before the others; `largest(numbers)` is the largest
  of all processes, for each of a list of integers. All processes must call these in the same order.
- `divisor(pack)` is the number that must divide a batch, packs of so many examples, to be divided among all devices.
- In a step a process may have only a part of the batch: one of `parts()` parts. `whole(tensor)` is the tensor of the whole
  batch, with the gradient of all parts, and `part(tensor)` this process' part of such a one; `places(n)` are the positions
  in the whole batch of n examples of this part, `in_all_parts(scalars)` a list of the values of each part.
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
    from kgan.backend.alone import begin_together, check_together, in_all_parts, part, parts, places, whole
    from kgan.backend.jax import (
        COMPILER,
        EXPORT_FORMAT,
        GROUPS_ONE_BY_ONE,
        ONE_STEP_AT_ONCE,
        SHAPE_ERRORS,
        TITLE,
        Steps,
        apply,
        by_itself,
        devices,
        divisor,
        gradients,
        input_gradient,
        largest,
        lay_out,
        on_one_device,
        pin_seeds,
        process,
        share,
        spread,
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
        by_itself,
        check_together,
        devices,
        divisor,
        gradients,
        input_gradient,
        lay_out,
        on_one_device,
        pin_seeds,
        spread,
        stream,
        sync,
        undisturbed,
        when,
        with_shape,
    )
    from kgan.backend.torch_processes import (
        begin_together,
        in_all_parts,
        largest,
        part,
        parts,
        places,
        process,
        share,
        whole,
    )
elif NAME == "tensorflow":
    from kgan.backend.alone import (
        begin_together,
        check_together,
        in_all_parts,
        largest,
        part,
        parts,
        places,
        process,
        share,
        whole,
    )
    from kgan.backend.tensorflow import (
        COMPILER,
        EXPORT_FORMAT,
        GROUPS_ONE_BY_ONE,
        ONE_STEP_AT_ONCE,
        SHAPE_ERRORS,
        TITLE,
        Steps,
        apply,
        by_itself,
        devices,
        divisor,
        gradients,
        input_gradient,
        lay_out,
        on_one_device,
        pin_seeds,
        spread,
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


def is_first():
    """Whether this process is the first of those that train one GAN together, or the only one."""
    return process()[0] == 0


def from_first(make):
    """What `make()` returns in the first process, in all processes; the others do not call it."""
    index, count = process()
    if count == 1:
        return make()
    made, error = None, None
    if index == 0:
        try:
            made = make()
        except Exception as raised:
            error = raised
    made, failed = share((made, error is not None))
    if error is not None:
        raise error
    if failed:
        raise ConnectionError("The first process of this training has ended with an error, which it says.")
    return made


def first_then_others(make):
    """`make()` of each process. The others begin when the first one has ended, whose downloads and caches they find."""
    made = []
    from_first(lambda: made.append(make()))
    return made[0] if made else make()


def has_accelerator():
    """Whether the engine trains on anything but the processor."""
    return any(not name.startswith("cpu") for name in devices())


__all__ = [
    "COMPILER",
    "EXPORT_FORMAT",
    "GROUPS_ONE_BY_ONE",
    "NAME",
    "ONE_STEP_AT_ONCE",
    "SHAPE_ERRORS",
    "TITLE",
    "Directions",
    "Steps",
    "added_losses",
    "apply",
    "begin_together",
    "by_itself",
    "call",
    "channels_last",
    "check_together",
    "devices",
    "divisor",
    "first_then_others",
    "from_first",
    "gradients",
    "has_accelerator",
    "in_all_parts",
    "input_gradient",
    "is_first",
    "largest",
    "last_operation",
    "lay_out",
    "layers_in",
    "learning_rate_of",
    "on_one_device",
    "operations_before",
    "part",
    "parts",
    "pin_seeds",
    "places",
    "process",
    "share",
    "spread",
    "static_shape",
    "stream",
    "sync",
    "undisturbed",
    "variables_of",
    "when",
    "whole",
    "with_shape",
]
