"""What every schedule keeps: who moves, who does not, what is reported."""

import keras
import numpy as np
import pytest

import kgan
from kgan.penalties import PENALTIES
from kgan.schedules import SCHEDULES, Alternating, Combined, Periods, Simultaneous
from tests import regularized
from tests.brought import brings
from tests.helpers import (
    assert_close,
    compiled,
    largest_difference,
    small_discriminator,
    small_gan,
    softplus,
    values,
)

LOGS = {"d_loss", "g_loss", "d_real_accuracy", "d_fake_accuracy", "g_accuracy", "d_real_loss", "d_fake_loss"}


def steps_per_execution(count):
    return 1 if keras.backend.backend() == "torch" else count


@pytest.mark.parametrize("spe", [1, 3])
@pytest.mark.parametrize(
    "schedule, d_updates, g_updates",
    [(Simultaneous(), 23, 23), (Alternating(), 23, 23), (Alternating(5), 23, 4), (Combined(), 46, 23)],
)
def test_counts_of_updates(images, schedule, d_updates, g_updates, spe):
    gan = compiled(schedule=schedule, steps_per_execution=steps_per_execution(spe))
    data = np.concatenate([images] * 3)[: 23 * 4]
    gan.fit(data, batch_size=4, verbose=0)
    assert int(gan.d_opt.iterations) == d_updates
    assert int(gan.g_opt.iterations) == g_updates


def test_alternating_counts_across_fits(images):
    gan = compiled(schedule=Alternating(3))
    for _ in range(2):
        gan.fit(images, batch_size=20, verbose=0)  # two steps each
    assert int(gan.g_opt.iterations) == 1


def test_periods_take_turns(images):
    gan = compiled(schedule=Periods(2, 1))
    moved = []
    for _ in range(6):
        before = int(gan.d_opt.iterations), int(gan.g_opt.iterations)
        gan.fit(images, batch_size=20, verbose=0)
        moved.append("DG"[int(gan.g_opt.iterations) > before[1]])
        assert (int(gan.d_opt.iterations) > before[0]) != (int(gan.g_opt.iterations) > before[1])
    assert "".join(moved) == "DDGDDG"
    gan.fit(images, batch_size=20, epochs=3, verbose=0)
    assert int(gan.d_opt.iterations) == 12 and int(gan.g_opt.iterations) == 6


def still_parts(model, optimizer):
    """Weights and statistics of a player, and its optimizer; its random streams go on."""
    return {"weights": values(model.weights), "optimizer": values(optimizer.variables)}


def test_the_generator_that_waits_does_not_change(images):
    for schedule in (Alternating(4), Periods(1, 1)):
        gan = compiled(schedule=schedule, ema=0.9)
        before = still_parts(gan.generator, gan.g_opt)
        average = values(gan.ema_generator.weights)
        d_before = still_parts(gan.discriminator, gan.d_opt)
        for _ in range(3):
            logs = gan.train_on_batch(images, return_dict=True)
        assert largest_difference(before, still_parts(gan.generator, gan.g_opt)) == 0.0
        assert largest_difference(average, values(gan.ema_generator.weights)) == 0.0
        assert largest_difference(d_before, still_parts(gan.discriminator, gan.d_opt)) > 0.0
        assert float(logs["g_loss"]) > 0.0


