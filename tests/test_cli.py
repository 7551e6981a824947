"""The command line as a person uses it: real processes, real files."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

TINY = ["--set", "epochs=2", "--set", "generator.units=[8]", "--set", "discriminator.units=[8]",
        "--set", "callbacks=[{name: image_grid, rows: 2, columns: 2}, checkpoint, loss_plot]"]  # fmt: skip


def kgan(*arguments, cwd, code=0):
    command = [sys.executable, "-c", "from kgan.cli import main; main()", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    said = kgan("train", "digits", *TINY, cwd=folder)
    assert "digits epoch 2/2" in said and "runs/digits-0001" in said
    return folder / "runs" / "digits-0001"


def test_a_run_leaves_everything(run):
    wanted = {"recipe.yaml", "resolved.yaml", "environment.json", "log.jsonl", "samples", "checkpoints", "losses.png"}
    assert wanted | {"generator.keras"} == {path.name for path in run.iterdir()}
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2] and "r1" in rows[0]
    environment = json.loads((run / "environment.json").read_text())
    assert environment["versions"]["keras"] and environment["backend"]
    assert sorted(path.name for path in (run / "samples").iterdir()) == [
        "epoch-0001.png",
        "epoch-0002.png",
        "training.gif",
    ]


def test_resolved_yaml_alone_repeats_the_run(run, tmp_path):
    kgan("train", run / "resolved.yaml", "--out", tmp_path / "again", cwd=tmp_path)
    for one in ("samples/epoch-0002.png", "resolved.yaml"):
        assert (tmp_path / "again" / one).read_bytes() == (run / one).read_bytes()
    logs = [(folder / "log.jsonl").read_text().splitlines() for folder in (run, tmp_path / "again")]
    for first, second in zip(*logs, strict=True):
        first, second = json.loads(first), json.loads(second)
        del first["seconds"], second["seconds"]
        assert first == second


def test_runs_are_numbered_and_never_overwritten(run):
    said = kgan("train", "digits", *TINY, "--set", "epochs=1", cwd=run.parent.parent)
    assert "digits-0002" in said
    said = kgan("train", "digits", *TINY, "--out", run, cwd=run.parent, code=2)
    assert "exists and is not an empty folder" in said


def test_sample(run, tmp_path):
    kgan("sample", run, "-n", 10, "-o", tmp_path / "x.npy", "--seed", 3, cwd=tmp_path)
    images = np.load(tmp_path / "x.npy", allow_pickle=False)
    assert images.shape == (10, 8, 8, 1) and images.dtype == np.float32 and np.abs(images).max() <= 1
    kgan("sample", run / "generator.keras", "-n", 10, "-o", tmp_path / "y.npy", "--seed", 3, cwd=tmp_path)
    np.testing.assert_array_equal(images, np.load(tmp_path / "y.npy"))
    kgan("sample", run, "-n", 9, "-o", tmp_path / "deep" / "grid.png", cwd=tmp_path)
    with Image.open(tmp_path / "deep" / "grid.png") as grid:
        assert grid.size == (104, 104)


def test_list_and_show(tmp_path):
    assert "digits" in kgan("list", cwd=tmp_path)
    shown = kgan("show", "digits", "--set", "ema=0.5", cwd=tmp_path)
    assert "ema: 0.5" in shown and "slope: 0.2" in shown
    assert "train" in kgan("--help", cwd=tmp_path)


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["train", "digit"], "digit  no such recipe. Did you mean 'digits'?"),
        (["train", "nowhere.yaml"], "nowhere.yaml  cannot be read: No such file"),
        (
            ["train", "digits", "--set", "discriminator.droput=1"],
            "discriminator.droput: unknown key. Did you mean",
        ),
        (
            ["train", "digits", "--set", "discriminator.dropout=5.0"],
            "digits  Invalid value received for argument `rate`",
        ),
        (["train", "digits", "--set", "seed"], "--set  'seed' must read key.path=value"),
        (["trian", "digits"], "trian"),
        (["sample", "nothing", "-o", "x.npy"], "nothing is no run directory"),
        (["sample", "nothing", "-o", "x.txt"], "must end in .npy or .png"),
        (["sample", "nothing", "-n", "0", "-o", "x.npy"], "Invalid value for '-n'"),
    ],
)
def test_mistakes_end_in_a_sentence_and_exit_code_2(tmp_path, arguments, expected):
    assert expected in kgan(*arguments, cwd=tmp_path, code=2)
    assert not list(tmp_path.iterdir())
