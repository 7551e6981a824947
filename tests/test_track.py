"""Track: what a tracker is given, that a resumed training repeats nothing there, and that no tracker ends a training."""

import json
import struct
import sys

import keras
import numpy as np
import pytest

from kgan.callbacks import Checkpoint, Doctor, ImageGrid, Score, Track, trackers
from kgan.doctor import History, Rule
from kgan.runner import recipes, resolved
from kgan.runner.errors import RecipeError
from tests.helpers import KilledError, Steps, compiled, reusable
from tests.recipe_helpers import GOOD, check, complaint

SICK = Rule("ill", "error", (("step", ">", -1.0),), 1, "It is ill.", ("loss=hinge",), "source")


@pytest.fixture(autouse=True)
def no_network(tmp_path, monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "WANDB_MODE", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))


@pytest.fixture(autouse=True)
def sick(monkeypatch):
    """A doctor always has one finding, before the first step."""
    monkeypatch.setattr("kgan.callbacks.doctor.History", lambda: History([SICK]))


class Memory:
    """Keeps everything that it is given."""

    def __init__(self):
        self.given = []

    def config(self, values):
        self.given.append(("config", values))

    def log(self, values, step):
        self.given.append(("log", values, step))

    def image(self, name, path, step):
        self.given.append(("image", name, path.name, step))

    def alert(self, title, text, level):
        self.given.append(("alert", title, text, level))

    def of(self, verb):
        return [tuple(rest) for one, *rest in self.given if one == verb]

    @property
    def steps(self):
        return [step for _, step in self.of("log")]


class Least:
    """A tracker that can log numbers, and nothing else."""

    def __init__(self):
        self.rows = {}

    def log(self, values, step):
        self.rows[step] = values


fresh = reusable(compiled)


def fit(images, callbacks, epochs=2, gan=None):
    """Four steps an epoch, of the same GAN."""
    gan = gan or fresh()
    return gan.fit(images, batch_size=10, epochs=epochs, verbose=0, callbacks=callbacks).history


def with_results(to, folder):
    """A tracker, after callbacks with a picture an epoch and a finding."""
    grid = ImageGrid(folder / "samples", rows=1, columns=2, gif=False)
    return [grid, Doctor(folder / "findings.jsonl"), Track(to, folder)]


def test_what_a_tracker_is_given(images, tmp_path):
    memory = Memory()
    gan = compiled(d_opt=keras.optimizers.Adam(1e-3), g_opt=keras.optimizers.SGD(4e-3))
    history = fit(images, with_results(memory, tmp_path), gan=gan)
    assert [verb for verb, *_ in memory.given] == ["config", "image", "log", "alert", "image", "log"]
    [(config,)] = memory.of("config")
    assert config["image_shape"] == (8, 8, 1) and config["latent_dim"] == 6 and config["loss"] == "NonSaturating"
    assert config["generator_parameters"] == gan.generator.count_params() and config["seed"] == gan.seed
    assert config["d_opt_beta_2"] == 0.999 and config["g_opt_learning_rate"] == pytest.approx(4e-3)
    for (values, step), epoch in zip(memory.of("log"), (0, 1), strict=True):
        assert step == 4 * (epoch + 1) and values.pop("epoch") == epoch + 1
        assert values == {name: pytest.approx(column[epoch]) for name, column in history.items()}
        assert all(type(value) is float for value in values.values())
    assert memory.of("image") == [("samples", "epoch-0001.png", 4), ("samples", "epoch-0002.png", 8)]
    [(title, text, level)] = memory.of("alert")
    assert title == "ill" and text.endswith("It is ill. Try: loss=hinge.") and level == "error"


def test_scores_are_logged_where_they_are_measured(images, tmp_path):
    least = Least()
    score = Score("frechet_distance", every=2, samples=20, path=tmp_path / "scores.jsonl", extractor="raw")
    fit(images, [Track(least, tmp_path), score], epochs=3)
    assert ["frechet_distance" in least.rows[step] for step in (4, 8, 12)] == [False, True, True]
    assert [least.rows[step]["frechet_distance"] for step in (8, 12)] == [one.value for one in score.scores]


