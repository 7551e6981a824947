"""Pairs of pictures: what a generator is given, and what it is to make of it."""

import pathlib

import numpy as np
from PIL import Image

from kgan.data import array_file
from kgan.data.fitting import height_and_width
from kgan.data.folder import Folder, spread
from kgan.data.names import files_in, folders_in, natural
from kgan.data.splits import part_of

LAYOUTS = (
    "pictures that show both side by side, or two folders with equal file names, such as A/ and B/, or a file of arrays"
)
DIRECTIONS = ("a_to_b", "b_to_a")
_NAMES = (("sources", "targets"), ("given", "real"), ("a", "b"), ("x", "y"))  # of arrays in a file


def pairs_in(path, split="train", size=None, channels=None, limit=None, progress=None, memory=None, direction="a_to_b",
             kind="images"):  # fmt: skip
    """Read pairs of pictures from a folder.

    It holds pictures that show A in their left and B in their right half; or two folders with pictures of equal names, the
    first of which by name is A. A split is a folder of that name in it, or in both of the two folders.

    Args:
        path: Path of the folder.
        split, size, channels, limit, progress: As in `kgan.data.load`. `size` and `channels` are those of the real images;
            what is given has the same size, and one channel if all of it is grey.
        memory: As in `Folder`.
        direction: `"a_to_b"`: A is given and B is the real image; or `"b_to_a"`.
        kind: `"images"`, or `"labels"` if what is given are label maps, which are resized without new values.

    Returns:
        What is given and the real images, two `Folder`s of as many pictures; the skipped files; how pairs were found.

    Raises:
        ValueError: if there are no pairs.
    """
    halves, skipped, found = _found(path, split)
    order = (0, 1) if direction == "a_to_b" else (1, 0)
    chosen = spread(found, limit)
    half = dict.fromkeys(order) if halves is not None else {0: 0, 1: 1}
    source, target = order
    common = {"progress": progress, "whole": None, "memory": memory}
    real = Folder(path, size, channels, files=[one[target] for one in chosen], half=half[target], **common)
    nearest = {"filter": Image.Resampling.NEAREST} if kind == "labels" else {}
    given = Folder(
        path, real.shape[1:3], None, files=[one[source] for one in chosen], half=half[source], **nearest, **common
    )
    for folder in (real, given):
        for reason, files in folder.skipped.items():
            skipped.setdefault(reason, []).extend(file for file in files if file not in skipped.get(reason, ()))
    readable = [set(folder.paths) for folder in (given, real)]
    both = [one for one in chosen if one[source] in readable[0] and one[target] in readable[1]]
    if not both:
        raise ValueError(f"{path} contains no pair of pictures of which both can be read.")
    for folder, side in ((given, source), (real, target)):
        at = {file: index for index, file in enumerate(folder.paths)}
        folder.keep([at[one[side]] for one in both])
        folder.labels, folder.classes = None, []
    given.join(real)
    names = ("left", "right") if halves is None else halves
    return given, real, skipped, f"{names[source]} to {names[target]}"


def _found(path, split):
    """The names of the two folders, or `None`; the skipped files; and the pairs, tuples of files."""
    skipped: dict[str, list[pathlib.Path]] = {}
    try:
        folder, _, _ = part_of(path, split)
    except ValueError:
        sides = folders_in(path)
        if not sides or not all((path / side / split).is_dir() for side in sides):
            raise
        folder = path
    names = folders_in(folder)
    loose = [file for file in files_in(folder, skipped) if file.parent == folder]
    if not names:
        return None, skipped, [(file, file) for file in loose]
    if len(names) != 2:
        raise ValueError(f"Pairs are {LAYOUTS}. {folder} holds {len(names)} folders: {', '.join(names)}")
    sides = [_by_name(folder / name / split if (folder / name / split).is_dir() else folder / name) for name in names]
    for side, other in (sides, sides[::-1]):
        lonely = [file for key, file in side.items() if key not in other]
        if lonely:
            skipped.setdefault("without a partner", []).extend(lonely)
    if loose:
        skipped.setdefault("beside the two folders", []).extend(loose)
    both = sorted(sides[0].keys() & sides[1].keys(), key=natural)
    if not both:
        raise ValueError(
            f"No file in {folder / names[0]} has the name of one in {folder / names[1]}; pairs are {LAYOUTS}."
        )
    return names, skipped, [(sides[0][key], sides[1][key]) for key in both]


def _by_name(folder):
    """The files below a folder by their path in it, without the ending."""
    return {file.relative_to(folder).with_suffix(""): file for file in files_in(folder, {})}


def arrays_in(path, split="train", direction="a_to_b"):
    """Read pairs from an `.npz` file: arrays `sources` and `targets`, `a` and `b`, or `x` and `y`; of a split `a_test`, ...

    Returns:
        What is given and the real images, two arrays of images; and in words how these were scaled.

    Raises:
        ValueError: if they are not there, or not images, or not as many.
    """
    arrays, _ = array_file.arrays_in(path)
    for ending in (f"_{split}", "") if split == "train" else (f"_{split}",):
        for names in _NAMES:
            if all(name + ending in arrays for name in names):
                read = [array_file.images_of(arrays[name + ending], path) for name in names]
                both, words = [one for one, _ in read], "; ".join(dict.fromkeys(one for _, one in read if one))
                if len(both[0]) != len(both[1]) or both[1].ndim != 4:
                    raise ValueError(
                        f"{path} must hold as many images in {names[0]} as in {names[1]}. "
                        f"Received: arrays of shape {both[0].shape} and {both[1].shape}"
                    )
                return both if direction == "a_to_b" else both[::-1], words
    raise ValueError(
        f"{path} holds no pairs: two arrays of images, such as `sources` and `targets`. It has: {', '.join(sorted(arrays))}"
    )


def larger(size, resize):
    """The size at which pictures are read, and the part of it to train on, or `None`.

    Raises:
        ValueError: if `resize` is smaller than `size`.
    """
    if resize is None:
        return size, None
    size, resize = height_and_width(size), height_and_width(resize)
    if size is None or not np.all(np.array(resize) >= size):
        raise ValueError(
            f"`resize` must be at least `size`, the part that is trained on. Received: {resize} and {size}"
        )
    return resize, size
