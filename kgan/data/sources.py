"""All data sources by name, and the loading of their images."""

import inspect
import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kgan.arguments import integer, lookup
from kgan.data import formats
from kgan.data.array_file import file
from kgan.data.digits import digits
from kgan.data.downloads import cifar10, fashion_mnist, mnist
from kgan.data.fitting import fit_all, height_and_width
from kgan.data.folder import Folder
from kgan.data.listing import folders_in, spread
from kgan.data.points import grid, ring
from kgan.data.stacked import stacked_mnist

DATASETS = {
    "cifar10": cifar10,
    "digits": digits,
    "fashion_mnist": fashion_mnist,
    "grid": grid,
    "mnist": mnist,
    "ring": ring,
    "stacked_mnist": stacked_mnist,
}


@dataclass
class Data:
    """Images, their labels, and the files that were skipped.

    Attributes:
        images: uint8 or float array `(n, height, width, channels)`, or points `(n, 2)`; a `Folder` whose pictures do not fit
            into memory.
        labels: Integers `(n,)`, or `None`.
        skipped: Dict from a reason to the files of a folder that were skipped for it.
        fitted: String. In words, how the pictures of a folder were resized to one size and scaled to 8 bits; empty if they
            were not.
        classes: Names of the classes, in the order of their numbers; empty if they have none.
    """

    images: Any
    labels: np.ndarray | None = None
    skipped: Mapping[str, list[pathlib.Path]] = field(default_factory=dict)
    fitted: str = ""
    classes: Sequence[str] = ()


def get(name):
    """Return the function that loads that data set, as images and labels.

    Raises:
        ValueError: if there is no such data set.
    """
    return lookup("data set", name, DATASETS)


def load(
    name=None, path=None, split="train", size=None, channels=None, limit=None, progress=None, shape=None, **arguments
):
    """Load images of a named data set, of a file or of a folder.

    Example:

    >>> kgan.data.load("digits", size=16, limit=100).images.shape
    (100, 16, 16, 1)

    Args:
        name: Name of a data set; not needed with `path`.
        path: Path of an `.npy` or `.npz` file, or of a folder of pictures. It is read instead of the named data set.
            But a data set with an argument `path`, such as `stacked_mnist`, is made from the content of a file.
        split: String, such as `"test"`: the part of a data set, the arrays of an `.npz` file with that ending, the folder of
            that name in a folder. Data without splits are training data.
        size: Integer or pair `(height, width)`: pictures are cropped to these proportions and resized.
        channels: 1, grey, or 3, colour.
        limit: Integer. The number of images to use, spread evenly over all, so that sorted classes stay balanced.
        progress: Function `(iterable, total) -> iterable` that shows the progress of reading a folder.
        shape: Tuple of integers. The shape of one example in a file of arrays, where it may mean several things: images,
            `(height, width, channels)`, series, `(steps, channels)`, or numbers, `(dimensions,)`.
        **arguments: Arguments of the data set, such as `modes` of `ring`.

    Returns:
        A `Data`.

    Raises:
        ValueError: if there is no such data set, file or folder, or no image in it.
        ConnectionError: if it must be downloaded and the download fails.
    """
    path = None if path is None else pathlib.Path(path).expanduser()
    limit = limit if limit is None else integer("limit", limit, at_least=1)
    takes_path = name in DATASETS and "path" in _parameters(name)
    if shape is not None and (path is None or path.is_dir() or takes_path):
        raise ValueError(f"`shape` is for a file of arrays. Received: shape={shape!r}")
    if path is None or (takes_path and not path.is_dir()):
        images, labels = _of_source(name, path, split, arguments)
    elif path.is_dir():
        return _of_folder(path, split, size, channels, limit, progress)
    else:
        what = formats.described(path) if path.is_file() and path.suffix not in (".npy", ".npz") else None
        if what:
            raise ValueError(f"{path} is neither a folder of pictures nor a file of arrays, but a {what}")
        images, labels = file(path, split, shape)
        if images.ndim == 4 and images.shape[3] in (2, 4) and shape is None and channels is None:
            raise ValueError(
                f"{path} must hold images of 1 or 3 channels, the last axis. Received: shape {images.shape}. If the last "
                "channel is transparency, `channels` 1 or 3 puts the images on white; "
                f"`shape` {list(images.shape[1:])} keeps all channels"
            )
    images = spread(images, limit)
    if labels is not None:
        labels = spread(labels, limit)
    if size is not None or channels is not None:
        if images.ndim != 4 or images.dtype != np.uint8:
            raise ValueError("`size` and `channels` are for pictures of uint8 pixels.")
        images = fit_all(images, height_and_width(size) or images.shape[1:3], channels or images.shape[3])
    return Data(images, labels)


def _parameters(name):
    return inspect.signature(get(name)).parameters


def _of_source(name, path, split, arguments):
    taken = _parameters(name)
    if split != "train" and "split" not in taken:
        raise ValueError(f"`split` of {name} must be 'train': it is not divided. Received: {split!r}")
    given = {"path": path, "split": split}
    return get(name)(**arguments, **{key: value for key, value in given.items() if key in taken})


def _of_folder(path, split, size, channels, limit, progress):
    if pathlib.Path(split).name != split:
        raise ValueError(f"`split` must be the name of a folder in {path}. Received: {split!r}")
    part = path / split
    if not part.is_dir() and split != "train":
        inside = ", ".join(folders_in(path)) or "none"
        raise ValueError(f"{path} has no folder {split!r} for that split. Folders in it: {inside}.")
    folder = Folder(part if part.is_dir() else path, size, channels, limit, progress=progress, whole=path)
    images = folder if folder.in_memory is None else folder.in_memory
    return Data(images, folder.labels, folder.skipped, folder.fitted, folder.classes)
