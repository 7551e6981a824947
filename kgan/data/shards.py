"""Pictures in tar files that are read one after the other: more of them than a machine can hold."""

import copy
import http.client
import io
import itertools
import logging
import pathlib
import tarfile
import time
import urllib.request

import numpy as np
from PIL import Image

from kgan.arguments import brief, integer
from kgan.data.fitting import channels_of, fit, height_and_width
from kgan.data.ordered import Ordered

log = logging.getLogger("kgan")
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
CLASS = ".cls"
TIMEOUT, TRIES = 60, 4  # seconds without an answer; times that a file is opened without a picture in between


class Shards(Ordered):
    """Batches of pictures that are read from tar files, one file after the other, from paths or URLs.

    The files are those of WebDataset: a picture such as `000017.jpg`, and with `labels` its class beside it, `000017.cls`, a
    whole number. What cannot be read is left out, and counted in a line.

    For each epoch the files are dealt out anew to a number of lanes, each of which shuffles the pictures that it reads among
    some that it keeps; a batch has as many pictures of each lane. A lane whose files end begins them again. So the order is
    a function of the seed and the epoch alone: a resumed training reads up to its position again, without decoding. Of
    several processes that train together, each reads the lanes of its own part of a batch, and all see the same batches as
    one would.

    Example:

    >>> shards = kgan.data.Shards(["https://example.com/birds-00.tar"], examples=100_000, batch_size=64, size=64)
    >>> len(shards), shards.image_shape
    (1562, (64, 64, 3))

    Args:
        sources: List of paths and URLs of tar files, `http` or `https`; or the path of a folder that holds them.
        examples: Integer. The number of pictures in an epoch, usually that of all files.
        batch_size: Integer.
        size: Integer or pair `(height, width)`. Pictures are cropped to these proportions and resized.
        channels: 1, grey, or 3, colour.
        labels: Whether batches are `(images, labels)`.
        seed: Integer.
        epoch: Integer. The first epoch.
        lanes: Integer, which must divide `batch_size`, and be a multiple of the number of processes. At most one for each
            file.
        kept: Integer. Pictures, as they are in the file, among which a lane shuffles.

    Raises:
        ValueError: if there is no file, or the value of an argument is not valid.
        OSError: while batches are read, if a file cannot be.
    """

    def __init__(
        self, sources, examples, batch_size, size, channels=3, labels=False, seed=0, epoch=0, lanes=8, kept=1000
    ):
        super().__init__()
        self.sources = _listed(sources)
        self.batch_size = integer("batch_size", batch_size, at_least=1, of="Shards")
        self.lanes = min(integer("lanes", lanes, at_least=1, of="Shards"), len(self.sources))
        if self.batch_size % self.lanes:
            raise ValueError(
                f"`lanes` of Shards must divide the batch size, {self.batch_size}. Received: {self.lanes} lanes, of which "
                "each reads other files"
            )
        self.image_shape = (*height_and_width(size), channels_of(channels))
        self.labels, self.seed, self.kept = labels, seed, integer("kept", kept, at_least=1, of="Shards")
        self._steps = integer("examples", examples, at_least=self.batch_size, of="Shards") // self.batch_size
        self.left_out: dict[str, str] = {}  # from the name of a picture to why
        self._start(epoch)

    def _start(self, epoch):
        self.epoch, self._next = epoch, 0
        self._open: list = []

    @property
    def steps(self):
        return self._steps

    @property
    def examples(self):
        return self._steps * self.batch_size

    @property
    def in_memory(self):
        return False

    @property
    def read_from(self):
        return []

    def identity(self):
        return {"seed": self.seed, "shards": len(self.sources), "batch_size": self.batch_size, "lanes": self.lanes,
                "kept": self.kept, "examples": self.examples}  # fmt: skip

    def __getitem__(self, index):
        index += self.first
        if not self._open or index < self._next:
            self._next = 0
            order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.sources))
            self._open = [self._lane(lane, order[lane :: self.lanes]) for lane in range(self.lanes)]
        each, mine = self.batch_size // self.lanes, self._own_lanes()
        for lane in mine:
            for _ in range((index - self._next) * each):
                self._open[lane].take()
        self._next = index + 1
        images = np.zeros((self.batch_size, *self.image_shape), "uint8")
        labels = np.zeros(self.batch_size, "int64")
        for lane in mine:
            for place in range(lane * each, (lane + 1) * each):
                images[place], labels[place] = self._next_of(self._open[lane])
        return (images, labels) if self.labels else (images,)

    def __iter__(self):
        """All batches of the epoch, read apart from a training that reads some."""
        fresh = copy.copy(self)
        fresh.first, fresh.process = 0, (0, 1)
        fresh._start(self.epoch)
        return (fresh[index] for index in range(self.steps))

    def divide(self, process, divisor):
        super().divide(process, divisor)
        if self.lanes % process[1]:
            raise ValueError(
                f"`lanes` of Shards must be a multiple of the number of processes, {process[1]}. Received: {self.lanes}"
            )

    def _own_lanes(self):
        """The lanes that make the part of this process, of several that train together."""
        index, count = self.process if self.batch_size % self.divisor == 0 else (0, 1)
        n = self.lanes // count
        return range(index * n, (index + 1) * n)

    def _lane(self, lane, files):
        return Lane(self._endless(files), np.random.default_rng([self.seed, self.epoch, lane]), self.kept)

    def _endless(self, files):
        while True:
            count = 0
            for number in files:
                for found in self._persistently(self.sources[number]):
                    count += 1
                    yield found
            if not count:
                names = ", ".join(str(self.sources[number]) for number in files[:3])
                raise OSError(f"{names}: no picture{' with a class' if self.labels else ''} in it")

    def _persistently(self, source):
        """The pictures of a file. A connection that breaks is opened again, some times."""
        done = failed = 0
        while True:
            try:
                for found in itertools.islice(pictures_in(source, self.labels), done, None):
                    yield found
                    done, failed = done + 1, 0
                return
            except OSError:
                failed += 1
                if failed == TRIES or not _is_url(source):
                    raise
                time.sleep(failed)

    def _next_of(self, lane):
        """The next picture of a lane, and its class; in place of a broken one, one of those that the lane keeps."""
        for name, data, label in itertools.chain([lane.take()], lane.kept):
            try:
                return self._decoded(data), int(label or 0)
            except Exception as error:  # each of Pillow's readers raises its own errors
                if name not in self.left_out:
                    self.left_out[name] = brief(error)
                    log.warning(f"{name} cannot be read, and is left out: {self.left_out[name]}")
        raise OSError(f"{len(lane.kept)} pictures in turn cannot be read, the last one {name}: {self.left_out[name]}")

    def _decoded(self, data):
        height, width, channels = self.image_shape
        with Image.open(io.BytesIO(data)) as picture:
            picture.draft("RGB" if channels == 3 else "L", (2 * width, 2 * height))
            return fit(picture, (height, width), channels)


