"""Images of two domains that do not belong to each other, from a folder, a file, or a source for each of them."""

import pathlib
from dataclasses import dataclass, replace

from kgan.data import pairing
from kgan.data.crop import sizes
from kgan.data.fitting import brought_to, channels_of, height_and_width
from kgan.data.folder import Folder
from kgan.data.loaded import Data
from kgan.data.pairs_file import read_pairs
from kgan.data.sources import load, made_from
from kgan.data.spread import spread

LAYOUTS = (
    "Two domains of pictures are two folders, such as trainA/ and trainB/, or A/ and B/, or a source for each of them: "
    "`a` and `b`."
)


@dataclass
class Domains:
    """Images of two domains.

    Attributes:
        a, b: `Data` of each domain.
        names: What both are called.
        origin: String. In words, which folders of a folder were read and which were not; empty if all were.
        pairs_known: Whether each image of a has the same name as the one of b at this position, and is its true partner. A
            training makes no use of that; scores may.
    """

    a: Data
    b: Data
    names: tuple[str, str] = ("a", "b")
    origin: str = ""
    pairs_known: bool = False

    labels, classes, unlabelled = None, (), ""

    @property
    def count(self):
        """The number of images of each domain, the smaller one."""
        return min(self.a.count, self.b.count)

    @property
    def images(self):
        """The images of b, as those of pairs are their targets."""
        return self.b.images

    @property
    def given(self):
        """The images of a."""
        return self.a.images

    @property
    def image_shape(self):
        """The shape of an image of b in a batch."""
        return self.b.image_shape

    @property
    def given_shape(self):
        """The shape of an image of a in a batch."""
        return self.a.image_shape

    @property
    def skipped(self):
        """Dict from a reason to the files of both that were skipped for it."""
        reasons = [*self.a.skipped, *self.b.skipped]
        return {reason: [*self.a.skipped.get(reason, ()), *self.b.skipped.get(reason, ())] for reason in reasons}

    @property
    def fitted(self):
        """As in `Data`, for each domain."""
        return "; ".join(f"{name}: {one.fitted}" for name, one in (("a", self.a), ("b", self.b)) if one.fitted)

    def middle(self):
        """As in `Data`."""
        return replace(self, a=self.a.middle(), b=self.b.middle())


def load_domains(path=None, a=None, b=None, progress=None, split="train", resize=None, **common):
    """Load images of two domains.

    Args:
        path: Path of a folder with folders `trainA` and `trainB`, `A` and `B`, or any other two; or of an `.npz` file with
            arrays `a` and `b`, or another pair of names as in `kgan.data.load`.
        a, b: Dicts, arguments of `kgan.data.load` for each domain: a source, if there is no path, and a size and channels.
        progress: As in `kgan.data.load`.
        split: String. The split of both.
        resize: As in `kgan.data.load`.
        **common: Such arguments for both domains, where a dict does not have them. Without any size, images of b get that
            of a.

    Returns:
        A `Domains`.

    Raises:
        ValueError: if there are no images of two domains.
        ConnectionError: if they must be downloaded and the download fails.
    """
    common = {key: value for key, value in common.items() if value is not None}
    sides = [{**common, **{key: value for key, value in (one or {}).items() if value is not None}} for one in (a, b)]
    read = _of_sources
    if path is not None:
        if "shape" in common:
            raise ValueError(f"`shape` is for a file of arrays of single images. Received: shape={common['shape']!r}")
        path = pathlib.Path(path).expanduser()
        read = _of_folder if path.is_dir() else _of_file
    return read(path, sides, split, resize, progress)


def _of_sources(path, sides, split, resize, progress):
    loaded: list[Data] = []
    for name, side in zip("ab", sides, strict=True):
        if not side.keys() & {"name", "path"}:
            raise ValueError(f"{LAYOUTS} Received: no source of {name}")
        at_once = {"split": split, "resize": resize, "progress": progress, **side, **_size_of(side, loaded)}
        loaded.append(load(**at_once))
        shape = tuple(loaded[-1].images.shape[1:])
        if len(shape) != 3:
            raise ValueError(f"Domain {name} must be images. Received: examples of shape {shape}")
    first, second = (
        side["name"] if made_from(side.get("name"), side.get("path") or "") else side.get("path") or side["name"]
        for side in sides
    )
    a, b = loaded
    both_outlined = [side.get("name") for side in sides] == ["outlined_digits"] * 2
    known = both_outlined and all(side.get("split", split) == "test" for side in sides) and a.count == b.count
    return Domains(a, b, (first, second), pairs_known=known)


def _of_folder(path, sides, split, resize, progress):
    found = pairing.find(path, split, LAYOUTS)
    if found.halves:
        raise ValueError(f"{LAYOUTS} Received: {found.folders[0]}, with no folder in it")
    loaded: list[Data] = []
    relative = []
    for side, folder, around in zip(sides, found.folders, found.around, strict=True):
        size, crop = sizes(height_and_width({**side, **_size_of(side, loaded)}.get("size")), height_and_width(resize))
        one = Folder(
            folder, size, channels_of(side.get("channels")), side.get("limit"), progress=progress, whole=around
        )
        relative.append([path.relative_to(folder).with_suffix("") for path in one.paths])
        images = one if one.in_memory is None else one.in_memory
        loaded.append(Data(images, skipped=one.skipped, fitted=one.fitted, crop=crop))
    if found.beside:
        loaded[0].skipped = {**loaded[0].skipped, "beside the two folders": list(found.beside)}
    a, b = loaded
    return Domains(a, b, found.names, found.origin, pairs_known=relative[0] == relative[1])


def _of_file(path, sides, split, resize, progress):
    both, names, said = read_pairs(path, split, alone=True)
    loaded: list[Data] = []
    for side, images, how in zip(sides, both, said, strict=True):
        size, crop = sizes(height_and_width({**side, **_size_of(side, loaded)}.get("size")), height_and_width(resize))
        images = brought_to(spread(images, side.get("limit")), size, channels_of(side.get("channels")))
        loaded.append(Data(images, fitted=how, crop=crop))
    a, b = loaded
    return Domains(a, b, (names[0], names[1]))


def _size_of(side, loaded):
    """The size of images of b that have none: that of a."""
    shape = loaded[0].images.shape if loaded else ()
    return {} if "size" in side or len(shape) != 4 else {"size": tuple(shape[1:3])}
