"""All data sources by name, and the loading of their images."""

import inspect
import pathlib
from dataclasses import replace

from kgan.arguments import integer, lookup, nearest
from kgan.data import formats
from kgan.data.array_file import read
from kgan.data.crop import sizes
from kgan.data.digits import digits
from kgan.data.downloads import cifar10, fashion_mnist, mnist
from kgan.data.fitting import brought_to, channels_of, height_and_width
from kgan.data.folder import Folder
from kgan.data.loaded import Data
from kgan.data.outlined import outlined_digits
from kgan.data.paired_folder import DIRECTIONS, KINDS, PairedFolder
from kgan.data.pairs_file import read_pairs
from kgan.data.points import grid, ring
from kgan.data.splits import part_of
from kgan.data.spread import spread
from kgan.data.stacked import stacked_mnist

DATASETS = {
    "cifar10": cifar10,
    "digits": digits,
    "fashion_mnist": fashion_mnist,
    "grid": grid,
    "mnist": mnist,
    "outlined_digits": outlined_digits,
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
    pairs=False,
    direction="a_to_b",
    kind="images",
    resize=None,
    once=lambda make: make(),
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
        channels: 1, grey, or 3, colour. For pairs that of the real images, or two numbers: of the sources, and of these.
        limit: Integer. The number of images to use, spread evenly over all, so that sorted classes stay balanced.
        progress: Function `(iterable, total) -> iterable` that shows the progress of reading a folder.
        shape: Tuple of integers. The shape of one example in a file of arrays, where it may mean several things: images,
            `(height, width, channels)`, series, `(steps, channels)`, or numbers, `(dimensions,)`.
        pairs: Whether the path holds pairs of images, of a source A and a target B: a folder with two folders of equal file
            names, or of pictures with A in the left half and B in the right one (`PairedFolder`); or an `.npz` file of two
            arrays `a` and `b`, `sources` and `targets`, or `x` and `y`.
        direction: `"a_to_b"`, or `"b_to_a"`: then B is the source.
        kind: `"images"`, or `"labels"`: the sources are maps of labels, and are resized without a filter, so that no new
            values come up.
        resize: Integer or pair `(height, width)`, at least `size`: images are read in this size, and a batch takes a random
            part of `size` of each.
        once: Function `make -> make()`, by which a folder is listed: in one of several processes, if they train together.
        **arguments: Arguments of the data set, such as `modes` of `ring`.

    Returns:
        A `Data`.

    Raises:
        ValueError: if there is no such data set, file or folder, or no image in it; if `pairs` is true and it does not hold
            pairs.
        ConnectionError: if it must be downloaded and the download fails.
    """
    path = None if path is None else pathlib.Path(path).expanduser()
    known = _parameters(name) if name in DATASETS else ()
    for unknown in (one for one in arguments if one not in known):
        raise TypeError(f"load() has no argument {unknown!r}. {nearest(unknown, inspect.signature(load).parameters)}")
    limit = limit if limit is None else integer("limit", limit, at_least=1)
    of_given, channels = channels if pairs and isinstance(channels, list | tuple) else (None, channels)
    channels = channels_of(channels)
    _check_pairs(pairs, direction, kind)
    size, crop = sizes(height_and_width(size), height_and_width(resize))
    if shape is not None and (path is None or path.is_dir() or made_from(name, path) or pairs):
        raise ValueError(
            f"`shape` is for a file of arrays{' of single images' if pairs else ''}. Received: shape={shape!r}"
        )
    if pairs:
        if path is None or made_from(name, path):
            raise ValueError(
                f"Pairs of images are read from a folder or an .npz file: give its `path`. Received: {name}"
            )
        read_them = _pairs_of_folder if path.is_dir() else _pairs_of_file
        of_both = channels_of(of_given), channels
        found = read_them(path, split, size, of_both, limit, progress, direction, kind, once)
        return replace(found, crop=crop)
    if path is None or made_from(name, path):
        found = Data(*_of_source(name, path, split, arguments))
    elif path.is_dir():
        return replace(_of_folder(path, split, size, channels, limit, progress, once), crop=crop)
    else:
        _check_kind(path)
        found = read(path, split, shape)
        images = found.images
        if images.ndim == 4 and images.shape[3] in (2, 4) and shape is None and channels is None:
            raise ValueError(
                f"{path} must hold images of 1 or 3 channels, the last axis. Received: shape {images.shape}. If the last "
                "channel is transparency, `channels` 1 or 3 puts the images on white; "
                f"`shape` {list(images.shape[1:])} keeps all channels"
            )
    labels = None if found.labels is None else spread(found.labels, limit)
    return replace(found, images=brought_to(spread(found.images, limit), size, channels), labels=labels, crop=crop)


def _check_kind(path):
    """Raise ValueError if a file that is there is known to be none of arrays."""
    known = path.suffix in (".npy", ".npz") or not path.is_file() or formats.holds_arrays(path)
    what = None if known else formats.described(path)
    if what:
        article = "an" if what.startswith(("AVIF", "HDF5", "SVG", "lzma", "xz")) else "a"
        raise ValueError(f"{path} is neither a folder of pictures nor a file of arrays, but {article} {what}")


def _check_pairs(pairs, direction, kind):
    """Raise ValueError if what is said of pairs is not valid, or is said of other data."""
    for argument, value, known in (("direction", direction, DIRECTIONS), ("kind", kind, KINDS)):
        if value not in known:
            raise ValueError(f"`{argument}` must be {known[0]!r} or {known[1]!r}. Received: {value!r}")
        if not pairs and value != known[0]:
            raise ValueError(f"`{argument}` {value} is for pairs of images, with `pairs` true")


def made_from(name, path):
    """Whether a data set, such as `stacked_mnist`, is made from the content of that file, which is not read instead."""
    return name in DATASETS and "path" in _parameters(name) and not pathlib.Path(path).expanduser().is_dir()


def _parameters(name):
    return inspect.signature(get(name)).parameters


def _of_source(name, path, split, arguments):
    taken = _parameters(name)
    if split != "train" and "split" not in taken:
        raise ValueError(f"`split` of {name} must be 'train': it is not divided. Received: {split!r}")
    given = {"path": path, "split": split}
    return get(name)(**arguments, **{key: value for key, value in given.items() if key in taken})


def _of_folder(path, split, size, channels, limit, progress, once):
    part, whole, origin = part_of(path, split)
    folder = once(lambda: Folder(part, size, channels, limit, progress=progress, whole=whole))
    images = folder if folder.in_memory is None else folder.in_memory
    return Data(images, folder.labels, folder.skipped, folder.fitted, folder.classes, origin, folder.unlabelled)


def _pairs_of_folder(path, split, size, channels, limit, progress, direction, kind, once):
    folder = once(
        lambda: PairedFolder(path, split, size, channels, limit, progress=progress, direction=direction, kind=kind)
    )
    given, images = (folder.given, folder) if folder.in_memory is None else folder.in_memory
    return Data(
        images,
        skipped=folder.skipped,
        fitted=folder.fitted,
        origin=folder.origin,
        given=given,
        paired=folder.paired,
    )


def _pairs_of_file(path, split, size, channels, limit, progress, direction, kind, once):
    _check_kind(path)
    both, names, said = read_pairs(path, split)
    fitted = "; ".join(f"{name}: {one}" for name, one in zip(names, said, strict=True) if one)
    if direction == "b_to_a":
        both, names = both[::-1], names[::-1]
    given, images = (spread(one, limit) for one in both)
    of_given, of_images = channels
    if size is not None or of_given is not None:
        if given.shape[3] > 4:
            raise ValueError(
                f"`size` is for pairs of up to four channels. Received: {names[0]} of {given.shape[3]} channels"
            )
        # two channels are grey and transparency, four are colours and transparency
        of_given = of_given or {2: 1, 4: 3}.get(given.shape[3], given.shape[3])
    given = brought_to(given, size, of_given, kind == "labels")
    return Data(brought_to(images, size, of_images), fitted=fitted, given=given, paired=" to ".join(names))