class Lane:
    """Takes one of some kept values at random, and keeps the next one in its place.

    Args:
        values: Iterator without an end.
        draw: `numpy.random.Generator`.
        size: Integer. The number of values that are kept.
    """

    def __init__(self, values, draw, size):
        self.values, self.draw, self.size = values, draw, size
        self.kept: list = []

    def take(self):
        if not self.kept:
            self.kept = list(itertools.islice(self.values, self.size))
        place = self.draw.integers(self.size)
        taken, self.kept[place] = self.kept[place], next(self.values)
        return taken


def pictures_in(source, labels):
    """Yield the pictures of a tar file in their order: their names, their bytes, and those of their classes or `None`."""
    try:
        with _opened(source) as file, tarfile.open(fileobj=file, mode="r|*") as archive:
            for of, group in itertools.groupby(filter(tarfile.TarInfo.isfile, archive), _key):
                parts = {}
                for member in group:
                    ending = pathlib.PurePosixPath(member.name).name[len(of.name) :].lower()
                    if ending in (*PICTURES, CLASS):
                        parts[ending] = archive.extractfile(member).read()  # type: ignore[union-attr]  # it is a file
                picture = next((parts[ending] for ending in PICTURES if ending in parts), None)
                if picture is not None and (not labels or CLASS in parts):
                    yield f"{source}: {of}", picture, parts.get(CLASS)
    except (tarfile.TarError, http.client.HTTPException) as error:
        raise OSError(f"{source} cannot be read as a tar file: {error}") from None


def _key(member):
    """What the files of one example have in common: their name up to its first dot."""
    path = pathlib.PurePosixPath(member.name)
    return path.with_name(path.name.split(".")[0] or path.name)


def _opened(source):
    if isinstance(source, str):
        return urllib.request.urlopen(source, timeout=TIMEOUT)
    return source.open("rb")


def _listed(sources):
    """Paths, and URLs as strings."""
    if isinstance(sources, str | pathlib.Path):
        if _is_url(sources):
            return [sources]
        folder = pathlib.Path(sources).expanduser()
        found = sorted(folder.glob("*.tar*")) if folder.is_dir() else [folder]
        if not found:
            raise ValueError(
                f"`sources` of Shards must be tar files, or a folder with some. Received: {folder}, with none"
            )
        sources = found
    listed = [one if _is_url(one) else pathlib.Path(one).expanduser() for one in sources]
    missing = [str(one) for one in listed if isinstance(one, pathlib.Path) and not one.is_file()]
    if missing or not listed:
        raise ValueError(
            f"`sources` of Shards must be tar files that are there. Received: {missing[0] if missing else '[]'}"
        )
    return listed


def _is_url(source):
    return isinstance(source, str) and source.startswith(("http://", "https://"))
