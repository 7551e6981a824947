"""Penalties against finite differences in float64, with BatchNormalization and dropout in the discriminator."""

import keras
import numpy as np
import pytest
from keras import ops

import kgan
from kgan import backend
from kgan.penalties import PENALTIES
from tests.helpers import assert_close, cases, compiled, in_a_step, small_gan, state, values


def critic_with_everything():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((3, 3, 1)),
            layers.Flatten(),
            layers.Dense(7, activation="tanh"),
            layers.BatchNormalization(),
            layers.Dropout(0.4, seed=11),
            layers.Dense(5, activation="softplus"),
            layers.Dense(1),
        ]
    )


class Scene:
    """A discriminator and the data that its penalty is taken on; each call starts from the same seeds and statistics."""

    def __init__(self, penalty):
        rng = np.random.default_rng(3)
        self.penalty = penalty
        self.real, self.fake = rng.normal(size=(2, 4, 3, 3, 1))
        self.model = critic_with_everything()
        for variable in self.model.trainable_variables:
            variable.assign(rng.normal(0.0, 0.6, variable.shape))
        self.seed = keras.random.SeedGenerator(5)
        self.fixed = [*self.model.non_trainable_variables, self.seed.state]
        self.start = [ops.copy(variable) for variable in self.fixed]

    def reset(self):
        for variable, value in zip(self.fixed, self.start, strict=True):
            variable.assign(value)

    def logits(self, images):
        """By a plain forward pass with the dropout of the first call."""
        self.reset()
        return values([self.model(ops.convert_to_tensor(images), training=True)])[0]

    def value_and_gradients(self):
        """The penalty and its gradient by the discriminator's weights, as a training step takes them."""
        self.reset()
        variables = self.model.trainable_variables
        tracked = [*self.model.variables, self.seed.state]

        def run():
            def losses():
                value = self.penalty(
                    lambda images: self.model(images, training=True),
                    ops.convert_to_tensor(self.real),
                    ops.convert_to_tensor(self.fake),
                    self.seed,
                )
                return [value], value

            value, (gradients,) = backend.gradients(losses, [variables])
            return value, gradients

        value, gradients = in_a_step(run, tracked)
        # a bias that only shifts the logits has none
        zero = [np.zeros(variable.shape) for variable in variables]
        return float(values([value])[0]), [
            z if g is None else ops.convert_to_numpy(g) for g, z in zip(gradients, zero, strict=True)
        ]

    def numeric_input_gradient(self, images, step=1e-5):
        gradient = np.zeros_like(images)
        for index in np.ndindex(images.shape):
            moved = images.copy()
            moved[index] += step
            above = self.logits(moved).sum()
            moved[index] -= 2 * step
            gradient[index] = (above - self.logits(moved).sum()) / (2 * step)
        return gradient

    def norms(self, images):
        """Of the gradients by the images, one for each."""
        return np.sqrt((self.numeric_input_gradient(images) ** 2).sum((1, 2, 3)))

    def uniform(self, *shape):
        return ops.convert_to_numpy(keras.random.uniform(shape, seed=self.seed))


def between(scene):
    scene.reset()
    u = scene.uniform(4, 1, 1, 1)
    return u * scene.real + (1 - u) * scene.fake


def around(scene):
    scene.reset()
    noise, u = scene.uniform(4, 3, 3, 1), scene.uniform(4, 1, 1, 1)
    return scene.real + u * 0.5 * scene.real.std() * noise


# name: the formula without its weight, by finite differences
BY_HAND = {
    "r1": lambda scene: (scene.norms(scene.real) ** 2).mean() / 2,
    "r2": lambda scene: (scene.norms(scene.fake) ** 2).mean() / 2,
    "gradient_penalty": lambda scene: ((scene.norms(between(scene)) - 1) ** 2).mean(),
    "dragan": lambda scene: ((scene.norms(around(scene)) - 1) ** 2).mean(),
    "drift": lambda scene: (scene.logits(scene.real) ** 2).mean(),
}

OF_ANY_DISCRIMINATOR = [name for name in PENALTIES if name != "reconstruction"]  # which tests/test_fastgan.py computes


