"""Pictures that are kept decoded if they fit into memory, and are read when they are needed otherwise."""

import abc
import concurrent.futures
import logging
import math
import pathlib
import threading
from typing import Any

import numpy as np
from joblib import cpu_count

from kgan import environment
from kgan.data import formats
from kgan.data.picture_file import UnreadableError
from kgan.data.spread import chosen_first

log = logging.getLogger("kgan")
_AT_ONCE = 1024  # entries that are decoded together


class OnDemand(abc.ABC):
    """Pictures of files as one uint8 array `(n, height, width, channels)`.

    Each entry is one picture, or several that belong together, the last of which is the array's own. All of them are decoded
    once, and those for which that fails are skipped and counted. If all decoded pictures fit into memory, they are kept;
    otherwise they are decoded again when a batch needs them. An entry that cannot be read any more then is replaced by the
    next one, with labels the next one of its class.

    A subclass defines `_decode`, and calls `_keep` when it knows its entries and the shapes of their pictures.

    Args:
        path: Path of the folder.
        progress: Function `(iterable, total) -> iterable` that shows the progress of reading.

    Attributes:
        labels: Number of each entry's class, `(n,)`, or `None`.
        skipped: Dict from a reason to the files that were skipped for it.
        replaced: Likewise, the files that could not be read any more when a batch needed them.
        keeps_going: Whether, when no entry of a class can be read any more, the first one is used, which is kept in memory.
            Otherwise an OSError is raised.
        failure: String. A sentence about such a class, or `None`.

    Raises:
        ValueError: if there is no such folder.
    """

    what = "picture"
    dtype = np.dtype("uint8")
    labels: np.ndarray | None = None
    shape: tuple[int, ...]
    _decoded: Any = None  # tuple of arrays, if all pictures are kept
    _entries: list

    def __init__(self, path, progress=None):
        formats.register()
        self.path = pathlib.Path(path)
        if not self.path.is_dir():
            raise ValueError(f"{self.path} is not a folder.")
        self.skipped: dict[str, list[pathlib.Path]] = {}
        self.replaced: dict[str, list[pathlib.Path]] = {}
        self.keeps_going, self.failure = False, None
        self._progress = progress or (lambda iterable, total: iterable)
        self._begin()

    def _begin(self):
        self._pool, self._lock = concurrent.futures.ThreadPoolExecutor(cpu_count(), "pictures"), threading.Lock()

    def __getstate__(self):
        """For another process, which need not list the files again; it decodes them, if they fit into its memory."""
        left_out = ("_pool", "_lock", "_progress", "_decoded")
        state = {name: value for name, value in vars(self).items() if name not in left_out}
        return {**state, "_decoded": None if self._decoded is None else [array.shape for array in self._decoded]}

    def __setstate__(self, state):
        formats.register()
        vars(self).update(state)
        self._begin()
        if self._decoded is not None:
            arrays = tuple(np.empty(shape, "uint8") for shape in self._decoded)
            for place, pictures in enumerate(self._pool.map(self._decode, self._entries)):
                for array, picture in zip(arrays, pictures, strict=True):
                    array[place] = picture
            self._decoded = arrays

    @abc.abstractmethod
    def _decode(self, entry) -> tuple[np.ndarray, ...]:
        """The pictures of an entry.

        Raises:
            UnreadableError: if one of them cannot be read.
        """

    def _class_of(self, entry):
        """The name of an entry's class; empty if it has none."""
        return ""

    def _keep(self, entries, shapes, limit=None, memory=None):
        """Decode the entries, or `limit` of those that can be decoded, spread evenly over all.

        Returns:
            The entries that were decoded, a list in the same order.

        Raises:
            ValueError: if there are none.
        """
        wanted = min(limit or len(entries), len(entries))
        needed = wanted * sum(map(math.prod, shapes))
        fits = needed <= (memory or environment.memory_limit() // 8)
        decoded = [np.empty((wanted if fits else 0, *shape), "uint8") for shape in shapes]
        kept: list = []
        firsts: dict[str, tuple] = {}
        for entry, pictures in self._each(self._decode, chosen_first(entries, limit), wanted):
            if fits:
                for array, picture in zip(decoded, pictures, strict=True):
                    array[len(kept)] = picture
            else:
                firsts.setdefault(self._class_of(entry), pictures)
            kept.append(entry)
        if not kept:
            counts = ", ".join(f"{len(paths):,} {reason}" for reason, paths in self.skipped.items())
            raise ValueError(f"{self.path} contains no {self.what} that can be read ({counts or 'it is empty'}).")
        order: Any = slice(len(kept))
        if limit:  # the chosen ones were read first
            place = {entry: index for index, entry in enumerate(entries)}
            order = sorted(range(len(kept)), key=lambda index: place[kept[index]])
            kept = [kept[index] for index in order]
        self._decoded = tuple(array[order] for array in decoded) if fits else None
        self.shape = (len(kept), *shapes[-1])
        self._entries, self._firsts = kept, firsts
        self._gone = np.zeros(len(kept), bool)
        return kept

    def __len__(self):
        return len(self._entries)

    def __getitem__(self, chosen):
        """Pictures `(len(chosen), height, width, channels)` at an array or a slice of positions, or one at an integer.

        Raises:
            OSError: if neither a picture nor any other one of its class can be read any more.
        """
        return self.pictures(chosen)[-1]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)

    def pictures(self, chosen):
        """All pictures of the entries at an array or a slice of positions, a tuple of arrays; see `__getitem__`."""
        if self._decoded is not None:
            return tuple(array[chosen] for array in self._decoded)
        positions = np.arange(len(self))[chosen]
        if not positions.ndim:
            return tuple(one[0] for one in self.pictures(positions[None]))
        read = zip(positions, self._pool.map(self._attempt, positions), strict=True)
        entries = [self._instead(at) if one is None else one for at, one in read]
        return tuple(np.stack(alike) for alike in zip(*entries, strict=True))

    def _attempt(self, position):
        """The pictures of the entry at a position, or `None` if one of them cannot be read any more."""
        if self._gone[position]:
            return None
        try:
            return self._decode(self._entries[position])
        except UnreadableError as error:
            with self._lock:
                if not self.replaced:
                    log.warning(
                        f"{error.path} cannot be read any more ({error.reason}). Such pictures are replaced by others."
                    )
                if not self._gone[position]:
                    self._gone[position] = True
                    self.replaced.setdefault(error.reason, []).append(error.path)
            return None

    def _instead(self, position):
        """The pictures of the next entry that can be read, with labels the next one of the same class."""
        alike = np.ones(len(self), bool) if self.labels is None else self.labels == self.labels[position]
        left = np.flatnonzero(alike & ~self._gone)
        for other in np.roll(left, -np.searchsorted(left, position)):
            pictures = self._attempt(other)
            if pictures is not None:
                return pictures
        entry = self._entries[position]
        where = self.path if self.labels is None else self.path / self._class_of(entry)
        failure = f"{self._name(entry)} cannot be read any more, nor can any other {self.what} in {where}."
        self.failure = self.failure or failure
        if not self.keeps_going:
            raise OSError(failure)
        return next(iter(self._firsts.values())) if self.labels is None else self._firsts[self._class_of(entry)]

    def _name(self, entry):
        """An entry as an error message names it."""
        return entry

    def _each(self, read, entries, most=None, skipped=None):
        """Yield `(entry, read(entry))` for each readable one, at most `most`; files of the others are added to `skipped`."""
        skipped = self.skipped if skipped is None else skipped
        count = 0

        def attempt(entry):
            try:
                return read(entry), None
            except UnreadableError as error:
                return None, error

        for start in self._progress(range(0, len(entries), _AT_ONCE), -(-len(entries) // _AT_ONCE)):
            part = entries[start : start + _AT_ONCE]
            for entry, (result, error) in zip(part, self._pool.map(attempt, part), strict=True):
                if count == most:
                    return
                if error:
                    skipped.setdefault(error.reason, []).append(error.path)
                else:
                    count += 1
                    yield entry, result


def folders_of(batches):
    """The folders that `Batches` and the like read, all or a part of each; an empty list if they read none."""
    found = [getattr(images, "images", images) for images in getattr(batches, "read_from", ())]
    return [one for one in found if isinstance(one, OnDemand)]
