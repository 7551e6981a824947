"""Class-conditional recipes: what is built, refused, sampled and scored."""

import json
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan import pictures, scores
from kgan.callbacks import Score
from tests.command_line import call_kgan
from tests.helpers import compiled
from tests.recipe_helpers import check, complaint

RECIPE = """\
latent_dim: 4
num_classes: 10
data: {name: digits, batch_size: 64, limit: 600, validation_split: 0.2}
generator: {name: dense, units: [8, 8], conditioning: batch_norm}
discriminator: {name: dense, units: [8], conditioning: auxiliary}
class_loss_weight: 0.5
ema: 0.9
steps: 4
callbacks:
  - {name: image_grid, rows: 10, columns: 2}
  - {name: score, samples: 400, extractor: raw, per_class: true}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conditional")
    (folder / "recipe.yaml").write_text(RECIPE)
    call_kgan("train", "recipe.yaml", "--out", "run", cwd=folder)
    return folder / "run"


@pytest.fixture
def run(trained, tmp_path):
    """A copy for each test, which may change it."""
    return shutil.copytree(trained, tmp_path / "run")


def gan_of(run):
    return kgan.load(next((run / "checkpoints").iterdir()))


def test_a_run(run, call):
    gan = gan_of(run)
    assert gan.condition.n == 10 and gan.rules.class_loss_weight == 0.5 and "d_class_loss" in gan.logs.names
    logs = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    assert {
        "d_class_loss",
        "g_class_loss",
        "d_class_accuracy",
        "val_d_class_accuracy",
        "frechet_distance",
        "frechet_distance_class_9",
    } <= logs.keys()
    call("sample", run, "-n", 25, "-o", "x.npy", "--seed", 2)
    np.testing.assert_allclose(np.load("x.npy"), gan.generate(25, seed=2), atol=1e-6)
    call("sample", run, "-n", 25, "-o", "x.npy", "--seed", 2, "--label", 7)
    np.testing.assert_allclose(np.load("x.npy"), gan.generate(25, seed=2, labels=7), atol=1e-6)
    call("sample", run, "-n", 20, "-o", "grid.png", "--seed", 2)
    rows = np.concatenate([gan.generate(2, seed=2, labels=label) for label in range(10)])
    with Image.open("grid.png") as drawn:
        np.testing.assert_allclose(np.asarray(drawn, "int32"), pictures.grid(rows, 2).astype("int32"), atol=1)
    assert "72 frames of 25 images" in call("sample", run, "-n", 25, "-o", "walk.gif")
    with Image.open("walk.gif") as film:
        assert film.size == (3 * 34 + 2, 9 * 34 + 2)  # three columns; the ninth row holds the last image
    said = call("sample", run, "-o", "grid.png", "--label", 10, code=2)
    assert "--label  Labels must lie in [0, 9], as `num_classes` is 10. Received: labels from 10 to 10" in said
    (run / "resolved.yaml").rename("elsewhere.yaml")
    assert "the condition of the generator is not known" in call("sample", run, "-o", "grid.png", code=2)


@pytest.mark.longer
def test_it_is_loaded_where_nothing_was_imported(run):
    code = "import kgan, sys; print(kgan.load(sys.argv[1]).generate(2, labels=3).shape)"
    done = subprocess.run(
        [sys.executable, "-c", code, next((run / "checkpoints").iterdir())], capture_output=True, text=True
    )
    assert done.stdout.strip() == "(2, 8, 8, 1)", done.stderr


def test_wrong_recipes(tmp_path, call):
    def said(text):
        (tmp_path / "recipe.yaml").write_text(text)
        return call("train", "recipe.yaml", "--dry-run", code=2)

    np.savez(tmp_path / "bare.npz", images=np.zeros((40, 8, 8), "uint8"))
    np.savez(tmp_path / "other.npz", images=np.zeros((40, 8, 8), "uint8"), labels=np.arange(40) % 3 + 1)
    assert "recipe.yaml:2:1  num_classes: `num_classes` needs data with labels, and these data have no labels" in said(
        RECIPE.replace("name: digits", "path: bare.npz").replace("limit: 600, validation_split: 0.2", "limit: 30")
    )
    expected = "`num_classes` must be the number of the data's classes, numbered from 0. Received: "
    assert f"{expected}10, and data of 3 classes, 0 to 2" in said(RECIPE.replace("name: digits", "path: other.npz"))
    assert f"{expected}9, and data of 10 classes, 0 to 9" in said(RECIPE.replace("num_classes: 10", "num_classes: 9"))
    assert "generator.conditioning: must be 'concatenation' or 'batch_norm', not 'projection'" in complaint(
        RECIPE.replace("batch_norm", "projection")
    )
    assert "generator.conditioning: `conditioning` batch_norm needs a GAN with `num_classes`" in said(
        RECIPE.replace("num_classes: 10", "")
    )
    assert "class_loss_weight: `class_loss_weight` is for a discriminator that outputs class logits" in said(
        RECIPE.replace("auxiliary", "concatenation")
    )
    assert "`pack` must be 1 with `num_classes`" in said(RECIPE + "pack: 2\n")


def test_an_architecture_that_knows_no_classes(tmp_path, monkeypatch, call):
    from types import SimpleNamespace

    from kgan.architectures import ARCHITECTURES, dense
    from kgan.runner import build, recipe_data, recipes
    from kgan.runner.errors import RecipeError

    plain = SimpleNamespace(generator=lambda image_shape, latent_dim, **_: dense.generator(image_shape, latent_dim))
    monkeypatch.setitem(ARCHITECTURES, "dense", SimpleNamespace(**vars(plain), discriminator=dense.discriminator))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    given = recipes.read(tmp_path / "recipe.yaml")
    recipe = check(RECIPE)
    found = recipe_data.load_data(recipe, given)
    with pytest.raises(
        RecipeError, match="dense cannot be conditioned on classes: its function does not take `num_classes`"
    ):
        build.build(recipe, given, build.build_rules(recipe, given), found)


def test_samples_of_a_generator_without_classes(tmp_path, call):
    generator = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    generator.save(tmp_path / "generator.keras")
    said = call("sample", "generator.keras", "-o", "x.npy", "--label", 1, code=2)
    assert "--label  `labels` are for a GAN with `num_classes` or `condition`. Received: labels=1" in said


def test_scores_of_each_class(run, call):
    found = scores.read(run / "scores.jsonl")
    assert [one.label for one in found] == [None, *range(10)] and found[0].n_generated == 400
    assert all(one.n_real >= 20 <= one.n_generated for one in found[1:])
    digits = kgan.data.load("digits", limit=600)
    labels = np.sort(digits.labels)[np.linspace(0, 599, 400).astype(int)]  # in the shares of the real ones
    images = gan_of(run).generate(400, seed=0, labels=labels.astype("int32"))
    real, made = (
        (pixels[chosen == 3] / np.float32(127.5) - 1).reshape(-1, 64)
        for pixels, chosen in ((digits.images, digits.labels), (pictures.pixels(images), labels))
    )
    assert found[4].value == pytest.approx(kgan.metrics.frechet_distance(real, made), rel=1e-5)
    with pytest.raises(scores.UnlikeScoresError, match="label: 3 against 4"):
        scores.difference(found[4], found[5])
    said = call("evaluate", run, "--metric", "frechet_distance", "-n", 400, "--extractor", "raw", "--per-class")
    assert "frechet distance, class 9" in said
    assert scores.read(run / "scores.jsonl")[15].value == pytest.approx(found[4].value, rel=1e-5)


def test_scores_of_classes_that_cannot_be(run, call, images, tmp_path):
    said = call("evaluate", "--images", "x", "--data", "digits", "--per-class", code=2)
    assert "--per-class  is for a run; the classes of these images are not known" in said
    with pytest.raises(
        ValueError, match="Classes can be scored separately only for a GAN that was made with `num_classes`"
    ):
        compiled().fit(images, verbose=0, callbacks=[Score(path=tmp_path / "s.jsonl", extractor="raw", per_class=True)])
    scorer = kgan.scores.Scorer(images, np.arange(40) // 30, extractor="raw")
    with pytest.raises(ValueError, match="At least 20 real images of class 1 are needed to score it. There are: 10"):
        scorer(images, "frechet_distance", labels=np.arange(40) // 20)
