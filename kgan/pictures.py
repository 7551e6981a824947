"""Images as pictures: grids, PNG files and animations."""

import math
import pathlib

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from kgan.files import replace_when_written

LUMA = np.array([0.299, 0.587, 0.114])  # of red, green and blue in grey, ITU-R 601
MOST_PIXELS, LONGEST = 80_000_000, 16_384  # of a grid: Pillow warns of larger pictures, a GIF has no longer sides


def check_drawable(shape, points=True):
    """Raise ValueError unless examples of that shape, without the batch, can be drawn.

    Images with 1 channel are grey, with 3 red, green and blue, with 4 also the opacity; points of 2 numbers are drawn in
    the plane, if `points` is true.
    """
    if len(shape) == 3 and shape[-1] in (1, 3, 4) or points and tuple(shape) == (2,):
        return
    raise ValueError(
        "Only images (height, width, channels) with 1, 3 or 4 channels"
        f"{' and points of 2 numbers' if points else ''} can be drawn. "
        f"Received: examples of shape ({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    )


def pixels(images):
    """Images `(n, height, width, channels)` in [-1, 1] as uint8; a fourth channel goes from -1, transparent, to 1, opaque.

    Raises:
        ValueError: if `images` is not an array of at least one image with 1, 3 or 4 channels.
    """
    images = np.asarray(images)
    if not len(images):
        raise ValueError(f"A picture needs at least one image. Received: an array of shape {images.shape}")
    check_drawable(images.shape[1:], points=False)
    return levels(images)


def levels(images):
    """Floats in [-1, 1] as the 256 levels of a picture, uint8, whatever their channels are."""
    return np.rint(np.clip(np.nan_to_num(images) * 127.5 + 127.5, 0, 255)).astype("uint8")


def floats(images):
    """The levels of a picture, uint8, as floats in [-1, 1]; floats as they are."""
    return images / np.float32(127.5) - np.float32(1) if images.dtype == np.uint8 else images


def standard(examples, image_range):
    """Images of a generator's own range, (-1, 1) or (0, 1), in [-1, 1]; examples that are not images are not changed."""
    return 2 * examples - 1 if image_range[0] == 0 and np.ndim(examples) == 4 else examples


def grid(images, columns=None, smallest=32):
    """Arrange images in rows, with a thin gap; images smaller than `smallest` are enlarged by an integer factor.

    Images are made smaller where the grid would have more than 80 million pixels or a side of more than 16,384.

    Args:
        images: Array `(n, height, width, channels)` in [-1, 1], with 1, 3 or 4 channels. Transparent parts become white.
        columns: Integer. Images in a row; by default the grid is as close to a square as possible.
        smallest: Integer. Side in pixels below which images are enlarged.

    Returns:
        A uint8 array `(rows, columns)` or `(rows, columns, 3)` of pixels.

    Raises:
        ValueError: if `images` is not an array of at least one image.
    """
    images = np.asarray(images)
    return grid_of([images], len(images), images.shape[1:], columns, smallest)


def grid_of(parts, count, shape, columns=None, smallest=32, most=None):
    """The `grid` of images that come in parts, so that they need not be in memory at once.

    Args:
        parts: Iterable of arrays as in `grid`.
        count: Integer. The number of images in all parts.
        shape: Tuple, the shape of one image.
        columns, smallest: As in `grid`.
        most: Integer. The number of pixels above which images are made smaller; 80 million by default.

    Returns, Raises: as `grid`.
    """
    if not count:
        raise ValueError(f"A picture needs at least one image. Received: an array of shape {(0, *shape)}")
    check_drawable(shape, points=False)
    height, width, channels = shape
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / columns)

    def excess(factor):
        tall, wide = rows * height * factor, columns * width * factor
        return max(math.sqrt(tall * wide / (most or MOST_PIXELS)), tall / LONGEST, wide / LONGEST)

    factor = min(math.ceil(smallest / min(height, width)), 512 // max(height, width)) or 1
    while factor > 1 and excess(factor) > 1:
        factor -= 1
    shrink = max(1.0, excess(factor))
    height, width = (max(1, int(side * factor / shrink)) for side in (height, width))
    gap, index = 2, 0
    channels = 1 if channels == 1 else 3
    canvas = np.zeros((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), "uint8")
    for part in parts:
        small = _on_white(pixels(part))
        sized = _smaller(small, height, width) if shrink > 1 else small.repeat(factor, axis=1).repeat(factor, axis=2)
        for image in sized:
            top, left = (gap + (index // columns) * (height + gap), gap + (index % columns) * (width + gap))
            canvas[top : top + height, left : left + width] = image
            index += 1
    return canvas[..., 0] if channels == 1 else canvas


def _on_white(images):
    """uint8 images without their opacity, if they have one."""
    if images.shape[-1] != 4:
        return images
    opacity = images[..., 3:] / np.float32(255)
    return np.rint(images[..., :3] * opacity + 255 * (1 - opacity)).astype("uint8")


def _smaller(images, height, width):
    size = (width, height)
    squeezed = images[..., 0] if images.shape[-1] == 1 else images
    made = [np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX)) for image in squeezed]
    return np.stack(made).reshape(len(images), height, width, images.shape[-1])


def in_one_form(*several):
    """Arrays of images, uint8 or floats in [-1, 1], with the size and the channels of the largest of them, as floats.

    Smaller images are enlarged without interpolation, and grey ones become colours.
    """
    height, width, channels = np.max([one.shape[1:] for one in several], axis=0)
    return [_enlarged(floats(one), height, width, channels) for one in several]


def _enlarged(images, height, width, channels):
    rows, columns = (
        np.arange(side) * small // side for side, small in zip((height, width), images.shape[1:3], strict=True)
    )
    images = images[:, rows][:, :, columns]
    return images.repeat(channels, axis=-1) if images.shape[-1] == 1 else images


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
    """Draw examples: a `grid` of images `(n, height, width, channels)`, or a `scatter` plot of points `(n, 2)`.

    Raises:
        ValueError: if they cannot be drawn (`check_drawable`).
    """
    check_drawable(np.shape(examples)[1:])
    return scatter(examples) if np.ndim(examples) == 2 else grid(examples, columns)


def save(drawn, path):
    """Write pixels as a picture, completely or not at all; a missing folder is created."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_when_written(path) as temporary:
        Image.fromarray(drawn).save(temporary)


def animate(paths, path):
    """Write the pictures at `paths` one after the other as an animated GIF; the last one stays for two seconds."""

    def drawn():
        for frame in paths:
            with Image.open(frame) as opened:
                yield np.asarray(opened)

    film(drawn(), path, [200] * (len(paths) - 1) + [2000])


def film(frames, path, milliseconds=80):
    """Write arrays of pixels as an animated GIF that repeats.

    Args:
        frames: Iterable of arrays, each of which is drawn when its turn comes.
        path: The file.
        milliseconds: Integer, how long each frame stays; or a list of one for each.
    """
    drawn = map(Image.fromarray, frames)
    images = (image.convert("P") if image.mode == "L" else image for image in drawn)
    path = pathlib.Path(path)
    with replace_when_written(path) as temporary, temporary.open("wb") as file:  # a frame may fail: then this closes it
        next(images).save(file, "GIF", save_all=True, append_images=images, duration=milliseconds, loop=0)


def save_curves(curves, path, title=""):
    """Draw curves in separate plots below each other, each with its interval as a band.

    Args:
        curves: Dict from a name to four arrays: the horizontal position, the value, and the ends of its interval.
        path: The picture to write, `.png` or `.svg`.
        title: String.
    """
    figure = Figure(figsize=(8, 1 + 2.2 * len(curves)), layout="constrained")
    rows = figure.subplots(len(curves), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (name, (where, value, low, high)) in zip(rows, curves.items(), strict=True):
        axes.fill_between(where, low, high, alpha=0.25, linewidth=0)
        axes.plot(where, value, marker=".")
        axes.set(ylabel=name)
        axes.grid(alpha=0.3)
    rows[-1].set_xlabel("step")
    figure.suptitle(title, fontsize="small")
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_when_written(path) as temporary:
        figure.savefig(temporary, dpi=100)
