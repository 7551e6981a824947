"""A folder of pictures of any size and mode."""

import concurrent.futures
import functools
import logging
import math
import pathlib
import threading

import numpy as np
from joblib import cpu_count
from PIL import Image

from kgan import environment
from kgan.data import depth, formats
from kgan.data.fitting import channels_of, fit, height_and_width
from kgan.data.names import files_in, natural
from kgan.data.picture_file import look, reason_of

log = logging.getLogger("kgan")
USUAL_SIZE = (64, 64)  # if the pictures' own sizes differ
_AT_ONCE = 1024  # pictures that are decoded together


class Folder:
    """Pictures in a folder and the folders below it, as one uint8 array.

    They are in the natural order of their paths, `2.png` before `10.png`. Hidden files and folders are left out. Every file
    is opened and decoded once; files for which that fails are skipped and counted. If all decoded pictures fit into memory,
    they are kept; otherwise they are decoded again when a batch needs them. A picture that cannot be read any more then is
    replaced by the next one, with labels the next one of its class.

    Pictures of more than 8 bits for each channel are scaled to 8 bits by one rule for the whole folder
    (`kgan.data.depth.ranges`).

    Args:
        path: Path of the folder.
        size: Integer, or pair `(height, width)`. `None` means the pictures' own size if all have the same size of at
            most 256, and 64 x 64 otherwise.
        channels: 1 or 3. `None` is 1 if all pictures are grey, 3 otherwise.
        limit: Integer. The number of files to use, spread evenly over all.
        memory: Integer. Bytes of decoded pictures that may be kept; by default an eighth of the memory that the machine has,
            or the container.
        progress: Function `(iterable, total) -> iterable` that shows the progress of reading.
        whole: Path of a folder around it, such as that of all splits, whose pictures are scaled to 8 bits by the same rule.
        files: List of the files to read, instead of all in the folder.
        half: 0 or 1 for the left or the right half of each picture, `None` for all of it.
        filter: A `PIL.Image.Resampling` to resize with, Lanczos by default.

    Attributes:
        paths: The files that are pictures.
        labels: Number of each picture's folder below `path`, `(n,)`; `None` if some are not in such folders.
        classes: Names of those folders, in the order of their numbers.
        sizes: The pictures' sizes, a set of pairs `(height, width)`.
        with_frames: Integer. The number of files with several pages or frames.
        skipped: Dict from a reason to the files that were skipped for it.
        replaced: Likewise, the pictures that could not be read any more when a batch needed them.
        keeps_going: Whether, when no picture of a class can be read any more, the first one is used, which is kept in
            memory. Otherwise an OSError is raised.
        failure: String. A sentence about such a class, or `None`.
        moved: Dict from the position of a picture that cannot be read any more to that of the one which replaces it.
        partner: A `Folder` of as many pictures that belong to these, or `None`: both pictures of a pair are replaced then.

    Raises:
        ValueError: if there is no such folder, or no picture in it, or the value of an argument is not valid.
    """

    def __init__(
        self,
        path,
        size=None,
        channels=None,
        limit=None,
        memory=None,
        progress=None,
        whole=None,
        files=None,
        half=None,
        filter=Image.Resampling.LANCZOS,
    ):
        size, channels = height_and_width(size), channels_of(channels)
        formats.register()
        self.path = pathlib.Path(path)
        if not self.path.is_dir():
            raise ValueError(f"{self.path} is not a folder.")
        self.skipped: dict[str, list[pathlib.Path]] = {}
        self._pool = concurrent.futures.ThreadPoolExecutor(cpu_count(), "pictures")
        self._progress = progress or (lambda iterable, total: iterable)
        files = files_in(self.path, self.skipped) if files is None else files
        self._half, self._filter = half, filter
        looked = list(self._each(functools.partial(look, half=half), files))
        self.sizes = {one.size for _, one in looked}
        self.with_frames = sum(one.frames for _, one in looked)
        size = size or _common(self.sizes)
        channels = channels or (1 if all(one.grey for _, one in looked) else 3)
        deep = [one.extremes for _, one in looked if one.extremes]
        if deep and whole is not None:
            others = sorted(set(files_in(pathlib.Path(whole), {})).difference(files))
            deep += [one.extremes for _, one in self._each(look, others, skipped={}) if one.extremes]
        self._form = size, channels, depth.ranges(deep)
        wanted = min(limit or len(looked), len(looked))
        needed = wanted * math.prod(size) * channels
        fits = needed <= (memory or environment.memory_limit() // 8)
        decoded = np.empty((wanted if fits else 0, *size, channels), "uint8")
        self.paths: list[pathlib.Path] = []
        firsts: dict[str, np.ndarray] = {}
        for path, picture in self._each(self._read, _chosen_first([path for path, _ in looked], limit), wanted):
            if fits:
                decoded[len(self.paths)] = picture
            else:
                firsts.setdefault(self._folder(path), picture)
            self.paths.append(path)
        if not self.paths:
            counts = ", ".join(f"{len(paths):,} {reason}" for reason, paths in self.skipped.items())
            raise ValueError(f"{self.path} contains no picture that can be read ({counts or 'it is empty'}).")
        self._decoded = decoded[: len(self.paths)] if fits else None
        if limit:  # the chosen ones were read first
            by_path = sorted(range(len(self.paths)), key=lambda index: natural(self.paths[index]))
            self.paths = [self.paths[index] for index in by_path]
            self._decoded = decoded[by_path] if fits else None
        self.shape, self.dtype = (len(self.paths), *size, channels), np.dtype("uint8")
        self.labels, self.classes = self._classes()
        self.replaced: dict[str, list[pathlib.Path]] = {}
        self.keeps_going, self.failure = False, None
        self.moved: dict[int, int] = {}
        self.partner: Folder | None = None
        self._firsts, self._gone, self._lock = firsts, np.zeros(len(self), bool), threading.Lock()

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, chosen):
        """Pictures `(len(chosen), height, width, channels)` at an array or a slice of positions, or one at an integer.

        Raises:
            OSError: if neither a picture nor any other one of its class can be read any more.
        """
        if self._decoded is not None:
            return self._decoded[chosen]
        positions = np.arange(len(self))[chosen]
        if not positions.ndim:
            return self[positions[None]][0]
        positions = [self.moved.get(at, at) for at in positions.tolist()]
        read = self._pool.map(self._attempt, positions)
        return np.stack([self._instead(at) if one is None else one for at, one in zip(positions, read, strict=True)])

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)

    @property
    def fitted(self):
        """In words, how the pictures were resized to one size and scaled to 8 bits; empty if they were not."""
        height, width = self.shape[1:3]
        done = []
        if self.sizes != {(height, width)}:
            sizes = "{} x {}".format(*min(self.sizes)) if len(self.sizes) == 1 else f"{len(self.sizes)} sizes"
            done.append(f"cropped, {self._filter.name.capitalize()}, {sizes} to {height} x {width}")
        if self.with_frames:
            files = "files" if self.with_frames > 1 else "file"
            done.append(f"{self.with_frames:,} {files} with several pages or frames, of which the first is used")
        _, _, ranges = self._form
        return "; ".join(done + depth.said(ranges))

    @property
    def unlabelled(self):
        """In words, why the pictures have no labels although some lie in folders; empty otherwise."""
        stray = [path.name for path in self.paths if not self._folder(path)]
        if not 0 < len(stray) < len(self.paths):
            return ""
        return f"{stray[0]} lies in no class folder" + (f", nor do {len(stray) - 1:,} others" if stray[1:] else "")

    @property
    def in_memory(self):
        """All pictures, `(n, height, width, channels)`, if they are kept decoded; `None` otherwise."""
        return self._decoded

    def _read(self, path):
        (height, width), channels, ranges = self._form
        with formats.opened(path) as picture:
            # lets the JPEG decoder reduce the size, which is faster
            picture.draft("RGB" if channels == 3 else "L", (2 * width, 2 * height))
            return fit(picture, (height, width), channels, ranges, self._half, self._filter)

    def _attempt(self, position):
        """The picture at a position, or `None` if it cannot be read any more."""
        if self._gone[position]:
            return None
        path = self.paths[position]
        try:
            return self._read(path)
        except Exception as error:  # each of Pillow's readers raises its own errors
            reason = reason_of(error, path)
            with self._lock:
                if not self.replaced:
                    log.warning(f"{path} cannot be read any more ({reason}). Such pictures are replaced by others.")
                if not self._gone[position]:
                    self._gone[position] = True
                    self.replaced.setdefault(reason, []).append(path)
            return None

    def _instead(self, position):
        """The next picture that can be read, with labels the next one of the same class."""
        alike = np.ones(len(self), bool) if self.labels is None else self.labels == self.labels[position]
        left = np.flatnonzero(alike & ~self._gone)
        for other in np.roll(left, -np.searchsorted(left, position)):
            picture = self._attempt(other)
            if picture is not None and (self.partner is None or self.partner.can_read(other)):
                self.moved[int(position)] = int(other)
                return picture
        path = self.paths[position]
        where = self.path if self.labels is None else self.path / self._folder(path)
        failure = f"{path} cannot be read any more, nor can any other picture in {where}."
        self.failure = self.failure or failure
        if not self.keeps_going:
            raise OSError(failure)
        return next(iter(self._firsts.values())) if self.labels is None else self._firsts[self._folder(path)]

    def can_read(self, position):
        """Whether the picture at a position can still be read."""
        return self._attempt(position) is not None

    def join(self, partner):
        """Let two folders of as many pictures replace the pictures of a pair together."""
        self.partner, partner.partner = partner, self
        partner.moved = self.moved

    def keep(self, positions):
        """Leave out all pictures but those at these positions."""
        self.paths = [self.paths[at] for at in positions]
        self._decoded = None if self._decoded is None else self._decoded[positions]
        self.labels = None if self.labels is None else self.labels[positions]
        self.shape, self._gone = (len(self.paths), *self.shape[1:]), np.zeros(len(self.paths), bool)

    def _folder(self, path):
        """The name of the folder in `path` that a picture is in, directly or not; empty if it is in none."""
        return next(iter(path.relative_to(self.path).parts[:-1]), "")

    def _each(self, read, paths, most=None, skipped=None):
        """Yield `(path, read(path))` for each readable file, at most `most`; the others are added to `skipped`."""
        skipped = self.skipped if skipped is None else skipped
        count = 0

        def attempt(path):
            try:
                return read(path), None
            except Exception as error:  # each of Pillow's readers raises its own errors
                return None, reason_of(error, path)

        for start in self._progress(range(0, len(paths), _AT_ONCE), -(-len(paths) // _AT_ONCE)):
            part = paths[start : start + _AT_ONCE]
            for path, (result, reason) in zip(part, self._pool.map(attempt, part), strict=True):
                if count == most:
                    return
                if reason:
                    skipped.setdefault(reason, []).append(path)
                else:
                    count += 1
                    yield path, result

    def _classes(self):
        folders = [self._folder(path) for path in self.paths]
        if not all(folders):
            return None, []
        classes = list(dict.fromkeys(folders))  # the paths are sorted
        return np.array([classes.index(folder) for folder in folders]), classes


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


def _common(sizes):
    """The common size of all pictures if it is moderate, the usual size otherwise."""
    return min(sizes) if len(sizes) == 1 and max(min(sizes)) <= 256 else USUAL_SIZE
