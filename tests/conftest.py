"""What all tests share. The engine is the one that KERAS_BACKEND names, TensorFlow by default."""

import functools
import gc
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as `kgan` does, whose images are compared with those made here

import keras
import numpy as np
import pytest

import kgan
from kgan.extractors import learned
from tests.command_line import call_kgan
from tests.helpers import stripes

# files that take half a minute and more
LONG = [
    "together",
    "resume",
    "recipes",
    "evaluating",
    "gan",
    "trajectories",
    "processes",
    "penalties",
    "scores",
    "backends",
    "cli",
]


def pytest_collection_modifyitems(items):
    """The longest files first, so that two processes end together."""

    def place(item):
        name = item.path.stem.removeprefix("test_")
        return LONG.index(name) if name in LONG else len(LONG)

    items.sort(key=place)


@pytest.fixture(autouse=True)
def fixed_seed():
    keras.utils.set_random_seed(7)


@pytest.fixture(scope="module", autouse=True)
def kept_graphs():
    """TensorFlow keeps each graph that was ever traced; the garbage collector looks through those of one file at most."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Classifiers that scores look through are trained once for all tests, in all processes that run them."""
    own = tmp_path_factory.getbasetemp()
    both = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    os.environ.setdefault("KGAN_CACHE", str(both / "cache"))


@pytest.fixture(autouse=True)
def no_downloads_of_before(tmp_path_factory, monkeypatch):
    """Data sets that this machine's user has downloaded with Keras, or put in their place, are not seen by any test."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path_factory.getbasetemp() / "keras"))


@pytest.fixture
def images():
    return stripes()


@pytest.fixture(scope="session")
def digits():
    """scikit-learn's digits, images and labels."""
    return kgan.data.digits()


@pytest.fixture
def eagerly(monkeypatch):
    """GANs of this test run without TensorFlow's graphs, which take seconds to trace and are not what is tested."""
    if keras.backend.backend() == "tensorflow":
        monkeypatch.setattr(kgan.GAN, "compile", functools.partialmethod(kgan.GAN.compile, run_eagerly=True))


@pytest.fixture
def quick_classifier(tmp_path, monkeypatch):
    """Classifiers that scores look through are trained in this process, in a few steps, and are not those of other tests.

    It returns a function that sets the number of steps.
    """

    def train(images, labels, path):
        source = tmp_path / "to-learn.npz"
        np.savez(source, images=images, labels=labels)
        path.parent.mkdir(parents=True, exist_ok=True)
        learned.learn(source, path)
        source.unlink()

    monkeypatch.setenv("KGAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(learned, "_train", train)
    in_steps = functools.partial(monkeypatch.setattr, learned, "STEPS")
    in_steps(20)
    return in_steps


@pytest.fixture
def float64(monkeypatch):
    """Double precision throughout; on JAX and PyTorch Keras rounds float64 to float32 between operations otherwise."""
    monkeypatch.setitem(keras.src.backend.common.dtypes.BIT64_TO_BIT32_DTYPE, "float64", "float64")
    if keras.backend.backend() == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    if keras.backend.backend() == "jax":
        jax.config.update("jax_enable_x64", False)


@pytest.fixture
def call(tmp_path, monkeypatch):
    """The command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return functools.partial(call_kgan, cwd=tmp_path)


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """The folder of Keras' data sets, empty, where there is no network."""

    def no_network(*_):
        raise OSError("no network here")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))  # read when Keras was imported
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", no_network)
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


@pytest.fixture(scope="session")
def real_data():
    """The folder of real MNIST, Fashion-MNIST and CIFAR-10, on machines that have one."""
    if "KGAN_TEST_DATA" not in os.environ:
        pytest.skip("KGAN_TEST_DATA names no folder of real data sets")
    return pathlib.Path(os.environ["KGAN_TEST_DATA"])
