"""Pairs of pictures: what a generator is given, and the real image that belongs to it, from a disk to a batch."""

import json
import logging
import tarfile
import types

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.callbacks import Checkpoint
from kgan.data import Batches
from kgan.data.paired_folder import PairedFolder
from kgan.runner import display, recipe_data, recipes, run
from tests.brought import brings
from tests.helpers import KilledError, Steps, assert_fed_alike, compiled, largest_difference, patches, state, translator
from tests.recipe_helpers import GOOD, check


def write(path, value, mode=None, size=(8, 8), **kwargs):
    """Save a picture of one value, or of an array."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.broadcast_to(np.asarray(value, None if np.ndim(value) else "uint8"), np.shape(value) or size)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    (picture.convert(mode) if mode else picture).save(path, **kwargs)


def write_pairs(folder, count=4, names=("A", "B")):
    """Grey pairs: the source of number i is i, its target 100 + i."""
    for index in range(count):
        for offset, name in zip((0, 100), names, strict=True):
            write(folder / name / f"{index}.png", offset + index)


def firsts(found):
    """The first value of each source, and of each target."""
    return [np.asarray(one[:])[:, 0, 0, 0].tolist() for one in (found.given, found.images)]


def load(path, **kwargs):
    return kgan.data.load(path=path, pairs=True, **kwargs)


def on_demand(monkeypatch, path, **kwargs):
    """The same data where the machine has no memory for them."""
    with monkeypatch.context() as patch:
        patch.setattr("kgan.environment.memory_limit", lambda: 8)
        found = load(path, **kwargs)
    assert isinstance(found.images, PairedFolder) and found.images.in_memory is None
    return found


@brings(
    "pairs",
    "two folders of equal file names, with other endings too, in folders below them too",
    "the first folder in natural order is the source, or the other one with `direction: b_to_a`",
)
def test_two_folders_of_equal_names(tmp_path):
    for name, value in (("10", 10), ("2", 2), ("more/2", 3)):
        write(tmp_path / "lines" / f"{name}.png", value)
        write(tmp_path / "colours" / f"{name}.bmp", 100 + value, "RGB")
    (tmp_path / "readme.txt").write_text("beside them")
    found = load(tmp_path)
    assert found.images.shape == (3, 8, 8, 1) and found.given.shape == (3, 8, 8, 3)
    assert firsts(found) == [[102, 110, 103], [2, 10, 3]] and found.paired == "colours to lines"
    assert found.labels is None and found.fitted == ""
    assert found.skipped == {"beside the two folders": [tmp_path / "readme.txt"]}
    back = load(tmp_path, direction="b_to_a")
    assert back.images.shape == (3, 8, 8, 3) and back.given.shape == (3, 8, 8, 1)
    assert firsts(back) == [[2, 10, 3], [102, 110, 103]] and back.paired == "lines to colours"
    few = load(tmp_path, direction="b_to_a", limit=2)
    assert firsts(few) == [[2, 3], [102, 103]]


@brings(
    "pairs",
    "pictures with A in the left half and B in the right one",
    "cut in the middle; one of odd width is skipped with this reason",
)
def test_two_halves_of_one_picture(tmp_path, monkeypatch):
    for index in range(3):
        both = np.zeros((8, 16, 3), "uint8")
        both[:, :8], both[:, 8:] = index, 100 + index
        write(tmp_path / f"{index}.png", both)
    write(tmp_path / "odd.png", 5, size=(8, 15))
    found = load(tmp_path)
    assert found.images.shape == found.given.shape == (3, 8, 8, 3) and found.images.max(axis=(1, 2, 3)).tolist() == [
        100,
        101,
        102,
    ]
    assert firsts(found) == [[0, 1, 2], [100, 101, 102]] and found.paired == "left halves to right halves"
    assert {reason: [one.name for one in paths] for reason, paths in found.skipped.items()} == {
        "of odd width, and has no halves": ["odd.png"]
    }
    back = on_demand(monkeypatch, tmp_path, direction="b_to_a")
    assert firsts(back) == [[100, 101, 102], [0, 1, 2]] and back.paired == "right halves to left halves"
    turned = Image.fromarray(np.repeat(np.arange(2, dtype="uint8"), 8)[:, None] * np.ones((1, 8), "uint8") * 200)
    turned.getexif()[0x0112] = 6  # it is saved upright; the lower half is on the left when it is shown
    turned.save(tmp_path / "3.png", exif=turned.getexif())
    assert [one[-1] for one in firsts(load(tmp_path))] == [200, 0]


@brings("pairs", "splits in `train/` and `val/`, or in `A/train/` and `B/train/`", "`split` and `validation` name them")
def test_splits_of_pairs(tmp_path):
    for split, value in (("train", 60000), ("val", 400)):
        for name, deep in (("A", value), ("B", value // 20)):
            write(tmp_path / "inside" / split / name / "1.png", np.full((8, 8), deep, "uint16"))
            write(tmp_path / "outside" / name / split / "1.png", np.full((8, 8), deep, "uint16"))
    for folder in ("inside", "outside"):
        train, val = (load(tmp_path / folder, split=split) for split in ("train", "val"))
        # one rule for the sources of all splits, and one for the targets: 3000 and 20 of 12 bits
        assert firsts(train) == [[233], [187]] and firsts(val) == [[2], [1]], folder
        assert (
            train.fitted
            == val.fitted
            == (
                "A: integers of more than 8 bits: 0 is black, 65535 is white; "
                "B: integers of more than 8 bits: 0 is black, 4095 is white"
            )
        )
        with pytest.raises(ValueError, match="has no folder 'tset' for that split. Folders in it: "):
            load(tmp_path / folder, split="tset")
        assert val.origin == {"inside": "val/, without train/", "outside": "A/val/ and B/val/, without train/"}[folder]
        assert firsts(load(tmp_path / folder, split="valid")) == firsts(val)  # another usual name
    (tmp_path / "inside" / "train").rename(tmp_path / "inside" / "test")
    with pytest.raises(ValueError, match="inside has no folder 'train' for that split. Folders in it: test, val"):
        load(tmp_path / "inside")  # these two are no sources and targets


@brings("pairs", "a file without its partner", "counted, and named, with this reason")
def test_files_without_a_partner(tmp_path):
    write_pairs(tmp_path)
    write(tmp_path / "A" / "alone.png", 5)
    write(tmp_path / "B" / "more" / "0.png", 5)
    (tmp_path / "A" / "1.csv").write_text("beside a picture of this name")
    write(tmp_path / "A" / "0.bmp", 5)
    found = load(tmp_path)
    assert firsts(found) == [[0, 1, 2, 3], [100, 101, 102, 103]]
    [(reason, paths)] = found.skipped.items()
    names = [str(path.relative_to(tmp_path)) for path in paths]
    assert reason == "without a partner" and names == ["A/0.bmp", "A/1.csv", "A/alone.png", "B/more/0.png"]
    (tmp_path / "A" / "1.png").unlink()
    write(tmp_path / "A" / "1.gif", 50)
    assert firsts(load(tmp_path))[0] == [0, 50, 2, 3]  # not the .csv


@brings("pairs", "a source or a target that is broken", "the pair is skipped with the reason")
def test_a_pair_of_which_one_is_broken(tmp_path, monkeypatch):
    write_pairs(tmp_path, 6)
    (tmp_path / "A" / "1.png").write_bytes((tmp_path / "A" / "1.png").read_bytes()[:50])
    (tmp_path / "B" / "2.png").write_text("no picture")
    for found in (load(tmp_path), on_demand(monkeypatch, tmp_path)):
        assert firsts(found) == [[0, 3, 4, 5], [100, 103, 104, 105]]
        skipped = {reason: [str(one.relative_to(tmp_path)) for one in paths] for reason, paths in found.skipped.items()}
        assert skipped.pop("not a picture") == ["B/2.png"] and list(skipped.values()) == [["A/1.png"]]
    assert firsts(load(tmp_path, limit=3)) == [[0, 3, 5], [100, 103, 105]]
    for path in tmp_path.rglob("*.png"):
        path.write_text("no picture")
    with pytest.raises(ValueError, match="contains no pair of pictures that can be read .6 not a picture"):
        load(tmp_path)


@brings("pairs", "one folder or more than two where pairs are asked for", "a sentence names both layouts")
def test_what_is_no_folder_of_pairs(tmp_path):
    write_pairs(tmp_path / "three", names=("A", "B"))
    write(tmp_path / "three" / "AB" / "0.png", 5)
    write(tmp_path / "one" / "pictures" / "0.png", 5)
    write(tmp_path / "differ" / "A" / "x_a.png", 5)
    write(tmp_path / "differ" / "B" / "x_b.png", 5)
    (tmp_path / "empty").mkdir()
    both = "two folders of equal file names, such as A/ and B/, or pictures that show both"
    for name, said in (
        ("three", f"{both}.* Received: .*three with the folders A, AB, B$"),
        ("one", f"{both}.* Received: .*one with the folder pictures$"),
        (
            "differ",
            f"No file in .*A has the name of one in .*B. .*{both}.* Received: for instance 'x_a.png' and 'x_b.png'$",
        ),
        ("empty", "empty contains no pair of pictures that can be read .it is empty"),
    ):
        with pytest.raises(ValueError, match=said):
            load(tmp_path / name)


@brings("pairs", "sources of other sizes, channels or depths than the targets", "both get the size of the targets")
def test_sources_and_targets_may_differ(tmp_path):
    write(tmp_path / "A" / "0.png", np.full((6, 9), 4095, "uint16"))
    write(tmp_path / "B" / "0.png", np.dstack([np.full((12, 18, 3), 7), np.zeros((12, 18, 1))]).astype("uint8"))
    found = load(tmp_path, size=[4, 6])
    assert found.given.shape == (1, 4, 6, 1) and found.images.shape == (1, 4, 6, 3)
    assert found.given.min() == 255 and found.images.min() == 255  # transparent parts are white
    assert found.fitted == (
        "A: cropped, Lanczos, 6 x 9 to 4 x 6; integers of more than 8 bits: 0 is black, 4095 is white; "
        "B: cropped, Lanczos, 12 x 18 to 4 x 6"
    )
    assert load(tmp_path).images.shape == (1, 64, 64, 3)  # the sizes differ
    assert load(tmp_path, channels=1).images.shape == load(tmp_path, channels=1).given.shape == (1, 64, 64, 1)
    assert [
        one.shape[3] for one in (load(tmp_path, channels=(3, 1)).given, load(tmp_path, channels=(3, 1)).images)
    ] == [3, 1]
    write(tmp_path / "B" / "0.png", 7, size=(6, 9))
    assert load(tmp_path).images.shape == (1, 6, 9, 1)
    write(tmp_path / "B" / "0.png", 7, size=(12, 19))
    assert "proportions" not in load(tmp_path).fitted  # a pixel of the larger one
    write(tmp_path / "B" / "0.png", 7, size=(12, 12))
    assert load(tmp_path).fitted.endswith(
        "; 1 pair differs in their proportions, and each picture is cropped around its own centre"
    )


@brings(
    "pairs",
    "sources that are maps of labels, with `kind: labels`",
    "resized without a filter: no new colours",
)
@pytest.mark.parametrize("halves", [False, True])
def test_maps_of_labels_keep_their_colours(tmp_path, monkeypatch, halves):
    numbers = np.random.default_rng(0).integers(0, 5, (48, 48)).astype("uint8")
    palette = np.random.default_rng(1).integers(0, 256, (5, 3), "uint8")
    labels = Image.fromarray(numbers)
    labels.putpalette(palette.ravel().tolist())
    assert labels.mode == "P"
    photo = np.random.default_rng(2).integers(0, 256, (48, 48, 3), "uint8")
    (tmp_path / "labels").mkdir()
    if halves:
        write(tmp_path / "labels" / "0.png", np.hstack([np.asarray(labels.convert("RGB")), photo]))
        path = tmp_path / "labels"
    else:
        labels.save(tmp_path / "labels" / "0.png")
        write(tmp_path / "photos" / "0.bmp", photo)
        path = tmp_path
    colours = set(map(tuple, palette.tolist()))

    def seen(images):
        return set(map(tuple, np.asarray(images[:]).reshape(-1, 3).tolist()))

    for found in (load(path, size=20, kind="labels"), on_demand(monkeypatch, path, size=20, kind="labels")):
        assert seen(found.given) == colours and "nearest neighbour" in found.fitted and "Lanczos" in found.fitted
        assert len(seen(found.images)) > 300
    smooth = load(path, size=20)
    assert not seen(smooth.given) <= colours
    np.testing.assert_array_equal(smooth.images, found.images[:])  # the targets are images all the same


def test_labels_of_one_channel(tmp_path):
    write(tmp_path / "A" / "0.png", np.random.default_rng(0).choice([0, 1, 7, 33], (50, 40)).astype("uint8"))
    write(tmp_path / "B" / "0.png", 5, "RGB", (50, 40))
    assert set(load(tmp_path, size=16, kind="labels").given.ravel()) == {0, 1, 7, 33}
    assert len(set(load(tmp_path, size=16).given.ravel())) > 10


@brings(
    "pairs",
    "a picture that vanishes or breaks during the training",
    "replaced together with its partner, and counted",
)
def test_a_pair_that_vanishes_is_replaced_by_another(tmp_path, monkeypatch, caplog):
    write_pairs(tmp_path, 8)
    found = on_demand(monkeypatch, tmp_path)
    batches = Batches(found.images, 8, given=found.given)
    read = []
    decode = found.images._decode
    monkeypatch.setattr(found.images, "_decode", lambda entry: read.append(entry) or decode(entry))
    given, images = batches[0]
    np.testing.assert_array_equal(given + np.uint8(100), images)
    assert len(read) == 8  # both of a pair at once: nothing vanishes in between
    (tmp_path / "A" / "1.png").unlink()
    (tmp_path / "B" / "2.png").write_text("no picture any more")
    (tmp_path / "B" / "7.png").unlink()
    with caplog.at_level(logging.WARNING, "kgan"):
        given, images = batches[0]
    expected = np.array([0, 3, 3, 3, 4, 5, 6, 0])[batches.order]
    assert given[:, 0, 0, 0].tolist() == expected.tolist() and images[:, 0, 0, 0].tolist() == (100 + expected).tolist()
    assert firsts(found) == [[0, 3, 3, 3, 4, 5, 6, 0], [100, 103, 103, 103, 104, 105, 106, 100]]  # one by one too
    replaced = {reason: sorted(path.name for path in paths) for reason, paths in found.images.replaced.items()}
    assert replaced == {"missing": ["1.png", "7.png"], "not a picture": ["2.png"]}
    [said] = [one.message for one in caplog.records]
    assert "cannot be read any more" in said
    for path in tmp_path.rglob("*.png"):
        path.unlink()
    with pytest.raises(OSError, match=r"B/\d.png cannot be read any more, nor can any other pair of pictures in"):
        batches[0]
    found.images.keeps_going = True  # as in a training, which saves its state then
    assert [one[:, 0, 0, 0].tolist() for one in batches[0]] == [[0] * 8, [100] * 8]
    assert "nor can any other pair of pictures" in found.images.failure


def test_pairs_that_do_not_fit_into_memory_are_read_when_needed(tmp_path, monkeypatch):
    draw = np.random.default_rng(0)
    for index in range(7):
        write(tmp_path / "A" / f"{index}.png", draw.integers(0, 256, (14, 14), "uint8"))
        write(tmp_path / "B" / f"{index}.png", draw.integers(0, 256, (20, 20, 3), "uint8"))
    settings = {"size": 8, "resize": 12}
    kept, read = load(tmp_path, **settings), on_demand(monkeypatch, tmp_path, **settings)
    assert isinstance(kept.images, np.ndarray) and isinstance(kept.given, np.ndarray)
    assert read.given.shape == kept.given.shape == (7, 12, 12, 1) and len(read.given) == 7
    assert read.image_shape == kept.image_shape == (8, 8, 3) and read.given_shape == (8, 8, 1) and read.crop == (8, 8)
    both = [Batches(one.images, 3, seed=4, given=one.given, crop=one.crop, flip=True) for one in (kept, read)]
    assert both[0].in_memory and not both[1].in_memory
    for index in range(len(both[0])):
        for one, other in zip(both[0][index], both[1][index], strict=True):
            np.testing.assert_array_equal(one, other)
    for one, other in ((kept.middle(), read.middle()),):
        assert one.image_shape == other.image_shape == (8, 8, 3) and one.crop is None
        np.testing.assert_array_equal(one.images, kept.images[:, 2:10, 2:10])
        np.testing.assert_array_equal(one.images[[5, 1]], other.images[np.array([5, 1])])
        np.testing.assert_array_equal(one.given, other.given[:])
        assert one.fitted == other.fitted and one.fitted.endswith("; the middle 8 x 8 of each")


@pytest.mark.longer
@pytest.mark.parametrize("memory", [None, 1])
def test_they_train(tmp_path, memory):
    draw = np.random.default_rng(0)
    for index in range(8):
        write(tmp_path / "A" / f"{index}.png", draw.integers(0, 256, (16, 16), "uint8"))
        write(tmp_path / "B" / f"{index}.png", draw.integers(0, 256, (16, 16, 3), "uint8"))
    folder = PairedFolder(tmp_path, memory=memory)
    results = []
    for given, images in ((folder.given, folder), (folder.given[:], folder[:])):
        keras.utils.set_random_seed(2)
        gan = compiled(kgan.GAN(translator(1, 3, side=16), patches(3, 1, side=16), condition="pairs", seed=1))
        gan.fit(Batches(images, 4, given=given, flip=True), epochs=2, verbose=0)
        results.append(gan.get_weights())
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def marked(count=40, size=(10, 12)):
    """Images whose pixels say which image and which place they are of, `(n, 10, 12, 3)`."""
    number, row, column = np.meshgrid(np.arange(count), *map(np.arange, size), indexing="ij")
    return np.stack([number, row, column], axis=-1).astype("uint8")


def epoch_of(batches):
    return [np.concatenate(parts) for parts in zip(*(batches[index] for index in range(len(batches))), strict=True)]


@pytest.mark.parametrize("flip", [False, True])
def test_both_of_a_pair_are_cropped_and_mirrored_alike(flip):
    images = marked()
    batches = Batches(images, 16, seed=3, given=images + np.uint8(100), crop=(7, 8), flip=flip)
    given, taken = epoch_of(batches)
    assert taken.shape == given.shape == (40, 7, 8, 3)
    np.testing.assert_array_equal(given, taken + np.uint8(100))
    number, row, column = np.moveaxis(taken.astype(int), -1, 0)
    np.testing.assert_array_equal(number[:, 0, 0], batches.order)
    assert np.all(np.diff(row, axis=1) == 1) and np.all(np.abs(np.diff(column, axis=2)) == 1)
    mirrored = np.diff(column, axis=2)[:, 0, 0] < 0
    np.testing.assert_array_equal(mirrored, batches.mirrored if flip else np.zeros(40, bool))
    tops, lefts = row.min((1, 2)), column.min((1, 2))
    assert set(tops) == {0, 1, 2, 3} and set(lefts) == {0, 1, 2, 3, 4}  # all that there are, drawn for each image
    assert len(set(zip(tops.tolist(), lefts.tolist(), strict=True))) > 10


def test_draws_are_those_of_before_and_anew_in_each_epoch():
    images = marked()
    draw = np.random.default_rng([5, 2])
    order, mirrored = draw.permutation(40), draw.random(40) < 0.5
    plain, cropped = (Batches(images, 16, seed=5, epoch=2, flip=True, crop=crop) for crop in (None, 7))
    for batches in (plain, cropped):
        np.testing.assert_array_equal(batches.order, order)
        np.testing.assert_array_equal(batches.mirrored, mirrored)
    [before] = epoch_of(cropped)
    assert before.shape == (40, 7, 7, 3)
    cropped.next_epoch()
    corners = {tuple(one) for one in cropped.corners[:20].tolist()}
    assert len(corners) > 5 and np.any(cropped.corners != draw.integers([4, 6], size=(40, 2)))
    cropped.seek(2, batch=1)
    np.testing.assert_array_equal(epoch_of(cropped)[0], before[16:])
    assert plain.identity().keys() | {"crop"} == cropped.identity().keys() and cropped.identity()["crop"] == [7, 7]
    assert len(Batches(images, 16, replacement=True, crop=7)[1][0]) == 16


@pytest.mark.parametrize("options", [{"crop": (7, 8)}, {"crop": 6, "flip": True}, {"flip": True}], ids=str)
@pytest.mark.parametrize("paired", [False, True])
def test_the_engine_is_fed_the_same(options, paired):
    images = marked()
    batches = Batches(images, 16, seed=1, given=images[..., :1] if paired else None, **options)
    assert len(batches[0]) == (2 if paired else 1)
    assert_fed_alike(batches)


def test_a_training_with_random_parts_resumes_where_it_was(images, tmp_path):
    pixels = np.pad(np.rint(images[:20] * 127.5 + 127.5).astype("uint8"), ((0, 0), (1, 2), (2, 1), (0, 0)), mode="wrap")
    results = []
    for folder, stops in (("whole", [None]), ("killed", [3, None])):  # in the middle of the second epoch
        for kill_at in stops:
            keras.utils.set_random_seed(1)
            gan = compiled(run_eagerly=True)
            saver = Checkpoint(tmp_path / folder, every="1 step", resume=True)
            try:
                gan.fit(Batches(pixels, 10, seed=5, crop=8), epochs=2, verbose=0, callbacks=[saver, Steps(kill_at)])
            except KilledError:
                assert kill_at
        results.append(state(gan))
        assert int(gan.d_opt.iterations) == 4
    assert largest_difference(*results) == 0


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"given": np.zeros((3, 8, 8, 1))}, "one of `given` for each image. Received: 3 given, 4 images"),
        ({"given": np.zeros(4)}, r"`given` must be images .*, one of a pair. Received: shape \(4,\)"),
        (
            {"given": np.zeros((4, 8, 8, 1)), "labels": np.zeros(4)},
            "`labels` and `given` of Batches cannot be used together",
        ),
        ({"given": np.zeros((4, 4, 8, 1)), "crop": 4}, "must have one size. Received: given 4 x 8, images 8 x 8"),
        ({"crop": 9}, "`crop` must be at most the size of the images, 8 x 8. Received: 9 x 9"),
        ({"crop": (0, 8)}, "`crop` of Batches must be an integer >= 1. Received: 0"),
        ({"crop": (8, 8, 1)}, r"`crop` must be an integer, or a pair \(height, width\). Received: \(8, 8, 1\)"),
        ({"images": np.zeros((4, 2)), "crop": 1}, r"`crop` is for images .* Received: shape \(4, 2\)"),
    ],
)
def test_wrong_batches_of_pairs(arguments, message):
    with pytest.raises(ValueError, match=message):
        Batches(**{"images": np.zeros((4, 8, 8, 1)), "batch_size": 2, **arguments})


def test_sources_of_another_size_are_mirrored_too():
    images = marked(4)
    given, taken = epoch_of(Batches(images, 4, given=images[:, ::2, ::2], flip=True))
    np.testing.assert_array_equal(given[..., 0], taken[:, ::2, ::2, 0])
    falling = taken[:, 0, 0, 2] > taken[:, 0, 1, 2]
    np.testing.assert_array_equal(given[:, 0, 0, 2] > given[:, 0, 1, 2], falling)
    assert 0 < falling.sum() < 4


@brings(
    "pairs",
    "an `.npz` file of `a` and `b`, `sources` and `targets`, or `x` and `y`, both images; `a_test` and so on",
    "the sources and the targets, of any sizes and channels",
)
def test_files_of_pairs(tmp_path):
    grey = np.arange(6, dtype="uint8")[:, None, None] * np.ones((4, 4), "uint8")
    colour = np.stack([grey + 100] * 3, axis=-1).repeat(2, 1).repeat(2, 2)
    for names in (("a", "b"), ("sources", "targets"), ("x", "y")):
        arrays = {f"{names[0]}_test": grey[:3], f"{names[1]}_test": colour[:3], names[0]: grey, names[1]: colour}
        np.savez(tmp_path / "pairs.npz", **arrays)
        found = load(tmp_path / "pairs.npz")
        assert found.given.shape == (6, 4, 4, 1) and found.images.shape == (6, 8, 8, 3)
        assert firsts(found) == [[0, 1, 2, 3, 4, 5], [100, 101, 102, 103, 104, 105]]
        assert found.paired == " to ".join(names) and len(load(tmp_path / "pairs.npz", split="test").images) == 3
    back = load(tmp_path / "pairs.npz", direction="b_to_a", limit=2)
    assert firsts(back) == [[100, 105], [0, 5]] and back.paired == "y to x"
    same = load(tmp_path / "pairs.npz", size=6, resize=7)
    assert same.given.shape == (6, 7, 7, 1) and same.images.shape == (6, 7, 7, 3) and same.crop == (6, 6)
    pixels = np.random.default_rng(0).choice([0, 50, 200], (2, 9, 9, 1)).astype("uint8")
    np.savez(tmp_path / "labels.npz", a=pixels, b=pixels)
    labels = load(tmp_path / "labels.npz", size=5, kind="labels")
    assert set(labels.given.ravel()) == {0, 50, 200} and len(set(labels.images.ravel())) > 3
    one_hot = np.zeros((2, 9, 9, 7), "uint8")
    np.savez(tmp_path / "many.npz", a=one_hot, b=np.moveaxis(np.zeros((2, 9, 9, 3), "uint8"), -1, 1))
    assert load(tmp_path / "many.npz").given.shape == (2, 9, 9, 7) and load(tmp_path / "many.npz").images.shape == (
        2,
        9,
        9,
        3,
    )
    with pytest.raises(ValueError, match="`size` is for pairs of up to four channels. Received: a of 7 channels"):
        load(tmp_path / "many.npz", size=8)


@pytest.mark.parametrize(
    "arrays, arguments, message",
    [
        (
            {"images": np.zeros((2, 4, 4))},
            {},
            "two arrays called a and b, sources and targets, .*. It has: images",
        ),
        (
            {"a": np.zeros((2, 4, 4)), "b": np.zeros((2, 4, 4))},
            {"split": "val"},
            "called a_val and b_val, .* It has: a, b",
        ),
        (
            {"x": np.zeros((2, 4, 4), "uint8"), "y": np.zeros(2, "uint8")},
            {},
            r"pairs of images.* Received: y of shape \(2,\)",
        ),
        (
            {"a": np.zeros((2, 4, 4), "uint8"), "b": np.zeros((3, 4, 4), "uint8")},
            {},
            "Received: 2 images a and 3 images b",
        ),
        (
            {"a": np.zeros((2, 4, 4), "uint8"), "b": np.full((2, 4, 4), np.nan)},
            {},
            "x.npz holds NaN or infinity",
        ),
        (
            {"a": np.zeros((2, 4, 4)), "b": np.zeros((2, 4, 4))},
            {"shape": [4, 4, 1]},
            "`shape` is for .* of single images",
        ),
    ],
)
def test_wrong_files_of_pairs(tmp_path, arrays, arguments, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "x.npz", **arguments)


def test_wrong_arguments_of_pairs(tmp_path):
    for arguments, said in (
        (
            {"name": "digits", "pairs": True},
            "Pairs of images are read from a folder or an .npz file: .* Received: digits",
        ),
        (
            {"path": tmp_path, "pairs": True, "direction": "ab"},
            "`direction` must be 'a_to_b' or 'b_to_a'. Received: 'ab'",
        ),
        ({"path": tmp_path, "pairs": True, "kind": "label"}, "`kind` must be 'images' or 'labels'. Received: 'label'"),
        ({"name": "digits", "direction": "b_to_a"}, "`direction` b_to_a is for pairs of images, with `pairs` true"),
        ({"name": "digits", "resize": 9}, "`resize` must be at least `size`.* Received: `resize` 9 x 9, no `size`"),
        ({"name": "digits", "size": 9, "resize": [9, 8]}, "Received: `resize` 9 x 8, `size` 9 x 9"),
        ({"path": tmp_path, "pairs": True, "split": "../x"}, "`split` must be the name of a folder in"),
    ):
        with pytest.raises(ValueError, match=said):
            kgan.data.load(**arguments)
    assert kgan.data.load("digits", size=9, resize=9).crop is None


def recipe_of(path, condition="pairs", **settings):
    """A recipe for data at a path, and what it was read from."""
    more = "".join(f", {name}: {value}" for name, value in settings.items())
    text = GOOD.replace("name: digits, batch_size: 32", f"path: {path}, batch_size: 4{more}")
    recipe = check(text)
    recipe.condition = types.SimpleNamespace(name=condition)
    return recipe, recipes.Given(text, {}, {}, "recipe.yaml")


def test_the_line_about_pairs(tmp_path, monkeypatch):
    write_pairs(tmp_path / "pictures", names=("lines", "colours"))
    write(tmp_path / "pictures" / "lines" / "8.png", 5)
    recipe, given = recipe_of(tmp_path / "pictures", direction="b_to_a", size=6, resize=7)
    found = recipe_data.load_data(recipe, given)
    recipe.data.path = "pictures"
    assert display.data_line(recipe, found) == (
        "pictures: 4 pairs of 6 x 6 x 1 from 6 x 6 x 1 (lines to colours); random parts of 7 x 7; "
        "skipped 1 file: 1 without a partner ('8.png'); cropped, Lanczos, 8 x 8 to 7 x 7"
    )
    about = run._made_with(found, None)["data"]
    assert about["paired"] == "lines to colours" and about["given"] == about["shape"] == [4, 7, 7, 1]
    assert about["crop"] == [6, 6] and list(about["skipped"]) == ["without a partner"]
    batches = Batches(found.images, 2, given=found.given, crop=found.crop)
    assert display.engine_line(compiled(), batches).partition(";")[0].endswith("0.000374 MiB of data in memory")
    read = on_demand(monkeypatch, tmp_path / "pictures")
    batches = Batches(read.images, 2, given=read.given)
    assert display.engine_line(compiled(), batches).partition(";")[0].endswith("pictures decoded as they are needed")
    recipe, given = recipe_of(tmp_path / "pictures", condition="unconditional")
    assert recipe_data.load_data(recipe, given).given is None


def test_pairs_that_are_held_out(tmp_path):
    for split, count in (("train", 6), ("val", 2)):
        write_pairs(tmp_path / split, count)
    write(tmp_path / "train" / "B" / "0.png", 100, "RGB", (9, 9))
    recipe, given = recipe_of(tmp_path, size=8, resize=10, validation="val")
    found = recipe_data.load_data(recipe, given)
    train, held_out = recipe_data.held_out(recipe, given, found)
    assert train is found and found.images.shape == (6, 10, 10, 3) and held_out.crop is None
    assert held_out.given.shape == (2, 8, 8, 1) and held_out.images.shape == (2, 8, 8, 3)  # as those of the training
    assert firsts(held_out) == [[0, 1], [100, 101]]
    assert recipe_data.to_train(recipe, given, found) is found
    recipe, given = recipe_of(tmp_path, size=8, resize=10, validation_split=0.34)
    train, held_out = recipe_data.held_out(recipe, given, found)
    assert train.given.shape == (4, 10, 10, 1) and train.crop == (8, 8)
    assert held_out.given.shape == (2, 8, 8, 1) and held_out.image_shape == (8, 8, 3)
    for one in (train, held_out):
        np.testing.assert_array_equal(one.given[:, 4, 4, 0] + 100, one.images[:, 4, 4, 0])
    assert not set(train.given[:, 4, 4, 0]) & set(held_out.given[:, 4, 4, 0])


@brings("pictures", "a folder, with `resize` larger than `size`", "each batch takes random parts of the pictures")
def test_a_run_with_random_parts_and_a_split_held_out(call, tmp_path):
    draw = np.random.default_rng(0)
    for index in range(12):
        split = "val" if index % 3 == 0 else "train"
        write(tmp_path / "pictures" / split / f"{index}.png", draw.integers(0, 256, (20, 20), "uint8"))
    settings = ["data.path=pictures", "data.size=8", "data.resize=10", "data.validation=val", "steps=2",
                "generator.units=[4]", "discriminator.units=[4]", "jit_compile=false",
                "callbacks=[{name: checkpoint, monitor: val_d_loss}]"]  # fmt: skip
    said = call("train", "digits", *(word for one in settings for word in ("--set", one)), "--out", "run")
    assert (
        "pictures: 8 images of 8 x 8 x 1; from train/, without val/; random parts of 10 x 10; cropped, Lanczos" in said
    )
    assert (
        "pictures, val: 4 images of 8 x 8 x 1; from val/, without train/; cropped, Lanczos, 20 x 20 to 8 x 8\n" in said
    )
    about = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert about["data"]["crop"] == [8, 8] and about["held_out"]["shape"] == [4, 8, 8, 1]
    assert "val_d_loss" in (tmp_path / "run" / "log.jsonl").read_text()
    call("evaluate", "run", "-n", 20, code=2)
    write(tmp_path / "classes" / "train" / "a" / "0.png", 5)
    write(tmp_path / "classes" / "val" / "b" / "0.png", 5)
    said = call("train", "digits", "--set", "data.path=classes", "--set", "data.validation=val", code=2)
    assert "data.validation: the split val has other classes than train" in said


def test_outlines_to_colours(tmp_path, real_data, monkeypatch):
    """Every emoji whose number ends in F0, but for an outline and a drawing."""
    with tarfile.open(real_data / "emoji" / "openmoji.tar.gz") as archive:
        some = [one for one in archive if one.name.endswith("F0.png")]
        lines, colours = (sorted(one.name for one in some if f"/{side}/" in one.name) for side in ("lines", "colours"))
        archive.extractall(tmp_path, [one for one in some if one.name not in (lines[0], colours[-1])], filter="data")
    found = load(tmp_path / "openmoji", direction="b_to_a")
    assert len(found.images) == len(lines) - 2 > 10 and found.images.shape[1:] == (64, 64, 3)
    alone = [str(path.relative_to(tmp_path)) for path in found.skipped["without a partner"]]
    assert sorted(alone) == sorted([colours[0], lines[-1]])
    read = on_demand(monkeypatch, tmp_path / "openmoji", direction="b_to_a", limit=5)
    np.testing.assert_array_equal(read.given[:], load(tmp_path / "openmoji", direction="b_to_a", limit=5).given)
    # a drawing is dark where its own outline is
    dark = found.given.min(-1) < 100
    assert found.images.min(-1)[dark].mean() < 50 < found.images[::-1].min(-1)[dark].mean()
