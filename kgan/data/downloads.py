"""The classic data sets that Keras downloads, with an error that says what to do without a network."""

import os
import pathlib
from typing import Literal

import keras

from kgan.files import checksum

# files that Keras would delete before the download, if their sha256 differs from the one it knows
_CHECKED = {
    "mnist": ("mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"),
    "cifar10": (
        "cifar-10-batches-py-target_archive",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
}


def mnist(split: Literal["train", "test"] = "train"):
    """MNIST: handwritten digits (LeCun et al., 1998), 60,000 to train with and 10,000 to test.

    Args:
        split: `"train"` or `"test"`.

    Returns:
        A uint8 array `(n, 28, 28, 1)`, and the digits, `(n,)`.

    Raises:
        ConnectionError: if it must be downloaded and the download fails.
    """
    return _of_keras("mnist", split)


def fashion_mnist(split: Literal["train", "test"] = "train"):
    """Fashion-MNIST: ten kinds of clothing (Xiao et al., arXiv:1708.07747), 60,000 to train with and 10,000 to test.

    Args:
        split: `"train"` or `"test"`.

    Returns:
        A uint8 array `(n, 28, 28, 1)`, and the kinds, `(n,)`.

    Raises:
        ConnectionError: if it must be downloaded and the download fails.
    """
    return _of_keras("fashion_mnist", split)


def cifar10(split: Literal["train", "test"] = "train"):
    """CIFAR-10: ten kinds of things in colour (Krizhevsky, 2009), 50,000 to train with and 10,000 to test.

    Args:
        split: `"train"` or `"test"`.

    Returns:
        A uint8 array `(n, 32, 32, 3)`, and the kinds, `(n,)`.

    Raises:
        ConnectionError: if it must be downloaded and the download fails.
    """
    return _of_keras("cifar10", split)


def _of_keras(name, split):
    if split not in ("train", "test"):
        raise ValueError(f"`split` of {name} must be 'train' or 'test'. Received: {split!r}")
    folder = pathlib.Path(os.environ.get("KERAS_HOME") or pathlib.Path.home() / ".keras") / "datasets"
    file, wanted = _CHECKED.get(name, (None, None))
    if file and (folder / file).is_file():
        _check(folder / file, wanted)
    try:
        both = getattr(keras.datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise ConnectionError(
            f"{name} is not in {folder}, and downloading it failed ({' '.join(str(error).split())}). Without a network, "
            "name a file or a folder that has it, --set data.path=FILE.npz, or train on what is here: kgan train digits"
        ) from None
    images, labels = both[0 if split == "train" else 1]
    return images.reshape(*images.shape[:3], -1), labels.reshape(-1)


def _check(path, wanted):
    """Raise ValueError for a file that Keras would delete."""
    if checksum(path)["sha256"] != wanted:
        raise ValueError(
            f"{path} is not the file that Keras knows under this name (its sha256 differs), and Keras would delete it. "
            f"To train with it as it is: --set data.path={path}"
        )
