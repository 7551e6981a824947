"""What Pillow reads, and what helps with files that it cannot read."""

import contextlib
import functools
import zipfile

from PIL import Image, ImageFile

CAMERA_RAW = (".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".mrw", ".nef", ".nrw",
              ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f")  # fmt: skip
DOCUMENTS = (".apk", ".docx", ".epub", ".jar", ".odp", ".ods", ".odt", ".pptx", ".whl", ".xlsx")  # zip archives too
RAW = "camera raw file: convert it to TIFF or JPEG, for instance with the package rawpy"
_VIDEO = "video: save its frames as pictures"
_HEIC = "HEIC picture: install the package pillow-heif, which reads it"
_AVIF = "AVIF picture: install Pillow 11.3 or newer, or the package pillow-avif-plugin, which read it"
_JXL = "JPEG XL picture: install the package pillow-jxl-plugin, which reads it"
_TIFF = "TIFF of a kind that Pillow cannot read: save it with 8 or 16 bits for each colour, or grey as floats"
_ARRAYS = "file of arrays: give its own path instead of the folder's"
_HDF5 = "HDF5 file: save its arrays as .npz, or open it in Python with h5py and give its data set to GAN.fit"
_TORCH = "file of PyTorch: save its arrays as .npz"
_HDR = "high dynamic range picture: convert it to TIFF, grey as floats or 16 bits for each colour"
_READERS = {_HEIC: ".heic", _AVIF: ".avif", _JXL: ".jxl"}  # the ending that is registered if a format can be read
_FAR = 2**16  # bytes at the beginning of a file, in which a drawing says that it is one
# where the bytes begin, what they are, and what the file is then
_BEGINNINGS = (
    (0, b"PK\x03\x04", "zip archive: unpack it"),
    (0, b"PK\x05\x06", "zip archive: unpack it"),
    (257, b"ustar", "tar archive: unpack it"),
    (0, b"Rar!", "rar archive: unpack it"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z archive: unpack it"),
    (0, b"\x1f\x8b", "gzip archive: unpack it"),
    (0, b"BZh", "bzip2 archive: unpack it"),
    (0, b"\xfd7zXZ\x00", "xz archive: unpack it"),
    (0, b"\x5d\x00\x00", "lzma archive: unpack it"),
    (0, b"\x28\xb5\x2f\xfd", "zstd archive: unpack it"),
    *((4, b"ftyp" + brand, _HEIC) for brand in (b"hei", b"hev", b"mif1", b"msf1")),
    *((4, b"ftyp" + brand, _AVIF) for brand in (b"avif", b"avis")),
    (4, b"ftypcrx", RAW),
    (4, b"ftyp", _VIDEO),  # MP4, MOV
    (8, b"AVI ", _VIDEO),
    (0, b"\x1aE\xdf\xa3", _VIDEO),  # Matroska, WebM
    (0, b"\x00\x00\x01\xba", _VIDEO),  # MPEG
    (0, b"\x00\x00\x01\xb3", _VIDEO),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", _VIDEO),  # WMV
    (0, b"FLV", _VIDEO),
    (0, b"\xff\x0a", _JXL),
    (4, b"JXL ", _JXL),
    (0, b"%PDF", "PDF: save its pages as pictures"),
    (0, b"%!PS", "PostScript: install the program Ghostscript, or convert it to PNG"),
    (0, b"\xc5\xd0\xd3\xc6", "PostScript: install the program Ghostscript, or convert it to PNG"),
    (0, b"\xd7\xcd\xc6\x9a", "drawing (WMF): convert it to PNG"),
    (40, b" EMF", "drawing (EMF): convert it to PNG"),
    (0, b"8BPS", "Photoshop file of a kind that Pillow cannot read: save it as PNG or TIFF"),
    (0, b"\x76\x2f\x31\x01", _HDR),  # OpenEXR
    (0, b"#?RADIANCE", _HDR),
    (0, b"II\xbc", "JPEG XR picture: convert it to TIFF or JPEG"),
    (0, b"FUJIFILMCCD-RAW", RAW),
    *((0, mark, _TIFF) for mark in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")),
    (128, b"DICM", "DICOM file: convert it to PNG or TIFF, for instance with the package pydicom"),
    (0, b"\x89HDF", _HDF5),
    (0, b"\x93NUMPY", _ARRAYS),
    (0, b"version https://git-lfs.github.com/spec", "Git LFS pointer, not the file itself: run git lfs pull"),
    *((0, bytes([0x80, protocol]), "Python pickle: save its arrays as .npz") for protocol in (2, 3, 4, 5)),
)


def advice(path):
    """What a file is that Pillow cannot read, and what helps; `None` if that is not known."""
    with path.open("rb") as file:
        begin = file.read(_FAR)
    if begin.startswith(b"PK"):
        if holds_arrays(path):
            return _ARRAYS
        if b"/data.pkl" in begin:
            return _TORCH
        if path.suffix.lower() in DOCUMENTS:
            return None
    if begin.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"<svg" in begin:
        return "SVG drawing: convert it to PNG"
    said = next((said for at, mark, said in _BEGINNINGS if begin.startswith(mark, at)), None)
    # with its package such a file would have been read
    return "truncated or broken" if said in _READERS and _READERS[said] in Image.registered_extensions() else said


def holds_arrays(path):
    """Whether a file, of whatever name, is one of numpy's: `.npy`, or `.npz`, a zip archive of them."""
    with path.open("rb") as file:
        begin = file.read(6)
    if begin.startswith(b"PK"):
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (OSError, zipfile.BadZipFile):
            return path.suffix.lower() == ".npz"
        return bool(names) and all(name.endswith(".npy") for name in names)
    return begin == b"\x93NUMPY"


def described(path):
    """What a file is that was given instead of a folder or a file of arrays; `None` if that is not known."""
    register()
    try:
        with opened(path) as picture:
            if not isinstance(picture, ImageFile.StubImageFile):  # those know the format and cannot read it
                return "single picture: give the folder that it is in"
    except Exception:  # each of Pillow's readers raises its own errors
        pass
    said = advice(path)
    return "broken picture" if said == "truncated or broken" else said


@contextlib.contextmanager
def opened(path):
    """Open a picture, and close it at the end.

    Pillow maps uncompressed TIFFs into memory if it knows their path, and then confuses width and height of those that are
    to be turned.
    """
    with open(path, "rb") as file, Image.open(file) as picture:
        yield picture


def has_frames(picture):
    """Whether an opened picture has several pages or frames; the second one of an MPO is the camera's own preview."""
    try:
        return picture.format != "MPO" and bool(getattr(picture, "is_animated", False))
    except Exception:  # the first frame can be read, and the others may be broken
        return False


@functools.cache
def register():
    """Load all of Pillow's readers, before several threads would, and those of HEIC and JPEG XL that are installed."""
    Image.init()
    with contextlib.suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    with contextlib.suppress(ImportError):
        import pillow_jxl  # noqa: F401  # it registers itself
