"""The report while a run trains, when it is killed, and pictures in a terminal."""

import io
import json
import os
import signal
import time

import keras
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import kgan
from kgan import pictures
from kgan.callbacks import ImageGrid
from kgan.runner import preview
from kgan.runner.reporting import Reporting, real_picture
from tests.command_line import call_kgan, run_kgan, start_kgan
from tests.helpers import compiled, small_gan

SHORT = ["--set", "generator.units=[8]", "--set", "discriminator.units=[8]", "--no-doctor",
         "--set", "callbacks=[{name: image_grid, every: 1, rows: 2, columns: 3}]"]  # fmt: skip


@pytest.mark.longer
def test_it_is_written_while_a_run_trains_and_final_at_its_end(tmp_path):
    process = start_kgan("train", "digits", *SHORT, "--set", "epochs=100000", "--out", "run", cwd=tmp_path)
    report = tmp_path / "run" / "report.html"
    try:
        deadline = time.monotonic() + 300
        while not (report.exists() and "http-equiv" in report.read_text("utf-8")):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.2)
        while not (tmp_path / "run" / "samples" / "epoch-0003.png").exists():
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.2)
        os.kill(process.pid, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    assert "Running" in report.read_text("utf-8")
    call_kgan("report", "run", cwd=tmp_path)
    text = report.read_text("utf-8")
    assert "http-equiv" not in text and "Stopped before its end" in text
    assert "epoch-0003" in text and "real images" in text
    call_kgan("train", "digits", *SHORT, "--set", "epochs=1", "--out", "other", cwd=tmp_path)
    text = (tmp_path / "other" / "report.html").read_text("utf-8")
    assert "Done, epoch 1" in text and "http-equiv" not in text


def test_it_takes_a_small_part_of_the_time(tmp_path, monkeypatch):
    """The next one waits until the last one's time is less than one percent."""
    times = iter(
        [0.0, 2.0, 12.0, 201.0, 253.0, 253.0, 255.0]
    )  # written from 0 to 2; not due, not due, due; from 253 to 255
    monkeypatch.setattr("kgan.runner.reporting.time.monotonic", lambda: next(times))
    reporting = Reporting(tmp_path, {}, None)
    reporting.write("running")
    written = (tmp_path / "report.html").stat().st_mtime_ns
    for _ in range(2):
        reporting.on_train_batch_end(0)
        assert (tmp_path / "report.html").stat().st_mtime_ns == written
    reporting.on_train_batch_end(0)
    assert (tmp_path / "report.html").stat().st_mtime_ns > written


def test_what_fails_in_it_ends_no_training(tmp_path, caplog):
    (tmp_path / "environment.json").write_text("{")
    Reporting(tmp_path, {}, None).write("running")
    assert "The report of this run cannot be written: JSONDecodeError" in caplog.text


def test_real_images_in_the_arrangement_of_the_grid():
    images = np.arange(6, dtype="uint8").reshape(6, 1, 1, 1).repeat(64, 0)[:6] * 40
    images = np.broadcast_to(images.reshape(6, 1, 1, 1), (6, 8, 8, 1))
    gan = compiled(small_gan())
    shape = gan.image_shape
    images = np.broadcast_to(images[:, :1, :1], (6, *shape)).copy()
    drawn = real_picture(images, gan, 2, 3)
    expected = pictures.grid(pictures.floats(images), 3)
    np.testing.assert_allclose(drawn.astype(int), expected.astype(int), atol=1)


def test_real_images_of_classes_stand_in_rows():
    dense = kgan.architectures.dense
    gan = kgan.GAN(
        dense.generator((8, 8, 1), 4, units=(8,), num_classes=2),
        dense.discriminator((8, 8, 1), units=(8,), num_classes=2),
        latent_dim=4,
        num_classes=2,
    )
    gan.compile("adam", "adam")
    labels = np.array([1, 1, 0, 1])
    images = np.broadcast_to(np.array([200, 220, 10, 240], "uint8").reshape(4, 1, 1, 1), (4, 8, 8, 1)).copy()
    drawn = real_picture((images, labels), gan, 2, 2)
    of_cells = pictures.grid(pictures.floats(images[[2, 2, 0, 1]]), 2)  # the only one of class 0 stands there twice
    np.testing.assert_allclose(drawn.astype(int), of_cells.astype(int), atol=1)


def test_two_pixels_in_a_character(tmp_path):
    pixels = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [9, 9, 9]], [[1, 2, 3], [4, 5, 6]]], "uint8")
    Image.fromarray(pixels).save(tmp_path / "x.png")
    cells = [one for one in preview.drawn(tmp_path / "x.png", 80, 40).segments if one.style]
    colours = [(one.style.color.triplet, one.style.bgcolor.triplet) for one in cells]
    assert [tuple(map(tuple, pair)) for pair in colours] == [
        ((255, 0, 0), (0, 0, 255)),
        ((0, 255, 0), (9, 9, 9)),
        ((1, 2, 3), (0, 0, 0)),
        ((4, 5, 6), (0, 0, 0)),
    ]


def test_a_picture_that_is_larger_than_the_terminal(tmp_path):
    pictures.save(np.zeros((300, 200), "uint8"), tmp_path / "x.png")
    segments = preview.drawn(tmp_path / "x.png", 50, 30).segments
    lines = sum(one.text == "\n" for one in segments)
    assert lines == 30 and len(segments) - lines == 30 * 40


def test_a_preview_shows_each_new_grid_once(tmp_path):
    console = Console(
        force_terminal=True, color_system="truecolor", width=60, height=40, file=io.StringIO(), record=True
    )
    grid = ImageGrid(tmp_path, every=1, rows=1, columns=2, gif=False)
    gan = compiled(small_gan())
    images = np.zeros((20, *gan.image_shape), "float32")
    gan.fit(images, batch_size=10, epochs=2, verbose=0, callbacks=[grid, preview.Preview(grid, console)])
    said = console.export_text()
    assert said.count("epoch-0001.png") == said.count("epoch-0002.png") == 1 and "▀▀" in said


def test_in_a_terminal_only(tmp_path):
    said = call_kgan("train", "digits", "--preview", cwd=tmp_path, code=2)
    assert "--preview  draws in a terminal, and the output is not one" in said
    assert "-o -  draws in a terminal" in call_kgan("sample", "run", "-o", "-", cwd=tmp_path, code=2)
    assert not list(tmp_path.iterdir())


@pytest.mark.longer
def test_a_grid_in_the_terminal(tmp_path, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    said = run_kgan("sample", "digits", "-n", 4, "-o", "-", cwd=tmp_path)
    assert said.count("▀") > 100 and not (tmp_path / "-").exists()


@pytest.mark.parametrize("data", ["gaussians-ring"])
def test_points_have_real_ones_too(tmp_path, data):
    call_kgan("train", data, "--set", "steps=2", "--set", "callbacks=[]", "--out", "run", cwd=tmp_path)
    with Image.open(tmp_path / "run" / "real.png") as drawn:
        assert drawn.size == (480, 480)


def test_env(tmp_path):
    """What a report of a bug needs, as text and as JSON."""
    said = call_kgan("env", cwd=tmp_path)
    assert f"kgan {kgan.__version__}, Keras {keras.__version__} on {keras.backend.backend()}" in said
    for word in ("devices: ", "Python 3.", "memory that a run may use: ", "free: "):
        assert word in said
    found = json.loads(call_kgan("env", "--json", cwd=tmp_path))
    assert found["engine"] == keras.backend.backend() and found["memory"] > 2**20 and found["free"]
