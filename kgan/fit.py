"""What `fit` does besides training: the order of callbacks, the count of epochs, checks of the arguments and the data."""

import contextlib
import functools
import inspect
import logging
import math
import pathlib
import re
import time
import warnings

import keras

from kgan import backend, monitors
from kgan.callbacks import live
from kgan.callbacks.measuring import Measuring
from kgan.checkpoints.roles import Resumable, listed
from kgan.conditions import Classes, Unconditional, no_weights, shown
from kgan.data import brightness
from kgan.data.on_demand import folders_of
from kgan.files import warn_once
from kgan.players.activation import bounds
from kgan.together import Together, in_order

log = logging.getLogger("kgan")


def unweighted(method):
    """Let a method that overrides one of `keras.Model` refuse its arguments `sample_weight` and `class_weight`."""
    signature = inspect.signature(getattr(keras.Model, method.__name__))

    @functools.wraps(method)
    def checked(*args, **kwargs):
        given = signature.bind_partial(*args, **kwargs).arguments
        for name in ("sample_weight", "class_weight"):
            if given.get(name) is not None:
                raise no_weights(f"`{name}`")
        validation = given.get("validation_data")
        if isinstance(validation, tuple) and len(validation) == 3 and validation[2] is not None:
            raise no_weights("`validation_data` of three parts, the last of which would be `sample_weight`")
        return method(*args, **kwargs)

    return checked


def check_any(data, method):
    """Raise ValueError if the data of `fit` or `evaluate`, images or a tuple that begins with them, are known to be none."""
    images = data[0] if isinstance(data, tuple) and data else data
    if isinstance(images, str | pathlib.Path):
        is_file = pathlib.Path(images).is_file()
        reader = "kgan.data.load(path=...).images" if is_file else f"kgan.data.Folder({str(images)!r})"
        raise ValueError(f"The data of `{method}` must be images. {reader} reads them. Received: the path {images}")
    try:
        empty = len(images) == 0
    except TypeError:  # the length is not known
        return
    if empty:
        raise ValueError(_none(method, f"{type(images).__name__} of length 0"))


def check_results(results):
    """Raise ValueError if `evaluate` saw no batch."""
    if isinstance(results, list | dict) and not results:
        raise ValueError(_none("evaluate", "a dataset that yields no batch"))


def _none(method, received):
    return f"The data of `{method}` must hold at least one image. Received: {received}"


class Keeper(keras.callbacks.Callback):
    """Counts epochs, shuffles the data for the next one, and checks the ranges of the data, and `trainable` of the players.

    The step computes them; to read them here, the engine must have ended its step. So this is done after the first batch,
    then once a second, and after each epoch; and when a batch begins, not when one ends: Keras updates its progress bar
    asynchronously only if no callback acts at the end of a batch.
    """

    def __init__(self, next_epoch):
        super().__init__()
        self.checked, self.next_epoch = -math.inf, next_epoch
        self.any = self.warned = False

    def _check(self):
        first = self.checked < 0
        self.model.sync()
        self.model.logs.check_ranges(first)
        if first:
            self._check_generator()
        self.checked = time.monotonic()

    def _check_generator(self):
        """Warn of images that use half of the generator's range, and of a generator that uses half of theirs."""
        model, known = self.model, bounds(self.model.generator)
        if known and known[0] < 0 and model.logs.only_half:
            log.warning(
                "The images are floats in [0, 1], and the range of the generator's is [-1, 1]: half of it is not used. "
                "2 * x - 1 scales the images."
            )
        if (
            (known and known[1] < math.inf)
            or len(model.image_shape) != 3
            or not isinstance(model.condition, Unconditional | Classes)
        ):
            return
        if model.samples(16, seed=0)[:].min() >= 0:
            log.warning(
                "The generator's images have no value below 0, and kgan expects images in [-1, 1]: end it in tanh, "
                "or in a sigmoid for images in [0, 1]."
            )

    def _check_outside(self):
        """Warn once of floats that a later batch than the first holds."""
        outside = None if self.warned else self.model.logs.outside
        if outside:
            self.warned = True
            low, high = self.model.image_range
            log.warning(
                f"Some images are floats outside of [{low:g}, {high:g}], the range of the generator's images: they go from "
                f"{outside[0]:g} to {outside[1]:g}."
            )

    def on_epoch_begin(self, epoch, logs=None):
        self.model.check_trainable()

    def on_train_batch_begin(self, batch, logs=None):
        if batch and time.monotonic() - self.checked > 1.0:
            self._check()

    def on_test_begin(self, logs=None):
        self._check()  # before validation, which resets what was seen of the epoch

    def on_epoch_end(self, epoch, logs=None):
        self.any = self.any or bool(logs)
        if not self.any:
            raise ValueError(_none("fit", "a dataset that yields no batch"))
        self._check()
        self._check_outside()
        if epoch == 0 and self.model.logs.dark:
            warn_once(brightness.DARK)
        self.model.epochs.assign(self.model.epochs + 1)
        for shuffle in self.next_epoch:
            shuffle()


