"""One run: its directory, its training, what it leaves behind."""

import importlib.metadata
import json
import math
import os
import pathlib
import platform
import sys

import keras

from kgan.callbacks import LogFile
from kgan.runner import build, recipes
from kgan.runner.display import Display
from kgan.runner.errors import Problem, RecipeError


def train(recipe, text, out=None, console=None):
    """Train a checked recipe, and leave a run directory.

    Args:
        recipe: `Recipe`.
        text: The recipe as given, kept in the directory.
        out: The run directory; `runs/<name>-0001` or the next free number by default.
        console: `rich.console.Console` to show progress on.

    Returns:
        The path of the run directory.

    Raises:
        RecipeError: if the directory is taken.
    """
    try:
        batches, gan = build.build(recipe)
    except ValueError as error:  # what only the networks themselves know, such as a rate above 1
        raise RecipeError(recipe.name, [Problem((), " ".join(str(error).split()))]) from None
    directory = claim(recipe.name, out)
    (directory / "recipe.yaml").write_text(text)
    (directory / "resolved.yaml").write_text(recipes.dump(recipe.model_dump(mode="json")))
    (directory / "environment.json").write_text(json.dumps(environment(), indent=2) + "\n")
    epochs = recipe.epochs or math.ceil(recipe.steps / len(batches))
    callbacks = build.build_callbacks(recipe, directory)
    callbacks += [LogFile(directory / LogFile.place), Display(recipe.name, epochs, len(batches.images), console)]
    gan.fit(batches, epochs=epochs, verbose=0, callbacks=callbacks)
    sampler = gan.generator if gan.ema_generator is None else gan.ema_generator
    sampler.save(directory / "generator.keras")
    return directory


def claim(name, out):
    """Make the run directory, which must be new or empty."""
    if out is not None:
        directory = pathlib.Path(out)
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise RecipeError(
                "--out", [Problem((), f"{directory} exists and is not an empty folder; a run never overwrites")]
            )
        directory.mkdir(parents=True, exist_ok=True)
        return directory
    for number in range(1, 10_000):
        directory = pathlib.Path("runs") / f"{name}-{number:04d}"
        try:
            directory.mkdir(parents=True)
        except FileExistsError:
            continue
        return directory
    raise RecipeError("runs", [Problem((), f"has 9,999 runs of {name} already")])


def environment():
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
    }
