"""The shape of one example in an array of a file."""

import math

import numpy as np

CHANNELS = (1, 3, 4)


def examples(images, path, shape=None, count=None):
    """The array with an axis of examples and, for images, a last axis of channels, as `shape` or the array's shape says.

    Args:
        images: Array.
        path: Path of its file, for messages.
        shape: Tuple of integers, the shape of one example, or `None`.
        count: Integer. The number of labels, if there are some.

    Raises:
        ValueError: if its shape may mean several things, or does not hold examples of that shape.
    """
    there = images.shape
    if not images.size:
        raise ValueError(f"{path} must hold images, and holds none: its array has the shape {there}")
    if shape is not None:
        images = _of_shape(images, shape)
        if images is None:
            raise ValueError(
                f"{path} does not hold examples of shape {shape}. Received: an array of shape {there}. The first axis of "
                "an array is that of the examples"
            )
        return images.astype("float32") if len(shape) < 3 and images.dtype.kind in "biu" else images
    if images.ndim == 2:
        if images.dtype.kind == "f":
            return images
        raise ValueError(
            f"{path} holds a table of whole numbers, {there}, which may be numbers, flattened images or one image. Give the "
            f"shape of one example: `shape` [{there[1]}] for numbers, [height, width, channels] for flattened images, or "
            f"{_list([*there, 1])} for one image"
        )
    if images.ndim == 3:
        small, large = sorted(there[1:])
        channels_last, channels_first = there[2] <= 4 and large > small, there[0] in (3, 4) and count != there[0]
        if channels_last or channels_first or large > 8 * small:
            one = [*there[1:], there[0]] if channels_first and there[2] > 4 else there
            raise ValueError(
                f"{path} holds an array of shape {there}, which may be {there[0]:,} grey images, {there[0]:,} series or one "
                f"colour image. Give the shape of one example: `shape` {_list([*there[1:], 1])} for grey images, "
                f"{_list(there[1:])} for series, or {_list(one)} for one image"
            )
        return images[..., None]
    if images.ndim == 4:
        if there[3] > 4 and there[1] in (1, 3):
            return np.ascontiguousarray(np.moveaxis(images, 1, -1))
        if there[3] <= 4:
            return images
        if there[2] in CHANNELS:
            raise ValueError(
                f"The first axis of the array in {path} must be that of the images, and it seems to be the last one. "
                f"Received: shape {there}. np.moveaxis(x, -1, 0) puts it first, or give the shape of one image: `shape` "
                f"{_list(there[:3])}"
            )
        raise ValueError(
            f"{path} must hold images of 1 or 3 channels, the last axis. Received: shape {there}. For images of more "
            f"channels, give the shape of one: `shape` {_list(there[1:])}"
        )
    raise ValueError(
        f"{path} must hold images, (n, height, width, channels) or (n, height, width), or points, (n, dimensions). "
        f"Received: shape {there}"
    )


def _of_shape(images, shape):
    """The array as examples of that shape, or `None` if there is no plain way to see them in it.

    Only rows of numbers and grey images are reshaped; channels that stand before height and width, in the array or in the
    shape, become the last axis.
    """
    if len(shape) == 3 and shape[0] in CHANNELS and shape[0] < min(shape[1:]) and shape[2] not in CHANNELS:
        shape = (*shape[1:], shape[0])  # images of PyTorch: kgan's have their channels last
    if images.shape in (shape, (shape[-1], *shape[:-1]), (math.prod(shape),)):
        images = images[None]  # one example
    one = images.shape[1:]
    if one == shape:
        return images
    if len(shape) > 1 and one == (shape[-1], *shape[:-1]):
        return np.ascontiguousarray(np.moveaxis(images, 1, -1))
    if one in ((math.prod(shape),), (*shape, 1)) or (shape[-1] == 1 and one == shape[:-1]):
        return images.reshape(-1, *shape)
    if images.shape[:-1] == shape:
        return np.ascontiguousarray(np.moveaxis(images, -1, 0))
    return None


def _list(sizes):
    return f"[{', '.join(map(str, sizes))}]"
