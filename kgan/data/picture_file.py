"""One file of a folder: what must be known of a picture, or the reason why it cannot be read."""

from typing import NamedTuple

from PIL import Image, UnidentifiedImageError

from kgan.data import depth, formats
from kgan.data.fitting import is_grey, orientation

_NO_READER = ("Ghostscript", "cannot find loader", "cannot load this image")  # in what Pillow's readers raise


class Look(NamedTuple):
    """What must be known of a picture before all of them are read: its size `(height, width)` as it is shown, whether it
    is grey, the `depth.extremes` of its values if it is deep, and whether it has several pages or frames.
    """

    size: tuple[int, int]
    grey: bool
    extremes: tuple | None
    frames: bool


def look(path, half=None):
    """Return a `Look` at a picture, or at the left (0) or right (1) half of it.

    Raises as Pillow does, or an `UnusableError`, if it cannot be read.
    """
    if path.suffix.lower() in formats.CAMERA_RAW:  # of many of them Pillow would read a small preview
        raise depth.UnusableError(formats.RAW)
    if not path.is_file():  # opening a pipe would wait for ever
        raise IsADirectoryError
    with formats.opened(path) as picture:
        grey, extremes = is_grey(picture.mode), None
        if depth.is_deep(picture):
            said = depth.says_white(picture)
            found = depth.values(picture)
            grey = depth.is_grey(found)
            extremes = depth.extremes(found, said)
        elif picture.format in ("PNG", "TIFF"):
            picture.load()  # a PNG may say behind its pixels how it is turned; a TIFF is turned when it is loaded
        width, height = picture.size
        height, width = (width, height) if orientation(picture) >= 5 else (height, width)
        size = (height, width if half is None else max(1, width // 2))
        return Look(size, grey, extremes, formats.has_frames(picture))


def reason_of(error, path):
    """Why a file could not be read, in a few words, given the error and its path."""
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
