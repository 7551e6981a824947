"""Pairs of images in a file of arrays."""

import pathlib

import numpy as np

from kgan.conditions import PAIRS
from kgan.data import brightness
from kgan.data.array_file import arrays_in


def read_pairs(path, split="train", alone=False):
    """Read a file of pairs of images.

    Args:
        path: Path of an `.npz` file of two arrays, `(n, height, width, channels)`, or with channels first or grey as in
            `kgan.data.file`. They are called `a` and `b`, `sources` and `targets`, `given` and `real`, or `x` and `y`; with
            a split `a_train` and so on.
        split: As in `kgan.data.file`.
        alone: Whether they are no pairs, but images of two domains, of which there may be other numbers.

    Returns:
        The two arrays, whose sizes and channels may differ; their names; and in words, how each was scaled.

    Raises:
        ValueError: if it is not such a file.
    """
    path = pathlib.Path(path)
    arrays, _ = arrays_in(path)
    names = _names(arrays, split, path)
    both, fitted = [], []
    for name in names:
        try:
            images, said = brightness.shown(_images(arrays[name], name, path))
        except ValueError as error:
            raise ValueError(str(error) if str(path) in str(error) else f"{path} {error}") from None
        both.append(images)
        fitted.append(said)
    if len(both[0]) != len(both[1]) and not alone:
        counts = " and ".join(f"{len(one):,} images {name}" for name, one in zip(names, both, strict=True))
        raise ValueError(f"{path} must hold pairs of images. Received: {counts}")
    return both, [name.removesuffix(f"_{split}") for name in names], fitted


def _names(arrays, split, path):
    for end in (f"_{split}", "") if split == "train" else (f"_{split}",):
        for names in PAIRS:
            if all(name + end in arrays for name in names):
                return [name + end for name in names]
    end = "" if split == "train" else f"_{split}"
    wanted = ", ".join(f"{first}{end} and {second}{end}" for first, second in PAIRS)
    raise ValueError(
        f"{path} must hold pairs of images, two arrays called {wanted}. It has: {', '.join(sorted(arrays)) or 'none'}."
    )


def _images(images, name, path):
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
