"""Metrics of pairs of images, against scikit-image and by hand, and as scores."""

import keras
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import kgan
from kgan import metrics, scores
from tests.helpers import compiled, patches, translator

RNG = np.random.default_rng(0)
REAL = RNG.integers(0, 256, (4, 17, 12, 3), dtype="uint8")
MADE = np.clip(REAL + RNG.normal(0, 30, REAL.shape), 0, 255).astype("uint8")


@pytest.mark.parametrize("form", ["uint8", "floats", "grey"])
def test_the_same_as_scikit_image(form):
    real, made, width = REAL, MADE, 255
    if form == "floats":
        real, made, width = REAL / 127.5 - 1, MADE / 127.5 - 1, 2
    if form == "grey":
        real, made = REAL[..., :1], MADE[..., :1]
    of = [{"data_range": width}, {"data_range": width, "channel_axis": -1}]
    pairs = list(zip(real, made, strict=True))
    np.testing.assert_allclose(
        metrics.psnr(real, made), [peak_signal_noise_ratio(*one, **of[0]) for one in pairs], rtol=1e-9
    )
    np.testing.assert_allclose(
        metrics.ssim(real, made), [structural_similarity(*one, **of[1]) for one in pairs], atol=1e-9
    )
    np.testing.assert_allclose(
        metrics.l1(real, made), [np.abs(one.astype(float) - other).mean() / width for one, other in pairs], rtol=1e-9
    )


def test_of_equal_images():
    assert (metrics.l1(REAL, REAL) == 0).all() and np.isinf(metrics.psnr(REAL, REAL)).all()
    np.testing.assert_allclose(metrics.ssim(REAL, REAL), 1.0)


def test_sharpness_by_hand():
    image = np.zeros((1, 4, 4, 1))
    image[0, 1, 1] = 1.0  # from 0.5 to 1: the Laplacian is -2 there, 0.5 at its two neighbours inside, 0 at the fourth
    by_hand = np.var([-2.0, 0.5, 0.5, 0.0])
    np.testing.assert_allclose(metrics.sharpness(image), [by_hand])
    blurred = REAL.astype(float)
    blurred = np.rint((blurred[:, :-1] + blurred[:, 1:]) / 2).astype("uint8")
    assert (metrics.sharpness(blurred) < 0.7 * metrics.sharpness(REAL)).all()


def test_colorfulness_by_hand():
    image = np.zeros((1, 1, 2, 3), "uint8")
    image[0, 0, 0] = [255, 0, 0]  # red and black: rg is 1 and 0, yb is 0.5 and 0
    by_hand = np.hypot(0.5, 0.25) + 0.3 * np.hypot(0.5, 0.25)
    np.testing.assert_allclose(metrics.colorfulness(image), [by_hand])
    assert (metrics.colorfulness(REAL[..., :1].repeat(3, -1)) == 0).all()
    assert (metrics.colorfulness(REAL[..., :1]) == 0).all()


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda: metrics.ssim(REAL[:, :6], REAL[:, :6]),
            "SSIM needs images of at least 7 x 7 pixels. Received: 6 x 12",
        ),
        (
            lambda: metrics.l1(REAL, REAL[:2]),
            r"must have the same shape. Received: \(4, 17, 12, 3\) and \(2, 17, 12, 3\)",
        ),
        (lambda: metrics.psnr(REAL[0], REAL[0]), r"Images must be \(n, height, width, channels\). Received"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_scores_of_pairs():
    real = RNG.integers(0, 256, (40, 8, 8, 3), dtype="uint8")
    made = (real // 2 + 40).astype("uint8")
    flat = kgan.extractors.of_model(keras.Sequential([keras.Input((8, 8, 3)), keras.layers.AveragePooling2D(4)]))
    scorer = scores.Scorer(real, extractor=flat, pairs=True)
    assert {"l1", "psnr", "ssim", "sharpness", "colorfulness"} <= set(scorer.suitable)
    found = {one.metric: one for one in scorer(made / 127.5 - 1, ["l1", "psnr", "ssim", "sharpness", "colorfulness"])}
    assert found["l1"].value == pytest.approx(metrics.l1(real, made).mean())
    assert found["psnr"].value == pytest.approx(metrics.psnr(real, made).mean())
    assert found["ssim"].value == pytest.approx(metrics.ssim(real, made).mean())
    assert found["sharpness"].value == pytest.approx(0.25, abs=0.02)
    assert found["colorfulness"].value == pytest.approx(0.5, abs=0.02)
    for one in found.values():
        assert one.interval[0] < one.value < one.interval[1]
    assert (found["l1"].better, found["ssim"].better) == ("min", "max")
    with pytest.raises(ValueError, match=r"a generated image of shape \(8, 8, 3\) for each of the 40 real ones"):
        scorer(made[:30], "l1")
    with pytest.raises(ValueError, match="The metric 'psnr' is not defined for these data"):
        scores.Scorer(real, extractor=flat)(made, "psnr")


def test_a_training_is_scored_on_pairs_that_it_has_not_seen(tmp_path):
    images = RNG.integers(0, 256, (48, 8, 8, 1), dtype="uint8")
    held_out = RNG.integers(0, 256, (24, 8, 8, 1), dtype="uint8")
    gan = compiled(kgan.GAN(translator(1, 1), patches(1, 1), condition=kgan.conditions.Pairs()))
    extractor = kgan.extractors.of_model(keras.Sequential([keras.Input((8, 8, 1)), keras.layers.AveragePooling2D(4)]))
    score = kgan.callbacks.Score(["l1", "psnr"], every=1, path=tmp_path / "scores.jsonl", extractor=extractor)
    history = gan.fit(
        255 - images, images, validation_data=(255 - held_out, held_out), verbose=0, callbacks=[score]
    ).history
    made = gan.translate(255 - held_out)
    pixels = np.rint(made * 127.5 + 127.5).astype("uint8")
    assert history["l1"][0] == pytest.approx(metrics.l1(held_out, pixels).mean(), abs=1e-4)
    assert history["psnr"][0] == pytest.approx(metrics.psnr(held_out, pixels).mean(), rel=1e-3)
    assert score.scores[0].n_real == score.scores[0].n_generated == 24


def test_partner_rank():
    """The share of the others that are nearer, in plain loops, over more rows than are computed at once."""
    draw = np.random.default_rng(1)
    real = draw.normal(size=(300, 3)).astype("float32")
    generated = real + draw.normal(0, 0.4, real.shape).astype("float32")
    expected = []
    for number, one in enumerate(generated.astype("float64")):
        distances = [np.sqrt(((one - other) ** 2).sum()) for other in real.astype("float64")]
        expected.append(sum(distance < distances[number] for distance in distances) / 299)
    found = kgan.metrics.partner_rank(real, generated)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert 0 < found.mean() < 0.2 and kgan.metrics.partner_rank(real, real).max() == 0
    assert abs(kgan.metrics.partner_rank(real, generated[::-1]).mean() - 0.5) < 0.05
    for wrong in (generated[:-1], generated[:1]):
        with pytest.raises(ValueError, match="`partner_rank` needs a generated image for each real one"):
            kgan.metrics.partner_rank(real[: max(1, len(wrong) % 299)], wrong)
