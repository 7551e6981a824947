"""What `compile` was given, as plain data, and how two such records differ."""

import types
import warnings

import keras
import numpy as np
from keras.optimizers.schedules import LearningRateSchedule

from kgan import ramps
from kgan.backend import learning_rate_of

# how a training is executed, not what it computes
_EXECUTION = ("run_eagerly", "steps_per_execution", "jit_compile")
# Keras numbers the names of such objects, and the loss scale adapts itself
_KERAS = (keras.Layer, keras.Loss, keras.Optimizer, LearningRateSchedule)
_OF_KERAS = {"name", "dtype", "trainable", "initial_scale", "inner_optimizer"}
_OF_KERAS |= {"use_ema", "ema_momentum", "ema_overwrite_frequency"}  # which an optimizer of a GAN must not use


def record(rules):
    """The arguments of `compile` as plain data, such as `{"loss": {"class": "Hinge", "arguments": {}}, ...}`.

    An optimizer is recorded with the learning rate that it has now: callbacks may change it later. What has no
    `get_config`, such as a function, is recorded by its name.

    Args:
        rules: Dict from the arguments' names to their values; the optimizers are built.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras' own warning about lambdas
        return {name: _plain(value) for name, value in rules.items() if name not in _EXECUTION}


def between(before, now, path=""):
    """Yield each difference of two records: its path, such as `d_opt.learning_rate`, the old value and the new one.

    What only one of them knows, such as an argument that another version of a package has, is no difference.
    """
    if _alike(before, now):
        before, now = _parts(before), _parts(now)
        for key in before:
            if key in now:
                yield from between(before[key], now[key], f"{path}.{key}" if path else str(key))
    elif before != now:
        yield path, before, now


def line(path, before, now):
    """A difference as `d_opt.learning_rate: 0.0002 -> 0.0001`."""
    return f"{path}: {in_words(before)} -> {in_words(now)}"


def _plain(value):
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | np.generic):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, dict):
        if isinstance(value.get("config"), dict) and "class_name" in value:  # an object that Keras has serialized
            arguments = {name: one for name, one in value["config"].items() if name not in _OF_KERAS}
            return {"class": value["class_name"], "arguments": _plain(arguments)}
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return value.__qualname__
    return {"class": type(ramps.holder(value)).__name__, "arguments": _arguments(value)}


def _arguments(thing):
    if isinstance(thing, keras.Model):  # such as one in a loss: its layers' names have numbers too
        return {}
    try:
        found = {name: _plain(value) for name, value in thing.get_config().items()}
    except Exception:  # it has no `get_config`, or one that cannot be called
        found = {}
    if isinstance(thing, _KERAS):
        found = {name: value for name, value in found.items() if name not in _OF_KERAS}
    if isinstance(thing, keras.Optimizer):
        inner = ramps.holder(thing)
        if inner is not thing:
            return found | _arguments(inner)
        rate = learning_rate_of(thing)
        is_number = isinstance(rate, keras.Variable)
        # in float32, 0.0002 is 0.00019999999494757503
        found["learning_rate"] = float(str(np.float32(keras.ops.convert_to_numpy(rate)))) if is_number else _plain(rate)
    return found


def _alike(before, now):
    """Whether the parts of two values correspond to each other: of two objects of a class, or two lists of such."""
    if isinstance(before, list) and isinstance(now, list):
        objects = before and all(isinstance(one, dict) for one in before)
        return bool(objects) and len(before) == len(now) and all(map(_alike, before, now))
    return isinstance(before, dict) and isinstance(now, dict) and before.get("class") == now.get("class")


def _parts(value):
    if isinstance(value, list):
        return dict(enumerate(value))
    return value["arguments"] if "class" in value else value


def in_words(value, names=None):
    """A value of a record as it would be written in Python, without arguments that are `None` or `False`.

    Args:
        value: The value.
        names: The arguments of an object that are written; all of them by default.
    """
    if isinstance(value, list):
        return f"[{', '.join(map(in_words, value))}]"
    if isinstance(value, dict) and "class" in value:
        arguments = ", ".join(
            f"{name}={in_words(one)}"
            for name, one in value["arguments"].items()
            if one is not None and one is not False and (names is None or name in names)
        )
        return f"{value['class']}({arguments})" if arguments else value["class"]
    return str(value)
