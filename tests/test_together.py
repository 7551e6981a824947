"""Several devices and several processes: the same training as on one device."""

import functools
import importlib.util
import json
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.checkpoints import disk
from tests.faults.processes import DISK_FULL, RECIPE, newest_step
from tests.launch import difference, environment, identical, read, torchrun, train, two_processes

BOUND = 1e-5  # of the largest value of each variable, after 21 steps
ON_JAX = [
    "dense",
    "dcgan",
    "mnist",
    "ada",
    "pix2pix",
    "cyclegan",
]  # minutes, for JAX compiles convolutions slowly on a CPU
needs_jax = pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="JAX is not installed")
needs_torch = pytest.mark.skipif(not importlib.util.find_spec("torch"), reason="PyTorch is not installed")


@pytest.fixture(scope="module")
def on_one_device(tmp_path_factory):
    @functools.cache
    def trained(engine, cases):
        return train(tmp_path_factory.mktemp(engine), cases, engine)

    return trained


@needs_jax
@pytest.mark.parametrize("cases", [("dense",), pytest.param(tuple(ON_JAX), marks=pytest.mark.slow)])
@pytest.mark.parametrize("devices, processes", [(2, 1), pytest.param(4, 1, marks=pytest.mark.slow), (2, 2)])
def test_jax(devices, processes, cases, on_one_device, tmp_path):
    wanted = on_one_device("jax", cases)
    found = train(tmp_path, cases, "jax", devices, processes)
    for case in cases:
        apart, name = difference(found[case], wanted[case])
        assert apart < BOUND, (case, name)


@needs_torch
def test_torch(on_one_device, tmp_path):
    from tests.together import CASES

    wanted = on_one_device("torch", tuple(CASES))
    found = train(tmp_path, CASES, "torch", processes=2)
    others = read(tmp_path, [f"{case}-1" for case in CASES])
    for case in CASES:
        apart, name = difference(found[case], wanted[case])
        assert apart < BOUND, (case, name)
        assert identical(found[case], others[f"{case}-1"]), case


@needs_torch
def test_torch_twice(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    one, again = (train(folder, ["dense", "mnist"], "torch", processes=2) for folder in folders)
    assert identical(one["dense"], again["dense"]) and identical(one["mnist"], again["mnist"])


@needs_jax
@pytest.mark.slow
def test_jax_twice(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    one, again = (train(folder, ["dense"], "jax", devices=2) for folder in folders)
    assert identical(one["dense"], again["dense"])


@needs_jax
def test_jax_goes_on_with_other_numbers_of_devices(on_one_device, tmp_path):
    for devices, epochs in ((2, 2), (1, 4), (4, 7)):
        found = train(tmp_path, ["dense"], "jax", devices, options=("--checkpoint", "--epochs", str(epochs)))
    apart, name = difference(found["dense"], on_one_device("jax", ("dense",))["dense"])
    assert apart < BOUND, name


@needs_torch
def test_torch_goes_on_with_other_numbers_of_processes(on_one_device, tmp_path):
    from tests.together import CASES

    for processes, epochs in ((2, 2), (1, 4), (2, 7)):
        options = ("--checkpoint", "--epochs", str(epochs))
        found = train(tmp_path, ["mnist"], "torch", processes=processes, options=options)
    apart, name = difference(found["mnist"], on_one_device("torch", tuple(CASES))["mnist"])
    assert apart < BOUND, name


engines = pytest.mark.parametrize(
    "engine", [pytest.param("jax", marks=needs_jax), pytest.param("torch", marks=needs_torch)]
)


def said_by(processes):
    return [one.communicate(timeout=60)[0] for one in processes]


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("EPOCHS", "100000"))
    return "train", "recipe.yaml", "--out", "run"


def wait(processes, folder, steps):
    while newest_step(folder) < steps:
        assert all(one.poll() is None for one in processes), said_by(processes)
        time.sleep(0.02)


@engines
@pytest.mark.parametrize("killed", [1, pytest.param(0, marks=pytest.mark.slow)])
def test_the_loss_of_a_process_ends_the_others(engine, killed, recipe, tmp_path):
    processes = two_processes(engine, *recipe, cwd=tmp_path)
    wait(processes, tmp_path / "run", 14)
    processes[killed].send_signal(signal.SIGKILL)
    said = said_by(processes)
    other = processes[1 - killed]
    if engine == "jax" and killed == 0:  # which connected the others: JAX itself ends these, and says why
        assert other.returncode == -signal.SIGABRT and "another task died" in said[1].lower(), said
    else:
        assert other.returncode == 1 and "Traceback" not in said[1 - killed], said
        assert "Another process of this training has ended" in said[1 - killed]
    newest, passed = disk.latest(tmp_path / "run" / "checkpoints")
    assert not passed and disk.read_state(newest)["step"] >= 14


@engines
def test_a_full_disk_of_the_first_process_ends_all(engine, recipe, tmp_path):
    (tmp_path / "full.py").write_text(DISK_FULL)
    processes = two_processes(engine, *recipe, "--plugin", "full.py", cwd=tmp_path)
    said = said_by(processes)
    assert processes[0].returncode == 1 and "No space left on device" in said[0] and "Traceback" not in said[0], said
    said_so = processes[1].returncode == 1 and "Another process of this training has ended" in said[1]
    # the first process connected the others: where these notice that first, JAX itself ends them, and says why
    by_jax = engine == "jax" and processes[1].returncode == -signal.SIGABRT and "another task died" in said[1].lower()
    assert said_so or by_jax, said
    folder = tmp_path / "run" / "checkpoints"
    newest, passed = disk.latest(folder)
    assert disk.read_state(newest)["step"] == 14 and not passed
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]


