"""Live, in a kernel that is played: what it shows, when `fit` chooses it, and that it changes nothing."""

import base64
import io
import logging
import re
import sys
import types

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.callbacks import Checkpoint, Doctor, ImageGrid, Live
from kgan.callbacks.live import Turn, in_notebook
from kgan.doctor import Finding
from tests.helpers import (
    compiled,
    largest_difference,
    patches,
    small_discriminator,
    small_gan,
    small_generator,
    state,
    translator,
)

PICTURE, CURVES = '<img alt="generated images"', '<img alt="curves of both losses"'


class Output:
    """One output of a notebook cell: what was shown in it, one after the other."""

    def __init__(self):
        self.pages, self.lines = [], []

    def update(self, bundle, raw):
        assert raw and bundle.keys() == {"text/html", "text/plain"}
        self.pages.append(bundle["text/html"])
        self.lines.append(bundle["text/plain"])


@pytest.fixture
def outputs(monkeypatch, eagerly):
    """The outputs of a notebook in which the test runs."""
    made = []

    def display(bundle, raw, display_id):
        assert display_id is True
        made.append(Output())
        made[-1].update(bundle, raw)
        return made[-1]

    class Shell:
        pass

    modules = {name: types.ModuleType(name) for name in ("IPython", "IPython.display", "ipykernel.zmqshell")}
    modules["IPython"].get_ipython, modules["IPython"].version_info = Shell, (9, 0)  # matplotlib asks for the version
    modules["IPython.display"].display = display
    modules["ipykernel.zmqshell"].ZMQInteractiveShell = Shell
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return made


@pytest.fixture
def always(monkeypatch):
    """It is always time to draw."""
    monkeypatch.setattr(Turn, "due", True)


def picture(page, name):
    """The picture with that description, as pixels or as SVG."""
    kind, content = re.search(rf'<img alt="{name}" src="data:image/([^;]*);base64,([^"]*)"', page).groups()
    content = base64.b64decode(content)
    return content.decode() if kind == "svg+xml" else np.asarray(Image.open(io.BytesIO(content)))


def test_fit_shows_it_in_a_notebook(images, outputs, always, capsys):
    compiled().fit(images, batch_size=10, epochs=3)
    (output,) = outputs
    assert output.lines[0] == "Epoch 1 of 3, step 0 of 4, the first step takes longer, since it is compiled"
    assert re.fullmatch(
        r"Epoch 3 of 3, step 4 of 4, [\d,]+ images per second, 0:\d\d:\d\d in all\. Discriminator loss \d+\.\d{3}, right on "
        r"\d+% of real and \d+% of generated images\. Generator loss \d+\.\d{3}\.",
        output.lines[-1],
    )
    assert any(
        re.match(r"Epoch 2 of 3, step 3 of 4, [\d,]+ images per second, \d:\d\d:\d\d left", line)
        for line in output.lines
    )
    assert '<progress value="1.0" max="1"' in output.pages[-1] and '<progress value="0.0"' in output.pages[0]
    curves = picture(output.pages[-1], "curves of both losses")
    assert ">discriminator<" in curves and ">generator<" in curves and ">step<" in curves
    assert picture(output.pages[-1], "generated images").shape[:2] == (4 * 34 + 2, 8 * 34 + 2)
    assert "generated after step 12" in output.pages[-1]
    assert "Epoch" not in capsys.readouterr().out  # nor Keras' progress bar


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_what_the_user_wants_to_see_counts(images, outputs, verbose, capsys):
    compiled().fit(images, batch_size=20, verbose=verbose)
    assert not outputs and bool(verbose) == ("d_loss" in capsys.readouterr().out)


def test_one_of_the_users_own(images, outputs, capsys):
    gan = compiled()
    callbacks = keras.callbacks.CallbackList(add_history=True, model=gan, epochs=1, steps=2)
    gan.fit(images, batch_size=20, callbacks=callbacks)  # what is in it has been chosen
    assert not outputs
    gan.fit(images, batch_size=20, callbacks=Live())
    assert len(outputs) == 1 and not capsys.readouterr().out
    gan.fit(images, batch_size=20, callbacks=[Live()], verbose=2)
    assert len(outputs) == 2 and "d_loss" in capsys.readouterr().out


