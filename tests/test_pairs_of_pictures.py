"""Pairs of pictures: every layout, and that both of a pair stay together."""

import os
import pathlib
import tarfile

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.data import Batches, load
from kgan.data.paired import pairs_in
from tests.brought import brings
from tests.helpers import compiled, patches, translator

SIDE = 16


def picture(number, channels=3, side=SIDE):
    """A picture whose pixels say its number: the same in A, grey, and in B, colours."""
    grey = np.random.default_rng(number).integers(0, 256, (side, side), "uint8")
    return grey if channels == 1 else np.stack([grey, 255 - grey, grey], axis=-1)


def two_folders(path, count=6, names=("A", "B"), endings=(".png", ".png")):
    for name, channels, ending in zip(names, (1, 3), endings, strict=True):
        (path / name).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(picture(number, channels)).save(path / name / f"{number}{ending}")
    return path


def side_by_side(path, count=6):
    path.mkdir()
    for number in range(count):
        both = np.concatenate([picture(number, 1)[..., None].repeat(3, -1), picture(number)], axis=1)
        Image.fromarray(both).save(path / f"{number}.png")
    return path


def assert_together(given, real):
    """Whether each given image is that of its real one."""
    given, real = np.asarray(given), np.asarray(real)
    assert len(given) == len(real) > 0
    np.testing.assert_array_equal(given[..., :1], real[..., :1])
    np.testing.assert_array_equal(255 - real[..., 1], real[..., 0])


@brings("pairs", "two folders of pictures with equal file names, such as `A/` and `B/`", "the first by name is given")
def test_two_folders(tmp_path):
    found = load(path=two_folders(tmp_path / "p", names=("lines", "colours")), pairs=True)
    assert (found.given.shape, found.images.shape) == ((6, SIDE, SIDE, 3), (6, SIDE, SIDE, 1))
    assert found.paired == "colours to lines"
    other = load(path=tmp_path / "p", pairs=True, direction="b_to_a")
    assert (other.given.shape, other.images.shape, other.paired) == (
        (6, SIDE, SIDE, 1), (6, SIDE, SIDE, 3), "lines to colours",
    )  # fmt: skip
    assert_together(other.given, other.images)


@brings("pairs", "pictures that show A and B side by side", "the left half is given")
def test_side_by_side(tmp_path):
    found = load(path=side_by_side(tmp_path / "p"), pairs=True)
    assert found.given.shape == found.images.shape == (6, SIDE, SIDE, 3) and found.paired == "left to right"
    assert_together(found.given, found.images)
    other = load(path=tmp_path / "p", pairs=True, direction="b_to_a")
    np.testing.assert_array_equal(other.given, found.images)
    np.testing.assert_array_equal(other.images, found.given)
    smaller = load(path=tmp_path / "p", pairs=True, size=[4, 8])
    assert smaller.given.shape == smaller.images.shape == (6, 4, 8, 3)


@brings("pairs", "an `.npz` file with `sources` and `targets`, `a` and `b`, or `x` and `y`, both images", "pairs")
def test_two_arrays(tmp_path):
    a, b = (np.stack([picture(number, channels) for number in range(5)]) for channels in (1, 3))
    for names in (("a", "b"), ("sources", "targets"), ("x_train", "y_train")):
        np.savez(tmp_path / "p.npz", **dict(zip(names, (a, b), strict=True)))
        found = load(path=tmp_path / "p.npz", pairs=True, limit=4)
        assert found.given.shape == (4, SIDE, SIDE, 1)
        assert_together(found.given, found.images)
    with pytest.raises(ValueError, match="holds no pairs: two arrays of images"):
        load(path=tmp_path / "p.npz", pairs=True, split="test")


