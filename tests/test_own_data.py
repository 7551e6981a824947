"""Own data in any recipe: too few for a part of it, none at all, or other than those that it was written for."""

import json
import shlex

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.runner import recipe_data
from tests.brought import brings
from tests.helpers import compiled
from tests.recipe_helpers import GOOD, check

pytestmark = pytest.mark.usefixtures("eagerly")
QUICK = ["--set", "steps=1", "--set", "jit_compile=false"]
SMALL = [*QUICK, "--set", "generator.filters=2", "--set", "discriminator.filters=2"]
TINY = [*QUICK, "--set", "generator.units=[4]", "--set", "discriminator.units=[4]"]


def draw(folder, count, size=(8, 8), names=("",)):
    """Colour pictures in a folder, or in folders of these names."""
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            pixels = np.random.default_rng(index).integers(0, 256, (*size, 3), "uint8")
            Image.fromarray(pixels).save(folder / name / f"{index}.png")


def settings(said):
    """The options that the last line of a complaint names."""
    return shlex.split(said.strip().splitlines()[-1].split(": ")[-1])


@brings("pictures", "ten pictures", "they train; the score, which needs 20, is left out, and a line says so")
def test_ten_pictures(call, tmp_path):
    draw(tmp_path / "ten", 10)
    wanted = ["--set", "data.path=ten", "--set", "data.validation_split=0.05", "--set",
              "callbacks=[{name: checkpoint, monitor: frechet_distance}, {name: score, every: 1 epoch}]"]  # fmt: skip
    said = call("train", "digits", *TINY, *wanted, "--out", "run")
    assert "score is left out: at least 20 images are needed. There are: 10\n" in said
    assert "validation_split is left out: at least 20 images are needed. There are: 10\n" in said
    assert "monitor of checkpoint is left out: frechet_distance is not measured\n" in said
    assert (tmp_path / "run" / "generator.keras").is_file() and not (tmp_path / "run" / "scores.jsonl").exists()
    # it is the same recipe when it is resumed, and has nothing to score
    call("train", "digits", *TINY, *wanted, "--out", "run", "--resume")
    said = call("evaluate", "run", "-n", 20, code=2)
    assert "evaluate  at least 20 real images are needed to score others. There are: 10" in said


@brings("pictures", "one picture", "it trains, in batches of one, also with `pack`")
def test_one_picture(call, tmp_path):
    draw(tmp_path / "one", 1)
    said = call("train", "digits", *TINY, "--set", "data.path=one", "--set", "pack=2", "--out", "run")
    assert "one: 1 image of 8 x 8 x 3" in said and "score is left out" in said
    assert np.isfinite(json.loads((tmp_path / "run" / "log.jsonl").read_text())["d_loss"])


