"""The implementation on JAX: stateful Keras code inside stateless functions.

A `keras.StatelessScope` holds the values of all variables while a step runs. Each transformation (`vjp`, `grad`, `cond`)
runs its function in its own scope, which begins with the values of the outer one, and returns the new values
(BatchNorm statistics, seeds, metrics, losses that layers add) as an output: a tracer must not leave the function that
created it.
"""

import contextlib

import jax
import keras
from keras import ops

from kgan.backend.added import added_losses, hand_on

TITLE, COMPILER = "JAX", "XLA"
EXPORT_FORMAT = "tf_saved_model"
ONE_STEP_AT_ONCE, GROUPS_ONE_BY_ONE = False, False
SHAPE_ERRORS = ()


def _current_scope():
    """The scope that this code runs in, which may be a user's own, or `None`: a new scope knows which one it is in."""
    with keras.StatelessScope(initialize_variables=False) as probe:
        return probe.original_scope


def _scope(values):
    """A scope in which the variables have these values, a dict by the variables' ids."""
    scope = keras.StatelessScope(collect_losses=True)
    scope.state_mapping = dict(values)
    return scope


def gradients(losses, groups):
    outer = _current_scope()
    variables = [variable for group in groups for variable in group]

    def pure(values):
        own = {id(variable): value for variable, value in zip(variables, values, strict=True)}
        with _scope({**outer.state_mapping, **own}) as inner:
            results, extra = losses()
        return tuple(results), (extra, inner.state_mapping)

    values, pullback, (extra, written) = jax.vjp(pure, [variable.value for variable in variables], has_aux=True)
    outer.state_mapping.update(written)
    result, start = [], 0
    for index, group in enumerate(groups):
        one_hot = tuple(ops.full_like(value, float(other == index)) for other, value in enumerate(values))
        (grads,) = pullback(one_hot)  # with respect to all variables; XLA removes unused gradients
        result.append(grads[start : start + len(group)])
        start += len(group)
    return extra, result


def apply(optimizer, grads, variables):
    # not optimizer.apply: LossScaleOptimizer branches inside it and leaks tracers
    new_variables, new_slots = optimizer.stateless_apply(
        [slot.value for slot in optimizer.variables], list(grads), [variable.value for variable in variables]
    )
    for variable, value in zip([*variables, *optimizer.variables], [*new_variables, *new_slots], strict=True):
        variable.assign(value)


def input_gradient(function, x):
    outer = _current_scope() or keras.StatelessScope()  # a user may call a penalty outside of a step

    def pure(x):
        with _scope(outer.state_mapping) as inner, added_losses() as added:
            total = sum(ops.sum(one) for one in keras.tree.flatten(function(x)))
        return total, (inner.state_mapping, added)

    gradient, (written, added) = jax.grad(pure, has_aux=True)(x)
    outer.state_mapping.update(written)
    hand_on(added)
    return gradient


def when(condition, then, otherwise):
    outer = _current_scope()

    def branch(update):
        def run(values):
            with _scope(values) as inner:
                result = update()
            return result, inner.state_mapping

        return run

    result, written = jax.lax.cond(condition, branch(then), branch(otherwise), outer.state_mapping)
    outer.state_mapping.update(written)
    return result


def lay_out(variables):
    pass  # its convolutions read kernels as they are


def pin_seeds(model):
    pass  # Keras draws from the layers' own seeds


def stream(batches):
    return batches, lambda: None


def with_shape(tensor, shape):
    return tensor  # the engine knows all shapes


def undisturbed():
    return contextlib.nullcontext()


def sync(model):
    model.jax_state_sync()


def devices():
    return keras.distribution.list_devices()


class Steps:
    def train_step(self, state, data):
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        return self._run(self.step, groups, state, data)

    def test_step(self, state, data):
        groups = self.trainable_variables, self.non_trainable_variables, self.metrics_variables
        return self._run(self.test, groups, state, data)

    def _run(self, step, groups, state, data):
        pairs = [pair for group, values in zip(groups, state, strict=True) for pair in zip(group, values, strict=True)]
        with keras.StatelessScope(state_mapping=pairs) as scope:
            logs = step(data)
        return logs, tuple([scope.get_current_value(variable) for variable in group] for group in groups)
