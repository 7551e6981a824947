"""What a run shows: a live display in a terminal, a plain line every few seconds elsewhere."""

import time

import keras
import numpy as np
from joblib import cpu_count
from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, track
from rich.text import Text

from kgan import backend
from kgan.data.domains import Domains
from kgan.runner import recipe_data


class Display(keras.callbacks.Callback):
    """Shows epoch, step, losses, accuracies, images/s and the time left.

    Args:
        name: String. The name of the recipe.
        steps: Integer. The number of steps of the whole training.
        batches: `kgan.data.Batches`, or `Unpaired`.
        console: `rich.console.Console`.
        seconds: Float. If the console is not a terminal, the least time between two lines.
    """

    def __init__(self, name, steps, batches, console, seconds=10.0):
        super().__init__()
        self.name, self.steps, self.console, self.seconds = name, steps, console, seconds
        self.epoch_steps, self.epoch_images = len(batches), batches.examples
        self.done = self._before = self._counted_from = 0
        self.live = None

    def on_train_begin(self, logs=None):
        self._shown = time.monotonic()
        if self.console.is_terminal:
            self.progress = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[left]}", markup=False),
            )
            self.task = self.progress.add_task(self.name, total=self.steps, left="")
            self.live = Live(self.progress, console=self.console, refresh_per_second=4)
            self.live.start()

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self._before = epoch, epoch * self.epoch_steps

    def on_train_batch_end(self, batch, logs=None):
        self.done = self._before + min(batch + 1, self.epoch_steps)  # the last execution of an epoch may be shorter
        now = time.monotonic()
        if not self._counted_from:
            self._began, self._counted_from = now, self.done  # count from here, since the first execution compiles
        if now - self._shown >= (0.25 if self.live else self.seconds):
            self._show(now, logs)

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0 or self.done >= self.steps:
            self._show(time.monotonic(), logs)

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        """Close the live display; its last content stays."""
        if self.live:
            self.live.stop()

    def _show(self, now, logs):
        self._shown = now
        rate = (self.done - self._counted_from) / max(now - self._began, 1e-9)  # steps/s
        epochs = -(-self.steps // self.epoch_steps)
        where = (
            f"{self.name}  epoch {self.epoch + 1}/{epochs}  "
            f"step {self.done - self._before}/{min(self.epoch_steps, self.steps - self._before)}"
        )
        said = (
            f"D loss {logs['d_loss']:.3f}  G loss {logs['g_loss']:.3f}  D right on real {logs['d_real_accuracy']:.0%}, "
            f"on fake {logs['d_fake_accuracy']:.0%}"
        )
        left = ""
        if rate and now > self._began:
            said += f"  {rate * self.epoch_images / self.epoch_steps:,.0f} images/s"
            left = f"{duration((self.steps - self.done) / rate)} left"
        if self.live:
            self.progress.update(self.task, completed=self.done, description=where, left=left)
            self.live.update(Group(self.progress, Text(said)))
        else:
            self.console.print(f"{where}  {said}  {left}".rstrip(), soft_wrap=True, highlight=False, markup=False)


def duration(seconds):
    """A duration in words: `45 s`, `12 min`, `3 h 05 min`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def reading(console):
    """A function `(iterable, total) -> iterable` that shows the progress of reading pictures, in a terminal."""

    def shown(iterable, total):
        return track(
            iterable, "reading pictures", total, console=console, transient=True, disable=not console.is_terminal
        )

    return shown


def making(console, seconds=10.0):
    """A function `(iterable, total) -> iterable` that shows the progress of making images, and the time left.

    Args:
        console: `rich.console.Console`.
        seconds: Float. If the console is not a terminal, the least time between two lines.
    """

    def shown(parts, total):
        if console.is_terminal:
            yield from track(parts, "making images", total, console=console, transient=True)
            return
        began = said = time.monotonic()
        for done, part in enumerate(parts, 1):
            yield part
            now = time.monotonic()
            if done < total and now - said >= seconds:
                said, left = now, (now - began) / done * (total - done)
                console.print(f"{done / total:.0%} of the images made, {duration(left)} left", highlight=False)

    return shown


# on a CPU: the engine, and whether a player convolves images -> the engine that is often more than twice as fast, measured
# by `python -m tests.benchmarks.engines` (docs/performance.md)
TWICE_AS_FAST = {("jax", True): "tensorflow", ("torch", False): "jax"}


def engine_line(gan, batches):
    """A sentence about the engine, the devices, and the settings that kgan chose (docs/performance.md).

    It also says which engine is often more than twice as fast for such a model on a CPU.
    """
    kinds = [name.partition(":")[0].upper() for name in backend.devices()] or ["CPU"]
    where = f"{cpu_count()} CPU cores" if set(kinds) == {"CPU"} else f"{len(kinds)} {kinds[0]}"
    if len(kinds) > 1:
        where += f" as {dealt_out(batches.batch_size, gan.pack)}"
    at_once = gan.steps_per_execution
    there = batches.read_from
    count = sum(one.nbytes for one in there) if all(isinstance(one, np.ndarray) for one in there) else None
    data = "pictures decoded as they are needed" if count is None else f"{count / 2**20:,.3g} MiB of data in memory"
    return (
        f"{backend.TITLE} on {where}, {backend.COMPILER} {'on' if gan.jit_compile else 'off'}, "
        f"{at_once} {'steps' if at_once > 1 else 'step'} at once, {data}{_faster(gan) if set(kinds) == {'CPU'} else ''}"
    )


def dealt_out(batch_size, pack):
    """In words, which devices there are, and which part of a batch each of them computes."""
    names, count = backend.devices(), backend.process()[1]
    processes = f" in {count} processes" if count > 1 else ""
    divides = batch_size % backend.divisor(pack) == 0
    said = (
        f"{batch_size // len(names)} images of a batch on each"
        if divides
        else "the whole batch on each, which it does not divide"
    )
    return f"{len(names)} devices{processes} ({', '.join(names[:2])}{', ...' if len(names) > 2 else ''}), {said}"


def _faster(gan):
    weights = [*gan.generator.trainable_variables, *gan.discriminator.trainable_variables]
    convolves = any(len(variable.shape) == 4 for variable in weights)
    faster = TWICE_AS_FAST.get((backend.NAME, convolves))
    kind = "convolutions" if convolves else "dense networks"
    return f"; on a CPU KERAS_BACKEND={faster} is often more than twice as fast for {kind}" if faster else ""


def data_line(recipe, found, split=None):
    """A sentence about the `Data`: their source, number and classes, how pictures were changed, which files were skipped.

    Args:
        recipe: `Recipe`.
        found: `kgan.data.Data`.
        split: String. The split that they are, if it is not that of the recipe.
    """
    source = getattr(recipe.data, "path", None) or recipe_data.name_of(recipe.data)
    said = f"{source}{f', {split}' if split else ''}: {_what(found)}"
    if found.origin:
        said += f"; from {found.origin}"
    if isinstance(found, Domains):
        if found.pairs_known:
            said += "; they are true pairs, which scores compare and the training does not use"
        larger = " and ".join(dict.fromkeys(_by(one.images.shape[1:3]) for one in (found.a, found.b) if one.crop))
    else:
        larger = _by(found.images.shape[1:3]) if found.crop else ""
    if larger:
        said += f"; random parts of {larger}"
    if found.skipped:
        said += f"; skipped {reasons(found.skipped)}"
    if found.fitted:
        said += f"; {found.fitted}"
    if found.classes:
        named = [f"{number} {name}" for number, name in enumerate(found.classes)]
        shown = named if len(named) <= 12 else [*named[:10], "...", named[-1]]
        said += f"; {len(named):,} {'classes' if len(named) > 1 else 'class'}: {', '.join(shown)}"
    if found.unlabelled:
        said += f"; no classes, since {found.unlabelled}"
    return said


def _what(found):
    """How many there are, and of which size."""
    if isinstance(found, Domains):
        a, b = (f"{_by(one.image_shape)} ({name})" for one, name in zip((found.a, found.b), found.names, strict=True))
        many = "images" if found.a.count > 1 else "image"
        return f"{found.a.count:,} {many} of a, {a}, and {found.b.count:,} of b, {b}"
    count, shape = len(found.images), found.image_shape
    if found.given is not None:
        size, given = _by(shape), _by(found.given_shape)
        return f"{count:,} {'pairs' if count > 1 else 'pair'} of {size} from {given} ({found.paired})"
    what = ("point" if len(shape) == 1 else "image") + ("s" if count > 1 else "")
    return f"{count:,} {what}" + (f" of {_by(shape)}" if len(shape) > 1 else "")


def _by(sizes):
    return " x ".join(map(str, sizes))


def reasons(files):
    """How many files there are, and for which reasons, given a dict from a reason to files."""
    said = [
        f"{len(paths):,} {reason} ({paths[0].name!r}{', ...' if len(paths) > 1 else ''})"
        for reason, paths in files.items()
    ]
    count = sum(map(len, files.values()))
    return f"{count:,} {'files' if count > 1 else 'file'}: {', '.join(said)}"
