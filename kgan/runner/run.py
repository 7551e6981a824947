"""One run: its directory, its training, what it leaves behind."""

import contextlib
import importlib.metadata
import json
import math
import os
import pathlib
import platform
import resource
import sys
import time

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from kgan.callbacks import LogFile
from kgan.runner import build, display, recipes
from kgan.runner.errors import Problem, RecipeError


def train(recipe, given, out=None, console=None):
    """Train a checked recipe, and leave a run directory.

    Args:
        recipe: `Recipe`.
        given: `Given`, what it was read from; its text is kept in the directory.
        out: Path. The run directory; `runs/<name>-0001` or the next free number by default.
        console: `rich.console.Console` to show progress on.

    Returns:
        The path of the run directory.

    Raises:
        RecipeError: if the objects that the recipe names cannot be made, or the directory is taken.
        ConnectionError: if the data have to be downloaded and cannot be.
    """
    console = console or Console()
    batches, gan, found = _build(recipe, given, out, console)
    directory = claim(recipe.name, out)
    (directory / "recipe.yaml").write_text(given.text)
    (directory / "resolved.yaml").write_text(recipes.dump(resolved(recipe)))
    (directory / "environment.json").write_text(json.dumps(environment(found), indent=2) + "\n")
    steps = recipe.steps or recipe.epochs * len(batches)
    callbacks = build.build_callbacks(recipe, directory)
    shown = display.Display(recipe.name, steps, batches, console)
    callbacks += [LogFile(directory / LogFile.place), StopAt(steps), shown]
    try:
        gan.fit(batches, epochs=math.ceil(steps / len(batches)), verbose=0, callbacks=callbacks)
    finally:
        shown.close()
    sampler = gan.generator if gan.ema_generator is None else gan.ema_generator
    sampler.save(directory / "generator.keras")
    return directory


def try_out(recipe, given, out=None, console=None):
    """Build everything, train for two steps, and say how large it is and how long it will take; writes nothing.

    Args, Raises: as `train`.
    """
    console = console or Console()
    batches, gan, _ = _build(recipe, given, out, console, steps_at_once=1)
    steps = recipe.steps or recipe.epochs * len(batches)
    began = time.monotonic()
    gan.train_on_batch(*batches[0])
    compiled = time.monotonic()
    logs = gan.train_on_batch(*batches[min(1, len(batches) - 1)], return_dict=True)
    done = time.monotonic()
    each, first = done - compiled, compiled - began
    weights = [*gan.variables, *gan.d_opt.variables, *gan.g_opt.variables]
    rows = {
        "generator": f"{gan.generator.count_params():,} parameters",
        "discriminator": f"{gan.discriminator.count_params():,} parameters",
        "two steps": "  ".join(f"{name} {float(logs[name]):.3f}" for name in ("d_loss", "g_loss")),
        "steps": f"{steps:,}, {len(batches):,} of them an epoch",
        "a checkpoint": _size(sum(int(np.prod(variable.shape)) * 4 for variable in weights)),
        "memory": f"{_size(_memory())} so far",
        "time": f"about {display.duration(first + each * steps)}: {display.duration(first)} to begin with, "
        f"{1000 * each:.3g} ms a step",
    }
    table = Table(box=None, show_header=False)
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(table)


def _build(recipe, given, out, console, steps_at_once=None):
    """Everything but the directory, what is quick to refuse first; says what the data are."""
    check_free(out)
    rules = build.build_rules(recipe, given)
    found = build.load_data(recipe, given, display.reading(console))
    console.print(display.data_line(recipe, found), soft_wrap=True, highlight=False, markup=False)
    return *build.build(recipe, given, rules, found, steps_at_once), found


def _size(count):
    return f"{count / 2**20:,.0f} MiB"


def _memory():
    """The most bytes that this process has held at once."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


class StopAt(keras.callbacks.Callback):
    """Ends the training after so many steps, in the middle of an epoch too."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_epoch_begin(self, epoch, logs=None):
        self.before = self.left

    def on_train_batch_end(self, batch, logs=None):
        self.left = self.before - min(
            batch + 1, self.params["steps"]
        )  # Keras counts a short last execution as a long one
        if self.left <= 0:
            self.model.stop_training = True


def resolved(recipe):
    """The recipe with every default filled in, as plain data; a path leads there from any folder."""
    data = recipe.model_dump(mode="json")
    if data["data"].get("path"):
        data["data"]["path"] = str(pathlib.Path(data["data"]["path"]).absolute())
    return data


def check_free(out):
    """Raise RecipeError if the run directory `out` is taken or cannot be."""
    if out is None:
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RecipeError("--out", [Problem((), f"{out} exists and is not an empty folder; a run never overwrites")])
    parent = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise RecipeError("--out", [Problem((), f"{out} cannot be made: {parent} is no folder that can be written to")])


def claim(name, out):
    """Make the run directory, which must be new or empty."""
    if out is not None:
        check_free(out)
        return _make(out, exist_ok=True)
    for number in range(1, 10_000):
        with contextlib.suppress(FileExistsError):
            return _make(pathlib.Path("runs") / f"{name}-{number:04d}")
    raise RecipeError("runs", [Problem((), f"has 9,999 runs of {name} already")])


def _make(directory, exist_ok=False):
    try:
        directory.mkdir(parents=True, exist_ok=exist_ok)
    except FileExistsError:
        raise
    except OSError as error:
        raise RecipeError("--out", [Problem((), f"{directory} cannot be made: {error.strerror}")]) from None
    return directory


def environment(found):
    """What a run was made with."""
    packages = ("kgan", "keras", "numpy", "tensorflow", "jax", "torch")
    versions = {}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "backend": keras.backend.backend(),
        "command": [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": versions,
        "data": {
            "shape": list(found.images.shape),
            "skipped": {reason: [str(path) for path in paths] for reason, paths in found.skipped.items()},
        },
    }
