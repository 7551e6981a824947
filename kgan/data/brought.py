"""What users give to `fit` as data, in the forms that Keras reads."""

import copy
import functools
import inspect
import math
import numbers
from collections.abc import Iterator, Mapping

import keras
import numpy as np
from keras import ops

from kgan.backend import static_shape, with_shape
from kgan.conditions import shown, unpacked
from kgan.data import brightness
from kgan.data.folder import Folder
from kgan.data.loaded import Data
from kgan.data.mapped import Part, is_on_demand, native
from kgan.data.ordered import Ordered


def fitted(images, shape, name="Real images", whose="generator's shape"):
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
    hint = ""
    if _agree(whole, shape):
        hint = " They look like single images; a dataset yields batches, such as after `dataset.batch(64)`."
    elif whole[1:] == (math.prod(shape),):
        hint = f" They look like flattened images: x.reshape(-1, {', '.join(map(str, shape))}) gives them that shape."
    raise ValueError(f"{name} must have the {whose} {shown(shape)}. Received: {shown(whole[1:])}.{hint}")


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


def arrays(x, y=None, shapes=((), ()), select=unpacked):
    """Return images and labels as arrays, or what is not an array as it is.

    Lists of images become one array; a `Data`, a `Folder`, a pair and a mapping are taken apart. An array of images gets the
    generator's shape; whole numbers in [0, 255] become uint8.

    Args:
        x: What `fit` received as `x`.
        y: What `fit` received as `y`.
        shapes: The shapes of images in `x` and in `y`, as `kgan.conditions.Condition.shapes_in_data` returns them.
        select: Function from a mapping to a tuple of its parts, `kgan.conditions.Condition.select`.

    Raises:
        ValueError: if images in a list differ in size, or whole numbers are out of range.
    """
    shape, other = shapes
    if y is not None:
        x, y = (one.images if isinstance(one, Data) else one for one in (x, y))
    if y is None and isinstance(x, Data | Folder):
        if isinstance(x, Folder):
            return x, x.labels
        return arrays(x.given, x.images, shapes) if other else arrays(x.images, x.labels, shapes)
    if y is None and isinstance(x, Mapping):
        parts = {name: _array(value) for name, value in x.items()}
        selected = select(parts)
        return arrays(selected[0], selected[1] if len(selected) > 1 else None, shapes)
    if y is None and isinstance(x, list | tuple) and len(x) == 2 and _is_pair(_array(x[0]), _array(x[1]), shapes):
        return arrays(x[0], x[1], shapes)
    named = ("The images given", "generator's input") if other else ()
    y = native(y) if isinstance(y, np.ndarray) else y
    return _whole(x, shape, *named), y if y is None or (hasattr(y, "dtype") and not other) else _whole(y, other)


def _whole(x, shape, *named):
    """Images, or labels where `shape` is `()`, as one array."""
    x = _array(x)
    if (
        x is None
        or isinstance(x, str | bytes | numbers.Number)
        or getattr(getattr(x, "dtype", None), "kind", "") == "U"
    ):
        raise ValueError(
            "`x` must be images: an array (n, height, width, channels), a kgan.data.Folder(path) of pictures, or a dataset "
            f"of batches. Received: {str(x):.80}"
        )
    if isinstance(x, np.ndarray) and x.dtype == object:
        raise ValueError(
            "Images in a list must have one size. Received: "
            f"{len(x)} of them, of shapes {' and '.join(sorted({str(np.shape(one)) for one in x})[:3])}"
        )
    if type(x).__name__ in _NOT_DENSE:
        raise ValueError(
            f"Images must be dense arrays. Received: {type(x).__name__}, which has .to_tensor() or to_dense()"
        )
    if isinstance(x, np.ndarray) and not is_on_demand(x):
        x = native(x)
        turn = _turn(x.shape[1:], shape)
        if turn is not None:
            x = _of_bytes(turn(x))
        elif shape:
            fitted(x, shape, *named)  # raises before the training
    return x


def check_lengths(a, b):
    """Raise ValueError if images of two domains are not of one number, or are two datasets."""
    if isinstance(a, Ordered) and b is not None:
        raise ValueError(
            "kgan.data.Unpaired holds images of both domains: fit(Unpaired(a, b, batch_size)), without `y`."
        )
    if hasattr(a, "element_spec") and hasattr(b, "element_spec"):
        raise ValueError(
            "Datasets of images of two domains must be one dataset of both, tf.data.Dataset.zip((a, b)). Received: two"
        )
    counts = [len(one) for one in (a, b) if isinstance(one, np.ndarray) or is_on_demand(one)]
    if 0 in counts:
        raise ValueError("Both domains must contain at least one image. Received: none of " + "ab"[counts.index(0)])
    if len(set(counts)) > 1:
        raise ValueError(
            "fit(a, b) takes images of two domains as they come, of each the same number. Received: "
            f"{counts[0]:,} of a and {counts[1]:,} of b. kgan.data.Unpaired(a, b, batch_size) draws both in any number."
        )


def check_domains(batches, shapes):
    """Raise ValueError if images of a `kgan.data.Unpaired` do not have the shapes of the two domains."""
    if not isinstance(batches, Ordered):
        return
    for name, side, shape in zip("ab", batches.sides, shapes, strict=False):
        there = tuple(side.crop or side.images.shape[1:3]) + tuple(side.images.shape[3:])
        if _turn(there, shape) is None:
            others = zip(batches.sides, shapes[::-1], strict=True)
            fits = all(_turn(tuple(one.images.shape[1:]), other) is not None for one, other in others)
            hint = "" if not fits else " a and b are exchanged: kgan.data.Unpaired(b, a, batch_size)."
            raise ValueError(f"Images of {name} must have the shape {shown(shape)}. Received: {shown(there)}.{hint}")


