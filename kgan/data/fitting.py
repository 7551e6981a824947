"""Converts a picture of any size and mode to an array of a given size and number of channels."""

import numpy as np
from PIL import Image, ImageOps

from kgan.arguments import integer
from kgan.data import depth

ORIENTATION = 0x0112  # the tag in Exif
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def fit(picture, size, channels, ranges=None, nearest=False):
    """Crop a picture to the middle, resize it and convert it.

    The crop has the proportions of `size` and is as large as possible; it is resized with a Lanczos filter. Transparent
    parts become white. Deeper pictures are converted to 8 bits; of an animation the first frame is used.

    Args:
        picture: `PIL.Image.Image`.
        size: Pair `(height, width)`.
        channels: 1, grey by ITU-R 601 luma, or 3, red, green, blue.
        ranges: What becomes black and white in pictures of more than 8 bits, as `kgan.data.depth.ranges` returns it; by
            default what it returns for this picture.
        nearest: Whether each pixel is the nearest one of the picture, instead of the filter: then no new colours come up.

    Returns:
        A uint8 array `(height, width, channels)`.
    """
    return resized(upright(picture, ranges), size, channels, nearest)


def upright(picture, ranges=None):
    """A picture of 8 bits for each channel, turned as its Exif data say, with its opacity; `ranges` is as in `fit`."""
    if depth.is_deep(picture):
        found = depth.values(picture)
        shown = depth.shown(picture, found, ranges or depth.ranges([depth.extremes(found)]))
    else:
        picture.load()
        shown = picture
    turn = TURNS.get(orientation(picture))
    return shown if turn is None else shown.transpose(turn)


def resized(picture, size, channels, nearest=False):
    """The second part of `fit`, for a picture that `upright` returned, or a part of one."""
    height, width = size
    picture = on_white(picture).convert("L" if channels == 1 else "RGB")
    if picture.size != (width, height):
        picture = ImageOps.fit(
            picture, (width, height), Image.Resampling.NEAREST if nearest else Image.Resampling.LANCZOS
        )
    return np.asarray(picture, "uint8").reshape(height, width, channels)


def on_white(picture):
    """A picture whose transparent parts are white."""
    if not picture.has_transparency_data:
        return picture
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)


def orientation(picture):
    """How a loaded picture is still to be turned, a key of `TURNS`, or 1. Pillow turns a TIFF itself when it is loaded."""
    try:
        found = picture.getexif().get(ORIENTATION, 1)
    except Exception:  # each part of the Exif data may be broken in its own way; the pixels are not
        return 1
    return found if found in TURNS else 1


def height_and_width(size):
    """A size as `(height, width)`: an integer means a square, `None` is returned as it is.

    Raises:
        ValueError: if it is neither, or below 1.
    """
    if size is None:
        return None
    sides = tuple(size) if isinstance(size, list | tuple | np.ndarray) else (size, size)
    if len(sides) != 2:
        raise ValueError(f"`size` must be an integer or a pair, (height, width). Received: {size!r}")
    height, width = (integer("size", side, at_least=1) for side in sides)
    return height, width


def channels_of(channels):
    """The number of channels, if it is 1, 3 or `None`.

    Raises:
        ValueError: if it is another one.
    """
    if channels not in (None, 1, 3):
        raise ValueError(f"`channels` must be 1, grey, or 3, colour. Received: {channels!r}")
    return channels


def is_grey(mode):
    """Whether a PIL mode has no colour."""
    return mode in ("1", "L", "LA", "La", "F") or mode.startswith("I")


def fit_all(images, size, channels, nearest=False):
    """`fit` for a uint8 array `(n, height, width, channels)`, unless it has this size and these channels already."""
    if images.shape[1:] == (*size, channels):
        return images
    fitted = np.empty((len(images), *size, channels), "uint8")
    for index, image in enumerate(images):
        mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[image.shape[-1]]
        picture = Image.frombytes(mode, image.shape[1::-1], np.ascontiguousarray(image).tobytes())
        fitted[index] = fit(picture, size, channels, nearest=nearest)
    return fitted


def brought_to(images, size, channels, nearest=False):
    """An array of images in this size and with these channels, where they are not `None`.

    Raises:
        ValueError: if they are not images of uint8.
    """
    if size is None and channels is None:
        return images
    if images.ndim != 4 or images.dtype != np.uint8:
        raise ValueError("`size` and `channels` are for pictures of uint8 pixels.")
    return fit_all(images, size or images.shape[1:3], channels or images.shape[3], nearest)
