"""Where the pairs of a folder are, and which files belong together."""

import pathlib
import unicodedata
from dataclasses import dataclass, replace

from PIL import Image

from kgan.data.names import files_in, folders_in, loose_files_in
from kgan.data.splits import called, inside, kind, part_of

LAYOUTS = (
    "Pairs of pictures are two folders of equal file names, such as A/ and B/, or pictures that show both, one in the left "
    "half and the other one in the right half."
)


@dataclass(frozen=True)
class Pairing:
    """Two folders whose files of equal names are pairs, or one folder, twice, of pictures whose halves are.

    Attributes:
        folders: The two folders, the source and the target.
        names: What both are called.
        around: For each of them the folders of the same pictures in all splits.
        origin: String. In words, which folders were read and which were not; empty if all were.
        halves: Whether the halves of each picture are a pair; the left one is the source.
        beside: Files beside the two folders, which belong to neither.
    """

    folders: tuple[pathlib.Path, pathlib.Path]
    names: tuple[str, str]
    around: tuple[list[pathlib.Path], list[pathlib.Path]]
    origin: str = ""
    halves: bool = False
    beside: tuple[pathlib.Path, ...] = ()

    def reversed(self):
        """The same with source and target exchanged; of halves, the right one is the source then."""
        both = {"folders": self.folders[::-1], "names": self.names[::-1], "around": self.around[::-1]}
        return replace(self, **both)  # type: ignore[arg-type]

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


def find(path, split, layouts=LAYOUTS):
    """Return the `Pairing` of a split of a folder. `layouts` is what a complaint says of how it may look.

    It is in the folder of that split (`kgan.data.splits.part_of`), in folders of this name below two others, as in `A/train`
    and `B/train`, or in two whose names say both, `trainA` and `trainB`.

    Raises:
        ValueError: if there is no such split, or its folders are not two.
    """
    whole = inside(path)
    both = _named_for_both(whole, split)
    if both is not None:
        return both
    below = {name: folders_in(whole / name) for name in folders_in(whole)}
    divided = {name: part for name, inner in below.items() if (part := called(split, inner)) is not None}
    if len(divided) == 2:
        first, second = divided
        parts = [f"{name}/{part}/" for name, part in divided.items()]
        left = dict.fromkeys(f"{one}/" for name in divided for one in below[name] if one != divided[name])
        origin = " and ".join(parts) + (f", without {', '.join(left)}" if left else "")
        folders = (whole / parts[0], whole / parts[1])
        return Pairing(folders, (first, second), ([whole / first], [whole / second]), origin)
    part, whole, origin = part_of(path, split)
    return _within(part, whole, origin, layouts)


def _named_for_both(whole, split):
    """The `Pairing` of folders such as `trainA` and `trainB`, `None` if there are none."""
    found: dict[str, dict] = {"a": {}, "b": {}}  # from a split to the name of its folder
    for name in folders_in(whole):
        stem, letter = name[:-1].rstrip("_-. "), name[-1].lower()
        if letter in found and kind(stem):
            found[letter][stem] = name
    if not all(found.values()):
        return None
    names = [splits.get(called(split, list(splits))) for splits in found.values()]
    there = [name for splits in found.values() for name in splits.values()]
    if None in names:
        raise ValueError(
            f"{whole} has no folders {split}A and {split}B for that split. Folders in it: {', '.join(there)}."
        )
    left = [f"{name}/" for name in there if name not in names]
    origin = " and ".join(f"{name}/" for name in names) + (f", without {', '.join(left)}" if left else "")
    around = tuple([whole / name for name in splits.values()] for splits in found.values())
    first, second = names
    return Pairing((whole / first, whole / second), (first, second), around, origin)  # type: ignore[arg-type]


def _within(part, whole, origin, layouts):
    names = folders_in(part)
    if not names:
        return Pairing((part, part), ("left halves", "right halves"), ([whole], [whole]), origin, halves=True)
    if len(names) != 2 or all(map(kind, names)):
        raise ValueError(f"{layouts} Received: {part} with the {_listed(names)}")
    first, second = names
    splits = [whole] if part == whole else [inside(whole / name) for name in folders_in(whole)]
    around = tuple([one / name for one in splits if (one / name).is_dir()] for name in names)
    both, beside = (part / first, part / second), tuple(loose_files_in(part))
    return Pairing(both, (first, second), around, origin, beside=beside)  # type: ignore[arg-type]


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
