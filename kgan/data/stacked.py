"""Stacked MNIST: a thousand modes that can be counted."""

from typing import Literal

import numpy as np

from kgan.data.array_file import file
from kgan.data.downloads import mnist


def stacked_mnist(samples: int = 128_000, split: Literal["train", "test"] = "train", path: str | None = None):
    """Three MNIST digits, drawn at random, as the red, green and blue of one image (Che et al., arXiv:1612.02136).

    PacGAN also uses 128,000 of them (Lin et al., arXiv:1712.04086). They take 300 MB.

    Args:
        samples: Integer. The number of images, which are the same in each call.
        split: `"train"` or `"test"`: the digits to draw from.
        path: Path of an `.npz` file of grey digits and their labels, such as Keras' `mnist.npz`; without it, MNIST is
            downloaded.

    Returns:
        A uint8 array `(samples, 28, 28, 3)`, and the number that the three digits form, integers 0 to 999, `(samples,)`.

    Raises:
        ValueError: if `samples` is not above 0 and below 1e9, or the file is not a file of grey digits and labels.
        ConnectionError: if MNIST must be downloaded and the download fails.
    """
    if not 0 < samples < 1e9:
        raise ValueError(f"`samples` of stacked_mnist must be above 0 and below 1e9. Received: {samples!r}")
    digits, labels = mnist(split) if path is None else file(path, split)
    if digits.ndim != 4 or digits.shape[3] != 1:
        raise ValueError(f"{path} must hold grey digits, (n, height, width), to stack. Received: shape {digits.shape}")
    if labels is None or not np.isin(labels, range(10)).all():
        found = "no labels" if labels is None else f"{labels.min()} to {labels.max()}"
        raise ValueError(f"{path} must hold the digits' labels too, whole numbers from 0 to 9. Received: {found}")
    drawn = np.random.default_rng(0).integers(len(digits), size=(samples, 3))
    images = np.stack([digits[one, :, :, 0] for one in drawn.T], axis=-1)
    return images, labels[drawn].astype("int64") @ [100, 10, 1]
