"""The callbacks of one `fit`, which know where it is and can put all of it away and back.

A training is a function of its variables (weights, statistics, seeds, counters, both optimizers, the sums behind the
logs), of its place in the data, and of what its callbacks remember.
"""

import logging

import keras

from kgan import environment
from kgan.checkpoints import folder, state
from kgan.checkpoints.roles import Resumable, Saver
from kgan.data import Batches

log = logging.getLogger("kgan")
# what Keras' own callbacks remember from epoch to epoch
_REMEMBERED = {
    keras.callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
}


class Run(keras.callbacks.CallbackList):
    """The callbacks of one `fit`, and how far it is.

    Keras takes an epoch's length before a training begins, so a training that goes on in the middle of an epoch is two
    for it: the rest of that epoch, and all others. For the callbacks it is one.

    Attributes:
        epoch: Integer. The epoch that it is in, from 0.
        batch: Integer. How many batches of that epoch are done.
        step: Integer. How many steps are done, since the very beginning.
        steps: Integer. Steps in an epoch; `None` where the data do not say.
    """

    def __init__(self, gan, callbacks, batches, verbose, epochs):
        self.batches = batches if isinstance(batches, Batches) else None
        self.steps = None if self.batches is None else self.batches.steps
        self.epoch = self.batch = self.step = self._before = 0
        self._begun, self._restored, self._last_logs, self._skipped = False, None, None, 0
        callbacks = list(getattr(callbacks, "callbacks", callbacks))
        found = [one for one in callbacks if isinstance(one, keras.callbacks.History)]
        self.history = found[-1] if found else keras.callbacks.History()
        super().__init__(
            callbacks if found else [*callbacks, self.history],
            add_progbar=verbose != 0,
            model=gan,
            verbose=verbose,
            epochs=epochs,
            steps=self.steps,
        )
        # the saver acts when all others have: then what they remember belongs to the same moment
        self.callbacks.sort(key=lambda callback: isinstance(callback, Saver))
        for callback in self.callbacks:
            if isinstance(callback, Saver):
                callback.run = self

    @property
    def gan(self):
        return self.model

    @property
    def begun(self):
        return self._begun

    @property
    def epoch_is_done(self):
        """Whether only the end of the epoch is left of it."""
        return self.steps is not None and self.batch >= self.steps

    @property
    def cut(self):
        """Whether it was stopped in the middle of an epoch."""
        return self.gan.stop_training and self.steps is not None and 0 < self.batch < self.steps

    def on_train_begin(self, logs=None):
        if not self._begun:
            self._begun = True
            super().on_train_begin(logs)
            self._remind()

    def on_train_end(self, logs=None):
        self._last_logs = logs  # Keras may begin a second time

    def end(self):
        # savers first: what the others do at the end may fail
        self.callbacks.sort(key=lambda callback: not isinstance(callback, Saver))
        super().on_train_end(self._last_logs)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self._before = epoch, self.step - self.batch
        super().on_epoch_begin(epoch, logs)
        if self.batch and self._restored:  # in the middle of an epoch, which the callbacks took for a new one
            self._remind()
            for variable, value in zip(self.gan.metrics_variables, self._restored[0]["metrics"], strict=True):
                variable.assign(value)  # Keras has just set them to zero
        self._skipped, self._restored = self.batch, None

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(batch + self._skipped, logs)

    def on_train_batch_end(self, batch, logs=None):
        batch += self._skipped
        self.batch = min(batch + 1, self.steps or batch + 1)  # Keras counts a short last execution as a long one
        self.step = self._before + self.batch
        super().on_train_batch_end(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        if not self.cut:
            self.epoch, self.batch = epoch + 1, 0
        super().on_epoch_end(epoch, logs)

    def capture(self):
        """All of the training as it is now: arrays by group, and what JSON can hold."""
        self.gan.sync()
        known = {
            "step": self.step,
            "epoch": self.epoch,
            "batch": self.batch,
            "data": None if self.batches is None else self.batches.identity(),
            "data_epoch": None if self.batches is None else self.batches.epoch,
            "gan": state.config_of(self.gan),
            "history": {"epochs": self.history.epoch, "logs": self.history.history},
            "callbacks": [{"class": type(one).__name__, "state": _memory(one)} for one in self.callbacks],
            **environment.engine(self.gan),
            "versions": environment.versions(),
        }
        return state.arrays_of(self.gan), state.plain(known)

    def restore(self, path):
        """Put a checkpoint's training in the place of this one.

        Raises:
            BadCheckpointError: if it is another GAN's; nothing is changed then.
        """
        known = folder.read_state(path)
        arrays = state.put_back(self.gan, path)
        self.epoch, self.batch, self.step = known["epoch"], known["batch"], known["step"]
        self._place_data(known)
        for line in self._inexact(known):
            log.warning(line)
        self._restored = arrays, known
        for callback in self.callbacks:
            if isinstance(callback, Saver):
                callback.saved_step = self.step
        if self._begun:
            self._remind()

    def start_anew(self):
        """Nothing was saved yet: what callbacks wrote of a run that ended before is not part of this one."""
        for callback in self.callbacks:
            if isinstance(callback, Resumable):
                callback.set_state({})

    def _place_data(self, known):
        if self.batches is not None and known["data"] == self.batches.identity():
            self.batches.seek(known["data_epoch"], self.batch)
        elif self.batch or self.batches is not None:
            why = "only kgan.data can be named batch by batch" if self.batches is None else "these are other batches"
            log.warning(f"Epoch {self.epoch + 1} begins again: {why}.")
            self.step, self.batch = self.step - self.batch, 0
            if self.batches is not None:
                self.batches.seek(known["epoch"], 0)

    def _inexact(self, known):
        here = environment.engine(self.gan)
        if known["backend"] != here["backend"]:
            yield (
                f"The checkpoint was written on {known['backend']}: its weights and optimizers go on, but random numbers "
                "and rounding are those of another engine, so the run is no longer the same bit for bit."
            )
        elif known["devices"] != here["devices"]:
            yield f"The checkpoint was written on {known['devices']} devices, here are {here['devices']}: rounding differs."

    def _remind(self):
        """Give the callbacks back what they remembered."""
        if self._restored is None:
            return
        _, known = self._restored
        self.history.epoch, self.history.history = list(known["history"]["epochs"]), dict(known["history"]["logs"])
        left = list(known["callbacks"])
        for callback in self.callbacks:
            kind = type(callback).__name__
            found = next((one for one in left if one["class"] == kind), None)
            if found:
                left.remove(found)
                _remind(callback, found["state"])


def _memory(callback):
    if isinstance(callback, Resumable):
        return callback.get_state()
    return {name: getattr(callback, name) for name in _remembered(callback) if hasattr(callback, name)}


def _remind(callback, known):
    if isinstance(callback, Resumable):
        callback.set_state(known)
    for name in _remembered(callback):
        if name in known:
            setattr(callback, name, known[name])


def _remembered(callback):
    return next((names for kind, names in _REMEMBERED.items() if isinstance(callback, kind)), ())
