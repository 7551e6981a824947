"""What users give to `fit` as data, in the forms that Keras reads."""

import copy
import functools
from collections.abc import Iterator, Mapping

import keras
import numpy as np
from keras import ops

from kgan.backend import static_shape, with_shape
from kgan.conditions import unpacked
from kgan.data.batches import Batches
from kgan.data.data import Data
from kgan.data.folder import Folder
from kgan.data.mapped import is_on_demand


def fitted(images, shape):
    """Images `(batch, ...)` in the generator's shape, if there is only one way to understand theirs.

    Images without a channel axis get one, and channels that come first, as in PyTorch, become the last axis.

    Raises:
        ValueError: if they have another shape.
    """
    if not hasattr(images, "shape"):
        raise ValueError(f"A batch must be one tensor of images. Received: {type(images).__name__}")
    whole = static_shape(images)
    if whole is None:
        return with_shape(images, (None, *shape))
    turn = _turn(whole[1:], shape)
    if turn is not None:
        images = turn(images)
        return with_shape(images, (None, *shape)) if None in whole[1:] else images
    expected, received = (f"({', '.join(['batch', *map(str, one)])})" for one in (shape, whole[1:]))
    hint = " They look like single images; a dataset yields batches, such as after `dataset.batch(64)`."
    raise ValueError(
        f"Real images must have the generator's shape {expected}. Received: {received}."
        f"{hint if _agree(whole, shape) else ''}"
    )


def _turn(sizes, shape):
    """Return a function that gives images of these sizes, without the batch, the generator's shape, or `None`."""
    if _agree(sizes, shape):
        return lambda images: images
    if shape[-1:] == (1,) and _agree(sizes, shape[:-1]):
        return lambda images: images[..., None]
    if len(shape) == 3 and _agree(sizes, (shape[2], *shape[:2])):
        return _channels_last
    return None


def _channels_last(images):
    if hasattr(images, "movedim"):  # of PyTorch, on any engine
        return images.movedim(1, -1)
    return (np if isinstance(images, np.ndarray) else ops).moveaxis(images, 1, -1)


def _agree(sizes, shape):
    """Whether sizes, `None` where a dataset does not define them, may be those of the shape."""
    return len(sizes) == len(shape) and all(size in (None, wanted) for size, wanted in zip(sizes, shape, strict=True))


def arrays(x, y=None, shape=()):
    """Return images and labels as arrays, or what is not an array as it is.

    Lists of images become one array; a `Data`, a `Folder`, a pair and a mapping are taken apart. An array of images gets the
    generator's shape; whole numbers in [0, 255] become uint8.

    Args:
        x: What `fit` received as `x`.
        y: What `fit` received as `y`.
        shape: Tuple of integers. The shape of the generator's images.

    Raises:
        ValueError: if images in a list differ in size, or whole numbers are out of range.
    """
    if y is None and isinstance(x, Data | Folder):
        return (x, x.labels) if isinstance(x, Folder) else arrays(x.images, x.labels, shape)
    if y is None and isinstance(x, Mapping):
        images, labels = unpacked({name: _array(value) for name, value in x.items()})
        return arrays(images, labels, shape)
    if y is None and isinstance(x, list | tuple) and len(x) == 2 and _is_pair(_array(x[0]), _array(x[1]), shape):
        return arrays(x[0], x[1], shape)
    x = _array(x)
    if isinstance(x, np.ndarray) and x.dtype == object:
        raise ValueError(
            "Images in a list must have one size. Received: "
            f"{len(x)} of them, of shapes {' and '.join(sorted({str(np.shape(one)) for one in x})[:3])}"
        )
    turn = _turn(x.shape[1:], shape) if isinstance(x, np.ndarray) and not is_on_demand(x) else None
    if turn is not None:
        x = _of_bytes(turn(x))
    return x, y if y is None or hasattr(y, "dtype") else _array(y)


def _of_bytes(images):
    """Images of whole numbers as uint8."""
    if images.dtype.kind not in "iu" or images.dtype == np.uint8 or images.ndim < 3 or not images.size:
        return images
    low, high = int(images.min()), int(images.max())
    if low < 0 or high > 255:
        raise ValueError(f"Images of whole numbers must lie in [0, 255]. Received: {images.dtype} from {low} to {high}")
    return images.astype("uint8")


def _array(given):
    """A list, or another thing that numpy can read, as an array; ragged lists as an array of objects."""
    if isinstance(given, list | tuple):
        try:
            return np.stack([np.asarray(one) for one in given]) if given else np.asarray(given)
        except ValueError:
            ragged = np.empty(len(given), object)
            ragged[:] = [np.asarray(one) for one in given]
            return ragged
    if not hasattr(given, "dtype") and hasattr(given, "__array__"):  # such as a table of pandas
        return np.asarray(given)
    return given


def _is_pair(images, labels, shape):
    """Whether these are images and their labels, and not two images."""
    return (
        hasattr(images, "shape")
        and hasattr(labels, "shape")
        and len(images.shape) >= len(shape)
        and 1 <= len(labels.shape) <= 2
        and len(labels.shape) < len(images.shape)
        and images.shape[0] == labels.shape[0]
    )


def dataset(x, select, shape=()):
    """Return a dataset, or any other source of batches, whose elements are what `select` returns for them.

    Args:
        x: A `tf.data.Dataset`, a `keras.utils.PyDataset`, a torch `DataLoader` or a Python generator; anything else is
            returned as it is.
        select: Function from an element to a tuple, `kgan.conditions.Condition.select`.
        shape: Tuple of integers. The shape of the generator's images, if a tuple begins with images.
    """
    read = functools.partial(_read, select, shape)
    if hasattr(x, "element_spec"):
        specs = keras.tree.flatten(x.element_spec)
        known = all(getattr(one, "dtype", None) != "string" for one in specs)
        if isinstance(x.element_spec, tuple) and known and _is_fitted(specs[0], shape):
            return x
        return x.map(lambda *element: read(element if len(element) > 1 else element[0]))
    if isinstance(x, Iterator):
        return (read(element) for element in x)  # Keras takes no other iterators than generators
    if hasattr(x, "collate_fn"):
        loader = copy.copy(x)
        loader.collate_fn = functools.partial(_collated, read, x.collate_fn)
        return loader
    own = isinstance(x, keras.utils.PyDataset) and not isinstance(x, Batches)
    return Selected(x, read) if own else x


def _read(select, shape, element):
    selected = select(element)
    if not shape or _is_fitted(selected[0], shape):
        return selected
    images, *others = selected
    # other conversions need operations of the engine, and are left to the step
    add_axis = len(images.shape) == len(shape)
    return (
        _turn(tuple(images.shape)[1:], shape)(images) if add_axis or hasattr(images, "movedim") else images,
        *others,
    )


def _is_fitted(images, shape):
    """Whether a batch has the shape already, or one that is not known or cannot be understood."""
    sizes = static_shape(images) if hasattr(images, "shape") else None
    return sizes is None or _agree(sizes[1:], shape) or _turn(sizes[1:], shape) is None


def _collated(read, collate, rows):
    return read(collate(rows))


class Selected(keras.utils.PyDataset):
    """A PyDataset whose batches are what `read` returns for those of another one."""

    def __init__(self, batches, read):
        super().__init__(batches.workers, batches.use_multiprocessing, batches.max_queue_size)
        self.batches, self.read = batches, read

    @property
    def num_batches(self):
        return self.batches.num_batches

    def __getitem__(self, index):
        return self.read(self.batches[index])

    def on_epoch_begin(self):
        self.batches.on_epoch_begin()

    def on_epoch_end(self):
        self.batches.on_epoch_end()
