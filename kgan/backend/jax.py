"""The implementation on JAX: stateful Keras code inside stateless functions.

A `keras.StatelessScope` holds the values of all variables while a step runs. Each transformation (`vjp`, `grad`, `cond`)
runs its function in its own scope, which begins with the values of the outer one, and returns the new values
(BatchNorm statistics, seeds, metrics, losses that layers add) as an output: a tracer must not leave the function that
created it.
"""

import contextlib
import functools
import os
import pickle

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax.experimental import multihost_utils
from keras import ops
from keras.src.backend.jax import trainer as keras_trainer

from kgan.backend.added import added_losses, hand_on
from kgan.backend.alone import lost

TITLE, COMPILER = "JAX", "XLA"
EXPORT_FORMAT = "tf_saved_model"
ONE_STEP_AT_ONCE, GROUPS_ONE_BY_ONE = False, False
SHAPE_ERRORS = ()


def _current_scope():
    """The scope that this code runs in, which may be a user's own, or `None`: a new scope knows which one it is in."""
    with keras.StatelessScope(initialize_variables=False) as probe:
        return probe.original_scope


# JAX sorts the keys of a dict, and those of a state are ids, which differ from process to process: with a dict, each process
# would compile another program, and they would send each other other numbers. So values travel as lists, in the order in
# which variables were first written.


def _scope(values):
    """A scope in which the variables have these values, a dict by the variables' ids."""
    scope = keras.StatelessScope(collect_losses=True)
    scope.state_mapping = dict(values)
    return scope


def gradients(losses, groups):
    outer, keys = _current_scope(), list[int]()
    variables = [variable for group in groups for variable in group]

    def pure(values):
        own = {id(variable): value for variable, value in zip(variables, values, strict=True)}
        with _scope({**outer.state_mapping, **own}) as inner:
            results, extra = losses()
        keys[:] = inner.state_mapping
        return tuple(results), (extra, list(inner.state_mapping.values()))

    values, pullback, (extra, written) = jax.vjp(pure, [variable.value for variable in variables], has_aux=True)
    outer.state_mapping.update(zip(keys, written, strict=True))
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
    outer, keys = _current_scope() or keras.StatelessScope(), list[int]()  # a user may call a penalty outside of a step

    def pure(x):
        with _scope(outer.state_mapping) as inner, added_losses() as added:
            total = sum(ops.sum(one) for one in keras.tree.flatten(function(x)))
        keys[:] = inner.state_mapping
        return total, (list(inner.state_mapping.values()), added)

    gradient, (written, added) = jax.grad(pure, has_aux=True)(x)
    outer.state_mapping.update(zip(keys, written, strict=True))
    hand_on(added)
    return gradient


def when(condition, then, otherwise):
    outer = _current_scope()
    keys = list(outer.state_mapping)

    def branch(update):
        def run(values):
            with _scope(zip(keys, values, strict=True)) as inner:
                result = update()
            return result, list(inner.state_mapping.values())

        return run

    result, written = jax.lax.cond(condition, branch(then), branch(otherwise), list(outer.state_mapping.values()))
    outer.state_mapping.update(zip(keys, written, strict=True))
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
    distribution = keras.distribution.distribution()
    if distribution is None:
        return keras.distribution.list_devices()[:1]
    return [str(one) for one in distribution.device_mesh.devices.flat]


# what launchers say about the number of processes: Keras' own variable, SLURM's srun, Open MPI's mpirun
HEARTBEAT = 30  # seconds after which a process that says nothing is lost
LAUNCHED = "KERAS_DISTRIBUTION_NUM_PROCESSES", "SLURM_STEP_NUM_TASKS", "OMPI_COMM_WORLD_SIZE"


def _find_others():
    """Connect this process to the others. A launcher that JAX knows, such as SLURM, says everything itself."""

    def said(name):
        return os.environ.get(f"KERAS_DISTRIBUTION_{name}") or None

    addresses = said("JOB_ADDRESSES")
    count, index = (None if one is None else int(one) for one in (said("NUM_PROCESSES"), said("PROCESS_ID")))
    jax.distributed.initialize(
        addresses and addresses.split(",")[0],
        count,
        index,
        heartbeat_timeout_seconds=HEARTBEAT,  # Keras' own `initialize` leaves it at 100
    )


