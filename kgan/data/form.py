"""What all pictures of a folder are brought to."""

from collections.abc import Mapping
from dataclasses import dataclass

from kgan.data import depth
from kgan.data.fitting import fit, resized
from kgan.data.picture_file import opened

USUAL_SIZE = (64, 64)  # if the pictures' own sizes differ


@dataclass(frozen=True)
class Form:
    """The size and the channels that all pictures of a folder are brought to, and what becomes black and white.

    Attributes:
        size: Pair `(height, width)`.
        channels: 1 or 3.
        ranges: As `kgan.data.depth.ranges` returns them.
        nearest: Whether they are resized without a filter.
    """

    size: tuple[int, int]
    channels: int
    ranges: Mapping
    nearest: bool = False

    @classmethod
    def of(cls, looks, size=None, channels=None, extremes=(), nearest=False):
        """The form for pictures of which a `Look` is known; `extremes` are those of other deep pictures to be scaled alike.

        Without a size it is that of the pictures, as in `common_size`; without channels it is 1 if all pictures are grey.
        """
        deep = [look.extremes for look in looks if look.extremes]
        return cls(
            size or common_size({look.size for look in looks}),
            channels or (1 if all(look.grey for look in looks) else 3),
            depth.ranges([*deep, *extremes]),
            nearest,
        )

    @property
    def shape(self):
        """The shape of a picture, `(height, width, channels)`."""
        return *self.size, self.channels

    def read(self, path):
        """The picture of a file as a uint8 array of that shape.

        Raises:
            UnreadableError: if it cannot be read.
        """
        height, width = self.size
        with opened(path) as picture:
            if not self.nearest:  # lets the JPEG decoder reduce the size, which is faster
                picture.draft("RGB" if self.channels == 3 else "L", (2 * width, 2 * height))
            return fit(picture, self.size, self.channels, self.ranges, self.nearest)

    def resized(self, picture):
        """A part of a picture that `kgan.data.fitting.upright` returned, as a uint8 array of that shape."""
        return resized(picture, self.size, self.channels, self.nearest)

    def said(self, sizes, with_frames=0):
        """In words, how pictures of these sizes were resized and scaled to 8 bits, a list of phrases.

        `with_frames` is the number of files with several pages or frames.
        """
        height, width = self.size
        done = []
        if sizes != {self.size}:
            of = "{} x {}".format(*min(sizes)) if len(sizes) == 1 else f"{len(sizes)} sizes"
            done.append(f"cropped, {'nearest neighbour' if self.nearest else 'Lanczos'}, {of} to {height} x {width}")
        if with_frames:
            files = "files" if with_frames > 1 else "file"
            done.append(f"{with_frames:,} {files} with several pages or frames, of which the first is used")
        return done + depth.said(self.ranges)


def common_size(sizes):
    """The common size of all pictures if it is moderate, the usual size otherwise."""
    return min(sizes) if len(sizes) == 1 and max(min(sizes)) <= 256 else USUAL_SIZE
