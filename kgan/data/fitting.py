"""Converts a picture of any size and mode to an array of a given size and number of channels."""

import numpy as np
from PIL import Image, ImageOps


def fit(picture, size, channels):
    """Crop a picture to the middle, resize it and convert it.

    The crop has the proportions of `size` and is as large as possible; it is resized with a Lanczos filter. Transparent
    parts become white. Pictures of 16 and 32 bits are converted to 8 bits; of an animation the first frame is used.

    Args:
        picture: `PIL.Image.Image`.
        size: Pair `(height, width)`.
        channels: 1, grey by ITU-R 601 luma, or 3, red, green, blue.

    Returns:
        A uint8 array `(height, width, channels)`.
    """
    height, width = size
    picture = ImageOps.exif_transpose(_of_8_bits(picture))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("L" if channels == 1 else "RGB")
    if picture.size != (width, height):
        picture = ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)
    return np.asarray(picture, "uint8").reshape(height, width, channels)


def _of_8_bits(picture):
    """Convert deeper pictures: I;16 has 16 bits; I has 16 bits or fewer; F has floats, in [0, 1] or not."""
    if picture.mode.startswith("I"):
        pixels = np.clip(np.asarray(picture, "int64"), 0, 65535)
        deep = picture.mode != "I" or pixels.max() > 255
        return Image.fromarray((pixels >> 8 if deep else pixels).astype("uint8"))
    if picture.mode == "F":
        pixels = np.nan_to_num(np.asarray(picture))
        scale = 255.0 if pixels.max() <= 1.0 else 1.0
        return Image.fromarray(np.clip(np.rint(pixels * scale), 0, 255).astype("uint8"))
    return picture


def height_and_width(size):
    """A size as `(height, width)`: an integer means a square, `None` is returned as it is."""
    return (size, size) if isinstance(size, int) else size and tuple(size)


def is_grey(mode):
    """Whether a PIL mode has no colour."""
    return mode in ("1", "L", "LA", "La", "F") or mode.startswith("I")


def fit_all(images, size, channels):
    """`fit` for a uint8 array `(n, height, width, channels)`, unless it has this size and these channels already."""
    if images.shape[1:] == (*size, channels):
        return images
    fitted = np.empty((len(images), *size, channels), "uint8")
    for index, image in enumerate(images):
        mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[image.shape[-1]]
        picture = Image.frombytes(mode, image.shape[1::-1], np.ascontiguousarray(image).tobytes())
        fitted[index] = fit(picture, size, channels)
    return fitted
