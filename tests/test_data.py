"""Where images come from, and the order they come in."""

import gzip
import hashlib
import os
import struct

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.data import Batches, Folder
from kgan.data.fitting import fit
from tests.helpers import compiled, largest_difference, state


def test_digits():
    images, labels = kgan.data.digits()
    assert images.shape == (1797, 8, 8, 1) and images.dtype == np.uint8 and images.min() == 0 and images.max() == 255
    assert list(labels[:3]) == [0, 1, 2]


def epoch_of(batches):
    return np.concatenate([batches[index][0] for index in range(len(batches))])


def test_the_order_is_a_function_of_seed_and_epoch():
    numbers = np.arange(10)
    first, again, later, other = (
        Batches(numbers, 4, seed=seed, epoch=epoch) for seed, epoch in ((1, 0), (1, 0), (1, 1), (2, 0))
    )
    taken = [epoch_of(batches) for batches in (first, again, later, other)]
    assert [len(first[index][0]) for index in range(3)] == [4, 4, 2]
    assert all(sorted(one) == list(numbers) for one in taken)
    np.testing.assert_array_equal(taken[0], taken[1])
    assert np.any(taken[0] != taken[2]) and np.any(taken[0] != taken[3])
    first.next_epoch()
    np.testing.assert_array_equal(first.order, later.order)


def test_replacement_fills_every_batch_and_repeats_some():
    batches = Batches(np.arange(1000), 64, replacement=True)
    taken = epoch_of(batches)
    assert len(batches) == 15 and len(taken) == 15 * 64
    assert len(set(taken)) == pytest.approx(1000 * (1 - np.exp(-0.96)), abs=40)
    assert len(Batches(np.arange(3), 64, replacement=True)[0][0]) == 64


def test_labels_stay_with_their_images_and_half_are_mirrored():
    images = np.arange(1000, dtype="float32")[:, None, None, None] + np.array([0.0, 0.25])[:, None]  # left, right
    batches = Batches(images, 300, labels=np.arange(1000), flip=True)
    mirrored = []
    for index in range(len(batches)):
        found, labels = batches[index]
        np.testing.assert_array_equal(found.min((1, 2, 3)), labels)
        mirrored.extend(found[:, 0, 0, 0] > found[:, 0, 1, 0])
    assert 420 < sum(mirrored) < 580
    np.testing.assert_array_equal(batches.mirrored, mirrored)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"images": np.zeros((0, 8, 8, 1))}, "must contain at least one image"),
        ({"images": np.zeros((4, 2)), "flip": True}, r"`flip` is for images .* Received: shape \(4, 2\)"),
        ({"images": np.zeros((4, 2)), "labels": np.zeros(3)}, "3 labels, 4 images"),
        ({"images": [np.zeros((2, 2, 1)), np.zeros((3, 2, 1))]}, "`images` in a list must have one size. Received:"),
        ({"images": np.zeros(4), "batch_size": 2.5}, "`batch_size` of Batches must be an integer >= 1. Received: 2.5"),
        ({"images": np.zeros(4), "batch_size": 0}, "`batch_size` of Batches must be an integer >= 1. Received: 0"),
    ],
)
def test_wrong_batches(arguments, message):
    with pytest.raises(ValueError, match=message):
        Batches(**{"batch_size": 2, **arguments})


def test_batches_of_a_list():
    images = np.random.default_rng(0).random((6, 4, 4, 1))
    batches = Batches(list(images), 6, flip=True)
    np.testing.assert_array_equal(batches[0][0].sum((1, 2, 3)), images[batches.order].sum((1, 2, 3)))


def test_an_argument_that_load_does_not_have(tmp_path):
    with pytest.raises(TypeError, match="load\\(\\) has no argument 'sise'. Did you mean 'size'?"):
        kgan.data.load(path=tmp_path, sise=64)