@pytest.mark.parametrize("name", OF_ANY_DISCRIMINATOR)
def test_value(name, float64):
    scene = Scene(PENALTIES[name](weight=3.0))
    value, _ = scene.value_and_gradients()
    assert value == pytest.approx(3.0 * BY_HAND[name](scene), rel=1e-6)
    assert value > 0.01


def test_a_penalty_can_be_called_by_hand():
    """Outside of any training step, on JAX too: D(x) = 3 x, whose gradient has norm 3."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.layers[-1].kernel.assign([[3.0]])
    value = kgan.penalties.R1(10.0)(model, ops.ones((4, 1)), None, None)
    assert float(values([value])[0]) == pytest.approx(10 * 9 / 2)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow's branches under XLA")
@pytest.mark.parametrize("what", cases([], ["pack", "attention"]))
def test_lazy_penalties_under_xla(images, what):
    """XLA cannot differentiate a transpose that stands within the branch of the step that is due."""
    extra, packs = ({"attention": 4}, {}) if what == "attention" else ({}, {"pack": 2})
    logged = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(1)
        player = kgan.architectures.dcgan.discriminator((8, 8, 2 if packs else 1), filters=4, dropout=0.0, **extra)
        gan = compiled(
            small_gan(discriminator=player, **packs),
            penalties=[PENALTIES["r1"](1.0, 2)],
            augment="diff_augment" if packs else None,
            jit_compile=jit_compile,
        )
        logged.append([float(gan.train_on_batch(images[:8], return_dict=True)["r1"]) for _ in range(3)])
    assert [[value > 1e-3 for value in run] for run in logged] == [[True, False, True]] * 2
    if what == "attention":  # for an augmentation XLA draws other numbers; Adam amplifies what is rounded otherwise
        assert logged[1] == pytest.approx(logged[0], rel=0.02)


@pytest.mark.parametrize("name", OF_ANY_DISCRIMINATOR)
def test_gradient(name, float64):
    """The derivative of the penalty by every weight, a second derivative of the network, for three entries of each."""
    scene = Scene(PENALTIES[name](weight=3.0))
    _, gradients = scene.value_and_gradients()
    step, checked = 1e-5, 0
    for variable, gradient in zip(scene.model.trainable_variables, gradients, strict=True):
        start = values([variable])[0]
        for flat in range(0, start.size, max(1, start.size // 3)):
            index = np.unravel_index(flat, start.shape)
            sides = []
            for sign in (1, -1):
                moved = start.copy()
                moved[index] += sign * step
                variable.assign(moved)
                sides.append(scene.value_and_gradients()[0])
            variable.assign(start)
            assert gradient[index] == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=1e-5, abs=1e-7), (
                variable.path
            )
            checked += 1
    assert checked > 20


def test_a_flat_discriminator_has_no_nan():
    """The root of the gradient penalty has an infinite slope where the gradient is zero."""
    last = keras.layers.Dense(1, kernel_initializer="zeros")
    flat = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), last])
    gan = compiled(small_gan(discriminator=flat), penalties=[kgan.penalties.GradientPenalty(10.0)])
    logs = gan.train_on_batch(np.zeros((4, 8, 8, 1), "float32"), return_dict=True)
    assert float(logs["gradient_penalty"]) == pytest.approx(10.0, rel=1e-5)
    assert all(np.isfinite(array).all() for array in values(gan.variables))


@pytest.mark.usefixtures("eagerly")
def test_penalties_are_logged_by_name_and_not_in_the_loss(images):
    seen = {}
    for weight in (0.0, 5.0):
        keras.utils.set_random_seed(1)
        gan = compiled(penalties=[kgan.penalties.R1(weight)])
        seen[weight] = gan.train_on_batch(images, return_dict=True)
    assert float(seen[0.0]["r1"]) == 0.0 < float(seen[5.0]["r1"])
    assert float(seen[0.0]["d_loss"]) == pytest.approx(float(seen[5.0]["d_loss"]))
    assert "r1" not in gan.evaluate(images, verbose=0, return_dict=True)


@pytest.mark.parametrize("name", OF_ANY_DISCRIMINATOR)
def test_contract(name):
    penalty = kgan.penalties.get(name)
    assert penalty.name == name
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(type(penalty)(2.5, every=4)))
    assert type(again) is type(penalty) and again.get_config() == {"weight": 2.5, "every": 4}


def test_no_penalty_may_be_none():
    assert compiled(penalties=None).rules.penalties == ()


@pytest.mark.parametrize(
    "given, message",
    [
        (kgan.penalties.R1, "A penalty must be a name of kgan.penalties or an object .* Received: <class"),
        (["l2"], "Unknown penalty 'l2'. Known are: dragan, drift, gradient_penalty, r1, r2"),
        ([3], "A penalty must be a name of kgan.penalties or an object .* Received: 3"),
        (["r1", kgan.penalties.R1(1.0)], "`penalties` must differ.* Received 'r1' twice"),
    ],
)
def test_wrong_penalties(given, message):
    with pytest.raises(ValueError, match=message):
        compiled(penalties=given)


@pytest.mark.parametrize("weight", [-1.0, "10", None, True])
def test_wrong_weights(weight):
    with pytest.raises(ValueError, match="`weight` of R1 must be a number >= 0. Received:"):
        kgan.penalties.R1(weight)


@pytest.mark.parametrize("every", [0, 2.0, True])
def test_wrong_intervals(every):
    with pytest.raises(ValueError, match="`every` of R2 must be an integer >= 1. Received:"):
        kgan.penalties.R2(every=every)


@pytest.mark.longer
@pytest.mark.parametrize("schedule", cases([kgan.schedules.Alternating(2)], ["combined", "simultaneous"]))
def test_lazy_penalties_are_a_plain_loop_with_an_if(images, schedule):
    """All variables and slots after 10 steps, of which every n-th adds the penalty n times; and what is logged."""
    lazy = {"r1": 4, "gradient_penalty": 3}

    def trained(**kwargs):
        keras.utils.set_random_seed(1)
        return compiled(schedule=schedule, **kwargs)

    plain = trained(penalties=[PENALTIES[name](1.0 * every) for name, every in lazy.items()], run_eagerly=True)
    penalties, logged = plain.rules.penalties, {name: [] for name in lazy}
    for step in range(10):
        plain.rules.penalties = [one for one in penalties if step % lazy[one.name] == 0]
        logs = plain.train_on_batch(images[4 * step : 4 * step + 4], return_dict=True)
        for one in plain.rules.penalties:
            logged[one.name].append(float(logs[one.name]) / lazy[one.name])
    at_once = 1 if keras.backend.backend() == "torch" else 5
    gan = trained(penalties=[PENALTIES[name](1.0, every) for name, every in lazy.items()], steps_per_execution=at_once)
    history = gan.fit(images, batch_size=4, shuffle=False, verbose=0).history
    plain.epochs.assign(1)  # which fit counts
    for name, arrays in state(gan).items():
        assert_close(arrays, state(plain)[name], rtol=1e-4, atol=1e-5 if name == "variables" else 1e-4)
    for name, terms in logged.items():
        assert history[name][0] == pytest.approx(np.mean(terms), rel=1e-4)


def test_a_lazy_penalty_under_gradient_accumulation_belongs_to_whole_updates(images):
    """With two batches to an update and every=2, batches 0, 1 and 4, 5 and 8, 9 have it."""
    gan = compiled(
        penalties=[kgan.penalties.R1(1.0, every=2)], d_opt=keras.optimizers.SGD(1e-3, gradient_accumulation_steps=2)
    )
    counts = []
    for step in range(10):
        gan.train_on_batch(images[4 * step : 4 * step + 4])
        seen = gan.logs.metrics[0].count  # of images behind each log
        counts.append(int(values([seen])[0][gan.logs.all_names.index("r1")]))
    assert counts == [4, 4, 0, 0, 4, 4, 0, 0, 4, 4]


def test_a_lazy_penalty_is_logged_in_the_generators_period_too(images):
    gan = compiled(schedule="periods", penalties=[kgan.penalties.R1(1.0, every=3)])
    assert all(value > 0.0 for value in gan.fit(images, batch_size=10, epochs=2, verbose=0).history["r1"])
