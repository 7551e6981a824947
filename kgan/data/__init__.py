"""The sources of images, and the deterministic order of their batches."""

from kgan.data.array_file import file
from kgan.data.batches import Batches
from kgan.data.digits import digits
from kgan.data.downloads import cifar10, fashion_mnist, mnist
from kgan.data.fitting import height_and_width
from kgan.data.folder import Folder
from kgan.data.loaded import Data
from kgan.data.outlined import outlined_digits
from kgan.data.points import grid, ring
from kgan.data.shards import Shards
from kgan.data.sources import DATASETS, get, load, made_from
from kgan.data.stacked import stacked_mnist
from kgan.data.unpaired import Unpaired

__all__ = [
    "DATASETS",
    "Batches",
    "Data",
    "Folder",
    "Shards",
    "Unpaired",
    "cifar10",
    "digits",
    "fashion_mnist",
    "file",
    "get",
    "grid",
    "height_and_width",
    "load",
    "made_from",
    "mnist",
    "outlined_digits",
    "ring",
    "stacked_mnist",
]
