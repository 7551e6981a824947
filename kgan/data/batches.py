"""Batches in an order that is a function of the seed and the epoch, so that a resumed training finds its position."""

import math

import keras
import numpy as np

from kgan.arguments import Misfit, integer
from kgan.data import brightness
from kgan.data.folder import Folder
from kgan.data.mapped import is_on_demand, let_go, native

MAPPED = 2**26  # bytes of a memory-mapped array that may stay in memory after they were read


class Batches(keras.utils.PyDataset):
    """Batches of images, shuffled anew for each epoch; the last one may be smaller.

    Example:

    >>> batches = Batches(np.arange(10), batch_size=4, seed=1)
    >>> [len(batches[index][0]) for index in range(len(batches))]
    [4, 4, 2]

    Args:
        images: Array `(n, height, width, channels)`, which is not changed: uint8 is scaled in the training step. Or a
            `Folder`, a memory-mapped array or an h5py data set, whose images are read when a batch needs them.
        batch_size: Integer.
        seed: Integer. Together with the number of the epoch it defines the order.
        epoch: Integer. The first epoch.
        labels: Array `(n,)`. Batches are then `(images, labels)`.
        replacement: Whether each image of a batch is drawn from all images, so that some occur twice in an epoch and others
            not at all. Then every batch is full, and an epoch has `n // batch_size` batches, at least one.
        flip: Whether each image is mirrored left to right with probability 1/2.
        given: What the generator is given for each image, likewise. Batches are then `(given, images)`, and both of a pair
            are mirrored and cropped alike.
        crop: Pair `(height, width)`: of each image a random part of that size is taken.
        shuffle: Whether the order is drawn; without, it is that of the images.

    Raises:
        ValueError: if there are no images or they differ in size, the number of labels or of what is given differs, `flip`
            or `crop` are used for anything but images of the necessary size, or `batch_size` is not valid.
    """

    def __init__(
        self,
        images,
        batch_size,
        seed=0,
        epoch=0,
        labels=None,
        replacement=False,
        flip=False,
        given=None,
        crop=None,
        shuffle=True,
    ):
        super().__init__()
        labels = labels if labels is None else native(np.asarray(labels))
        batch_size = integer("batch_size", batch_size, at_least=1, of="Batches")
        if isinstance(images, list | tuple):
            images = _stacked(images)
        if not len(images):
            raise ValueError("`images` of Batches must contain at least one image.")
        if flip and len(images.shape) != 4:
            message = f"`flip` is for images (n, height, width, channels). Received: shape {tuple(images.shape)}"
            raise Misfit(message, flip=False)
        if labels is not None and len(labels) != len(images):
            raise ValueError(
                f"There must be one label for each image. Received: {len(labels)} labels, {len(images)} images."
            )
        if labels is not None and labels.dtype.kind not in "biuf":
            raise ValueError(
                f"`labels` of Batches must be numbers. Received: {labels.dtype}. "
                "np.unique(labels, return_inverse=True) numbers the classes."
            )
        if isinstance(images, np.ndarray) and not is_on_demand(images):
            images = brightness.as_white(images)
        if isinstance(given, np.ndarray) and not is_on_demand(given):
            given = brightness.as_white(given)
        self.images, self.labels, self.batch_size, self.seed = images, labels, batch_size, seed
        self.given, self.crop = given, crop and tuple(crop)
        self.replacement, self.flip, self.shuffle = replacement, flip, shuffle
        self._check_pairs()
        self.first, self._mapped = 0, 0
        self._start(epoch)

    def _start(self, epoch):
        self.epoch = epoch
        draw = np.random.default_rng([self.seed, epoch])
        count = len(self.images)
        if self.replacement:
            self.order = draw.integers(count, size=max(1, count // self.batch_size) * self.batch_size)
        else:
            self.order = draw.permutation(count) if self.shuffle else np.arange(count)
        self.mirrored = draw.random(len(self.order)) < 0.5 if self.flip else None
        if self.crop:
            room = np.array(self.images.shape[1:3]) - self.crop
            self.corners = draw.integers(0, room + 1, size=(len(self.order), 2))

    @property
    def steps(self):
        """The number of batches in a whole epoch."""
        return math.ceil(len(self.order) / self.batch_size)

    def __len__(self):
        return self.steps - self.first

    def __getitem__(self, index):
        index += self.first
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        chosen = self.order[part]
        if self.given is not None:
            return tuple(self._changed(images, part) for images in self._read_pairs(chosen))
        images = self._read(self.images, chosen)
        if not self.in_memory:
            brightness.warn_if_dark(images)
        images = self._changed(images, part)
        return (images,) if self.labels is None else (images, self.labels[chosen])

    def _changed(self, images, part):
        if self.mirrored is not None:
            images = np.where(self.mirrored[part, None, None, None], images[:, :, ::-1], images)
        if self.crop:
            height, width = self.crop
            corners = self.corners[part]
            images = np.stack(
                [one[top : top + height, left : left + width] for one, (top, left) in zip(images, corners, strict=True)]
            )
        return images

    def _check_pairs(self):
        if self.given is not None and len(self.given) != len(self.images):
            raise ValueError(
                "There must be as many images that are given as real ones. "
                f"Received: {len(self.given)} and {len(self.images)}."
            )
        sizes = [tuple(one.shape[1:3]) for one in (self.images, self.given) if one is not None]
        if self.crop and (
            len(self.images.shape) != 4 or len(set(sizes)) > 1 or not np.all(sizes[0] >= np.array(self.crop))
        ):
            raise ValueError(
                f"`crop` {self.crop} is for images of one size, which is at least as large. Received: "
                f"{' and '.join(' x '.join(map(str, size)) for size in sizes)}"
            )

    def _read_pairs(self, chosen):
        """Both images of each pair: read again if one of them was replaced meanwhile, so that they belong together."""
        while True:
            replaced = len(getattr(self.images, "moved", ()))
            both = self._read(self.given, chosen), self._read(self.images, chosen)
            if len(getattr(self.images, "moved", ())) == replaced:
                return both

    @property
    def in_memory(self):
        """Whether the images, and what is given, are arrays in memory."""
        return all(_in_memory(one) for one in (self.images, self.given) if one is not None)

    def _read(self, source, chosen):
        if isinstance(source, np.ndarray | Folder):
            images = native(np.array(source[chosen]))
            if not _in_memory(source):
                self._mapped += images.nbytes
                if self._mapped > MAPPED:
                    self._mapped = 0
                    let_go(source)
            return images
        positions, places = np.unique(chosen, return_inverse=True)  # h5py reads in increasing order only
        return native(np.asarray(source[positions])[places])

    def next_epoch(self):
        """Shuffle for the next epoch. `GAN.fit` calls this at the end of every epoch."""
        self.seek(self.epoch + 1)

    def seek(self, epoch, batch=0):
        """Go to an epoch, and skip its first batches, which are done already."""
        self.first = batch
        self._start(epoch)

    def identity(self):
        """The values that, with the epoch, define the order."""
        return {
            "seed": self.seed,
            "images": len(self.images),
            "batch_size": self.batch_size,
            "replacement": self.replacement,
            "flip": self.flip,
            **({"crop": list(self.crop)} if self.crop else {}),
            **({} if self.shuffle else {"shuffle": False}),
        }


def _in_memory(images):
    return isinstance(images, np.ndarray) and not is_on_demand(images)


def _stacked(images):
    shapes = {np.shape(one) for one in images}
    if len(shapes) > 1:
        raise ValueError(
            f"`images` in a list must have one size. Received: {' and '.join(map(str, sorted(shapes)[:3]))}"
        )
    return np.asarray(images)
