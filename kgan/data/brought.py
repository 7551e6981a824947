"""What users give to `fit` as data, in the forms that Keras reads."""

import copy
import functools
from collections.abc import Iterator, Mapping

import keras
import numpy as np

from kgan.conditions import unpacked
from kgan.data.folder import Folder
from kgan.data.mapped import is_on_demand
from kgan.data.sources import Data

def arrays(x, y=None, axes=4):
    """Return images and labels as arrays, or what is not an array as it is.

    Lists of images become one array; a `Data`, a `Folder`, a pair and a mapping are taken apart; whole numbers in [0, 255]
    become uint8.

    Args:
        x: What `fit` received as `x`.
        y: What `fit` received as `y`.
        axes: Integer. The number of axes of a batch of images.

    Raises:
        ValueError: if images in a list differ in size, or whole numbers are out of range.
    """
    if y is None and isinstance(x, Data | Folder):
        return (x, x.labels) if isinstance(x, Folder) else arrays(x.images, x.labels, axes)
    if y is None and isinstance(x, Mapping):
        return arrays(*unpacked({name: _array(value) for name, value in x.items()}), axes)
    if y is None and isinstance(x, list | tuple) and len(x) == 2 and _is_pair(*map(_array, x), axes):
        return arrays(*x, axes)
    x = _array(x)
    if isinstance(x, np.ndarray):
        if x.dtype == object:
            raise ValueError(
                "Images in a list must have one size. Received: "
                f"{len(x)} of them, of shapes {' and '.join(sorted({str(np.shape(one)) for one in x})[:3])}"
            )
        if x.dtype.kind in "iu" and x.dtype != np.uint8 and axes > 2 and x.size and not is_on_demand(x):
            low, high = int(x.min()), int(x.max())
            if low < 0 or high > 255:
                raise ValueError(f"Images of whole numbers must lie in [0, 255]. Received: {x.dtype} from {low} to {high}")
            x = x.astype("uint8")
    return x, y if y is None or hasattr(y, "dtype") else _array(y)


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


def _is_pair(images, labels, axes):
    """Whether these are images and their labels, and not two images."""
    return (
        hasattr(images, "shape")
        and hasattr(labels, "shape")
        and len(images.shape) >= axes - 1
        and 1 <= len(labels.shape) <= 2
        and len(labels.shape) < len(images.shape)
        and images.shape[0] == labels.shape[0]
    )


def dataset(x, select):
    """Return a dataset, or any other source of batches, whose elements are what `select` returns for them.

    Args:
        x: A `tf.data.Dataset`, a `keras.utils.PyDataset`, a torch `DataLoader` or a Python generator; anything else is
            returned as it is.
        select: Function from an element to a tuple, `kgan.conditions.Condition.select`.
    """
    if hasattr(x, "element_spec"):
        specs = keras.tree.flatten(x.element_spec)
        if isinstance(x.element_spec, tuple) and not any(getattr(one, "dtype", None) == "string" for one in specs):
            return x
        return x.map(lambda *element: select(element if len(element) > 1 else element[0]))
    if isinstance(x, Iterator):
        return (select(element) for element in x)  # Keras takes no other iterators than generators
    if hasattr(x, "collate_fn"):
        loader = copy.copy(x)
        loader.collate_fn = functools.partial(_collated, select, x.collate_fn)
        return loader
    return Selected(x, select) if isinstance(x, keras.utils.PyDataset) else x


def _collated(select, collate, rows):
    return select(collate(rows))


class Selected(keras.utils.PyDataset):
    """A PyDataset whose batches are what `select` returns for those of another one."""

    def __init__(self, batches, select):
        super().__init__(batches.workers, batches.use_multiprocessing, batches.max_queue_size)
        self.batches, self.select = batches, select

    @property
    def num_batches(self):
        return self.batches.num_batches

    def __getitem__(self, index):
        return self.select(self.batches[index])

    def on_epoch_begin(self):
        self.batches.on_epoch_begin()

    def on_epoch_end(self):
        self.batches.on_epoch_end()