def test_the_discriminator_that_waits_does_not_change(images):
    gan = compiled(schedule=Periods(1, 1), penalties=["r1"])
    gan.fit(images, batch_size=20, verbose=0)
    before = still_parts(gan.discriminator, gan.d_opt)
    history = gan.fit(images, batch_size=20, verbose=0).history
    assert largest_difference(before, still_parts(gan.discriminator, gan.d_opt)) == 0.0
    assert history["d_loss"][0] > 0.0 and history["r1"][0] > 0.0


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("loss", ["non_saturating", pytest.param("relativistic", marks=pytest.mark.longer)])
def test_logs_are_always_all_of_them(images, name, loss):
    if (name, loss) == ("combined", "relativistic"):
        with pytest.raises(
            ValueError, match="'combined' updates .* separately.* loss=Relativistic. Use schedule='alternating'"
        ):
            compiled(schedule=name, loss=loss)
        return
    gan = compiled(schedule=name, loss=loss, penalties=["gradient_penalty"])
    history = gan.fit(images, batch_size=20, epochs=2, verbose=0).history
    wanted = LOGS if loss == "non_saturating" else LOGS - {"d_real_loss", "d_fake_loss"}
    assert set(history) == wanted | {"gradient_penalty"}
    assert all(np.isfinite(value) for row in history.values() for value in row)


def test_reported_values_are_those_of_the_weights_before_the_step(images):
    """Simultaneous: the logs of one step, by hand from the players as they were; dropout off, BatchNorm on its batch."""
    gan = compiled(small_gan(seed=4, discriminator=lambda: small_discriminator(rate=0.0, batch_norm=False)))
    latents = keras.random.normal((40, 6), seed=keras.random.SeedGenerator(4))
    statistics = values(gan.generator.variables)
    fake = gan.discriminator(gan.generator(latents, training=True))
    for variable, value in zip(gan.generator.variables, statistics, strict=True):
        variable.assign(value)
    fake, real = values([fake, gan.discriminator(images)])
    logs = {name: float(value) for name, value in gan.train_on_batch(images, return_dict=True).items()}
    assert logs["d_real_loss"] == pytest.approx(np.log1p(np.exp(-real)).mean(), rel=1e-5)
    assert logs["d_fake_loss"] == pytest.approx(np.log1p(np.exp(fake)).mean(), rel=1e-5)
    assert logs["d_loss"] == pytest.approx(logs["d_real_loss"] + logs["d_fake_loss"], rel=1e-5)
    assert logs["g_loss"] == pytest.approx(np.log1p(np.exp(-fake)).mean(), rel=1e-5)
    assert logs["d_real_accuracy"] == pytest.approx((real > 0).mean())
    assert logs["d_fake_accuracy"] == pytest.approx((fake <= 0).mean())
    assert logs["g_accuracy"] == pytest.approx((fake > 0).mean())


def test_combined_freezes_the_discriminators_batch_normalization(images):
    """In the generator's update D normalizes with its moving statistics: with huge ones its slope, and G's, vanish."""
    gan = compiled(schedule="combined", g_opt=keras.optimizers.SGD(1.0), d_opt=keras.optimizers.SGD(0.0))
    norm = next(layer for layer in gan.discriminator.layers if isinstance(layer, keras.layers.BatchNormalization))
    norm.moving_variance.assign(np.full(norm.moving_variance.shape, 1e30, "float32"))
    norm.momentum = 1.0
    before = values(gan.generator.trainable_variables)
    gan.train_on_batch(images)
    assert largest_difference(before, values(gan.generator.trainable_variables)) < 1e-9
    assert norm.trainable and all(variable.trainable for variable in gan.discriminator.trainable_variables)


@pytest.mark.parametrize("name", SCHEDULES)
def test_contract(name):
    schedule = kgan.schedules.get(name)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert type(again) is type(schedule) and again.get_config() == schedule.get_config()