@pytest.mark.parametrize(
    "arguments, said",
    [
        ({"size": 0}, "`size` must be an integer >= 1. Received: 0"),
        ({"size": (8, 0)}, "`size` must be an integer >= 1. Received: 0"),
        ({"size": (8, 8, 1)}, "`size` must be an integer or a pair, .height, width.. Received"),
        ({"channels": 4}, "`channels` must be 1, grey, or 3, colour. Received: 4"),
    ],
)
def test_wrong_sizes(tmp_path, arguments, said):
    picture(tmp_path / "a.png")
    for load in (lambda: kgan.data.load("digits", **arguments), lambda: Folder(tmp_path, **arguments)):
        with pytest.raises(ValueError, match=said):
            load()


@pytest.mark.parametrize("memory", [None, 1])
def test_a_folder_is_like_an_array(tmp_path, memory):
    for index in range(3):
        picture(tmp_path / f"{index}.png", (12 + index, 12))
    folder = Folder(tmp_path, size=np.int64(8), memory=memory)
    np.testing.assert_array_equal(np.asarray(folder), folder[:])
    np.testing.assert_array_equal(folder[-1], folder[:][2])
    with pytest.raises(IndexError):
        folder[3]


@pytest.mark.parametrize("count", [1, 5])
def test_fewer_images_than_a_batch(images, count):
    gan = compiled()
    history = gan.fit(Batches(images[:count], 16), epochs=2, verbose=0).history
    assert np.isfinite(history["d_loss"]).all() and int(gan.d_opt.iterations) == 2


@pytest.mark.longer
@pytest.mark.parametrize("options", [{}, {"flip": True}, {"replacement": True, "flip": True}], ids=str)
def test_fit_takes_them_in_that_order(images, options):
    """Three epochs of `Batches` are three fits of plain arrays, ordered by hand."""
    pixels = np.rint(images * 127.5 + 127.5).astype("uint8")
    results = []
    for by_hand in (False, True):
        keras.utils.set_random_seed(1)
        gan = compiled()
        if by_hand:
            for epoch in range(3):
                taken = epoch_of(Batches(pixels, 16, seed=5, epoch=epoch, **options))
                gan.fit(taken, batch_size=16, shuffle=False, verbose=0)
        else:
            batches = Batches(pixels, 16, seed=5, labels=np.arange(40), **options)
            gan.fit(batches, epochs=3, verbose=0)
            assert batches.epoch == 3
        results.append(state(gan))
    assert largest_difference(*results) < 1e-6


def picture(path, size=(40, 30), mode="RGB", **kwargs):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(size[0]).integers(0, 255, (size[1], size[0], 4)).astype("uint8")
    Image.fromarray(pixels).convert(mode).save(path, **kwargs)


@pytest.fixture
def mixed(tmp_path):
    """A folder of good pictures of all kinds, and of files that are none."""
    folder = tmp_path / "mixed"
    for index, mode in enumerate(("RGB", "L", "RGBA", "P", "1", "LA", "CMYK", "YCbCr", "I;16", "F")):
        ending = {"CMYK": "jpg", "YCbCr": "jpg", "F": "tiff"}.get(mode, "png")
        size = (20 + 10 * index, 60 - 3 * index)
        if mode == "I;16":
            Image.fromarray(np.full((50, 40), 0x80FF, "uint16")).save(folder / f"{index}.png")
        else:
            picture(folder / f"{index}.{ending}", size, mode)
    picture(
        folder / "deep" / "er" / "animated.gif", (33, 44), "P", save_all=True, append_images=[Image.new("P", (33, 44))]
    )
    whole = folder / "0.png"
    (folder / "cut.png").write_bytes(whole.read_bytes()[:200])
    picture(folder / "b.jpg")
    (folder / "cut.jpg").write_bytes((folder / "b.jpg").read_bytes()[:-300])
    (folder / "empty.png").touch()
    (folder / "notes.txt").write_text("no picture")
    flipped = bytearray(whole.read_bytes())
    flipped[60] ^= 255
    (folder / "flipped.png").write_bytes(flipped)
    os.mkfifo(folder / "pipe.png")
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    return folder