@engines
@pytest.mark.parametrize("asked", [1, pytest.param(0, marks=pytest.mark.slow)])
def test_a_process_that_is_asked_to_end_ends_all(engine, asked, recipe, tmp_path):
    processes = two_processes(engine, *recipe, cwd=tmp_path)
    wait(processes, tmp_path / "run", 14)
    processes[asked].send_signal(signal.SIGTERM)
    said = said_by(processes)
    assert [one.returncode for one in processes] == [143, 143], said
    assert "Stopped by SIGTERM" in said[0] and "SIGTERM" not in said[1] and "digits" not in said[1]
    step = disk.read_state(disk.latest(tmp_path / "run" / "checkpoints")[0])["step"]
    # two processes end at the step of the recipe, and one goes on
    again = two_processes(engine, *recipe, "--resume", "--allow-changes", "--set", f"steps={step + 3}", cwd=tmp_path)
    assert "step" in said_by(again)[0] and [one.returncode for one in again] == [0, 0]
    rows = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))


@needs_torch
def test_a_run_of_two_processes(tmp_path):
    """One run directory, as one process writes it, with the same scores."""
    small = ["generator.units=[8]", "discriminator.units=[8]", "epochs=2", "data.limit=450"]
    words = ["-m", "kgan", "train", "digits", *(word for one in small for word in ("--set", one)), "--out"]
    for command in ([*torchrun(*words), "two"], [sys.executable, *words, "one"]):
        done = subprocess.run(command, env=environment("torch"), cwd=tmp_path, capture_output=True, text=True)
        assert not done.returncode, done.stderr
    one, two = ({path.name for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert one == two
    logs = [
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    ]
    for row, other in zip(*logs, strict=True):
        assert row.keys() == other.keys() and other["d_loss"] == pytest.approx(row["d_loss"], rel=1e-4)
    about = json.loads((tmp_path / "two" / "environment.json").read_text())
    assert about["devices"] == ["cpu:0", "cpu:1"] and about["processes"] == 2
    with np.load(next((tmp_path / "two" / "checkpoints").glob("epoch-*/arrays.npz"))) as arrays:
        assert all(np.isfinite(arrays[name]).all() for name in arrays.files)


def said(engine, *arguments, cwd, **more):
    done = subprocess.run(
        [sys.executable, "-m", "kgan", *arguments],
        env=environment(engine, **more),
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="what TensorFlow says")
def test_what_tensorflow_cannot_do(tmp_path, call, monkeypatch):
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "1")  # so that it is put back
    text = call("train", "digits", "--devices", "2", code=2)
    assert "--devices" in text and "KERAS_BACKEND=jax trains on several" in text
    text = call("train", "digits", "--devices", "two", code=2)
    assert "must be a number of devices, or `all`. Received: two" in text
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    text = call("train", "digits", code=2)
    assert "torchrun started 2 processes" in text and "KERAS_BACKEND=torch" in text
    assert not list(tmp_path.iterdir())


@needs_torch
def test_several_devices_on_torch_need_torchrun(tmp_path):
    code, text = said("torch", "train", "digits", "--devices", "2", cwd=tmp_path)
    assert code == 2 and "torchrun --nproc-per-node 2 -m kgan" in text and not list(tmp_path.iterdir())


@needs_jax
def test_a_dry_run_says_what_each_device_computes(tmp_path):
    code, text = said("jax", "train", "digits", "--devices", "2", "--dry-run", cwd=tmp_path)
    assert code == 0 and "2 devices (cpu:0, cpu:1), 32 images of a batch on each" in text
    code, text = said("jax", "train", "digits", "--devices", "3", "--dry-run", cwd=tmp_path)
    assert code == 0 and "3 devices" in text and "the whole batch on each, which it does not divide" in text


def test_a_process_reads_its_own_part_of_a_folder(tmp_path):
    for number in range(9):
        Image.fromarray(np.full((4, 4, 3), 20 + number, "uint8")).save(tmp_path / f"{number}.png")
    folder = kgan.data.Folder(tmp_path)
    whole, own = (kgan.data.Batches(folder, 4, seed=1) for _ in range(2))
    own.divide((1, 2), 2)
    for index in range(3):
        [wanted], [found] = whole[index], own[index]
        if index < 2:
            np.testing.assert_array_equal(found[2:], wanted[2:])
            assert wanted[:2].min() >= 20 and not found[:2].any()
        else:  # one picture, which two processes cannot share
            np.testing.assert_array_equal(found, wanted)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="its random functions are those of PyTorch")
