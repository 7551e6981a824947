"""Checkpoint: what the run has learned, on disk."""

import pathlib

from kgan.callbacks.periodic import Periodic


class Checkpoint(Periodic):
    """Saves the whole GAN, optimizers and seeds included, at every interval; the last `keep` files stay.

    A file appears when it is complete. `kgan.load` reads it, and goes on training where it stopped.

    Args:
        directory: Where `epoch-0001.keras`, ... are written.
        every: Integer, a number of epochs; or a string such as `"15 epochs"` or `"500 steps"`.
        keep: Integer. How many of the files it wrote stay; older ones are deleted. `None` keeps all.

    Raises:
        ValueError: if `keep` is no positive integer.
    """

    place = "checkpoints"

    def __init__(self, directory: str | pathlib.Path = "checkpoints", every: int | str = 1, keep: int | None = 3):
        super().__init__(every)
        if keep is not None and (isinstance(keep, bool) or not isinstance(keep, int) or keep < 1):
            raise ValueError(f"`keep` of Checkpoint must be a positive integer, or None for all. Received: {keep!r}")
        self.directory, self.keep = pathlib.Path(directory), keep
        self.written: list[pathlib.Path] = []

    def act(self, when):
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"{when}.keras"
        self.model.save(path)
        self.written = [*(old for old in self.written if old != path), path]
        while self.keep and len(self.written) > self.keep:
            self.written.pop(0).unlink(missing_ok=True)
