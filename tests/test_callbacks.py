"""kgan's callbacks by the files they write."""

import inspect
import json
import warnings

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan import pictures
from kgan.callbacks import CALLBACKS, Checkpoint, ImageGrid, LogFile, LossPlot
from kgan.callbacks.of_keras import OF_KERAS
from tests.brought import brings
from tests.helpers import compiled, largest_difference, reusable, small_discriminator, small_gan, small_generator, state

fresh = reusable(compiled)


def fit(images, callbacks, epochs=4, gan=None, **kwargs):
    gan = gan or fresh()
    gan.fit(images, batch_size=10, epochs=epochs, verbose=0, callbacks=callbacks, **kwargs)
    return gan


def pixels_of(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_image_grid(images, tmp_path):
    gan = fit(images, [ImageGrid(tmp_path / "samples", every=2, rows=2, columns=3)])
    assert names(tmp_path / "samples") == ["epoch-0002.png", "epoch-0004.png", "training.gif"]
    first, last = (pixels_of(tmp_path / "samples" / name) for name in ("epoch-0002.png", "epoch-0004.png"))
    np.testing.assert_array_equal(last, pictures.grid(gan.generate(6, seed=0), columns=3))
    assert last.shape == (2 * 34 + 2, 3 * 34 + 2)
    assert np.any(first != last)
    with Image.open(tmp_path / "samples" / "training.gif") as film:
        assert film.n_frames == 2
        film.seek(1)
        np.testing.assert_array_equal(np.asarray(film.convert("L")), last)


def test_image_grid_every_few_steps(images, tmp_path):
    fit(images, [ImageGrid(tmp_path, every="3 steps", rows=1, columns=1, gif=False)], epochs=2)
    assert names(tmp_path) == ["step-000003.png", "step-000006.png"]


def test_every_few_steps_with_steps_per_execution(images, tmp_path):
    if keras.backend.backend() == "torch":
        pytest.skip("one step at a time there")
    gan = compiled(steps_per_execution=4)
    fit(images, [ImageGrid(tmp_path, every="3 steps", rows=1, columns=1, gif=False)], epochs=3, gan=gan)
    assert names(tmp_path) == [
        "step-000004.png",
        "step-000008.png",
        "step-000012.png",
    ]  # where 3, 6 and 9, 12 were passed


def test_grid_by_hand():
    images = np.stack([np.full((2, 2, 1), value) for value in (-1.0, 0.0, 1.0)])
    pixels = pictures.grid(images, columns=2, smallest=1)
    expected = np.zeros((10, 10), "uint8")
    expected[2:4, 6:8], expected[6:8, 2:4] = 128, 255
    np.testing.assert_array_equal(pixels, expected)
    assert pictures.grid(np.zeros((4, 16, 16, 3))).shape == (70, 70, 3)
    with pytest.raises(ValueError, match="1, 3 or 4 channels can be drawn. Received: examples of shape \\(2,\\)"):
        pictures.grid(np.zeros((4, 2)))


def of_shape(shape):
    """A small GAN for examples of any shape."""
    return small_gan(generator=lambda: small_generator(shape), discriminator=lambda: small_discriminator(shape))


@brings("arrays", "images with opacity, `(n, height, width, 4)`", "they train, and are drawn on white")
def test_transparent_images_are_drawn_on_white(tmp_path):
    rgba = np.zeros((3, 1, 1, 4))
    rgba[:, 0, 0] = [[-1, -1, -1, -1], [1, -1, 0, 1], [1, -1, 0, 0]]  # transparent, opaque, half
    drawn = pictures.grid(rgba, columns=3, smallest=1)
    np.testing.assert_array_equal(drawn[2, [2, 5, 8]], [[255, 255, 255], [255, 0, 128], [255, 127, 191]])
    images = np.random.default_rng(0).uniform(-1, 1, (20, 8, 8, 4)).astype("float32")
    gan = fit(images, [ImageGrid(tmp_path, rows=2, columns=2)], epochs=1, gan=compiled(of_shape((8, 8, 4))))
    np.testing.assert_array_equal(pixels_of(tmp_path / "epoch-0001.png"), pictures.grid(gan.generate(4, seed=0), 2))
    assert pixels_of(tmp_path / "epoch-0001.png").shape == (70, 70, 3) and (tmp_path / "training.gif").exists()


@brings(
    "arrays",
    "bands, series, tables: `(n, h, w, 5)`, `(n, t, c)`, `(n, 7)`",
    "they train; ImageGrid refuses them in `fit`",
)
@pytest.mark.parametrize("shape", [(8, 8, 5), (8, 8, 2), (3, 8, 8), (8, 8), (20, 3), (7,), (1,), (4, 4, 4, 1)])
def test_what_cannot_be_drawn_is_refused_before_the_training(tmp_path, shape):
    gan, examples = compiled(of_shape(shape), run_eagerly=True), np.zeros((8, *shape), "float32")
    score = kgan.callbacks.Score(
        samples=20, extractor="none", path=tmp_path / "s.jsonl"
    )  # would fail if it came to that
    said = f"Only images .* with 1, 3 or 4 channels and points of 2 numbers can be drawn. Received: .*shape {shape}"
    with pytest.raises(ValueError, match=said.replace("(", "\\(").replace(")", "\\)")):
        gan.fit(examples, verbose=0, callbacks=[score, ImageGrid(tmp_path / "samples")])
    assert int(gan.d_opt.iterations) == 0 and not list(tmp_path.iterdir())
    if shape in ((7,), (20, 3)):
        gan.fit(examples, batch_size=8, verbose=0)


def test_a_grid_of_parts(monkeypatch):
    images = np.random.default_rng(0).uniform(-1, 1, (7, 9, 8, 3))
    parts = images[:3], images[3:6], images[6:]
    np.testing.assert_array_equal(pictures.grid_of(parts, 7, (9, 8, 3), 3), pictures.grid(images, 3))
    assert pictures.grid(images, 3).shape == (3 * 38 + 2, 3 * 34 + 2, 3)  # enlarged four times
    monkeypatch.setattr(pictures, "MOST_PIXELS", 3 * 18 * 3 * 16)
    assert pictures.grid(images, 3).shape == (3 * 20 + 2, 3 * 18 + 2, 3)  # twice
    assert pictures.grid_of(parts, 7, (9, 8, 3), 3, most=300).shape == (3 * 8 + 2, 3 * 7 + 2, 3)
    with pytest.raises(ValueError, match="A picture needs at least one image"):
        pictures.grid(images[:0])


@pytest.mark.parametrize("shape", [(2,), (1, 1, 1), (1, 1, 3), (3, 40, 4)])
def test_what_can_be_drawn_is_drawn(shape):
    pictures.check_drawable(shape)
    assert pictures.picture(np.zeros((5, *shape)), 2).dtype == np.uint8


@pytest.mark.parametrize(
    "shape, columns, drawn",
    [((4, 100, 100, 3), 2, (100, 100)), ((3, 1, 60_000, 1), 3, (1, 16_383)), ((300, 100, 100, 1), 300, (54, 16_200))],
)
def test_a_grid_of_huge_images_is_made_smaller(monkeypatch, shape, columns, drawn):
    """So that Pillow opens it again, for the animation."""
    if shape[0] == 4:
        monkeypatch.setattr(pictures, "MOST_PIXELS", 10_000)
    images = np.full(shape, 1.0, "float16")
    picture = pictures.grid(images, columns)
    rows = -(-shape[0] // columns)
    assert (picture.shape[0] - 2 - 2 * rows, picture.shape[1] - 2 - 2 * columns) == drawn
    assert picture[2, 2].max() == 255 and picture[0, 0].max() == 0


def test_checkpoint_keeps_the_last_and_they_load(images, tmp_path):
    gan = fit(images, [Checkpoint(tmp_path, every=1, keep=2)])
    assert names(tmp_path) == ["epoch-0003", "epoch-0004"]
    again = kgan.load(tmp_path / "epoch-0004")
    assert largest_difference(state(gan), state(again)) == 0.0


def test_checkpoint_in_the_middle_of_an_epoch(images, tmp_path):
    fit(images, [Checkpoint(tmp_path, every="3 steps", keep=None)], epochs=2)
    assert names(tmp_path) == ["epoch-0002", "step-000003", "step-000006"]  # and the end
    again = kgan.load(tmp_path / "step-000003")
    assert int(again.d_opt.iterations) == 3 and int(again.epochs) == 0


class Scores(keras.callbacks.Callback):
    """Puts a log of its own there, before the checkpoint looks."""

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = [3.0, 1.0, 2.0, 2.5, 1.5][epoch]


@pytest.mark.parametrize("mode, best", [("min", "epoch-0002"), ("max", "epoch-0001")])
def test_checkpoint_keeps_the_best_and_every_nth(images, tmp_path, mode, best):
    saver = Checkpoint(tmp_path, every=1, keep=1, keep_every=3, monitor="score", mode=mode)
    fit(images, [saver, Scores()], epochs=5)
    assert names(tmp_path) == sorted({best, "epoch-0003", "epoch-0005"})
    with pytest.raises(ValueError, match="`monitor` of Checkpoint must be a log. Did you mean 'd_loss'"):
        fit(images, [Checkpoint(tmp_path / "other", monitor="d_los")])


def test_another_trainings_checkpoints_are_not_mixed_with(images, tmp_path):
    gan, saver = compiled(), Checkpoint(tmp_path, keep=None)
    for _ in range(2):  # the same training, in two parts
        fit(images, [saver], epochs=2, gan=gan)
    assert names(tmp_path) == ["epoch-0001", "epoch-0002"]
    assert largest_difference(state(gan), state(kgan.load(tmp_path / "epoch-0002"))) == 0.0
    with pytest.raises(ValueError, match="holds another training's checkpoints already: .* resume=True"):
        fit(images, [Checkpoint(tmp_path)])


def test_checkpoint_in_keras_own_list(images, tmp_path):
    gan = compiled()
    callbacks = keras.callbacks.CallbackList([Checkpoint(tmp_path)], model=gan, epochs=1, steps=4)
    fit(images, callbacks, epochs=1, gan=gan)
    assert names(tmp_path) == ["epoch-0001"]


def test_checkpoint_of_what_cannot_be_named(images, tmp_path, caplog):
    """Arrays are saved all the same, and the training can go on; only `load` needs the classes."""

    def fitted(epochs):
        gan = compiled(small_gan(latents=lambda shape, seed: keras.random.normal(shape, seed=seed)))
        fit(images, [Checkpoint(tmp_path, resume=True)], epochs=epochs, gan=gan)
        return gan

    assert int(fitted(1).epochs) == 1 and int(fitted(3).epochs) == 3
    assert "Resuming from" in caplog.text
    with pytest.raises(ValueError, match="contains functions or classes that are not registered"):
        kgan.load(tmp_path / "epoch-0003")


def test_loss_plot(images, tmp_path):
    plot = LossPlot(tmp_path / "losses.png", every=3)
    gan = fresh()
    history = gan.fit(images, batch_size=10, epochs=4, verbose=0, callbacks=[plot]).history
    assert plot.epochs == [1, 2, 3, 4]
    np.testing.assert_allclose(plot.curves["d_loss"], history["d_loss"])
    pixels = pixels_of(tmp_path / "losses.png")[..., :3].reshape(-1, 3)
    colours = {tuple(pixel) for pixel in pixels}
    assert pixels.shape[0] == 800 * 600
    assert {(31, 119, 180), (255, 127, 14), (128, 128, 128)} <= colours  # both curves, and the grey line at 50 %


def test_log_file(images, tmp_path):
    gan = fresh()
    history = gan.fit(images, batch_size=10, epochs=3, verbose=0, callbacks=[LogFile(tmp_path / "log.jsonl")]).history
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    for name, values in history.items():
        np.testing.assert_allclose([row[name] for row in rows], values)
    assert rows[0]["seconds"] <= rows[2]["seconds"]


@pytest.mark.parametrize("name", sorted(CALLBACKS.keys() - OF_KERAS.keys()))
def test_contract(images, tmp_path, name):
    """Each writes at its place in a run directory, makes the folders it needs, and leaves no temporary file."""
    kind = CALLBACKS[name]
    [place] = {"directory", "path"} & inspect.signature(kind).parameters.keys()
    few = {"samples": 20, "extractor": "raw"} if name == "score" else {}
    fit(images, [kind(**{place: tmp_path / "run" / kind.place}, **few)], epochs=2)
    assert (tmp_path / "run" / CALLBACKS[name].place).exists()
    assert not [path for path in tmp_path.rglob(".*")]


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "3", "3 batches", "0 epochs", "epoch"])
def test_wrong_intervals(every):
    with pytest.raises(ValueError, match="`every` of Checkpoint must be a number of epochs, or a string such as"):
        Checkpoint("x", every=every)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="`keep` of Checkpoint must be a positive integer.* Received: 0"):
        Checkpoint("x", keep=0)
    for arguments, message in (
        ({"keep_every": True}, "`keep_every` of Checkpoint must be a positive integer"),
        ({"mode": "best"}, "`mode` of Checkpoint must be 'min' or 'max'. Received: 'best'"),
        ({"nonfinite": "stopp"}, "Unknown policy for `nonfinite` 'stopp'. Did you mean 'stop'"),
        ({"rollbacks": -1}, "`rollbacks` of Checkpoint must be an integer >= 0"),
        ({"slower": 1.0}, "`slower` of Checkpoint must lie between 0 and 1. Received: 1.0"),
    ):
        with pytest.raises(ValueError, match=message):
            Checkpoint("x", **arguments)
    with pytest.raises(ValueError, match="`every` of LossPlot must count epochs.* Received: '5 steps'"):
        LossPlot("x.png", every="5 steps")