@brings("pictures", "an empty folder", "a sentence says that it is empty")
@brings("files of arrays", "an array of no images", "a sentence says so")
def test_nothing_to_train_with(call, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "empty contains no picture that can be read (it is empty)" in call(
        "train", "digits", *TINY, "--set", "data.path=empty", code=2
    )
    np.savez(tmp_path / "none.npz", images=np.zeros((0, 8, 8), "uint8"))
    assert "none.npz must hold images" in call("train", "digits", *TINY, "--set", "data.path=none.npz", code=2)
    assert not (tmp_path / "runs").exists()
    with pytest.raises(ValueError, match="`limit` must be an integer >= 1"):
        kgan.data.load("digits", limit=0)


class NoBatch(keras.utils.PyDataset):
    def __len__(self):
        return 0


@brings("arrays", "an array of no images", "`fit` and `evaluate` say so in a sentence")
@brings("datasets", "a dataset without a batch", "`fit` and `evaluate` say so in a sentence")
@pytest.mark.parametrize(
    "make", [lambda: np.zeros((0, 8, 8, 1), "float32"), NoBatch, list], ids=["array", "dataset", "list"]
)
def test_no_images_in_python(images, make):
    gan = compiled()
    for method in ("fit", "evaluate"):
        with pytest.raises(
            ValueError, match=f"The data of `{method}` must hold at least one image. Received: .* length 0"
        ):
            getattr(gan, method)(make(), verbose=0)
    with pytest.raises(ValueError, match="The data of `fit` must hold at least one image"):
        gan.fit(images, validation_data=make(), verbose=0)
    with pytest.raises(ValueError, match="At least 20 real images are needed to score others. Received: 10"):
        gan.fit(images[:10], verbose=0, callbacks=[kgan.callbacks.Score(extractor="raw")])


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.data")
@pytest.mark.filterwarnings("ignore:.*ran out of data")
def test_a_dataset_that_turns_out_to_be_empty(images):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(images).filter(lambda image: False).batch(4)
    with pytest.raises(ValueError, match="Received: a dataset that yields no batch"):
        compiled().fit(dataset, verbose=0, shuffle=False)
    with pytest.raises(ValueError, match="Received: a dataset that yields no batch"):
        compiled().evaluate(dataset, verbose=0)


@brings("pictures", "classes of a few pictures", "the scores of single classes are left out, and a line says so")
def test_classes_with_too_few_pictures(call, tmp_path):
    np.savez(tmp_path / "x.npz", images=np.zeros((30, 8, 8), "uint8"), labels=np.arange(30) % 3)
    score = "{name: score, extractor: raw, samples: 60, per_class: true}"
    said = call("train", "digits", *TINY, "--set", "data.path=x.npz", "--set", "num_classes=3", "--out", "run", "--set",
                f"callbacks=[{{name: checkpoint, monitor: frechet_distance_class_2}}, {score}]")  # fmt: skip
    assert (
        "per_class of score is left out: At least 20 real images of class 0 are needed to score it. There are: 10"
        in said
    )
    assert "monitor of checkpoint is left out: frechet_distance_class_2 is not measured" in said
    assert len((tmp_path / "run" / "scores.jsonl").read_text().splitlines()) == 1


@brings("pictures", "unlabelled pictures in a class-conditional recipe", "a complaint names all options that fit them")
def test_unlabelled_pictures_of_another_size(call, tmp_path):
    draw(tmp_path / "mine", 12, (30, 22))
    arguments = ["train", "mnist", *SMALL, "--set", "data.path=mine", "--set", "data.size=[30, 22]", "--out", "run"]
    said = call(*arguments, code=2)
    assert (
        "num_classes: `num_classes` needs data with labels, and these data have no labels. What fits these data: "
        in said
    )
    assert said.count("--set num_classes=null") == 2 and said.count("--set 'data.size=[32, 24]'") == 2
    call(*arguments, *settings(said))
    assert keras.models.load_model(tmp_path / "run" / "generator.keras").output_shape == (None, 32, 24, 3)


@brings("pictures", "folders of other classes than the recipe's", "a complaint names `num_classes` with their number")
def test_another_number_of_classes(call, tmp_path):
    draw(tmp_path / "mine", 4, names=["a", "b", "c"])
    arguments = ["train", "cifar10", *SMALL, "--set", "data.path=mine", "--out", "run"]
    said = call(*arguments, code=2)
    assert "Received: 10, and data of 3 classes, 0 to 2. What fits these data: --set num_classes=3" in said
    call(*arguments, *settings(said))
    np.savez(tmp_path / "later.npz", images=np.zeros((6, 8, 8), "uint8"), labels=np.arange(6) % 3 + 1)
    said = call("train", "cifar10", *SMALL, "--set", "data.path=later.npz", code=2)
    assert "3 classes: 0 1, 1 2, 2 3" in said and settings(said) == ["--set", "num_classes=3"]
    np.savez(tmp_path / "gap.npz", images=np.zeros((6, 8, 8), "uint8"), labels=np.arange(6) % 2 * 2)
    arguments = ["train", "cifar10", *SMALL, "--set", "data.path=gap.npz", "--set", "num_classes=3"]
    assert "1 of 3 classes have no image, the first is class 1" in call(*arguments)


def test_without_classes_what_is_for_them_has_no_effect(call, tmp_path):
    draw(tmp_path / "mine", 4)
    call("train", "acgan", *SMALL, "--set", "data.path=mine", "--set", "num_classes=null",
         "--set", "class_loss_weight=0.5", "--set", "generator.conditioning=batch_norm")  # fmt: skip


@brings("files of arrays", "points in a recipe for images", "a complaint names all options that fit them")
def test_points_in_a_recipe_for_images(call, tmp_path):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(15, 2)).astype("float32"))
    arguments = ["train", "cifar10", *QUICK, "--set", "data.path=points.npy", "--set", "augment=diff_augment"]
    said = call(*arguments, code=2)
    wanted = {"num_classes=null", "data.flip=false", "augment=null", "generator=dense", "discriminator=dense"}
    assert set(settings(said)[1::2]) == wanted
    call(*arguments, *settings(said))


