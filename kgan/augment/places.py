"""Samples images at given positions: at whole pixels, and between pixels.

Keras' `ops.image.affine_transform` has no second derivative on TensorFlow, which gradient penalties need, and works image by
image on PyTorch; gathering pixels is differentiable everywhere.
"""

from keras import ops


def pick(images, rows, columns):
    """Return the pixels at integer positions.

    Args:
        images: Tensor `(batch, height, width, channels)`.
        rows: Integers, each image's own, that broadcast with `columns` to `(batch, new height, new width)`.
        columns: Likewise.

    Returns:
        A tensor `(batch, new height, new width, channels)`.
    """
    height, width, channels = images.shape[1:]
    first = ops.arange(ops.shape(images)[0], dtype="int32") * (height * width)
    pixels = ops.reshape(images, (-1, channels))
    return ops.take(pixels, first[:, None, None] + rows * width + columns, axis=0)


def interpolate(images, rows, columns):
    """Return bilinear values at any positions; beyond the borders the image is mirrored.

    Args:
        images: Tensor `(batch, height, width, channels)`.
        rows: Floats `(batch, new height, new width)`, 0 at the centres of the topmost pixels.
        columns: Likewise, 0 at the leftmost ones.

    Returns:
        A tensor `(batch, new height, new width, channels)`.
    """
    (above, below, down), (left, right, across) = (
        _neighbours(places, size) for places, size in ((rows, images.shape[1]), (columns, images.shape[2]))
    )
    down, across = (ops.cast(share, images.dtype)[..., None] for share in (down, across))
    top = (1.0 - across) * pick(images, above, left) + across * pick(images, above, right)
    bottom = (1.0 - across) * pick(images, below, left) + across * pick(images, below, right)
    return (1.0 - down) * top + down * bottom


def _neighbours(places, size):
    """The two neighbouring integer positions, and the fraction of the distance to the second one."""
    last = max(size - 1, 1)
    places = last - ops.abs(places % (2 * last) - last)  # mirrored at the outermost pixels' centres
    low = ops.clip(ops.floor(places), 0, size - 1)
    return ops.cast(low, "int32"), ops.cast(ops.minimum(low + 1, size - 1), "int32"), places - low
