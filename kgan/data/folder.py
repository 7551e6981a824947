"""A folder of pictures of any size and mode."""

import pathlib

import numpy as np

from kgan.data.fitting import channels_of, height_and_width
from kgan.data.form import Form
from kgan.data.names import files_in
from kgan.data.on_demand import OnDemand
from kgan.data.picture_file import look


class Folder(OnDemand):
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
        whole: Path of a folder around it, such as that of all splits, whose pictures are scaled to 8 bits by the same rule;
            or a list of such folders.

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

    Raises:
        ValueError: if there is no such folder, or no picture in it, or the value of an argument is not valid.
    """

    def __init__(self, path, size=None, channels=None, limit=None, memory=None, progress=None, whole=None):
        size, channels = height_and_width(size), channels_of(channels)
        super().__init__(path, progress)
        files = files_in(self.path, self.skipped)
        looked = list(self._each(look, files))
        looks = [one for _, one in looked]
        self.sizes = {one.size for one in looks}
        self.with_frames = sum(one.frames for one in looks)
        others = []
        if whole is not None and any(one.extremes for one in looks):
            folders = whole if isinstance(whole, list) else [whole]
            found = {path for folder in folders for path in files_in(pathlib.Path(folder), {})}
            around = sorted(found.difference(files))
            others = [one.extremes for _, one in self._each(look, around, skipped={}) if one.extremes]
        self._form = Form.of(looks, size, channels, others)
        self.paths = self._keep([path for path, _ in looked], [self._form.shape], limit, memory)
        self.labels, self.classes = self._classes()

    @property
    def fitted(self):
        """In words, how the pictures were resized to one size and scaled to 8 bits; empty if they were not."""
        return "; ".join(self._form.said(self.sizes, self.with_frames))

    @property
    def unlabelled(self):
        """In words, why the pictures have no labels although some lie in folders; empty otherwise."""
        stray = [path.name for path in self.paths if not self._class_of(path)]
        if not 0 < len(stray) < len(self.paths):
            return ""
        return f"{stray[0]} lies in no class folder" + (f", nor do {len(stray) - 1:,} others" if stray[1:] else "")

    @property
    def in_memory(self):
        """All pictures, `(n, height, width, channels)`, if they are kept decoded; `None` otherwise."""
        return None if self._decoded is None else self._decoded[0]

    def _decode(self, path):
        return (self._form.read(path),)

    def _class_of(self, path):
        """The name of the folder in `path` that a picture is in, directly or not; empty if it is in none."""
        return next(iter(path.relative_to(self.path).parts[:-1]), "")

    def _classes(self):
        folders = [self._class_of(path) for path in self.paths]
        if not all(folders):
            return None, []
        classes = list(dict.fromkeys(folders))  # the paths are sorted
        return np.array([classes.index(folder) for folder in folders]), classes
