"""What can be done to the discriminator's weights, labels and inputs."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import kgan
from kgan.losses import NonSaturating
from kgan.tricks import Flipped, InstanceNoise, LabelFlip, WeightClip
from tests.helpers import assert_close, cases, compiled, small_discriminator, small_gan, softplus, state, values

BOUND = 0.02


@keras.saving.register_keras_serializable("tests")
class Clip(keras.constraints.Constraint):
    def __call__(self, weight):
        return ops.clip(weight, -BOUND, BOUND)


def constrained():
    """The small discriminator, all of its weights under a Keras constraint, which optimizers see to."""
    stack = [
        keras.Input((8, 8, 1)),
        layers.Flatten(),
        layers.Dense(24, kernel_constraint=Clip(), bias_constraint=Clip()),
    ]
    stack += [layers.LeakyReLU(0.2), layers.BatchNormalization(beta_constraint=Clip(), gamma_constraint=Clip())]
    stack += [layers.Dropout(0.3), layers.Dense(1, kernel_constraint=Clip(), bias_constraint=Clip())]
    return keras.Sequential(stack)


@pytest.mark.longer
@pytest.mark.parametrize("schedule", ["simultaneous", "alternating", "combined"])
def test_clipped_weights_are_those_of_a_keras_constraint(images, schedule):
    trained = []
    for discriminator, bound in ((small_discriminator, BOUND), (constrained, None)):
        keras.utils.set_random_seed(1)
        gan = small_gan(discriminator=discriminator)
        optimizers = {"d_opt": keras.optimizers.RMSprop(1e-2), "g_opt": keras.optimizers.RMSprop(1e-2)}
        gan.compile(**optimizers, loss="wasserstein", schedule=schedule, tricks=bound and [WeightClip(bound)])
        gan.fit(images, batch_size=4, shuffle=False, verbose=0)
        trained.append(gan)
    weights = values(trained[0].discriminator.trainable_variables)
    assert max(abs(array).max() for array in weights) == pytest.approx(BOUND)
    for name, arrays in state(trained[0]).items():
        assert_close(arrays, state(trained[1])[name], rtol=1e-4, atol=1e-6)


def test_labels_are_flipped_for_each_example_anew():
    logits = np.linspace(-2, 2, 1000, dtype="float32")[:, None]
    flipped, again = (Flipped(NonSaturating(), 0.3, keras.random.SeedGenerator(5)) for _ in range(2))
    seeds = keras.random.SeedGenerator(5)
    for told, sign in ((flipped.real, -1), (flipped.fake, 1), (flipped.real, -1)):
        wrong = values([keras.random.uniform((1000,), seed=seeds)])[0] < 0.3
        assert 0.2 < wrong.mean() < 0.4
        expected = softplus(np.where(wrong, -sign, sign) * logits[:, 0])
        np.testing.assert_allclose(values([told(logits)])[0], expected, rtol=1e-5)
    both = values([again.discriminator(logits, logits)])[0]
    assert both.shape == (1000,) and np.any(both != softplus(-logits[:, 0]) + softplus(logits[:, 0]))


def test_labels_of_a_loss_that_keeps_the_shape_are_flipped_one_by_one():
    class Kept(kgan.losses.AdversarialLoss):
        def real(self, real_logits):
            return -real_logits

        def fake(self, fake_logits):
            return fake_logits

    logits = np.arange(1.0, 101.0, dtype="float32")[:, None]
    told = values([Flipped(Kept(), 0.5, keras.random.SeedGenerator(5)).real(logits)])[0]
    assert told.shape == (100,) and set(np.abs(told)) == set(logits[:, 0])
    assert 20 < (told > 0).sum() < 80


@keras.saving.register_keras_serializable("tests")
class Exchanged(NonSaturating):
    def real(self, real_logits):
        return super().fake(real_logits)

    def fake(self, fake_logits):
        return super().real(fake_logits)


@pytest.mark.parametrize("schedule", cases(["alternating"], ["simultaneous", "combined"]))
@pytest.mark.usefixtures("eagerly")
def test_flipping_all_labels_trains_the_discriminator_the_other_way(images, schedule):
    """And the generator as ever; the logs go by the true labels."""
    trained, logs = [], []
    for arguments in ({"tricks": [LabelFlip(1 - 1e-7)]}, {"loss": Exchanged()}, {}):
        keras.utils.set_random_seed(1)
        gan = compiled(schedule=schedule, **arguments)
        logs.append(gan.train_on_batch(images, return_dict=True))
        trained.append([*values(gan.discriminator.weights), *values(gan.generator.weights)])
    assert_close(trained[0], trained[1], rtol=1e-5, atol=1e-6)
    with pytest.raises(AssertionError):
        assert_close(trained[0], trained[2], rtol=1e-5, atol=1e-6)
    assert float(logs[0]["d_real_loss"]) == pytest.approx(float(logs[2]["d_real_loss"]), rel=1e-5)


def test_instance_noise_fades():
    own, seeds = keras.random.SeedGenerator(5), keras.random.SeedGenerator(5)
    images = np.ones((4, 8, 8, 1), "float32")
    for updates, left in ((0, 1.0), (4, 0.6), (10, 0.0), (30, 0.0)):
        expected = 1.0 + 0.5 * left * values([keras.random.normal((4, 8, 8, 1), seed=seeds)])[0]
        [noisy] = values([InstanceNoise(0.5, 10).change_images(ops.convert_to_tensor(images), updates, own)])
        np.testing.assert_allclose(noisy, expected, rtol=1e-5, atol=1e-6)


def test_the_discriminator_sees_noise_in_training_only(images):
    plain = lambda: small_discriminator(rate=0.0, batch_norm=False)  # noqa: E731
    gans = {}
    for tricks in ((), (InstanceNoise(0.5, 100),)):
        keras.utils.set_random_seed(1)
        gans[len(tricks)] = compiled(small_gan(discriminator=plain), tricks=tricks)
    noisy = gans[1]
    without, evaluated = (gan.evaluate(images, verbose=0, return_dict=True) for gan in gans.values())
    assert without == evaluated
    seeds = keras.random.SeedGenerator(0)
    seeds.state.assign(values([noisy.penalty_seeds.state])[0])
    draws = values([keras.random.normal(images.shape, seed=seeds)])[0]  # D(real) comes first
    expected = softplus(-values([noisy.discriminator(images + 0.5 * draws)])[0]).mean()
    logs = noisy.train_on_batch(images, return_dict=True)
    assert float(logs["d_real_loss"]) == pytest.approx(expected, rel=1e-4)
    for gan in gans.values():
        gan.d_opt.iterations.assign(100)
    weights = values(gans[0].weights)
    for variable, value in zip(noisy.weights, weights, strict=True):
        variable.assign(value)
    noisy.latent_seeds.state.assign(values([gans[0].latent_seeds.state])[0])
    logs = [gan.train_on_batch(images, return_dict=True) for gan in gans.values()]
    assert float(logs[0]["d_loss"]) == pytest.approx(float(logs[1]["d_loss"]), rel=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_they_are_saved(images, tmp_path):
    given = {"tricks": [WeightClip(0.1), LabelFlip(0.05), InstanceNoise(0.5, 100)]}
    gan = compiled(loss=NonSaturating(smoothing=0.1), penalties=[kgan.penalties.R2(1.0, every=2)], **given)
    gan.fit(images, batch_size=20, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    assert again.get_compile_config() == gan.get_compile_config()
    for one in (gan, again):
        one.fit(images, batch_size=20, shuffle=False, verbose=0)
    for name, arrays in state(gan).items():
        assert_close(arrays, state(again)[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("probability", [-0.1, 0, 1.0, "0.1", True])
def test_wrong_probabilities(probability):
    with pytest.raises(ValueError, match="`probability` of LabelFlip must be a number above 0 and below 1. Received:"):
        LabelFlip(probability)


@pytest.mark.parametrize("loss", ["relativistic", keras.losses.BinaryCrossentropy()])
def test_flips_need_a_value_for_each_label(loss):
    with pytest.raises(ValueError, match="'label_flip' needs a loss of kgan .* Received: loss=(Relativis|BinaryCross)"):
        compiled(tricks=["label_flip"], loss=loss)


@pytest.mark.parametrize("std, steps", [(0.0, 10), ("a", 10), (0.1, 0), (0.1, 10.0), (0.1, "b")])
def test_wrong_noise(std, steps):
    name = "steps" if std == 0.1 else "std"
    with pytest.raises(ValueError, match=f"`{name}` of InstanceNoise must be an? (integer >= 1|number > 0). Received:"):
        InstanceNoise(std, steps)


@pytest.mark.parametrize("bound", [0.0, -1.0, "0.01", True, float("nan"), kgan.ramps.Linear(1.0, 2.0, 3)])
def test_wrong_bounds(bound):
    with pytest.raises(ValueError, match="`bound` of WeightClip must be a number > 0. Received:"):
        WeightClip(bound)


@pytest.mark.parametrize(
    "tricks, message",
    [
        ("weightclip", "Unknown trick 'weightclip'. Did you mean 'weight_clip'?"),
        ([3], "A trick must be a name of kgan.tricks or an object such as .* Received: 3"),
        (["weight_clip", WeightClip(0.1)], "`tricks` must differ from each other. Received 'WeightClip' twice."),
    ],
)
def test_wrong_tricks(tricks, message):
    with pytest.raises(ValueError, match=message):
        compiled(tricks=tricks)
