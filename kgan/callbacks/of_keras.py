"""Keras' own callbacks for recipes: those that write keep their files in the run directory, and go on after a resume."""

import inspect
import pathlib
from typing import Any

import keras

from kgan.checkpoints.roles import Resumable
from kgan.files import shorten


class CSVLog(keras.callbacks.CSVLogger, Resumable):
    """Keras' CSVLogger, which after a resume goes on at the row of the checkpoint."""

    place = "log.csv"
    keys: list[str] | None

    def __init__(self, path: str | pathlib.Path = "log.csv", separator: str = ","):
        super().__init__(str(path), separator, append=True)

    def on_epoch_end(self, epoch, logs=None):
        self.keys = self.keys or sorted(logs or {})  # Keras adds columns for a validation that there may not be
        super().on_epoch_end(epoch, logs)

    def get_state(self):
        """The current size of the file, and its columns."""
        if self.csv_file:
            self.csv_file.flush()
        path = pathlib.Path(self.filename)
        return {"bytes": path.stat().st_size if path.exists() else 0, "columns": self.keys}

    def set_state(self, state):
        """Truncate the file to its size at that time: the rows that follow will be written again."""
        size = state.get("bytes", 0)
        shorten(pathlib.Path(self.filename), size)
        self.keys, self.append_header = state.get("columns"), not size


def learning_rate_scheduler(schedule):
    """Keras' LearningRateScheduler by one of its schedules, which is given the number of the epoch, from 0.

    It sets the discriminator's rate, and changes the generator's in proportion.
    """
    return keras.callbacks.LearningRateScheduler(lambda epoch: float(schedule(epoch)))


def refused(reason):
    """What a recipe that names it is told."""

    def refuse():
        raise ValueError(reason)

    return refuse


OF_KERAS: dict[str, Any] = {
    "csv_logger": CSVLog,
    "early_stopping": keras.callbacks.EarlyStopping,
    "learning_rate_scheduler": learning_rate_scheduler,
    "reduce_lr_on_plateau": keras.callbacks.ReduceLROnPlateau,
    "tensor_board": keras.callbacks.TensorBoard,
    "terminate_on_nan": keras.callbacks.TerminateOnNaN,
    "backup_and_restore": refused(
        "is not needed: every run saves its state, and `kgan train ... --resume` goes on with it"
    ),
    "model_checkpoint": refused(
        "is not needed: `checkpoint` saves the whole training, `monitor` and `keep` say which ones"
    ),
}
PLACES = "directory", "path", "log_dir"  # arguments that say where a callback writes


def place_of(name, kind, directory):
    """Where a callback writes in a run directory, as a dict of that argument; empty if it writes nothing."""
    arguments = [one for one in PLACES if one in inspect.signature(kind).parameters]
    return {arguments[0]: directory / getattr(kind, "place", name)} if arguments else {}
