"""Which part of a folder of pictures is read: the folder of a split, or the only folder in it."""

import pathlib

from PIL import Image

from kgan.data import formats
from kgan.data.names import folders_in, is_hidden

NAMES = {
    "train": ("train", "training"),
    "test": ("test", "testing"),
    "val": ("val", "valid", "validation", "dev"),
}


def part_of(path, split="train"):
    """Find the folder of a split, in any case and under its usual names, and below folders that hold nothing else.

    A folder `train` may also be a class, `bus`, `car` and `train`. It is a split where no pictures lie beside it, and the
    other folders are splits too, or one of them is.

    Args:
        path: Path of a folder.
        split: String. Without a folder for `"train"`, all pictures are training data.

    Returns:
        The folder to read; the folder with all splits; and in words where the pictures come from, `"train/, without
        test/"`, empty if that is the whole folder.

    Raises:
        ValueError: if there is no such split.
    """
    if pathlib.Path(split).name != split:
        raise ValueError(f"`split` must be the name of a folder in {path}. Received: {split!r}")
    whole = inside(path)
    names = folders_in(whole)
    kinds = {kind(name) for name in names}
    several = None not in kinds or len(kinds) > 2
    if split != "train" or (names and several and not _has_pictures(whole)):
        chosen = called(split, names)
        if chosen is None:
            hint = "" if split != "train" else f" `split` {names[0]!r} reads one of them."
            raise ValueError(
                f"{whole} has no folder {split!r} for that split. Folders in it: {', '.join(names) or 'none'}.{hint}"
            )
        folder, left = inside(whole / chosen), [name for name in names if name != chosen]
    else:
        folder, left = whole, []
    said = "" if folder == path else f"{folder.relative_to(path).as_posix()}/"
    if left:
        shown = left if len(left) <= 4 else [*left[:3], f"{len(left) - 3} other folders"]
        said += f", without {', '.join(f'{name}/' if name in left else name for name in shown)}"
    return folder, whole, said


def kind(name):
    """The split that a name usually means, a key of `NAMES`, or `None`."""
    return next((kind for kind, known in NAMES.items() if name.lower() in known), None)


def called(split, names):
    """The name among these that means a split: the same one, the same in another case, or another usual one."""
    alike = [name for name in names if name.lower() == split.lower()]
    usual = [name for name in names if kind(name) and kind(name) == kind(split)]
    return split if split in names else next(iter([*alike, *usual]), None)


def inside(path):
    """The folder itself; or the only folder in it, if nothing but folders is in that: it is not a class."""
    entered = set()
    while path.resolve() not in entered:
        entered.add(path.resolve())
        names = folders_in(path)
        if len(names) != 1 or kind(names[0]) or _has_pictures(path):
            break
        only = path / names[0]
        if not folders_in(only) or _has_pictures(only):
            break
        path = only
    return path


def _has_pictures(path):
    """Whether files that are called like pictures lie in a folder itself."""
    formats.register()
    endings = Image.registered_extensions()
    return any(one.suffix.lower() in endings and not is_hidden(one.name) and one.is_file() for one in path.iterdir())
