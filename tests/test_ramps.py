"""Numbers that change while a GAN trains: by hand, in a hand-written loop, saved, in recipes."""

import json
import math

import jsonschema
import keras
import numpy as np
import pytest
from keras.optimizers.schedules import ExponentialDecay
from rich.console import Console

import kgan
from kgan.ramps import Constant, Cosine, Linear
from kgan.runner import recipes, run, schema
from kgan.runner.errors import RecipeError
from tests.helpers import LATENT_DIM, assert_close, compiled, largest_difference, small_gan, state, values
from tests.recipe_helpers import check


def at(ramp, step):
    return float(values([ramp(step)])[0])


def by_hand(start, end, steps, step):
    """Of a cosine."""
    return start + (1 - math.cos(math.pi * min(step / steps, 1))) / 2 * (end - start)


def test_values():
    up, down = Linear(0.5, 0.9, 4), Cosine(20, 2, 8)
    assert [at(up, step) for step in (0, 1, 2, 4, 5, 10**6)] == pytest.approx([0.5, 0.6, 0.7, 0.9, 0.9, 0.9])
    quarter = 20 - 18 * (1 - math.sqrt(0.5)) / 2
    assert [at(down, step) for step in (0, 2, 4, 8, 9)] == pytest.approx([20, quarter, 11, 2, 2])
    assert at(down, keras.Variable(2, dtype="int32", trainable=False)) == pytest.approx(quarter)
    later = Linear(0.9, 0.5, 4, begin=10)
    assert [at(later, step) for step in (0, 10, 11, 14, 99)] == pytest.approx([0.9, 0.9, 0.8, 0.5, 0.5])
    assert at(Cosine(20, 2, 8, 10), 14) == pytest.approx(11) and at(Cosine(20, 2, 8, 10), 10) == 20
    assert Linear.from_config(later.get_config()).begin == 10 and "begin" not in up.get_config()
    assert at(Linear(0.1, 0.7, 3), 3) == np.float32(0.7) and at(Cosine(0.1, 0.7, 3), 7) == np.float32(0.7)


def test_they_are_learning_rates_too(images):
    gan = compiled(d_opt=keras.optimizers.SGD(Linear(1.0, 0.0, 4)))
    rates = []
    for _ in range(5):
        rates.append(float(values([gan.d_opt.learning_rate])[0]))
        gan.train_on_batch(images)
    assert rates == pytest.approx([1.0, 0.75, 0.5, 0.25, 0.0])


def player(inputs, outputs):
    dense = keras.layers.Dense
    return keras.Sequential([keras.Input((inputs,)), dense(7, activation="tanh"), dense(outputs)])


def points_gan(**kwargs):
    return compiled(
        small_gan(generator=lambda: player(LATENT_DIM, 2), discriminator=lambda: player(2, 1), seed=3), **kwargs
    )


BETA, WEIGHT, DECAY = (0.9, 0.99, 12), (4.0, 0.5, 8), (0.2, 0.8, 6)


def scheduled_gan():
    adam = {name: keras.optimizers.Adam(1e-2, beta_1=0.5, beta_2=Cosine(*BETA)) for name in ("d_opt", "g_opt")}
    return points_gan(**adam, penalties=[kgan.penalties.R1(Cosine(*WEIGHT))], ema=Linear(*DECAY))


def points(batches=10):
    return np.random.default_rng(0).normal(size=(batches * 8, 2)).astype("float32")


class HandAdam:
    """Adam in numpy, its bias correction by the betas of the step (arXiv:1412.6980, the order before section 2.1)."""

    def __init__(self, weights):
        self.m, self.v = ([np.zeros_like(weight) for weight in weights] for _ in range(2))

    def update(self, weights, gradients, step):
        beta_1, beta_2 = 0.5, by_hand(*BETA, step)
        for index, gradient in enumerate(gradients):
            self.m[index] = beta_1 * self.m[index] + (1 - beta_1) * gradient
            self.v[index] = beta_2 * self.v[index] + (1 - beta_2) * gradient**2
            rate = 1e-2 * np.sqrt(1 - beta_2 ** (step + 1)) / (1 - beta_1 ** (step + 1))
            weights[index] = weights[index] - rate * self.m[index] / (np.sqrt(self.v[index]) + 1e-7)


