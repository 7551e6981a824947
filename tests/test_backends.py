"""The same weights, batches and latents give the same weights on every engine that is installed."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import kgan
from tests import one_run

HERE = keras.backend.backend()
OTHERS = [name for name in ("tensorflow", "jax", "torch") if name != HERE and importlib.util.find_spec(name)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder for each engine, with all rows: of the others each in a process of its own, of this one in this process."""
    folders = {backend: tmp_path_factory.mktemp(backend) for backend in (HERE, *OTHERS)}
    started = {
        backend: subprocess.Popen(
            [sys.executable, "-m", "tests.one_run", str(folders[backend])],
            env={**os.environ, "KERAS_BACKEND": backend},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for backend in OTHERS
    }
    one_run.main(folders[HERE])
    for backend, process in started.items():
        said = process.communicate()[1]
        assert process.returncode == 0, f"{backend}: {said}"
    return folders


def test_each_name_is_there():
    from kgan import backend

    assert all(hasattr(backend, name) for name in backend.__all__)


def read(folder, row):
    with np.load(folder / f"{row}.npz") as file:
        return dict(file)


def without_effect(name):
    """Biases before a BatchNormalization, and the moving mean that sees them: their gradient is rounding alone."""
    return ("bias" in name and "discriminator" not in name) or "moving_mean" in name


@pytest.mark.skipif(not OTHERS, reason="one engine is installed")
@pytest.mark.parametrize("row", one_run.ROWS)
def test_engines_agree(row, trained):
    reference = read(trained[HERE], row)
    for backend in OTHERS:
        other = read(trained[backend], row)
        assert len(other) == len(reference) > 30
        for (name, expected), got in zip(reference.items(), other.values(), strict=True):
            atol = 1e-3 if without_effect(name) else 1e-5
            np.testing.assert_allclose(got, expected, rtol=1e-3, atol=atol, err_msg=f"{backend}: {name}")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of tf.data")
def test_no_tuner_sleeps_behind_the_data():
    """The end of an epoch waited for it, now and then, up to a minute."""
    dataset, _ = kgan.backend.stream(kgan.data.Batches(np.zeros((8, 4, 4, 1), "uint8"), batch_size=4))
    assert dataset.options().autotune.enabled is False