def test_config_keeps_arguments():
    assert Alternating(5, reuse_latents=True).get_config() == {"d_steps": 5, "reuse_latents": True}
    assert Periods(2, 3).get_config() == {"d_epochs": 2, "g_epochs": 3}


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Alternating(0), "`d_steps` of Alternating must be an integer >= 1. Received: 0"),
        (lambda: Alternating(2.0), "`d_steps` of Alternating must be an integer >= 1. Received: 2.0"),
        (lambda: Periods(1, True), "`g_epochs` of Periods must be an integer >= 1. Received: True"),
        (lambda: compiled(schedule="combine"), "Unknown schedule 'combine'. Did you mean 'combined'"),
        (lambda: compiled(schedule=5), "`schedule` must be a name of kgan.schedules or an object"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def assert_as_by_hand(gan, by_hand):
    for player, expected in ((gan.generator, by_hand.g), (gan.discriminator, by_hand.d)):
        assert_close(values(player.trainable_variables), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.longer
@brings("models", "layers with `activity_regularizer` or `add_loss`", "what they add counts in every call of an update")
@pytest.mark.parametrize("rule", SCHEDULES)
def test_losses_that_layers_add_count_in_every_call(rule):
    """In those of a lazy penalty too, and for the updated player alone. In `periods` both move after two steps each."""
    gan = regularized.gan_of()
    by_hand = regularized.ByHand(gan, [("r1", 0.5), ("drift", 0.1)], every=2)
    schedule = Alternating(2) if rule == "alternating" else rule
    penalties = [kgan.penalties.R1(0.5, every=2), kgan.penalties.Drift(0.1, every=2)]
    regularized.compiled(gan, schedule=schedule, penalties=penalties)
    for step in range(0, 24, 8):
        gan.fit(regularized.POINTS[step : step + 8], batch_size=4, shuffle=False, verbose=0)
    by_hand.run(rule)
    assert_as_by_hand(gan, by_hand)


@pytest.mark.longer
@pytest.mark.parametrize("last", [None, "sigmoid"])
def test_losses_that_layers_add_during_penalties(last):
    """With all penalties; kgan runs the discriminator without its sigmoid, but its activity regularizer sees it.

    The logs are the losses of the players alone, and the penalties alone.
    """
    penalties = [("r1", 0.5), ("gradient_penalty", 0.4), ("dragan", 0.3), ("r2", 0.2), ("drift", 0.1)]
    gan = regularized.gan_of(lambda: regularized.discriminator(last))
    by_hand, first = (regularized.ByHand(gan, penalties, sigmoid=last is not None) for _ in range(2))
    real, fake = regularized.POINTS[:4].astype("float64"), first.generated(first.g, first.latents())[0]
    real_logits, fake_logits = first.judged(first.d, real)[0], first.judged(first.d, fake)[0]
    expected = {name: weight * first.penalty(name, real, fake)[1](first.d) for name, weight in penalties}
    expected["d_loss"] = (softplus(-real_logits) + softplus(fake_logits)).mean()
    expected["g_loss"] = softplus(-fake_logits).mean()
    regularized.compiled(gan, penalties=[PENALTIES[name](weight) for name, weight in penalties])
    logs = gan.train_on_batch(regularized.POINTS[:4], return_dict=True)
    assert {name: float(logs[name]) for name in expected} == pytest.approx(expected, rel=1e-4)
    gan.fit(regularized.POINTS[4:], batch_size=4, shuffle=False, verbose=0)
    by_hand.run("simultaneous")
    assert_as_by_hand(gan, by_hand)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="other engines do not trace a state that is handed on")
@pytest.mark.parametrize("backwards", [False, True])
def test_a_branch_is_the_same_program_in_every_process(backwards):
    """The state goes through it in the order of the variables, not in that of their places in the memory, which differ."""
    import jax

    from kgan import backend

    variables = [keras.Variable(np.zeros(1 + index), dtype="float32") for index in range(12)]
    variables = variables[::-1] if backwards else variables

    def grow():
        for variable in variables:
            variable.assign_add(np.ones(variable.shape))

    def step(state):
        with keras.StatelessScope(state_mapping=list(zip(variables, state, strict=True))) as scope:
            backend.when(state[0][0] > 0, grow, lambda: None)
            return [scope.get_current_value(variable) for variable in variables]

    program = jax.make_jaxpr(step)([variable.value for variable in variables])
    [branch] = [equation for equation in program.eqns if equation.primitive.name == "cond"]
    shapes = [one.aval.shape[0] for one in branch.outvars]
    assert shapes == [variable.shape[0] for variable in variables]
