"""StopAt: ends a training after a number of steps or seconds."""

import math
import time

from kgan.checkpoints.roles import Resumable


class StopAt(Resumable):
    """Ends the training after a number of steps or seconds, even in the middle of an epoch; a resumed training counts on."""

    def __init__(self, steps, seconds=None):
        super().__init__()
        self.steps, self.seconds = steps, math.inf if seconds is None else seconds

    def get_state(self):
        return {"seconds": time.monotonic() - self.began}

    def set_state(self, state):
        self.began = time.monotonic() - state.get("seconds", 0.0)

    def on_train_begin(self, logs=None):
        self.began = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        self.before = epoch * self.params["steps"]

    def on_train_batch_end(self, batch, logs=None):
        # Keras counts a short last execution in full
        done = self.before + min(batch + 1, self.params["steps"])
        if done >= self.steps or time.monotonic() - self.began >= self.seconds:
            self.model.stop_training = True
