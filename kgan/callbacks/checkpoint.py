"""Checkpoint: the whole training on disk, so that it can be resumed after any interruption."""

import contextlib
import logging
import math
import pathlib

from kgan import backend
from kgan.arguments import integer, lookup, nearest
from kgan.callbacks.measuring import Measuring
from kgan.callbacks.periodic import Periodic
from kgan.checkpoints import disk, lock, signals, state
from kgan.checkpoints.roles import NotFinite, Saver
from kgan.files import check_folder

log = logging.getLogger("kgan")
NONFINITE = {"stop": "stop", "rollback": "rollback", "raise": "raise"}


class Checkpoint(Periodic, Saver):
    """Saves the whole training at every interval, and lets `fit` resume it.

    A checkpoint is a folder of plain arrays and JSON that appears when all of it is on the disk: weights, statistics, both
    optimizers, seeds, counters, the sums behind the logs, the position in the data, the callbacks' states, the history. A
    resumed training ends with the same weights, bit for bit, as one that was never stopped, if its data are `kgan.data` or
    an array; with other data it repeats the epoch from its beginning. What `compile` is given differently when it resumes,
    such as a learning rate, takes effect, and a line names it. `kgan.load` reads a checkpoint too.

    With this callback, SIGTERM and Ctrl-C let the step finish, save, and end the process with exit code 143 or 130; a second
    signal ends it at once. A loss or weight that is not finite is never saved.

    Example:

    >>> checkpoint = kgan.callbacks.Checkpoint("checkpoints", every="500 steps", resume=True)
    >>> # gan.fit(images, epochs=50, callbacks=[checkpoint]) resumes when it is started again

    Args:
        directory: The folder for `epoch-0001/`, ... Only one process at a time may use it.
        every: Integer, a number of epochs; or a string such as `"15 epochs"`, `"500 steps"` or `"10 minutes"`.
        keep: Integer. How many of the newest checkpoints are kept; older ones are deleted. `None` keeps all.
        keep_every: Integer n. Every n-th checkpoint is never deleted. `None` turns this off.
        monitor: Name of a log. The checkpoint of the epoch with the best value is kept too; for a score, the checkpoint of
            the step where it was measured.
        mode: `"min"` or `"max"`: whether the smallest or the largest value is best. By default losses, penalties,
            accuracies and scores define it (`kgan.logs.Logs.directions`), and for any other log the smallest is best.
        resume: Whether `fit` resumes from the newest good checkpoint in the directory, if there is one.
        nonfinite: What happens if a loss or weight is not finite. `"stop"` restores the last good state and ends the
            training; `"rollback"` continues from there with smaller learning rates; `"raise"` raises FloatingPointError.
        rollbacks: Integer. How often it may go back before it stops.
        slower: Float. The factor on the learning rates each time.

    Raises:
        ValueError: if the value of an argument is not valid; in `fit`, if the directory holds another training's
            checkpoints already.
    """

    place = "checkpoints"

    def __init__(
        self,
        directory: str | pathlib.Path = "checkpoints",
        every: int | str = 1,
        keep: int | None = 3,
        keep_every: int | None = None,
        monitor: str | None = None,
        mode: str | None = None,
        resume: bool = False,
        nonfinite: str = "stop",
        rollbacks: int = 3,
        slower: float = 0.5,
    ):
        super().__init__(every)
        for name, value in (("keep", keep), ("keep_every", keep_every)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ValueError(f"`{name}` of Checkpoint must be a positive integer, or None. Received: {value!r}")
        if mode not in (None, "min", "max"):
            raise ValueError(f"`mode` of Checkpoint must be 'min' or 'max'. Received: {mode!r}")
        self.nonfinite = lookup("policy for `nonfinite`", nonfinite, NONFINITE)
        if not 0 < slower < 1:
            raise ValueError(f"`slower` of Checkpoint must lie between 0 and 1. Received: {slower!r}")
        self.directory, self.keep, self.keep_every = pathlib.Path(directory), keep, keep_every
        self.monitor, self.mode, self.resume = monitor, mode, resume
        self.rollbacks, self.slower = integer("rollbacks", rollbacks, at_least=0, of="Checkpoint"), slower
        self.best: float | None = None
        self.best_name: str | None = None
        self.written, self.rolled_back, self.rolled_back_then = 0, 0, 0
        self.forever: list[str] = []
        self._held = False
        self._wishes: list[int] = []
        self._signal = 0  # the first of these that any process has received
        self._due = False

    def get_state(self):
        return {
            **super().get_state(),
            "best": self.best,
            "best_name": self.best_name,
            "written": self.written,
            "forever": self.forever,
            "rolled_back": self.rolled_back,
        }

    def set_state(self, state):
        super().set_state(state)
        self.best, self.best_name = state.get("best"), state.get("best_name")
        self.written, self.forever = state.get("written", 0), list(state.get("forever", []))
        self.rolled_back_then = state.get("rolled_back", 0)
        self.rolled_back = max(self.rolled_back, self.rolled_back_then)

    @contextlib.contextmanager
    def watching(self):
        """Lock the directory and handle signals for the duration of a `fit`, or of a context around it."""
        if self._held:
            yield
            return
        with self._owned(), signals.noted(again=backend.process()[1] == 1) as self._wishes:
            self._held = True
            try:
                yield
            finally:
                self._held = False

    @contextlib.contextmanager
    def _owned(self):
        """A context in which the directory is locked, by the first of several processes that train together."""
        if not self._writes:
            yield
            return
        check_folder("directory", self.directory, "Checkpoint")
        self.directory.mkdir(parents=True, exist_ok=True)
        with lock.held(self.directory):
            disk.clean(self.directory)
            if not self.resume and self.saved_step is None and disk.all_in(self.directory):
                raise ValueError(
                    f"`directory` of Checkpoint holds another training's checkpoints already: {self.directory}. "
                    "Resume that training with resume=True, or name an empty folder."
                )
            yield

    @property
    def _writes(self):
        return backend.is_first()

    def newest(self):
        """Path of the newest good checkpoint, or `None`; logs which ones were skipped and why."""
        path, passed = disk.latest(self.directory)
        for sentence in passed:
            log.warning(f"{sentence}; the one before it is used.")
        return path

    def act(self, when):
        if self.progress.epoch_is_done:
            self._due = True  # save at the end of the epoch, which follows at once
        else:
            self.save(f"step-{self.progress.step:06d}" if self.progress.batch else when)

    def on_train_batch_end(self, batch, logs=None):
        self._check_losses(logs)
        best = self._agree(not self.progress.epoch_is_done and self._is_best(self._just_measured()))
        if best:
            self.best_name = f"step-{self.progress.step:06d}"  # part of the state that is saved from here on
        super().on_train_batch_end(batch, logs)
        if self.progress.epoch_is_done:
            return
        if best:
            self._save_step()
        if self._signal:
            self._leave()
        if self.model.stop_training:
            self._save_step()  # now, since Keras ends the epoch although it is not complete

    def on_epoch_end(self, epoch, logs=None):
        if self.progress.cut:
            return
        self._check_losses(logs)
        name = f"epoch-{epoch + 1:04d}"
        if self._agree(self._writes and self._is_best(logs)):
            self.best_name, self._due = name, True
        if self._due:
            self._due = False
            self.save(name)
        else:
            super().on_epoch_end(epoch, logs)
        if self._signal:
            self._leave()

    def on_train_end(self, logs=None):
        if self.failed is None and self.saved_step != self.progress.step:
            self.save(
                f"epoch-{self.progress.epoch:04d}" if not self.progress.batch else f"step-{self.progress.step:06d}"
            )

    def save(self, name):
        """Save the current state of the training under that name; return the path."""
        self.written += 1
        if self.keep_every and self.written % self.keep_every == 0:
            self.forever.append(name)
        arrays, known = self.progress.capture()
        if not state.finite(arrays):
            self._not_finite("a weight")
        if backend.process()[1] > 1:
            state.check_same(arrays)
        path = self.directory / name
        if self._writes:
            disk.write(path, arrays, known)
        self.saved_step = self.progress.step
        if self._writes:
            self._prune()
        return path

    def _agree(self, best):
        """Whether this state is the best one. All processes that train together receive a signal that one of them does."""
        best, self._signal = backend.largest([best, self._wishes[0] if self._wishes else 0])
        return best

    def _is_late(self):
        return backend.largest([super()._is_late()])[0]

    def _save_step(self):
        if self.saved_step != self.progress.step:
            self.save(f"step-{self.progress.step:06d}")

    def _prune(self):
        if self.keep:
            for old in disk.all_in(self.directory)[: -self.keep]:
                if old.name not in (self.best_name, *self.forever):
                    with contextlib.suppress(PermissionError):  # another program reads it: tried again later
                        disk.delete(old)

    @property
    def _measuring(self):
        return [one for one in self.progress.callbacks if isinstance(one, Measuring)]

    def _just_measured(self):
        measuring = [one for one in self._measuring if self.monitor in one.directions]
        for one in measuring if self.model.stop_training else ():
            one.finish()  # since its last measurement is needed here
        return {name: value for one in measuring for name, value in one.measured_now().items()}

    def _is_best(self, logs):
        if self.monitor is None or not logs:
            return False
        ways = self.model.logs.directions
        if self.monitor not in logs:
            if self.monitor in self.model.logs.scores:
                return False  # it was measured in another epoch
            raise ValueError(f"`monitor` of Checkpoint must be a log. {nearest(self.monitor, [*logs, *ways])}")
        value = float(logs[self.monitor])
        mode = self.mode or ways.get(self.monitor.removeprefix("val_"), "min")
        better = self.best is None or (value < self.best if mode == "min" else value > self.best)
        if better:
            self.best = value
        return better

    def _leave(self):
        number = self._signal
        path = self.save(f"step-{self.progress.step:06d}")
        log.warning(
            f"Stopped by {signals.name(number)} after step {self.progress.step}; the whole state is saved in {path}."
        )
        raise signals.Interrupted(128 + number)

    def _not_finite(self, what):
        where = f"{what} is not finite in epoch {self.progress.epoch + 1}, step {self.progress.step}"
        if self.nonfinite == "raise":
            raise FloatingPointError(f"{where[0].upper()}{where[1:]}.")
        raise NotFinite(where)

    def _check_losses(self, logs):
        for name in self.model.logs.all_names:
            if name in (logs or {}) and not math.isfinite(logs[name]):
                self.model.sync()
                self.model.logs.check_ranges(first=False)  # whether it is the data that are not finite
                self._not_finite(f"the log {name}")
