"""Pictures in a terminal: two pixels in each character, so that they are seen on a machine without a screen."""

import pathlib

import keras
import numpy as np
from PIL import Image
from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style

from kgan.callbacks import ImageGrid


def drawn(path, width, height):
    """A picture of a file as rich text of at most that many characters, the upper half of each in its colour.

    Args:
        path: Path of a picture.
        width, height: Integers, the size of the terminal.

    Returns:
        `rich.segment.Segments`.
    """
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    image.thumbnail((width, 2 * height), Image.Resampling.BOX)
    rows = np.asarray(image)
    if len(rows) % 2:
        rows = np.concatenate([rows, np.zeros_like(rows[:1])])
    segments = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        for above, below in zip(upper.tolist(), lower.tolist(), strict=True):
            segments.append(Segment("▀", Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below))))
        segments.append(Segment.line())
    return Segments(segments)


def show(path, console):
    """Draw a picture in a terminal, with a line free below it."""
    console.print(drawn(path, console.width, max(4, console.height - 4)))


class Preview(keras.callbacks.Callback):
    """Draws each new picture of an `ImageGrid` in the terminal.

    Args:
        grid: `kgan.callbacks.ImageGrid`, which has its turn before.
        console: `rich.console.Console`.
    """

    def __init__(self, grid: ImageGrid, console):
        super().__init__()
        self.grid, self.console = grid, console
        self.shown: pathlib.Path | None = None

    def _look(self):
        newest = self.grid.written[-1] if self.grid.written else None
        if newest and newest != self.shown:
            self.shown = newest
            self.console.print(f"{newest}", highlight=False, markup=False)
            show(newest, self.console)

    def on_train_batch_end(self, batch, logs=None):
        self._look()

    def on_epoch_end(self, epoch, logs=None):
        self._look()
