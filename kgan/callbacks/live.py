"""Live: the course of a training in one output of a notebook."""

import contextlib
import datetime
import logging
import math
import pathlib
import sys
import tempfile
import time
from typing import Any

import numpy as np

from kgan.arguments import brief
from kgan.callbacks.doctor import Doctor
from kgan.callbacks.image_grid import ImageGrid
from kgan.callbacks.live_page import LOSSES, address, page
from kgan.checkpoints.roles import Resumable
from kgan.data import Data
from kgan.data.brought import is_on_demand
from kgan.data.domains import Domains
from kgan.data.ordered import Ordered
from kgan.logs import means_between

log = logging.getLogger("kgan")

POINTS = 1000  # of a curve, at most
STEPS = 16  # between two points of an epoch, at least, since losses of a few batches are noise


class Live(Resumable):
    """Shows the training in Jupyter and Colab, in one output that is replaced once a second at most.

    It shows the epoch and the step, the time left, the images per second, the curves of both losses, generated images, and
    what a `Doctor` among the callbacks of `fit` has found. The images are the newest ones of an `ImageGrid` among the
    callbacks. Without one, Live generates images itself, always from the same latents. Where drawing takes long, Live draws
    less often, so that it takes a few percent of the time at most.

    In a notebook `fit` adds this callback, in place of Keras' progress bar, unless `verbose` is given. Outside of a notebook
    it does nothing. The weights are the same with and without it.

    Example:

    >>> live = kgan.callbacks.Live()
    >>> # gan.fit(images, epochs=50, callbacks=[live])
    """

    def __init__(self):
        super().__init__()
        self._of_fit: Any = None
        self._doctors: list[Doctor] = []
        self._grid: Any = None  # the ImageGrid of the fit
        self._own_grid: Any = None
        self._display: Any = None
        self._begin()

    def _begin(self):
        self._rows: list[dict] = []  # the points of the curves
        self._values: dict = {}  # the logs of the last point
        self._sums: dict = {}
        self._epoch = self._batch = self._earlier = 0
        self._steps: int | None = None  # of an epoch
        self._images: float | None = None  # of a step
        # time and step when the first two executions began: the first one compiles
        self._firsts: list[tuple[float, int]] = []
        self._began = time.monotonic()
        self._picture, self._caption = "", ""
        self._drawing, self._sampling = Turn(1.0, 0.03), Turn(5.0, 0.02)

    def get_state(self):
        return {"rows": self._rows}

    def set_state(self, state):
        self._rows = list(state.get("rows", []))

    def take_data(self, x, validation=None):
        self._of_fit = x if validation is None else validation

    def take_callbacks(self, callbacks):
        """Called before a training with all callbacks of `fit`: some of them have what is shown here."""
        self._doctors = [one for one in callbacks if isinstance(one, Doctor)]
        self._grid = next((one for one in callbacks if isinstance(one, ImageGrid)), None)

    def on_train_begin(self, logs=None):
        self._begin()
        self._display, self._steps = None, self.params.get("steps")
        if in_notebook():
            self._safely(self._open)

    def on_epoch_begin(self, epoch, logs=None):
        known = self.params.get("steps")
        if known:
            self._earlier = epoch * known
        elif self._firsts:
            self._earlier += self._batch
        else:
            self._earlier = self._rows[-1]["step"] if self._rows else 0  # of a training that is resumed
        self._steps = known or self._batch or None
        self._epoch, self._batch, self._sums = epoch, 0, {}

    def on_train_batch_begin(self, batch, logs=None):
        # when a batch begins, not when one ends: see `kgan.fit.Keeper`
        self._batch = batch
        if len(self._firsts) < 2:
            self._firsts.append((time.monotonic(), self._step))
        if self._display and batch and (self._images is None or self._drawing.due):
            self._safely(self._look)

    def on_epoch_end(self, epoch, logs=None):
        done = self._batch + self.model.steps_per_execution
        self._batch = min(done, self.params.get("steps") or done)
        if self._display:
            self._safely(self._end_epoch, logs or {})

    def on_train_end(self, logs=None):
        if self._display:
            self._safely(self._update, True)

    @property
    def _step(self):
        """The number of finished steps since the beginning of the training."""
        return self._earlier + self._batch

    def _safely(self, act, *args):
        """Do something of the display. What fails in it is no reason to end a training."""
        try:
            act(*args)
        except Exception as error:
            self._display = None
            log.warning(f"The live display has ended, since it cannot be drawn: {brief(error)}")

    def _open(self):
        from IPython.display import display

        self._own_grid = self._make_grid() if self._grid is None else None
        self._take_picture()
        with self._drawing.taken():
            self._display = display(self._shown(), raw=True, display_id=True)

    def _look(self):
        """Read the losses in the course of an epoch, and draw."""
        self.model.sync()
        sums = self.model.logs.totals()
        self._images = sums["d_loss"][1] * self.model.pack / self._batch
        if self._step - max(self._earlier, self._rows[-1]["step"] if self._rows else 0) >= STEPS:
            before, self._sums = self._sums, sums
            self._add_point(means_between(before, sums))
        if self._drawing.due:
            self._update()

    def _end_epoch(self, logs):
        if not self._rows or self._rows[-1]["step"] <= self._earlier:  # none within this epoch, which is short
            self._add_point({name: float(value) for name, value in logs.items()})
        if self._drawing.due:
            self._update()

    def _add_point(self, values):
        self._values |= values
        self._rows.append({"step": self._step, **{name: self._values.get(name, math.nan) for name in LOSSES}})
        if len(self._rows) > POINTS:
            del self._rows[1::2]

    def _update(self, last=False):
        if last or self._sampling.due:
            self._take_picture()
        with self._drawing.taken():
            self._display.update(self._shown(last), raw=True)

    def _make_grid(self):
        """An `ImageGrid` for a few images, or `None` if they cannot be drawn."""
        condition = self.model.condition
        if condition.gives_images and not _at_hand(self._of_fit):
            return None
        grid = ImageGrid(rows=min(len(condition.classes), 10) or 4, columns=8, gif=False)
        try:
            grid.take_data(self._of_fit)
            grid.set_model(self.model)
            grid.on_train_begin()
        except ValueError:
            return None
        return grid

    def _take_picture(self):
        """Read the newest picture of the `ImageGrid`, or make one."""
        if self._own_grid is not None:
            with self._sampling.taken(), tempfile.TemporaryDirectory() as folder:
                self._own_grid.directory = pathlib.Path(folder)
                self._own_grid.act("picture")
                self._picture = address(self._own_grid.written.pop())
            self._caption = f"generated after step {self._step:,}"
        elif self._grid is not None and self._grid.written and str(self._grid.written[-1]) != self._caption:
            self._picture, self._caption = address(self._grid.written[-1]), str(self._grid.written[-1])

    def _shown(self, last=False):
        """What the output holds: a page, and a line for where no page can be shown."""
        epochs, steps, values = self.params["epochs"], self._steps, self._values
        place = f"Epoch {self._epoch + 1:,} of {epochs:,}, step {self._batch:,}{f' of {steps:,}' if steps else ''}"
        left = (epochs - self._epoch) * steps - self._batch if steps else None
        pace = []
        now = time.monotonic()
        if len(self._firsts) < 2:
            pace.append("the first step takes longer, since it is compiled")
        elif self._step > self._firsts[1][1]:
            rate = (self._step - self._firsts[1][1]) / (now - self._firsts[1][0])
            if self._images is not None:
                pace.append(f"{rate * self._images:,.0f} images per second")
            if left is not None and not last:
                pace.append(f"{datetime.timedelta(seconds=round(left / rate))} left")
        if last:
            pace.append(f"{datetime.timedelta(seconds=round(now - self._began))} in all")
        losses = ""
        if values:
            losses = (
                f"Discriminator loss {values['d_loss']:.3f}, right on {values['d_real_accuracy']:.0%} of real and "
                f"{values['d_fake_accuracy']:.0%} of generated images. Generator loss {values['g_loss']:.3f}."
            )
        shown = page(
            self._rows,
            place=place,
            pace=", ".join(pace),
            share=None if left is None else 1 - left / (epochs * steps),
            losses=losses,
            picture=self._picture,
            caption=self._caption,
            findings=[finding for doctor in self._doctors for finding in doctor.findings],
        )
        return {"text/html": shown, "text/plain": ". ".join(filter(None, [", ".join([place, *pace]), losses]))}


