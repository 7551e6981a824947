"""What kgan needs of an engine: the only place that imports TensorFlow, JAX or PyTorch.

- `gradients(losses, groups)` runs `losses() -> (losses, extra)` once and returns `extra` and, for each loss, its gradient
  by its own group of variables.
- `apply(optimizer, gradients, variables)` is the optimizer's update.
- `input_gradient(function, x)` is the gradient of `sum(function(x))` by `x`, and can itself be differentiated.
- `when(condition, then, otherwise)` runs one of two functions, which return nothing or tensors that are alike.
- `pin_seeds(model)` makes a model's dropout a function of the seeds that are saved with it.
- `stream(batches)` is what the engine's `fit` reads `kgan.data.Batches` from fastest, and a function to call when their
  order has changed.
- `static_shape(tensor)` is its shape, a tuple; `None` where TensorFlow knows not even how many axes there are.
- `undisturbed()` is a context in which generating and evaluating leave global random states alone.
- `Steps` is how the engine's stock `fit` enters a model's `step` and `test`.
"""

import keras

if keras.backend.backend() == "jax":
    from kgan.backend.jax import Steps, apply, gradients, input_gradient, pin_seeds, stream, undisturbed, when
elif keras.backend.backend() == "torch":
    from kgan.backend.torch import Steps, apply, gradients, input_gradient, pin_seeds, stream, undisturbed, when
elif keras.backend.backend() == "tensorflow":
    from kgan.backend.tensorflow import Steps, apply, gradients, input_gradient, pin_seeds, stream, undisturbed, when
else:
    raise ImportError(
        f"kgan trains on the Keras backends 'tensorflow', 'jax' and 'torch'. Received: {keras.backend.backend()!r}, "
        "from the variable KERAS_BACKEND or ~/.keras/keras.json."
    )


def static_shape(tensor):
    return None if getattr(tensor.shape, "rank", 0) is None else tuple(tensor.shape)


__all__ = [
    "Steps",
    "apply",
    "gradients",
    "input_gradient",
    "pin_seeds",
    "static_shape",
    "stream",
    "undisturbed",
    "when",
]
