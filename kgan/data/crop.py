"""Parts of images: random ones for a training, the middle for scores."""

import numpy as np


def sizes(size, resize):
    """The size that images are read in, and that of the part which a batch takes, `None` for the whole.

    Args:
        size: Pair `(height, width)`, or `None`.
        resize: Pair, at least `size`; `None` for no parts.

    Raises:
        ValueError: if it is smaller, or there is no `size`.
    """
    if resize is None:
        return size, None
    if size is None or any(large < small for large, small in zip(resize, size, strict=True)):
        received = "no `size`" if size is None else "`size` {} x {}".format(*size)
        raise ValueError(
            "`resize` must be at least `size`, which is that of the random part of each image that a batch takes. "
            f"Received: `resize` {resize[0]} x {resize[1]}, {received}"
        )
    return resize, None if resize == size else size


def parts(images, corners, size):
    """Parts of an array of images `(n, height, width, channels)`, of one size.

    Args:
        images: The array.
        corners: Integers `(n, 2)`: top and left of each part.
        size: Pair `(height, width)`.
    """
    height, width = size
    return np.stack(
        [image[top : top + height, left : left + width] for image, (top, left) in zip(images, corners, strict=True)]
    )


def middle(images, size):
    """The middle part of each image, in an array or in images that are read when they are needed."""
    if tuple(images.shape[1:3]) == tuple(size):
        return images
    return _middle(images, size) if isinstance(images, np.ndarray) else Middle(images, size)


def _middle(images, size):
    height, width = size
    top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
    return images[:, top : top + height, left : left + width]


class Middle:
    """The middle parts of images that are read when they are needed, as an array `(n, height, width, channels)`."""

    def __init__(self, images, size):
        self.images, self.size = images, tuple(size)
        self.shape, self.dtype = (len(images), *self.size, images.shape[3]), images.dtype

    def __len__(self):
        return len(self.images)

    def __getitem__(self, chosen):
        return _middle(self.images[chosen], self.size)