def test_a_folder_of_mixed_and_broken_files(mixed):
    data = kgan.data.load(path=mixed, size=16)
    assert data.images.shape == (12, 16, 16, 3) and data.images.dtype == np.uint8
    names = {reason: sorted(path.name for path in paths) for reason, paths in data.skipped.items()}
    assert names.pop("empty") == ["empty.png"] and names.pop("not a picture") == ["notes.txt"]
    assert sorted(sum(names.values(), [])) == ["cut.jpg", "cut.png", "flipped.png", "gone.png", "pipe.png"]
    assert "cut.jpg" in names["truncated"]
    assert kgan.data.load(path=mixed, size=[8, 12], channels=1).images.shape == (12, 8, 12, 1)
    assert kgan.data.load(path=mixed).images.shape == (12, 64, 64, 3)


def test_pictures_that_do_not_fit_into_memory_are_read_when_needed(mixed):
    kept, read = Folder(mixed, size=16), Folder(mixed, size=16, memory=1)
    assert read.in_memory is None
    chosen = np.array([3, 0, 11])
    np.testing.assert_array_equal(read[chosen], kept[chosen])
    assert read[chosen].shape == (3, 16, 16, 3)
    results = []
    for folder in (kept.in_memory, read):
        keras.utils.set_random_seed(1)
        gan = compiled(kgan.GAN(lambda: kgan.architectures.dcgan.generator((16, 16, 3), 4, filters=2),
                                lambda: kgan.architectures.dcgan.discriminator((16, 16, 3), filters=2), 4))  # fmt: skip
        gan.fit(Batches(folder, 5, flip=True), epochs=2, verbose=0)
        results.append(state(gan))
    assert largest_difference(*results) < 1e-5


def test_limit_counts_pictures_that_can_be_read(tmp_path):
    for index in range(10):
        picture(tmp_path / f"{index}.png", (12, 12))
    for index in (0, 9):
        (tmp_path / f"{index}.png").write_bytes((tmp_path / f"{index}.png").read_bytes()[:100])
    for limit in (1, 2, 8, 20):
        folder = Folder(tmp_path, limit=limit)
        assert len(folder) == len(folder[:]) == min(limit, 8) and folder.paths == sorted(folder.paths)
        np.testing.assert_array_equal(folder[:], Folder(tmp_path, limit=limit, memory=1)[:])


def test_links_to_folders_are_followed_once(tmp_path):
    picture(tmp_path / "elsewhere" / "a.png", (12, 12))
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "there").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "here")
    assert len(Folder(tmp_path / "here")) == 1


def test_a_class_and_a_link_to_it(tmp_path):
    picture(tmp_path / "b" / "a.png", (12, 12))
    picture(tmp_path / "c" / "a.png", (12, 12))
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "d").symlink_to(tmp_path / "c")
    assert Folder(tmp_path).classes == ["b", "c"]


def test_equal_sizes_are_kept_and_classes_are_labels(tmp_path):
    for name in ("train/cat/2", "train/cat/1", "train/ant/1", "test/cat/9"):
        picture(tmp_path / f"{name}.png", (20, 12), "L")
    data = kgan.data.load(path=tmp_path)
    assert data.images.shape == (3, 12, 20, 1)
    assert list(data.labels) == [0, 1, 1]
    folder = Folder(tmp_path / "train")
    assert folder.classes == ["ant", "cat"] and [path.name for path in folder.paths] == ["1.png", "1.png", "2.png"]
    assert len(kgan.data.load(path=tmp_path, split="test").images) == 1
    with pytest.raises(ValueError, match="has no folder 'dev' for that split. Folders in it: test, train"):
        kgan.data.load(path=tmp_path, split="dev")
    assert len(kgan.data.load(path=tmp_path, limit=2).images) == 2


