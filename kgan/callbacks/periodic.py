"""Periodic: a callback that acts every few epochs or steps."""

import re
import time

from kgan.checkpoints.roles import Resumable

SECONDS = {"second": 1, "minute": 60}


class Periodic(Resumable):
    """Calls `act(when)` after every interval, at the end of an epoch or step; `when` is a name such as `"epoch-0015"`.

    Args:
        every: Integer, a number of epochs; or a string such as `"2 epochs"`, `"500 steps"`, `"30 seconds"` or
            `"10 minutes"`. A step counts one batch; with `steps_per_execution` the callback acts after the execution that
            contains the step.

    Raises:
        ValueError: if `every` is not a valid interval.
    """

    def __init__(self, every: int | str = 1):
        super().__init__()
        match = re.fullmatch(
            r"(\d+) (epoch|step|second|minute)s?", str(every) if isinstance(every, str) else f"{every} epochs"
        )
        if isinstance(every, bool) or not match or int(match[1]) < 1:
            raise ValueError(
                f"`every` of {type(self).__name__} must be a number of epochs, or a string such as '2 epochs' or "
                f"'500 steps'. Received: {every!r}"
            )
        self.count, self.unit = int(match[1]), match[2]
        self._steps = self._before_epoch = 0
        self._acted = time.monotonic()

    def act(self, when):
        raise NotImplementedError(f"{type(self).__name__} does not define `act(when)`.")

    def get_state(self):
        return {"steps": self._steps, "before_epoch": self._before_epoch}

    def set_state(self, state):
        self._steps, self._before_epoch = state.get("steps", 0), state.get("before_epoch", 0)

    def on_epoch_begin(self, epoch, logs=None):
        # earlier epochs ran without this callback: `initial_epoch`, or a resumed training
        if epoch and not self._steps:
            self._steps = epoch * (self.params.get("steps") or 0)
        self._before_epoch = self._steps

    def on_train_batch_end(self, batch, logs=None):
        # Keras counts an epoch's last execution in full, even where fewer steps were left
        done = min(batch + 1, self.params.get("steps") or batch + 1)
        before, self._steps = self._steps, self._before_epoch + done
        if self.unit == "step" and self._steps // self.count > before // self.count:
            self.act(f"step-{self._steps:06d}")
        elif self.unit in SECONDS and self._is_late():
            self._acted = time.monotonic()
            self.act(f"step-{self._steps:06d}")

    def _is_late(self):
        return time.monotonic() - self._acted >= SECONDS[self.unit] * self.count

    def on_epoch_end(self, epoch, logs=None):
        if self.unit == "epoch" and (epoch + 1) % self.count == 0:
            self.act(f"epoch-{epoch + 1:04d}")
