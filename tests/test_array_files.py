"""Arrays in files: which axis is which, what is black and white, and which labels they have."""

import re

import numpy as np
import pytest

import kgan
from tests.brought import brings


@pytest.fixture
def load(tmp_path):
    """A function that saves arrays, and loads what is in the file."""

    def load(array=None, shape=None, **arrays):
        if array is not None:
            np.save(tmp_path / "a.npy", array)
            return kgan.data.load(path=tmp_path / "a.npy", shape=shape)
        np.savez(tmp_path / "a.npz", **arrays)
        return kgan.data.load(path=tmp_path / "a.npz", shape=shape)

    return load


LAST = np.arange(30 * 8 * 9 * 3).reshape(30, 8, 9, 3).astype("uint8")
FIRST = np.moveaxis(LAST, -1, 1)


@brings("files of arrays", "channels first, in the array or in `data.shape`", "the channels become the last axis")
@pytest.mark.parametrize(
    "array, shape, expected",
    [
        (LAST, [8, 9, 3], LAST),
        (FIRST, [8, 9, 3], LAST),
        (LAST, [3, 8, 9], LAST),
        (FIRST, [3, 8, 9], LAST),
        (FIRST[0], [8, 9, 3], LAST[:1]),
        (LAST[0], [3, 8, 9], LAST[:1]),
        (np.moveaxis(LAST, 0, -1), [8, 9, 3], LAST),
        (LAST.reshape(30, -1), [8, 9, 3], LAST),
        (LAST.reshape(-1)[:216], [8, 9, 3], LAST[:1]),
        (LAST[..., 0], [8, 9, 1], LAST[..., :1]),
        (LAST[..., :1], [8, 9], LAST[..., 0]),
        (LAST[:, 0], [9, 3], LAST[:, 0]),
        (np.moveaxis(LAST[:, 0], -1, 1), [9, 3], LAST[:, 0]),
    ],
    ids=lambda value: str(np.shape(value)) if isinstance(value, np.ndarray) else str(value),
)
def test_axes_are_moved_and_never_mixed(load, array, shape, expected):
    np.testing.assert_array_equal(load(array, shape).images, expected)


@pytest.mark.parametrize("there, shape", [((30, 3, 9, 8), [8, 9, 3]), ((30, 27, 8), [8, 9, 3]), ((30, 9, 3), [27, 1])])
def test_other_axes_are_refused(load, there, shape):
    with pytest.raises(
        ValueError, match="does not hold examples of shape .* The first axis of an array is that of the"
    ):
        load(np.zeros(there, "uint8"), shape)


@brings(
    "files of arrays", "one image with its channels first, `(3, height, width)`", "one sentence asks for `data.shape`"
)
@brings("files of arrays", "images along the last axis, `(height, width, 3, n)`", "one sentence names `np.moveaxis`")
def test_axes_that_are_asked_about(load):
    with pytest.raises(ValueError, match=r"3 series or one colour image. .* or \[8, 9, 3\] for one image"):
        load(FIRST[0])
    with pytest.raises(ValueError, match=r"np.moveaxis\(x, -1, 0\) puts it first, .* `shape` \[8, 9, 3\]"):
        load(np.moveaxis(LAST, 0, -1))


