"""One file of a folder: what must be known of its picture before it is read, and why it cannot be read."""

import contextlib
from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from kgan.data import depth, formats
from kgan.data.fitting import is_grey, orientation

_NO_READER = ("Ghostscript", "cannot find loader", "cannot load this image")  # in what Pillow's readers raise


class UnreadableError(Exception):
    """A file cannot be read as a picture; it has the file's `path` and the `reason`, a phrase."""

    def __init__(self, path, reason):
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class Look(NamedTuple):
    """What must be known of a picture before all of them are read: its size `(height, width)` as it is shown, whether it
    is grey, the `depth.extremes` of its values if it is deep, and whether it has several pages or frames.
    """

    size: tuple[int, int]
    grey: bool
    extremes: tuple | None
    frames: bool


@contextlib.contextmanager
def opened(path):
    """Open a picture, and close it at the end; whatever fails within is an UnreadableError."""
    try:
        with formats.opened(path) as picture:
            yield picture
    except Exception as error:  # each of Pillow's readers raises its own errors
        raise UnreadableError(path, reason_of(error, path)) from error


def look(path):
    """Return the `Look` of a picture.

    Raises:
        UnreadableError: if it cannot be read.
    """
    if path.suffix.lower() in formats.CAMERA_RAW:  # of many of them Pillow would read a small preview
        raise UnreadableError(path, formats.RAW)
    if not path.is_file():  # opening a pipe would wait for ever
        raise UnreadableError(path, "not a regular file")
    with opened(path) as picture:
        grey, extremes = is_grey(picture.mode), None
        if depth.is_deep(picture):
            said = depth.says_white(picture)
            found = depth.values(picture)
            grey = depth.is_grey(found)
            extremes = depth.extremes(found, said)
        elif picture.format in ("PNG", "TIFF"):
            picture.load()  # a PNG may say behind its pixels how it is turned; a TIFF is turned when it is loaded
        width, height = picture.size
        size = (width, height) if orientation(picture) >= 5 else (height, width)
        return Look(size, grey, extremes, formats.has_frames(picture))


def reason_of(error, path):
    """Why a file cannot be read as a picture, a phrase, given the error that came up."""
    if isinstance(error, depth.UnusableError):
        return str(error)
    if isinstance(error, UnidentifiedImageError) or any(words in str(error) for words in _NO_READER):
        return _what_it_is(path)
    if isinstance(error, IsADirectoryError):
        return "not a regular file"
    if isinstance(error, FileNotFoundError):
        return "missing"
    if isinstance(error, PermissionError):
        return "cannot be opened"
    if isinstance(error, Image.DecompressionBombError):
        return "too many pixels"
    return "truncated" if "truncated" in str(error) else "broken"


def _what_it_is(path):
    try:
        return formats.advice(path) or ("not a picture" if path.stat().st_size else "empty")
    except OSError:
        return "missing"
