"""Extractors: functions from images to features, with a name, a hash of the weights and a description of the resize."""

import hashlib
import json
import math
from dataclasses import dataclass, field

import keras
import numpy as np
from PIL import Image

from kgan import backend, pictures

AT_ONCE = 2048  # images prepared at once
BYTES = 2**28  # limit of their bytes


@dataclass
class Features:
    """The outputs of an extractor for n images.

    Attributes:
        features: Array `(n, d)`.
        logits: Array `(n, classes)`, or `None` if the extractor has no classes.
        modes: Integers `(n,)`, the predicted class of each image, from 0 to classes - 1; or `None`.
        classes: Integer. The number of classes; 0 without classes.
        pairs: Dict of arrays `(n, ...)`, by the name of a metric: its values for each pair of a real and a generated image.
    """

    features: np.ndarray
    logits: np.ndarray | None = None
    modes: np.ndarray | None = None
    classes: int = 0
    pairs: dict[str, np.ndarray] = field(default_factory=dict)

    def __getitem__(self, rows):
        logits, modes = (None if part is None else part[rows] for part in (self.logits, self.modes))
        pairs = {name: values[rows] for name, values in self.pairs.items()}
        return Features(self.features[rows], logits, modes, self.classes, pairs)

    def __len__(self):
        return len(self.features)

    @classmethod
    def joined(cls, parts):
        """Join the features of several parts of the images."""

        def all_of(name):
            arrays = [getattr(part, name) for part in parts]
            return None if arrays[0] is None else np.concatenate(arrays)

        return cls(all_of("features"), all_of("logits"), all_of("modes"), parts[0].classes)


def chunks(images, positions=None):
    """Yield the images at these positions (by default all) of an array or a `kgan.data.Folder`, in parts of limited size."""
    images = images if hasattr(images, "shape") else np.asarray(images)
    each = math.prod(images.shape[1:]) * getattr(images.dtype, "itemsize", 4)
    count = min(AT_ONCE, max(1, BYTES // max(1, each)))
    count = count - count % 256 or count  # whole batches, if there is at least one
    for begin in range(0, len(images if positions is None else positions) or 1, count):
        some = slice(begin, begin + count)
        yield np.asarray(images[some if positions is None else positions[some]])


class Extractor:
    """An extractor that applies a Keras model.

    Floats are rounded to the 256 levels of a picture first, so that images have the same score from memory and from a file.

    Example:

    >>> extractor = kgan.extractors.of_model(keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()]))
    >>> extractor(np.zeros((3, 8, 8, 1), "uint8")).features.shape
    (3, 16)
    >>> extractor.resize((8, 8, 1))
    'bilinear, antialiased, 8 x 8 to 4 x 4'

    Args:
        name: String. Its name in a record.
        model: `keras.Model`, images -> features, or a dict of `features` and `logits`. It takes floats in [-1, 1], of any
            size that its input shape allows.
        weights: String. Hash of its weights.
        accuracy: Float. The share of held-out images that it classifies correctly, if its classes are those of the data set;
            then the class with the largest logit is a mode.
    """

    def __init__(self, name, model, weights, accuracy=None):
        self.name, self.model, self.weights, self.accuracy = name, model, weights, accuracy

    def resize(self, shape):
        """In words, how images of `shape`, `(height, width, channels)`, are changed before the model receives them."""
        height, width, channels = self.sees(shape)
        done = []
        if (height, width) != tuple(shape[:2]):
            done.append(f"bilinear, antialiased, {shape[0]} x {shape[1]} to {height} x {width}")
        if channels != shape[2]:
            done.append("grey three times" if channels == 3 else "grey by ITU-R 601")
        return ", ".join(done) or "none"

    def __call__(self, images):
        """Return the `Features` of images `(n, height, width, channels)`, uint8 or floats in [-1, 1]."""
        said = []
        with backend.on_one_device(), backend.undisturbed():
            for part in chunks(images):
                found = self.model.predict(self._prepare(part), batch_size=min(256, len(part)), verbose=0)
                said.append(keras.tree.map_structure(np.asarray, found))
        found = said[0].keys() if isinstance(said[0], dict) else ["features"]
        joined = {name: np.concatenate([one[name] if isinstance(one, dict) else one for one in said]) for name in found}
        features, logits = joined["features"], joined.get("logits")
        if features.ndim > 2:
            features = features.mean(tuple(range(1, features.ndim - 1)))  # over all positions in the image
        if self.accuracy is None or logits is None:
            return Features(features, logits)
        return Features(features, logits, logits.argmax(1), logits.shape[1])

    def _prepare(self, images):
        return pictures.floats(resized(uint8(images), self.sees(images.shape[1:])))

    def sees(self, shape):
        """The shape to which it converts images of `shape`, both `(height, width, channels)`."""
        wanted = self.model.input_shape[1:]
        return tuple(size or here for size, here in zip(wanted, shape, strict=True))


def uint8(images):
    """Images as the 256 levels of a picture, uint8.

    Raises:
        ValueError: if they are neither uint8 nor floats in [-1, 1], or do not have 1 or 3 channels.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(f"Images must be (n, height, width, channels) with 1 or 3 channels. Received: {images.shape}")
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f" or not (images.min() >= -1.001 and images.max() <= 1.001):
        raise ValueError(
            "Images must be uint8 in [0, 255] or finite floats in [-1, 1]. "
            f"Received: {images.dtype} from {images.min()} to {images.max()}"
        )
    return pictures.pixels(images)


def resized(images, shape):
    """uint8 images converted to the size and the channels of `shape`."""
    height, width, channels = shape
    if images.shape[-1] != channels:
        if channels == 1:
            images = np.rint(images @ pictures.LUMA)[..., None].astype("uint8")
        else:
            images = images.repeat(channels, axis=-1)
    if images.shape[1:3] == (height, width):
        return images
    fitted = np.empty((len(images), height, width, channels), "uint8")
    for index, image in enumerate(images):
        picture = Image.fromarray(image[..., 0] if channels == 1 else image)
        fitted[index] = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR)).reshape(
            height, width, -1
        )
    return fitted


def hash_of_model(model):
    """sha256 of a model's layers, without their names, and its weights."""
    numbers: dict[str, int] = {}

    def number(found):
        """Number the layers and operations in their order."""
        if isinstance(found, dict):
            own = found.get("config")
            if isinstance(own, dict) and "name" in own and not str(found.get("class_name")).endswith("Policy"):
                numbers.setdefault(own["name"], len(numbers))
        for value in found.values() if isinstance(found, dict) else found if isinstance(found, list | tuple) else ():
            number(value)

    def unnamed(found, key=None):
        if isinstance(found, dict):
            inside = key if key in ("input_layers", "output_layers") else None  # lists of names
            return {name: unnamed(value, inside or name) for name, value in found.items() if name != "trainable"}
        if isinstance(found, list | tuple):
            return [unnamed(value, key) for value in found]
        return numbers.get(found, found) if key in ("name", "keras_history", "input_layers", "output_layers") else found

    model_config = {**keras.saving.serialize_keras_object(model), "compile_config": None, "build_config": None}
    number(model_config)
    config = json.dumps(unnamed(model_config), default=str)
    weights = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    return hash_of([np.frombuffer(config.encode(), "uint8"), *weights])


def hash_of(arrays):
    """sha256 of shapes, types and values."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