def test_a_folder_without_pictures(tmp_path):
    with pytest.raises(ValueError, match="contains no picture that can be read .it is empty"):
        Folder(tmp_path)
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.png").touch()
    with pytest.raises(ValueError, match="1 not a picture, 1 empty"):
        Folder(tmp_path)
    with pytest.raises(ValueError, match="is not a folder"):
        Folder(tmp_path / "a.txt")


def test_how_a_picture_is_fitted():
    wide = np.zeros((10, 30, 3), "uint8")
    wide[:, 10:20] = 200, 100, 50  # the middle, which stays
    fitted = fit(Image.fromarray(wide), (10, 10), 3)
    assert np.all(fitted == (200, 100, 50))
    grey = fit(Image.fromarray(wide), (10, 10), 1)
    assert np.all(grey == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50))
    clear = fit(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), (4, 4), 3)
    assert np.all(clear == 255)
    assert np.all(fit(Image.fromarray(np.full((4, 4), 0x80FF, "uint16")), (4, 4), 1) == 0x80)
    assert np.all(fit(Image.fromarray(np.full((4, 4), 0.5, "float32")), (4, 4), 3) == 128)
    turned = Image.fromarray(np.array([[10, 200]], "uint8"))
    turned.getexif()[0x0112] = 6  # to be shown turned by 90 degrees
    assert fit(turned, (2, 1), 1)[:, 0, 0].tolist() == [10, 200]
    assert fit(Image.fromarray(np.full((4, 4), 77, "int32")), (4, 4), 1).max() == 77


def test_turned_pictures_are_as_large_as_they_are_shown(tmp_path):
    turned = Image.new("RGB", (20, 10))
    turned.getexif()[0x0112] = 6
    turned.save(tmp_path / "a.jpg", exif=turned.getexif())
    assert Folder(tmp_path).shape == (1, 20, 10, 3)


def test_files_of_arrays(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (6, 8, 8), dtype="uint8")
    np.save(tmp_path / "a.npy", images)
    data = kgan.data.load(path=tmp_path / "a.npy")
    np.testing.assert_array_equal(data.images[..., 0], images)
    assert data.labels is None
    np.savez(tmp_path / "b.npz", x_train=images[:4], y_train=np.arange(4), x_test=images[4:], y_test=np.arange(2))
    train, test = (kgan.data.load(path=tmp_path / "b.npz", split=split) for split in ("train", "test"))
    np.testing.assert_array_equal(train.images[..., 0], images[:4])
    np.testing.assert_array_equal(test.images[..., 0], images[4:])
    assert list(train.labels) == [0, 1, 2, 3] and list(test.labels) == [0, 1]
    np.savez(tmp_path / "c.npz", images=images / 127.5 - 1)
    assert kgan.data.load(path=tmp_path / "c.npz").images.dtype == np.float32
    np.savez(tmp_path / "d.npz", anything=images.astype("int64"))
    assert kgan.data.load(path=tmp_path / "d.npz").images.dtype == np.uint8
    np.save(tmp_path / "points.npy", np.ones((5, 2)))
    assert kgan.data.load(path=tmp_path / "points.npy").images.shape == (5, 2)
    half = kgan.data.load(path=tmp_path / "b.npz", limit=2)
    np.testing.assert_array_equal(half.images[..., 0], images[[0, 3]])
    assert list(half.labels) == [0, 3]
    assert kgan.data.load(path=tmp_path / "a.npy", size=4, channels=3).images.shape == (6, 4, 4, 3)