@pytest.mark.parametrize("inside", [True, False])
def test_splits(tmp_path, inside):
    """A split around the two folders, or in each of them."""
    path = tmp_path / "p"
    for split, count in (("train", 5), ("val", 3)):
        two_folders(tmp_path / split, count)
        for side in ("A", "B"):
            to = path / side / split if inside else path / split / side
            to.parent.mkdir(parents=True, exist_ok=True)
            os.rename(tmp_path / split / side, to)
    for split, count in (("train", 5), ("val", 3)):
        found = load(path=path, pairs=True, split=split, direction="b_to_a")
        assert len(found.images) == count
        assert_together(
            load(path=path, pairs=True, split=split).given[..., :1], load(path=path, pairs=True, split=split).images
        )
    with pytest.raises(ValueError, match="has no folder 'tset' for that split"):
        load(path=path, pairs=True, split="tset")


@brings("pairs", "a file without its partner, or a pair of which one file is broken", "left out, counted and named")
def test_alone_and_broken(tmp_path):
    path = two_folders(tmp_path / "p", endings=(".png", ".bmp"))
    (path / "A" / "0.png").unlink()
    (path / "B" / "1.bmp").unlink()
    (path / "A" / "2.png").write_bytes((path / "A" / "2.png").read_bytes()[:60])
    (path / "B" / "3.bmp").write_bytes(b"no picture")
    found = load(path=path, pairs=True)
    assert len(found.images) == 2
    assert_together(found.given, found.images)
    assert {reason: sorted(file.name for file in files) for reason, files in found.skipped.items()} == {
        "without a partner": ["0.bmp", "1.png"], "truncated": ["2.png"], "not a picture": ["3.bmp"],
    }  # fmt: skip


@brings("pairs", "label maps, `kind: labels`", "resized to the nearest value, so that no label is invented")
def test_label_maps(tmp_path):
    path = tmp_path / "p"
    for side in ("A", "B"):
        (path / side).mkdir(parents=True)
    draw = np.random.default_rng(0)
    for number in range(4):
        labels = draw.choice([0, 80, 250], (37, 29)).astype("uint8")
        Image.fromarray(labels).save(path / "A" / f"{number}.png")
        Image.fromarray(draw.integers(0, 256, (37, 29, 3), "uint8")).save(path / "B" / f"{number}.png")
    found = load(path=path, pairs=True, size=16, kind="labels")
    assert set(np.unique(found.given)) == {0, 80, 250}
    assert len(np.unique(load(path=path, pairs=True, size=16).given)) > 50


@brings("pairs", "pictures of any sizes in both folders", "both are brought to one size")
def test_sizes(tmp_path):
    path = two_folders(tmp_path / "p", 3)
    Image.fromarray(picture(9, side=40)).save(path / "B" / "9.png")
    Image.fromarray(picture(9, 1, side=30)).save(path / "A" / "9.png")
    found = load(path=path, pairs=True, size=[12, 8])
    assert found.given.shape == (4, 12, 8, 1) and found.images.shape == (4, 12, 8, 3)
    assert "to 12 x 8" in found.fitted


