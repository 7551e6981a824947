"""Batches of two sets of images that do not belong to each other, such as those of CycleGAN."""

import math

import numpy as np

from kgan.arguments import integer
from kgan.data.batches import Batches
from kgan.data.loaded import Data
from kgan.data.ordered import Ordered


class Unpaired(Ordered):
    """Batches `(a, b)` of two sets of images of any lengths, for a GAN with the condition `kgan.conditions.Unpaired`.

    An epoch is as long as the longer set, each image of which is in it once. The other set begins again, in another order,
    whenever all of its images have been used, so that each is in the epoch equally often, or once more. Orders, parts and
    mirrored images are drawn for each set by itself. The last batch may be smaller. (Of two `tf.data` datasets,
    `tf.data.Dataset.zip((a, b))` is one that `fit` takes instead.)

    Example:

    >>> a, b = np.zeros((5, 8, 8, 1), "uint8"), np.ones((3, 8, 8, 3), "uint8")
    >>> batches = kgan.data.Unpaired(a, b, batch_size=2)
    >>> [(one.shape, other.shape) for one, other in (batches[0], batches[2])]
    [((2, 8, 8, 1), (2, 8, 8, 3)), ((1, 8, 8, 1), (1, 8, 8, 3))]

    Args:
        a: Images of the first domain, `(n, height, width, channels)`: an array, a list of images of one size, or a `Folder`,
            a `Data`, a memory-mapped array or an h5py data set. They are not changed: uint8 is scaled in the training step.
        b: Images of the second domain, in one of these forms; their number, size and channels may be others.
        batch_size: Integer. The number of images of each domain in a batch.
        seed: Integer. Together with the number of the epoch it defines the orders.
        epoch: Integer. The first epoch.
        flip: Boolean. Whether each image is mirrored left to right with probability 1/2.
        crop: Integer or pair `(height, width)`. Each image is a random part of this size. `None` takes the parts that a
            `Data` says, and whole images otherwise.

    Raises:
        ValueError: if `a` or `b` are not images, the parts are larger than these, or `batch_size` is not valid.
    """

    def __init__(self, a, b, batch_size, seed=0, epoch=0, flip=False, crop=None):
        super().__init__()
        self.batch_size = integer("batch_size", batch_size, at_least=1, of="Unpaired")
        self.seed, self.flip = seed, flip
        crops = [one.crop if crop is None and isinstance(one, Data) else crop for one in (a, b)]
        both = [_images(name, one) for name, one in (("a", a), ("b", b))]
        longer = max(map(len, both))
        self.sides = tuple(
            Side(place, longer, images, self.batch_size, seed, epoch, flip=flip, crop=part)
            for place, (images, part) in enumerate(zip(both, crops, strict=True))
        )
        self.epoch = epoch

    @property
    def a(self):
        """The images of the first domain."""
        return self.sides[0].images

    @property
    def b(self):
        """The images of the second domain."""
        return self.sides[1].images

    def _start(self, epoch):
        self.epoch = epoch
        for side in self.sides:
            side.seek(epoch, self.first)

    @property
    def steps(self):
        return self.sides[0].steps

    @property
    def examples(self):
        return self.sides[0].examples

    def __getitem__(self, index):
        (a,), (b,) = (side[index] for side in self.sides)
        return a, b

    @property
    def read_from(self):
        return [self.a, self.b]

    @property
    def in_memory(self):
        return all(side.in_memory for side in self.sides)

    def identity(self):
        return {"seed": self.seed, "sides": [side.identity() for side in self.sides]}


class Side(Batches):
    """One of several sets of images: batches of as many images as the longest set has.

    Args:
        place: Integer. The number of the set, which makes its draws differ from those of the others.
        longest: Integer. The number of images in an epoch.
        *args, **kwargs: Arguments of `Batches`.
    """

    def __init__(self, place, longest, *args, **kwargs):
        self.entropy, self.longest = (place,), longest
        super().__init__(*args, **kwargs)

    def _drawn(self, draw):
        count = len(self.images)
        rounds = [draw.permutation(count) for _ in range(math.ceil(self.longest / count))]
        return np.concatenate(rounds)[: self.longest]


def _images(name, given):
    """The images of a `Data`, of a list, or whatever has their shape."""
    images = given.images if isinstance(given, Data) else given
    if isinstance(images, list | tuple):
        shapes = sorted({np.shape(one) for one in images})
        if len(shapes) > 1:
            raise ValueError(
                f"`{name}` of Unpaired must be images of one size. "
                f"Received: a list of {' and '.join(map(str, shapes[:3]))}"
            )
        images = np.asarray(images)
    shape = getattr(images, "shape", None)
    if shape is None or len(shape) != 4 or not len(images):
        grey = shape is not None and len(shape) == 3
        hint = f" {name}[..., None] gives grey images a last axis." if grey else ""
        received = type(images).__name__ if shape is None else f"shape {tuple(shape)}"
        raise ValueError(
            f"`{name}` of Unpaired must be images (n, height, width, channels), at least one. Received: {received}.{hint}"
        )
    return images
