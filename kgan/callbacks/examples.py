"""Examples of the data of a training, which callbacks draw and score."""

import keras
import numpy as np
from keras import ops

from kgan import latents
from kgan.conditions import scaled, unpacked
from kgan.data import Batches, Data, Folder, brought


def images_of(data, most, model):
    """Real images, and their labels or `None`, from any data that `fit` accepts: at most `most` of a dataset."""
    shape = model.image_shape
    if isinstance(data, Batches):
        return data.images, data.labels
    pair = data if isinstance(data, tuple) and len(data) == 2 else (data, None)
    images, named = brought.arrays(pair[0], pair[1], (shape, ()))
    if brought.is_on_demand(images):
        return images, _classes(named)
    if hasattr(images, "shape"):
        return np.asarray(images), _classes(named)
    if data is None or iter(data) is data:
        raise ValueError(
            "Score needs real images that can be read twice. Pass `data`, an array, or a pair of images and labels."
        )
    parts: list = []
    labels: list = []
    for batch in data:  # a tf.data.Dataset, a PyDataset, a DataLoader
        images, named = unpacked(batch)
        parts.append(brought.arrays(np.asarray(images), shapes=(shape, ()))[0])
        if _classes(named) is not None:
            labels.append(_classes(named))
        if sum(map(len, parts)) >= most:
            break
    if not parts:
        raise ValueError("Score needs at least one real image. Received: no image, in `data` or in the data of `fit`.")
    return np.concatenate(parts)[:most], np.concatenate(labels)[:most] if len(labels) == len(parts) else None


def _classes(labels):
    """Labels as integers `(n,)`, or `None` if they are not class numbers."""
    labels = None if labels is None else np.asarray(labels)
    if labels is None or labels.dtype.kind not in "iu" or labels.size != len(labels):
        return None
    return labels.reshape(-1)


def pairs_of(data, most, model):
    """What the generator is given, floats in [-1, 1], and real images, from any data that `fit` accepts, as two arrays.

    Args:
        data: The data.
        most: Integer. The number of examples, spread evenly over those of an array, and the first ones of a dataset.
        model: A `GAN` whose condition gives images.
    """
    condition = model.condition
    given, real = None, None
    if isinstance(data, Batches):
        given, real = data.given, data.images
    elif not is_stream(data):
        x, y = brought.arrays(*(data if is_pair(data, condition) else (data, None)), *model.arrays_arguments)
        given, real = (x, y) if condition.needs_pairs else (None, x)
    if real is not None:
        chosen = np.unique(np.linspace(0, len(real) - 1, min(most, len(real))).astype(int))
        given, real = (None if one is None else np.asarray(one[chosen]) for one in (given, real))
    else:
        parts = [condition.read(condition.select(batch)) for batch in _first(data, most)]
        given, real = (
            None if any(one is None for one in several) else np.concatenate([ops.convert_to_numpy(one) for one in several])[:most]
            for several in zip(*parts, strict=True)
        )
    real = np.asarray(ops.convert_to_numpy(brought.fitted(real, model.image_shape)))
    as_seen = scaled(ops.convert_to_tensor(real), model.image_range)
    with keras.device("cpu"):
        prepared = condition.prepared(given, as_seen, latents.seeds(0))
    return ops.convert_to_numpy(prepared), real
