"""LogFile: the logs as lines of JSON."""

import json
import pathlib
import time

from kgan.checkpoints.roles import Resumable
from kgan.files import shorten


class LogFile(Resumable):
    """Appends one line of JSON for each epoch: `epoch`, `seconds` since the run began, and all logs.

    Args:
        path: The file. Lines are appended to it.
    """

    place = "log.jsonl"

    def __init__(self, path: str | pathlib.Path = "log.jsonl"):
        super().__init__()
        self.path = pathlib.Path(path)

    def on_train_begin(self, logs=None):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.began = time.monotonic()

    def get_state(self):
        """The current size of the file, and the duration of the run."""
        size = self.path.stat().st_size if self.path.exists() else 0
        return {"bytes": size, "seconds": time.monotonic() - self.began}

    def set_state(self, state):
        """Truncate the file to its size at that time: the lines that follow will be written again."""
        shorten(self.path, state.get("bytes", 0))
        self.began = time.monotonic() - state.get("seconds", 0.0)

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, "seconds": round(time.monotonic() - self.began, 3)}
        row |= {name: float(value) for name, value in (logs or {}).items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
