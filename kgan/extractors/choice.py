"""Finds the extractor for a name or a path."""

import pathlib

import keras
import numpy as np

from kgan import backend
from kgan.checkpoints.keras_file import load_model
from kgan.extractors.extractor import Extractor
from kgan.extractors.learned import classifier, stacked
from kgan.extractors.models import fid_inception, of_model, raw


def get(identifier, images, labels=None):
    """Return the extractor that `identifier` means for these images.

    Args:
        identifier: `"auto"` chooses `raw` for anything but images, `stacked` for images of a thousand classes with three
            channels and at most 28 x 28 pixels, and `classifier` for all other images. Or one of these names; the path of a
            `.pth` file, for `fid_inception`; the path of a `.keras` file, a `keras.Model` or an `Extractor`.
        images: Array of real images, or points.
        labels: Integers `(n,)`, or `None`.

    Raises:
        ValueError: if it is not a valid extractor.
    """
    if isinstance(identifier, Extractor):
        return identifier
    if isinstance(identifier, keras.Model):
        return of_model(identifier)
    if identifier == "auto":
        if len(images.shape) != 4:
            identifier = "raw"
        else:
            small = max(images.shape[1:3]) <= 28 and images.shape[3] == 3  # stacked digits
            thousand = small and labels is not None and len(np.unique(labels)) == 1000
            identifier = "stacked" if thousand else "classifier"
    with backend.on_one_device():
        return _made(identifier, images, labels)


def _made(identifier, images, labels):
    path = pathlib.Path(str(identifier)).expanduser()
    if identifier == "raw":
        return raw()
    if identifier in ("classifier", "stacked"):
        if len(images.shape) != 4:
            raise ValueError(f"The extractor {identifier!r} is for images. For points use 'raw'.")
        return (classifier if identifier == "classifier" else stacked)(images, labels)
    if path.suffix == ".pth" and path.is_file():
        return fid_inception(path)
    if path.suffix == ".keras" and path.is_file():
        try:
            return of_model(load_model(path), path.stem)
        except TypeError as error:  # a class in it is not registered
            raise ValueError(f"{path} cannot be loaded: {error}") from None
    raise ValueError(
        "`extractor` must be 'auto', 'raw', 'classifier', 'stacked', or the path of a .pth file with the weights of the FID "
        f"Inception or of a .keras file. Received: {identifier!r}"
    )