@pytest.mark.parametrize(
    "arrays, split, message",
    [
        ({"a": np.zeros((5, 4, 4)), "b": np.zeros(3)}, "train", "no array called x_train, or images. It has: a, b"),
        ({"x_train": np.zeros((5, 4, 4))}, "tst", "no array called x_tst. It has: x_train"),
        ({"x": np.zeros(5)}, "train", r"must hold images.* Received: shape \(5,\)"),
        ({"x": np.zeros((3, 4, 4, 2), "uint8")}, "train", "1 or 3 channels"),
        ({"x": np.zeros((5, 4, 4)) + [0, 0, 1, 1.5]}, "train", "floats from 0 to 1.5. .* scales them"),
        ({"x": np.full((5, 4, 4), "a")}, "train", "must hold uint8, or floats"),
        ({"x": np.full((5, 4, 4), np.nan)}, "train", "holds NaN or infinity"),
        ({"x": np.zeros((5, 4, 4), "uint8"), "y": np.zeros(2)}, "train", "5 images, but 2 labels"),
        ({"x": np.array([None])}, "train", "is neither an .npy or .npz file of numbers"),
    ],
)
def test_wrong_files(tmp_path, arrays, split, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        kgan.data.load(path=tmp_path / "x.npz", split=split)


def test_files_that_are_none(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 no archive")
    (tmp_path / "x.npy").write_bytes(b"nothing")
    for path in (tmp_path / "x.npz", tmp_path / "x.npy", tmp_path / "missing.npz"):
        with pytest.raises(ValueError, match="is neither an .npy or .npz file of numbers"):
            kgan.data.load(path=path)


@pytest.mark.parametrize("name, modes, std", [("ring", 8, 0.01), ("grid", 25, 0.05)])
def test_gaussians_lie_around_their_modes(name, modes, std):
    points, labels = kgan.data.get(name)(samples=20_000)
    assert points.shape == (20_000, 2) and set(labels) == set(range(modes))
    centres = np.array([points[labels == mode].mean(0) for mode in range(modes)])
    spread = np.std(points - centres[labels])
    assert spread == pytest.approx(std, rel=0.03)
    if name == "ring":
        np.testing.assert_allclose(np.linalg.norm(centres, axis=1), 1, atol=0.002)
    else:
        np.testing.assert_allclose(sorted(set(np.round(centres[:, 0]))), [-4, -2, 0, 2, 4])
    with pytest.raises(ValueError, match="`std` of .* must be above 0 and below 1e9. Received: -1"):
        kgan.data.get(name)(std=-1)


@pytest.fixture
def ten_digits(tmp_path):
    """Two of each digit, 4 x 4: a digit's image is as bright as its number, and one more where it is of the test split."""
    digits = np.arange(20) % 10
    bright = digits[:, None, None] * np.ones((4, 4), "uint8") * 20
    np.savez(tmp_path / "digits.npz", x_train=bright, y_train=digits, x_test=bright + 1, y_test=digits.astype("uint8"))
    return tmp_path / "digits.npz"


def test_stacked_digits_read_as_their_label(ten_digits):
    """0 is black, 1 is 20 and so on: red 3, green 0 and blue 7 are 60, 0 and 140, and read 307."""
    train = kgan.data.load("stacked_mnist", path=ten_digits, samples=5000)
    assert train.images.shape == (5000, 4, 4, 3) and train.images.dtype == np.uint8
    found = np.flatnonzero((train.images[:, 0, 0] == [60, 0, 140]).all(1))
    assert len(found) and set(train.labels[found]) == {307}
    read = train.images // 20 @ np.array([100, 10, 1])  # of each pixel, (n, 4, 4)
    np.testing.assert_array_equal(read, np.broadcast_to(train.labels[:, None, None], read.shape))
    # 5 of each mode on average: e^-5 of a thousand are missing
    assert 985 < len(set(train.labels)) <= 1000 and train.labels.min() >= 0 and train.labels.max() <= 999
    test = kgan.data.load("stacked_mnist", path=str(ten_digits), split="test", samples=5000)
    np.testing.assert_array_equal(test.labels, train.labels)  # the same draws, of other digits
    np.testing.assert_array_equal(test.images, train.images + 1)


def test_stacked_digits_are_those_of_the_download(ten_digits, monkeypatch):
    with np.load(ten_digits) as arrays:
        both = [(arrays[f"x_{split}"], arrays[f"y_{split}"]) for split in ("train", "test")]
    monkeypatch.setattr("keras.datasets.mnist.load_data", lambda: both)
    for split in ("train", "test"):
        here = kgan.data.load("stacked_mnist", samples=50, split=split)
        there = kgan.data.load("stacked_mnist", samples=50, split=split, path=ten_digits)
        np.testing.assert_array_equal(here.images, there.images)
        np.testing.assert_array_equal(here.labels, there.labels)


def test_stacked_digits_are_the_same_ones_each_time(ten_digits):
    one, again = (kgan.data.get("stacked_mnist")(samples=300, path=ten_digits) for _ in range(2))
    np.testing.assert_array_equal(one[0], again[0])
    np.testing.assert_array_equal(one[1], again[1])
    fewer = kgan.data.load("stacked_mnist", path=ten_digits, samples=300, limit=3, size=8)
    assert fewer.images.shape == (3, 8, 8, 3)
    np.testing.assert_array_equal(fewer.labels, one[1][[0, 149, 299]])
    np.testing.assert_array_equal(fewer.images[:, 5, 5], one[0][[0, 149, 299], 2, 2])
    assert kgan.data.load("stacked_mnist", path=ten_digits, samples=9, channels=1).images.shape == (9, 4, 4, 1)


def test_what_cannot_be_stacked_is_refused(ten_digits, tmp_path):
    with pytest.raises(ValueError, match="`samples` of stacked_mnist must be above 0 .* Received: 0"):
        kgan.data.load("stacked_mnist", path=ten_digits, samples=0)
    five, digits = np.zeros((5, 4, 4), "uint8"), np.arange(5)
    for name, arrays, said in (
        ("colour.npz", {"x": np.stack([five] * 3, -1), "y": digits}, r"grey digits.* shape \(5, 4, 4, 3\)"),
        ("alone.npz", {"x": five}, "the digits' labels too, .* Received: no labels"),
        ("letters.npz", {"x": five, "y": digits + 8}, "whole numbers from 0 to 9. Received: 8 to 12"),
    ):
        np.savez(tmp_path / name, **arrays)
        with pytest.raises(ValueError, match=f"{name} must hold .*{said}"):
            kgan.data.load("stacked_mnist", path=tmp_path / name)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_a_failed_download_says_what_to_do(keras_home, name):
    with pytest.raises(
        ConnectionError, match=f"{name} is not in .*no network here.*--set data.path=.*kgan train digits"
    ):
        kgan.data.load(name)


def test_a_file_that_keras_does_not_know_is_not_deleted(keras_home):
    other = keras_home / "mnist.npz"
    other.write_bytes(b"some other archive")
    assert hashlib.sha256(other.read_bytes()).hexdigest()[:4] != "731c"
    with pytest.raises(ValueError, match="mnist.npz is not the file that Keras knows .* --set data.path="):
        kgan.data.mnist()
    assert other.read_bytes() == b"some other archive"


def test_what_keras_has_is_read(keras_home):
    folder = keras_home / "fashion-mnist"
    folder.mkdir()
    for part, count in (("train", 5), ("t10k", 3)):
        labels = struct.pack(">II", 2049, count) + bytes(range(count))
        images = struct.pack(">IIII", 2051, count, 28, 28) + bytes([count]) * (count * 784)
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
    images, labels = kgan.data.fashion_mnist()
    assert images.shape == (5, 28, 28, 1) and images.dtype == np.uint8 and list(labels) == [0, 1, 2, 3, 4]
    assert len(kgan.data.load("fashion_mnist", split="test").images) == 3
    with pytest.raises(ValueError, match="must be 'train' or 'test'. Received: 'dev'"):
        kgan.data.fashion_mnist(split="dev")


def test_real_data_sets(real_data):
    train = kgan.data.load(path=real_data / "mnist.npz")
    assert train.images.shape == (60000, 28, 28, 1) and len(np.unique(train.labels)) == 10
    assert kgan.data.load(path=real_data / "mnist.npz", split="test").images.shape == (10000, 28, 28, 1)
