"""LogFile: the logs as lines of JSON."""

import json
import pathlib
import time

import keras


class LogFile(keras.callbacks.Callback):
    """Appends one line of JSON for each epoch: `epoch`, `seconds` since the run began, and all logs.

    Args:
        path: The file. Lines are added to what is there.
    """

    place = "log.jsonl"

    def __init__(self, path: str | pathlib.Path = "log.jsonl"):
        super().__init__()
        self.path = pathlib.Path(path)

    def on_train_begin(self, logs=None):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.began = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, "seconds": round(time.monotonic() - self.began, 3)}
        row |= {name: float(value) for name, value in (logs or {}).items()}
        with self.path.open("a") as file:
            file.write(json.dumps(row) + "\n")
