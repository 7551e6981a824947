"""scikit-learn's handwritten digits: real data without a download."""

import numpy as np


def digits():
    """The 1,797 digits of 8 x 8 grey pixels that come with scikit-learn (UCI optical recognition of handwritten digits).

    Returns:
        A uint8 array `(1797, 8, 8, 1)`; the original 0..16 is stretched to 0..255.
    """
    from sklearn.datasets import load_digits  # slow to import, and only used here

    images = load_digits().images  # (1797, 8, 8), 0.0 to 16.0
    return np.rint(images * (255 / 16)).astype("uint8")[..., None]
