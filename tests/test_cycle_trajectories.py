"""CycleGAN against hand-written loops: all variables and optimizer slots after 20 steps."""

import functools

import keras
import numpy as np
import pytest
from keras import layers, ops

import kgan
from kgan.players.image_pool import ImagePool
from tests.helpers import cases, values

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the loops use TensorFlow's tapes")

if keras.backend.backend() == "tensorflow":
    from tests import cycle_loops
    from tests.cycle_loops import Cycle, Pool, discriminators_first, generators_first

    RULES = {"simultaneous": generators_first, "alternating": discriminators_first}

STEPS, BATCH, SIZE = 20, 3, 7
COUNT = (STEPS - 1) * BATCH + 2  # the last batch has two
CYCLE, IDENTITY = 10.0, 5.0


def images(seed):
    return np.tanh(np.random.default_rng(seed).normal(0.3, 1.0, (COUNT, 8, 8, 2))).astype("float32")


A, B = images(1), images(2)
draw = np.random.default_rng(3)
PLACES, EXCHANGED = draw.integers(0, SIZE, (STEPS, 2, BATCH)), draw.random((STEPS, 2, BATCH)) < 0.5


def tower(made, name):
    x = keras.Input((8, 8, 2))
    h = layers.GroupNormalization(groups=-1)(layers.Conv2D(5, 3, padding="same", use_bias=False)(x))
    return keras.Model(x, layers.Conv2D(made, 3, padding="same", activation="tanh")(layers.LeakyReLU()(h)), name=name)


def judge(name):
    x = keras.Input((8, 8, 2))
    h = layers.LeakyReLU(0.2)(layers.Conv2D(5, 4, strides=2, padding="same")(x))
    return keras.Model(x, layers.Conv2D(1, 3)(h), name=name)


def players():
    keras.utils.set_random_seed(7)
    return tower(2, "to_b"), tower(2, "to_a"), judge("is_b"), judge("is_a")


def adam():
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


class FromTable(ImagePool):
    """Its draws of step number n are those of the table, first of the images of b, then of a."""

    def draw(self, n):
        count = ops.cast(self.seeds.next()[1], "int32")
        step, domain = count // 2, count % 2
        return [ops.convert_to_tensor(table)[step, domain, :n] for table in (PLACES.astype("int32"), EXCHANGED)]


@functools.cache
def by_kgan(schedule, history=None):
    to_b, to_a, is_b, is_a = players()
    a, b = keras.Input((8, 8, 2)), keras.Input((8, 8, 2))
    generator, discriminator = keras.Model([a, b], [to_b(a), to_a(b)]), keras.Model([b, a], [is_b(b), is_a(a)])
    gan = kgan.GAN(generator, discriminator, condition=kgan.conditions.Unpaired())
    terms = [kgan.terms.Cycle(CYCLE), kgan.terms.Identity(IDENTITY)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kgan.gan.ImagePool", FromTable)
        gan.compile(adam(), adam(), "least_squares", schedule, terms=terms, history=history, steps_per_execution=3)
    gan.fit(A, B, batch_size=BATCH, shuffle=False, verbose=0)
    return gan


def by_hand(rule, history=None, table=EXCHANGED, cycle=CYCLE, identity=IDENTITY):
    draws = [
        [list(zip(PLACES[step, domain], table[step, domain], strict=True)) for step in range(STEPS)]
        for domain in (0, 1)
    ]
    pools = None if history is None else [Pool(history, drawn) for drawn in draws]
    loop = Cycle(*players(), adam(), adam(), cycle, identity, pools)
    batches = [(A[at : at + BATCH], B[at : at + BATCH]) for at in range(0, COUNT, BATCH)]
    rule(loop, [tuple(map(ops.convert_to_tensor, batch)) for batch in batches])
    return loop


def difference(gan, loop):
    """The largest difference of any variable or slot, as a share of what is allowed."""
    theirs = {
        "generator": loop.to_b.variables + loop.to_a.variables,
        "discriminator": loop.is_b.variables + loop.is_a.variables,
        "d_opt": loop.d_opt.variables,
        "g_opt": loop.g_opt.variables,
    }
    worst = 0.0
    for name, variables in theirs.items():
        for one, other in zip(values(getattr(gan, name).variables), values(variables), strict=True):
            worst = max(worst, float((np.abs(one - other) / (1e-6 + 1e-4 * np.abs(other))).max()))
    assert int(gan.g_opt.iterations) == STEPS
    return worst


@pytest.mark.longer
@pytest.mark.parametrize("schedule, history", [("simultaneous", SIZE), ("simultaneous", None), ("alternating", SIZE)])
def test_the_same_as_by_hand(schedule, history):
    """`simultaneous` is the authors' order: the generators first, then the discriminators on images made before."""
    gan = by_kgan(schedule, history)
    loop = by_hand(RULES[schedule], history)
    assert difference(gan, loop) < 1.0
    if history:
        assert int(gan.image_pool.count) == SIZE
        for kept, pool in zip(values(gan.image_pool.kept), loop.pools, strict=True):
            np.testing.assert_allclose(kept, np.stack(pool.images), atol=1e-5)


@pytest.mark.longer
@pytest.mark.parametrize(
    "loop",
    cases(
        [("half_a_cycle", {}), ("generators_first", {"table": ~EXCHANGED})],
        [
            ("discriminators_first", {}),
            ("generators_first", {"history": None}),
            ("generators_first", {"cycle": 9.9}),
            ("generators_first", {"identity": 0.0}),
        ],
    ),
)
def test_it_differs_from_every_other(loop):
    """From another order, half of each cycle's gradient, other draws of the pool, none, other weights."""
    rule, other = loop
    by_other = by_hand(getattr(cycle_loops, rule), **{"history": SIZE, **other})
    assert difference(by_kgan("simultaneous", SIZE), by_other) > 10.0
