"""Images in a file: `.npy`, one array; `.npz`, arrays by name."""

import math
import pathlib
import zipfile

import numpy as np

# names of images and their labels; the first pair that exists is used
_LABELLED = (("x", "y"), ("images", "labels"))
# of pairs of images
_PAIRED = (("a", "b"), ("sources", "targets"), ("x", "y"))


def file(path, split="train", shape=None):
    """Read a file of images.

    Args:
        path: Path of a `.npy` or `.npz` file of uint8 images, or of floats in [-1, 1]: `(n, height, width, channels)`, with
            channels first, `(n, channels, height, width)`, or grey, `(n, height, width)`; or of points, `(n, dimensions)`.
            In an `.npz` file the images are called `images` or `x`, with a split `x_train` or `x_test`, or they are its only
            array; labels are called `labels` or `y`, likewise.
        split: String, such as `"test"`: the images to read, if the file has several splits.
        shape: Tuple of integers. The shape of one example, where that of the array may mean several things: images,
            `(height, width, channels)`, series, `(steps, channels)`, or numbers, `(dimensions,)`.

    Returns:
        The array of images, and that of labels, `(n,)`, or `None`.

    Raises:
        ValueError: if it is not such a file.
    """
    path = pathlib.Path(path)
    images, labels = _choose(_arrays(path), split, path)
    images = _of_valid_type(_examples(images, path, shape and tuple(shape)), path)
    if labels is not None:
        labels = labels.reshape(-1)
        if len(labels) != len(images):
            raise ValueError(f"{path} holds {len(images):,} images, but {len(labels):,} labels.")
    return images, labels


def file_of_pairs(path, split="train"):
    """Read a file of pairs of images.

    Args:
        path: Path of an `.npz` file of two arrays, `(n, height, width, channels)`, or with channels first or grey as in
            `file`. They are called `a` and `b`, `sources` and `targets`, or `x` and `y`; with a split `a_train` and so on.
        split: As in `file`.

    Returns:
        The two arrays, whose sizes and channels may differ, and their names.

    Raises:
        ValueError: if it is not such a file.
    """
    path = pathlib.Path(path)
    arrays = _arrays(path)
    names = _names_of_pairs(arrays, split, path)
    both = [_of_valid_type(_of_pairs(arrays[name], name, path), path) for name in names]
    if len(both[0]) != len(both[1]):
        counts = " and ".join(f"{len(one):,} images {name}" for name, one in zip(names, both, strict=True))
        raise ValueError(f"{path} must hold pairs of images. Received: {counts}")
    return both, [name.removesuffix(f"_{split}") for name in names]


def _names_of_pairs(arrays, split, path):
    for end in (f"_{split}", "") if split == "train" else (f"_{split}",):
        for names in _PAIRED:
            if all(name + end in arrays for name in names):
                return [name + end for name in names]
    end = "" if split == "train" else f"_{split}"
    wanted = ", ".join(f"{first}{end} and {second}{end}" for first, second in _PAIRED)
    raise ValueError(
        f"{path} must hold pairs of images, two arrays called {wanted}. It has: {', '.join(sorted(arrays)) or 'none'}."
    )


def _of_pairs(images, name, path):
    """An array of images with a last axis of channels; in a file of pairs there is nothing else that it may be."""
    if not images.size or images.ndim not in (3, 4):
        raise ValueError(
            f"{path} must hold pairs of images, (n, height, width, channels) or (n, height, width). "
            f"Received: {name} of shape {images.shape}"
        )
    if images.ndim == 3:
        return images[..., None]
    first = images.shape[3] > 4 and images.shape[1] in (1, 3)
    return np.ascontiguousarray(np.moveaxis(images, 1, -1)) if first else images


def _arrays(path):
    """The arrays of a file, by name; that of an `.npy` file is called `images`."""
    wrong = f"{path} is neither an .npy or .npz file of numbers nor a folder of pictures"
    if not path.is_file():
        raise ValueError(wrong)
    try:
        with path.open("rb") as opened:
            if not opened.read(6).startswith((b"\x93NUMPY", b"PK")):
                raise ValueError(wrong)
            opened.seek(0)
            content = np.load(opened, allow_pickle=False)
            arrays = dict(content) if isinstance(content, np.lib.npyio.NpzFile) else {"images": content}
    except (ValueError, EOFError, OSError, MemoryError, zipfile.BadZipFile) as error:
        raise ValueError(wrong if str(error) == wrong else f"{wrong}: {str(error).splitlines()[0]}") from None
    return {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}


