"""Loads the data that a recipe names, and splits them for validation."""

import pathlib
from dataclasses import replace

import numpy as np

from kgan import data
from kgan.runner.blame import Blame
from kgan.runner.types import arguments_of


def load_data(recipe, given, progress=None):
    """Return the recipe's `kgan.data.Data`.

    Args:
        recipe: `Recipe`.
        given: `Given`, what the recipe was read from.
        progress: Function `(iterable, total) -> iterable` that shows the progress of reading a folder.

    Raises:
        RecipeError: if the data cannot be read.
        ConnectionError: if the data must be downloaded and the download fails.
    """
    arguments = arguments_of(recipe.data)
    for key in ("batch_size", "replacement", "flip", "validation_split"):
        arguments.pop(key, None)
    with Blame(given) as blame, blame("data"):
        return data.load(recipe.data.name, progress=progress, **arguments)


def held_out(recipe, given, found):
    """Return the training data, and the data of `validation_split`, spread evenly over all, or `None` if those are none.

    Raises:
        RecipeError: if the images do not fit into memory.
    """
    share = recipe.data.validation_split
    if not int(share * len(found.images)):
        return found, None
    with Blame(given) as blame, blame("data"):
        if not isinstance(found.images, np.ndarray):
            raise ValueError(
                "`validation_split` is for images that fit into memory; name another `split` to score with"
            )
        numbers = np.arange(len(found.images))
        out = np.floor(share * (numbers + 1)) > np.floor(share * numbers)
        labels = (None, None) if found.labels is None else (found.labels[~out], found.labels[out])
        return (
            replace(found, images=found.images[~out], labels=labels[0]),
            replace(found, images=found.images[out], labels=labels[1], skipped={}),
        )


def name_of(source):
    """The name of a recipe's data: that of the file or folder that is read, or of the data set."""
    path = getattr(source, "path", None)
    if path is None or data.made_from(source.name, path):
        return source.name
    return pathlib.Path(path).expanduser().resolve().name
