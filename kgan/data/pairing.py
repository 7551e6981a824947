"""Where the pairs of a folder are, and which files belong together."""

import pathlib
import unicodedata
from dataclasses import dataclass

from PIL import Image

from kgan.data.listing import files_in, folders_in, loose_files_in

LAYOUTS = (
    "Pairs of pictures are two folders of equal file names, such as A/ and B/, or pictures that show both, one in the left "
    "half and the other one in the right half."
)
_SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation", "dev"}


@dataclass(frozen=True)
class Pairing:
    """Two folders whose files of equal names are pairs, or one folder, twice, of pictures whose halves are.

    Attributes:
        folders: The two folders, the source and the target.
        names: What both are called.
        around: For each of them the folders of the same pictures in all splits.
        halves: Whether the halves of each picture are a pair; the left one is the source.
        beside: Files beside the two folders, which belong to neither.
    """

    folders: tuple[pathlib.Path, pathlib.Path]
    names: tuple[str, str]
    around: tuple[list[pathlib.Path], list[pathlib.Path]]
    halves: bool = False
    beside: tuple[pathlib.Path, ...] = ()

    def reversed(self):
        """The same with source and target exchanged; of halves, the right one is the source then."""
        return Pairing(self.folders[::-1], self.names[::-1], self.around[::-1], self.halves, self.beside)  # type: ignore[arg-type]

    def entries(self, skipped):
        """The pairs, in the natural order of their names: tuples of a source and a target, or of the file that shows both.

        Files without a partner, and those beside the folders, are added to `skipped`, a dict from a reason to files.
        """
        if self.halves:
            return [(path,) for path in files_in(self.folders[0], skipped)]
        sources, targets = (files_in(folder, skipped) for folder in self.folders)
        pairs, alone = matched(sources, targets, self.folders)
        if alone:
            skipped["without a partner"] = alone
        if self.beside:
            skipped["beside the two folders"] = list(self.beside)
        return pairs

    def in_other_splits(self, side, files):
        """Files of one side, 0 or 1, that are not among these."""
        found = {path for folder in self.around[side] for path in files_in(folder, {})}
        return sorted(found.difference(files))


def find(path, split):
    """Return the `Pairing` of a split of a folder.

    It is in a folder of the split's name, or in folders of this name below two others, as in `A/train` and `B/train`. A
    folder without splits is training data.

    Raises:
        ValueError: if there is no such split, or its folders are not two.
    """
    part, names = path / split, folders_in(path)
    if part.is_dir():
        return _within(part, path)
    divided = [name for name in names if (path / name / split).is_dir()]
    if len(divided) == 2:
        first, second = divided
        return Pairing(
            (path / first / split, path / second / split), (first, second), ([path / first], [path / second])
        )
    if split != "train" or (names and {name.lower() for name in names} <= _SPLITS):
        inside = ", ".join(names) or "none"
        raise ValueError(f"{path} has no folder {split!r} for that split. Folders in it: {inside}.")
    return _within(path, path)


def _within(part, path):
    names = folders_in(part)
    if not names:
        return Pairing((part, part), ("left halves", "right halves"), ([path], [path]), halves=True)
    if len(names) != 2:
        raise ValueError(f"{LAYOUTS} Received: {part} with the {_listed(names)}")
    first, second = names
    splits = [path] if part == path else [path / name for name in folders_in(path)]
    around = tuple([one / name for one in splits if (one / name).is_dir()] for name in names)
    both, beside = (part / first, part / second), tuple(loose_files_in(part))
    return Pairing(both, (first, second), around, beside=beside)  # type: ignore[arg-type]


def _listed(names):
    shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    return f"{'folder' if len(names) == 1 else 'folders'} {shown}"


def matched(sources, targets, folders):
    """Pairs of files with equal paths below their folders, and then of those whose paths differ in the ending alone.

    Args:
        sources: Paths of files below the first folder.
        targets: Paths of files below the second folder.
        folders: The two folders.

    Returns:
        A list of pairs, in the order of the sources, and a list of the files without a partner.
    """
    partners: dict = {}
    for ending in (True, False):
        taken = set(partners.values())
        known: dict = {}
        for path in _pictures_first(one for one in targets if one not in taken):
            known.setdefault(_name(path, folders[1], ending), path)
        for path in _pictures_first(one for one in sources if one not in partners):
            partner = known.pop(_name(path, folders[0], ending), None)
            if partner is not None:
                partners[path] = partner
    taken = set(partners.values())
    alone = [one for one in sources if one not in partners] + [one for one in targets if one not in taken]
    return [(one, partners[one]) for one in sources if one in partners], alone


def _pictures_first(paths):
    """Beside `x.jpg` there may be a text of the same name."""
    endings = Image.registered_extensions()
    return sorted(paths, key=lambda path: path.suffix.lower() not in endings)


def _name(path, folder, ending):
    inside = path.relative_to(folder)
    # macOS writes an umlaut as two characters
    return unicodedata.normalize("NFC", (inside if ending else inside.with_suffix("")).as_posix())
