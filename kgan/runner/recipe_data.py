"""Loads the data that a recipe names, and splits them for validation."""

import pathlib
from dataclasses import replace

import numpy as np

from kgan import backend, data
from kgan.data.domains import LAYOUTS, Domains, load_domains
from kgan.runner.blame import Blame
from kgan.runner.types import arguments_of

LOADED_LATER = ("batch_size", "replacement", "flip", "validation", "validation_split")  # no arguments of `load`


def is_of_pairs(recipe):
    """Whether a recipe trains on pairs of images."""
    return getattr(recipe.condition, "name", None) == "pairs"


def is_of_domains(recipe):
    """Whether a recipe trains on images of two domains without pairs."""
    return getattr(recipe.condition, "name", None) == "unpaired"


def load_data(recipe, given, progress=None, split=None, like=None):
    """Return the recipe's `kgan.data.Data`, or its `kgan.data.domains.Domains`.

    Args:
        recipe: `Recipe`.
        given: `Given`, what the recipe was read from.
        progress: Function `(iterable, total) -> iterable` that shows the progress of reading a folder.
        split: String. A split to read instead of the recipe's, whole images and no random parts of them.
        like: What was returned for the recipe's split; the pictures get its size and channels.

    Raises:
        RecipeError: if the data cannot be read.
        ConnectionError: if the data must be downloaded and the download fails.
    """
    arguments = arguments_of(recipe.data)
    for key in LOADED_LATER:
        arguments.pop(key, None)
    domains = [arguments.pop(key, None) for key in ("a", "b")]
    if split is not None:
        arguments |= {"split": split, "resize": None}
    at = ("data", "validation") if split is not None and split == recipe.data.validation else ("data",)
    with Blame(given) as blame, blame(*at):
        if is_of_domains(recipe):
            return _load_domains(recipe.data.name, domains, arguments, split, like, progress)
        if like is not None and _is_folder(arguments):
            *size, channels = like.image_shape
            arguments |= {"size": size, "channels": (like.given_shape[2], channels) if like.given_shape else channels}
        if _is_folder(arguments):
            arguments["once"] = backend.from_first  # of several processes that train together

        def load():
            return data.load(recipe.data.name, progress=progress, pairs=is_of_pairs(recipe), **arguments)

        return load() if _is_folder(arguments) else backend.first_then_others(load)


def _load_domains(name, chosen, arguments, split, like, progress):
    if name != "own":
        raise ValueError(f"{LAYOUTS} Received: {name}")
    sides = [{} if one is None else {"name": one.name, **arguments_of(one)} for one in chosen]
    for side, known in zip(sides, (None, None) if like is None else (like.a, like.b), strict=True):
        if split is not None:
            side["split"] = split
        if known is not None and (_is_folder(arguments) or _is_folder(side)):
            *size, channels = known.image_shape
            side |= {"size": size, "channels": channels}
    common = {key: value for key, value in arguments.items() if key not in ("direction", "kind")}  # of pairs
    return load_domains(a=sides[0], b=sides[1], progress=progress, **common)


def _is_folder(arguments):
    """Whether these arguments of `load` are a folder's."""
    path = arguments.get("path")
    return bool(path) and pathlib.Path(path).expanduser().is_dir()


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
    return _divided(recipe, given, found)


def held_out_split(recipe):
    """The name, in records of scores, of the second part of what `held_out` returns."""
    return recipe.data.validation or f"{recipe.data.validation_split:.0%} of {recipe.data.split}, held out"


def to_train(recipe, given, found):
    """Return the first part of what `held_out` returns; no other split is read."""
    return _divided(recipe, given, found)[0]


def _divided(recipe, given, found):
    """The data without the share `validation_split`, and that share, `None` if it is empty."""
    if isinstance(found, Domains):
        (a, a_out), (b, b_out) = (_divided(recipe, given, one) for one in (found.a, found.b))
        if a_out is None or b_out is None:
            return found, None
        return replace(found, a=a, b=b), replace(found, a=a_out, b=b_out)
    out = _share(recipe, given, found)
    return (found, None) if out is None else (found.part(~out), replace(found.part(out).middle(), skipped={}))


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


def batches_of(recipe, found, training=True):
    """The `Batches` of data, or the `Unpaired` of those of two domains; without `training` each image once, as it is."""
    more = {"seed": recipe.seed, "flip": getattr(recipe.data, "flip", False)} if training else {}
    if isinstance(found, Domains):
        return data.Unpaired(found.a, found.b, recipe.data.batch_size, **more)
    if training:
        more["replacement"] = recipe.data.replacement
    return data.Batches(
        found.images, recipe.data.batch_size, labels=found.labels, given=found.given, crop=found.crop, **more
    )


def sources_of(source):
    """Yield the paths of all sources in a recipe and what is there, the keys of the data, and of each of two domains."""
    yield ("data",), source
    for key in ("a", "b"):
        if getattr(source, key, None) is not None:
            yield ("data", key), getattr(source, key)


def name_of(source):
    """The name of a recipe's data: that of the file or folder that is read, or of the data set; of two, both."""
    if getattr(source, "a", None) is not None:
        return " and ".join(dict.fromkeys(map(name_of, (source.a, source.b))))
    path = getattr(source, "path", None)
    if path is None or data.made_from(source.name, path):
        return source.name
    return pathlib.Path(path).expanduser().resolve().name