def test_both_are_changed_alike(tmp_path):
    found = load(path=two_folders(tmp_path / "p", 8), pairs=True, resize=SIDE, size=[10, 12])
    assert found.crop == (10, 12)
    batches = Batches(found.images, 4, seed=3, given=found.given, flip=True, crop=found.crop)
    seen = [batches[index] for index in range(len(batches))]
    for given, real in seen:
        assert given.shape == (4, 10, 12, 1)
        assert_together(given, real)
    order, mirrored, corners = batches.order.copy(), batches.mirrored.copy(), batches.corners.copy()
    for row, at in enumerate(order):
        (top, left), whole = corners[row], found.images[at]
        whole = whole[:, ::-1] if mirrored[row] else whole
        np.testing.assert_array_equal(seen[row // 4][1][row % 4], whole[top : top + 10, left : left + 12])
    assert len({tuple(one) for one in corners.tolist()}) > 3 and 0 < mirrored.sum() < 8
    batches.next_epoch()
    assert not np.array_equal(batches.corners, corners)
    batches.seek(0, batch=1)
    np.testing.assert_array_equal(batches[0][0], seen[1][0])
    assert Batches(found.images, 4, seed=3).order.tolist() == order.tolist()  # what was drawn before is drawn still


def test_too_small_for_the_crop(tmp_path):
    images = np.zeros((4, 8, 8, 1), "uint8")
    with pytest.raises(ValueError, match=r"`crop` \(9, 8\) is for images of one size, .* Received: 8 x 8"):
        Batches(images, 2, crop=(9, 8))
    with pytest.raises(ValueError, match="Received: 8 x 8 and 4 x 4"):
        Batches(images, 2, given=images[:, :4, :4], crop=(4, 4))
    with pytest.raises(ValueError, match="as many images that are given as real ones. Received: 3 and 4"):
        Batches(images, 2, given=images[:3])
    with pytest.raises(ValueError, match="`resize` must be at least `size`"):
        load(path=two_folders(tmp_path / "p"), pairs=True, size=16, resize=8)


@brings("pairs", "a picture of a pair that vanishes during the training", "both are replaced by the next pair")
def test_a_pair_is_replaced_together(tmp_path):
    path = two_folders(tmp_path / "p", 8)
    given, real, *_ = pairs_in(path, memory=1)
    assert given.in_memory is None and real.in_memory is None
    batches = Batches(real, 8, given=given)
    (path / "B" / "2.png").unlink()
    (path / "A" / "5.png").unlink()
    for _ in range(2):
        assert_together(*batches[0])
        batches.next_epoch()
    assert sorted(real.moved.items()) == [(2, 3), (5, 6)]
    assert [file.name for folder in (given, real) for files in folder.replaced.values() for file in files] == [
        "5.png", "2.png",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda path: (path / "C").mkdir(), "holds 3 folders: A, B, C"),
        (lambda path: os.rename(path / "B", path.parent / "B"), "holds 1 folders: A"),
        (lambda path: [os.rename(one, one.with_name(f"x{one.name}")) for one in (path / "B").iterdir()], "No file in"),
    ],
)
def test_no_pairs(tmp_path, make, message):
    make(two_folders(tmp_path / "p"))
    with pytest.raises(ValueError, match=message):
        load(path=tmp_path / "p", pairs=True)


def test_keys_of_pairs_alone(tmp_path):
    with pytest.raises(ValueError, match="`direction` and `kind` are for pairs of images"):
        load("digits", direction="b_to_a")
    with pytest.raises(ValueError, match="Unknown direction 'ab'. Known are: a_to_b, b_to_a"):
        load(path=two_folders(tmp_path / "p"), pairs=True, direction="ab")
    with pytest.raises(ValueError, match="A GAN of pairs needs `path`"):
        load("digits", pairs=True)


@pytest.mark.parametrize("memory", [None, 1])
def test_they_train(tmp_path, memory):
    given, real, *_ = pairs_in(two_folders(tmp_path / "p", 8), memory=memory)
    results = []
    for parts in ((given, real), (given[:], real[:])):
        keras.utils.set_random_seed(2)
        gan = compiled(kgan.GAN(translator(1, 3, side=SIDE), patches(3, 1, side=SIDE), condition="pairs", seed=1))
        gan.fit(Batches(parts[1], 4, given=parts[0], flip=True), epochs=2, verbose=0)
        results.append(gan.get_weights())
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.skipif("KGAN_TEST_DATA" not in os.environ, reason="needs the folder of test data")
def test_emoji(tmp_path):
    with tarfile.open(pathlib.Path(os.environ["KGAN_TEST_DATA"]) / "emoji" / "openmoji.tar.gz") as archive:
        members = [one for one in archive.getmembers() if one.isfile()]
        names = sorted({pathlib.PurePosixPath(one.name).name for one in members})[:40]
        archive.extractall(
            tmp_path, [one for one in members if pathlib.PurePosixPath(one.name).name in names], filter="data"
        )
    [folder] = {one.parent.parent for one in tmp_path.rglob("*.png")}
    found = load(path=folder, pairs=True, direction="b_to_a")
    assert found.paired == "lines to colours" and len(found.images) == 40
    assert found.images.shape == (40, 64, 64, 3)
