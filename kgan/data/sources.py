"""All data sources by name, and the loading of their images."""

import inspect
import pathlib
from dataclasses import replace

import numpy as np

from kgan.arguments import integer, lookup
from kgan.data import formats, paired
from kgan.data.array_file import read
from kgan.data.digits import digits
from kgan.data.downloads import cifar10, fashion_mnist, mnist
from kgan.data.fitting import channels_of, fit_all, height_and_width
from kgan.data.folder import Folder, spread
from kgan.data.loaded import Data
from kgan.data.points import grid, ring
from kgan.data.splits import part_of
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


def get(name):
    """Return the function that loads that data set, as images and labels.

    Raises:
        ValueError: if there is no such data set.
    """
    return lookup("data set", name, DATASETS)


def load(
    name=None,
    path=None,
    split="train",
    size=None,
    channels=None,
    limit=None,
    progress=None,
    shape=None,
    resize=None,
    pairs=False,
    direction="a_to_b",
    kind="images",
    **arguments,
):
    """Load images of a named data set, of a file or of a folder.

    Example:

    >>> kgan.data.load("digits", size=16, limit=100).images.shape
    (100, 16, 16, 1)

    Args:
        name: Name of a data set; not needed with `path`.
        path: Path of an `.npy` or `.npz` file, or of a folder of pictures. It is read instead of the named data set. Labels
            in a file become class numbers from 0.
            But a data set with an argument `path`, such as `stacked_mnist`, is made from the content of a file.
        split: String, such as `"test"`: the part of a data set, the arrays of an `.npz` file with that ending, the folder of
            that name in a folder. Data without splits are training data.
        size: Integer or pair `(height, width)`: pictures are cropped to these proportions and resized.
        channels: 1, grey, or 3, colour.
        limit: Integer. The number of images to use, spread evenly over all, so that sorted classes stay balanced.
        progress: Function `(iterable, total) -> iterable` that shows the progress of reading a folder.
        shape: Tuple of integers. The shape of one example in a file of arrays, where it may mean several things: images,
            `(height, width, channels)`, series, `(steps, channels)`, or numbers, `(dimensions,)`.
        resize: Integer or pair `(height, width)`, at least `size`: pictures are read at this size, and a random part of
            `size` is trained on.
        pairs: Whether the data are pairs of images: what the generator is given, A, and the real image, B. Then `path` is a
            folder of pictures that show both side by side, or with two folders of equal file names, the first of which by
            name is A; or an `.npz` file of two arrays, `sources` and `targets`, `a` and `b`, or `x` and `y`.
        direction: `"a_to_b"`, or `"b_to_a"`: B is given and A is the real image.
        kind: `"images"`, or `"labels"` if label maps are given, which are resized without new values.
        **arguments: Arguments of the data set, such as `modes` of `ring`.

    Returns:
        A `Data`.

    Raises:
        ValueError: if there is no such data set, file or folder, or no image in it.
        ConnectionError: if it must be downloaded and the download fails.
    """
    path = None if path is None else pathlib.Path(path).expanduser()
    limit = limit if limit is None else integer("limit", limit, at_least=1)
    size, channels = height_and_width(size), channels_of(channels)
    lookup("direction", direction, dict.fromkeys(paired.DIRECTIONS))
    lookup("kind", kind, dict.fromkeys(("images", "labels")))
    if pairs:
        return _of_pairs(name, path, split, size, channels, limit, progress, resize, direction, kind)
    if direction != "a_to_b" or kind != "images":
        raise ValueError("`direction` and `kind` are for pairs of images, of a recipe with `condition: pairs`")
    read_at, crop = paired.larger(size, resize)
    if crop is not None:
        whole = load(name, path, split, read_at, channels, limit, progress, shape, **arguments)
        return replace(whole, crop=crop)
    if shape is not None and (path is None or path.is_dir() or made_from(name, path)):
        raise ValueError(f"`shape` is for a file of arrays. Received: shape={shape!r}")
    if path is None or made_from(name, path):
        found = Data(*_of_source(name, path, split, arguments))
    elif path.is_dir():
        return _of_folder(path, split, size, channels, limit, progress)
    else:
        known = path.suffix in (".npy", ".npz") or not path.is_file() or formats.holds_arrays(path)
        what = None if known else formats.described(path)
        if what:
            article = "an" if what.startswith(("AVIF", "HDF5", "SVG", "lzma", "xz")) else "a"
            raise ValueError(f"{path} is neither a folder of pictures nor a file of arrays, but {article} {what}")
        found = read(path, split, shape)
        images = found.images
        if images.ndim == 4 and images.shape[3] in (2, 4) and shape is None and channels is None:
            raise ValueError(
                f"{path} must hold images of 1 or 3 channels, the last axis. Received: shape {images.shape}. If the last "
                "channel is transparency, `channels` 1 or 3 puts the images on white; "
                f"`shape` {list(images.shape[1:])} keeps all channels"
            )
    images = spread(found.images, limit)
    labels = None if found.labels is None else spread(found.labels, limit)
    if size is not None or channels is not None:
        if images.ndim != 4 or images.dtype != np.uint8:
            raise ValueError("`size` and `channels` are for pictures of uint8 pixels.")
        images = fit_all(images, size or images.shape[1:3], channels or images.shape[3])
    return replace(found, images=images, labels=labels)


def made_from(name, path):
    """Whether a data set, such as `stacked_mnist`, is made from the content of that file, which is not read instead."""
    return name in DATASETS and "path" in _parameters(name) and not pathlib.Path(path).expanduser().is_dir()


def _of_pairs(name, path, split, size, channels, limit, progress, resize, direction, kind):
    if path is None:
        raise ValueError(
            f"A GAN of pairs needs `path`: {paired.LAYOUTS}. Received: the data set {name}, which has no pairs"
        )
    size, crop = paired.larger(size, resize)
    if path.is_dir():
        given, real, skipped, words = paired.pairs_in(
            path, split, size, channels, limit, progress, direction=direction, kind=kind
        )
        fitted = "; ".join(dict.fromkeys(filter(None, (given.fitted, real.fitted))))
        given, real = (one if one.in_memory is None else one.in_memory for one in (given, real))
        return Data(real, None, skipped, fitted, given=given, paired=words, crop=crop)
    (given, real), fitted = paired.arrays_in(path, split, direction)
    given, real = spread(given, limit), spread(real, limit)
    if size is not None or channels is not None:
        if given.dtype != np.uint8 or real.dtype != np.uint8:
            raise ValueError("`size` and `channels` are for pictures of uint8 pixels.")
        at = size or real.shape[1:3]
        given, real = fit_all(given, at, given.shape[3]), fit_all(real, at, channels or real.shape[3])
    return Data(real, fitted=fitted, given=given, paired="two arrays", crop=crop)


def _parameters(name):
    return inspect.signature(get(name)).parameters


def _of_source(name, path, split, arguments):
    taken = _parameters(name)
    if split != "train" and "split" not in taken:
        raise ValueError(f"`split` of {name} must be 'train': it is not divided. Received: {split!r}")
    given = {"path": path, "split": split}
    return get(name)(**arguments, **{key: value for key, value in given.items() if key in taken})


def _of_folder(path, split, size, channels, limit, progress):
    part, whole, origin = part_of(path, split)
    folder = Folder(part, size, channels, limit, progress=progress, whole=whole)
    images = folder if folder.in_memory is None else folder.in_memory
    return Data(images, folder.labels, folder.skipped, folder.fitted, folder.classes, origin, folder.unlabelled)