@contextlib.contextmanager
def spread(devices):
    if any(int(os.environ.get(name, 1)) > 1 for name in LAUNCHED) and not jax.distributed.is_initialized():
        jax.config.update("jax_enable_preemption_service", False)  # kgan handles SIGTERM itself
        _find_others()
    there = keras.distribution.list_devices()
    count = {None: 1, "all": len(there)}.get(devices, devices)
    if process()[1] > 1:
        count = len(there)  # each process has to use its own
    if count > len(there):
        raise ValueError(
            f"There are {len(there)} devices for JAX, {', '.join(there)}. Received: {count} devices; `all` takes all."
        )
    if count == 1:
        yield
        return
    # not sharded by Keras, which would deal out whole batches instead of parts of them
    distribution = keras.distribution.DataParallel(devices=there[:count], auto_shard_dataset=False)
    try:
        with distribution.scope():
            yield
        share(None)  # no process leaves before the first one has written all
    except (jax.errors.JaxRuntimeError, ValueError) as error:  # what JAX raises depends on where a message fails
        if process()[1] == 1 or not any(
            one in str(error) for one in ("Gloo", "NCCL", "UNAVAILABLE", "CoordinationService")
        ):
            raise
        raise lost(error) from None


def divisor(pack):
    return len(devices())


@contextlib.contextmanager
def on_one_device():
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


@contextlib.contextmanager
def by_itself(*models):
    """A context in which this process calls models alone, whose variables are on the devices of other processes too."""
    if jax.process_count() == 1:
        yield
        return
    # copies, since a call of Keras' `predict` gives the memory of its variables away
    values = [(one, jnp.array(one.value.addressable_data(0))) for model in models for one in model.variables]
    with on_one_device(), keras.StatelessScope(state_mapping=values):
        yield


@contextlib.contextmanager
def dealt_out():
    """A context in which `fit` gives each device its part of a batch, and a batch that cannot be divided evenly to all of
    them; Keras would deal out a batch like the first one, or fail.
    """
    distribution, dealt_by_keras = keras.distribution.distribution(), keras_trainer._distribute_data
    if distribution is None:
        yield
        return
    mesh, axis = distribution.device_mesh.backend_mesh, distribution.batch_dim_name

    def placed(array):
        if array is None:
            return None
        spec = jax.sharding.PartitionSpec(*[axis] * (len(array) % mesh.shape[axis] == 0))
        sharding = jax.sharding.NamedSharding(mesh, spec)
        return jax.make_array_from_callback(array.shape, sharding, lambda part: array[part])

    keras_trainer._distribute_data = lambda data, layouts=None: keras.tree.map_structure(placed, data)
    try:
        yield
    finally:
        keras_trainer._distribute_data = dealt_by_keras


def process():
    return jax.process_index(), jax.process_count()


def share(value):
    if jax.process_count() == 1:
        return value
    said = np.frombuffer(pickle.dumps(value), "uint8")
    high, low = multihost_utils.broadcast_one_to_all(np.array(divmod(len(said), 2**30), "int32"))
    length = int(high) * 2**30 + int(low)
    return pickle.loads(multihost_utils.broadcast_one_to_all(np.resize(said, length)).tobytes())


def largest(numbers):
    if jax.process_count() == 1:
        return numbers
    return multihost_utils.process_allgather(np.array(numbers, "int32")).max(0).tolist()


def _dealing_out(name):
    @functools.wraps(getattr(keras.Model, name))
    def method(self, *args, **kwargs):
        with dealt_out():
            return getattr(super(Steps, self), name)(*args, **kwargs)

    return method


class Steps:
    fit, evaluate = _dealing_out("fit"), _dealing_out("evaluate")
    predict = _dealing_out("predict")
    train_on_batch, test_on_batch = _dealing_out("train_on_batch"), _dealing_out("test_on_batch")

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
