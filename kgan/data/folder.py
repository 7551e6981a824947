"""A folder of pictures of any size and mode."""

import concurrent.futures
import math
import os
import pathlib

import numpy as np
from joblib import cpu_count
from PIL import Image, UnidentifiedImageError

from kgan import environment
from kgan.data.fitting import fit, height_and_width, is_grey

USUAL_SIZE = (64, 64)  # if the pictures' own sizes differ
ORIENTATION = 0x0112  # the tag in Exif
_AT_ONCE = 1024  # pictures that are decoded together


class Folder:
    """Pictures in a folder and the folders below it, in the order of their paths, as one uint8 array.

    Every file is opened and decoded once; files for which that fails are skipped and counted. If all decoded pictures fit
    into memory, they are kept; otherwise they are decoded again when a batch needs them.

    Args:
        path: Path of the folder.
        size: Integer, or pair `(height, width)`. `None` means the pictures' own size if all have the same size of at
            most 256, and 64 x 64 otherwise.
        channels: 1 or 3. `None` is 1 if all pictures are grey, 3 otherwise.
        limit: Integer. The number of files to use, spread evenly over all.
        memory: Integer. Bytes of decoded pictures that may be kept; by default an eighth of the memory that the machine has,
            or the container.
        progress: Function `(iterable, total) -> iterable` that shows the progress of reading.

    Attributes:
        paths: The files that are pictures.
        labels: Number of each picture's folder below `path`, `(n,)`; `None` if some are not in such folders.
        classes: Names of those folders.
        sizes: The pictures' sizes, a set of pairs `(height, width)`.
        skipped: Dict from a reason to the files that were skipped for it.

    Raises:
        ValueError: if there is no such folder, or no picture in it.
    """

    def __init__(self, path, size=None, channels=None, limit=None, memory=None, progress=None):
        self.path = pathlib.Path(path)
        if not self.path.is_dir():
            raise ValueError(f"{self.path} is not a folder.")
        self.skipped: dict[str, list[pathlib.Path]] = {}
        self._pool = concurrent.futures.ThreadPoolExecutor(cpu_count(), "pictures")
        self._progress = progress or (lambda iterable, total: iterable)
        looked = list(self._each(_look, self._files()))
        self.sizes = {size for _, (size, _) in looked}
        size = height_and_width(size) or _common(self.sizes)
        channels = channels or (1 if all(is_grey(mode) for _, (_, mode) in looked) else 3)
        self._form = size, channels
        wanted = min(limit or len(looked), len(looked))
        needed = wanted * math.prod(size) * channels
        fits = needed <= (memory or environment.memory_limit() // 8)
        decoded = np.empty((wanted if fits else 0, *size, channels), "uint8")
        self.paths: list[pathlib.Path] = []
        for path, picture in self._each(self._read, _chosen_first([path for path, _ in looked], limit), wanted):
            if fits:
                decoded[len(self.paths)] = picture
            self.paths.append(path)
        if not self.paths:
            counts = ", ".join(f"{len(paths):,} {reason}" for reason, paths in self.skipped.items())
            raise ValueError(f"{self.path} contains no picture that can be read ({counts or 'it is empty'}).")
        self._decoded = decoded[: len(self.paths)] if fits else None
        if limit:  # the chosen ones were read first
            by_path = sorted(range(len(self.paths)), key=self.paths.__getitem__)
            self.paths = [self.paths[index] for index in by_path]
            self._decoded = decoded[by_path] if fits else None
        self.shape, self.dtype = (len(self.paths), *size, channels), np.dtype("uint8")
        self.labels, self.classes = self._classes()

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, chosen):
        """Pictures `(len(chosen), height, width, channels)` at an array or a slice of positions."""
        if self._decoded is not None:
            return self._decoded[chosen]
        paths = [self.paths[position] for position in np.arange(len(self))[chosen]]
        return np.stack(list(self._pool.map(self._read, paths)))

    @property
    def fitted(self):
        """In words, how the pictures were resized to one size; empty if they were not."""
        height, width = self.shape[1:3]
        if self.sizes == {(height, width)}:
            return ""
        sizes = "{} x {}".format(*min(self.sizes)) if len(self.sizes) == 1 else f"{len(self.sizes)} sizes"
        return f"cropped, Lanczos, {sizes} to {height} x {width}"

    @property
    def in_memory(self):
        """All pictures, `(n, height, width, channels)`, if they are kept decoded; `None` otherwise."""
        return self._decoded

    def _files(self):
        """All files, in the order of their paths; links are followed, each folder is entered once."""
        found, entered = [], set()

        def cannot_enter(error):
            self.skipped.setdefault("folder that cannot be opened", []).append(pathlib.Path(error.filename))

        for folder, inside, names in os.walk(self.path, onerror=cannot_enter, followlinks=True):
            real = os.path.realpath(folder)
            if real in entered:
                inside.clear()
                continue
            entered.add(real)
            found += [pathlib.Path(folder, name) for name in names]
        return sorted(found)

    def _read(self, path):
        (height, width), channels = self._form
        with Image.open(path) as picture:
            # lets the JPEG decoder reduce the size, which is faster
            picture.draft("RGB" if channels == 3 else "L", (2 * width, 2 * height))
            return fit(picture, (height, width), channels)

    def _each(self, read, paths, most=None):
        """Yield `(path, read(path))` for each readable file, at most `most`; the others are added to `skipped`."""
        count = 0

        def attempt(path):
            try:
                return read(path), None
            except Exception as error:  # each of Pillow's readers raises its own errors
                return None, _reason(error, path)

        for start in self._progress(range(0, len(paths), _AT_ONCE), -(-len(paths) // _AT_ONCE)):
            part = paths[start : start + _AT_ONCE]
            for path, (result, reason) in zip(part, self._pool.map(attempt, part), strict=True):
                if count == most:
                    return
                if reason:
                    self.skipped.setdefault(reason, []).append(path)
                else:
                    count += 1
                    yield path, result

    def _classes(self):
        folders = [path.relative_to(self.path).parts[:-1] for path in self.paths]
        if not all(folders):
            return None, []
        classes = sorted({parts[0] for parts in folders})
        return np.array([classes.index(parts[0]) for parts in folders]), classes


def spread(items, limit):
    """At most `limit` of the items, spread evenly over all of them."""
    if limit is None or limit >= len(items):
        return items
    chosen = np.linspace(0, len(items) - 1, limit).astype(int)
    return [items[index] for index in chosen] if isinstance(items, list) else items[chosen]


def _chosen_first(items, limit):
    """All items, beginning with those that `spread` takes."""
    chosen = spread(items, limit)
    left = set(items).difference(chosen)
    return [*chosen, *(item for item in items if item in left)]


def _look(path):
    """The size (height, width) of a picture after its Exif rotation, and its mode, from its first bytes."""
    if not path.is_file():  # opening a pipe would wait for ever
        raise IsADirectoryError
    with Image.open(path) as picture:
        turned = picture.getexif().get(ORIENTATION, 1) >= 5
        return (picture.size if turned else picture.size[::-1]), picture.mode


def _reason(error, path):
    if isinstance(error, UnidentifiedImageError):
        return "empty" if not path.stat().st_size else "not a picture"
    if isinstance(error, IsADirectoryError):
        return "not a regular file"
    if isinstance(error, PermissionError):
        return "cannot be opened"
    if isinstance(error, Image.DecompressionBombError):
        return "too many pixels"
    return "truncated" if "truncated" in str(error) else "broken"


def _common(sizes):
    """The common size of all pictures if it is moderate, the usual size otherwise."""
    return min(sizes) if len(sizes) == 1 and max(min(sizes)) <= 256 else USUAL_SIZE
