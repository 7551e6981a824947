"""Runs that are killed for real, stopped by signals, starved of disk, or begun twice."""

import contextlib
import functools
import os
import shutil
import signal
import subprocess

import keras
import numpy as np
import pytest

from kgan.checkpoints import lock
from tests.command_line import run_kgan, start_kgan
from tests.faults.processes import POWER_FAILS, RECIPE, assert_same, interrupt, kill, newest_step

TOLERANCE = 1e-6 if keras.backend.backend() == "torch" else 0.0


@pytest.fixture(scope="module")
def never_stopped(tmp_path_factory):
    """The directory of a run of so many epochs, a function."""

    @functools.cache
    def trained(epochs):
        folder = tmp_path_factory.mktemp("straight")
        (folder / "r.yaml").write_text(RECIPE.replace("EPOCHS", str(epochs)))
        run_kgan("train", "r.yaml", "--out", "run", cwd=folder)
        return folder / "run"

    return trained


@pytest.fixture
def epochs(request):
    """Some five seconds of them, less than two in the test that runs most often."""
    return 120 if request.node.get_closest_marker("slow") else 40


@pytest.fixture
def straight(never_stopped, epochs):
    return never_stopped(epochs)


@pytest.fixture
def here(tmp_path, epochs):
    (tmp_path / "r.yaml").write_text(RECIPE.replace("EPOCHS", str(epochs)))
    return tmp_path


ARGUMENTS = "train", "r.yaml", "--out", "run", "--resume"


@pytest.mark.longer
def test_signals_save_and_say_where(here, straight, call):
    said = interrupt(start_kgan(*ARGUMENTS, cwd=here), here / "run", signal.SIGTERM)
    assert "Stopped by SIGTERM after step" in said and "run/checkpoints/step-" in said
    process = start_kgan(*ARGUMENTS, cwd=here)
    said = interrupt(process, here / "run", signal.SIGINT, steps=newest_step(here / "run") + 20)
    assert "Resuming from run/checkpoints/step-" in said and "Stopped by Ctrl-C" in said
    call("sample", "run", "-n", 4, "-o", "x.npy")  # of the newest checkpoint
    assert np.load(here / "x.npy").shape == (4, 8, 8, 1)
    run_kgan(*ARGUMENTS, cwd=here)
    assert_same(here / "run", straight, TOLERANCE)
    with lock.held(here / "run" / "checkpoints"):
        assert "run is in use by another process" in call(*ARGUMENTS, code=2)
    assert "Done" in call(*ARGUMENTS)  # nothing left to do
    assert_same(here / "run", straight, TOLERANCE)


@pytest.mark.slow
def test_killed_at_random_moments(here, straight):
    draw = np.random.default_rng(0)
    kills = 0
    while kills < 3:
        kills += kill(start_kgan(*ARGUMENTS, cwd=here), draw.uniform(2, 9))
    run_kgan(*ARGUMENTS, cwd=here)
    assert_same(here / "run", straight, TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2, 3, 5, 9])
def test_killed_while_it_saves(here, straight, number):
    """At each file of the first checkpoint, and of later ones; the first is lost then, and the run begins again."""
    (here / "power.py").write_text(POWER_FAILS.replace("NUMBER", str(number)))
    process = start_kgan(*ARGUMENTS, "--plugin", "power.py", cwd=here)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert newest_step(here / "run") == {1: 0, 2: 0, 3: 0, 5: 7, 9: 14}[number]
    assert [path.name for path in (here / "run" / "checkpoints").iterdir() if path.name.startswith(".")]
    said = run_kgan(*ARGUMENTS, cwd=here)
    assert ("Resuming from" in said) == (number in (5, 9))
    assert not [path.name for path in (here / "run" / "checkpoints").iterdir() if path.name.startswith(".")]
    assert_same(here / "run", straight, TOLERANCE)


@pytest.mark.slow
def test_a_run_directory_moved_elsewhere(here, straight):
    interrupt(start_kgan(*ARGUMENTS, cwd=here), here / "run", signal.SIGTERM)
    shutil.move(here / "run", here / "elsewhere")
    said = run_kgan("train", "r.yaml", "--out", "elsewhere", "--resume", cwd=here)
    assert "Resuming from elsewhere/checkpoints" in said
    assert_same(here / "elsewhere", straight, TOLERANCE)


@pytest.mark.slow
def test_a_changed_recipe_is_refused(here, straight):
    interrupt(start_kgan(*ARGUMENTS, cwd=here), here / "run", signal.SIGTERM)
    changes = "--set", "ema=0.5", "--set", "discriminator.dropout=0.1"
    said = run_kgan(*ARGUMENTS, *changes, cwd=here, code=2)
    assert (
        "--resume  discriminator.dropout: was 0.3, is now 0.1" in said and "--resume  ema: was 0.99, is now 0.5" in said
    )
    assert "--allow-changes" in said
    run_kgan(*ARGUMENTS, *changes, "--allow-changes", cwd=here)
    with pytest.raises(AssertionError):
        assert_same(here / "run", straight)
    assert "needs the run directory" in run_kgan("train", "r.yaml", "--resume", cwd=here, code=2)
    (here / "other").mkdir()
    (here / "other" / "thesis.txt").write_text("all my work")
    said = run_kgan("train", "r.yaml", "--out", "other", "--resume", cwd=here, code=2)
    assert "is not an empty folder" in said and (here / "other" / "thesis.txt").read_text() == "all my work"


@contextlib.contextmanager
def small_disk(folder, kilobytes):
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder], capture_output=True
    ).returncode:
        pytest.skip("a small disk needs the right to mount one")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("kilobytes", [8, 60, 150, 260])
def test_a_full_disk(here, straight, kilobytes):
    """It is said in one line; what was saved before is whole, and with more room the run goes on from there."""
    with small_disk(here / "disk", kilobytes):
        arguments = ["train", "r.yaml", "--out", "disk/run", "--resume"]
        said = run_kgan(*arguments, cwd=here, code=1)
        assert said.splitlines()[-1].endswith("No space left on device")
        left = [
            name for _, folders, files in os.walk(here / "disk") for name in (*folders, *files) if name.startswith(".")
        ]
        assert not left
        subprocess.run(["mount", "-o", "remount,size=8m", here / "disk"], check=True)
        saved = newest_step(here / "disk" / "run")
        assert ("Resuming from" in run_kgan(*arguments, cwd=here)) == (saved > 0)
        assert_same(here / "disk" / "run", straight, TOLERANCE)
