"""Loads the data that a recipe names, and splits them for validation."""

import pathlib
from dataclasses import replace

import numpy as np

from kgan import data
from kgan.runner.blame import Blame
from kgan.runner.types import arguments_of

LOADED_LATER = ("batch_size", "replacement", "flip", "validation", "validation_split")  # no arguments of `load`


def is_of_pairs(recipe):
    """Whether a recipe trains on pairs of images."""
    return getattr(recipe.condition, "name", None) == "pairs"


def load_data(recipe, given, progress=None, split=None, like=None):
    """Return the recipe's `kgan.data.Data`.

    Args:
        recipe: `Recipe`.
        given: `Given`, what the recipe was read from.
        progress: Function `(iterable, total) -> iterable` that shows the progress of reading a folder.
        split: String. A split to read instead of the recipe's, whole images and no random parts of them.
        like: `kgan.data.Data`, whose size and channels the pictures of that split get.

    Raises:
        RecipeError: if the data cannot be read.
        ConnectionError: if the data must be downloaded and the download fails.
    """
    arguments = arguments_of(recipe.data)
    for key in LOADED_LATER:
        arguments.pop(key, None)
    if split is not None:
        arguments |= {"split": split, "resize": None}
        path = arguments.get("path")
        if like is not None and path and pathlib.Path(path).expanduser().is_dir():
            *size, channels = like.image_shape
            arguments |= {"size": size, "channels": (like.given_shape[2], channels) if like.given_shape else channels}
    at = ("data", "validation") if split is not None and split == recipe.data.validation else ("data",)
    with Blame(given) as blame, blame(*at):
        return data.load(recipe.data.name, progress=progress, pairs=is_of_pairs(recipe), **arguments)


def held_out(recipe, given, found, progress=None):
    """Return the training data, and the data held out: those of the split `validation`, or of `validation_split`.

    Args:
        recipe, given, progress: As in `load_data`.
        found: `kgan.data.Data`, what it returned.

    Returns:
        Two `Data`; the second one `None` if nothing is held out.

    Raises:
        RecipeError: if the images of a share do not fit into memory; if there is no such split, or it has other classes.
    """
    if recipe.data.validation:
        others = load_data(recipe, given, progress, recipe.data.validation, like=found)
        with Blame(given) as blame, blame("data", "validation"):
            if list(others.classes) != list(found.classes):  # their numbers would not be the same
                raise ValueError(f"the split {recipe.data.validation} has other classes than {recipe.data.split}")
        return found, others
    out = _share(recipe, given, found)
    return (found, None) if out is None else (found.part(~out), replace(found.part(out).middle(), skipped={}))


def held_out_split(recipe):
    """The name, in records of scores, of the second part of what `held_out` returns."""
    return recipe.data.validation or f"{recipe.data.validation_split:.0%} of {recipe.data.split}, held out"


def to_train(recipe, given, found):
    """Return the first part of what `held_out` returns; no other split is read."""
    out = _share(recipe, given, found)
    return found if out is None else found.part(~out)


def _share(recipe, given, found):
    """Which images are those of `validation_split`, spread evenly over all; `None` if those are none."""
    share = recipe.data.validation_split
    if not int(share * len(found.images)):
        return None
    with Blame(given) as blame, blame("data"):
        if not isinstance(found.images, np.ndarray):
            raise ValueError(
                "`validation_split` is for images that fit into memory; name a split, `validation`, instead"
            )
    numbers = np.arange(len(found.images))
    return np.floor(share * (numbers + 1)) > np.floor(share * numbers)


def name_of(source):
    """The name of a recipe's data: that of the file or folder that is read, or of the data set."""
    path = getattr(source, "path", None)
    if path is None or data.made_from(source.name, path):
        return source.name
    return pathlib.Path(path).expanduser().resolve().name
