"""The recipes of the classic methods: what each paper writes, by hand in numpy, against a round of training."""

import keras
import numpy as np
import pytest
from keras import ops

import kgan
from kgan.runner import build, recipes, schema
from tests.helpers import gradient, values

BATCH, LATENT_DIM, RATE = 6, 3, 0.1


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


def norms(critic, x):
    """Of the gradient of w . tanh(x W + b) + c by x, which is W (w (1 - tanh^2)), one for each point."""
    kernel, bias, last, _ = critic
    slopes = (1 - np.tanh(x @ kernel + bias) ** 2) * last[:, 0]
    return np.sqrt(((slopes @ kernel.T) ** 2).sum(axis=1))


def between(uniform):
    u = uniform(BATCH, 1)
    return lambda critic, real, fake: 10 * ((norms(critic, u * real + (1 - u) * fake) - 1) ** 2).mean()


def around(uniform):
    noise, u = uniform(BATCH, 2), uniform(BATCH, 1)
    return lambda critic, real, fake: 10 * ((norms(critic, real + 0.5 * u * real.std() * noise) - 1) ** 2).mean()


def on_both_sides(uniform):  # gamma begins at 0.05
    return lambda critic, real, fake: 0.05 / 2 * ((norms(critic, real) ** 2).mean() + (norms(critic, fake) ** 2).mean())


def nowhere(uniform):
    return lambda critic, real, fake: 0.0


# recipe: losses of D and G by r = D(real) and f = D(fake), D's penalty, its updates for one of G, the bound of its weights
PAPERS = {
    "wgan": (lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean(), nowhere, 5, 0.01),  # arXiv:1701.07875
    "wgan-gp": (lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean(), between, 5, None),  # arXiv:1704.00028
    "lsgan": (  # arXiv:1611.04076
        lambda r, f: ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2,
        lambda r, f: ((f - 1) ** 2).mean() / 2,
        nowhere,
        1,
        None,
    ),
    "dragan": (  # arXiv:1705.07215
        lambda r, f: -log_sigmoid(r).mean() - log_sigmoid(-f).mean(),
        lambda r, f: -log_sigmoid(f).mean(),
        around,
        1,
        None,
    ),
    "hinge-sngan": (  # arXiv:1802.05957
        lambda r, f: -np.minimum(0, r - 1).mean() - np.minimum(0, -f - 1).mean(),
        lambda r, f: -f.mean(),
        nowhere,
        5,
        None,
    ),
    "relativistic": (  # arXiv:1807.00734
        lambda r, f: -log_sigmoid(r - f).mean(),
        lambda r, f: -log_sigmoid(f - r).mean(),
        between,
        1,
        None,
    ),
    "r3gan": (  # arXiv:2501.05441
        lambda r, f: -log_sigmoid(r - f).mean(),
        lambda r, f: -log_sigmoid(f - r).mean(),
        on_both_sides,
        1,
        None,
    ),
}


def forward(weights, x):
    kernel, bias, last, offset = weights
    return np.tanh(x @ kernel + bias) @ last + offset


def descended(weights, slopes):
    return [array - RATE * slope for array, slope in zip(weights, slopes, strict=True)]


def rules(name):
    given = recipes.read(name)
    recipe = schema.validate(given)
    return recipe, build.build_rules(recipe, given)


def trained_by_hand(name, generator, critic, batches, normal, uniform):
    """As many updates of D as the paper has for one of G, then that one; returns weights and the last losses."""
    d_loss, g_loss, penalty, d_steps, bound = PAPERS[name]
    for real in batches[:d_steps]:
        fake = forward(generator, normal())
        strict = penalty(uniform)

        def objective(critic, real=real, fake=fake, strict=strict):
            return d_loss(forward(critic, real), forward(critic, fake)) + strict(critic, real, fake)

        before = d_loss(forward(critic, real), forward(critic, fake))
        penalized = strict(critic, real, fake)
        critic = descended(critic, gradient(objective, critic))
        if bound:
            critic = [np.clip(array, -bound, bound) for array in critic]
    latents = normal()

    def deceit(generator):
        return g_loss(forward(critic, real), forward(critic, forward(generator, latents)))

    after = deceit(generator)
    generator = descended(generator, gradient(deceit, generator))
    return generator, critic, {"d_loss": before, "g_loss": after, "penalty": penalized}


def player(inputs, hidden, outputs):
    stack = [keras.Input((inputs,)), keras.layers.Dense(hidden, activation="tanh"), keras.layers.Dense(outputs)]
    return keras.Sequential(stack)


