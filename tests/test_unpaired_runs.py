"""Runs of two domains: trained by a recipe, scored in both directions, applied, evaluated and compared."""

import functools
import json

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from tests.command_line import ROOT, call_kgan

pytestmark = pytest.mark.longer
RECIPE = """\
condition: unpaired
data: {path: pictures, size: 16, resize: 20, flip: true, batch_size: 4, validation: test}
generator: {name: resnet_translation, filters: 4, blocks: 1}
discriminator: {name: patch, receptive_field: 16, filters: 4, norm: instance}
loss: least_squares
terms: [{name: cycle, weight: 5}, {name: identity, weight: 2.5}]
history: 8
ema: 0.9
jit_compile: false
epochs: 2
callbacks:
  - {name: image_grid, every: 1 epoch, rows: 2, columns: 6}
  - {name: checkpoint, every: 1 epoch, monitor: l1_to_b}
  - {name: score, metric: [sharpness, l1, psnr, ssim, partner_rank], every: 1 epoch, extractor: raw, samples: 24}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run on 20 and 21 pictures, with 24 pairs to test it on."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "recipe.yaml").write_text(RECIPE)
    draw = np.random.default_rng(0)
    for name, count, shade in (("trainA", 20, 0), ("trainB", 21, 128), ("testA", 24, 0), ("testB", 24, 128)):
        (folder / "pictures" / name).mkdir(parents=True)
        for number in range(count):
            colours = np.repeat(np.repeat(draw.integers(shade, 128 + shade, (5, 6, 3), "uint8"), 4, 0), 4, 1)
            Image.fromarray(colours).save(folder / "pictures" / name / f"{number}.png")
    with pytest.MonkeyPatch.context() as patch:
        if keras.backend.backend() == "tensorflow":  # graphs take seconds to trace
            patch.setattr(kgan.GAN, "compile", functools.partialmethod(kgan.GAN.compile, run_eagerly=True))
        (folder / "said.txt").write_text(call_kgan("train", "recipe.yaml", "--out", "run", cwd=folder))
    return folder


def test_what_a_run_says_and_leaves(folder):
    said = (folder / "said.txt").read_text()
    assert "20 images of a" in said and "21 of b" in said
    found = kgan.scores.read(folder / "run" / "scores.jsonl")
    assert {score.key for score in found} == {
        f"{name}_to_{domain}" for name in ("sharpness", "l1", "psnr", "ssim", "partner_rank") for domain in "ab"
    }
    assert {(score.n_real, score.n_generated, score.split) for score in found} == {(24, 24, "test")}
    assert "sharpness, to b" in said
    rows = [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]
    assert {"cycle", "identity", "val_cycle", "l1_to_a", "sharpness_to_b"} <= rows[-1].keys()
    assert np.asarray(Image.open(folder / "run" / "samples" / "epoch-0002.png")).shape == (2 * 34 + 2, 6 * 34 + 2, 3)
    gan = kgan.load(next((folder / "run" / "checkpoints").glob("epoch-0002")))
    assert int(gan.image_pool.count) == 8 and gan.condition.domains == ("b", "a")


def test_apply_in_both_directions(folder):
    picture = np.random.default_rng(1).integers(0, 255, (21, 35, 3)).astype("uint8")
    Image.fromarray(picture).save(folder / "one.png")
    generator = kgan.load(folder / "run" / "generator.keras")
    for to in "ab":
        call_kgan("apply", "run", "one.png", "-o", f"to-{to}.png", "--to", to, cwd=folder)
        made = np.asarray(Image.open(folder / f"to-{to}.png"))
        assert made.shape == (21, 35, 3)
        padded = np.pad(picture, ((0, 3), (0, 1), (0, 0)), "reflect") / np.float32(127.5) - 1
        tower = generator.get_layer(f"to_{to}")
        wide = kgan.architectures.resnet_translation.generator((24, 36, 3), filters=4, blocks=1)
        wide.set_weights(tower.get_weights())
        expected = wide.predict_on_batch(padded[None])[0, :21, :35]
        np.testing.assert_allclose(made / 127.5 - 1, expected, atol=0.01)
    said = call_kgan("apply", "run", "one.png", "-o", "x.png", cwd=folder, code=2)
    assert "--to  `to` must be the domain of the result, 'a' or 'b'" in said and not (folder / "x.png").exists()
    said = call_kgan("apply", "run", "one.png", "-o", "x.png", "--to", "c", cwd=folder, code=2)
    assert "Received: 'c'" in said


def test_evaluate_and_compare(folder):
    said = call_kgan("evaluate", "run", "--extractor", "raw", "--metric", "psnr", cwd=folder)
    assert "psnr, to b" in said and "psnr, to a" in said
    assert (folder / "run" / "neighbours-to-a.png").is_file() and (folder / "run" / "neighbours-to-b.png").is_file()
    found = [score for score in kgan.scores.read(folder / "run" / "scores.jsonl") if score.key == "psnr_to_a"]
    assert found[-1].value == pytest.approx(found[-2].value, abs=1e-4) and "epoch" not in found[-1].where
    said = call_kgan("compare", "run", "run", "--metric", "partner_rank_to_b", cwd=folder)
    assert "partner rank" in said


def test_scores_against_a_truth_that_is_not_known(folder):
    said = call_kgan("train", "recipe.yaml", "--out", "no", "--set", "data.validation=null", cwd=folder, code=2)
    assert "the metric 'sharpness' compares each image with its true partner" in said and not (folder / "no").exists()


@pytest.mark.usefixtures("eagerly")
def test_the_recipe_of_the_emoji(tmp_path):
    """The example of the documentation, without its scores, on pictures of other numbers and with opacity."""
    draw = np.random.default_rng(0)
    for part, count in {"trainA": 16, "trainB": 17, "testA": 24, "testB": 24}.items():
        (tmp_path / "emoji" / part).mkdir(parents=True)
        for number in range(count):
            pixels = draw.integers(0, 256, (64, 64, 4), "uint8")
            Image.fromarray(pixels).save(tmp_path / "emoji" / part / f"{number}.png")
    recipe = ROOT / "docs" / "examples" / "emoji.yaml"
    assert 20 <= len(recipe.read_text("utf-8").splitlines()) <= 40
    settings = ["data.path=emoji/", "steps=1", "callbacks=[]", "jit_compile=false"]
    settings += ["generator.filters=4", "discriminator.filters=4"]
    words = [word for one in settings for word in ("--set", one)]
    said = call_kgan("train", recipe, *words, "--out", "run", cwd=tmp_path)
    assert "16 images of a, 64 x 64 x 3 (trainA), and 17 of b, 64 x 64 x 3 (trainB)" in said, said
    made = kgan.load(tmp_path / "run" / "generator.keras")
    assert [one.shape[1:] for one in (*made.inputs, *made.outputs)] == [(64, 64, 3)] * 4
