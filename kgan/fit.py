"""What `fit` does besides training: the order of callbacks, the count of epochs, the checks of the data's ranges."""

import contextlib
import warnings

import keras

from kgan.callbacks.measuring import Measuring
from kgan.checkpoints.roles import listed


def check_any(data, method):
    """Raise ValueError if the data of `fit` or `evaluate`, images or a tuple that begins with them, are known to be none."""
    images = data[0] if isinstance(data, tuple) and data else data
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
    """Counts epochs, shuffles the data for the next one, and checks the ranges of the data.

    It checks the first batch when the second one begins, not when the first one ends: Keras updates its progress bar
    asynchronously only if no callback acts at the end of a batch. It checks again after each epoch, since a wrong label may
    be in any batch.
    """

    def __init__(self, next_epoch):
        super().__init__()
        self.checked, self.next_epoch = False, next_epoch
        self.any = False

    def _check(self, again=()):
        names = again if self.checked else None
        if names is None or names:
            self.model.sync()
            self.model.logs.check_ranges(names)
            self.checked = True

    def on_train_batch_begin(self, batch, logs=None):
        if batch:
            self._check()

    def on_test_begin(self, logs=None):
        # before validation, which resets what was seen of the epoch
        self._check(again=self.model.condition.checked_often)

    def on_epoch_end(self, epoch, logs=None):
        self.any = self.any or bool(logs)
        if not self.any:
            raise ValueError(_none("fit", "a dataset that yields no batch"))
        self._check(again=self.model.condition.checked_often)
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


def with_own_callbacks(callbacks, model, next_epoch, data):
    """The model's own callbacks, then those of the user: first those that measure, then those that act on the logs.

    Args:
        callbacks: Callback, list of callbacks, `keras.callbacks.CallbackList` or `None`.
        model: `GAN`.
        next_epoch: List of functions that are called between epochs.
        data: The data of `fit`, which the measuring callbacks receive.
    """
    # a `CallbackList` that is used again has those of the `fit` before
    given = [one for one in listed(callbacks) if not isinstance(one, Keeper | EitherLoss)]
    watchers = [one for one in given if isinstance(one, keras.callbacks.TerminateOnNaN)]
    own: list[keras.callbacks.Callback] = [Keeper(next_epoch), *([EitherLoss(watchers)] if watchers else [])]
    measuring = [one for one in given if isinstance(one, Measuring)]
    files = [one.path.absolute() for one in measuring if one.path is not None]
    for one in measuring:
        if one.path is not None and files.count(one.path.absolute()) > 1:
            raise ValueError(f"Two callbacks write their scores to {one.path}; give each a `path` of its own.")
        one.take_data(data)
    ordered = [*own, *sorted(given, key=lambda callback: not isinstance(callback, Measuring))]
    if isinstance(callbacks, keras.callbacks.CallbackList):
        for callback in own:
            callback.set_model(model)
        callbacks.callbacks[:] = ordered
        return callbacks
    return ordered


def filters_restored(callbacks):
    """A context after which the warning filters are as before, if there is a callback that measures and may set one."""
    measuring = any(isinstance(one, Measuring) for one in listed(callbacks))
    return warnings.catch_warnings() if measuring else contextlib.nullcontext()