class Bystander(keras.callbacks.Callback):
    """A user's callback with attributes that have the names of kgan's own."""

    scorer, better, names, path, callbacks = "mine", "mine", "mine", "mine", "mine"

    def set_data(self):
        raise AssertionError("called")

    take_data = measured_now = finish = get_state = set_state = set_data


def test_a_callback_of_a_user_may_have_any_attributes(images, tmp_path):
    checkpoint = kgan.callbacks.Checkpoint(tmp_path / "c", monitor="g_loss", resume=True)
    score = kgan.callbacks.Score("frechet_distance", every=1, samples=20, path=tmp_path / "s.jsonl", extractor="raw")
    bystander = Bystander()
    fresh().fit(images, batch_size=20, verbose=0, callbacks=[bystander, checkpoint, score])
    assert bystander.scorer == bystander.better == "mine"
    fresh().fit(images, batch_size=20, epochs=2, verbose=0, callbacks=[Bystander(), checkpoint])
    fresh().fit(images, batch_size=20, verbose=0, callbacks=Bystander())


def test_a_list_of_callbacks_can_be_used_again(images):
    gan = fresh()
    callbacks = keras.callbacks.CallbackList(add_history=True, model=gan)
    for _ in range(2):
        gan.fit(images, batch_size=20, verbose=0, callbacks=callbacks)
    assert int(gan.epochs) == 2


def test_warning_filters_are_as_they_were(images, tmp_path):
    score = kgan.callbacks.Score("frechet_distance", every=2, samples=20, path=tmp_path / "s.jsonl", extractor="raw")
    stop = keras.callbacks.EarlyStopping("frechet_distance", patience=5, mode="min")
    before = list(warnings.filters)
    fresh().fit(images, batch_size=20, epochs=2, verbose=0, callbacks=[score, stop])
    assert warnings.filters == before
