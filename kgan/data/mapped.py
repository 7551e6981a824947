"""Images that are read from a disk when they are needed."""

import mmap

import keras
import numpy as np

_ENGINES = ("jax", "jaxlib", "tensorflow", "torch")  # whose tensors are in memory


def is_on_demand(images):
    """Whether images are read from a disk when they are needed: a `Folder`, a memory-mapped array, an h5py data set."""
    if isinstance(images, np.ndarray):
        return isinstance(_mapping(images)[0], mmap.mmap)
    there = all(hasattr(images, name) for name in ("shape", "dtype", "__getitem__", "__len__"))
    return there and type(images).__module__.split(".")[0] not in _ENGINES and not keras.ops.is_tensor(images)


def _mapping(array):
    """What an array is a view of, a `mmap.mmap` if it is memory-mapped, and then its mode, such as `"r"`."""
    mode = None
    while isinstance(array, np.ndarray):
        mode = getattr(array, "mode", mode)
        array = array.base
    return array, mode


def let_go(array):
    """Let the system take back the memory of those parts of a memory-mapped array that were read; nothing is lost."""
    file, mode = _mapping(array)
    # a private mapping, "c", may hold changes that are nowhere else; Windows has no such advice
    if hasattr(file, "madvise") and mode in ("r", "r+", "w+"):
        file.madvise(mmap.MADV_DONTNEED)


def native(array):
    """The array in the byte order of this machine, which is the only one that PyTorch and JAX read."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


class Part:
    """A range of images that are read when they are needed.

    Args:
        images: A `Folder`, a memory-mapped array or an h5py data set.
        begin, end: Integers.
    """

    def __init__(self, images, begin, end):
        self.images, self.begin, self.end = images, begin, end
        self.shape, self.dtype = (end - begin, *images.shape[1:]), images.dtype

    def __len__(self):
        return self.end - self.begin

    def __getitem__(self, chosen):
        return self.images[np.arange(self.begin, self.end)[chosen]]
