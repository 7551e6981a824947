"""Filled digits and outlined ones: two domains without pairs, whose true pairs are known."""

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


def outlined_digits(split: Literal["train", "test"] = "train", path: str | None = None):
    """MNIST's digits, filled (a) and outlined (b).

    Of the training digits the first half is filled, and the second half outlined, so that no image of one domain is made
    from one of the other. The test digits are all there in both domains, in the same order: these are true pairs, which
    scores can be measured with.

    Args:
        split: `"train"` or `"test"`.
        path: Path of an `.npz` file of grey digits, such as Keras' `mnist.npz`; without it, MNIST is downloaded.

    Returns:
        Two uint8 arrays `(n, 28, 28, 1)`.

    Raises:
        ValueError: if the file is not a file of grey digits.
        ConnectionError: if MNIST must be downloaded and the download fails.
    """
    digits, _ = mnist(split) if path is None else file(path, split)
    if digits.ndim != 4 or digits.shape[3] != 1:
        raise ValueError(
            f"{path} must hold grey digits, (n, height, width), to outline. Received: shape {digits.shape}"
        )
    if split == "test":
        return digits, outlines(digits)
    half = len(digits) // 2
    return digits[:half], outlines(digits[half:])
