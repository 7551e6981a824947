"""What `fit` does in several processes that train one GAN together, each of which calls it."""

import contextlib

import keras

from kgan import backend
from kgan.checkpoints.roles import Saver
from kgan.data.ordered import Ordered

# they decide by the logs, which are the same in all processes
OF_LOGS = (
    keras.callbacks.EarlyStopping,
    keras.callbacks.History,
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
    keras.callbacks.TerminateOnNaN,
)


class Together(keras.callbacks.Callback):
    """Gives what the callbacks of the first process say to all: the logs of an epoch, scores included, and its end."""

    def on_train_batch_end(self, batch, logs=None):
        self._stop()

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs.update(backend.share({name: float(value) for name, value in logs.items()}))
        self._stop()

    def _stop(self):
        self.model.stop_training = bool(backend.largest([self.model.stop_training])[0])


def in_order(callbacks):
    """The callbacks of this process, in an order in which all decide alike: first those of the first process alone, which
    write, draw, measure and do what their user likes; then those that act in each process, by the logs alone.

    Raises:
        ValueError: if one of them is not for several processes.
    """
    index, count = backend.process()
    if count == 1:
        return callbacks
    for one in callbacks:
        if isinstance(one, keras.callbacks.BackupAndRestore):
            raise ValueError("BackupAndRestore is for one process. Use kgan.callbacks.Checkpoint(..., resume=True).")
    everywhere = [one for one in callbacks if isinstance(one, (Saver, *OF_LOGS))]
    alone = [] if index else [one for one in callbacks if one not in everywhere]
    return [*alone, Together(), *everywhere]


@contextlib.contextmanager
def reading_own_part(gan, data):
    """A context in which all processes begin with the values of the first one, and read their part of the same batches.

    Raises:
        ValueError: if the engine or the data do not allow it.
    """
    process = backend.process()
    if process[1] == 1:
        yield
        return
    backend.check_together(gan)
    if not isinstance(data, Ordered):
        raise ValueError(
            "Several processes train one GAN on images whose order they know: an array with nothing but a batch size, "
            "kgan.data.Data, kgan.data.Folder, kgan.data.Batches or kgan.data.Shards. "
            f"Received: {type(data).__name__}"
        )
    backend.begin_together([*gan.variables, *gan.d_opt.variables, *gan.g_opt.variables])
    data.divide(process, backend.divisor(gan.pack))
    try:
        yield
    finally:
        data.divide((0, 1), 1)