def test_an_object_that_only_logs_is_enough(images, tmp_path):
    least = Least()
    fit(images, with_results(least, tmp_path))
    assert list(least.rows) == [4, 8]


class Other(keras.callbacks.Callback):
    """Adds logs that are no numbers of Python."""

    def on_epoch_end(self, epoch, logs=None):
        logs |= {"phase": "warm-up", "rate": np.float32(0.5)}


def test_logs_that_are_no_numbers_are_left_out(images, tmp_path):
    least = Least()
    fit(images, [Other(), Track(least, tmp_path)], epochs=1)
    assert "phase" not in least.rows[4] and least.rows[4]["rate"] == 0.5


def test_what_another_training_has_left_in_the_folder_is_not_logged(images, tmp_path):
    fit(images, with_results(Memory(), tmp_path), epochs=1)
    memory = Memory()
    fit(images, [Track(memory, tmp_path)])
    assert not memory.of("image") and not memory.of("alert") and memory.steps == [4, 8]
    memory = Memory()
    fit(images, with_results(memory, tmp_path), epochs=1)  # a picture and a finding of the same names
    assert len(memory.of("image")) == len(memory.of("alert")) == 1


def test_a_second_fit_goes_on_in_the_same_run(images, tmp_path):
    memory, gan = Memory(), compiled()
    track = Track(memory, tmp_path)
    for _ in range(2):
        fit(images, [track], gan=gan)
    assert memory.steps == [4, 8, 12, 16] and len(memory.of("config")) == 1


def resumable(to, folder, kill_at=None):
    return [*with_results(to, folder), Checkpoint(folder / "saved", every="6 steps", resume=True), Steps(kill_at)]


def killed_and_resumed(images, first, again, folder):
    """Killed after step 10, when the steps up to 8 are logged; resumed from step 6."""
    with pytest.raises(KilledError):
        fit(images, resumable(first, folder, kill_at=10), epochs=4)
    fit(images, resumable(again, folder), epochs=4)


def test_a_resumed_training_repeats_nothing(images, tmp_path):
    first, again = Memory(), Memory()
    killed_and_resumed(images, first, again, tmp_path)
    assert first.steps == [4, 8] and again.steps == [12, 16]
    assert [step for *_, step in again.of("image")] == [12, 16]
    assert len(first.of("config")) == len(first.of("alert")) == 1
    assert not again.of("config") and not again.of("alert")


def test_without_its_file_a_resumed_training_knows_what_the_checkpoint_knew(images, tmp_path):
    with pytest.raises(KilledError):
        fit(images, resumable(Memory(), tmp_path, kill_at=10), epochs=4)
    (tmp_path / "track-Memory.json").write_text("damaged")
    memory = Memory()
    fit(images, resumable(memory, tmp_path), epochs=4)
    assert memory.steps == [8, 12, 16] and not memory.of("config")


class Dying(Memory):
    """The process is killed when the step is in the tracker, and its call has not returned."""

    def __init__(self, at=None):
        super().__init__()
        self.at = at

    def log(self, values, step):
        super().log(values, step)
        if step == self.at:
            raise KeyboardInterrupt


def test_a_step_is_not_there_twice_if_the_tracker_was_the_last_to_live(images, tmp_path):
    dying, again = Dying(at=8), Dying()
    with pytest.raises(KeyboardInterrupt):
        fit(images, resumable(dying, tmp_path), epochs=3)
    fit(images, resumable(again, tmp_path), epochs=3)
    assert dying.steps == [4, 8] and again.steps == [12]


