"""Folders as people have them: deep pictures, turned ones, hidden files, classes, other formats, files that vanish."""

import functools
import io
import json
import logging
import pickle
import re
import shutil
import struct
import tarfile
import zipfile
import zlib

import h5py
import keras
import numpy as np
import pytest
from PIL import Image, features
from PIL.PngImagePlugin import PngInfo

import kgan
from kgan.callbacks import Checkpoint
from kgan.data import Batches, Folder, formats
from kgan.data.fitting import TURNS
from tests.brought import brings
from tests.helpers import compiled

ROTATED = 6  # an orientation: to be shown turned by 90 degrees
XMP = '<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def grey(path, value, dtype="uint8", shape=(8, 8)):
    """Save a picture of one value, or of an array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.broadcast_to(np.asarray(value, dtype), np.shape(value) or shape)).save(path)


def deep_png(path, pixels):
    """A PNG of 16 bits for each channel: grey and alpha, colours, or colours and alpha; Pillow writes grey ones only."""
    height, width, channels = pixels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    parts = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def deep_tiff(path, pixels, order="<", orientation=1):
    """A TIFF of colours of 16 bits."""
    height, width, channels = pixels.shape
    bits = 8 + 2 + 12 * 9 + 4  # where the bits of each channel stand, then the pixels
    tags = ((256, 1, width), (257, 1, height), (258, channels, bits), (259, 1, 1), (262, 1, 2),
            (273, 1, bits + 2 * channels), (274, 1, orientation), (277, 1, channels), (278, 1, height))  # fmt: skip
    words = b"".join(
        struct.pack(f"{order}HHI", number, 3, count) + struct.pack(f"{order}H2x" if count == 1 else f"{order}I", value)
        for number, count, value in tags
    )
    begin = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(tags))
    depths = struct.pack(f"{order}{channels}H", *[16] * channels)
    path.write_bytes(begin + words + bytes(4) + depths + pixels.astype(f"{order}u2").tobytes())


def values(folder, **kwargs):
    """The first value of each picture, also when they are read again, and with a limit."""
    found = Folder(folder, channels=1, **kwargs)
    np.testing.assert_array_equal(found[:], Folder(folder, channels=1, memory=1, **kwargs)[:])
    few = Folder(folder, channels=1, limit=2, memory=1, **kwargs)
    np.testing.assert_array_equal(few[:], found[[found.paths.index(path) for path in few.paths]])
    return found[:][:, 0, 0, 0].tolist(), found.fitted


@brings("pictures", "16 bits for each channel", "scaled by one rule for the folder: 8, 10, 12, 14 or 16 bits")
@pytest.mark.parametrize(
    "given, expected, white",
    [
        ([60000, 200, 300], [233, 1, 1], 65535),
        ([4095, 200, 2048], [255, 12, 128], 4095),
        ([1000, 0, 512], [249, 0, 128], 1023),
        ([16000, 0, 8192], [249, 0, 128], 16383),
        ([255, 0, 77], [255, 0, 77], 255),
    ],
)
@pytest.mark.parametrize("ending", ["pgm", "png", "tif"])
def test_one_rule_scales_deep_pictures(tmp_path, given, expected, white, ending):
    for index, value in enumerate(given):
        grey(tmp_path / f"{index}.{ending}", value, "uint16")
    found, fitted = values(tmp_path)
    assert found == expected
    assert fitted == f"integers of more than 8 bits: 0 is black, {white} is white"


def test_8_bits_keep_their_own_rule(tmp_path):
    grey(tmp_path / "0.png", 100)
    grey(tmp_path / "1.png", 4095, "uint16")
    grey(tmp_path / "2.tif", 0.5, "float32")
    found, fitted = values(tmp_path)
    assert found == [100, 255, 128]
    assert fitted == "integers of more than 8 bits: 0 is black, 4095 is white; floats: 0 is black, 1 is white"
    (tmp_path / "1.png").unlink()
    (tmp_path / "2.tif").unlink()
    grey(tmp_path / "3.png", 7)
    assert values(tmp_path) == ([100, 7], "")


@brings("pictures", "signed or 32-bit integers", "the folder's smallest value is black, its largest white")
def test_other_integers(tmp_path):
    for index, value in enumerate((-1000, 3000, 1000)):
        grey(tmp_path / f"{index}.tif", value, "int32")
    assert values(tmp_path) == ([0, 255, 128], "integers of more than 8 bits: -1000 is black, 3000 is white")


def test_unsigned_integers_of_32_bits(tmp_path):
    """Pillow writes signed ones; the tag of the sample format is then changed, or taken for another one."""
    for index, value in enumerate((0, 2**31, 2**32 - 2)):
        path = tmp_path / f"{index}.tif"
        grey(path, np.array(value, "uint32").astype("int32"), "int32")
        content = path.read_bytes()
        entry = struct.pack("<HHIHH", 339, 3, 1, 2, 0)
        assert content.count(entry) == 1
        path.write_bytes(content.replace(entry, struct.pack("<HHIHH", 339, 3, 1, 1, 0)))
    assert values(tmp_path) == ([0, 128, 255], "integers of more than 8 bits: 0 is black, 4.29497e+09 is white")


@brings("pictures", "floats", "white is 1 for [0, 1] and [-1, 1], 255 for [0, 255], else the folder's own range")
@pytest.mark.parametrize(
    "given, expected, range",
    [
        ([0.25, 1.0, 0.0], [64, 255, 0], (0, 1)),
        ([0.01, 0.02, 0.0], [3, 5, 0], (0, 1)),
        ([-1.0, 0.5, 0.0], [0, 191, 128], (-1, 1)),
        ([-0.1, 0.5, 0.0], [115, 191, 128], (-1, 1)),
        ([200.0, 0.0, 3.0], [200, 0, 3], (0, 255)),
        ([-1000.0, 1000.0, 0.0], [0, 255, 128], (-1000, 1000)),
        ([0.0, 1.0004, 0.5], [0, 255, 128], (0, 1)),
        ([0.0, 1.5, 0.5], [0, 255, 85], (0, 1.5)),
        ([7.0, 7.0, 7.0], [7, 7, 7], (0, 255)),
        ([-7.0, -7.0, -7.0], [0, 0, 0], (-7, -7)),
    ],
)
def test_floats_are_scaled_by_the_folder(tmp_path, given, expected, range):
    for index, value in enumerate(given):
        grey(tmp_path / f"{index}.tif", value, "float32")
    assert values(tmp_path) == (expected, "floats: {} is black, {} is white".format(*range))


@brings("pictures", "NaN or infinite pixels", "skipped with this reason")
def test_pixels_that_are_not_finite(tmp_path):
    for index, value in enumerate((0.5, np.nan, np.inf)):
        grey(tmp_path / f"{index}.tif", [[value, 1.0]], "float32")
    folder = Folder(tmp_path)
    assert folder[:].ravel().tolist() == [128, 255]
    assert {reason: len(paths) for reason, paths in folder.skipped.items()} == {"NaN or infinite pixels": 2}


@brings(
    "pictures",
    "colours of 16 bits (PNG, TIFF, PPM), 12 bits in them too",
    "like grey ones of 16 bits; alpha becomes white",
)
@pytest.mark.parametrize("write", [deep_png, deep_tiff, functools.partial(deep_tiff, order=">")])
@pytest.mark.parametrize("white", [4095, 65535])
def test_colours_of_16_bits(tmp_path, write, white):
    pixels = np.random.default_rng(0).integers(0, white, (6, 9, 3))
    pixels[0, 0, 0] = white
    write(tmp_path / "a", pixels)
    folder = Folder(tmp_path)
    np.testing.assert_array_equal(folder[:][0], np.rint(pixels * (255 / white)))
    assert folder.fitted.endswith(f"{white} is white")


def test_what_goes_with_16_bits(tmp_path):
    ramp = np.arange(4096).reshape(64, 64)
    clear, half = np.zeros((64, 64)), np.full((64, 64), 32768)
    deep_png(tmp_path / "0.png", np.dstack([ramp, clear]))  # grey and alpha
    assert Folder(tmp_path).shape == (1, 64, 64, 1) and np.all(Folder(tmp_path)[:] == 255)
    deep_png(tmp_path / "0.png", np.dstack([ramp, ramp, ramp, half]))
    assert Folder(tmp_path)[:][0, [0, -1], [0, -1], 0].tolist() == [127, 255]  # black and white, half over white
    rows = np.dstack([ramp] * 3).astype(">u2").tobytes()
    (tmp_path / "0.png").write_bytes(b"P6 64 64 65535\n" + rows)  # 12 bits, though it says 16
    np.testing.assert_array_equal(Folder(tmp_path)[:][0, ..., 0], np.rint(ramp * (255 / 4095)))
    (tmp_path / "0.png").write_bytes(b"P5 64 64 4095\n" + (ramp // 4).astype(">u2").tobytes())
    assert Folder(tmp_path)[:].max() == 64  # a dark picture, which says that white is 4095
    grey(tmp_path / "0.png", 5, "uint16")
    with Image.open(tmp_path / "0.png") as picture:
        picture.save(tmp_path / "0.png", transparency=5)
    assert np.all(Folder(tmp_path)[:] == 255)


def test_all_splits_are_scaled_alike(tmp_path):
    for split, value in (("train", 60000), ("test", 400)):
        grey(tmp_path / "deep" / split / "a.png", value, "uint16")
    found = [kgan.data.load(path=tmp_path / "deep", split=split) for split in ("train", "test")]
    assert [one.images.max() for one in found] == [233, 2]
    assert found[0].fitted == found[1].fitted == "integers of more than 8 bits: 0 is black, 65535 is white"


FORMS = {
    "jpg": {"mode": "L", "quality": 100},
    "png": {"mode": "L"},
    "webp": {"mode": "RGB", "lossless": True},
    "tif": {"mode": "L"},
    "16-bit.png": {"mode": "I;16"},
    "16-bit.tif": {"mode": "I;16"},
    "float.tif": {"mode": "F"},
    "lzw.tif": {"mode": "L", "compression": "tiff_lzw"},
}


def turned(path, orientation, mode, **kwargs):
    """Save a black picture of 40 x 20 whose corner at the top left is white; return it as it is to be shown."""
    pixels = np.zeros((20, 40), "uint8")
    pixels[:8, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray({"I;16": pixels.astype("uint16") * 257, "F": pixels / np.float32(255)}.get(mode, pixels))
    (picture.convert(mode) if mode == "RGB" else picture).save(path, exif=exif.tobytes(), **kwargs)
    shown = Image.fromarray(pixels)
    return np.asarray(shown.transpose(TURNS[orientation]) if orientation in TURNS else shown, "int16")


@brings(
    "pictures",
    "an orientation in Exif or XMP, in JPEG, PNG, WebP, TIFF, of any depth",
    "turned once; an invalid one is no turn",
)
@pytest.mark.parametrize("form", FORMS)
def test_every_orientation_is_applied_once(tmp_path, form):
    kwargs = FORMS[form]
    for orientation in [*range(1, 9)] if form == "lzw.tif" else [0, *range(1, 10), 300]:
        folder = tmp_path / str(orientation)
        folder.mkdir()
        shown = turned(folder / f"a.{form}", orientation, **kwargs)
        for memory in (None, 1):
            found = Folder(folder, memory=memory)
            assert found.shape[1:3] == shown.shape and found.sizes == {shown.shape}, orientation
            assert np.abs(found[:][0, ..., 0] - shown).max() <= 4, orientation


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
def test_an_orientation_in_xmp(tmp_path, ending, deep):
    pixels = np.zeros((20, 40), "uint16" if deep and ending != "jpg" else "uint8")
    pixels[:8, :8] = np.iinfo(pixels.dtype).max
    said = PngInfo()
    said.add_itxt("XML:com.adobe.xmp", XMP)
    kwargs = {"jpg": {"xmp": XMP.encode()}, "png": {"pnginfo": said}, "tif": {"tiffinfo": {700: XMP.encode()}}}[ending]
    Image.fromarray(pixels).save(tmp_path / f"a.{ending}", **kwargs)
    found = Folder(tmp_path)
    assert found.shape == (1, 40, 20, 1)
    assert found[0:1][0, :8, -8:].min() > 250 and found[0:1][0, :, :10].max() < 5


def test_turned_colours_of_16_bits_and_exif_data_that_cannot_be_read(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 65536, (6, 9, 3))
    deep_tiff(tmp_path / "a.tif", pixels, orientation=ROTATED)
    np.testing.assert_array_equal(Folder(tmp_path)[:][0], np.rint(np.rot90(pixels, -1) / 257))
    (tmp_path / "a.tif").unlink()
    Image.new("RGB", (20, 10)).save(tmp_path / "a.jpg", exif=b"Exif\0\0no Exif data")
    assert Folder(tmp_path).shape == (1, 10, 20, 3)


@brings("pictures", "hidden files and folders, and what systems leave", "neither pictures nor classes, and not counted")
def test_hidden_files_and_folders(tmp_path):
    for name in (
        "cat/1",
        ".git/a",
        ".ipynb_checkpoints/a",
        "__MACOSX/cat/._1",
        "cat/._1",
        "cat/.thumbnails/1",
        "dog/@eaDir/1",
    ):
        grey(tmp_path / ".all" / f"{name}.png", 5)
    grey(tmp_path / ".all" / "dog" / "2.png", 5)
    for name in (".DS_Store", "Thumbs.db", "cat/desktop.ini", "dog/.hidden"):
        (tmp_path / ".all" / name).write_text("of a system")
    found = kgan.data.load(path=tmp_path / ".all")  # the folder itself may be hidden
    assert list(found.classes) == ["cat", "dog"] and found.labels.tolist() == [0, 1] and not found.skipped
    with pytest.raises(ValueError, match="Folders in it: cat, dog.$"):
        kgan.data.load(path=tmp_path / ".all", split="test")
    with pytest.raises(ValueError, match="it is empty"):
        Folder(tmp_path)


@brings("pictures", "a folder for each class", "the class's number in natural order, `2` before `10`; its name is kept")
def test_classes_and_pictures_are_in_natural_order(tmp_path):
    for name in ("10/b", "2/img10", "2/img9", "1/x", "2/img09"):
        grey(tmp_path / f"{name}.png", 5)
    folder = Folder(tmp_path)
    assert folder.classes == ["1", "2", "10"] and folder.labels.tolist() == [0, 1, 1, 1, 2]
    assert [path.stem for path in folder.paths] == ["x", "img09", "img9", "img10", "b"]
    few = Folder(tmp_path, limit=3)
    assert [path.stem for path in few.paths] == ["x", "img9", "b"] and few.labels.tolist() == [0, 1, 2]
    assert kgan.data.load(path=tmp_path).classes == ["1", "2", "10"] and kgan.data.load("digits").classes == ()


SMALL = ("--set", "data.batch_size=8", "--set", "generator.filters=2", "--set", "discriminator.filters=2", "--set",
         "callbacks=[{name: checkpoint, every: 1 epoch}]")  # fmt: skip


@pytest.fixture(scope="module")
def animals(tmp_path_factory):
    """Twelve pictures of 8 x 8 in classes 2, 10 and cat, of 12 bits."""
    folder = tmp_path_factory.mktemp("animals")
    for index in range(12):
        grey(folder / "pictures" / ("2", "10", "cat")[index % 3] / f"{index}.png", 341 * (index + 1), "uint16")
    return folder


@pytest.mark.usefixtures("eagerly")
def test_names_of_classes_in_a_run(animals, tmp_path, call):
    shutil.copytree(animals / "pictures", tmp_path / "pictures")
    said = call("train", "dcgan", "--set", "data.path=pictures", "--set", "num_classes=3", "--set", "steps=2", "--set",
                "discriminator.conditioning=projection", "--set", "generator.conditioning=concatenation", "--out", "run",
                *SMALL)  # fmt: skip
    fitted = "integers of more than 8 bits: 0 is black, 4095 is white"
    assert f"pictures: 12 images of 8 x 8 x 1; {fitted}; 3 classes: 0 2, 1 10, 2 cat" in said
    about = json.loads((tmp_path / "run" / "environment.json").read_text())["data"]
    assert about["classes"] == ["2", "10", "cat"] and about["fitted"] == fitted and "replaced" not in about
    arrays = {}
    for label in ("2", "cat", "1", "10"):
        call("sample", "run", "-n", 4, "-o", "x.npy", "--label", label)
        arrays[label] = np.load("x.npy")
    gan = kgan.load(next((tmp_path / "run" / "checkpoints").iterdir()))
    for label, number in (("2", 0), ("cat", 2), ("1", 1), ("10", 1)):  # a name before a number
        np.testing.assert_allclose(arrays[label], gan.generate(4, seed=0, labels=number), atol=1e-6)
    said = call("sample", "run", "-o", "x.npy", "--label", "cta", code=2)
    assert "--label  there is no class 'cta'. Did you mean 'cat'?" in said
    call("sample", "run", "-n", 3, "-o", "some", "--label", "cat")
    assert sorted(path.name for path in (tmp_path / "some").iterdir()) == [
        f"00000{index}-cat.png" for index in range(3)
    ]
    call("sample", "run/generator.keras", "-n", 9, "-o", "all")
    names = [path.name for path in sorted((tmp_path / "all").iterdir())]
    drawn = keras.random.SeedGenerator(0)
    keras.random.normal((9, gan.latent_dim), seed=drawn)
    drawn = keras.ops.convert_to_numpy(keras.random.randint((9,), 0, 3, seed=drawn))
    assert names == [f"{index:06d}-{('2', '10', 'cat')[label]}.png" for index, label in enumerate(drawn)]
    about["classes"] = ["2", "10", 250 * chr(0x1F408)]
    (tmp_path / "run" / "environment.json").write_text(json.dumps({"data": about}))
    (tmp_path / "here").mkdir()
    call("sample", "../run", "-n", 1, "-o", ".", "--label", about["classes"][2], cwd=tmp_path / "here")
    assert [path.name for path in (tmp_path / "here").iterdir()] == [f"000000-{50 * chr(0x1F408)}.png"]
    about["classes"] = ["10", "11", "12"]
    (tmp_path / "run" / "environment.json").write_text(json.dumps({"data": about}))
    assert "there is no class '1'. Did you mean" in call("sample", "run", "-o", "x.npy", "--label", 1, code=2)
    assert "1 image in x.npy" in call("sample", "run", "-n", 1, "-o", "x.npy", "--label", 11)
    assert "run is the run directory itself; pictures belong into" in call("sample", "run", "-o", "run", code=2)
    (tmp_path / "run" / "environment.json").unlink()
    call("sample", "run", "-n", 1, "-o", "numbers", "--label", 2)
    assert [path.name for path in (tmp_path / "numbers").iterdir()] == ["000000-2.png"]
    assert "They are the numbers 0 to 2." in call("sample", "run", "-o", "x.npy", "--label", "cat", code=2)


@brings("pictures", "a picture beside the folders of classes", "no classes; the data line and the complaint name it")
def test_a_picture_in_no_class_folder(tmp_path, call):
    for name in ("a/1", "b/1", "stray"):
        grey(tmp_path / "mine" / f"{name}.png", 5)
    said = call("train", "cifar10", "--set", "data.path=mine", code=2)
    why = "since stray.png lies in no class folder"
    assert f"; no classes, {why}\n" in said and f"these data have no labels, {why}. What fits" in said
    assert not kgan.data.load(path=tmp_path / "mine" / "a").unlabelled


@brings(
    "pictures", "files of several pages or frames: TIFF, GIF, APNG, WebP", "the first one; the data line counts them"
)
def test_several_pages_or_frames(tmp_path):
    frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (10, 20, 30)]
    for ending in ("tif", "gif", "png", "webp", "mpo"):
        frames[0].save(tmp_path / f"{ending}.{ending}", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "one.png")
    folder = Folder(tmp_path)
    assert folder.fitted == "4 files with several pages or frames, of which the first is used"
    assert len(folder) == 6 and folder[:][..., 0].max() <= 12
    (tmp_path / "gif.gif").write_bytes((tmp_path / "gif.gif").read_bytes()[:-60])
    assert len(Folder(tmp_path)) == 6


@brings("pictures", "a zip, tar, rar or 7z archive", "refused, or in a folder skipped, with `unpack it`")
def test_archives(tmp_path, call):
    grey(tmp_path / "pictures" / "a.png", 5)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "pictures" / "a.png", "a.png")
    for mode, name in (("w", "a.tar"), ("w:gz", "a.tgz"), ("w:xz", "a.tar.xz"), ("w:bz2", "a.tar.bz2")):
        with tarfile.open(tmp_path / name, mode) as archive:
            archive.add(tmp_path / "pictures" / "a.png", "a.png")
    (tmp_path / "a.rar").write_bytes(b"Rar!\x1a\x07\x01\x00 and more")
    (tmp_path / "a.7z").write_bytes(b"7z\xbc\xaf\x27\x1c and more")
    archives = [path for path in tmp_path.iterdir() if path.is_file()]
    assert len(archives) == 7
    for path in archives:
        with pytest.raises(ValueError, match=f"{path.name} is neither a folder of .* but an? .* archive: unpack it"):
            kgan.data.load(path=path)
        shutil.copy(path, tmp_path / "pictures")
    folder = Folder(tmp_path / "pictures")
    assert len(folder) == 1 and sum(map(len, folder.skipped.values())) == 7
    assert all(reason.endswith("archive: unpack it") for reason in folder.skipped)
    said = call("train", "dcgan", "--set", "data.path=a.zip", code=2)
    assert "data: a.zip is neither a folder of pictures nor a file of arrays, but a zip archive: unpack it" in said


def heic():
    return b"\0\0\0\x1cftypheic\0\0\0\0mif1heic"


@brings(
    "pictures",
    "HEIC, JPEG XL, camera raw, SVG, PDF, video",
    "skipped with a reason that says what reads or converts it",
)
def test_reasons_that_help(tmp_path):
    grey(tmp_path / "a.png", 5)
    dng = io.BytesIO()
    Image.new("L", (16, 12)).save(dng, "TIFF")
    for name, content, reason in (
        ("a.heic", heic(), "the package pillow-heif, which reads it"),
        ("a.jxl", b"\xff\x0a rest", "pillow-jxl-plugin"),
        ("a.dng", dng.getvalue(), "camera raw file: .* rawpy"),  # Pillow would take its preview for the picture
        ("a.svg", b"<?xml version='1.0'?><svg xmlns='x'/>", "SVG drawing: convert it to PNG"),
        ("a.pdf", b"%PDF-1.7", "PDF: save its pages"),
        ("a.mp4", b"\0\0\0\x20ftypisom\0\0\0\0", "video: save its frames"),
        ("a.mpg", b"\0\0\x01\xb3\x01\0\x10\0rest of it", "video: save its frames"),
        ("a.exr", b"\x76\x2f\x31\x01 rest", "high dynamic range"),
        ("a.npy", b"\x93NUMPY", "file of arrays"),
        ("a.docx", b"PK\x03\x04 rest", "not a picture"),
        ("a.tif", b"II*\0\x08\0\0\0\0\0\0\0\0\0", "TIFF of a kind"),
    ):
        (tmp_path / name).write_bytes(content)
        folder = Folder(tmp_path)
        [(said, [path])] = folder.skipped.items()
        assert path.name == name and len(folder) == 1
        assert re.search(reason, said), (name, said)
        path.unlink()
    with pytest.raises(ValueError, match="a.png is neither .* but a single picture: give the folder that it is in"):
        kgan.data.load(path=tmp_path / "a.png")


@brings(
    "files of arrays", "HDF5, PyTorch's and pickled files, pointers of Git LFS", "a sentence says how to bring them"
)
def test_single_files_of_other_kinds(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pt", "w") as archive:
        archive.writestr("x/data.pkl", b"")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("images", data=np.zeros((5, 8, 8), "uint8"))
    comment = b"<!--" + 5000 * b" " + b"-->"
    for name, content, said in (
        ("x.h5", None, "an HDF5 file: save its arrays as .npz, or open it in Python with h5py"),
        ("x.pt", None, "a file of PyTorch: save its arrays as .npz"),
        ("y.pt", b"\x80\x02\x8a\nl", "a Python pickle: save its arrays as .npz"),
        ("x.svg", b"\n<?xml version='1.0'?>" + comment + b"<svg xmlns='x'/>", "an SVG drawing: convert it"),
        ("x.lzma", b"\x5d\0\0\x80\0\xff\xff", "an lzma archive: unpack it"),
        (
            "x.jpg",
            b"version https://git-lfs.github.com/spec/v1\noid",
            "a Git LFS pointer, not the .*: run git lfs pull",
        ),
    ):
        if content:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(
            ValueError, match=f"{name} is neither a folder of pictures nor a file of arrays, but {said}"
        ):
            kgan.data.load(path=tmp_path / name)
    (tmp_path / "x.html").write_text("a page with <svg")
    assert set(Folder(mixed_with(tmp_path)).skipped) >= {"not a picture", formats.advice(tmp_path / "x.h5")}


def mixed_with(folder):
    grey(folder / "a.png", 5)
    return folder


@pytest.mark.skipif(not features.check("avif"), reason="Pillow reads no AVIF")
def test_a_truncated_picture_of_a_format_that_is_read(tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "a.avif")
    (tmp_path / "a.avif").write_bytes((tmp_path / "a.avif").read_bytes()[:100])
    grey(tmp_path / "a.png", 5)
    assert [*Folder(tmp_path).skipped] == ["truncated or broken"]
    with pytest.raises(ValueError, match="a.avif is neither .*, but a broken picture"):
        kgan.data.load(path=tmp_path / "a.avif")


@brings("files of arrays", "arrays in a file of another name, such as `x.bin`", "read")
def test_arrays_of_another_name(tmp_path):
    for save, name in ((np.save, "x.bin"), (np.savez, "x.zip")):
        with (tmp_path / name).open("wb") as file:
            save(file, np.zeros((5, 8, 8), "uint8"))
        assert kgan.data.load(path=tmp_path / name).images.shape == (5, 8, 8, 1)


@brings("pictures", "HEIC with the package pillow-heif", "read")
def test_heic_with_its_package(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    shown = turned(tmp_path / "a.heic", ROTATED, "RGB", quality=100)
    found = Folder(tmp_path)
    assert found.shape[1:3] == shown.shape and np.abs(found[:][0, ..., 0] - shown).max() < 20


class Delete(keras.callbacks.Callback):
    """Delete files after a step."""

    def __init__(self, paths, step=1):
        super().__init__()
        self.paths, self.step = paths, step

    def on_train_batch_end(self, batch, logs=None):
        self.step -= 1
        if not self.step:
            for path in self.paths:
                path.unlink()


def shades(folder, count=24, classes=("a", "b")):
    """Pictures of 8 x 8, each with its own shade; those of the second class are above 100."""
    for index in range(count):
        which = index % len(classes)
        grey(folder / classes[which] / f"{index}.png", 100 * which + index)
    return Folder(folder, memory=1)


def small_gan():
    return compiled(kgan.GAN(lambda: kgan.architectures.dcgan.generator((8, 8, 1), 4, filters=2),
                             lambda: kgan.architectures.dcgan.discriminator((8, 8, 1), filters=2), 4))  # fmt: skip


@brings(
    "pictures",
    "a picture that vanishes or breaks during the training",
    "replaced by the next one of its class, and counted",
)
def test_a_picture_that_vanishes_is_replaced_by_the_next_of_its_class(tmp_path, caplog):
    folder = shades(tmp_path)
    positions = np.arange(24)
    before = folder[positions][:, 0, 0, 0]
    for path in folder.paths[1:3]:
        path.unlink()
    folder.paths[20].write_bytes(folder.paths[20].read_bytes()[:40])
    folder.paths[23].unlink()  # the last one of its class, which the first one follows
    with caplog.at_level(logging.WARNING, "kgan"):
        after = folder[positions][:, 0, 0, 0]
    expected = before.copy()
    expected[[1, 2, 20, 23]] = before[[3, 3, 21, 12]]
    np.testing.assert_array_equal(after, expected)
    np.testing.assert_array_equal(after > 99, folder.labels == 1)  # each label is right
    np.testing.assert_array_equal(folder[positions][:, 0, 0, 0], expected)  # the same ones again
    assert sorted(map(len, folder.replaced.values())) == [1, 3] and len(folder.replaced["missing"]) == 3
    [said] = [one.message for one in caplog.records]
    assert "cannot be read any more" in said and str(tmp_path) in said


def test_fit_goes_on_without_pictures_that_vanish(tmp_path, caplog):
    folder = shades(tmp_path)
    gone = folder.paths[:6]
    batches = Batches(folder, 4)
    history = small_gan().fit(batches, epochs=3, verbose=0, callbacks=[Delete(gone)]).history
    assert len(history["d_loss"]) == 3 and np.isfinite(history["d_loss"]).all()
    assert sorted(folder.replaced["missing"]) == sorted(gone)
    assert sum("cannot be read any more" in one.message for one in caplog.records) == 1


def test_fit_is_saved_when_no_picture_can_be_read(tmp_path, caplog):
    folder = shades(tmp_path / "pictures", classes=("a",))
    gan, saver = small_gan(), Checkpoint(tmp_path / "checkpoints", every=100)
    gan.fit(Batches(folder, 4), epochs=50, verbose=0, callbacks=[Delete(folder.paths, step=8), saver])
    assert 8 <= saver.saved_step < 30 and saver.newest() is not None
    assert int(kgan.load(saver.newest()).d_opt.iterations) == int(gan.d_opt.iterations)
    assert str(tmp_path / "pictures") in saver.failed and "nor can any other picture in" in saver.failed
    with pytest.raises(OSError, match=r"\.png cannot be read any more, nor can any other picture in"):
        folder[np.arange(2)]  # outside of a training


@pytest.mark.usefixtures("eagerly")
def test_a_run_says_what_it_replaced(animals, tmp_path, call, monkeypatch, caplog):
    shutil.copytree(animals / "pictures", tmp_path / "pictures")

    def then_gone(*args, which, **kwargs):
        folder = Folder(*args, memory=1, **kwargs)
        for path in folder.paths[which]:
            path.unlink()
        return folder

    settings = ("--set", "data.path=pictures", "--set", "epochs=2", *SMALL)
    monkeypatch.setattr("kgan.data.sources.Folder", functools.partial(then_gone, which=slice(0, 9, 4)))
    said = call("train", "dcgan", *settings, "--out", "run")
    assert "replaced 3 files: 3 missing (" in said
    about = json.loads((tmp_path / "run" / "environment.json").read_text())["data"]
    assert len(about["replaced"]["missing"]) == 3 and about["shape"] == [12, 8, 8, 1]
    shutil.rmtree(tmp_path / "pictures")
    shutil.copytree(animals / "pictures", tmp_path / "pictures")
    monkeypatch.setattr("kgan.data.sources.Folder", functools.partial(then_gone, which=slice(None)))
    said = call("train", "dcgan", *settings, "--out", "other", code=1)
    assert "The run failed; the generator of its last good state is in other" in said
    assert re.search(r"/\d+.png cannot be read any more, nor can any other picture in pictures", caplog.messages[-1])
    assert (tmp_path / "other" / "generator.keras").is_file() and any((tmp_path / "other" / "checkpoints").iterdir())


@pytest.mark.parametrize("memory", [None, 1])  # kept decoded, and read again and again
def test_a_folder_can_be_sent_to_another_process(tmp_path, memory):
    for number in range(4):
        (tmp_path / "ab"[number % 2]).mkdir(exist_ok=True)
        Image.new("RGB", (4, 4), (60 * number, 0, 0)).save(tmp_path / "ab"[number % 2] / f"{number}.png")
    folder = Folder(tmp_path, memory=memory)
    again = pickle.loads(pickle.dumps(folder))
    np.testing.assert_array_equal(again[:], folder[:])
    np.testing.assert_array_equal(again.labels, [0, 0, 1, 1])
    if memory:
        (tmp_path / "b" / "1.png").unlink()
        np.testing.assert_array_equal(again[[2]], folder[[3]])  # the other one of its class
