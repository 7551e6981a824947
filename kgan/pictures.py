"""Images as pictures: grids, PNG files and animations."""

import math
import pathlib

import numpy as np
from PIL import Image

from kgan.saving import replace_when_written


def grid(images, columns=None, smallest=32):
    """Lay images out in rows, with a thin gap; images of less than `smallest` pixels are enlarged by a whole factor.

    Args:
        images: Array `(n, height, width, channels)` in [-1, 1], with 1 or 3 channels.
        columns: Integer. Images in a row; as near to a square as it gets by default.
        smallest: Integer. Side in pixels below which images are enlarged.

    Returns:
        A uint8 array `(rows, columns)` or `(rows, columns, 3)` of pixels.

    Raises:
        ValueError: if these are no images, or there are none.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not len(images):
        raise ValueError(
            "A grid is made of images (n, height, width, channels) with 1 or 3 channels and n >= 1. "
            f"Received: an array of shape {images.shape}"
        )
    pixels = np.clip(np.rint(images * 127.5 + 127.5), 0, 255).astype("uint8")
    factor = max(1, math.ceil(smallest / min(images.shape[1:3])))
    pixels = pixels.repeat(factor, axis=1).repeat(factor, axis=2)
    count, height, width, channels = pixels.shape
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / columns)
    gap = 2
    canvas = np.zeros((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), "uint8")
    for index, image in enumerate(pixels):
        top, left = (gap + (index // columns) * (height + gap), gap + (index % columns) * (width + gap))
        canvas[top : top + height, left : left + width] = image
    return canvas[..., 0] if channels == 1 else canvas


def save(pixels, path):
    """Write pixels as a picture, whole or not at all; the folder is made where it is missing."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_when_written(path) as temporary:
        Image.fromarray(pixels).save(temporary)


def animate(paths, path, milliseconds=200):
    """Write the pictures at `paths` one after the other as an animated GIF; the last one stays for two seconds."""
    frames = []
    for frame in paths:
        with Image.open(frame) as picture:
            frames.append(picture.convert("P" if picture.mode == "L" else "RGB"))
    durations = [milliseconds] * (len(frames) - 1) + [2000]
    with replace_when_written(path) as temporary:
        frames[0].save(temporary, save_all=True, append_images=frames[1:], duration=durations, loop=0)
