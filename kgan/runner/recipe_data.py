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
    return _load(recipe, given, progress)


def _load(recipe, given, progress=None, **changed):
    arguments = arguments_of(recipe.data)
    for key in ("batch_size", "replacement", "flip", "validation_split", "validation"):
        arguments.pop(key, None)
    with Blame(given) as blame, blame("data"):
        arguments |= {"pairs": recipe.condition is not None and recipe.condition.name == "pairs", **changed}
        return data.load(recipe.data.name, progress=progress, **arguments)


def held_out(recipe, given, found):
    """Return the training data, and the data of `validation_split`, spread evenly over all, or `None` if those are none.

    Raises:
        RecipeError: if the images do not fit into memory.
    """
    share, split = recipe.data.validation_split, getattr(recipe.data, "validation", None)
    if split is not None:
        with Blame(given) as blame, blame("data"):
            if share:
                raise ValueError(
                    "give what is held out once, as `validation`, a split, or as `validation_split`, a share"
                )
            if split == recipe.data.split:
                raise ValueError(f"`validation` must be another split than `split`. Received: {split} for both")
        resized = {} if found.crop is None else {"resize": None}
        size = {} if len(found.images.shape) != 4 else {"size": list(found.crop or found.images.shape[1:3])}
        return found, _load(recipe, given, split=split, limit=None, **size, **resized)
    if not int(share * len(found.images)):
        return found, None
    with Blame(given) as blame, blame("data"):
        if not isinstance(found.images, np.ndarray):
            raise ValueError(
                "`validation_split` is for images that fit into memory; name another `split` to score with"
            )
        numbers = np.arange(len(found.images))
        out = np.floor(share * (numbers + 1)) > np.floor(share * numbers)
        parts = []
        for chosen in (~out, out):
            labels, images_given = (None if one is None else one[chosen] for one in (found.labels, found.given))
            parts.append(replace(found, images=found.images[chosen], labels=labels, given=images_given))
        return parts[0], replace(centred(parts[1]), skipped={})


def centred(found):
    """Data of which the middle of each image is used, where a random part of it is trained on."""
    if found.crop is None:
        return found
    given = None if found.given is None else Middle(found.given, found.crop)
    return replace(found, images=Middle(found.images, found.crop), given=given, crop=None)


class Middle:
    """The middle parts of images, which are cut out when they are needed.

    Args:
        images: Array or `kgan.data.Folder`.
        size: Pair `(height, width)`.
    """

    def __init__(self, images, size):
        self.images, self.dtype = images, images.dtype
        self.corner = [(side - part) // 2 for side, part in zip(images.shape[1:3], size, strict=True)]
        self.size, self.shape = size, (len(images), *size, images.shape[3])

    def __len__(self):
        return len(self.images)

    def __getitem__(self, chosen):
        (top, left), (height, width) = self.corner, self.size
        return self.images[chosen][:, top : top + height, left : left + width]


def name_of(source):
    """The name of a recipe's data: that of the file or folder that is read, or of the data set."""
    path = getattr(source, "path", None)
    if path is None or data.made_from(source.name, path):
        return source.name
    return pathlib.Path(path).expanduser().resolve().name
