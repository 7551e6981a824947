"""Exports: every family in every format, run by that format's own runtime; what differs is refused and leaves nothing."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest

import kgan
from kgan.exports import FORMATS, ExportError, formats
from tests.command_line import ROOT, call_kgan, start_kgan
from tests.exported import GANS, made
from tests.helpers import cases, wrong

OFTEN = [("dcgan with classes", "onnx"), ("unet fills holes", "onnx"), ("resnet", "litert"), ("dense", "npz")]


def needs(form):
    away = [module for module in FORMATS[form].needs if importlib.util.find_spec(module) is None]
    return pytest.mark.skipif(bool(away), reason=f"needs {' and '.join(away)}")


def families():
    for name in GANS:
        for form in FORMATS:
            slow = [] if (name, form) in OFTEN else [pytest.mark.slow]
            yield pytest.param(name, form, marks=[*slow, needs(form)], id=f"{name}, {form}")


@pytest.mark.parametrize("name, form", list(families()))
def test_every_family_in_every_format(name, form, tmp_path):
    gan, domain = made(name), "b" if name == "two domains" else None
    record = kgan.export(gan, tmp_path / "made", to=form, domain=domain)
    assert record == json.loads((tmp_path / "made" / "export.json").read_text())
    assert set(os.listdir(tmp_path)) == {"made"}
    compared = record["compared"]
    if FORMATS[form].weights_alone:
        generator = gan.condition.one_way(gan.generator, domain)[0] if domain else gan.generator
        assert compared["arrays"] == len(generator.variables)
    else:
        assert 0 <= compared["largest_difference"] <= 1e-4 and compared["equal_pixels"] >= 0.999
    assert subprocess.run([sys.executable, "infer.py"], cwd=tmp_path / "made", env=alone(tmp_path)).returncode == 0


def alone(folder):
    """The environment of a process in which neither Keras nor kgan can be imported."""
    folder = folder / "alone"
    folder.mkdir()
    (folder / "keras.py").write_text("raise ImportError('no Keras here')")
    (folder / "kgan.py").write_text("raise ImportError('no kgan here')")
    return {**os.environ, "PYTHONPATH": str(folder)}


@needs("onnx")
@pytest.mark.parametrize("name", cases(["dcgan with classes", "unet fills holes"], ["srresnet"]))
def test_pixels(name, tmp_path):
    """With uint8, images go in and come out as pixels, of any size and number, as `generate` and `translate` make them."""
    import onnxruntime

    gan = made(name)
    record = kgan.export(gan, tmp_path / "made", uint8=True)
    session = onnxruntime.InferenceSession(tmp_path / "made" / "generator.onnx")
    random = np.random.default_rng(1)
    if name == "dcgan with classes":
        latents, labels = random.standard_normal((5, 8)).astype("float32"), np.array([2, 0, 1, 1, 2], "int32")
        [images] = session.run(["images"], {"latents": latents, "labels": labels})
        expected = gan.predict([latents, labels], verbose=0)
    else:
        side = 8 if name == "srresnet" else 32
        given = random.integers(0, 256, (2, side, side, 3 if name == "srresnet" else 4)).astype("uint8")
        [images] = session.run(["images"], {"given": given})
        expected = gan.translate(given)
        assert record["multiple"] is not None
        larger = np.concatenate([given, given], 2)
        assert session.run(["images"], {"given": larger})[0].shape[2] == 2 * images.shape[2]
    assert images.dtype == np.uint8
    assert np.abs(images - np.rint((expected + 1) * 127.5)).max() <= 1
    assert np.mean(images == np.rint((expected + 1) * 127.5)) > 0.999


@needs("onnx")
def test_averaged_generator(tmp_path):
    import onnxruntime

    gan = made("dense")
    gan.compile(keras.optimizers.SGD(0.5), keras.optimizers.SGD(0.5), ema=0.5)
    gan.fit(np.zeros((64, 16, 16, 1), "uint8"), batch_size=32, epochs=3, verbose=0)
    kgan.export(gan, tmp_path / "made")
    session = onnxruntime.InferenceSession(tmp_path / "made" / "generator.onnx")
    latents = np.random.default_rng(1).standard_normal((3, 8)).astype("float32")
    [images] = session.run(None, {"latents": latents})
    np.testing.assert_allclose(images, gan.ema_generator.predict(latents, verbose=0), atol=1e-5)
    assert np.abs(images - gan.generator.predict(latents, verbose=0)).max() > 1e-3


SPOILT = """
import numpy as np
from kgan.exports import convert

