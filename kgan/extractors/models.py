"""Extractors without training: the FID's Inception, any Keras model, the values themselves."""

import keras
import numpy as np

from kgan import pictures
from kgan.extractors import inception
from kgan.extractors.extractor import Extractor, Features, chunks, hash_of_model, resized, uint8
from kgan.files import checksum


def raw():
    """The values themselves, as for points in the plane."""
    return _Raw("raw", None, None)


def of_model(model, name=None):
    """Any Keras model: the features are its output, averaged over the spatial axes if it has any.

    Args:
        model: `keras.Model`. It takes floats in [-1, 1]; images of another size are resized to its input shape.
        name: String. The model's own by default. Keras' InceptionV3 is not the FID Inception, so its Frechet distance is not
            the FID.

    Raises:
        ValueError: if its input is not images, or it has several outputs and none of them is `features`.
    """
    if len(model.inputs) != 1 or len(model.input_shape) != 4:
        raise ValueError(
            "A model that extracts features must take images (batch, height, width, channels). "
            f"Received: {model.name!r}, which takes {model.input_shape}"
        )
    found = model(keras.KerasTensor(model.input_shape))
    if not hasattr(found, "shape") and not (isinstance(found, dict) and "features" in found):
        raise ValueError(
            "A model that extracts features must output one tensor, or a dict of `features` and perhaps `logits`. "
            f"Received: {model.name!r}, which outputs {keras.tree.map_structure(lambda one: one.shape, found)}"
        )
    return Extractor(name or model.name, model, hash_of_model(model))


def fid_inception(path):
    """The Inception of the FID (arXiv:1706.08500), from the weight file that pytorch-fid and torch-fidelity use.

    Args:
        path: Path of `pt_inception-2015-12-05-6726825d.pth`.

    Raises:
        ValueError: if the file contains other weights.
        ImportError: if PyTorch, which reads the file, is not installed.
    """
    return _Inception("fid_inception", inception.inception(path), checksum(path)["sha256"])


class _Inception(Extractor):
    def resize(self, shape):
        grey = ", grey three times" if shape[2] == 1 else ""
        return f"bilinear as in TensorFlow 1, {shape[0]} x {shape[1]} to 299 x 299{grey}"

    def sees(self, shape):
        return 299, 299, 3

    def _prepare(self, images):
        return resized(uint8(images), (*images.shape[1:3], 3))


class _Raw(Extractor):
    """The values themselves."""

    def resize(self, shape):
        return "none"

    def __call__(self, images):
        values = np.concatenate([pictures.floats(uint8(part)) if part.ndim == 4 else part for part in chunks(images)])
        return Features(values.reshape(len(images), -1))

    def sees(self, shape):
        return tuple(shape)
