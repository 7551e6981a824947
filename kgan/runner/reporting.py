"""Reporting: the report of a run, kept up to date while it trains."""

import collections
import contextlib
import logging
import time

import keras
import numpy as np
from keras import ops

from kgan import examples, pictures, report
from kgan.arguments import brief
from kgan.conditions import scaled
from kgan.data import brought
from kgan.data.spread import positions

log = logging.getLogger("kgan")

SHARE, SECONDS = 0.008, 10  # of a run's time that reports may take, and the least time between two
REAL = 2048  # images among which those of each class are looked for


class Reporting(keras.callbacks.Callback):
    """Writes `report.html` again and again: a browser that shows it reads it again by itself, until the run has ended.

    Args:
        directory: Path of the run directory.
        changes: Dict. How its recipe differs from the shipped one, see `kgan.report.Contents`.
        data: The data that it trains on.
        rows, columns: Integers. The grid of real images, as large as that of the generated ones.
    """

    def __init__(self, directory, changes, data, rows=8, columns=8):
        super().__init__()
        self.directory, self.changes, self.data = directory, changes, data
        self.layout = rows, columns
        self.cost = self.written = 0.0

    def on_train_begin(self, logs=None):
        path = self.directory / report.REAL
        if not path.exists() and not self.model.condition.gives_images:
            with contextlib.suppress(ValueError):  # of examples that cannot be drawn
                pictures.save(real_picture(self.data, self.model, *self.layout), path)
        self.write("running")

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() - self.written > max(SECONDS, self.cost / SHARE):
            self.write("running")

    @contextlib.contextmanager
    def until_the_end(self):
        """A context around a training, after which the report is final."""
        state = "stopped before its end"
        try:
            yield
            state = "done"
        finally:
            self.write(state)

    def write(self, state):
        """Write the report. What fails in it is no reason to end a training."""
        began = time.monotonic()
        try:
            contents = report.read(self.directory, state, self.changes)
            report.write([contents], self.directory / report.NAME, SECONDS if state == "running" else None)
        except Exception as error:
            log.warning(f"The report of this run cannot be written: {brief(error)}")
        self.written = time.monotonic()
        self.cost = self.written - began


def real_picture(data, model, rows, columns):
    """Real images in the arrangement of the generated ones: with classes a row for each, as pixels."""
    images, labels = examples.images_of(data, REAL, model)
    _, _, wanted = model.condition.layout(rows * columns, columns)
    if wanted is None or labels is None:
        chosen = positions(len(images), min(len(images), rows * columns))
    else:
        of_class = {label: np.flatnonzero(labels == label) for label in set(wanted.tolist())}
        taken: collections.Counter = collections.Counter()
        chosen = []
        for label in wanted.tolist():
            there = of_class[label] if len(of_class[label]) else np.arange(len(images))
            chosen.append(there[taken[label] % len(there)])
            taken[label] += 1
    shown = brought.fitted(ops.convert_to_tensor(np.asarray(images[np.asarray(chosen)])), model.image_shape)
    shown = pictures.standard(ops.convert_to_numpy(scaled(shown, model.image_range)), model.image_range)
    return pictures.picture(shown, columns)