U = np.random.default_rng(0).integers(0, 256, (6, 8, 8)).astype("uint8")
U[0, 0, :2] = 0, 255
DEEP = {
    "uint16": (U.astype("uint16") * 257, U, "whole numbers: 0 is black, 65535 is white"),
    "12 bits": (U.astype("int32") * 16 + 15, None, "whole numbers: 0 is black, 4095 is white"),
    "int8": ((U.astype("int16") - 128).astype("int8"), U, "whole numbers: -128 is black, 127 is white"),
    "int16": (U.astype("int16") - 100, U, "whole numbers: -100 is black, 155 is white"),
    "int64": (U.astype("int64"), U, ""),
    "masks": (U // 128, U // 128 * 255, "0 is black, 1 is white"),
    "masks of int64": ((U // 128).astype("int64"), U // 128 * 255, "0 is black, 1 is white"),
    "True and False": (U > 127, U // 128 * 255, ""),
    "floats to 1": (U / 255, U, "floats: 0 is black, 1 is white"),
    "floats to 255": (U.astype("float32"), U, "floats: 0 is black, 255 is white"),
}


@brings("files of arrays", "images of 9 to 16 bits, or of negative whole numbers", "scaled by the rule for pictures")
@brings("files of arrays", "images of 0 and 1, such as masks", "black and white, and the data line says so")
@brings("files of arrays", "floats in [0, 1] or [0, 255]", "scaled to 8 bits, and the data line says so")
@pytest.mark.parametrize("form", DEEP)
def test_what_is_black_and_white(load, form):
    given, expected, said = DEEP[form]
    found = load(given)
    assert found.images.dtype == "uint8" and found.fitted == said
    if expected is not None:
        np.testing.assert_array_equal(found.images[..., 0], expected)


def test_a_large_array_is_scaled_in_parts(load, monkeypatch):
    monkeypatch.setattr(kgan.data.brightness, "_AT_ONCE", 100)
    np.testing.assert_array_equal(load(U.astype("uint16") * 257).images[..., 0], U)
    assert load(np.zeros((6, 8, 8), "uint8")).fitted == ""


def test_floats_of_another_range(load):
    with pytest.raises(ValueError, match=r"Received: floats from -3 to 4. 2 \* \(x - x.min.* scales them to \[-1, 1\]"):
        load(np.linspace(-3, 4, 640).reshape(10, 8, 8))


NUMBERS = np.arange(6) % 3
LABELS = {
    "names": (np.array(["cat", "dog", "ant"])[NUMBERS], NUMBERS[[1, 2, 0, 1, 2, 0]], ["ant", "cat", "dog"]),
    "names of bytes": (np.array([b"a2", b"a10", b"a1"])[NUMBERS], NUMBERS[[1, 2, 0, 1, 2, 0]], ["a1", "a2", "a10"]),
    "one at the number": (np.eye(3)[NUMBERS], NUMBERS, []),
    "whole floats": (NUMBERS.astype("float32"), NUMBERS, []),
    "a column": (NUMBERS[:, None], NUMBERS, []),
    "from 1": (NUMBERS + 1, NUMBERS, ["1", "2", "3"]),
    "from -1": (NUMBERS - 1, NUMBERS, ["-1", "0", "1"]),
    "booleans": (NUMBERS > 0, np.minimum(NUMBERS, 1), []),
}


@brings("files of arrays", "labels that are names, or numbers that do not begin at 0", "numbered; the names are kept")
@brings("files of arrays", "labels as rows of a 1 at the class's number, or as whole floats", "class numbers")
@pytest.mark.parametrize("form", LABELS)
def test_labels_of_all_forms(load, form):
    given, numbers, classes = LABELS[form]
    found = load(images=U, labels=given)
    assert found.labels.tolist() == numbers.tolist() and list(found.classes) == classes


def test_all_splits_have_the_same_classes(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=U, y_train=NUMBERS + 1, x_test=U[:2], y_test=[2, 3])
    assert kgan.data.load(path=tmp_path / "a.npz", split="test").labels.tolist() == [1, 2]
    images, labels = kgan.data.file(tmp_path / "a.npz")
    assert labels.tolist() == (NUMBERS + 1).tolist() and images.shape == (6, 8, 8, 1)


@brings("files of arrays", "labels that are not classes", "ignored without classes, else a sentence says why")
@pytest.mark.parametrize(
    "labels, why",
    [
        (np.ones((6, 4)), "its labels of shape .6, 4. are not classes"),
        (np.ones((6, 4, 2)), "its labels of shape .6, 4, 2. are not classes"),
        (np.linspace(0, 1, 6), "its labels are not whole numbers"),
        (np.arange(6) * 1j, "its labels are of type complex128"),
    ],
)
def test_labels_that_are_not_classes(tmp_path, call, labels, why):
    np.savez(tmp_path / "a.npz", images=U, labels=labels)
    assert kgan.data.load(path=tmp_path / "a.npz").labels is None
    said = call("train", "cifar10", "--set", "data.path=a.npz", code=2)
    assert re.search(f"a.npz: 6 images of 8 x 8 x 1; no classes, since {why}", said)
    assert re.search(f"`num_classes` needs data with labels, .* no labels, since {why}. What fits", said)


@brings("files of arrays", "arrays of Python's objects beside the images", "they are not read; labels may be missed")
def test_objects_beside_images(load):
    names = np.array(["cat", "dog"] * 3, object)
    assert load(images=U, more=names).images.shape == (6, 8, 8, 1)
    found = load(images=U, labels=names)
    assert found.labels is None
    assert found.unlabelled == "labels holds objects of Python; labels.astype(str) are names that can be read"
    with pytest.raises(ValueError, match="file of numbers .*: its arrays hold objects of Python"):
        load(images=names)