_NOT_DENSE = ("RaggedTensor", "SparseTensor", "RaggedTensorSpec", "SparseTensorSpec")


def split(x, y, share):
    """Images that are read on demand, and their labels, as two such pairs, the second of which has this share at the end."""
    begin = int(len(x) * (1 - share))
    ends = ((0, begin), (begin, len(x)))
    return [
        tuple(None if one is None else (Part(one, *end) if is_on_demand(one) else one[slice(*end)]) for one in (x, y))
        for end in ends
    ]


def _of_bytes(images):
    """Images of whole numbers as uint8."""
    if images.dtype.kind not in "iu" or images.ndim < (2 if images.dtype == np.uint8 else 3) or not images.size:
        return images
    images = brightness.as_white(images)
    if images.dtype == np.uint8:
        return images
    low, high = int(images.min()), int(images.max())
    if low < 0 or high > 255:
        raise ValueError(
            f"Images of whole numbers must lie in [0, 255]. Received: {images.dtype} from {low} to {high}. "
            f"{brightness.advice(low, high)}"
        )
    return images.astype("uint8")


def _array(given):
    """A list, or another thing that numpy can read, as an array; ragged lists as an array of objects."""
    if isinstance(given, np.ndarray) and given.dtype == object:
        given = list(given) if given.ndim == 1 else given.tolist()
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


def _is_pair(images, labels, shapes):
    """Whether these are images and their labels, or two images where both are needed, and not two of the images."""
    shape, other = shapes
    return bool(other) or (
        hasattr(images, "shape")
        and hasattr(labels, "shape")
        and len(images.shape) >= len(shape)
        and 1 <= len(labels.shape) <= 2
        and len(labels.shape) < len(images.shape)
        and images.shape[0] == labels.shape[0]
    )


def dataset(x, select, shapes=((), ())):
    """Return a dataset, or any other source of batches, whose elements are what `select` returns for them.

    Args:
        x: A `tf.data.Dataset`, a `keras.utils.PyDataset`, a torch `DataLoader` or a Python generator; anything else is
            returned as it is.
        select: Function from an element to a tuple, `kgan.conditions.Condition.select`.
        shapes: The shapes of images in the first and the second part of an element, as in `arrays`.
    """
    read = functools.partial(_read, select, shapes)
    if isinstance(x, Iterator):
        return (read(element) for element in x)  # Keras takes no other iterators than generators
    if inspect.isgeneratorfunction(x):
        raise ValueError(
            f"`x` must be images or a dataset. Received: the function {x.__name__}; call it: {x.__name__}()"
        )
    if hasattr(x, "element_spec"):
        specs = keras.tree.flatten(x.element_spec)
        for one in specs:
            if type(one).__name__ in _NOT_DENSE:
                raise ValueError(f"A dataset must hold dense tensors. Received: {type(one).__name__}")
        known = all(getattr(one, "dtype", None) != "string" for one in specs)
        if isinstance(x.element_spec, tuple) and known and all(map(_is_fitted, specs, shapes)):
            return x
        return x.map(lambda *element: read(element if len(element) > 1 else element[0]))
    if hasattr(x, "collate_fn"):
        loader = copy.copy(x)
        loader.collate_fn = functools.partial(_collated, read, x.collate_fn)
        return loader
    if hasattr(x, "__getitem__") and type(x).__module__.split(".")[0] == "torch" and not hasattr(x, "dtype"):
        raise ValueError(
            f"A {type(x).__name__} of PyTorch holds single images. Give its batches: torch.utils.data.DataLoader(x, 64)"
        )
    own = isinstance(x, keras.utils.PyDataset) and not isinstance(x, Ordered)
    return Selected(x, read) if own else x


def _read(select, shapes, element):
    parts = select(_stacked(element, shapes[0]))
    brightness.warn_if_dark(parts[0])
    return (*map(_in_shape, parts, shapes), *parts[len(shapes) :])


def _in_shape(images, shape):
    """Images in that shape, if numpy or PyTorch can give it to them; other conversions are left to the step."""
    if isinstance(images, np.ndarray) and shape:
        images = native(images)
        if _turn(images.shape[1:], shape) is None:
            fitted(images, shape)  # raises the same on all engines
    if _is_fitted(images, shape):
        return images
    add_axis = len(images.shape) == len(shape)
    turn = add_axis or hasattr(images, "movedim")
    return _turn(tuple(images.shape)[1:], shape)(images) if turn else images


def _stacked(element, shape):
    """An element of a dataset whose images, if they are a list of single ones, are one array."""

    def is_list(images):
        return isinstance(images, list | tuple) and images and all(_turn(np.shape(one), shape) for one in images)

    if not shape or not isinstance(element, list | tuple):
        return element
    if is_list(element):
        return np.stack([np.asarray(one) for one in element])
    return tuple(_array(one) if is_list(one) or not hasattr(one, "shape") else one for one in element)


def _is_fitted(images, shape):
    """Whether a batch has the shape already, or one that is not known or cannot be understood."""
    if not shape:
        return True
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