def test_a_training_that_begins_again_or_goes_to_another_tracker_has_a_new_run(images, tmp_path):
    memory, least = Memory(), Least()
    with pytest.raises(KilledError):
        fit(images, resumable(memory, tmp_path, kill_at=5))  # before the first checkpoint
    fit(images, resumable(memory, tmp_path), epochs=2)
    assert memory.steps == [4, 4, 8] and len(memory.of("config")) == 2
    fit(images, resumable(least, tmp_path), epochs=3)
    assert list(least.rows) == [12]
    runs = [json.loads((tmp_path / f"track-{name}.json").read_text())["run"] for name in ("Memory", "Least")]
    assert runs[0] != runs[1]


def of_tensorboard(folder, run):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    reader = events.EventAccumulator(
        str(folder / run), size_guidance=dict.fromkeys(("tensors", "images", "scalars"), 0)
    )
    reader.Reload()
    [config] = reader.Tensors("config")
    [alert] = reader.Tensors("findings/ill")
    assert (
        b"| latent_dim | 6 |" in config.tensor_proto.string_val[0] and b"It is ill." in alert.tensor_proto.string_val[0]
    )
    assert [(one.width, one.height) for one in reader.Images("samples")] == 4 * [(70, 36)]
    assert [one.step for one in reader.Images("samples")] == [4, 8, 12, 16]
    return [(one.step, one.value) for one in reader.Scalars("d_loss")]


def of_mlflow(folder, run):
    mlflow = pytest.importorskip("mlflow")
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow/mlflow.db")
    found = client.get_run(run)
    assert found.info.status == "FINISHED" and found.data.params["latent_dim"] == "6"
    assert "It is ill." in found.data.tags["finding.ill"]
    assert len([one for one in client.list_artifacts(run, "images") if one.path.endswith(".png")]) == 4
    return [(one.step, one.value) for one in client.get_metric_history(run, "d_loss")]


def records_of_wandb(path):
    """The records of W&B's file: after 7 bytes, the format of LevelDB's logs."""
    import wandb
    from wandb.proto.wandb_internal_pb2 import Record

    wandb.teardown()  # its own process has written all of it
    data, at, part = path.read_bytes(), 7, b""
    while len(data) - at >= 7:
        if (left := 32768 - at % 32768) < 7:
            at += left
            continue
        _, size, kind = struct.unpack("<IHB", data[at : at + 7])
        part, at = part + data[at + 7 : at + 7 + size], at + 7 + size
        if kind in (1, 4):  # whole, or the last part
            yield Record.FromString(part)
            part = b""


def row_of(record):
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}


def of_wandb(folder, run):
    parts = sorted((folder / "wandb").glob(f"offline-run-*-{run}/run-{run}.wandb"))
    assert len(parts) == 2
    records = [record for path in parts for record in records_of_wandb(path)]
    keys = [item.key for record in records for item in record.config.update]
    assert keys.count("latent_dim") == 1
    assert ["It is ill." in one.alert.text for one in records if one.HasField("alert")] == [True]
    rows = [row_of(one) for one in records if one.HasField("history")]
    assert all(row["samples/width"] == 70 for row in rows)
    return [(row["_step"], row["d_loss"]) for row in rows]


def of_trackio(folder, run):
    trackio = pytest.importorskip("trackio")
    storage = pytest.importorskip("trackio.sqlite_storage").SQLiteStorage
    [found] = trackio.Api().runs("kgan")
    assert found.name == run and found.config["latent_dim"] == 6
    [alert] = storage.get_alerts("kgan", run)
    assert alert["title"] == "ill" and alert["level"] == "error"
    rows = storage.get_logs("kgan", run)
    assert [row["step"] for row in rows if "samples" in row] == [4, 8, 12, 16]
    return [(row["step"], row["d_loss"]) for row in rows if "d_loss" in row]


READERS = {"tensorboard": of_tensorboard, "mlflow": of_mlflow, "wandb": of_wandb, "trackio": of_trackio}


