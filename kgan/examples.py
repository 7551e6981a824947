"""Examples of the data of a training, which callbacks draw and score."""

from collections.abc import Iterator

import numpy as np
from keras import ops

from kgan import latents
from kgan.conditions import each, leaves, scaled, unpacked
from kgan.data import Batches, Data, Unpaired, brought
from kgan.data.domains import Domains
from kgan.data.spread import positions


def images_of(data, most, model):
    """Real images, and their labels or `None`, from any data that `fit` accepts: at most `most` of a dataset."""
    shape = model.image_shape
    if isinstance(data, Batches):
        whole = _whole(data)
        return whole.images, whole.labels
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


def _whole(batches):
    """The data of batches, of which the middle part of each image is used, if a batch takes random parts."""
    return Data(batches.images, batches.labels, given=batches.given, crop=batches.crop).middle()


def _classes(labels):
    """Labels as integers `(n,)`, or `None` if they are not class numbers."""
    labels = None if labels is None else np.asarray(labels)
    if labels is None or labels.dtype.kind not in "iu" or labels.size != len(labels):
        return None
    return labels.reshape(-1)


def pairs_of(data, most, model, what):
    """What the generator is given, floats in [-1, 1], and the real images, as two arrays, from any data that `fit` accepts;
    with several domains as two lists of arrays.

    Args:
        data: The data.
        most: Integer. The number of examples: spread evenly over those of arrays, the first ones of a dataset.
        model: A `GAN` whose condition gives images.
        what: String. Who needs them, for an error message.

    Raises:
        ValueError: if there are none, or they can be read only once.
    """
    given, real = _parts_of(data, most, model, what)
    real = each(lambda one, shape: brought.fitted(ops.convert_to_tensor(one), shape), real, model.image_shape)
    return prepared(model.condition, given, real, model.image_range), each(ops.convert_to_numpy, real)


def belong_together(data):
    """Whether images of two domains at the same place are known to be true pairs."""
    return isinstance(data, Data) and data.given is not None or getattr(data, "pairs_known", False)


def prepared(condition, given, real, image_range):
    """What the generator is given, an array, of the parts of a batch; masks and the like are always the same."""
    given = None if given is None else each(ops.convert_to_tensor, given)
    real = each(lambda one: scaled(ops.convert_to_tensor(one), image_range), real)
    return each(ops.convert_to_numpy, condition.prepared(given, real, latents.seeds(0)))


def _parts_of(data, most, model, what):
    if isinstance(data, Batches):
        whole = _whole(data)
        x, y = (whole.images, None) if whole.given is None else (whole.given, whole.images)
    elif isinstance(data, Unpaired | Domains):
        sides = [_whole(side) for side in data.sides] if isinstance(data, Unpaired) else [data.a, data.b]
        x, y = (side.images for side in sides)
    else:
        if data is None or isinstance(data, Iterator):
            raise ValueError(
                f"{what} needs images that can be read twice. Pass `data`, images or a pair of sources and targets."
            )
        x, y = model.as_read(*data) if isinstance(data, tuple) and len(data) == 2 else model.as_read(data)
    if isinstance(x, np.ndarray) or brought.is_on_demand(x):
        x, y = (None if one is None else np.asarray(one[positions(len(one), most)]) for one in (x, y))
        return model.condition.read((x,) if y is None else (x, y))
    given: list = []
    real: list = []
    for batch in x:  # a tf.data.Dataset, a PyDataset, a DataLoader
        parts = model.condition.read(batch)
        given.append(parts[0])
        real.append(parts[1])
        if sum(len(leaves(one)[0]) for one in real) >= most:
            break
    if not real:
        raise ValueError(f"{what} needs at least one image. Received: a dataset that yields no batch")

    def joined(*batches):
        return np.concatenate([np.asarray(one) for one in batches])[:most]

    return None if given[0] is None else each(joined, *given), each(joined, *real)