def _choose(arrays, split, path):
    for end in (f"_{split}", "") if split == "train" else (f"_{split}",):
        for images, labels in _LABELLED:
            if images + end in arrays:
                return arrays[images + end], arrays.get(labels + end)
    if split == "train" and len(arrays) == 1:
        return next(iter(arrays.values())), None
    wanted = "x_train, or images" if split == "train" else f"x_{split}"
    raise ValueError(f"{path} has no array called {wanted}. It has: {', '.join(sorted(arrays)) or 'none'}.")


def _examples(images, path, shape):
    """The array with an axis of examples and, for images, a last axis of channels, as `shape` or the array's shape says.

    Raises:
        ValueError: if its shape may mean several things, or does not hold examples of that shape.
    """
    there = images.shape
    if not images.size:
        raise ValueError(f"{path} must hold images, and holds none: its array has the shape {there}")
    if shape is not None:
        if there != shape and math.prod(there[1:]) != math.prod(shape):
            raise ValueError(f"{path} does not hold examples of shape {shape}. Received: an array of shape {there}")
        images = images.reshape(-1, *shape)
        return images.astype("float32") if len(shape) < 3 and images.dtype.kind in "biu" else images
    if images.ndim == 2:
        if images.dtype.kind == "f":
            return images
        raise ValueError(
            f"{path} holds a table of whole numbers, {there}, which may be numbers, flattened images or one image. Give the "
            f"shape of one example: `shape` [{there[1]}] for numbers, [height, width, channels] for flattened images, or "
            f"{_list([*there, 1])} for one image"
        )
    if images.ndim == 3:
        small, large = sorted(there[1:])
        channels_last, channels_first = there[2] <= 4 and large > small, there[0] in (3, 4) and small > 32
        if channels_last or channels_first or large > 8 * small:
            raise ValueError(
                f"{path} holds an array of shape {there}, which may be {there[0]:,} grey images, {there[0]:,} series or one "
                f"colour image. Give the shape of one example: `shape` {_list([*there[1:], 1])} for grey images, "
                f"{_list(there[1:])} for series, or {_list(there)} for one image"
            )
        return images[..., None]
    if images.ndim == 4:
        if there[3] > 4 and there[1] in (1, 3):
            return np.ascontiguousarray(np.moveaxis(images, 1, -1))
        if there[3] <= 4:
            return images
        raise ValueError(
            f"{path} must hold images of 1 or 3 channels, the last axis. Received: shape {there}. For images of more "
            f"channels, give the shape of one: `shape` {_list(there[1:])}"
        )
    raise ValueError(
        f"{path} must hold images, (n, height, width, channels) or (n, height, width), or points, (n, dimensions). "
        f"Received: shape {there}"
    )


def _list(sizes):
    return f"[{', '.join(map(str, sizes))}]"


def _of_valid_type(images, path):
    """uint8, or float32 in [-1, 1]; points are any floats."""
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "biuf":
        raise ValueError(f"{path} must hold uint8, or floats in [-1, 1]. Received: {images.dtype}")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise ValueError(f"{path} holds NaN or infinity.")
    low, high = float(images.min()), float(images.max())
    if images.dtype.kind != "f":
        if images.dtype.kind == "b":
            return images.astype("uint8") * np.uint8(255)
        if low < 0 or high > 255:
            raise ValueError(f"{path} must hold whole numbers in [0, 255]. Received: {low:g} to {high:g}")
        return images.astype("uint8")
    if images.ndim == 4 and not (-1.001 <= low < 0 and high <= 1.001):
        raise ValueError(
            f"{path} must hold uint8, or floats in [-1, 1]. Received: floats from {low:g} to {high:g}. "
            "Pixels in [0, 1] become uint8 by np.rint(255 * x).astype('uint8')."
        )
    return images.astype("float32")
