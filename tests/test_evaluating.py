"""`kgan evaluate` and `kgan compare`, as a person uses them."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from kgan import scores
from kgan.compare import comparison
from tests.command_line import call_kgan

SMALL = ["--set", "epochs=2", "--set", "generator.units=[8]", "--set", "discriminator.units=[8]",
         "--set", "callbacks=[{name: score, metric: frechet_distance, every: 1 epoch, samples: 200}]"]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def few_halves():
    """Intervals take longest, and are not what is tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kgan.scores.scorer.HALVES", 2)
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scored")
    said = call_kgan("train", "digits", *SMALL, "--set", "data.validation_split=0.1", cwd=folder)
    assert "scores: 200 generated and 1,797 real images of digits (train), seen with classifier " in said
    assert "  frechet distance " in said and "  scoring took " in said
    return folder / "runs" / "digits-0001"


def test_a_run_ends_with_a_score_and_its_record(run):
    found = scores.read(run / "scores.jsonl")
    assert [(score.metric, score.where["epoch"]) for score in found] == [
        ("frechet_distance", 1),
        ("frechet_distance", 2),
    ]
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [row["frechet_distance"] for row in rows] == [score.value for score in found]
    assert all(0 <= row["val_d_real_accuracy"] <= 1 for row in rows)  # of the 179 held out
    assert (run / "scores.png").stat().st_size > 1000


def test_evaluate_a_run(run, call):
    said = call("evaluate", run, "-n", 200)
    for name in ("frechet distance", "kernel distance", "inception score", "precision", "coverage", "modes"):
        assert name in said
    added = scores.read(run / "scores.jsonl")[2:]
    assert added[0].n_generated == 200 and added[0].seed == 0 and len(added) == 9
    # the same images as in training, from the saved generator
    assert scores.difference(added[0], scores.read(run / "scores.jsonl")[1]) == pytest.approx(0, abs=1e-6)
    with Image.open(run / "neighbours.png") as picture:
        assert picture.size == (10 * 34 + 2, 4 * 34 + 2)
    assert "Distances (medians): " in said
    said = call("evaluate", run, "--metric", "precision_recall", "-n", 50, "--seed", 4)
    assert "50 generated" in said and "recall" in said and "coverage" not in said


def test_evaluate_images_of_anyone(run, call, tmp_path):
    call("sample", run, "-n", 60, "-o", tmp_path / "made")
    said = call("evaluate", "--images", tmp_path / "made", "--data", "digits", "-o", tmp_path / "scores.jsonl")
    assert "60 generated and 1,797 real images of digits" in said
    found = {score.metric: score for score in scores.read(tmp_path / "scores.jsonl")}
    call("sample", run, "-n", 60, "-o", tmp_path / "made.npy")
    said = call("evaluate", "--images", tmp_path / "made.npy", "--data", "digits", "-o", tmp_path / "again.jsonl")
    again = {score.metric: score for score in scores.read(tmp_path / "again.jsonl")}
    assert scores.difference(found["frechet_distance"], again["frechet_distance"]) == pytest.approx(0, abs=1e-3)


def test_images_of_another_size_are_resized_and_the_record_says_so(run, call, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 16, 20, 3)).astype("uint8")
    np.save(tmp_path / "made.npy", images)
    (tmp_path / "made").mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / "made" / f"{index:02d}.png")
    for name in ("made", "made.npy"):
        call("evaluate", "--images", tmp_path / name, "--data", "digits", "-o", tmp_path / "scores.jsonl",
             "--metric", "frechet_distance", "--neighbours", tmp_path / "near.png")  # fmt: skip
    one, other = scores.read(tmp_path / "scores.jsonl")
    assert one.resize == "none; generated images: bilinear, antialiased, 16 x 20 to 8 x 8, grey by ITU-R 601"
    assert scores.difference(one, other) == 0
    with Image.open(tmp_path / "near.png") as picture:
        assert picture.size == (10 * 34 + 2, 4 * 34 + 2)
    Image.fromarray(images[0, :12]).save(tmp_path / "made" / "40.png")
    said = call("evaluate", "--images", tmp_path / "made", "--data", "digits", code=2)
    assert "are of 2 sizes, 12 x 20 and 16 x 20 among them; give them one size" in said


