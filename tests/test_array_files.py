"""Arrays in files: which axis is which, what is black and white, and which labels they have."""

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
