"""What all tests share. The engine is the one that KERAS_BACKEND names, TensorFlow by default."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def fixed_seed():
    keras.utils.set_random_seed(7)


@pytest.fixture
def images():
    """40 images of 8 x 8 x 1 in [-1, 1]: stripes whose phase differs."""
    phase = np.random.default_rng(0).uniform(0, 6, (40, 1, 1, 1))
    return np.sin(phase + np.arange(8)[None, None, :, None] * np.ones((1, 8, 1, 1))).astype("float32")
