"""Pictures of more than 8 bits for each channel: their values, and which of these become black and white."""

import sys

import numpy as np
from PIL import Image

from kgan.data import formats

# what black and white may be; the first pair that holds all values is taken
KNOWN = {
    "integers of more than 8 bits": [(0, 2**bits - 1) for bits in (8, 10, 12, 14, 16)],
    "floats": [(0, 1), (-1, 1), (0, 255)],
}
INTEGERS, FLOATS = KNOWN
ROUNDING = 0.001  # by how much floats may lie outside of [0, 1] or [-1, 1]
BITS_PER_SAMPLE, PHOTOMETRIC, PLANAR, EXTRA_SAMPLES, SAMPLE_FORMAT = 258, 262, 284, 338, 339  # tags of TIFF


class UnusableError(ValueError):
    """A picture can be opened, but not used; the message is the reason."""


def is_deep(picture):
    """Whether a picture that was opened, and is not loaded yet, has more than 8 bits for each channel."""
    return picture.mode == "F" or picture.mode.startswith("I") or _halves(picture) is not None


def values(picture):
    """Load a deep picture and return its values: integers or floats, `(height, width)`; or `(height, width, channels)` of
    grey and alpha, of colours, or of colours and alpha.

    Of colours of 16 bits Pillow keeps the first byte alone. The file is then read once for each of the two bytes.

    Raises:
        UnusableError: if some are NaN or infinite, or Pillow cannot read them.
    """
    halves = _halves(picture)
    path = halves and picture.fp.name
    picture.load()
    if halves is not None:
        first, *second = [_read(path, *one) for one in halves]
        if not second:  # grey and alpha, as four bytes
            first, second = first[..., 0::2], [first[..., 1::2]]
        found = first.astype("int64") * 256 + second[0]
        if _tag(picture, EXTRA_SAMPLES) == (1,):  # the colours were multiplied by alpha
            alpha = found[..., 3:]
            found[..., :3] = found[..., :3] * 65535 // np.maximum(alpha, 1)
        return found
    found = np.asarray(picture)
    if (
        found.dtype == np.int32
        and _tag(picture, BITS_PER_SAMPLE) == (32,)
        and _tag(picture, SAMPLE_FORMAT, (1,)) == (1,)
    ):
        found = found.view("uint32")  # Pillow reads them as signed ones
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise UnusableError("NaN or infinite pixels")
    return found if found.dtype.kind == "f" else found.astype("int64")


def _halves(picture):
    """How to read colours of 16 bits byte by byte: for each reading a mode and Pillow's `tile`; `None` for others."""
    tiles = getattr(picture, "tile", None)
    if not tiles or not hasattr(picture.fp, "name"):  # it is loaded already, or is in no file
        return None
    if _tag(picture, PLANAR) == 2 and _tag(picture, BITS_PER_SAMPLE, (8,))[0] > 8 and len(picture.getbands()) > 1:
        raise UnusableError("TIFF of 16 bits with a plane for each colour: save it with interleaved colours")
    args = tiles[0].args
    raw, *rest = [args] if isinstance(args, str) else args or [""]
    if raw == "LA;16B":
        return [("RGBA", _as(tiles, "RGBA"))]
    if tiles[0].codec_name == "ppm" and picture.mode == "RGB" and rest == [65535]:
        tiles = [tile._replace(codec_name="raw", args=("RGB;16B", 0, 1)) for tile in tiles]
        raw = "RGB;16B"
    kind, _, order = str(raw).partition(";16")
    if kind not in ("RGB", "RGBA", "RGBX", "RGBa") or order not in ("B", "L", "N"):
        return None
    first = sys.byteorder[0].upper() if order == "N" else order
    second = "L" if first == "B" else "B"
    return [(picture.mode, _as(tiles, f"{kind.upper()};16{one}")) for one in (first, second)]


def _tag(picture, number, default=None):
    return picture.tag_v2.get(number, default) if picture.format == "TIFF" else default


def _as(tiles, raw):
    """The same tiles with another raw mode, the first of their arguments."""
    return [tile._replace(args=raw if isinstance(tile.args, str) else (raw, *tile.args[1:])) for tile in tiles]


def _read(path, mode, tiles):
    with formats.opened(path) as picture:
        picture._mode, picture.tile = mode, tiles
        picture.load()
        return np.asarray(picture)


def extremes(found, white_is_known=False):
    """The kind of the values of a deep picture, a key of `KNOWN`, and the smallest and the largest, alpha apart.

    `white_is_known` is what `says_white` said of it.
    """
    if white_is_known:
        return INTEGERS, 0, 65535
    colours, _ = _parts(found)
    return FLOATS if found.dtype.kind == "f" else INTEGERS, colours.min().item(), colours.max().item()


def says_white(picture):
    """Whether a picture that is not loaded yet says which value is white: a PGM, which Pillow then scales to 65535."""
    if picture.format != "PPM" or picture.mode != "I":
        return False
    args = picture.tile[0].args
    return isinstance(args, tuple) and args[1:] != (65535,)


def is_grey(found):
    """Whether the values of a deep picture have no colour."""
    return found.ndim == 2 or found.shape[2] == 2


def ranges(found):
    """What becomes black and white, by kind, given the `extremes` of all pictures.

    Integers: 0, and the largest number of 8, 10, 12, 14 or 16 bits, the first that no value exceeds. Floats: 0 and 1, -1
    and 1, or 0 and 255. For other values it is the smallest and the largest of them.
    """
    chosen = {}
    for kind, known in KNOWN.items():
        lows, highs = ([one[side] for one in found if one[0] == kind] for side in (1, 2))
        if lows:
            chosen[kind] = next((pair for pair in known if holds(pair, min(lows), max(highs))), (min(lows), max(highs)))
    return chosen


def holds(pair, low, high):
    """Whether all values may lie between black and white, a pair, given the smallest and the largest."""
    if pair == (0, 255) and isinstance(high, float):
        return low >= 0 and 2 < high <= 255  # floats that are a little above 1 are not as dark as that
    return low >= pair[0] - ROUNDING and high <= pair[1] + ROUNDING


def said(chosen):
    """`ranges` in words, a list of phrases."""
    return [f"{kind}: {black:g} is black, {white:g} is white" for kind, (black, white) in chosen.items()]


def shown(picture, found, chosen):
    """A picture of 8 bits for each channel.

    Args:
        picture: The deep picture.
        found: Its values.
        chosen: `ranges`, which hold for all pictures of a folder.
    """
    black, white = chosen[FLOATS if found.dtype.kind == "f" else INTEGERS]
    colours, alpha = _parts(found)
    if alpha is None and (clear := picture.info.get("transparency")) is not None:
        alpha = (found != clear).reshape(*found.shape[:2], -1).any(-1) * white
    made = scaled(colours, black, white)
    if _tag(picture, PHOTOMETRIC) == 0:
        made = 255 - made  # white is 0
    if alpha is not None:
        # a file of 12 bits may give its alpha 12 bits too, or 16
        made = np.dstack([made, scaled(alpha, 0, white if alpha.max() <= white else 65535)])
    return Image.fromarray(made)


def _parts(found):
    """Grey `(height, width)` or colours `(height, width, 3)`; and alpha, or `None`."""
    if found.ndim == 2 or found.shape[2] == 3:
        return found, None
    colours = found[..., :-1]
    return colours[..., 0] if colours.shape[2] == 1 else colours, found[..., -1]


def scaled(values, black, white):
    """Values as uint8, where `black` is 0 and `white` is 255."""
    return np.clip(np.rint((values - black) * (255 / ((white - black) or 1))), 0, 255).astype("uint8")