@pytest.mark.longer
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("to", READERS)
def test_a_resumed_training_is_one_run_of_the_real_tracker(images, tmp_path, to):
    pytest.importorskip(to)
    killed_and_resumed(images, to, to, tmp_path)
    run = json.loads((tmp_path / f"track-{to}.json").read_text())["run"]
    read = READERS[to](tmp_path, run)
    assert [step for step, _ in read] == [4, 8, 12, 16]
    memory = Memory()
    fit(images, resumable(memory, tmp_path / "whole"), epochs=4)  # never killed
    np.testing.assert_allclose([loss for _, loss in read], [row["d_loss"] for row, _ in memory.of("log")], rtol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_another_training_has_event_files_of_its_own(images, tmp_path):
    pytest.importorskip("tensorboard")
    for _ in range(3):
        fit(images, [Track("tensorboard", tmp_path)], epochs=1)
    assert {path.name for path in tmp_path.glob("tensorboard*")} == {"tensorboard", "tensorboard-2", "tensorboard-3"}


@pytest.mark.longer
@pytest.mark.parametrize("verb", ["config", "log", "image", "alert"])
def test_a_tracker_that_fails_is_left_alone(images, tmp_path, caplog, verb):
    class Failing(Memory):
        pass

    def fail(self, *_):
        self.given.append(("failed",))
        raise ConnectionError("no network\nat all")

    setattr(Failing, verb, fail)
    failing = Failing()
    history = fit(images, with_results(failing, tmp_path), epochs=3)
    assert len(history["d_loss"]) == 3
    said = [one.getMessage() for one in caplog.records if "Failing" in one.getMessage()]
    assert said == [
        "Nothing more of this training is logged in Failing, which failed: ConnectionError: no network at all"
    ]
    assert failing.given[-1] == ("failed",) and failing.given.count(("failed",)) == 1


@pytest.mark.parametrize("method", ["open", "close"])
def test_a_run_that_cannot_be_opened_or_closed(images, tmp_path, caplog, monkeypatch, method):
    pytest.importorskip("tensorboard")

    def fail(*_):
        raise OSError("full")

    monkeypatch.setattr(trackers.TensorBoard, method, fail)
    monkeypatch.setattr(trackers.TensorBoard, "log", lambda *_: None)
    assert len(fit(images, [Track("tensorboard", tmp_path)])["d_loss"]) == 2
    assert caplog.text.count("logged in tensorboard, which failed: OSError: full") == 1


def test_a_package_is_not_imported_before_the_training(images, tmp_path, caplog, monkeypatch):
    """One that is there and cannot be imported is noticed then, and ends nothing."""
    (tmp_path / "mlflow.py").write_text("raise ImportError('too old')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mlflow", raising=False)
    monkeypatch.setattr(trackers.MLflow, "packages", lambda _: ("mlflow",))
    track = Track("mlflow", tmp_path)
    fit(images, [track], epochs=1)
    assert "logged in mlflow, which failed: ImportError: too old" in caplog.text


def test_a_package_that_is_not_installed_is_named_at_once(tmp_path, monkeypatch, call):
    """A folder of its name, in which a tracker has written, is none."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "no_such_package").mkdir()
    monkeypatch.setattr(trackers.WandB, "packages", lambda _: ("no_such_package",))
    with pytest.raises(ImportError, match="`to` of Track is 'wandb', which needs the package .*: pip install wandb$"):
        Track("wandb", tmp_path)
    said = call("train", "digits", "--set", "callbacks=[{name: track, to: wandb}]", code=2)
    assert "callbacks[0].to: `to` of Track is 'wandb', which needs" in said and not (tmp_path / "runs").exists()


def test_mlflow_needs_a_data_base_where_it_has_no_server(monkeypatch):
    assert trackers.MLflow().packages() == ("mlflow", "sqlalchemy")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    assert trackers.MLflow().packages() == ("mlflow",)


def test_wrong_arguments(images, tmp_path):
    with pytest.raises(ValueError, match="Unknown tracker for `to` 'mlfow'. Did you mean 'mlflow'"):
        Track("mlfow")
    with pytest.raises(
        ValueError, match=r"`to` of Track must be one of 'tensorboard', .* `log\(values, step\)`. .*: 3"
    ):
        Track(3)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="`directory` of Track must be a folder"):
        fit(images, [Track(Least(), tmp_path / "file")])
    with pytest.raises(NotImplementedError, match=r"Tracker does not define `log\(values, step\)`"):
        trackers.Tracker().log({}, 1)


def test_the_trackers_of_a_recipe():
    said = complaint(GOOD + "callbacks: [{name: track, to: mlfow}]")
    assert "callbacks[0].to: must be 'tensorboard', 'mlflow', 'wandb' or 'trackio'" in said
    assert "unknown key" in complaint(GOOD + "callbacks: [{name: track, directory: elsewhere}]")


def test_a_recipe_with_another_tracker_is_the_same_recipe(tmp_path):
    (tmp_path / "resolved.yaml").write_text(
        recipes.dump(resolved.resolved(check(GOOD + "callbacks: [{name: track, to: tensorboard}, loss_plot]")))
    )
    for callbacks in ("loss_plot", "loss_plot, {name: track, to: mlflow}"):
        resolved.check_same(check(GOOD + f"callbacks: [{callbacks}]"), tmp_path)
    with pytest.raises(RecipeError, match="callbacks.0.name: was loss_plot, is now checkpoint"):
        resolved.check_same(check(GOOD + "callbacks: [checkpoint]"), tmp_path)


@pytest.mark.filterwarnings("ignore")
def test_a_run_tracks_into_its_own_folder(tmp_path, call):
    """The picture is logged at its step, although the recipe lists the grid last."""
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    small = ["generator.units=[8]", "discriminator.units=[8]", "epochs=1"]
    settings = [*small, "callbacks=[track, {name: image_grid, rows: 1, columns: 2}]"]
    call("train", "digits", *(word for one in settings for word in ("--set", one)), "--out", "run")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(("tensorboard", "track", "samples"))]
    reader = events.EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    reader.Reload()
    [loss], [image] = reader.Scalars("d_loss"), reader.Images("samples")
    [row] = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert loss.step == image.step == 29 and loss.value == pytest.approx(row["d_loss"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("every", [{}, {"log_every_epoch": False, "log_every_n_steps": 2}], ids=["epochs", "steps"])
def test_mlflows_own_callback(images, tmp_path, every):
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("keras", (tmp_path / "artifacts").as_uri()))
    with mlflow.start_run() as run:
        history = fit(images, [mlflow.keras.MlflowCallback(**every)])
    mlflow.flush_async_logging()
    client = mlflow.MlflowClient()
    params = client.get_run(run.info.run_id).data.params
    assert float(params["optimizer_d_opt_learning_rate"]) == pytest.approx(1e-3)
    assert params["optimizer_g_opt_beta_2"] == "0.999"
    rows = sorted((one.step, one.value) for one in client.get_metric_history(run.info.run_id, "g_loss"))
    if every:
        assert [step for step, _ in rows] == [2, 4, 6, 8]
    else:
        np.testing.assert_allclose(rows, list(enumerate(history["g_loss"])), rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("every", ["epoch", 2])
def test_wandbs_own_callback(images, tmp_path, every):
    wandb = pytest.importorskip("wandb")
    from wandb.integration.keras import WandbMetricsLogger

    with wandb.init(mode="offline", dir=tmp_path, project="keras", settings=wandb.Settings(console="off")) as run:
        history = fit(images, [WandbMetricsLogger(log_freq=every)])
    [path] = (tmp_path / "wandb").glob(f"offline-run-*-{run.id}/run-{run.id}.wandb")
    rows = [row_of(one) for one in records_of_wandb(path) if one.HasField("history")]
    name = "epoch" if every == "epoch" else "batch"
    rates = [row[f"{name}/learning_rate"] for row in rows if f"{name}/learning_rate" in row]
    np.testing.assert_allclose(rates, [1e-3] * (2 if every == "epoch" else 4), rtol=1e-6)
    if every == "epoch":
        np.testing.assert_allclose([row["epoch/g_loss"] for row in rows], history["g_loss"], rtol=1e-6)
