"""Batches in an order that is a function of the seed and the epoch, so that a resumed training finds its position."""

import math

import numpy as np

from kgan.arguments import Misfit, integer
from kgan.data import brightness
from kgan.data.crop import parts
from kgan.data.mapped import is_on_demand, let_go, native
from kgan.data.on_demand import OnDemand
from kgan.data.ordered import Ordered
from kgan.data.paired_folder import Sources

MAPPED = 2**26  # bytes of a memory-mapped array that may stay in memory after they were read


class Batches(Ordered):
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
        flip: Whether each image is mirrored left to right with probability 1/2, together with what is given for it.
        given: What the generator is given for each image, `(n, height, width, channels)`, in one of the forms of `images`.
            Batches are then `(given, images)`, the sources and the targets of pairs.
        crop: Integer or pair `(height, width)`. Each image is a random part of this size, the same one of what is given.
        shuffle: Whether the order is drawn; without, it is that of the images.

    Raises:
        ValueError: if there are no images or they differ in size, the number of labels or of what is given differs, `flip`
            or `crop` is used for anything but images, the parts are larger than the images, or `batch_size` is not valid.
    """

    entropy: tuple[int, ...] = ()  # besides the seed and the epoch

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
        _check_given(given, images, labels)
        if labels is not None and len(labels) != len(images):
            raise ValueError(
                f"There must be one label for each image. Received: {len(labels)} labels, {len(images)} images."
            )
        if labels is not None and labels.dtype.kind not in "biuf":
            raise ValueError(
                f"`labels` of Batches must be numbers. Received: {labels.dtype}. "
                "np.unique(labels, return_inverse=True) numbers the classes."
            )
        images, given = (
            brightness.as_white(one) if isinstance(one, np.ndarray) and not is_on_demand(one) else one
            for one in (images, given)
        )
        self.images, self.labels, self.batch_size, self.seed = images, labels, batch_size, seed
        self.replacement, self.flip, self.shuffle, self.given = replacement, flip, shuffle, given
        self.crop = None if crop is None else _checked(crop, images, given)
        self._mapped = 0
        self._start(epoch)

    def _start(self, epoch):
        self.epoch = epoch
        draw = np.random.default_rng([self.seed, epoch, *self.entropy])
        self.order = self._drawn(draw)
        self.mirrored = draw.random(len(self.order)) < 0.5 if self.flip else None
        self.corners = None  # top and left of each part
        if self.crop is not None:
            room = np.array(self.images.shape[1:3]) - self.crop
            self.corners = draw.integers(room + 1, size=(len(self.order), 2))

    def _drawn(self, draw):
        """The positions of an epoch's images."""
        count = len(self.images)
        if self.replacement:
            return draw.integers(count, size=max(1, count // self.batch_size) * self.batch_size)
        return draw.permutation(count) if self.shuffle else np.arange(count)

    @property
    def steps(self):
        return math.ceil(len(self.order) / self.batch_size)

    @property
    def examples(self):
        return len(self.order)

    def __getitem__(self, index):
        index += self.first
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        chosen = self.order[part]
        if self.given is not None:
            given, images = self._read_own(self._read_both, chosen)
            return self._changed(given, part), self._changed(images, part)
        [images] = self._read_own(lambda own: [self._read(self.images, own)], chosen)
        if not self.in_memory:
            brightness.warn_if_dark(images)
        images = self._changed(images, part)
        return (images,) if self.labels is None else (images, self.labels[chosen])

    def _read_own(self, read, chosen):
        """Arrays of the images at some positions, of which only this process' part is read from files; the rest is 0."""
        index, count = self.process
        if self.in_memory or count == 1 or len(chosen) % self.divisor:
            return read(chosen)
        n = len(chosen) // count
        own = slice(index * n, (index + 1) * n)
        found = []
        for part in read(chosen[own]):
            found.append(np.zeros((len(chosen), *part.shape[1:]), part.dtype))
            found[-1][own] = part
        return found

    def _changed(self, images, part):
        """Images of a part of the order, cropped and mirrored as was drawn for them."""
        if self.corners is not None:
            images = parts(images, self.corners[part], self.crop)
        if self.mirrored is not None:
            images = np.where(self.mirrored[part, None, None, None], images[:, :, ::-1], images)
        return images

    @property
    def read_from(self):
        return [self.images] if self.given is None else [self.images, self.given]

    @property
    def in_memory(self):
        return all(isinstance(one, np.ndarray) and not is_on_demand(one) for one in self.read_from)

    def _read_both(self, chosen):
        if isinstance(self.given, Sources) and self.given.folder is self.images:
            return self.images.pictures(chosen)  # one that has vanished is replaced together with its partner
        return self._read(self.given, chosen), self._read(self.images, chosen)

    def _read(self, images, chosen):
        if isinstance(images, np.ndarray | OnDemand):
            read = native(np.array(images[chosen]))
            if not self.in_memory:
                self._mapped += read.nbytes
                if self._mapped > MAPPED:
                    self._mapped = 0
                    for one in self.read_from:
                        let_go(one)
            return read
        positions, places = np.unique(chosen, return_inverse=True)  # h5py reads in increasing order only
        return native(np.asarray(images[positions])[places])

    def identity(self):
        return {
            "seed": self.seed,
            "images": len(self.images),
            "batch_size": self.batch_size,
            "replacement": self.replacement,
            "flip": self.flip,
            **({} if self.crop is None else {"crop": list(self.crop)}),
            **({} if self.shuffle else {"shuffle": False}),
        }


def _check_given(given, images, labels):
    if given is None:
        return
    if labels is not None:
        raise ValueError("`labels` and `given` of Batches cannot be used together: a batch is one pair.")
    if len(given) != len(images):
        raise ValueError(
            f"There must be one of `given` for each image. Received: {len(given):,} given, {len(images):,} images."
        )
    for name, one in (("given", given), ("images", images)):
        if len(one.shape) != 4:
            raise ValueError(
                f"`{name}` must be images (n, height, width, channels), one of a pair. Received: shape {tuple(one.shape)}"
            )


def _checked(crop, images, given):
    """The size of random parts as a pair."""
    if len(images.shape) != 4:
        raise ValueError(f"`crop` is for images (n, height, width, channels). Received: shape {tuple(images.shape)}")
    both = crop if isinstance(crop, list | tuple) else (crop, crop)
    if len(both) != 2:
        raise ValueError(f"`crop` must be an integer, or a pair (height, width). Received: {crop!r}")
    height, width = (integer("crop", side, at_least=1, of="Batches") for side in both)
    there = tuple(images.shape[1:3])
    if height > there[0] or width > there[1]:
        raise ValueError(
            f"`crop` must be at most the size of the images, {there[0]} x {there[1]}. Received: {height} x {width}"
        )
    if given is not None and tuple(given.shape[1:3]) != there:
        raise ValueError(
            "`crop` takes the same part of both images of a pair, which must have one size. Received: given "
            f"{given.shape[1]} x {given.shape[2]}, images {there[0]} x {there[1]}"
        )
    return height, width


def _stacked(images):
    shapes = {np.shape(one) for one in images}
    if len(shapes) > 1:
        raise ValueError(
            f"`images` in a list must have one size. Received: {' and '.join(map(str, sorted(shapes)[:3]))}"
        )
    return np.asarray(images)
