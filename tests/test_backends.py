"""The same weights, batches and latents give the same weights on every engine that is installed."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import kgan
from tests.one_run import ROWS

HERE = keras.backend.backend()
OTHERS = [name for name in ("tensorflow", "jax", "torch") if name != HERE and importlib.util.find_spec(name)]


def train(row, backend, path):
    command = [sys.executable, "-m", "tests.one_run", row, str(path)]
    done = subprocess.run(command, env={**os.environ, "KERAS_BACKEND": backend}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(path) as file:
        return dict(file)


def without_effect(name):
    """Biases before a BatchNormalization, and the moving mean that sees them: their gradient is rounding alone."""
    return ("bias" in name and "discriminator" not in name) or "moving_mean" in name


@pytest.mark.skipif(not OTHERS, reason="one engine is installed")
@pytest.mark.parametrize("row", ROWS)
def test_engines_agree(row, tmp_path):
    reference = train(row, HERE, tmp_path / f"{HERE}.npz")
    for backend in OTHERS:
        other = train(row, backend, tmp_path / f"{backend}.npz")
        assert len(other) == len(reference) > 30
        for (name, expected), got in zip(reference.items(), other.values(), strict=True):
            atol = 1e-3 if without_effect(name) else 1e-5
            np.testing.assert_allclose(got, expected, rtol=1e-3, atol=atol, err_msg=f"{backend}: {name}")


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of tf.data")
def test_no_tuner_sleeps_behind_the_data():
    """The end of an epoch waited for it, now and then, up to a minute."""
    dataset, _ = kgan.backend.stream(kgan.data.Batches(np.zeros((8, 4, 4, 1), "uint8"), batch_size=4))
    assert dataset.options().autotune.enabled is False
