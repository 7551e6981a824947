"""The state of a training: its variables as arrays, and its configuration."""

import keras
import numpy as np
from keras import ops

from kgan.checkpoints import disk
from kgan.checkpoints.keras_file import check_serializable


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


def put_back(gan, path):
    """Assign the values of a checkpoint to the variables of a compiled GAN; return the values by group.

    Raises:
        BadCheckpointError: if it belongs to another GAN; then nothing is changed.
    """
    groups = groups_of(gan)
    expected = {group: [tuple(variable.shape) for variable in variables] for group, variables in groups.items()}
    arrays = disk.read_arrays(path, expected)
    for group, variables in groups.items():
        for variable, array in zip(variables, arrays[group], strict=True):
            variable.assign(array)
    return arrays


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
    """The configuration from which `load` makes the GAN, or `None` if parts of it are not registered."""
    try:
        check_serializable(gan)
    except ValueError:
        return None
    return keras.saving.serialize_keras_object(gan)


def finite(arrays):
    """Whether no array holds a NaN or an infinity."""
    return all(np.isfinite(array).all() for some in arrays.values() for array in some if array.dtype.kind == "f")


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
