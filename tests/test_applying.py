"""A generator of images to images, applied to pictures of any size, from Python and on the command line."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from PIL import Image

import kgan
from kgan.architectures import srresnet, unet
from kgan.conditions import Downscaled, Grey, Masked, Pairs
from kgan.players.any_size import AnySize
from kgan.runner import applying
from kgan.runner.errors import RecipeError
from tests.helpers import patches

RNG = np.random.default_rng(0)


def pointwise(scale=1, side=8, given=3):
    """Each pixel of the result depends on one of the given image alone."""
    inputs = keras.Input((side, side, given))
    x = layers.UpSampling2D(scale)(layers.Conv2D(3, 1, activation="tanh")(inputs))
    return keras.Model(inputs, x)


def image(height, width, channels=3):
    return RNG.uniform(-1, 1, (height, width, channels)).astype("float32")


def by_hand(model, given):
    kernel, bias = (ops.convert_to_numpy(one) for one in model.weights)
    return np.tanh(given @ kernel[0, 0] + bias)


@pytest.mark.parametrize("size", [(8, 8), (5, 11), (1, 3), (40, 33)])
@pytest.mark.parametrize("at_once", [2**20, 100])
def test_whole_and_in_tiles(size, at_once):
    model, given = pointwise(), image(*size)
    applied = AnySize(model, Pairs(), at_once=at_once)
    assert (applied.multiple, applied.scale) == (1, 1.0)
    np.testing.assert_allclose(applied(given), by_hand(model, given), atol=1e-5)


@pytest.mark.parametrize("at_once", [2**20, 400])
def test_enlarged(at_once):
    model, given = pointwise(scale=2, side=4), image(7, 13)
    applied = AnySize(model, Downscaled(2), at_once=at_once)
    assert applied.scale == 2.0
    np.testing.assert_allclose(applied(given), by_hand(model, given).repeat(2, 0).repeat(2, 1), atol=1e-5)


def test_a_generator_of_one_size():
    """One with a dense layer, here one that changes nothing, is applied to tiles."""
    inputs = keras.Input((8, 8, 1))
    flat = layers.Dense(64, kernel_initializer="identity")(layers.Flatten()(inputs))
    model = keras.Model(inputs, layers.Reshape((8, 8, 1))(flat))
    applied = AnySize(model, Pairs())
    assert applied.multiple is None
    for size in ((8, 8), (5, 6), (21, 30)):
        given = image(*size, 1)
        np.testing.assert_allclose(applied(given), given, atol=1e-5)


@pytest.mark.parametrize("downs, multiple", [(2, 4), (4, 16)])
def test_sizes_that_a_unet_can_halve(downs, multiple):
    model = unet.generator((16, 16, 3), filters=2, downs=downs, norm=None)
    applied = AnySize(model, Pairs())
    assert applied.multiple == multiple
    whole = image(32, 48)
    np.testing.assert_allclose(applied(whole)[:30, :44].shape, (30, 44, 3))
    padded = np.pad(whole[:30, :44], [(0, -30 % multiple), (0, -44 % multiple), (0, 0)], "reflect")
    again = keras.models.clone_model(model, input_tensors=keras.Input((None, None, 3)))
    again.set_weights(model.get_weights())
    expected = ops.convert_to_numpy(again(padded[None]))[0, :30, :44]
    np.testing.assert_allclose(applied(whole[:30, :44]), expected, atol=1e-5)


def test_the_size_of_the_training_is_translated_as_translate_does():
    gan = kgan.GAN(
        srresnet.generator((16, 16, 3), factor=4, filters=4, blocks=1), patches(3, side=16), condition=Downscaled(4)
    )
    given = image(4, 4)
    np.testing.assert_allclose(AnySize(gan.generator, gan.condition)(given), gan.translate(given[None])[0], atol=1e-5)


@pytest.fixture
def run(tmp_path):
    """A function that saves a GAN of pointwise players with a condition, and returns its path."""

    def save(condition, given=3, scale=1):
        gan = kgan.GAN(pointwise(scale, 8 // scale, given), patches(3), condition=condition)
        gan.save(tmp_path / "gan.keras")
        return tmp_path / "gan.keras", gan

    return save


def pixels(path):
    return np.asarray(Image.open(path))


def test_a_folder(run, tmp_path):
    """Names, sizes and opacity stay; what cannot be read is counted; what cannot be written as it was becomes PNG."""
    path, gan = run(Pairs())
    source, out = tmp_path / "in", tmp_path / "out"
    (source / "deep").mkdir(parents=True)
    colours = RNG.integers(0, 256, (9, 14, 3), "uint8")
    opacity = RNG.integers(0, 256, (9, 14, 1), "uint8")
    Image.fromarray(colours).save(source / "a.png")
    Image.fromarray(colours).save(source / "deep" / "b.jpg")
    Image.fromarray(np.concatenate([colours, opacity], -1)).save(source / "c.png")
    Image.fromarray(colours).quantize(16).save(source / "d.gif", transparency=3)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(colours).save(source / "e.tif", exif=turned)
    (source / "notes.txt").write_text("no picture")
    said = applying.apply(path, source, out)
    assert said == f"5 pictures in {out}. Skipped 1 file: 1 not a picture ('notes.txt')."
    names = sorted(str(one.relative_to(out)) for one in out.rglob("*") if one.is_file())
    assert names == ["a.png", "c.png", "d.png", "deep/b.jpg", "e.tif"]
    expected = np.rint(by_hand(gan.generator, colours / 127.5 - 1) * 127.5 + 127.5)
    np.testing.assert_allclose(pixels(out / "a.png"), expected, atol=1)
    assert pixels(out / "deep" / "b.jpg").shape == (9, 14, 3) and pixels(out / "e.tif").shape == (14, 9, 3)
    np.testing.assert_array_equal(pixels(out / "c.png")[..., 3], opacity[..., 0])
    assert pixels(out / "d.png").shape == (9, 14, 4)


def test_one_picture(run, tmp_path):
    path, _ = run(Downscaled(2), scale=2)
    Image.fromarray(RNG.integers(0, 256, (9, 14, 3), "uint8")).save(tmp_path / "one.png")
    assert applying.apply(path, tmp_path / "one.png", tmp_path / "two.webp") == f"1 picture in {tmp_path / 'two.webp'}."
    assert pixels(tmp_path / "two.webp").shape == (18, 28, 3)


def test_holes_are_filled(run, tmp_path):
    path, gan = run(Masked(), given=4)
    colours = RNG.integers(0, 256, (9, 14, 3), "uint8")
    opacity = np.full((9, 14, 1), 255, "uint8")
    opacity[2:5, 3:9] = 0
    Image.fromarray(np.concatenate([colours, opacity], -1)).save(tmp_path / "one.png")
    applying.apply(path, tmp_path / "one.png", tmp_path / "out.png")
    filled = pixels(tmp_path / "out.png")
    assert filled.shape == (9, 14, 3)
    hole = opacity[..., 0] == 0
    np.testing.assert_array_equal(filled[~hole], colours[~hole])
    in_the_hole = np.rint(by_hand(gan.generator, np.array([0.0, 0.0, 0.0, 1.0])) * 127.5 + 127.5)
    np.testing.assert_allclose(filled[hole], np.broadcast_to(in_the_hole, filled[hole].shape), atol=1)


def test_colours_for_grey(run, tmp_path):
    path, gan = run(Grey(), given=1)
    grey = RNG.integers(0, 256, (9, 14), "uint8")
    Image.fromarray(grey).save(tmp_path / "one.png")
    applying.apply(path, tmp_path / "one.png", tmp_path / "out.png")
    expected = np.rint(by_hand(gan.generator, grey[..., None] / 127.5 - 1) * 127.5 + 127.5)
    np.testing.assert_allclose(pixels(tmp_path / "out.png"), expected, atol=1)


def test_no_result_takes_the_place_of_another(run, tmp_path):
    """Of pictures that differ in the ending alone, the one that becomes PNG keeps its own; a single one is as asked for."""
    path, _ = run(Pairs())
    (tmp_path / "in").mkdir()
    colours, opaque = RNG.integers(0, 256, (9, 14, 3), "uint8"), np.full((9, 14, 1), 128, "uint8")
    Image.fromarray(colours).save(tmp_path / "in" / "a.png")
    Image.fromarray(np.concatenate([colours, opaque], -1)).quantize(16).save(tmp_path / "in" / "a.gif", transparency=3)
    applying.apply(path, tmp_path / "in", tmp_path / "out")
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["a.gif.png", "a.png"]
    transparent = tmp_path / "one.png"
    Image.fromarray(np.concatenate([colours, opaque], -1)).save(transparent)
    before = transparent.read_bytes()
    applying.apply(path, transparent, tmp_path / "one.jpg")
    assert pixels(tmp_path / "one.jpg").shape == (9, 14, 3) and transparent.read_bytes() == before
    Image.new("RGBA", (14, 9), (200, 10, 40, 128)).save(transparent)
    for ending in ("jpg", "webp"):
        applying.apply(path, transparent, tmp_path / f"whole.{ending}")
    made = pixels(tmp_path / "whole.webp")[..., :3].mean((0, 1))
    on_white = made * 128 / 255 + 127  # half of it shows the white
    np.testing.assert_allclose(pixels(tmp_path / "whole.jpg").mean((0, 1)), on_white, atol=6)
    assert np.abs(made - on_white).max() > 20


def test_pictures_without_a_hole_are_counted(run, tmp_path):
    path, _ = run(Masked(), given=4)
    (tmp_path / "in").mkdir()
    colours = RNG.integers(0, 256, (9, 14, 3), "uint8")
    Image.fromarray(colours).save(tmp_path / "in" / "whole.png")
    hole = np.zeros((9, 14, 1), "uint8")
    Image.fromarray(np.concatenate([colours, hole], -1)).save(tmp_path / "in" / "hole.png")
    said = applying.apply(path, tmp_path / "in", tmp_path / "out")
    assert said.startswith(f"1 picture in {tmp_path / 'out'}. Skipped 1 file: 1 the picture has no transparent part")


@pytest.mark.parametrize(
    "source, out, message",
    [
        ("nothing", "out", "there is no file or folder .*nothing"),
        ("in", "in", "must be a folder outside of that of the pictures"),
        ("in", "in/out", "must be a folder outside of that of the pictures"),
        ("one.png", "one.png", "must not be the picture itself"),
        ("one.png", ".", "must not be the picture itself"),
        ("in", "out", "contains no picture that can be used: 1 file: 1 not a picture"),
        ("in/notes.txt", "out.png", "notes.txt: not a picture"),
        ("one.png", "out.xyz", "must end like a picture, such as .png. Received: "),
        ("one.png", "out.png", "the picture has no transparent part, which the generator would fill"),
    ],
)
def test_mistakes(run, tmp_path, source, out, message):
    path, _ = run(Masked(), given=4)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    Image.fromarray(np.zeros((9, 9, 3), "uint8")).save(tmp_path / "one.png")
    with pytest.raises(RecipeError, match=message):
        applying.apply(path, tmp_path / source, tmp_path / out)
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.png").exists()


def test_a_generator_that_is_given_no_images(tmp_path):
    z = keras.Input((4,))
    gan = kgan.GAN(keras.Model(z, layers.Reshape((8, 8, 3))(layers.Dense(192)(z))), patches(3), latent_dim=4)
    gan.save(tmp_path / "gan.keras")
    with pytest.raises(RecipeError, match="is not given images; use `kgan sample`"):
        applying.apply(tmp_path / "gan.keras", tmp_path, tmp_path / "out")
