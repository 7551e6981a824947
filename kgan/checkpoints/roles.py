"""Base classes of callbacks in a training that can be resumed: those with a state, and those that save."""

from __future__ import annotations

import contextlib
import pathlib
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from kgan.checkpoints.progress import Progress


class Resumable(keras.callbacks.Callback):
    """A callback whose state is restored when a training is resumed.

    What `get_state` returns is saved in every checkpoint. A subclass overrides both methods.
    """

    def get_state(self) -> dict[str, Any]:
        """Return the state, as data that JSON can represent."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_state` returned; `{}` means the beginning of a training."""

    def take_data(self, x: Any, validation: Any = None) -> None:
        """Called before a training with the data of `fit`, `x` or `(x, y)`, and its `validation_data`."""

    def take_callbacks(self, callbacks: list) -> None:
        """Called before a training with all callbacks that `fit` was given, some of which may have what this one shows."""


class Saver(Resumable):
    """A callback that saves the training. `fit` sets its `progress`, and calls it after all other callbacks.

    Attributes:
        progress: The callbacks of the `fit`, and its position: a `kgan.checkpoints.progress.Progress`.
        about: Plain data that are saved with every checkpoint, such as a recipe; or `None`.
        resume: Whether `fit` begins at the newest good checkpoint.
        saved_step: Integer. The step of the last saved state, or `None`.
        failed: String. Why the training was stopped, or `None`.
        nonfinite: What to do after `NotFinite`: `"stop"`, `"rollback"` or `"raise"`.
        rollbacks: Integer. How often the training may go back to the last good state.
        rolled_back: Integer. How often it went back.
        rolled_back_then: Integer. The value of `rolled_back` in the checkpoint that was read last.
        slower: Float. The factor on the learning rates each time.
    """

    progress: Progress
    about: dict[str, Any] | None = None
    resume = False
    saved_step: int | None = None
    failed: str | None = None
    nonfinite = "stop"
    rollbacks = rolled_back = rolled_back_then = 0
    slower = 1.0

    def watching(self) -> contextlib.AbstractContextManager:
        """Return a context in which a whole `fit` runs, such as one that locks a folder."""
        return contextlib.nullcontext()

    def newest(self) -> pathlib.Path | None:
        """Return the path of the newest good checkpoint, or `None`."""
        return None


def listed(callbacks):
    """Callbacks as a flat list: one callback, a list, Keras' `CallbackList`, or `None`."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    return [] if callbacks is None else keras.tree.flatten(callbacks)


class NotFinite(Exception):  # noqa: N818
    """A loss or a weight is not finite; the message says where."""
