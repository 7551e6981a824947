"""What `kgan.data.load` returns."""

import pathlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Data:
    """Images, their labels, and the files that were skipped.

    Attributes:
        images: uint8 or float array `(n, height, width, channels)`, or points `(n, 2)`; a `Folder` whose pictures do not fit
            into memory.
        labels: Integers `(n,)`, or `None`.
        skipped: Dict from a reason to the files of a folder that were skipped for it.
        fitted: String. In words, how the pictures of a folder were resized to one size, and how they or the images of a file
            were scaled to 8 bits; empty if they were not.
        classes: Names of the classes, in the order of their numbers; empty if they have none.
        origin: String. In words, which folders of a folder were read and which were not; empty if all were.
        unlabelled: String. In words, why pictures have no labels although some lie in folders; empty otherwise.
        given: What the generator is given for each image, if the data are pairs; an array or a `Folder`, or `None`.
        paired: String. In words, how pairs were found, such as `lines to colours`; empty without pairs.
        crop: Pair `(height, width)`, the size of the part of each image to train on, or `None` for all of it.
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
