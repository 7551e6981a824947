"""scikit-learn's handwritten digits: real data without a download."""

import numpy as np


def digits():
    """The 1,797 digits of 8 x 8 grey pixels that come with scikit-learn (UCI optical recognition of handwritten digits).

    Example:

    >>> images, labels = kgan.data.digits()
    >>> images.shape, images.dtype, labels[:5]
    ((1797, 8, 8, 1), dtype('uint8'), array([0, 1, 2, 3, 4]))

    Returns:
        A uint8 array `(1797, 8, 8, 1)`, the original 0..16 stretched to 0..255; and the digits, integers `(1797,)`.
    """
    from sklearn.datasets import load_digits  # slow to import, and only used here

    found = load_digits()  # images (1797, 8, 8), 0.0 to 16.0
    return np.rint(found.images * (255 / 16)).astype("uint8")[..., None], found.target
