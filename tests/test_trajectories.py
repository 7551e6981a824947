"""Every update rule against the hand-written loop of its text: all variables and optimizer slots after 20 steps."""

import keras
import numpy as np
import pytest

import kgan
from kgan.architectures import dcgan, dense
from tests.helpers import LATENT_DIM, cases, small_discriminator, small_generator, values

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the plain loops use TensorFlow's tapes"
)

if keras.backend.backend() == "tensorflow":
    from tests.plain_loops import Loop, alternating, combined, periods, simultaneous

STEPS, BATCH = 20, 8


def pictures(shape, per_epoch=STEPS):
    rng = np.random.default_rng(1)
    found = np.tanh(rng.normal(0.3, 1.0, ((per_epoch - 1) * BATCH + 3, *shape)))  # a last batch of 3
    return found.astype(keras.config.floatx())


def batches_of(data):
    return [data[start : start + BATCH] for start in range(0, len(data), BATCH)]


def twin(model):
    copy = type(model).from_config(model.get_config())
    for variable, other in zip(copy.variables, model.variables, strict=True):  # dropout's seeds too
        variable.assign(keras.ops.copy(other))
    return copy


def train_kgan(generator, discriminator, latent_dim, adam, loss, schedule, data, epochs=1):
    gan = kgan.GAN(twin(generator), twin(discriminator), latent_dim, seed=3)
    gan.compile(d_opt=adam(), g_opt=adam(), loss=loss, schedule=schedule, steps_per_execution=3)
    gan.fit(data, batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0)
    return gan


def train_by_hand(generator, discriminator, latent_dim, adam, run, data, epochs=1, **arguments):
    loop = Loop(twin(generator), twin(discriminator), adam(), adam(), latent_dim, seed=3, **arguments)
    run(loop, batches_of(data) * epochs)
    return loop


def run_both(generator, discriminator, latent_dim, adam, loss, schedule, run, epochs=1, **arguments):
    """Train the same players with kgan and by hand; return both."""
    data = pictures(generator.output_shape[1:], per_epoch=STEPS // epochs)
    players = generator, discriminator, latent_dim, adam
    return (
        train_kgan(*players, loss, schedule, data, epochs),
        train_by_hand(*players, run, data, epochs, **arguments),
    )


def assert_same(gan, loop):
    for name in ("generator", "discriminator", "d_opt", "g_opt"):
        ours, theirs = getattr(gan, name), getattr(loop, name)
        rounding = rounding_only(ours) if name in ("generator", "discriminator") else []
        for variable, a, b in zip(ours.variables, values(ours.variables), values(theirs.variables), strict=True):
            atol = 1e-5 if any(variable is one for one in rounding) else 1e-6
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=atol, err_msg=variable.path)


def rounding_only(model):
    """Biases of layers that BatchNormalization follows, and its moving mean, which sees them.

    It subtracts such a bias again, so the gradient is zero but for rounding, some 1e-9. Adam makes steps of some 1e-7 of
    that, different ones for each order of summation."""
    found = []
    for one, after in zip(model.layers, model.layers[1:], strict=False):
        if isinstance(after, keras.layers.BatchNormalization) and getattr(one, "bias", None) is not None:
            found += [one.bias, after.moving_mean]
    return found


def tutorial_adam():
    return keras.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.999)


def dense_a(**kwargs):
    return dense.generator((28, 28, 1), 100, **kwargs), dense.discriminator((28, 28, 1))


def dense_b():
    normal = keras.initializers.RandomNormal(stddev=0.02)
    generator = dense.generator((28, 28, 1), 100, units=(256, 512, 1024), batch_norm=False, kernel_initializer=normal)
    units = {"units": (1024, 512, 256), "dropout": 0.3, "kernel_initializer": "glorot_uniform"}
    return generator, dense.discriminator((28, 28, 1), **units)


def cross_entropy():
    """The loss of the texts. In softplus the same value is rounded otherwise, which a LeakyReLU can make visible."""
    return keras.losses.BinaryCrossentropy()


@pytest.mark.parametrize("loss", cases(["non_saturating"], ["keras"]))
def test_dense(loss):
    loss = cross_entropy() if loss == "keras" else loss
    assert_same(*run_both(*dense_a(), 100, tutorial_adam, loss, "simultaneous", simultaneous))


@pytest.mark.longer
def test_dense_saturating():
    assert_same(*run_both(*dense_a(), 100, tutorial_adam, "minimax", "simultaneous", simultaneous, saturating=True))


@pytest.mark.longer
@pytest.mark.parametrize("rule", cases([(5, True)], [(1, False), (1, True), (5, False)]))
def test_dense_alternating(rule):
    k, reuse = rule
    schedule = kgan.schedules.Alternating(d_steps=k, reuse_latents=reuse)
    players = dense_a(momentum=0.9)
    assert_same(*run_both(*players, 100, tutorial_adam, cross_entropy(), schedule, alternating(k, reuse)))


@pytest.mark.longer
def test_combined():
    assert_same(*run_both(*dense_b(), 100, tutorial_adam, cross_entropy(), "combined", combined))


def dcgan_players():
    return dcgan.generator((28, 28, 1), 100, filters=8), dcgan.discriminator((28, 28, 1), filters=8)


@pytest.mark.longer
def test_dcgan(float64):
    """In double precision: in single, a LeakyReLU makes visible how a machine's convolutions round."""
    adam = lambda: keras.optimizers.Adam(1e-4)  # noqa: E731
    assert_same(*run_both(*dcgan_players(), 100, adam, cross_entropy(), "simultaneous", simultaneous, from_logits=True))


@pytest.mark.slow  # what test_dcgan and test_each_rule_differs_from_every_other see together
def test_dcgan_periods(float64):
    arguments = {"epochs": 4, "from_logits": True}
    adam = lambda: keras.optimizers.Adam(1e-4)  # noqa: E731
    schedule = kgan.schedules.Periods(1, 1)
    assert_same(*run_both(*dcgan_players(), 100, adam, cross_entropy(), schedule, periods(STEPS // 4), **arguments))


@pytest.mark.longer
def test_each_rule_differs_from_every_other():
    """With BatchNormalization and dropout in both, no schedule may pass for another."""
    rules = {
        "simultaneous": (kgan.schedules.Simultaneous(), simultaneous),
        "alternating": (kgan.schedules.Alternating(), alternating()),
        "alternating, k = 5": (kgan.schedules.Alternating(5), alternating(5)),
        "alternating, latents reused": (kgan.schedules.Alternating(reuse_latents=True), alternating(reuse=True)),
        "combined": (kgan.schedules.Combined(), combined),
        "periods": (kgan.schedules.Periods(), periods(5)),
    }
    players = small_generator(), small_discriminator(), LATENT_DIM, tutorial_adam
    data = pictures((8, 8, 1), per_epoch=5)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    gans = {name: train_kgan(*players, loss, schedule, data, 2) for name, (schedule, _) in rules.items()}
    loops = {name: train_by_hand(*players, run, data, 2, from_logits=True) for name, (_, run) in rules.items()}
    for name, gan in gans.items():
        assert_same(gan, loops[name])
        for other, loop in loops.items():
            if other != name:
                with pytest.raises(AssertionError):
                    assert_same(gan, loop)
