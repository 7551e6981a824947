"""The state of a training: its variables as arrays, and its configuration."""

import collections
import itertools
import zlib

import keras
import numpy as np
from keras import ops

from kgan import backend, ramps
from kgan.backend import learning_rate_of, variables_of
from kgan.checkpoints import changes, disk
from kgan.checkpoints.keras_file import check_serializable
from kgan.players import average

_AVERAGE, _LOSS_SCALE = "ema_generator", "loss scale"
_OF_EVERY_OPTIMIZER = ("iteration", "learning_rate", "gradient_accumulator")


def groups_of(gan):
    """All variables of a training, by group."""
    return {
        "variables": gan.variables,
        "metrics": gan.metrics_variables,
        "d_opt": gan.d_opt.variables,
        "g_opt": gan.g_opt.variables,
    }


def arrays_of(gan):
    """The values of all variables, by group."""
    return {group: [_numpy(variable) for variable in variables] for group, variables in groups_of(gan).items()}


def labels_of(gan):
    """What each variable is, by group and in the order of `groups_of`, such as `"generator/0 (6, 24)"`.

    The same label is the same variable in another process, on another engine and with other arguments of `compile`.
    """
    parts = {"generator": gan.generator, "discriminator": gan.discriminator}
    if gan.ema_generator is not None:
        parts[_AVERAGE] = gan.ema_generator
    if gan.augment is not None:
        parts[type(gan.augment).__name__] = gan.augment
    owners = {id(variable): name for name, part in parts.items() for variable in part.variables}
    logs = ", ".join(gan.logs.all_names)
    metrics = {id(variable): f"{one.name} of {logs}" for one in gan.metrics for variable in one.variables}
    groups = groups_of(gan)
    return {
        "variables": _numbered(groups["variables"], lambda variable: owners.get(id(variable), "gan")),
        "metrics": _numbered(groups["metrics"], lambda variable: metrics[id(variable)]),
        "d_opt": _numbered(groups["d_opt"], _slots_of(gan.d_opt)),
        "g_opt": _numbered(groups["g_opt"], _slots_of(gan.g_opt)),
    }


def _slots_of(optimizer):
    """A function that says what each variable of an optimizer is: its counter, its learning rate, `Adam momentum`, ..."""
    inner = ramps.holder(optimizer)
    kinds = type(inner).__mro__
    family = kinds[kinds.index(keras.Optimizer) - 1].__name__  # AdamW is a subclass of Adam, and continues its slots
    own = {id(variable) for variable in inner.variables}
    # a slot has the path of the player's variable in its name
    paths = sorted((variable.path.replace("/", "_") for variable in variables_of(inner)), key=len, reverse=True)

    def slot(variable):
        if id(variable) not in own:
            return f"{_LOSS_SCALE} {variable.name}"
        path = next((path for path in paths if variable.name.startswith(f"{path}_")), "")
        name = variable.name.removeprefix(f"{path}_")
        return name if name in _OF_EVERY_OPTIMIZER else f"{family} {name}"

    return slot


def _numbered(variables, name_of):
    seen: collections.Counter = collections.Counter()
    labels = []
    for variable in variables:
        name = name_of(variable)
        labels.append(f"{name}/{seen[name]} {tuple(variable.shape)}")
        seen[name] += 1
    return labels


def described(gan):
    """What `load` and `put_back` need to know besides the arrays, as data that JSON can represent."""
    return {"gan": config_of(gan), "compiled_with": gan.compiled_with, "labels": labels_of(gan)}


