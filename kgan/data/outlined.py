"""Outlined digits, and the filled ones that none of them is made from: two domains whose true pairs are known."""

from typing import Literal

from scipy import ndimage

from kgan.data.array_file import file
from kgan.data.downloads import mnist


def outlines(images):
    """What a dilation by 3 x 3 pixels adds to images, uint8 `(n, height, width, channels)`.

    Example:

    >>> dot = np.zeros((1, 5, 5, 1), "uint8")
    >>> dot[0, 2, 2] = 255
    >>> outlines(dot)[0, ..., 0].tolist()[2]
    [0, 255, 0, 255, 0]
    """
    return ndimage.maximum_filter(images, (1, 3, 3, 1), mode="constant") - images


def outlined_digits(outlined: bool = True, split: Literal["train", "test"] = "train", path: str | None = None):
    """MNIST's digits, outlined or filled.

    Of the training digits the second half is there outlined and the first half filled, so that no image of one of these two
    domains is made from one of the other. The test digits are all there in both: these are true pairs, which translations
    can be compared with.

    Args:
        outlined: Boolean. Whether the digits are outlined.
        split: `"train"` or `"test"`.
        path: Path of an `.npz` file of grey digits and their labels, such as Keras' `mnist.npz`; without it, MNIST is
            downloaded.

    Returns:
        A uint8 array `(n, 28, 28, 1)`, and the digits' labels `(n,)`.

    Raises:
        ValueError: if the file is not a file of grey digits.
        ConnectionError: if MNIST must be downloaded and the download fails.
    """
    digits, labels = mnist(split) if path is None else file(path, split)
    if digits.ndim != 4 or digits.shape[3] != 1:
        raise ValueError(
            f"{path} must hold grey digits, (n, height, width), to outline. Received: shape {digits.shape}"
        )
    half = slice(None)
    if split != "test":
        half = slice(len(digits) // 2, None) if outlined else slice(len(digits) // 2)
    labels = labels if labels is None else labels[half]
    return outlines(digits[half]) if outlined else digits[half], labels
