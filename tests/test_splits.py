"""Folders of splits, of classes that are called like splits, and folders around them."""

import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.data.splits import part_of
from tests.brought import brings


@pytest.fixture
def draw(tmp_path):
    """A function that saves a picture at each of the paths, and returns the folder of all."""

    def draw(*paths):
        for path in paths:
            whole = tmp_path / "root" / f"{path}.png"
            whole.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros((8, 8), "uint8")).save(whole)
        return tmp_path / "root"

    return draw


@brings(
    "pictures", "`train` and `test`, `Training` and `validation` and so on", "splits, of which `data.split` is read"
)
@pytest.mark.parametrize(
    "paths, split, folder, said",
    [
        (["train/cat/a", "test/cat/a"], "train", "train", "train/, without test/"),
        (["Train/cat/a", "Test/cat/a", "valid/cat/a"], "train", "Train", "Train/, without Test/, valid/"),
        (["training/cat/a", "validation/cat/a"], "train", "training", "training/, without validation/"),
        (["training/cat/a", "validation/cat/a"], "val", "validation", "validation/, without training/"),
        (["train/a"], "train", "train", "train/"),
        (["train/a", "test/a", "unlabelled/a"], "train", "train", "train/, without test/, unlabelled/"),
        (["train/set/cat/a", "train/set/dog/a", "test/cat/a"], "train", "train/set", "train/set/, without test/"),
        (["train/a", *"bcdefg"], "train", "", ""),
        (["one/a", "two/a"], "two", "two", "two/, without one/"),
    ],
)  # fmt: skip
def test_splits(draw, paths, split, folder, said):
    root = draw(*paths)
    assert part_of(root, split)[::2] == (root / folder, said)


@brings("pictures", "a class called `train` beside other classes", "a class like the others")
def test_a_class_called_train(draw):
    found = kgan.data.load(path=draw("bus/a", "car/a", "train/a"))
    assert list(found.classes) == ["bus", "car", "train"] and not found.origin


def test_an_empty_folder_beside_pictures(draw):
    root = draw("a", "b")
    (root / "train").mkdir()
    assert len(kgan.data.load(path=root).images) == 2


@brings(
    "pictures", "classes below a folder that holds nothing else", "the classes of that folder; the data line names it"
)
def test_folders_around_classes(draw, tmp_path):
    root = draw("wrap/dataset/cat/a", "wrap/dataset/dog/a")
    found = kgan.data.load(path=root)
    assert list(found.classes) == ["cat", "dog"] and found.origin == "wrap/dataset/"
    (root / "wrap" / "dataset" / "read me.txt").write_text("no picture")
    assert list(kgan.data.load(path=root).classes) == ["cat", "dog"]
    assert list(kgan.data.load(path=root / "wrap" / "dataset" / "cat").classes) == []


def test_one_folder_of_pictures_is_one_class(draw):
    assert list(kgan.data.load(path=draw("cat/a", "cat/b")).classes) == ["cat"]


def test_folders_that_lead_to_themselves(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "a").symlink_to(tmp_path / "a")
    with pytest.raises(ValueError, match="contains no picture"):
        kgan.data.load(path=tmp_path)


def test_splits_that_are_missing(draw):
    root = draw("test/a", "dev/a")
    with pytest.raises(ValueError, match="no folder 'train' for that split. Folders in it: dev, test. `split` 'dev'"):
        kgan.data.load(path=root)
    assert len(kgan.data.load(path=root, split="valid").images) == 1
    with pytest.raises(ValueError, match="`split` must be the name of a folder"):
        kgan.data.load(path=root, split="test/a")


def test_the_data_line_names_the_split(draw, call):
    said = call(
        "train", "dcgan", "--set", f"data.path={draw('Train/cat/a', 'Test/cat/a')}", "--set", "data.size=9", code=2
    )
    assert "1 image of 9 x 9 x 1; from Train/, without Test/; cropped" in said