def test_scores_of_a_run_go_where_they_are_wanted(run, call, tmp_path):
    before = len(scores.read(run / "scores.jsonl"))
    call("evaluate", run, "-n", 50, "--metric", "frechet_distance", "-o", tmp_path / "mine.jsonl")
    assert len(scores.read(tmp_path / "mine.jsonl")) == 1 and len(scores.read(run / "scores.jsonl")) == before


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["evaluate"], "evaluate  give a run directory, or both --images and --data"),
        (["evaluate", "nowhere"], "RUN  nowhere is not a run directory"),
        (["evaluate", "RUN", "--metric", "fid"], "--metric  Unknown metric 'fid'."),
        (["evaluate", "RUN", "--metric", "gaussian_modes"], "--metric  The metric 'gaussian_modes' is not defined"),
        (["evaluate", "RUN", "--extractor", "inception"], "--extractor  `extractor` must be 'auto', 'raw'"),
        (["evaluate", "RUN", "--split", "test"], "`split` of digits must be 'train'"),
        (["evaluate", "--images", "no.npy", "--data", "digits"], "--images  no.npy is neither an .npy or .npz file"),
        (
            ["evaluate", "--images", "x", "--data", "digts"],
            "--data  there is no data set, file or folder digts. Did you",
        ),
        (["evaluate", "--images", "x", "--data", "digits", "--seed", "1"], "--seed  sets the latents of a run's"),
        (["evaluate", "RUN", "--neighbours", "near"], "--neighbours  must be the name of a picture"),
        (["evaluate", "RUN", "-o", "no/where.jsonl"], "--out  there is no folder no for where.jsonl"),
        (
            ["compare", "digits", "digits", "--metric", "near_a_mode"],
            "--metric  The metric 'gaussian_modes' is not defined for these data",
        ),
        (["evaluate", "RUN", "--extractor", "stacked"], "--extractor  The extractor 'stacked' is for images of three"),
        (["evaluate", "RUN", "--per-class"], "--per-class  "),
        (["compare", "digits", "digits", "--seconds", "inf"], "--seconds  must be a number. Received: inf"),
        (["compare", "RUN", "RUN", "--seeds", "5"], "--seeds  is for recipes; these runs have been trained"),
        (["compare", "digits", "RUN"], "compare  give two recipes, or two run directories"),
        (["compare", "RUN", "."], ".  is not a run directory, and does not contain one"),
        (["compare", "digits", "digits", "--metric", "fid"], "--metric  unknown metric 'fid'"),
        (["compare", "digits", "digits", "--steps", "10", "--seconds", "10"], "--seconds  give the length once"),
        (
            ["compare", "digits", "gaussians-ring"],
            "compare  scores of different data cannot be compared: digits and ring",
        ),
    ],
)
def test_wrong_command_lines(arguments, said, run, call, tmp_path):
    assert said in call(*[run if word == "RUN" else word for word in arguments], code=2)
    assert not list(tmp_path.iterdir())


def with_value(run, folder, value, **changes):
    """A run like this one with another last score."""
    shutil.copytree(run, folder, ignore=shutil.ignore_patterns("checkpoints"))
    last = scores.read(run / "scores.jsonl")[1]
    row = {**last.__dict__, "value": value, "interval": (value - 1, value + 1), **changes}
    resolved = folder / "resolved.yaml"
    seed = sum(path.is_dir() for path in folder.parent.iterdir()) - 1
    resolved.write_text(resolved.read_text().replace("seed: 0", f"seed: {seed}", 1))
    (folder / "scores.jsonl").unlink()
    scores.append(folder / "scores.jsonl", [scores.Record(**row)])