def forward(weights, x):
    hidden = np.tanh(x @ weights[0] + weights[1])
    return hidden, hidden @ weights[2] + weights[3]


def backward(weights, x, hidden, upstream):
    """Gradients by the weights, and by x."""
    inside = (upstream @ weights[2].T) * (1 - hidden**2)
    by_weights = [x.T @ inside, inside.sum(0), hidden.T @ upstream, upstream.sum(0)]
    return by_weights, inside @ weights[0].T


def r1(weights, real):
    """E ||grad_x D(x)||^2 / 2 of D(x) = tanh(x A + a) b + c, and its gradient by A, a, b, c."""
    A, a, b, _ = weights
    n, hidden = len(real), np.tanh(real @ A + a)
    slope = 1 - hidden**2  # tanh'
    gradient = (slope * b[:, 0]) @ A.T
    along = gradient @ A  # of each hidden unit
    bent = along * b[:, 0] * -2 * hidden * slope  # tanh'' = -2 tanh tanh'
    by_A = gradient.T @ (slope * b[:, 0]) + real.T @ bent
    by_b = (along * slope).sum(0)[:, None]
    return (gradient**2).sum(1).mean() / 2, [by_A / n, bent.sum(0) / n, by_b / n, np.zeros(1)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_r1_by_hand_is_right():
    """The formulas above, against differences."""
    weights = [weight.astype("float64") for weight in player(2, 1).get_weights()]
    real = points(1).astype("float64")
    _, gradients = r1(weights, real)
    for weight, gradient in zip(weights, gradients, strict=True):
        for index in np.ndindex(weight.shape):
            kept = weight[index]
            sides = []
            for move in (1e-5, -1e-5):
                weight[index] = kept + move
                sides.append(r1(weights, real)[0])
            weight[index] = kept
            assert gradient[index] == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=1e-7)


def test_training_is_that_of_a_loop_by_hand():
    """In numpy and float64: ten steps on points with scheduled beta_2, R1 and average."""
    gan = scheduled_gan()
    G, D = (
        [weight.astype("float64") for weight in model.get_weights()] for model in (gan.generator, gan.discriminator)
    )
    average, g_adam, d_adam = list(G), HandAdam(G), HandAdam(D)
    seeds = keras.random.SeedGenerator(3)
    for step in range(10):
        real = points()[8 * step : 8 * step + 8]
        z = values([keras.random.normal((8, LATENT_DIM), seed=seeds)])[0]
        g_hidden, fake = forward(G, z)
        real_hidden, real_logits = forward(D, real)
        fake_hidden, fake_logits = forward(D, fake)
        on_real, _ = backward(D, real, real_hidden, -sigmoid(-real_logits) / 8)
        on_fake, _ = backward(D, fake, fake_hidden, sigmoid(fake_logits) / 8)
        _, of_r1 = r1(D, real)
        d_gradients = [a + b + by_hand(*WEIGHT, step) * c for a, b, c in zip(on_real, on_fake, of_r1, strict=True)]
        _, by_fake = backward(D, fake, fake_hidden, -sigmoid(-fake_logits) / 8)
        g_gradients, _ = backward(G, z, g_hidden, by_fake)
        d_adam.update(D, d_gradients, step)
        g_adam.update(G, g_gradients, step)
        start, end, steps = DECAY
        decay = start + min((step + 1) / steps, 1) * (end - start)
        average = [decay * mean + (1 - decay) * weight for mean, weight in zip(average, G, strict=True)]
    history = gan.fit(points(), batch_size=8, shuffle=False, verbose=0).history
    for model, weights in ((gan.generator, G), (gan.discriminator, D), (gan.ema_generator, average)):
        assert_close(values(model.weights), weights, rtol=1e-5, atol=1e-5)
    logged = {name: history[name][0] for name in ("d_opt_beta_2", "g_opt_beta_2", "r1_weight", "ema")}
    beta = by_hand(*BETA, 10)
    assert logged == pytest.approx({"d_opt_beta_2": beta, "g_opt_beta_2": beta, "r1_weight": 0.5, "ema": 0.8})
    assert history["r1"][0] > 0


