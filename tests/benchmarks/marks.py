"""A plugin for recipes, and for loops: images at marks of wall time, whose making is not counted."""

import os
import pathlib
import time

import numpy as np

from kgan import callbacks

BEGAN = "TIME_TO_QUALITY_BEGAN"  # the environment says when the process was started


class Clock:
    """Saves images whenever a mark is passed, and stands still meanwhile.

    Args:
        folder: Where `000030.npy`, the uint8 images at 30 seconds, are written.
        marks: Seconds since the process was started.
        generate: Function that returns images in [-1, 1].
    """

    def __init__(self, folder, marks, generate):
        self.folder, self.marks, self.generate = pathlib.Path(folder), sorted(marks), generate
        self.began = float(os.environ[BEGAN])
        self.folder.mkdir(parents=True, exist_ok=True)

    def close(self):
        """Save images for the marks that the training does not reach."""
        for mark in self.marks:
            np.save(self.folder / f"{mark:06.0f}.npy", self._images())

    def _images(self):
        return np.clip(np.rint((self.generate() + 1) * 127.5), 0, 255).astype("uint8")

    def over(self):
        """Whether the last mark is passed; to be asked after every step."""
        now = time.time()
        while self.marks and now - self.began >= self.marks[0]:
            np.save(self.folder / f"{self.marks.pop(0):06.0f}.npy", self._images())
        self.began += time.time() - now
        return not self.marks


class Marks(callbacks.Periodic):
    """The clock of a recipe's training.

    Args:
        directory: Where the images go.
        seconds: The marks.
        samples: Integer. How many images.
    """

    place = "marks"

    def __init__(self, directory="marks", seconds: list[float] = (), samples: int = 5000):
        super().__init__("1000000 epochs")
        self.directory, self.seconds, self.samples = directory, seconds, samples

    def set_model(self, model):
        super().set_model(model)
        self.clock = Clock(self.directory, self.seconds, lambda: model.generate(self.samples, seed=0))

    def on_train_batch_end(self, batch, logs=None):
        if self.clock.over():
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.clock.close()
