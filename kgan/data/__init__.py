"""Where images come from, and the deterministic order they come in."""

from kgan.data.batches import Batches
from kgan.data.digits import digits
from kgan.names import lookup

DATASETS = {"digits": digits}


def get(name):
    """Return the function that loads that data set as a uint8 array `(n, height, width, channels)`.

    Raises:
        ValueError: if there is none.
    """
    return lookup("data set", name, DATASETS)


__all__ = ["DATASETS", "Batches", "digits", "get"]
