"""Images as pictures: grids, PNG files and animations."""

import math
import pathlib

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from kgan.files import replace_when_written


def pixels(images):
    """Images `(n, height, width, channels)` in [-1, 1] as uint8.

    Raises:
        ValueError: if `images` is not an array of at least one image with 1 or 3 channels.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not len(images):
        raise ValueError(
            "Pictures are made of images (n, height, width, channels) with 1 or 3 channels and n >= 1. "
            f"Received: an array of shape {images.shape}"
        )
    return np.rint(np.clip(np.nan_to_num(images) * 127.5 + 127.5, 0, 255)).astype("uint8")


def grid(images, columns=None, smallest=32):
    """Arrange images in rows, with a thin gap; images smaller than `smallest` are enlarged by an integer factor.

    Args:
        images: Array `(n, height, width, channels)` in [-1, 1], with 1 or 3 channels.
        columns: Integer. Images in a row; by default the grid is as close to a square as possible.
        smallest: Integer. Side in pixels below which images are enlarged.

    Returns:
        A uint8 array `(rows, columns)` or `(rows, columns, 3)` of pixels.

    Raises:
        ValueError: if `images` is not an array of at least one image.
    """
    small = pixels(images)
    factor = min(math.ceil(smallest / min(small.shape[1:3])), 512 // max(small.shape[1:3])) or 1
    large = small.repeat(factor, axis=1).repeat(factor, axis=2)
    count, height, width, channels = large.shape
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / columns)
    gap = 2
    canvas = np.zeros((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), "uint8")
    for index, image in enumerate(large):
        top, left = (gap + (index // columns) * (height + gap), gap + (index % columns) * (width + gap))
        canvas[top : top + height, left : left + width] = image
    return canvas[..., 0] if channels == 1 else canvas


def scatter(points, side=480):
    """Draw points in the plane.

    Args:
        points: Array `(n, 2)`.
        side: Integer. Side of the picture in pixels. The axes go from -limit to limit, with the first of 1.25, 1.5, 2, 3, 4,
            ... that 99 % of the coordinates lie within, so that the scale of an animation seldom changes.

    Returns:
        A uint8 array `(side, side, 3)` of pixels.
    """
    figure = Figure(figsize=(side / 100, side / 100), dpi=100, layout="constrained")
    canvas, axes = FigureCanvasAgg(figure), figure.subplots()
    x, y = np.asarray(points).T
    axes.scatter(x, y, s=4, alpha=0.5, linewidths=0)
    finite = np.abs(points)[np.isfinite(points)]
    reach = float(np.quantile(finite, 0.99)) * 1.1 if finite.size else 1.0
    limit = next((limit for limit in (1.25, 1.5, 2) if limit >= reach), math.ceil(reach))
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def picture(examples, columns=None):
    """Draw examples: a `grid` of images `(n, height, width, channels)`, or a `scatter` plot of points `(n, 2)`."""
    return scatter(examples) if np.ndim(examples) == 2 and np.shape(examples)[1] == 2 else grid(examples, columns)


def save(drawn, path):
    """Write pixels as a picture, completely or not at all; a missing folder is created."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_when_written(path) as temporary:
        Image.fromarray(drawn).save(temporary)


def animate(paths, path, milliseconds=200):
    """Write the pictures at `paths` one after the other as an animated GIF; the last one stays for two seconds."""

    def drawn():
        for frame in paths:
            with Image.open(frame) as opened:
                yield np.asarray(opened)

    film(drawn(), path, [milliseconds] * (len(paths) - 1) + [2000])


def film(frames, path, milliseconds=80):
    """Write arrays of pixels as an animated GIF that repeats.

    Args:
        frames: Iterable of arrays, each of which is drawn when its turn comes.
        path: The file.
        milliseconds: Integer, how long each frame stays; or a list of one for each.
    """
    images = map(Image.fromarray, frames)
    images = (image.convert("P") if image.mode == "L" else image for image in images)
    path = pathlib.Path(path)
    with replace_when_written(path) as temporary, temporary.open("wb") as file:  # a frame may fail: then this closes it
        next(images).save(file, "GIF", save_all=True, append_images=images, duration=milliseconds, loop=0)


def save_curves(curves, path, title="", across="step"):
    """Draw curves in separate plots below each other, each with its interval as a band.

    Args:
        curves: Dict from a name to four arrays: the horizontal position, the value, and the ends of its interval.
        path: The picture to write, `.png` or `.svg`.
        title: String.
        across: String. Label of the horizontal axis.
    """
    figure = Figure(figsize=(8, 1 + 2.2 * len(curves)), layout="constrained")
    rows = figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, (where, value, low, high)) in zip(rows, curves.items(), strict=True):
        axes.fill_between(where, low, high, alpha=0.25, linewidth=0)
        axes.plot(where, value, marker=".")
        axes.set(ylabel=name)
        axes.grid(alpha=0.3)
    rows[-1].set_xlabel(across)
    figure.suptitle(title, fontsize="small")
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_when_written(path) as temporary:
        figure.savefig(temporary, dpi=100)
