"""The base class of callbacks that measure the GAN."""

import pathlib

from kgan.checkpoints.roles import Resumable


class Measuring(Resumable):
    """A callback that measures a GAN, and adds the values to the logs of the epoch.

    `fit` calls it before all callbacks that act on the logs. `Checkpoint(monitor=...)` can use its values.

    Attributes:
        directions: Dict from the name of each value to `"min"` or `"max"`, the better direction.
        path: The file that it writes, which no two callbacks may share; or `None`.
    """

    directions: dict[str, str] = {}
    path: pathlib.Path | None = None

    def measured_now(self) -> dict[str, float]:
        """Return the values that were measured at this step, by name."""
        return {}

    def finish(self) -> None:
        """Measure at the end of a training, unless it has just been done."""