def test_what_is_constant_is_as_a_number():
    """Or a ramp from a value to itself; and the optimizer has its schedule back after each step."""
    beta = Cosine(0.95, 0.95, 3)
    adams = [{name: keras.optimizers.Adam(1e-2, beta_2=one) for name in ("d_opt", "g_opt")} for one in (0.95, beta)]
    trained = []
    for adam, weight in zip(adams, (2.0, Constant(2.0)), strict=True):
        keras.utils.set_random_seed(1)
        gan = points_gan(**adam, penalties=[kgan.penalties.R1(weight), kgan.penalties.R2(weight, every=2)])
        gan.fit(points(), batch_size=8, shuffle=False, verbose=0)
        trained.append(state(gan))
    for name, arrays in trained[0].items():
        assert_close(arrays, trained[1][name], rtol=1e-5, atol=1e-6)
    assert adams[1]["d_opt"].beta_2 is beta and gan.rules.penalties[0].weight is weight


def test_keras_schedules_are_taken_too():
    gan = points_gan(penalties=[kgan.penalties.R1(ExponentialDecay(8.0, 1, 0.5))], ema=ExponentialDecay(0.8, 1, 0.5))
    logs = [gan.train_on_batch(points(1), return_dict=True) for _ in range(3)]
    assert [float(log["r1_weight"]) for log in logs] == pytest.approx([4, 2, 1])
    assert [float(log["ema"]) for log in logs] == pytest.approx([0.4, 0.2, 0.1])


def test_it_is_saved_and_goes_on(tmp_path):
    straight = scheduled_gan()
    straight.fit(points(4), batch_size=8, shuffle=False, verbose=0)
    straight.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    assert again.get_compile_config() == straight.get_compile_config()
    assert (
        isinstance(again.g_opt.beta_2, Cosine) and again.g_opt.beta_2.get_config() == straight.g_opt.beta_2.get_config()
    )
    for gan in (straight, again):
        gan.fit(points(4), batch_size=8, shuffle=False, verbose=0)
    assert largest_difference(state(straight), state(again)) <= (1e-6 if keras.backend.backend() == "torch" else 0)