class EitherLoss(keras.callbacks.Callback):
    """Lets Keras' TerminateOnNaN, which looks at `loss` only, see both losses."""

    def __init__(self, watchers):
        super().__init__()
        self.watchers = watchers

    def on_train_batch_end(self, batch, logs=None):
        for watcher in self.watchers:
            watcher.on_batch_end(batch, {"loss": logs["d_loss"] + logs["g_loss"]})


def with_live(callbacks, verbose):
    """In Jupyter and Colab, use `Live` in place of Keras' progress bar, unless the user has chosen what is shown.

    Args:
        callbacks, verbose: Arguments of `fit`.

    Returns:
        Both, as they are to be used.
    """
    if verbose != "auto" or isinstance(callbacks, keras.callbacks.CallbackList) or not live.in_notebook():
        return callbacks, verbose
    given = listed(callbacks)
    return (given if any(isinstance(one, live.Live) for one in given) else [*given, live.Live()]), 0


def with_own_callbacks(callbacks, model, next_epoch, data, validated=False):
    """The model's own callbacks, then those of the user: first those that measure, then those that act on the logs.

    Args:
        callbacks: Callback, list of callbacks, `keras.callbacks.CallbackList` or `None`.
        model: `GAN`.
        next_epoch: List of functions that are called between epochs.
        data: The data of `fit`, which the callbacks receive, and its `validation_data`, a pair.
        validated: Whether `fit` has validation data.

    Raises:
        ValueError: if one of the callbacks cannot work.
    """
    for one in listed(callbacks):
        if isinstance(one, type | str):
            name = one.__name__ if isinstance(one, type) else one
            raise ValueError(f"`callbacks` must be objects such as {name}(). Received: {one!r}")
    # a `CallbackList` that is used again has those of the `fit` before
    given = [
        one for one in listed(callbacks) if not isinstance(one, Keeper | EitherLoss | monitors.Unmeasured | Together)
    ]
    watchers = [one for one in given if isinstance(one, keras.callbacks.TerminateOnNaN)]
    own: list[keras.callbacks.Callback] = [Keeper(next_epoch), *([EitherLoss(watchers)] if watchers else [])]
    measuring = [one for one in given if isinstance(one, Measuring)]
    files = [one.path.absolute() for one in measuring if one.path is not None]
    for one in measuring:
        if one.path is not None and files.count(one.path.absolute()) > 1:
            raise ValueError(f"Two callbacks write their scores to {one.path}; give each a `path` of its own.")
        one.set_model(model)
    for one in given:
        if isinstance(one, Resumable):
            one.take_data(*data)
            one.take_callbacks(given)
    if model.compiled:  # otherwise Keras says so
        model.logs.measuring = measuring
        monitors.check(given, model, validated)
    first = [*measuring, monitors.Unmeasured(given)] if measuring else []
    others = in_order([*first, *(one for one in given if one not in measuring)])
    ordered = [*own, *others]
    if isinstance(callbacks, keras.callbacks.CallbackList):
        for callback in ordered:
            if callback not in given:
                callback.set_model(model)
        callbacks.callbacks[:] = ordered
        return callbacks
    return ordered


def filters_restored(callbacks):
    """A context after which the warning filters are as before, if there is a callback that measures and may set one."""
    measuring = any(isinstance(one, Measuring) for one in listed(callbacks))
    return warnings.catch_warnings() if measuring else contextlib.nullcontext()


@contextlib.contextmanager
def plain_errors(shape, data):
    """A context in which what TensorFlow found while it ran becomes a sentence: images of another shape, and pictures of a
    folder that cannot be read any more.
    """
    try:
        yield
    except Exception as error:
        failure = next((folder.failure for folder in folders_of(data) if folder.failure), None)
        if failure and not isinstance(error, OSError):
            raise OSError(failure) from None
        if not isinstance(error, backend.SHAPE_ERRORS):
            raise
        found = re.search(r"Shape of tensor .*?\[(.*?)\] is not compatible with expected shape", str(error))
        if not found:
            raise
        raise ValueError(
            f"Real images must have the generator's shape {shown(shape)}. Received: ({found[1].replace(',', ', ')})."
        ) from None
