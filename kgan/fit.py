"""What goes along with a `fit`: the order of its callbacks, the count of epochs, the checks of the data's ranges."""

import contextlib
import warnings

import keras

from kgan.callbacks.measuring import Measuring


class Keeper(keras.callbacks.Callback):
    """Counts epochs, lets the data shuffle for the next one, and checks the ranges of the data.

    After the first batch, when the second one begins: Keras runs its progress bar beside the training as long as no callback
    waits for the end of a batch. And after each epoch, since a wrong label may come in any batch.
    """

    def __init__(self, next_epoch):
        super().__init__()
        self.checked, self.next_epoch = False, next_epoch

    def _check(self):
        self.model.sync()
        self.model.logs.check_ranges()
        self.checked = True

    def on_train_batch_begin(self, batch, logs=None):
        if batch and not self.checked:
            self._check()

    def on_test_begin(self, logs=None):
        self._check()  # while what was seen of the epoch is there: validation begins anew

    def on_epoch_end(self, epoch, logs=None):
        self._check()
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
    """What `fit` was given as `callbacks`, after the model's own, those that measure before those that act on the logs.

    Args:
        callbacks: Callback, list of callbacks, `keras.callbacks.CallbackList` or `None`.
        model: `GAN`.
        next_epoch: List of functions to call between epochs.
        data: What `fit` trains with, which those that measure are given.
    """
    given = getattr(callbacks, "callbacks", callbacks) or []
    given = keras.tree.flatten(given if isinstance(given, list | tuple) else [given])
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


@contextlib.contextmanager
def patient(callbacks):
    """Within it, EarlyStopping waits for a measured value without a warning in each epoch that has none.

    Args:
        callbacks: List of callbacks, or `keras.callbacks.CallbackList`.
    """
    with warnings.catch_warnings():
        for callback in getattr(callbacks, "callbacks", callbacks):
            for name in callback.values if isinstance(callback, Measuring) else ():
                warnings.filterwarnings(
                    "ignore", f"Early stopping conditioned on metric `{name}"
                )  # of single classes too
        yield