def test_any_number_of_an_optimizer_may_change(tmp_path):
    def made():
        optimizers = {name: keras.optimizers.RMSprop(1e-3, rho=Linear(0.9, 0.99, 8)) for name in ("d_opt", "g_opt")}
        return points_gan(**optimizers)

    gan = made()
    gan.fit(points(4), batch_size=8, shuffle=False, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    for one in (gan, again):
        one.fit(points(4), batch_size=8, shuffle=False, verbose=0)
    assert isinstance(again.d_opt.rho, Linear)
    assert largest_difference(state(gan), state(again)) <= (1e-6 if keras.backend.backend() == "torch" else 0)


def test_the_loss_scale_optimizer_passes_them_on():
    inner = keras.optimizers.Adam(1e-2, beta_2=Cosine(*BETA))
    gan = points_gan(d_opt=keras.optimizers.LossScaleOptimizer(inner, initial_scale=8.0))
    plain = points_gan(d_opt=keras.optimizers.Adam(1e-2, beta_2=Cosine(*BETA)))
    for mine, other in zip(gan.weights, plain.weights, strict=True):
        other.assign(values([mine])[0])
    for one in (gan, plain):
        one.fit(points(4), batch_size=8, shuffle=False, verbose=0)
    assert_close(values(gan.weights), values(plain.weights), rtol=1e-4, atol=1e-5)
    assert inner.beta_2.get_config() == plain.d_opt.beta_2.get_config()


RECIPE = """\
data: {name: digits, batch_size: 64}
generator: {name: dense, units: [8]}
discriminator: {name: dense, units: [8]}
penalties: [{name: r1, weight: {name: burn_in, start: 20, end: 2, steps: 4}}]
ema: {name: linear, start: 0.5, end: 0.9, steps: 4}
optimizers:
  discriminator: {name: adam, beta_2: {name: cosine, start: 0.9, end: 0.99, steps: 4}}
  generator: {name: adam, learning_rate: {name: linear, start: 0.01, end: 0.0, steps: 4}}
steps: 2
"""


def test_a_recipe(tmp_path):
    path = tmp_path / "ramps.yaml"
    path.write_text(RECIPE)
    given = recipes.read(path)
    recipe = schema.validate(given)
    jsonschema.Draft202012Validator(schema.json_schema()).validate(recipe.model_dump(mode="json"))
    directory = run.train(recipe, given, tmp_path / "run", Console(quiet=True))
    [row] = [json.loads(line) for line in (directory / "log.jsonl").read_text().splitlines()]
    found = {name: row[name] for name in ("r1_weight", "ema", "d_opt_beta_2")}
    assert found == pytest.approx({"r1_weight": 11, "ema": 0.7, "d_opt_beta_2": 0.945})
    gan = kgan.load(next((directory / "checkpoints").iterdir()))
    assert float(values([gan.g_opt.learning_rate])[0]) == pytest.approx(0.005)
    assert check(recipes.dump(recipe.model_dump(mode="json"))).model_dump() == recipe.model_dump()


def test_an_optimizer_that_takes_no_schedule(tmp_path):
    path = tmp_path / "lion.yaml"
    path.write_text(RECIPE.replace("name: adam, beta_2", "name: lion, beta_1"))
    given = recipes.read(path)
    with pytest.raises(RecipeError, match=r"discriminator.beta_1: `beta_1` of lion must be a number, not a schedule"):
        run.train(schema.validate(given), given, tmp_path / "run", Console(quiet=True))


@pytest.mark.parametrize(
    "make, expected",
    [
        (lambda: Linear("0", 1.0, 3), "`start` of Linear must be a number. Received: '0'"),
        (lambda: Cosine(0.0, math.inf, 3), "`end` of Cosine must be a number. Received: inf"),
        (lambda: Cosine(0.0, 1.0, 0), "`steps` of Cosine must be an integer >= 1. Received: 0"),
        (lambda: Linear(0.0, 1.0, 2, -1), "`begin` of Linear must be an integer >= 0. Received: -1"),
        (lambda: Cosine(0.0, 1.0, 2.0), "`steps` of Cosine must be an integer >= 1. Received: 2.0"),
        (
            lambda: kgan.penalties.R1(Linear(-1.0, 1.0, 3)),
            "`weight` of R1 must be a number >= 0. Received: Linear(start=-1.0, end=1.0, steps=3)",
        ),
        (
            lambda: compiled(ema=Linear(0.5, 1.0, 3)),
            "`ema` must be a decay between 0 and 1, such as 0.999, a schedule of one, or None. "
            "Received: Linear(start=0.5, end=1.0, steps=3)",
        ),
        (
            lambda: compiled(d_opt=keras.optimizers.Adam(beta_1=Cosine(0.5, 1.0, 3))),
            "`beta_1` of `d_opt` must stay in [0, 1). Received: Cosine(start=0.5, end=1.0, steps=3)",
        ),
        (
            lambda: compiled(d_opt=keras.optimizers.Adam(Linear(-1.0, 1.0, 3))),
            "`learning_rate` of `d_opt` must stay >= 0, and not be 0 throughout. "
            "Received: Linear(start=-1.0, end=1.0, steps=3)",
        ),
        (
            lambda: compiled(d_opt=keras.optimizers.Adam(Linear(0.0, 0.0, 3))),
            "`learning_rate` of `d_opt` must stay >= 0, and not be 0 throughout. "
            "Received: Linear(start=0.0, end=0.0, steps=3)",
        ),
        (
            lambda: compiled(d_opt=keras.optimizers.Adam(clipnorm=Linear(1.0, 2.0, 3))),
            "`clipnorm` of `d_opt` must be a number, not a schedule. Received: Linear(start=1.0, end=2.0, steps=3)",
        ),
        (
            lambda: kgan.tricks.WeightClip(Linear(1.0, 2.0, 3)),
            "`bound` of WeightClip must be a number > 0. Received: Linear(start=1.0, end=2.0, steps=3)",
        ),
    ],
)
def test_wrong_ramps(make, expected):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == expected


def test_numbers_of_numpy_are_numbers():
    ramp = Linear(np.float32(1), np.int64(0), np.int64(4))
    assert [float(ramp(step)) for step in (0, 1, 4)] == [1.0, 0.75, 0.0]
    compiled(
        ema=np.float32(0.5),
        tricks=[kgan.tricks.InstanceNoise(np.float32(0.1), np.int64(10)), kgan.tricks.WeightClip(np.float32(0.1))],
    )
    assert kgan.penalties.R1(np.float32(10)).weight == 10


def test_a_ramp_without_a_share():
    with pytest.raises(NotImplementedError, match=r"Half does not define `share\(done\)`"):
        type("Half", (kgan.ramps.Ramp,), {})(0.0, 1.0, 2)(1)
