"""The callbacks of one `fit`, which know its position and can save and restore the whole training.

A training is a function of its variables (weights, statistics, seeds, counters, both optimizers, the sums behind the
logs), of its position in the data, and of the states of its callbacks.
"""

import logging

import keras

from kgan import backend, environment
from kgan.checkpoints import changes, disk, state
from kgan.checkpoints.roles import Resumable, Saver, listed
from kgan.data.on_demand import folders_of
from kgan.data.ordered import Ordered

log = logging.getLogger("kgan")
# the state of Keras' own callbacks
_REMEMBERED = {
    keras.callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch"),
    keras.callbacks.ModelCheckpoint: ("best",),
    keras.callbacks.ReduceLROnPlateau: ("wait", "best", "cooldown_counter"),
}


class Progress(keras.callbacks.CallbackList):
    """The callbacks of one `fit`, and its position.

    Keras reads an epoch's length before a training begins. A training that resumes in the middle of an epoch is therefore
    two trainings for Keras: the rest of that epoch, and all others. For the callbacks it is one training.

    Attributes:
        folders: The folders that the data are read from, a list of `kgan.data.on_demand.OnDemand`.
        epoch: Integer. The current epoch, from 0.
        batch: Integer. The number of finished batches of that epoch.
        step: Integer. The number of finished steps since the beginning of the training.
        steps: Integer. Steps in an epoch; `None` if the data do not define it.
    """

    def __init__(self, gan, callbacks, batches, verbose, epochs):
        self.batches = batches if isinstance(batches, Ordered) else None
        self.steps = None if self.batches is None else self.batches.steps
        self.folders = folders_of(self.batches)
        for folder in self.folders:
            folder.keeps_going = True  # until the state is saved
        self.epoch = self.batch = self.step = self._before = 0
        self.begun, self._restored, self._last_logs, self._skipped = False, None, None, 0
        callbacks = listed(callbacks)
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
        # the saver acts last, so that the states of all callbacks are of the same step
        self.callbacks.sort(key=lambda callback: isinstance(callback, Saver))
        for callback in self.callbacks:
            if isinstance(callback, Saver):
                callback.progress = self

    @property
    def gan(self):
        return self.model

    @property
    def epoch_is_done(self):
        """Whether all batches of the epoch are done."""
        return self.steps is not None and self.batch >= self.steps

    @property
    def cut(self):
        """Whether the training was stopped in the middle of an epoch."""
        return self.gan.stop_training and self.steps is not None and 0 < self.batch < self.steps

    def on_train_begin(self, logs=None):
        if not self.begun:
            self.begun = True
            super().on_train_begin(logs)
            self._remind()

    def on_train_end(self, logs=None):
        self._last_logs = logs  # Keras may begin a second time

    def end(self):
        # savers first: another callback may fail at the end
        self.callbacks.sort(key=lambda callback: not isinstance(callback, Saver))
        super().on_train_end(self._last_logs)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self._before = epoch, self.step - self.batch
        super().on_epoch_begin(epoch, logs)
        if self.batch and self._restored:  # the callbacks have just begun a new epoch
            self._remind()
            for variable, value in zip(self.gan.metrics_variables, self._restored[0]["metrics"], strict=True):
                variable.assign(value)  # Keras has just set them to zero
        self._skipped, self._restored = self.batch, None

    def on_train_batch_begin(self, batch, logs=None):
        super().on_train_batch_begin(batch + self._skipped, logs)

    def on_train_batch_end(self, batch, logs=None):
        batch += self._skipped
        self.batch = min(batch + 1, self.steps or batch + 1)  # Keras counts a short last execution in full
        self.step = self._before + self.batch
        if any(folder.failure for folder in self.folders):
            self.gan.stop_training = True
        super().on_train_batch_end(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        if not self.cut:
            self.epoch, self.batch = epoch + 1, 0
        super().on_epoch_end(epoch, logs)

    def capture(self):
        """The current state of the training: arrays by group, and data that JSON can represent."""
        self.gan.sync()
        known = {
            "step": self.step,
            "epoch": self.epoch,
            "batch": self.batch,
            "data": None if self.batches is None else self.batches.identity(),
            "data_epoch": None if self.batches is None else self.batches.epoch,
            **self._described(),
            "history": {"epochs": self.history.epoch, "logs": self.history.history},
            "callbacks": [{"class": type(one).__name__, "state": _memory(one)} for one in self.callbacks],
            **environment.engine(),
            "versions": environment.versions(),
        }
        return state.arrays_of(self.gan), state.plain(known)

    def _described(self):
        about = next((one.about for one in self.callbacks if isinstance(one, Saver)), None)
        return {**state.described(self.gan), "about": about}

    def restore(self, path):
        """Replace the state of this training by that of a checkpoint, except for what `compile` was given differently.

        Each such change is logged, and written to the checkpoint, so that it counts as done.

        Raises:
            BadCheckpointError: if it belongs to another GAN; then nothing is changed.
        """
        known = backend.from_first(lambda: disk.read_state(path))
        changed = state.put_back(self.gan, path)
        arrays = state.arrays_of(self.gan)
        for difference in changed:
            log.warning(changes.line(*difference))
        if changed and backend.is_first():
            disk.write(path, arrays, state.plain({**known, **self._described()}))
        self.epoch, self.batch, self.step = known["epoch"], known["batch"], known["step"]
        self._place_data(known)
        for line in self._inexact(known):
            log.warning(line)
        self._restored = arrays, known
        for callback in self.callbacks:
            if isinstance(callback, Saver):
                callback.saved_step = self.step
        if self.begun:
            self._remind()

    def start_anew(self):
        """Reset the callbacks, since there is no checkpoint: what they wrote in an earlier run is not part of this one."""
        for callback in self.callbacks:
            if isinstance(callback, Resumable):
                callback.set_state({})

    def _place_data(self, known):
        if self.batches is not None and known["data"] == self.batches.identity():
            self.batches.seek(known["data_epoch"], self.batch)
        elif self.batch or self.batches is not None:
            unknown = self.batches is None
            why = "the position in these data cannot be restored" if unknown else "the data are not the same"
            log.warning(f"Epoch {self.epoch + 1} begins again: {why}.")
            self.step, self.batch = self.step - self.batch, 0
            if self.batches is not None:
                self.batches.seek(known["epoch"], 0)

    def _inexact(self, known):
        here = environment.engine()
        if known["backend"] != here["backend"]:
            yield (
                f"The checkpoint was written on {known['backend']}: its weights and optimizers are restored, but random "
                "numbers and rounding differ between engines, so the run is no longer the same bit for bit."
            )
        elif known["devices"] != here["devices"]:
            yield (
                f"The checkpoint was written on {known['devices']} devices, and this machine uses {here['devices']}: "
                "rounding differs."
            )

    def _remind(self):
        """Restore the states of the callbacks."""
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
