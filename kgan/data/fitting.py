"""One picture of any size and mode as an array of the size and channels that are asked for."""

import numpy as np
from PIL import Image, ImageOps


def fit(picture, size, channels):
    """Crop a picture to the middle, resize it and convert it.

    The part cut out has the proportions of `size` and is as large as it gets; it is resized with a Lanczos filter. What is
    transparent lies on white, as on paper. Pictures of 16 and 32 bits become 8; of an animation the first one is taken.

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
    """Deeper pictures: of 16 bits in I;16, or in I, where smaller numbers may stand too; floats, in [0, 1] or not, in F."""
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
    """A size as `(height, width)`: an integer stands for a square, `None` stays."""
    return (size, size) if isinstance(size, int) else size and tuple(size)


def is_grey(mode):
    """Whether a PIL mode has no colour."""
    return mode in ("1", "L", "LA", "La", "F") or mode.startswith("I")


def fit_all(images, size, channels):
    """`fit` for a uint8 array `(n, height, width, channels)`, where that is not what it is already."""
    if images.shape[1:] == (*size, channels):
        return images
    fitted = np.empty((len(images), *size, channels), "uint8")
    for index, image in enumerate(images):
        fitted[index] = fit(Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image), size, channels)
    return fitted
