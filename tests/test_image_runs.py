"""Runs of images to images: trained by a recipe, scored on pairs that were held out, applied, killed and resumed."""

import json

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.callbacks import Checkpoint
from kgan.data import Batches
from tests.command_line import call_kgan
from tests.helpers import KilledError, Steps, compiled, largest_difference, patches, state, translator

RNG = np.random.default_rng(0)
TOLERANCE = 1e-6 if keras.backend.backend() == "torch" else 0.0

RECIPE = """\
condition: pairs
data: {path: pictures, direction: b_to_a, size: 16, resize: 20, flip: true, batch_size: 8, validation_split: 0.4}
generator: {name: unet, filters: 4, norm: instance}
discriminator: {name: patch, receptive_field: 16, filters: 4, norm: instance}
schedule: {name: alternating, reuse_latents: true}
terms: [{name: l1, weight: 100}]
epochs: 2
callbacks:
  - {name: image_grid, every: 1 epoch, rows: 2, columns: 3}
  - {name: score, metric: [l1, psnr, ssim, sharpness, colorfulness], every: 1 epoch, extractor: raw}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run on 60 pairs of pictures, colours and their shades of grey."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "recipe.yaml").write_text(RECIPE)
    for side in ("colours", "greys"):
        (folder / "pictures" / side).mkdir(parents=True)
    for number in range(60):
        colours = np.repeat(np.repeat(RNG.integers(0, 256, (6, 6, 3), "uint8"), 4, 0), 4, 1)
        picture = Image.fromarray(colours)
        picture.save(folder / "pictures" / "colours" / f"{number}.png")
        if number:
            picture.convert("L").save(folder / "pictures" / "greys" / f"{number}.png")
    said = call_kgan("train", "recipe.yaml", "--out", "run", cwd=folder)
    (folder / "said.txt").write_text(said)
    return folder


def test_what_a_run_says_and_leaves(folder):
    said = (folder / "said.txt").read_text()
    assert "pictures: 59 pairs of 16 x 16 x 3 from 16 x 16 x 1 (greys to colours)" in said
    assert "random parts of 20 x 20; skipped 1 file: 1 without a partner ('0.png')" in said
    about = json.loads((folder / "run" / "environment.json").read_text())["data"]
    assert (about["paired"], about["given"]) == ("greys to colours", [59, 20, 20, 1])
    assert np.asarray(Image.open(folder / "run" / "samples" / "epoch-0002.png")).shape == (2 * 34 + 2, 3 * 34 + 2, 3)
    logs = [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]
    assert {"l1", "val_l1", "psnr", "ssim", "sharpness", "colorfulness"} <= logs[-1].keys()
    scores = kgan.scores.read(folder / "run" / "scores.jsonl")
    assert {score.split for score in scores} == {"40% of train, held out"}
    assert {(one.n_real, one.n_generated, one.name) for one in scores} == {(23, 23, "pictures")}


def test_evaluate_scores_what_was_held_out(folder):
    said = call_kgan("evaluate", "run", "--extractor", "raw", "--metric", "psnr", cwd=folder)
    assert "23 generated and 23 real images of pictures" in said
    before, after = [one.value for one in kgan.scores.read(folder / "run" / "scores.jsonl") if one.metric == "psnr"][
        -2:
    ]
    assert after == pytest.approx(before, abs=1e-4)


def test_apply(folder):
    said = call_kgan("apply", "run", "pictures/greys", "-o", "out", cwd=folder)
    assert "59 pictures in out." in said
    assert np.asarray(Image.open(folder / "out" / "7.png")).shape == (24, 24, 3)
    said = call_kgan("sample", "run", "-o", "grid.png", cwd=folder, code=2)
    assert "is given images: use `kgan apply run pictures/ -o out/`" in said


@pytest.mark.parametrize(
    "settings, said",
    [
        (["data.direction=ab"], "data.direction: must be 'a_to_b' or 'b_to_a'"),
        (["data.resize=12"], "`resize` must be at least `size`, which is that of the random part of each image"),
        (
            ["data.validation=val"],
            "give one of `validation`, the name of a split, and `validation_split`, a share of the",
        ),
        (
            ["condition=null", "data.direction=a_to_b"],
            "is given images, which needs a `condition` such as pairs, or downscaled",
        ),
        (["condition=grey"], "data.direction: is for pairs of images; set `condition: pairs`"),
        (
            ["generator=dcgan"],
            "dcgan cannot be given images. Those that can are resnet_translation, rrdb, srresnet, unet",
        ),
        (["terms.0.name=l3"], "terms"),
        (["data.path=nowhere"], "there is no file or folder nowhere"),
    ],
)
def test_wrong_recipes(folder, settings, said):
    set_all = [part for one in settings for part in ("--set", one)]
    answer = call_kgan("train", "recipe.yaml", "--out", "wrong", *set_all, cwd=folder, code=2)
    assert said in answer, answer
    assert not (folder / "wrong").exists()


SOURCES, TARGETS = RNG.integers(0, 256, (2, 20, 12, 12, 1), "uint8")
# players, condition, data
TASKS = {
    "pairs": ((1, (1,)), kgan.conditions.Pairs(), {"given": SOURCES}),
    "masked": ((2, (2,)), kgan.conditions.Masked("boxes"), {}),
}


def train(folder, task, kill_at=None):
    keras.utils.set_random_seed(3)
    (given, judged), condition, data = TASKS[task]
    gan = compiled(
        kgan.GAN(translator(given, 1), patches(1, *judged), condition=condition),
        schedule=kgan.schedules.Alternating(reuse_latents=True),
        terms=[kgan.terms.L1(10.0), kgan.terms.TotalVariation(1.0, every=2)],
        ema=0.9,
    )
    batches = Batches(TARGETS, 6, seed=5, flip=True, crop=(8, 8), **data)
    callbacks = [Checkpoint(folder, every="2 steps", resume=True), Steps(kill_at)]
    history = gan.fit(batches, epochs=3, verbose=0, callbacks=callbacks)
    return gan, history.history


@pytest.mark.longer
@pytest.mark.parametrize("task", TASKS)
def test_killed_in_the_middle_and_resumed(tmp_path, task, request):
    """Masks, crops, terms of every second step: all go on where they were."""
    if task != "pairs":
        request.getfixturevalue("eagerly")
    straight, history = train(tmp_path / "straight", task)
    for kill_at in (3, 4):
        with pytest.raises(KilledError):
            train(tmp_path / "killed", task, kill_at)
    resumed, again = train(tmp_path / "killed", task)
    assert largest_difference(state(straight), state(resumed)) <= TOLERANCE
    for name, values in history.items():
        np.testing.assert_allclose(again[name], values, rtol=0, atol=TOLERANCE)