@brings("files of arrays", "a table in a recipe that draws images", "ImageGrid is left out, and a line says so")
@brings("files of arrays", "a table of 784 = 28 x 28 floats in [-1, 1]", "rows of numbers; a line names `data.shape`")
def test_a_table_in_a_recipe_for_images(call, tmp_path):
    np.save(tmp_path / "table.npy", np.random.default_rng(0).uniform(-1, 1, (30, 64)).astype("float32"))
    said = call("train", "dcgan", "--dry-run", "--set", "data.path=table.npy", code=2)
    players = settings(said)
    assert sorted(players[1::2]) == ["discriminator=dense", "generator=dense"]
    said = call("train", "dcgan", "--dry-run", "--set", "data.path=table.npy", "--set", "jit_compile=false", *players)
    assert "image_grid is left out: Only images (height, width, channels)" in said
    assert "may be the pixels of an image of 8 x 8; then give --set data.shape=[8,8,1]" in said
    call(
        "train", "dcgan", *QUICK, "--set", "data.path=table.npy", "--set", "jit_compile=false", "--out", "run", *players
    )
    assert (tmp_path / "run" / "report.html").exists() and not (tmp_path / "run" / "real.png").exists()


def test_scores_name_what_was_read():
    chosen = "callbacks: []\n"
    for data, name in (
        ("{name: digits}", "digits"),
        ("{name: mnist, path: some/cats/}", "cats"),
        ("{path: cats.npz}", "cats.npz"),
        ("{name: stacked_mnist, path: mnist.npz}", "stacked_mnist"),
    ):
        assert recipe_data.name_of(check(GOOD.replace("{name: digits, batch_size: 32}", data) + chosen).data) == name


@pytest.mark.parametrize(
    "recipe, wrong, fits",
    [
        ("r3gan", [], ["generator.widths=[32, 16]", "discriminator.widths=[32, 16]"]),
        ("dcgan", ["generator.attention=16"], ["generator.attention=null"]),
        ("pacgan", ["callbacks.3.extractor=stacked"],
         ["callbacks.3.metric=frechet_distance", "callbacks.3.extractor=auto"]),
        ("gaussians-ring", [], ["callbacks.3.metric=frechet_distance"]),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_the_pictures(call, tmp_path, recipe, wrong, fits):
    draw(tmp_path / "mine", 20)
    asked = [word for one in wrong for word in ("--set", one)]
    said = call("train", recipe, "--dry-run", "--set", "data.path=mine", *asked, code=2)
    assert sorted(settings(said)[1::2]) == sorted(fits)


@brings(
    "pictures", "one size that an architecture cannot make", "one complaint names the nearest `data.size` that fits"
)
def test_one_size_that_does_not_fit(call, tmp_path):
    draw(tmp_path / "mine", 2, (30, 27))
    said = call("train", "dcgan", "--dry-run", "--set", "data.path=mine", code=2)
    assert said.count("must be multiples of 4. Received: 30 x 27") == 1
    assert settings(said) == ["--set", "data.size=[32, 28]"]


def test_a_size_that_fits_changes_what_else_fits(call, tmp_path):
    """Both are said at once: 62 pixels are halved once, 64 four times."""
    draw(tmp_path / "mine", 4, (62, 62))
    asked = [
        "train",
        "r3gan",
        "--dry-run",
        "--set",
        "data.path=mine",
        "--set",
        "generator=dcgan",
        "--set",
        "data.size=62",
    ]
    said = call(*asked, code=2)
    fits = settings(said)[1::2]
    assert "data.size=64" in fits and "discriminator.widths=[64, 64, 64, 32, 16]" in fits