def test_the_numbers_of_a_part_are_those_of_the_whole_batch(monkeypatch):
    from keras.src.backend.torch import random as of_keras

    from kgan.backend import torch_processes

    monkeypatch.setattr(torch_processes.HERE, "index", 1)
    monkeypatch.setattr(torch_processes.HERE, "count", 3)
    replaced = torch_processes._draws({4})
    for name, arguments in (("normal", ()), ("uniform", (-1.0, 1.0)), ("randint", (0, 99)), ("truncated_normal", ())):
        draw = getattr(of_keras, name)
        drawn = replaced[name](draw)
        np.testing.assert_array_equal(drawn((4, 5), *arguments, seed=1), draw((12, 5), *arguments, seed=1)[4:8])
        np.testing.assert_array_equal(drawn((5, 4), *arguments, seed=1), draw((5, 4), *arguments, seed=1))
    ones = keras.ops.ones((12, 6))
    dropped = replaced["dropout"](of_keras.dropout)
    np.testing.assert_allclose(dropped(ones[:4], 0.5, seed=1), of_keras.dropout(ones, 0.5, seed=1)[4:8])
    channels = replaced["dropout"](of_keras.dropout)(ones[:4], 0.5, noise_shape=(4, 1), seed=1)
    np.testing.assert_allclose(channels, of_keras.dropout(ones, 0.5, noise_shape=(12, 1), seed=1)[4:8])
    with pytest.raises(NotImplementedError, match="keras.random.shuffle would draw the same numbers in each of 3"):
        replaced["shuffle"](of_keras.shuffle)(ones)