def test_compare_runs(run, call, tmp_path):
    for side, values in {"low": (10, 11, 12), "high": (20, 21, 22), "like low": (11.5, 12.5, 10.2)}.items():
        for index, value in enumerate(values):
            with_value(run, tmp_path / side / str(index), float(value))
    said = call("compare", tmp_path / "low", tmp_path / "high")
    assert "| low | 11 | 8.516 to 13.48 | 3 | 52 |" in said  # 11 -+ 4.303 / sqrt(3)
    assert (
        "low is better: the frechet distance of high and low differ by 10, with a 95 % interval from 7.733 to 12.27"
        in said
    )
    out = tmp_path / "comparisons" / "low-vs-high-0001"
    assert {path.name for path in out.iterdir()} == {"table.md", "comparison.json", "curves.png"}
    assert json.loads((out / "comparison.json").read_text())["better"] == "low"
    said = call("compare", tmp_path / "low", tmp_path / "like low")
    assert "No difference shown: the frechet distance of like low and low differ by 0.4" in said
    said = call("compare", tmp_path / "low" / "0", tmp_path / "high" / "0")
    assert "No difference can be shown: one run does not show the noise between seeds" in said


def test_compare_by_any_value(run, call, tmp_path):
    for side, values in {"low": (0.1, 0.2), "high": (0.8, 0.9)}.items():
        for index, value in enumerate(values):
            changes = {"metric": "recall", "better": "max", "arguments": {"k": 3}}
            with_value(run, tmp_path / side / str(index), value, **changes)
    said = call("compare", tmp_path / "low", tmp_path / "high", "--metric", "recall")
    assert "high is better: the recall of high and low differ by 0.7" in said


def test_compare_refuses_a_folder_of_different_recipes(run, call, tmp_path):
    for name in "ab":
        with_value(run, tmp_path / "mixed" / name, 1.0)
    path = tmp_path / "mixed" / "b" / "resolved.yaml"
    path.write_text(path.read_text().replace("units: [8]", "units: [9]", 1).replace("- 8", "- 9", 1))
    (tmp_path / "mixed" / "b" / "resolved.yaml").write_text(path.read_text().replace("seed: 1", "seed: 0", 1))
    said = call("compare", tmp_path / "mixed", run, code=2)
    assert "b  is a run of another recipe than" in said and "generator.units.0 8 and 9" in said


def test_a_folder_called_as_a_recipe_is_not_taken_for_runs(call, tmp_path):
    (tmp_path / "digits").mkdir()
    said = call("compare", "digits", "gaussians-ring", code=2)
    assert "scores of different data cannot be compared" in said


def test_compare_refuses_a_repetition_as_a_seed(run, call, tmp_path):
    with_value(run, tmp_path / "twice" / "a", 1.0)
    shutil.copytree(tmp_path / "twice" / "a", tmp_path / "twice" / "b")
    said = call("compare", tmp_path / "twice", run, code=2)
    assert "b  has the seed of " in said and "a, 0: a repetition does not show the noise between seeds" in said


def test_compare_knows_how_long_runs_were_trained_that_were_scored_later(run, call, tmp_path):
    for name, changes in {"long": {"step": 52, "seconds": 20.0}, "short": {"step": 26, "seconds": 10.0}}.items():
        with_value(run, tmp_path / name, 1.0, where=changes)
    assert "of different length cannot be compared" in call("compare", tmp_path / "long", tmp_path / "short", code=2)
    call("evaluate", run, "-n", 50, "--metric", "frechet_distance", "-o", tmp_path / "mine.jsonl")
    [score] = scores.read(tmp_path / "mine.jsonl")
    assert score.where["step"] == 52 and score.where["seconds"] > 0


def test_compare_refuses_unlike_scores(run, call, tmp_path):
    with_value(run, tmp_path / "one", 1.0)
    with_value(run, tmp_path / "other", 2.0, n_generated=100, split="test")
    said = call("compare", tmp_path / "one", tmp_path / "other", code=2)
    assert "cannot be compared: split: train against test; n_generated: 200 against 100." in said
    said = call("compare", tmp_path / "one", tmp_path / "other", "--metric", "kernel_distance", code=2)
    assert "one  has no score 'kernel_distance' yet; `kgan evaluate" in said
    assert {path.name for path in tmp_path.iterdir()} == {"one", "other"}


def test_compare_refuses_trainings_of_unlike_length(run, call, tmp_path):
    with_value(run, tmp_path / "long", 1.0, where={"epoch": 2, "step": 52, "seconds": 20.0})
    with_value(run, tmp_path / "short", 2.0, where={"epoch": 1, "step": 26, "seconds": 10.0})
    said = call("compare", tmp_path / "long", tmp_path / "short", code=2)
    assert (
        "trainings of different length cannot be compared: long [52] steps in 20 s and short [26] steps in 10 s" in said
    )