def spoilt(sampler, path, batch, write=convert.CONVERTERS["onnx"]):
    first = next(one for one in sampler.generator.variables if one.path.endswith("kernel"))
    first.assign(np.asarray(first.value) * 1.01)
    write(sampler, path, batch)

convert.CONVERTERS["onnx"] = spoilt
"""
BROKEN = """
from kgan.exports import convert

def broken(sampler, path, batch):
    raise RuntimeError("no such operator")

convert.CONVERTERS["onnx"] = broken
"""


@needs("onnx")
@pytest.mark.parametrize(
    "plugin, said",
    [(SPOILT, "makes other images than the generator: the largest difference is"), (BROKEN, "no such operator")],
    ids=["spoilt", "broken"],
)
def test_what_differs_is_refused(plugin, said, tmp_path):
    (tmp_path / "plugin.py").write_text(plugin)
    with pytest.raises(ExportError, match=said):
        kgan.export(made("dense"), tmp_path / "made", plugins=[tmp_path / "plugin.py"])
    assert os.listdir(tmp_path) == ["plugin.py"]


@needs("onnx")
@pytest.mark.parametrize("engine", ["jax", pytest.param("torch", marks=pytest.mark.slow)])
def test_run_of_another_engine(engine, run, tmp_path):
    """It is the same file: the run does not depend on the engine, and neither does what writes it."""
    pytest.importorskip(engine)
    environment = {**os.environ, "KERAS_BACKEND": engine, "PYTHONPATH": str(ROOT)}
    command = "from kgan.cli import main; main()"
    for name, own in ((engine, environment), ("here", {**environment, "KERAS_BACKEND": keras.backend.backend()})):
        done = subprocess.run(
            [sys.executable, "-c", command, "export", str(run), "--to", "onnx", "-o", str(tmp_path / name)],
            env=own, capture_output=True, text=True,
        )  # fmt: skip
        assert not done.returncode, done.stderr
    import onnxruntime

    latents = np.random.default_rng(1).standard_normal((9, 32)).astype("float32")
    images = [
        onnxruntime.InferenceSession(tmp_path / name / "generator.onnx").run(None, {"latents": latents})[0]
        for name in (engine, "here")
    ]
    assert np.array_equal(*images)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run") / "run"
    call_kgan("train", "digits", "--set", "steps=1", "--set", "callbacks=[]", "--out", directory, cwd=directory.parent)
    return directory


def test_command_line(run):
    said = call_kgan("export", run, "--to", "npz", cwd=run.parent)
    assert f"{run / 'exports' / 'npz'}: " in said and "equal to the generator's" in said
    assert f"{run / 'exports' / 'npz'}: " in call_kgan("export", run, "--to", "npz", cwd=run.parent)  # replaces it
    said = call_kgan("export", run / "generator.keras", "--to", "npz", "-o", "weights", cwd=run.parent)
    assert "weights: " in said
    with np.load(run.parent / "weights" / "generator.npz") as file:
        weights = dict(file)
    generator = kgan.load(run / "generator.keras")
    assert all(np.array_equal(weights[one.path], one.numpy()) for one in generator.variables)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("--to", "onyx"), "Unknown format 'onyx'. Did you mean 'onnx'?"),
        (("--to", "npz", "--uint8"), "`uint8` is for formats that make images"),
        (("--to", "npz", "--domain", "b"), "`to` is for a GAN of two domains"),
        (("--to", "npz", "-o", "."), "is not empty, and there is no export.json in it"),
        (("--to", "npz", "-o", "file"), "file is a file, and must be a folder."),
    ],
    ids=["format", "uint8", "domain", "folder", "file"],
)
def test_wrong_command_lines(arguments, said, run):
    (run.parent / "file").write_text("")
    assert said in call_kgan("export", run, *arguments, cwd=run.parent, code=2)


def test_no_run(tmp_path):
    said = call_kgan("export", "x", "--to", "npz", cwd=tmp_path, code=2)
    assert "is not a run directory with a generator.keras" in said
    assert not os.listdir(tmp_path)


def test_missing_package(monkeypatch, tmp_path):
    there = importlib.util.find_spec
    monkeypatch.setattr(formats.importlib.util, "find_spec", lambda name: None if name == "tf2onnx" else there(name))
    said = wrong(lambda: kgan.export(made("dense"), tmp_path / "made", to="onnx"))
    assert "The format onnx needs tf2onnx" in said and "pip install 'kgan[onnx]'" in said


@pytest.mark.longer
def test_an_own_layer_needs_its_file(tmp_path):
    """A generator with a layer of one's own is exported if its file is named; otherwise a sentence says what is missing."""
    (tmp_path / "own.py").write_text(OWN)
    module = importlib.util.spec_from_file_location("own", tmp_path / "own.py")
    own = importlib.util.module_from_spec(module)
    module.loader.exec_module(own)
    inputs = keras.Input((8,))
    x = own.Doubled()(keras.layers.Dense(256, activation="tanh")(inputs))
    generator = keras.Model(inputs, keras.layers.Reshape((16, 16, 1))(x))
    gan = kgan.GAN(generator, kgan.architectures.dense.discriminator((16, 16, 1)), latent_dim=8)
    with pytest.raises(ExportError, match="Could not locate class 'Doubled'"):
        kgan.export(gan, tmp_path / "made", to="saved_model")
    kgan.export(gan, tmp_path / "made", to="saved_model", plugins=[tmp_path / "own.py"])
    assert (tmp_path / "made" / "saved_model" / "saved_model.pb").exists()


