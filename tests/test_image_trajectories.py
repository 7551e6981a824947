"""Image-to-image GANs against hand-written loops: all variables and optimizer slots after 20 steps."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import pytest
from keras import layers, ops

import kgan
from kgan.conditions import Downscaled, Masked, Pairs
from tests.helpers import patches, translator, values

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the loops use TensorFlow's tapes")

if keras.backend.backend() == "tensorflow":
    from tests.image_loops import Inpainting, Loop, alternating, same_fakes, simultaneous

    RULES = {"alternating": alternating, "same fakes": same_fakes, "simultaneous": simultaneous}
else:
    Inpainting = Loop = object

STEPS, BATCH, SIDE = 10, 4, 8
COUNT = (STEPS - 1) * BATCH + 3  # the last batch has three


def pictures(channels, side=SIDE):
    drawn = np.random.default_rng(channels).normal(0.3, 1.0, (COUNT, side, side, channels))
    return np.tanh(drawn).astype("float32")


def twin(model):
    copy = type(model).from_config(model.get_config())
    for variable, other in zip(copy.variables, model.variables, strict=True):
        variable.assign(ops.copy(other))
    return copy


def adam():
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


class Kind(NamedTuple):
    """A task: its players, its condition, what `fit` receives, what the generator is given, and the terms."""

    players: Callable
    condition: kgan.conditions.Condition
    data: tuple
    given: np.ndarray
    terms: tuple
    loop: type
    weights: dict


@functools.cache
def players_of(kind):
    keras.utils.set_random_seed(7)
    return KINDS[kind].players()


@functools.cache
def by_kgan(kind, schedule):
    of = KINDS[kind]
    gan = kgan.GAN(*map(twin, players_of(kind)), condition=of.condition)
    schedule = kgan.schedules.Alternating(reuse_latents=True) if schedule == "alternating" else schedule
    gan.compile(adam(), adam(), schedule=schedule, terms=of.terms, steps_per_execution=3)
    gan.fit(*of.data, batch_size=BATCH, shuffle=False, verbose=0)
    return gan


def by_hand(kind, rule, given=None, loop=None, **weights):
    of = KINDS[kind]
    trained = (loop or of.loop)(*map(twin, players_of(kind)), adam(), adam(), **{**of.weights, **weights})
    parts = of.given if given is None else given, of.data[-1]
    batches = [[ops.convert_to_tensor(part[at : at + BATCH]) for part in parts] for at in range(0, COUNT, BATCH)]
    rule(trained, batches)
    return trained


def difference(gan, loop):
    """The largest difference of any variable or slot, as a share of what is allowed."""
    worst = 0.0
    for name in ("generator", "discriminator", "d_opt", "g_opt"):
        ours, theirs = (values(getattr(one, name).variables) for one in (gan, loop))
        assert len(ours) == len(theirs) > 4
        for one, other in zip(ours, theirs, strict=True):
            worst = max(worst, float((np.abs(one - other) / (1e-6 + 1e-4 * np.abs(other))).max()))
    assert int(gan.g_opt.iterations) == STEPS
    return worst


TABLE = np.random.default_rng(3).random((COUNT, SIDE, SIDE)) < 0.4


class FromTable(Masked):
    """The masks of step number n are those of its images in the table."""

    def masks(self, n, height, width, seeds):
        begin = ops.cast(seeds.next()[1], "int32") * BATCH
        return ops.take(ops.convert_to_tensor(TABLE), begin + ops.arange(n), axis=0)


def with_holes(images, table):
    masks = table[..., None].astype("float32")
    return np.concatenate([images * (1 - masks), masks], axis=-1)


def with_dropout():
    """A generator whose second call would give other images, and change its statistics again."""
    inputs = keras.Input((SIDE, SIDE, 1))
    x = layers.Conv2D(6, 3, padding="same", use_bias=False)(inputs)
    x = layers.Dropout(0.4, seed=5)(layers.LeakyReLU(0.2)(layers.BatchNormalization()(x)))
    return keras.Model(inputs, layers.Conv2D(3, 3, padding="same", activation="tanh")(x))


REAL = pictures(3)
KINDS = {
    "pix2pix": Kind(
        lambda: (translator(1, 3), patches(3, 1)),
        Pairs(),
        (pictures(1), REAL),
        pictures(1),
        (kgan.terms.L1(100.0),),
        Loop,
        {"l1": 100.0},
    ),
    "super-resolution": Kind(
        lambda: (translator(3, 3, scale=2), patches(3)),
        Downscaled(2),
        (REAL,),
        REAL.reshape(COUNT, 4, 2, 4, 2, 3).mean((2, 4)),
        (kgan.terms.L1(10.0), kgan.terms.TotalVariation(0.5)),
        Loop,
        {"l1": 10.0, "total_variation": 0.5, "judges_both": False},
    ),
    "inpainting": Kind(
        lambda: (translator(4, 3), patches(3, 4)),
        FromTable(),
        (REAL,),
        with_holes(REAL, TABLE),
        (kgan.terms.L1(10.0),),
        Inpainting,
        {"l1": 10.0},
    ),
}

KINDS["pix2pix with dropout"] = KINDS["pix2pix"]._replace(players=lambda: (with_dropout(), patches(3, 1)))


@pytest.mark.parametrize(
    "kind, schedule",
    [
        ("pix2pix", "alternating"),
        pytest.param("pix2pix", "simultaneous", marks=pytest.mark.longer),
        pytest.param("super-resolution", "alternating", marks=pytest.mark.longer),
        ("inpainting", "simultaneous"),
    ],
)
def test_the_same_as_by_hand(kind, schedule):
    assert difference(by_kgan(kind, schedule), by_hand(kind, RULES[schedule])) < 1.0


@pytest.mark.longer
def test_both_updates_see_the_same_fakes():
    gan = by_kgan("pix2pix with dropout", "alternating")
    assert difference(gan, by_hand("pix2pix with dropout", same_fakes)) < 1.0
    assert difference(gan, by_hand("pix2pix with dropout", alternating)) > 10.0


@pytest.mark.longer
@pytest.mark.parametrize(
    "kind, schedule, rule, other",
    [
        ("pix2pix", "alternating", "simultaneous", {}),
        ("pix2pix", "simultaneous", "alternating", {}),
        ("pix2pix", "alternating", "alternating", {"l1": 99.0}),
        ("super-resolution", "alternating", "simultaneous", {}),
        ("super-resolution", "alternating", "alternating", {"total_variation": 0.0}),
        ("inpainting", "simultaneous", "alternating", {}),
        ("inpainting", "simultaneous", "simultaneous", {"loop": Loop}),
        ("inpainting", "simultaneous", "simultaneous", {"given": with_holes(REAL, np.roll(TABLE, 1, axis=0))}),
    ],
)
def test_each_differs_from_every_other(kind, schedule, rule, other):
    """From those with another order of updates, another weight, without a term, with nothing put in, of other masks."""
    assert difference(by_kgan(kind, schedule), by_hand(kind, RULES[rule], **other)) > 10.0
