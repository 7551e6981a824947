"""What a run shows while it trains: one live line in a terminal, a plain line now and then elsewhere."""

import time

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Display(keras.callbacks.Callback):
    """Shows epoch, losses, accuracies, images/s and the time left.

    Args:
        name: String. What is trained.
        epochs: Integer. How many there will be.
        images: Integer. Images in an epoch.
        console: `rich.console.Console`.
        seconds: Float. Where the console is no terminal, at least so much time lies between two lines.
    """

    def __init__(self, name, epochs, images, console=None, seconds=5.0):
        super().__init__()
        self.name, self.epochs, self.images, self.seconds = name, epochs, images, seconds
        self.console = console or Console()
        self.progress = None

    def on_train_begin(self, logs=None):
        self.began = self.shown = time.monotonic()
        if self.console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
            )
            self.progress = Progress(*columns, console=self.console)
            self.task = self.progress.add_task(f"{self.name} epoch 0/{self.epochs}", total=self.epochs)
            self.progress.start()

    def on_epoch_end(self, epoch, logs=None):
        now, done = time.monotonic(), epoch + 1
        rate = done * self.images / (now - self.began)
        said = (
            f"{self.name} epoch {done}/{self.epochs}  D loss {logs['d_loss']:.3f}  G loss {logs['g_loss']:.3f}  "
            f"D right on real {logs['d_real_accuracy']:.0%}, on fake {logs['d_fake_accuracy']:.0%}  {rate:,.0f} images/s"
        )
        if self.progress:
            self.progress.update(self.task, completed=done, description=said)
        elif now - self.shown >= self.seconds or done in (1, self.epochs):
            self.shown = now
            left = (now - self.began) / done * (self.epochs - done)
            self.console.print(f"{said}  {left:.0f} s left", soft_wrap=True, highlight=False)

    def on_train_end(self, logs=None):
        if self.progress:
            self.progress.stop()