OWN = """
import keras

@keras.saving.register_keras_serializable("own")
class Doubled(keras.layers.Layer):
    def call(self, x):
        return 2.0 * x
"""


@needs("onnx")
def test_nothing_is_imported_from_the_folder_it_is_called_in(run, tmp_path):
    """Which may be that of a stranger's preset."""
    (tmp_path / "json.py").write_text("raise SystemExit('run')")
    (tmp_path / "numpy.py").write_text("raise SystemExit('run')")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-P",
        "-c",
        "from kgan.cli import main; main()",
        "export",
        str(run),
        "--to",
        "npz",
        "-o",
        "x",
    ]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    assert (tmp_path / "x" / "generator.npz").exists()


def test_other_files_of_its_folder_stay(run, tmp_path):
    call_kgan("export", run, "--to", "npz", "-o", "x", cwd=tmp_path)
    (tmp_path / "x" / "notes.txt").write_text("mine")
    call_kgan("export", run, "--to", "npz", "-o", "x", cwd=tmp_path)
    assert (tmp_path / "x" / "notes.txt").read_text() == "mine"


def test_two_variables_of_one_path(tmp_path):
    def part(side):
        inputs = keras.Input((side,))
        return keras.Model(inputs, keras.layers.Dense(256, activation="tanh", name="same")(inputs))

    inputs = keras.Input((8,))
    generator = keras.Model(inputs, keras.layers.Reshape((16, 16, 1))(part(256)(part(8)(inputs))))
    gan = kgan.GAN(generator, kgan.architectures.dense.discriminator((16, 16, 1)), latent_dim=8)
    assert "Two variables of the generator have one path" in wrong(lambda: kgan.export(gan, tmp_path / "x", to="npz"))
    assert not os.listdir(tmp_path)


NOT_A_NUMBER = """
from kgan.exports import convert

def spoilt(sampler, path, batch, write=convert.CONVERTERS["saved_model"]):
    for one in sampler.generator.variables:
        if one.path.endswith("bias"):
            one.assign(one + float("nan"))
    write(sampler, path, batch)

convert.CONVERTERS["saved_model"] = spoilt
"""


@pytest.mark.longer
def test_what_is_not_a_number_is_refused(tmp_path):
    """Of points too, which have no pixels that would differ."""
    (tmp_path / "plugin.py").write_text(NOT_A_NUMBER)
    dense = kgan.architectures.dense
    gan = kgan.GAN(dense.generator((2,), latent_dim=8, units=(4,)), dense.discriminator((2,), units=(4,)), latent_dim=8)
    with pytest.raises(ExportError, match="the largest difference is nan"):
        kgan.export(gan, tmp_path / "made", to="saved_model", plugins=[tmp_path / "plugin.py"])


@pytest.mark.longer
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_export_that_is_interrupted_leaves_nothing(run, tmp_path):
    process = start_kgan("export", run, "--to", "saved_model", "-o", "x", cwd=tmp_path)
    while not list(tmp_path.glob(".x.*")):
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 143 and "Traceback" not in said
    assert not os.listdir(tmp_path)


@needs("onnx")
def test_mixed_precision(tmp_path):
    """The generator computes in half precision, its export in single: both are compared in single."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        gan = made("dcgan with classes")
    finally:
        keras.config.set_dtype_policy("float32")
    policies = {layer.compute_dtype for layer in gan.generator.layers}
    assert "float16" in policies
    record = kgan.export(gan, tmp_path / "made")
    assert record["compared"]["largest_difference"] <= 1e-4
    assert {layer.compute_dtype for layer in gan.generator.layers} == policies