class Turn:
    """Says when it is time to do something again: after some seconds, or later where it would take too much of the time.

    The first time does not count, since it compiles and imports.

    Args:
        seconds: Float. The least time between two times.
        share: Float. The largest part of all time that it may take.
    """

    def __init__(self, seconds, share):
        self.seconds, self.share = seconds, share
        self.pause = self.ended = 0.0

    @property
    def due(self):
        return time.monotonic() - self.ended >= self.pause

    @contextlib.contextmanager
    def taken(self):
        """A context in which it is done."""
        began = time.monotonic()
        yield
        first, self.ended = not self.ended, time.monotonic()
        self.pause = self.seconds if first else max(self.seconds, (self.ended - began) / self.share)


def in_notebook():
    """Whether this runs in a kernel of Jupyter or Colab, where both of these modules are loaded."""
    kernel, ipython = sys.modules.get("ipykernel.zmqshell"), sys.modules.get("IPython")
    if kernel is None or ipython is None:
        return False
    return isinstance(ipython.get_ipython(), kernel.ZMQInteractiveShell)


def _at_hand(data):
    """Whether images can be read without an iteration over a dataset, which may change the order of its batches."""
    parts = data if isinstance(data, tuple) else (data,)
    return all(isinstance(one, np.ndarray | Data | Domains | Ordered) or is_on_demand(one) for one in parts)
