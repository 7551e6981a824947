"""What `kgan.data.load` returns."""

import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kgan.data.crop import middle


@dataclass
class Data:
    """Images, what comes with them, and the files that were skipped.

    Attributes:
        images: uint8 or float array `(n, height, width, channels)`, or points `(n, 2)`; a `Folder` whose pictures do not fit
            into memory. Of pairs, the real images, which are the targets.
        labels: Integers `(n,)`, or `None`.
        skipped: Dict from a reason to the files of a folder that were skipped for it.
        fitted: String. In words, how the pictures of a folder were resized to one size, and how they or the images of a file
            were scaled to 8 bits; empty if they were not.
        classes: Names of the classes, in the order of their numbers; empty if they have none.
        origin: String. In words, which folders of a folder were read and which were not; empty if all were.
        unlabelled: String. In words, why pictures have no labels although some lie in folders; empty otherwise.
        given: What the generator is given for each image, the sources of pairs, `(n, height, width, channels)`, in the forms
            of `images`; `None` if the data are not pairs.
        paired: String. In words, what is made of what: `lines to colours`; empty if the data are not pairs.
        crop: Pair `(height, width)`, the size of the random part of each image that a batch takes, `crop` of `Batches`;
            `None` if it takes whole images.
    """

    images: Any
    labels: np.ndarray | None = None
    skipped: Mapping[str, list[pathlib.Path]] = field(default_factory=dict)
    fitted: str = ""
    classes: Sequence[str] = ()
    origin: str = ""
    unlabelled: str = ""
    given: Any = None
    paired: str = ""
    crop: tuple[int, int] | None = None

    @property
    def count(self):
        """The number of examples."""
        return len(self.images)

    @property
    def image_shape(self):
        """The shape of an image in a batch, `(height, width, channels)` or `(2,)`."""
        shape = tuple(self.images.shape[1:])
        return shape if self.crop is None else (*self.crop, shape[2])

    @property
    def given_shape(self):
        """The shape of what is given for an image in a batch; `None` if the data are not pairs."""
        if self.given is None:
            return None
        shape = tuple(self.given.shape[1:])
        return shape if self.crop is None else (*self.crop, shape[2])

    def middle(self):
        """The same with the middle part of each image, as large as the parts that a batch takes; itself if it takes all."""
        if self.crop is None:
            return self
        said = "the middle {} x {} of each".format(*self.crop)
        return replace(
            self,
            images=middle(self.images, self.crop),
            given=None if self.given is None else middle(self.given, self.crop),
            fitted="; ".join(filter(None, [self.fitted, said])),
            crop=None,
        )

    def part(self, chosen):
        """The same with the images that an array of booleans chooses; it must be in memory."""
        labels, given = (None if one is None else one[chosen] for one in (self.labels, self.given))
        return replace(self, images=self.images[chosen], labels=labels, given=given)