def put_back(gan, path):
    """Assign the values of a checkpoint to the variables of a compiled GAN.

    What `compile` was given differently keeps its new value, such as a learning rate. What the checkpoint does not hold
    begins anew, such as an averaged generator, or the momenta of an optimizer that had none.

    Returns:
        The differences of what `compile` was given, as `changes.between`.

    Raises:
        BadCheckpointError: if it belongs to another GAN, or to an optimizer whose state this one cannot continue; then
            nothing is changed.
    """
    known = backend.from_first(lambda: disk.read_state(path))
    groups, labels = groups_of(gan), labels_of(gan)
    there = known.get("labels", labels)  # old checkpoints have no labels
    before = known.get("compiled_with", gan.compiled_with)
    try:
        _check_fits(path, there["variables"], labels["variables"])
        for name in ("d_opt", "g_opt"):
            _check_optimizer(path, name, (before[name], there[name]), (gan.compiled_with[name], labels[name]))
        variables = {group: dict(zip(labels[group], groups[group], strict=True)) for group in groups}
        expected = {
            group: [tuple(some[one].shape) if one in some else None for one in there[group]]
            for group, some in variables.items()
        }
        rates = {name: before[name]["arguments"]["learning_rate"] for name in ("d_opt", "g_opt")}
    except (AttributeError, KeyError, TypeError):
        raise disk.BadCheckpointError(f"{path}: its state.json is not a valid state") from None
    arrays = backend.from_first(lambda: disk.read_arrays(path, expected))
    for group, some in variables.items():
        for label, array in zip(there[group], arrays[group], strict=True):
            if array is not None:
                some[label].assign(array)
    if gan.ema_generator is not None and not any(one.startswith(_AVERAGE) for one in there["variables"]):
        average.begin(gan.ema_generator, gan.generator)
    for name, optimizer in (("d_opt", gan.d_opt), ("g_opt", gan.g_opt)):
        given, rate = gan.compiled_with[name]["arguments"]["learning_rate"], learning_rate_of(ramps.holder(optimizer))
        if given != rates[name] and isinstance(rate, keras.Variable):
            rate.assign(given)
    return list(changes.between(before, gan.compiled_with))


def _check_fits(path, there, here):
    for owner in ("generator", "discriminator", "gan"):
        both = [[label for label in labels if label.startswith(f"{owner}/")] for labels in (there, here)]
        for was, is_now in itertools.zip_longest(*both, fillvalue="nothing"):
            if was != is_now:
                raise disk.BadCheckpointError(
                    f"{path} does not fit this GAN, whose {owner} has other variables: "
                    f"{was} in the checkpoint, {is_now} here"
                )


def _check_optimizer(path, name, before, now):
    (was, there), (is_now, here) = before, now
    shared = (*_OF_EVERY_OPTIMIZER, _LOSS_SCALE)
    new = [label for label in here if label not in there and not label.startswith(shared)]
    # an optimizer may begin without momenta, but not with the counter of another one
    if was["class"] != is_now["class"] and new:
        raise disk.BadCheckpointError(
            f"{path} does not fit this GAN: `{name}` is {is_now['class']} now, which cannot continue with the state of "
            f"{was['class']}"
        )


def load(path):
    """Return the compiled GAN in a checkpoint, with its weights, optimizers and counters.

    Raises:
        BadCheckpointError: if it is damaged, or contains classes that are not registered.
    """
    disk.verify(path)
    config = disk.read_state(path).get("gan")
    if config is None:
        raise disk.BadCheckpointError(
            f"{path} contains functions or classes that are not registered. Build the same GAN again, and call "
            "`fit` with `Checkpoint(..., resume=True)`."
        )
    gan = keras.saving.deserialize_keras_object(config, safe_mode=True)
    put_back(gan, path)
    return gan


def config_of(gan):
    """The configuration from which `load` makes the GAN, or `None` if parts of it are not registered or have none."""
    try:
        check_serializable(gan)
    except (ValueError, TypeError, NotImplementedError):
        return None
    return keras.saving.serialize_keras_object(gan)


def finite(arrays):
    """Whether no array holds a NaN or an infinity."""
    return all(np.isfinite(array).all() for some in arrays.values() for array in some if array.dtype.kind == "f")


class DriftError(RuntimeError):
    """The processes that train one GAN do not train the same one any more."""


def check_same(arrays):
    """Raise DriftError if another process that trains the same GAN has other values.

    That the processes compute the same is not enforced by anything else, and a training would go on without it.
    """
    checksum = 0
    for array in (array for some in arrays.values() for array in some):
        checksum = zlib.crc32(np.ascontiguousarray(array).tobytes(), checksum)
    checksum >>= 1  # so that it is an int32
    highest, lowest = backend.largest([checksum, -checksum])
    if highest != -lowest:
        raise DriftError(
            "The processes that train this GAN have different weights or optimizers now, so they do not train the same one "
            "any more. Nothing was saved since. A callback or a layer that computes something else in each process is the "
            "usual reason."
        )


def _numpy(variable):
    array = ops.convert_to_numpy(ops.convert_to_tensor(variable))
    return array if array.dtype.kind in "biuf" else array.astype("float32")  # bfloat16, which numpy does not know


def plain(value):
    """numpy's numbers as Python's."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
