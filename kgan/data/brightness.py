"""Arrays of images of any type: which of their values are black and white."""

import numpy as np

from kgan.data import depth
from kgan.files import warn_once

BINARY = "The whole numbers in the images are 0 and 1: they become black and white, as False and True do."
DARK = (
    "The whole numbers in the images are 0 and 1, and white would be 255: all of them are nearly black. "
    "x.astype(bool) makes them black and white."
)
_AT_ONCE = 2**24  # values that are scaled together


def is_binary(images):
    """Whether the largest of all whole numbers in an array is 1, as in a mask: pixels in [0, 255] would be nearly black."""
    if images.dtype.kind not in "iu" or not images.size:
        return False
    high = 0
    for part in (images[:1], *_parts(images)):  # in most arrays the first image ends it
        high = max(high, int(part.max()))
        if high > 1 or part.dtype.kind == "i" and part.min() < 0:
            return False
    return high == 1


def warn_if_dark(images):
    """Warn, once in a process, if a batch of a source whose other batches are not known is that of a mask."""
    images = np.asarray(images) if getattr(images, "is_cpu", False) else images  # a tensor of PyTorch
    if isinstance(images, np.ndarray) and images.ndim > 1 and is_binary(images):
        warn_once(DARK)


def as_white(images):
    """The array, or one of 0 and 255 if `is_binary`; then a line says so, once in a process."""
    if images.ndim < (2 if images.dtype == np.uint8 else 3) or not is_binary(images):  # other tables may hold numbers
        return images
    warn_once(BINARY)
    return images.astype("uint8") * np.uint8(255)


def shown(images):
    """Images as uint8, or as float32 in [-1, 1]; and in words, which values became black and white, empty if that is plain.

    True is white. So is 1, if it is the largest of all whole numbers. Other whole numbers outside of [0, 255], and floats in
    [0, 1] or [0, 255], are scaled to 8 bits by the rule for pictures of more than 8 bits (`kgan.data.depth.ranges`).

    Raises:
        ValueError: if they are neither whole numbers nor finite floats in a known range.
    """
    kind = images.dtype.kind
    if kind == "b":
        return images.astype("uint8") * np.uint8(255), ""
    if is_binary(images):
        return images.astype("uint8") * np.uint8(255), "0 is black, 1 is white"
    if images.dtype == np.uint8:
        return images, ""
    if kind not in "iuf":
        raise ValueError(f"must hold uint8, or floats in [-1, 1]. Received: {images.dtype}")
    low, high = images.min().item(), images.max().item()
    if kind == "f":
        if not np.isfinite([low, high]).all():
            raise ValueError("holds NaN or infinity.")
        if -1 - depth.ROUNDING <= low < 0 and high <= 1 + depth.ROUNDING:
            return images.astype("float32"), ""
        known = [pair for pair in ((0, 1), (0, 255)) if depth.holds(pair, low, high)]
        if not known:
            raise ValueError(
                f"must hold uint8, or floats in [-1, 1], [0, 1] or [0, 255]. Received: floats from {low:g} to {high:g}. "
                "2 * (x - x.min()) / (x.max() - x.min()) - 1 scales them to [-1, 1]."
            )
        chosen = {depth.FLOATS: known[0]}
    elif low >= 0 and high <= 255:
        return images.astype("uint8"), ""
    else:
        chosen = depth.ranges([(depth.INTEGERS, low, high)])
        if images.dtype == np.int8:
            chosen = {depth.INTEGERS: (-128, 127)}
    black, white = next(iter(chosen.values()))
    scaled = np.empty(images.shape, "uint8")
    for part, target in zip(_parts(images), _parts(scaled), strict=True):
        target[:] = depth.scaled(part.astype("float64"), black, white)
    [said] = depth.said(chosen)
    return scaled, said.replace(depth.INTEGERS, "whole numbers")


def advice(low, high):
    """How to scale whole numbers that lie outside of [0, 255], in words."""
    [(black, white)] = depth.ranges([(depth.INTEGERS, low, high)]).values()
    x = f"(x - {black:g})" if black > 0 else f"(x + {-black:g})" if black else "x"
    return f"np.rint({x} * (255 / {white - black:g})).astype('uint8') scales them."


def _parts(images):
    """Views of some images each."""
    each = max(1, _AT_ONCE // max(1, images[0].size))
    return [images[begin : begin + each] for begin in range(0, len(images), each)]
