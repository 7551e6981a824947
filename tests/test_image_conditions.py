"""Conditions that give the generator an image, against numpy, and what they are used for."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from PIL import Image

import kgan
from kgan.conditions import CONDITIONS, Derived, Downscaled, Edges, Grey, Masked, Pairs
from tests.helpers import patches

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (6, 8, 8, 3)).astype("float32")
SOURCES = RNG.uniform(-1, 1, (6, 8, 8, 1)).astype("float32")


def translator(given=1, channels=3, scale=1, side=8, latent_dim=None):
    """A generator of two convolutions."""
    image = keras.Input((side // scale, side // scale, given), name="given")
    inputs, x = image, image
    if latent_dim:
        latents = keras.Input((latent_dim,))
        inputs = [latents, image]
        x = layers.Concatenate()([image, layers.Reshape((side, side, 1))(layers.Dense(side * side)(latents))])
    x = layers.UpSampling2D(scale)(layers.Conv2D(4, 3, padding="same", activation="relu")(x))
    return keras.Model(inputs, layers.Conv2D(channels, 3, padding="same", activation="tanh")(x), name="translator")


def adam():
    return keras.optimizers.Adam(1e-3, beta_1=0.5)


def compiled(gan, **arguments):
    gan.compile(**{"d_opt": adam(), "g_opt": adam(), "terms": [kgan.terms.L1(10.0)], **arguments})
    return gan


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_downscaled():
    by_hand = IMAGES.reshape(6, 4, 2, 4, 2, 3).mean((2, 4))
    np.testing.assert_allclose(numpy(Downscaled(2).given(IMAGES)), by_hand, atol=1e-6)
    assert Downscaled(2).given_shape((8, 8, 3)) == (4, 4, 3)
    with pytest.raises(ValueError, match=r"multiples of 3. Received: 8 x 8"):
        Downscaled(3).given(IMAGES)


def test_grey():
    np.testing.assert_allclose(
        numpy(Grey().given(IMAGES))[..., 0], IMAGES @ np.array([0.299, 0.587, 0.114], "float32"), atol=1e-6
    )
    np.testing.assert_array_equal(numpy(Grey().given(SOURCES)), SOURCES)


def test_grey_that_keeps_the_brightness():
    """The result has the luma that was given, and the differences of the channels that the generator put out."""
    given, output = numpy(Grey().given(IMAGES / 4)), IMAGES[::-1] / 4
    assert Grey().completed(output, given) is output
    kept = numpy(Grey(keep_brightness=True).completed(output, given))
    np.testing.assert_allclose(kept @ np.array([0.299, 0.587, 0.114], "float32"), given[..., 0], atol=1e-6)
    np.testing.assert_allclose(np.diff(kept), np.diff(output), atol=1e-6)
    bright = numpy(
        Grey(keep_brightness=True).completed(np.array([[[[1.0, -1.0, -1.0]]]], "float32"), np.full((1, 1, 1, 1), 0.5))
    )
    np.testing.assert_allclose(bright[0, 0, 0], [1.0, 0.5 - 2 * 0.299, 0.5 - 2 * 0.299], atol=1e-6)
    gan = compiled(kgan.GAN(translator(), patches(3), condition=Grey(keep_brightness=True)))
    assert np.isfinite(gan.fit(IMAGES, verbose=0).history["l1"]).all()
    given = numpy(Grey().given(IMAGES))
    made = gan.translate(given)
    inside = (np.abs(made) < 0.999).all(-1)
    np.testing.assert_allclose(numpy(Grey().given(made))[inside], given[inside], atol=1e-5)
    assert inside.any() and np.ptp(made, axis=-1).max() > 0.01
    assert kgan.conditions.Grey.from_config(gan.condition.get_config()).keep_brightness


def test_edges():
    """A bright square has an edge of two pixels around it; the border of the image has none."""
    image = np.full((1, 8, 8, 1), -1.0, "float32")
    image[:, 2:6, 2:6] = 1.0
    padded = np.pad(image[0, ..., 0], 1, mode="edge")
    across, down = np.zeros((8, 8)), np.zeros((8, 8))
    for row in range(8):
        for column in range(8):
            part = padded[row : row + 3, column : column + 3]
            kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
            across[row, column], down[row, column] = (part * kernel).sum(), (part * kernel.T).sum()
    by_hand = np.where(np.hypot(across, down) > 0.2, -1.0, 1.0)
    found = numpy(Edges(0.2).given(image))[0, ..., 0]
    np.testing.assert_array_equal(found, by_hand)
    assert (found[0] == 1).all() and (found[1, 2:6] == -1).all() and (found[3:5, 3:5] == 1).all()
    assert (numpy(Edges(2.0).given(image)) == 1).all()


def test_a_hole_in_the_middle():
    given = numpy(Masked(share=0.5).given(IMAGES))
    mask = np.zeros((8, 8))
    mask[2:6, 2:6] = 1
    np.testing.assert_array_equal(given[..., 3], np.broadcast_to(mask, (6, 8, 8)))
    np.testing.assert_array_equal(given[..., :3], IMAGES * (1 - mask[..., None]))


@pytest.mark.parametrize("kind", ["boxes", "brush"])
def test_holes_at_random(kind):
    """Each image has its own hole, of the size that was asked for; the same seed draws the same."""
    condition = Masked(kind, share=0.4, count=2)
    images = np.ones((40, 32, 32, 1), "float32")
    masks = numpy(condition.given(images, keras.random.SeedGenerator(1)))[..., 1]
    again = numpy(condition.given(images, keras.random.SeedGenerator(1)))[..., 1]
    other = numpy(condition.given(images, keras.random.SeedGenerator(2)))[..., 1]
    np.testing.assert_array_equal(masks, again)
    assert (masks != other).any((1, 2)).mean() > 0.9 and set(np.unique(masks)) == {0.0, 1.0}
    covered = masks.mean((1, 2))
    assert (covered > 0).all() and len(np.unique(covered)) > 10
    # two boxes with sides of 20 to 40 per cent; two strokes of four lines of that length, half as wide, partly outside
    low, high = (0.03, 0.33) if kind == "boxes" else (0.01, 0.5)
    assert low < covered.min() and covered.max() < high
    seen = masks.mean(0)
    assert (seen > 0).mean() > 0.9 and seen.max() < 0.8  # everywhere, and nowhere always


def test_a_box_is_a_rectangle():
    for mask in numpy(Masked("boxes", 0.5).given(np.ones((20, 16, 16, 1), "float32")))[..., 1]:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        assert mask.sum() == len(rows) * len(columns)
        assert 4 <= len(rows) <= 8 and 4 <= len(columns) <= 8
        assert (np.diff(rows) == 1).all() and (np.diff(columns) == 1).all()


@pytest.mark.parametrize(
    "given, judged",
    [((4,), (4,)), ((3,), (3,)), ((4,), (1,)), ((3, 1), (3, 1)), ((4,), ())],
    ids=["image and mask", "image", "D sees the mask", "both apart", "D sees neither"],
)
def test_players_of_masked_images(given, judged):
    """They see what they have inputs for; the output is put into the image."""
    inputs = [keras.Input((8, 8, one)) for one in given]
    x = layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    generator = keras.Model(inputs if len(inputs) > 1 else x, layers.Conv2D(3, 3, padding="same", activation="tanh")(x))
    gan = compiled(kgan.GAN(generator, patches(3, *judged), condition=Masked(share=0.5)))
    gan.fit(IMAGES, batch_size=4, verbose=0)
    filled = gan.translate(IMAGES)
    outside = np.ones((8, 8), bool)
    outside[2:6, 2:6] = False
    np.testing.assert_array_equal(filled[:, outside], IMAGES[:, outside])
    assert np.abs(filled[:, ~outside] - IMAGES[:, ~outside]).max() > 0.1
    seen = IMAGES * outside[..., None]
    mask = np.broadcast_to(~outside[..., None], (6, 8, 8, 1)).astype("float32")
    of_all = {(4,): np.concatenate([seen, mask], -1), (3,): seen, (3, 1): [seen, mask]}[given]
    raw = gan.generator.predict(of_all, verbose=0)
    np.testing.assert_allclose(filled[:, ~outside], raw[:, ~outside], atol=1e-6)


def test_a_mask_of_ones_own():
    gan = compiled(kgan.GAN(translator(4), patches(3, 4), condition=Masked("boxes")))
    mask = np.zeros((6, 8, 8, 1), "float32")
    mask[:, :, :2] = 1
    filled = gan.translate(np.concatenate([IMAGES, mask], -1))
    np.testing.assert_array_equal(filled[:, :, 2:], IMAGES[:, :, 2:])
    pixels = np.rint(np.concatenate([IMAGES, 2 * mask - 1], -1) * 127.5 + 127.5).astype("uint8")
    np.testing.assert_allclose(gan.translate(pixels), filled, atol=0.02)


@pytest.mark.usefixtures("eagerly")
def test_pairs_of_every_form():
    """Sources and targets as arrays, in a dataset, as bytes, without a channel axis: the same training."""
    bytes_of = lambda images: np.rint(images * 127.5 + 127.5).astype("uint8")  # noqa: E731
    exact = [bytes_of(images) / np.float32(127.5) - np.float32(1) for images in (SOURCES, IMAGES)]

    def batches():
        for begin in (0, 3):
            yield tuple(images[begin : begin + 3] for images in exact)

    def mappings():
        for source, target in batches():
            yield {"source": source, "target": target}

    results = []
    for data, more in [
        (exact, {}),
        ([bytes_of(SOURCES), bytes_of(IMAGES)], {}),
        ([bytes_of(SOURCES)[..., 0], list(bytes_of(IMAGES))], {}),
        ([(exact[0], exact[1])], {}),
        ([batches()], {"batch_size": None, "steps_per_epoch": 2}),
        ([mappings()], {"batch_size": None, "steps_per_epoch": 2}),
    ]:
        keras.utils.set_random_seed(3)
        gan = compiled(kgan.GAN(translator(), patches(3, 1), condition=Pairs()))
        gan.fit(*data, **{"batch_size": 3, "shuffle": False, **more}, verbose=0)
        results.append(gan.translate(SOURCES))
    for one in results[1:]:
        np.testing.assert_allclose(one, results[0], atol=2e-5)


def test_latents_besides():
    gan = compiled(kgan.GAN(translator(latent_dim=4), patches(3, 1), latent_dim=4, condition=Pairs()), ema=0.9)
    gan.fit(SOURCES, IMAGES, batch_size=4, verbose=0)
    one, again, other = (gan.translate(SOURCES, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.01
    assert gan.generate(6, seed=1, labels=SOURCES).shape == (6, 8, 8, 3)


@pytest.mark.longer
@pytest.mark.parametrize(
    "make, data",
    [
        (lambda: kgan.GAN(translator(), patches(3, 1), condition="pairs"), (SOURCES, IMAGES)),
        pytest.param(
            lambda: kgan.GAN(translator(3, scale=2), patches(3), condition=Downscaled(2)),
            (IMAGES,),
            marks=pytest.mark.slow,
        ),
        (lambda: kgan.GAN(translator(4), patches(3, 4), condition=Masked("brush", 0.3, 2)), (IMAGES,)),
        pytest.param(
            lambda: kgan.GAN(translator(1), patches(3, 1), condition="grey"), (IMAGES,), marks=pytest.mark.slow
        ),
        pytest.param(lambda: kgan.GAN(translator(1), patches(3), condition=Edges()), (IMAGES,), marks=pytest.mark.slow),
    ],
    ids=["pairs", "downscaled", "masked", "grey", "edges"],
)
@pytest.mark.usefixtures("eagerly")
def test_everything_saved_and_gone_on_with(make, data, tmp_path):
    gan = compiled(make(), schedule=kgan.schedules.Alternating(reuse_latents=True), ema=0.9)
    logs = gan.fit(*data, batch_size=4, epochs=2, verbose=0).history
    assert np.isfinite(logs["l1"]).all() and gan.evaluate(*data, verbose=0, return_dict=True)["l1"] > 0
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    assert type(again.condition) is type(gan.condition) and again.condition.get_config() == gan.condition.get_config()
    for one in (gan, again):
        one.fit(*data, batch_size=4, verbose=0, shuffle=False)
    for one, other in zip(gan.weights, again.weights, strict=True):
        np.testing.assert_array_equal(numpy(one), numpy(other))
    given = SOURCES if isinstance(gan.condition, Pairs) else numpy(gan.condition.given(IMAGES))
    np.testing.assert_array_equal(gan.translate(given, seed=1), again.translate(given, seed=1))


def test_every_condition_of_images_is_tried_here():
    classes = {kind for kind in CONDITIONS.values() if kind.gives_images and not kind.domains}
    assert classes == {Pairs, Downscaled, Masked, Grey, Edges}
    assert all(issubclass(kind, Derived) for kind in classes - {Pairs})


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: kgan.GAN(translator(), patches(3, 1)), "`latent_dim` must be an integer >= 1. Received: None"),
        (
            lambda: kgan.GAN(translator(), patches(3, 1), condition=Downscaled(2)),
            r"cannot take the images given of shape "
            r"\(batch, 4, 4, 3\): it was made for shape \(batch, 8, 8, 1\)",
        ),
        (
            lambda: kgan.GAN(translator(), patches(3, 2), condition=Pairs()),
            "discriminator, model 'patches', cannot take",
        ),
        (
            lambda: kgan.GAN(translator(), patches(3, 1), condition=Pairs(), pack=2),
            "`pack` must be 1 with the condition Pairs",
        ),
        (lambda: kgan.GAN(Subclassed(), patches(3, 1), condition=Pairs()), "Make it a Functional model"),
        (lambda: Edges(0), "`threshold` of Edges must be a number > 0. Received: 0"),
        (lambda: Masked("box"), "Unknown kind of mask 'box'. Did you mean 'boxes'?"),
        (lambda: Masked(share=1), "`share` of Masked must be above 0 and below 1. Received: 1"),
        (lambda: Downscaled(1), "`factor` of Downscaled must be an integer >= 2. Received: 1"),
        (lambda: small().fit(SOURCES, verbose=0), r"trains on pairs of images, fit\(sources, targets\).*images alone"),
        (
            lambda: small().fit(SOURCES * 2, IMAGES, verbose=0),
            r"The images given must be uint8, or floats in \[-1, 1\]",
        ),
        (lambda: small().fit(SOURCES * np.nan, IMAGES, verbose=0), "The images given must be finite. Received: NaN"),
        (
            lambda: small().fit(SOURCES[:, :4], IMAGES, verbose=0),
            r"The images given must have the generator's input "
            r"\(batch, 8, 8, 1\). Received: \(batch, 4, 8, 1\)",
        ),
        (lambda: small().translate(IMAGES), r"input, \(batch, 8, 8, 1\). Received: an array of shape \(6, 8, 8, 3\)"),
        (lambda: small().translate(SOURCES * 300), r"The images to translate must be uint8, or floats in \[-1, 1\]"),
        (lambda: small().generate(4), "`labels` must hold one for each of the 4 images. Received: None"),
        (
            lambda: compiled(unconditional()).fit(IMAGES, verbose=0),
            "The term 'l1' compares each generated image with a real one",
        ),
        (
            lambda: compiled(unconditional(), terms=()).translate(IMAGES),
            "`translate` is for a GAN whose condition gives",
        ),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs


def small():
    return compiled(kgan.GAN(translator(), patches(3, 1), condition=Pairs()))


def unconditional():
    z = keras.Input((4,))
    image = layers.Reshape((8, 8, 3))(layers.Dense(192, activation="tanh")(z))
    return kgan.GAN(keras.Model(z, image), patches(3), latent_dim=4)


@pytest.mark.parametrize("validated", [False, True])
def test_a_grid_shows_what_is_given_what_is_made_and_what_is_real(tmp_path, validated):
    gan = compiled(kgan.GAN(translator(3, scale=2), patches(3), condition=Downscaled(2)))
    grid = kgan.callbacks.ImageGrid(tmp_path, rows=2, columns=3)
    shown = IMAGES[:4] if validated else IMAGES
    gan.fit(IMAGES, verbose=0, callbacks=[grid], **({"validation_data": (shown, None)} if validated else {}))
    picture = np.asarray(Image.open(tmp_path / "epoch-0001.png"))
    assert picture.shape == (2 * (32 + 2) + 2, 3 * (32 + 2) + 2, 3)

    def cell(row, column):
        part = picture[2 + 34 * row : 34 + 34 * row, 2 + 34 * column : 34 + 34 * column]
        return part[::4, ::4] / 127.5 - 1  # each pixel is enlarged to 4 x 4

    for row, index in enumerate((0, len(shown) - 1)):
        small = IMAGES[index].reshape(4, 2, 4, 2, 3).mean((1, 3))
        np.testing.assert_allclose(cell(row, 0), small.repeat(2, 0).repeat(2, 1), atol=0.01)
        np.testing.assert_allclose(cell(row, 1), gan.translate(small[None])[0], atol=0.01)
        np.testing.assert_allclose(cell(row, 2), IMAGES[index], atol=0.01)