@pytest.mark.parametrize("name", PAPERS)
def test_a_round_of_training_is_the_papers(name, float64):
    _, method = rules(name)
    rng = np.random.default_rng(2)
    batches = list(rng.normal(0.4, 1.0, (5, BATCH, 2)))
    gan = kgan.GAN(player(LATENT_DIM, 4, 2), player(2, 5, 1), LATENT_DIM, seed=3)
    scale = 0.012 if method["tricks"] else 0.8  # so that some weights are clipped, and some not
    for variable in gan.discriminator.weights:
        variable.assign(rng.normal(0.0, scale, variable.shape))
    sgd = {"d_opt": keras.optimizers.SGD(RATE), "g_opt": keras.optimizers.SGD(RATE)}
    gan.compile(**{**method, **sgd})
    players = values(gan.generator.weights), values(gan.discriminator.weights)
    latent_seeds, penalty_seeds = keras.random.SeedGenerator(0), keras.random.SeedGenerator(0)
    latent_seeds.state.assign(gan.latent_seeds.state)
    penalty_seeds.state.assign(gan.penalty_seeds.state)
    generator, critic, losses = trained_by_hand(
        name,
        *players,
        batches,
        lambda: ops.convert_to_numpy(keras.random.normal((BATCH, LATENT_DIM), seed=latent_seeds)),
        lambda *shape: ops.convert_to_numpy(keras.random.uniform(shape, seed=penalty_seeds)),
    )
    for real in batches[: PAPERS[name][3]]:
        gan.reset_metrics()
        logs = gan.train_on_batch(real, return_dict=True)
    for ours, theirs, before in zip(
        [*values(gan.generator.weights), *values(gan.discriminator.weights)],
        [*generator, *critic],
        [*players[0], *players[1]],
        strict=True,
    ):
        np.testing.assert_allclose(ours - before, theirs - before, rtol=1e-5, atol=1e-9)
    assert float(logs["d_loss"]) == pytest.approx(losses["d_loss"], rel=1e-5)
    assert float(logs["g_loss"]) == pytest.approx(losses["g_loss"], rel=1e-5)
    logged = sum(float(logs[penalty.name]) for penalty in gan.rules.penalties)
    assert logged == pytest.approx(losses["penalty"], rel=1e-5) and (logged > 1e-3 or not gan.rules.penalties)
    if gan.rules.tricks:
        bounded = [np.abs(array) == 0.01 for array in values(gan.discriminator.weights)]
        assert any(array.any() for array in bounded) and not all(array.all() for array in bounded)


# recipe: the optimizer of both players; its first rate, and beta_1 and beta_2
NUMBERS = {
    "wgan": ("RMSprop", 5e-5, None),
    "wgan-gp": ("Adam", 1e-4, (0.0, 0.9)),
    "lsgan": ("Adam", 2e-4, (0.5, 0.999)),
    "dragan": ("Adam", 2e-4, (0.5, 0.999)),
    "hinge-sngan": ("Adam", 2e-4, (0.0, 0.9)),
    "relativistic": ("Adam", 2e-4, (0.5, 0.999)),
    "r3gan": ("Adam", 2e-4, None),
    "pacgan": ("Adam", 2e-4, (0.5, 0.999)),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_the_papers(name):
    recipe, method = rules(name)
    kind, rate, betas = NUMBERS[name]
    for optimizer in (method["d_opt"], method["g_opt"]):
        assert type(optimizer).__name__ == kind
        assert float(ops.convert_to_numpy(optimizer.learning_rate)) == pytest.approx(rate)
        assert betas in (None, (getattr(optimizer, "beta_1", None), getattr(optimizer, "beta_2", None)))
    assert getattr(recipe.discriminator, "spectral_norm", False) == (name == "hinge-sngan")
    assert recipe.pack == (2 if name == "pacgan" else 1)
    assert getattr(recipe.discriminator, "dropout", 0) == 0


def test_r3gan_burns_in():
    """gamma, the rate and beta_2 go along half a period of a cosine; there is no beta_1."""
    _, method = rules("r3gan")
    for optimizer in (method["d_opt"], method["g_opt"]):
        assert optimizer.beta_1 == 0
        assert [float(optimizer.beta_2(step)) for step in (0, 2000, 4000)] == pytest.approx([0.9, 0.945, 0.99])
        rates = [float(optimizer._learning_rate(step)) for step in (0, 2000, 9000)]
        assert rates == pytest.approx([2e-4, 1.25e-4, 5e-5])
    for penalty in method["penalties"]:
        assert [float(penalty.weight(step)) for step in (0, 2000, 4000)] == pytest.approx([0.05, 0.0275, 0.005])


def test_the_rate_of_sngan_falls_to_zero_with_the_run():
    """In a straight line, of each player by its own updates."""
    recipe, method = rules("hinge-sngan")
    for optimizer, updates in ((method["d_opt"], recipe.steps), (method["g_opt"], recipe.steps // 5)):
        rates = [float(optimizer._learning_rate(step)) for step in (0, updates // 2, updates)]
        assert rates == pytest.approx([2e-4, 1e-4, 0.0])
