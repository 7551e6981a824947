"""What all tests share. The engine is the one that KERAS_BACKEND names, TensorFlow by default."""

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest


@pytest.fixture(autouse=True)
def fixed_seed():
    keras.utils.set_random_seed(7)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Classifiers that scores look through are trained once for all tests, in all processes that run them."""
    own = tmp_path_factory.getbasetemp()
    both = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    os.environ.setdefault("KGAN_CACHE", str(both / "cache"))


@pytest.fixture
def images():
    """40 images of 8 x 8 x 1 in [-1, 1]: stripes whose phase differs."""
    phase = np.random.default_rng(0).uniform(0, 6, (40, 1, 1, 1))
    return np.sin(phase + np.arange(8)[None, None, :, None] * np.ones((1, 8, 1, 1))).astype("float32")


@pytest.fixture(scope="session")
def real_data():
    """The folder of real MNIST, Fashion-MNIST and CIFAR-10, on machines that have one."""
    if "KGAN_TEST_DATA" not in os.environ:
        pytest.skip("KGAN_TEST_DATA names no folder of real data sets")
    return pathlib.Path(os.environ["KGAN_TEST_DATA"])
