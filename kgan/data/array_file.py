"""Images in a file: `.npy`, one array; `.npz`, arrays by name."""

import pathlib
import zipfile

import numpy as np

from kgan.data.array_shape import examples

# names of images and their labels; the first pair that exists is used
_PAIRS = (("x", "y"), ("images", "labels"))


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
    arrays = {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}
    images, labels = _choose(arrays, split, path)
    count = None if labels is None else len(labels.reshape(-1))
    images = _of_valid_type(examples(images, path, shape and tuple(shape), count), path)
    if labels is not None:
        labels = labels.reshape(-1)
        if len(labels) != len(images):
            raise ValueError(f"{path} holds {len(images):,} images, but {len(labels):,} labels.")
    return images, labels


def _choose(arrays, split, path):
    for end in (f"_{split}", "") if split == "train" else (f"_{split}",):
        for images, labels in _PAIRS:
            if images + end in arrays:
                return arrays[images + end], arrays.get(labels + end)
    if split == "train" and len(arrays) == 1:
        return next(iter(arrays.values())), None
    wanted = "x_train, or images" if split == "train" else f"x_{split}"
    raise ValueError(f"{path} has no array called {wanted}. It has: {', '.join(sorted(arrays)) or 'none'}.")


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