def test_outside_of_a_notebook_nothing_changes(images, monkeypatch, capsys):
    for name in ("IPython", "IPython.display", "ipykernel.zmqshell"):
        monkeypatch.setitem(sys.modules, name, None)  # an import would fail
    assert not in_notebook()
    gan = compiled()
    gan.fit(images, batch_size=20)
    assert "d_loss" in capsys.readouterr().out
    gan.fit(images, batch_size=20, callbacks=[Live()])
    assert "d_loss" in capsys.readouterr().out


def test_a_shell_in_a_terminal_is_no_notebook(outputs, monkeypatch):
    assert in_notebook()
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: None)
    assert not in_notebook()


def test_the_weights_are_the_same_with_and_without_it(images, outputs, always):
    def trained(verbose):
        keras.utils.set_random_seed(3)
        gan = compiled(ema=0.9, run_eagerly=False)
        gan.fit(images, batch_size=10, epochs=2, verbose=verbose)
        return state(gan)

    assert largest_difference(trained("auto"), trained(0)) == 0.0
    assert len(outputs) == 1 and len(outputs[0].pages) > 6


def test_a_display_that_fails_does_not_end_the_training(images, outputs, always, monkeypatch, caplog):
    calls = []

    def update(*args, **kwargs):
        calls.append(1)
        raise OSError("<the browser is gone>")

    monkeypatch.setattr(Output, "update", update)
    gan = compiled()
    gan.fit(images, batch_size=10, epochs=2)
    assert int(gan.epochs) == 2 and len(calls) == 1
    assert "The live display has ended, since it cannot be drawn: OSError: <the browser is gone>" in caplog.text
    assert len(caplog.records) == 1 and caplog.records[0].levelno == logging.WARNING


def test_it_shows_the_newest_picture_of_an_image_grid(images, outputs, always, tmp_path):
    grid = ImageGrid(tmp_path / "<i>", every=2, rows=1, columns=3)
    compiled().fit(images, batch_size=20, epochs=3, callbacks=[grid])
    (output,) = outputs
    assert PICTURE not in output.pages[0]
    assert "&lt;i&gt;/epoch-0002.png" in output.pages[-1].replace("\\", "/")
    with Image.open(tmp_path / "<i>" / "epoch-0002.png") as written:
        np.testing.assert_array_equal(picture(output.pages[-1], "generated images"), written.convert("RGB"))


def test_it_shows_what_the_doctor_found(images, outputs, tmp_path):
    doctor = Doctor(None)
    found = Finding("collapse", "error", 3, 90, {}, "All are <i>the same</i>.", ("pack=2", "ema=0.9"), "a paper")
    doctor.history.findings.append(found)
    compiled().fit(images, batch_size=20, callbacks=[doctor])
    words = " ".join(re.sub("<[^>]*>", "", outputs[0].pages[-1]).split())
    assert "collapse (error, epoch 3, step 90). All are &lt;i&gt;the same&lt;/i&gt;. Try pack=2, ema=0.9." in words


def test_a_row_of_the_grid_for_each_class(images, outputs):
    def generator():
        return kgan.architectures.dense.generator((8, 8, 1), latent_dim=4, units=(8,), num_classes=3)

    def discriminator():
        return kgan.architectures.dense.discriminator((8, 8, 1), units=(8,), num_classes=3)

    gan = compiled(kgan.GAN(generator, discriminator, 4, num_classes=3))
    gan.fit(images, np.arange(40) % 3, batch_size=20)
    assert picture(outputs[0].pages[-1], "generated images").shape[:2] == (3 * 34 + 2, 8 * 34 + 2)


class Pairs(keras.utils.PyDataset):
    """Batches whose order an iteration changes."""

    read = 0

    def __len__(self):
        return 2

    def __getitem__(self, index):
        self.read += 1
        return np.zeros((8, 8, 8, 1), "float32"), np.zeros((8, 8, 8, 1), "float32")


