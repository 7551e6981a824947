"""What a callback is that measures the GAN and adds to the logs."""

import pathlib
from typing import Any

from kgan.checkpoints.roles import Resumable


class Measuring(Resumable):
    """A callback that measures a GAN and adds values to the logs of the epochs in which it did.

    `fit` calls it before all callbacks that act on the logs. `Checkpoint(monitor=...)` knows its values.

    Attributes:
        values: Dict from the name of each value to `"min"` or `"max"`, which way is better.
        path: The file that it writes, which no two callbacks may share; or `None`.
    """

    values: dict[str, str] = {}
    path: pathlib.Path | None = None

    def take_data(self, x: Any) -> None:
        """Called before a training with what `fit` trains with, `x` or `(x, y)`."""

    def measured_now(self) -> dict[str, float]:
        """Return what was measured at this very step, by name."""
        return {}

    def finish(self) -> None:
        """Measure the end of a training, unless that was done."""
