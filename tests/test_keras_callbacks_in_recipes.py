"""Keras' own callbacks in a recipe: what each does in a run, and after it was stopped and resumed."""

import csv
import json

import keras
import numpy as np
import pytest

import kgan
from tests.command_line import ROOT, call_kgan, run_kgan

RECIPE = """\
latent_dim: 4
data: {name: digits, batch_size: 100, limit: 200}
generator: {name: dense, units: [8]}
discriminator: {name: dense, units: [8]}
epochs: EPOCHS
callbacks:
  - checkpoint
  - CALLBACK
"""


def train(folder, callback, *arguments, epochs=4):
    """Train that recipe with one more callback; return the logs of its epochs."""
    (folder / "recipe.yaml").write_text(RECIPE.replace("CALLBACK", callback).replace("EPOCHS", str(epochs)))
    call_kgan("train", "recipe.yaml", "--out", "run", "--no-doctor", *arguments, cwd=folder)
    return [json.loads(line) for line in (folder / "run" / "log.jsonl").read_text().splitlines()]


def resume(folder, callback, epochs):
    return train(folder, callback, "--resume", "--allow-changes", epochs=epochs)


def rates(folder):
    gan = kgan.load(sorted((folder / "run" / "checkpoints").iterdir())[-1])
    return [float(keras.ops.convert_to_numpy(one.learning_rate)) for one in (gan.d_opt, gan.g_opt)]


def test_early_stopping(tmp_path):
    never_better = "{name: early_stopping, monitor: d_loss, min_delta: 100, patience: 2}"
    assert len(train(tmp_path, never_better, epochs=2)) == 2
    assert len(resume(tmp_path, never_better, epochs=9)) == 3, "it begins to count again after a resume"


@pytest.mark.longer
def test_reduce_lr_on_plateau(tmp_path):
    plateau = "{name: reduce_lr_on_plateau, monitor: d_loss, min_delta: 100, patience: 2, factor: 0.1}"
    train(tmp_path, plateau, epochs=2)
    np.testing.assert_allclose(rates(tmp_path), [1e-3, 1e-3], rtol=1e-6)
    resume(tmp_path, plateau, epochs=3)
    np.testing.assert_allclose(rates(tmp_path), [1e-4, 1e-4], rtol=1e-6)


def test_learning_rate_scheduler(tmp_path):
    decay = "{name: exponential_decay, initial_learning_rate: 0.01, decay_steps: 1, decay_rate: 0.5}"
    halves = f"{{name: learning_rate_scheduler, schedule: {decay}}}"
    logs = train(tmp_path, halves, epochs=2)
    logs = resume(tmp_path, halves, epochs=4)
    np.testing.assert_allclose([row["learning_rate_d_opt"] for row in logs], [0.01, 0.005, 0.0025, 0.00125], rtol=1e-6)


def test_csv_logger(tmp_path):
    train(tmp_path, "csv_logger", epochs=2)
    path = tmp_path / "run" / "log.csv"
    with path.open("a") as file:
        file.write("of an epoch that was not saved\n")
    logs = resume(tmp_path, "csv_logger", epochs=4)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    assert rows[0].keys() == {"epoch", *logs[0]} - {"seconds"}
    np.testing.assert_allclose([float(row["g_loss"]) for row in rows], [row["g_loss"] for row in logs], rtol=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensor_board(tmp_path):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    pytest.importorskip("tensorflow")
    train(tmp_path, "{name: tensor_board, write_graph: false}", epochs=2)
    logs = resume(tmp_path, "{name: tensor_board, write_graph: false}", epochs=3)
    reader = event_accumulator.EventAccumulator(str(tmp_path / "run" / "tensor_board" / "train"), {"tensors": 0})
    reader.Reload()
    events = reader.Tensors("epoch_d_loss")
    assert [event.step for event in events] == [0, 1, 2]
    read = [float(np.frombuffer(event.tensor_proto.tensor_content, "float32")[0]) for event in events]
    np.testing.assert_allclose(read, [row["d_loss"] for row in logs], rtol=1e-6)


def test_terminate_on_nan(tmp_path):
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("CALLBACK", "terminate_on_nan").replace("EPOCHS", "9"))
    too_large = "optimizers.discriminator.learning_rate=1e38"
    said = call_kgan("train", "recipe.yaml", "--out", "run", "--set", too_large, "--no-doctor", cwd=tmp_path, code=1)
    assert "Invalid loss, terminating training" in said
    assert "epoch 9" not in said


@pytest.mark.parametrize(
    ("callback", "said"),
    [
        ("backup_and_restore", "every run saves its state, and `kgan train ... --resume` goes on with it"),
        ("model_checkpoint", "`checkpoint` saves the whole training"),
        ("early_stopping", "`monitor` of EarlyStopping must be a log. A GAN has two losses, 'd_loss' and 'g_loss'."),
        ("{name: early_stopping, monitor: d_los}", "Did you mean 'd_loss'?"),
        ("{name: early_stopping, monitor: d_loss, mode: least}", "must be 'auto', 'min' or 'max', not 'least'"),
        ("{name: early_stopping, monitor: d_loss, patience: -1}", "must be greater than or equal to 0"),
        ("{name: early_stopping, monitor: d_loss, patient: 1}", 'unknown key, did you mean "patience"?'),
        ("{name: reduce_lr_on_plateau, monitor: d_loss, factor: 2}", "must be less than 1"),
        ("{name: learning_rate_scheduler, schedule: 0.1}", "must be a name, or a mapping with a `name`"),
        ("{name: csv_logger, path: x.csv}", "unknown key"),
    ],
)
def test_wrong_arguments(tmp_path, callback, said):
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("CALLBACK", callback).replace("EPOCHS", "1"))
    assert said in call_kgan("train", "recipe.yaml", "--dry-run", cwd=tmp_path, code=2)


def test_a_rate_that_a_schedule_sets_cannot_be_reduced(tmp_path):
    callback = "{name: reduce_lr_on_plateau, monitor: d_loss}"
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("CALLBACK", callback).replace("EPOCHS", "1"))
    rate = "optimizers.generator.learning_rate={name: linear, start: 0.1, end: 0.2, steps: 10}"
    said = call_kgan("train", "recipe.yaml", "--dry-run", "--set", rate, cwd=tmp_path, code=2)
    assert "callbacks[1]: ReduceLROnPlateau cannot change the learning rate of `g_opt`, which is a schedule" in said


@pytest.mark.longer
def test_a_callback_of_ones_own(tmp_path):
    """A plain Keras callback in a plugin has the name of its class, and its logs are logs of the run."""
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("CALLBACK", "contrast").replace("EPOCHS", "2"))
    plugin = ROOT / "docs" / "examples" / "own_callback.py"
    run_kgan("train", "recipe.yaml", "--out", "run", "--plugin", plugin, cwd=tmp_path)
    logs = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert len(logs) == 2 and all(row["contrast"] > 0 for row in logs)