def test_images_of_images(outputs, always):
    gan = compiled(kgan.GAN(translator(1, 1), patches(1, 1), condition="pairs"))
    given = np.zeros((8, 8, 8, 1), "float32")
    gan.fit(given, given, batch_size=8)
    assert picture(outputs[0].pages[-1], "generated images").shape[:2] == (4 * 34 + 2, 6 * 34 + 2)
    data, same = Pairs(), Pairs()
    gan.fit(data)
    gan.fit(same, verbose=0)
    assert data.read == same.read > 0
    assert PICTURE not in outputs[1].pages[-1] and CURVES in outputs[1].pages[-1]


@pytest.mark.parametrize("shape", [(8, 8, 5), (7,)])
def test_what_cannot_be_drawn_is_not_drawn(outputs, shape):
    gan = compiled(
        small_gan(generator=lambda: small_generator(shape), discriminator=lambda: small_discriminator(shape))
    )
    gan.fit(np.zeros((8, *shape), "float32"), batch_size=8, epochs=2)
    assert PICTURE not in outputs[0].pages[-1] and "Epoch 2 of 2" in outputs[0].lines[-1]


def test_a_page_is_small(images, outputs, tmp_path):
    """Also with the picture that can be compressed least, and many points in the curves."""
    noise = np.random.default_rng(0).integers(0, 256, (600, 900, 3), "uint8")
    Image.fromarray(noise).save(tmp_path / "noise.png")
    grid, live = ImageGrid(tmp_path), Live()
    grid.written = [tmp_path / "noise.png"]
    grid.act = lambda when: None
    compiled().fit(images, batch_size=20, callbacks=[grid, live], epochs=1)
    for step in range(5000):
        live._values = {"d_loss": 1.0, "g_loss": 1.0, "d_real_accuracy": 1.0, "d_fake_accuracy": 1.0}
        live._batch = step
        live._add_point({"d_loss": float(noise[0, step % 900, 0]), "g_loss": float(noise[1, step % 900, 0])})
    live._update(last=True)
    page = outputs[0].pages[-1]
    assert len(live.get_state()["rows"]) <= 1001 and len(page) < 500_000
    assert picture(page, "generated images").shape == (320, 480, 3)


def test_a_turn_takes_a_share_of_the_time(monkeypatch):
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    turn = Turn(seconds=1.0, share=0.1)
    assert turn.due
    for took, pause in ((5.0, 1.0), (0.01, 1.0), (2.0, 20.0)):  # the first time compiles, and does not count
        with turn.taken():
            now += took
        now += pause - 0.001
        assert not turn.due
        now += 0.002
        assert turn.due


def test_losses_within_a_long_epoch(images, outputs, always, monkeypatch):
    """Points are means of the steps since the point before."""
    monkeypatch.setattr("kgan.callbacks.live.STEPS", 3)
    live, gan = Live(), compiled()
    totals = []
    read = gan.logs.totals
    gan.logs.totals = lambda: totals.append(read()) or totals[-1]
    gan.fit(images, batch_size=5, callbacks=[live])
    rows = live.get_state()["rows"]
    assert [row["step"] for row in rows] == [3, 6]
    (first, images_then), (second, images_now) = totals[2]["d_loss"], totals[5]["d_loss"]
    assert (images_then, images_now) == (15, 30)
    assert [row["d_loss"] for row in rows] == pytest.approx([first / 15, (second - first) / 15])


def test_a_resumed_training_goes_on_with_its_curves(images, outputs, tmp_path):
    def trained(epochs):
        live = Live()
        callbacks = [Checkpoint(tmp_path, resume=True), live]
        compiled().fit(images, batch_size=10, epochs=epochs, callbacks=callbacks)
        return live.get_state()["rows"]

    first, both = trained(2), trained(4)
    assert [row["step"] for row in both] == [4, 8, 12, 16] and both[:2] == first
    assert outputs[1].lines[-1].startswith("Epoch 4 of 4, step 4 of 4")


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_data_of_unknown_length(images, outputs, always):
    def batches():
        for _ in range(6):
            yield images[:10]

    gan = compiled()
    gan.fit(batches(), shuffle=False)
    assert any(line.startswith("Epoch 1 of 1, step 3,") for line in outputs[0].lines)
    assert "<progress" not in outputs[0].pages[1] and "left" not in outputs[0].lines[3]
