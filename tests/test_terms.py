"""Terms of the generator's loss: against numpy, and what a training makes of them."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import kgan
from kgan import terms
from kgan.extractors import learned
from kgan.extractors.extractor import Extractor
from kgan.terms import TERMS
from tests.helpers import compiled, patches, translator

RNG = np.random.default_rng(0)
FAKE, REAL = RNG.uniform(-1, 1, (2, 4, 8, 8, 3)).astype("float32")
SOURCES = RNG.uniform(-1, 1, (12, 8, 8, 1)).astype("float32")
TARGETS = RNG.uniform(-1, 1, (12, 8, 8, 1)).astype("float32")


def network():
    keras.utils.set_random_seed(4)
    image = keras.Input((8, 8, 3))
    first = layers.Conv2D(3, 3, activation="relu")(image)
    return keras.Model(image, [first, layers.Conv2D(5, 3)(first)], name="network")


def features(model, images):
    return [ops.convert_to_numpy(one) for one in model(images)]


def mean_absolute(x, y):
    return np.abs(x - y).mean()


def value(term, fake=FAKE, real=REAL):
    return float(term(None, None, fake, real))


def test_against_numpy():
    assert value(terms.L1(3.0)) == pytest.approx(3 * mean_absolute(FAKE, REAL), rel=1e-6)
    assert value(terms.L2(3.0)) == pytest.approx(3 * ((FAKE - REAL) ** 2).mean(), rel=1e-6)
    variation = np.abs(np.diff(FAKE, axis=1)).mean() + np.abs(np.diff(FAKE, axis=2)).mean()
    assert value(terms.TotalVariation(3.0)) == pytest.approx(3 * variation, rel=1e-6)
    model = network()
    pairs = list(zip(features(model, FAKE), features(model, REAL), strict=True))
    assert value(terms.Perceptual(3.0, model=model)) == pytest.approx(
        3 * sum(mean_absolute(*pair) for pair in pairs), rel=1e-5
    )
    squared = 3 * sum(((one - other) ** 2).mean() for one, other in pairs)
    assert value(terms.Perceptual(3.0, model=model, distance="l2")) == pytest.approx(squared, rel=1e-5)


def test_terms_of_several_images_are_added_up():
    for term in (terms.L1(2.0), terms.L2(2.0), terms.TotalVariation(2.0), terms.Perceptual(2.0, model=network())):
        both = value(term, [FAKE, REAL], [REAL, FAKE * 0.5])
        assert both == pytest.approx(value(term, FAKE, REAL) + value(term, REAL, FAKE * 0.5), rel=1e-6)


def test_a_perceptual_network_takes_other_sizes_and_channels():
    grey = np.repeat(FAKE[..., :1], 3, -1), np.repeat(REAL[..., :1], 3, -1)
    term = terms.Perceptual(model=network())
    assert value(term, FAKE[..., :1], REAL[..., :1]) == pytest.approx(value(term, *grey), rel=1e-6)
    twice = [one.repeat(2, axis=1).repeat(2, axis=2) for one in (FAKE, REAL)]  # 16 x 16, whose halves are the images
    assert value(term, *twice) == pytest.approx(value(term), rel=1e-4)


def test_an_extractor_as_a_network():
    """Of the classifier of the scores, the features are those of its convolutions."""
    extractor = Extractor("classifier", learned.network((8, 8, 1), 10), "not trained")
    term = terms.Perceptual(model=extractor)
    assert [tuple(one.shape[1:]) for one in term.network.outputs] == [(4, 4, 32), (2, 2, 64)]
    assert value(term, FAKE[..., :1], REAL[..., :1]) > 0


@pytest.mark.parametrize("name", TERMS)
def test_contract(name):
    arguments = {"model": network()} if name == "perceptual" else {}
    term = TERMS[name](3.0, every=2, **arguments)
    assert term.name == name and (term.weight, term.every) == (3.0, 2)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(term))
    assert type(again) is type(term) and (again.weight, again.every) == (3.0, 2)
    if term.domains == 2:
        given = [ops.convert_to_tensor(one) for one in (FAKE, REAL)]
        for generator, perfect in (
            (lambda images: images[::-1], True),
            (lambda images: [2 * one for one in images], False),
        ):
            found = float(term(generator, given, generator(given), given[::-1]))
            assert (found == 0.0) == (perfect and name == "cycle") and not term.compares
        return
    assert value(TERMS[name](0.0, **arguments)) == 0.0
    if name != "total_variation":
        assert value(term, REAL, REAL) == 0.0 and term.compares


def image_gan(**rules):
    keras.utils.set_random_seed(1)
    gan = kgan.GAN(translator(1, 1), patches(1, 1), condition=kgan.conditions.Pairs())
    return compiled(gan, **rules)


@pytest.mark.longer
def test_lazy_and_scheduled_terms(tmp_path):
    """Every second update, with twice the weight; the log has the weight of its update, without the factor."""
    weight = kgan.ramps.Linear(1.0, 0.0, 3)
    gan = image_gan(terms=[terms.L1(weight, every=2)], schedule="alternating")
    seen = []

    class Weights(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["l1_weight"])

    history = gan.fit(SOURCES, TARGETS, batch_size=4, shuffle=False, verbose=0, callbacks=[Weights()]).history
    np.testing.assert_allclose(seen, [2 / 3, 1 / 3, 0.0], atol=1e-6)  # after the step
    assert history["l1"][0] > 0
    plain = image_gan(terms=[terms.L1(2.0)], schedule="alternating")
    lazy = image_gan(terms=[terms.L1(1.0, every=2)], schedule="alternating")
    for one in (plain, lazy):
        one.fit(SOURCES[:4], TARGETS[:4], batch_size=4, shuffle=False, verbose=0)
    for one, other in zip(plain.weights, lazy.weights, strict=True):  # the first update computes both
        np.testing.assert_allclose(ops.convert_to_numpy(one), ops.convert_to_numpy(other), atol=1e-6)


def test_the_network_of_a_term_is_saved(tmp_path):
    image = keras.Input((8, 8, 1))
    term = terms.Perceptual(2.0, model=keras.Model(image, layers.Conv2D(2, 3)(image)))
    gan = image_gan(terms=[term])
    before = [ops.convert_to_numpy(one) for one in term.network.weights]
    gan.fit(SOURCES, TARGETS, batch_size=4, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    for one, other in zip(before, again.rules.terms[0].network.weights, strict=True):
        np.testing.assert_array_equal(one, ops.convert_to_numpy(other))
    results = [one.evaluate(SOURCES, TARGETS, verbose=0, return_dict=True)["perceptual"] for one in (gan, again)]
    assert results[0] == results[1] > 0
    gan.compile(d_opt=keras.optimizers.Adam(), g_opt=keras.optimizers.Adam())
    assert not any("network" in name for name in gan._beside)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: terms.get("perceptal"), "Unknown term 'perceptal'. Did you mean 'perceptual'?"),
        (lambda: terms.get(3), "A term must be a name of kgan.terms or an object such as"),
        (lambda: terms.L1(-1.0), "`weight` of L1 must be a number >= 0. Received: -1.0"),
        (lambda: terms.L1(1.0, every=0), "`every` of L1 must be an integer >= 1. Received: 0"),
        (lambda: terms.Perceptual(model=3), "`model` of Perceptual must be a keras.Model that takes images"),
        (lambda: terms.Perceptual(distance="l3"), "Unknown distance of Perceptual 'l3'"),
        (lambda: image_gan(terms=["l1", "l1"]), "`terms` must differ from each other. Received 'l1' twice."),
        (lambda: image_gan(terms=["perceptual"]), "The term 'perceptual' needs the network whose features it compares"),
        (lambda: terms.Term()(None, None, FAKE, REAL), "Term does not define `__call__"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises((ValueError, NotImplementedError), match=message):
        make()