@pytest.mark.longer
def test_pictures_are_held_against_pictures_of_their_size(call, tmp_path, quick_classifier):
    """Whatever size a folder would have in a training."""
    draw = np.random.default_rng(0)
    for index, image in enumerate(draw.integers(0, 256, (30, 300, 260, 3)).astype("uint8")):
        for name in ("one", "other"):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.fromarray(image).save(tmp_path / name / f"{index:02d}.png")
    call("evaluate", "--images", tmp_path / "one", "--data", tmp_path / "other", "-o", tmp_path / "scores.jsonl",
         "--metric", "frechet_distance")  # fmt: skip
    [score] = scores.read(tmp_path / "scores.jsonl")
    assert score.value == pytest.approx(0, abs=1e-4)
    assert score.resize == "bilinear, antialiased, 300 x 260 to 32 x 28"
    Image.fromarray(image[:200]).save(tmp_path / "other" / "30.png")
    call("evaluate", "--images", tmp_path / "one", "--data", tmp_path / "other", "-o", tmp_path / "scores.jsonl",
         "--metric", "frechet_distance")  # fmt: skip
    score = scores.read(tmp_path / "scores.jsonl")[-1]
    assert score.resize.startswith("cropped, Lanczos, 2 sizes to 300 x 260; bilinear, antialiased, ")


RING = """\
latent_dim: 2
data: {name: ring, batch_size: 64, samples: 640}
generator: {name: dense, units: [8], activation: null}
discriminator: {name: dense, units: [8]}
steps: 40
"""


@pytest.mark.slow
def test_a_value_that_two_metrics_have_is_that_of_the_data(call, tmp_path):
    (tmp_path / "ring.yaml").write_text(RING)
    said = call("compare", "ring.yaml", "ring.yaml", "--seeds", 1, "--steps", 10, "-n", 100, "--metric", "modes")
    assert "| ring (A) | " in said and "The modes of ring (B) is" in said


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Two recipes that differ in their own scores alone, trained with two seeds each; and what was said."""
    folder = tmp_path_factory.mktemp("compared")
    (folder / "none.yaml").write_text(RING)
    few = "callbacks: [{name: score, metric: precision_recall, real: 400, extractor: raw}]\n"
    (folder / "few.yaml").write_text(RING + few)
    said = call_kgan("compare", "none.yaml", "few.yaml", "--seeds", 2, "--steps", 20, "-n", 100, cwd=folder)
    return folder / "comparisons" / "none-vs-few-0001", said


@pytest.mark.longer
def test_recipes_are_scored_alike_whatever_their_own_scores_are(compared):
    assert "640 real images" in compared[1]


@pytest.mark.longer
def test_compare_recipes_trains_both(compared):
    out, said = compared
    assert "No difference shown: the frechet distance of few and none differ by 0," in said
    found = comparison.collect([out / f"{mark}-seed-{seed}" for mark in "ab" for seed in (0, 1)], "frechet_distance")
    assert [len(series) for series in found] == [10] * 4
    assert found[0][-1].value == found[2][-1].value != found[1][-1].value  # equal seeds, other seeds
    assert np.array(Image.open(out / "curves.png")).std() > 0


@pytest.mark.longer
def test_a_training_that_fails_is_named(call, tmp_path):
    (tmp_path / "bad.yaml").write_text(
        "latent_dim: 2\ndata: {name: ring, samples: 640}\ngenerator: {name: dense, units: [8], activation: null}\n"
        "discriminator: {name: dense, units: [8]}\nloss: wasserstein\nsteps: 40\n"
        "optimizers: {discriminator: {name: sgd, learning_rate: 1e+30}, generator: {name: sgd, learning_rate: 1e+30}}\n"
    )
    said = call("compare", "bad.yaml", "bad.yaml", "--seeds", 1, "--steps", 20, "-n", 100, code=1)
    assert "The training of" in said and "a-seed-0.yaml ended with 1: " in said
