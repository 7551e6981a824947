"""Pairs of pictures in folders: what a generator is given, and the real image that belongs to it."""

import numpy as np

from kgan.data import pairing
from kgan.data.fitting import channels_of, height_and_width, upright
from kgan.data.form import Form, common_size
from kgan.data.names import files_in
from kgan.data.on_demand import OnDemand
from kgan.data.picture_file import Look, UnreadableError, look, opened

DIRECTIONS, KINDS = ("a_to_b", "b_to_a"), ("images", "labels")


class PairedFolder(OnDemand):
    """Pairs of pictures, the targets of which are a uint8 array, and `given` is that of their sources.

    Where they are says `kgan.data.pairing.find`. A pair whose source or target cannot be read is skipped, and the file that
    is the reason is counted. Otherwise everything is as in a `Folder`; a source or a target that cannot be read any more is
    replaced together with its partner. Deep pictures are scaled to 8 bits by one rule for the sources of all splits, and one
    for their targets; by one for both if they are halves of pictures.

    Args:
        path: Path of the folder.
        split: String, such as `"test"`.
        size: Integer, or pair `(height, width)`. `None` means the pictures' own size if all sources and targets have the
            same one, of at most 256, and 64 x 64 otherwise.
        channels: 1 or 3, of the targets; or a pair, of the sources and the targets. `None` is 1 if all pictures of this side
            are grey, 3 otherwise.
        limit: Integer. The number of pairs to use, spread evenly over all.
        memory: As in `Folder`.
        progress: As in `Folder`.
        direction: `"a_to_b"`: the first of two folders, in natural order, holds the sources, or the left half is the source;
            or `"b_to_a"`, the other way round.
        kind: `"images"`, or `"labels"`: the sources are resized without a filter, so that they keep their colours.

    Attributes:
        given: The sources, a `Sources`.
        paths: The files of each pair, a list of tuples: source and target, or the one picture that shows both.
        names: What the sources are called, and the targets.
        origin: String. In words, which folders were read and which were not; empty if all were.

    Raises:
        ValueError: if there is no such folder, or no pair in it.
    """

    what = "pair of pictures"

    def __init__(
        self,
        path,
        split="train",
        size=None,
        channels=None,
        limit=None,
        memory=None,
        progress=None,
        direction="a_to_b",
        kind="images",
    ):
        size = height_and_width(size)
        channels = [channels_of(one) for one in (channels if isinstance(channels, list | tuple) else (None, channels))]
        super().__init__(path, progress)
        found = pairing.find(self.path, split)
        self._backwards = direction == "b_to_a"
        entries = found.entries(self.skipped)
        if self._backwards:
            found, entries = found.reversed(), [entry[::-1] for entry in entries]
        self.names, self.origin = found.names, found.origin
        if not entries and self.skipped.get("without a partner"):
            self._refuse(found)
        looked = list(self._each(self._look, entries))
        sides = [[pair[side] for _, pair in looked] for side in (0, 1)]
        self.sizes = [{one.size for one in looks} for looks in sides]
        self._askew = sum(map(_differ, *sides))
        self._with_frames = [sum(one.frames for one in looks) for looks in sides]
        size = size or common_size(self.sizes[0] | self.sizes[1])
        self._forms = [
            Form.of(
                looks,
                size,
                channels[side],
                self._in_other_splits(found, side, looks, entries),
                side == 0 and kind == "labels",
            )
            for side, looks in enumerate(sides)
        ]
        self.paths = self._keep([entry for entry, _ in looked], [form.shape for form in self._forms], limit, memory)
        self.given = Sources(self, self._forms[0].shape)

    def _refuse(self, found):
        examples = " and ".join(
            repr(next((str(path.relative_to(folder)) for path in files_in(folder, {})), "no file"))
            for folder in found.folders
        )
        raise ValueError(
            f"No file in {found.folders[0]} has the name of one in {found.folders[1]}. {pairing.LAYOUTS} "
            f"Received: for instance {examples}"
        )

    def _in_other_splits(self, found, side, looks, entries):
        """The extremes of deep pictures on the same side of other splits."""
        if not any(one.extremes for one in looks):
            return []
        others = found.in_other_splits(side, {path for entry in entries for path in entry})
        return [one.extremes for _, one in self._each(look, others, skipped={}) if one.extremes]

    @property
    def in_memory(self):
        """The sources and the targets, two arrays, if they are kept decoded; `None` otherwise."""
        return self._decoded

    @property
    def paired(self):
        """In words, what is made of what: `lines to colours`."""
        return " to ".join(self.names)

    @property
    def fitted(self):
        """In words, how the pictures were resized to one size and scaled to 8 bits; empty if they were not."""
        each = zip(self._forms, self.sizes, self._with_frames, strict=True)
        given, real = ("; ".join(form.said(sizes, frames)) for form, sizes, frames in each)
        if given == real:
            done = [real]
        else:
            done = [f"{name}: {said}" for name, said in zip(self.names, (given, real), strict=True) if said]
        if self._askew:
            pairs = "1 pair differs" if self._askew == 1 else f"{self._askew:,} pairs differ"
            done.append(f"{pairs} in their proportions, and each picture is cropped around its own centre")
        return "; ".join(filter(None, done))

    def _look(self, entry):
        """The `Look` of a pair's source, and of its target."""
        if len(entry) == 2:
            return tuple(look(path) for path in entry)
        [path] = entry
        (height, width), *rest = look(path)
        if width % 2:
            raise UnreadableError(path, "of odd width, and has no halves")
        return Look((height, width // 2), *rest), Look((height, width // 2), *rest)

    def _decode(self, entry):
        if len(entry) == 2:
            return tuple(form.read(path) for form, path in zip(self._forms, entry, strict=True))
        [path] = entry
        with opened(path) as picture:
            whole = upright(picture, self._forms[0].ranges)
            half, height = whole.width // 2, whole.height
            halves = [whole.crop((left, 0, left + half, height)) for left in (0, half)]
            halves = halves[::-1] if self._backwards else halves
            return tuple(form.resized(one) for form, one in zip(self._forms, halves, strict=True))

    def _name(self, entry):
        return entry[-1]


class Sources:
    """The sources of a `PairedFolder`, as an array `(n, height, width, channels)`."""

    dtype = np.dtype("uint8")

    def __init__(self, folder, shape):
        self.folder, self.shape = folder, (len(folder), *shape)

    def __len__(self):
        return len(self.folder)

    def __getitem__(self, chosen):
        return self.folder.pictures(chosen)[0]


def _differ(one, other):
    """Whether the proportions of two pictures differ by more than a pixel of the smaller one."""
    (height, width), (large_height, large_width) = sorted((one.size, other.size))
    return abs(width - large_width * height / large_height) > 1
