"""Images in a file: `.npy`, one array; `.npz`, arrays by name."""

import pathlib
import zipfile

import numpy as np

from kgan.data import brightness, labels
from kgan.data.array_shape import examples
from kgan.data.loaded import Data

# names of images and their labels; the first pair that exists is used
_PAIRS = (("x", "y"), ("images", "labels"))


def file(path, split="train", shape=None):
    """Read a file of images.

    Args:
        path: Path of a `.npy` or `.npz` file of images, whole numbers or floats: `(n, height, width, channels)`, with
            channels first, `(n, channels, height, width)`, or grey, `(n, height, width)`; or of points, `(n, dimensions)`.
            In an `.npz` file the images are called `images` or `x`, with a split `x_train` or `x_test`, or they are its only
            array; labels are called `labels` or `y`, likewise.
        split: String, such as `"test"`: the images to read, if the file has several splits.
        shape: Tuple of integers. The shape of one example, where that of the array may mean several things: images,
            `(height, width, channels)`, series, `(steps, channels)`, or numbers, `(dimensions,)`.

    Returns:
        The array of images, uint8 or floats in [-1, 1], and that of labels, whole numbers or names `(n,)`, or `None`.

    Raises:
        ValueError: if it is not such a file.
    """
    images, found, *_ = _read(path, split, shape)
    return images, found


def read(path, split="train", shape=None):
    """The same as `kgan.data.Data`, whose labels are class numbers.

    Args, Raises: as `file`.
    """
    images, found, fitted, unlabelled, others = _read(path, split, shape)
    numbers, classes = (None, ()) if found is None else labels.numbered(found, others)
    return Data(images, numbers, fitted=fitted, classes=classes, unlabelled=unlabelled)


def _read(path, split, shape):
    """Images; labels, or `None`; two phrases, as in `Data`: how images were scaled, and why labels are not classes; and
    the labels of other splits.
    """
    path = pathlib.Path(path)
    arrays, objects = arrays_in(path)
    images, name = _choose(arrays, split, path)
    given, unlabelled = labels.one_each(arrays.get(name))
    if name in objects:
        unlabelled = f"{name} holds objects of Python; {name}.astype(str) are names that can be read"
    images = examples(images, path, shape and tuple(shape), None if given is None else len(given))
    try:
        images, fitted = brightness.shown(images) if images.ndim == 4 else (_numbers(images), "")
    except ValueError as error:
        raise ValueError(f"{path} {error}") from None
    if given is not None and len(given) != len(images):
        raise ValueError(f"{path} holds {len(images):,} images, but {len(given):,} labels.")
    of_splits = [one for one in sorted(arrays) if name and one.partition("_")[0] == name.partition("_")[0]]
    others = [labels.one_each(arrays[one])[0] for one in of_splits]
    return images, given, fitted, unlabelled, [one for one in others if one is not None]


def arrays_in(path):
    """The arrays in a file, by name; and the names of those that hold objects of Python, which are not read."""
    wrong = f"{path} is neither an .npy or .npz file of numbers nor a folder of pictures"
    if not path.is_file():
        raise ValueError(wrong)
    arrays, objects = {}, []
    try:
        with path.open("rb") as opened:
            if not opened.read(6).startswith((b"\x93NUMPY", b"PK")):
                raise ValueError(wrong)
            opened.seek(0)
            content = np.load(opened, allow_pickle=False)
            if not isinstance(content, np.lib.npyio.NpzFile):
                return {"images": content}, []
            for name in content.files:
                try:
                    arrays[name] = content[name]
                except ValueError as error:
                    if "allow_pickle" not in str(error):
                        raise
                    objects.append(name)
            if objects and not arrays:
                raise ValueError("its arrays hold objects of Python")
    except (ValueError, EOFError, OSError, MemoryError, zipfile.BadZipFile) as error:
        raise ValueError(wrong if str(error) == wrong else f"{wrong}: {str(error).splitlines()[0]}") from None
    return {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}, objects


def _choose(arrays, split, path):
    """The images, and the name of their labels."""
    for end in (f"_{split}", "") if split == "train" else (f"_{split}",):
        for images, name in _PAIRS:
            if images + end in arrays:
                return arrays[images + end], name + end
    if split == "train" and len(arrays) == 1:
        return next(iter(arrays.values())), None
    wanted = "x_train, or images" if split == "train" else f"x_{split}"
    raise ValueError(f"{path} has no array called {wanted}. It has: {', '.join(sorted(arrays)) or 'none'}.")


def _numbers(examples):
    """Points and series: any finite floats."""
    if examples.dtype.kind not in "biuf":
        raise ValueError(f"must hold numbers. Received: {examples.dtype}")
    if examples.dtype.kind == "f" and not np.isfinite(examples).all():
        raise ValueError("holds NaN or infinity.")
    return examples.astype("float32")
