"""The GAN as a Keras model: construction, data, evaluation, generation, saving, precision, determinism."""

import functools
import json
import zipfile

import keras
import numpy as np
import pytest
from keras import ops

import kgan
from kgan.architectures import dense, patch
from kgan.data import Batches
from kgan.runner import display
from tests.brought import brings
from tests.helpers import (
    LATENT_DIM,
    SMALL_FAMILIES,
    cases,
    compiled,
    largest_difference,
    small_discriminator,
    small_gan,
    small_generator,
    state,
    stripes,
    values,
    wrong,
)

BACKEND = keras.backend.backend()


def adam():
    return keras.optimizers.Adam(1e-3)


def test_players_are_models_or_functions_that_make_them():
    from_models = small_gan(generator=small_generator(), discriminator=small_discriminator())
    from_functions = small_gan()
    for gan in (from_models, from_functions):
        assert isinstance(gan.generator, keras.Model) and isinstance(gan.discriminator, keras.Model)
        assert gan.built and gan.count_params() > 0


def test_unbuilt_subclassed_players(images):
    class Player(keras.Model):
        def __init__(self, stack):
            super().__init__()
            self.stack = stack

        def call(self, inputs, training=False):
            return self.stack(inputs, training=training)

    layers = keras.layers
    generator = Player(keras.Sequential([layers.Dense(64, activation="tanh"), layers.Reshape((8, 8, 1))]))
    discriminator = Player(keras.Sequential([layers.Flatten(), layers.Dense(1)]))
    gan = compiled(kgan.GAN(generator, discriminator, LATENT_DIM))
    gan.fit(images, verbose=0)
    assert gan.generate(2).shape == (2, 8, 8, 1)


@pytest.mark.usefixtures("eagerly")
def test_any_kind_of_data(images):
    """Arrays, with labels or without, uint8 or floats, datasets and loaders all train on the same images."""
    pixels = np.rint(images * 127.5 + 127.5).astype("uint8")
    floats = ((pixels - 127.5) / 127.5).astype("float32")
    labels = np.arange(len(images))

    class Pairs(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return pixels[index * 20 : index * 20 + 20], labels[index * 20 : index * 20 + 20]

    forms = {
        "array": {"x": floats, "batch_size": 20},
        "float64": {"x": floats.astype("float64"), "batch_size": 20},
        "with labels": {"x": pixels, "y": labels, "batch_size": 20},
        "PyDataset": {"x": Pairs(workers=1)},
    }
    if BACKEND == "tensorflow":
        import tensorflow as tf

        forms["tf.data"] = {"x": tf.data.Dataset.from_tensor_slices(pixels).batch(20)}
        forms["tf.data with labels"] = {"x": tf.data.Dataset.from_tensor_slices((pixels, labels)).batch(20)}
    if BACKEND == "torch":
        from torch import tensor
        from torch.utils.data import DataLoader, TensorDataset

        forms["DataLoader"] = {"x": DataLoader(TensorDataset(tensor(pixels)), batch_size=20)}
    results = {}
    for name, form in forms.items():
        keras.utils.set_random_seed(1)
        gan = compiled()
        gan.fit(**form, shuffle=False, verbose=0)
        results[name] = state(gan)
    for name, result in results.items():
        assert largest_difference(result, results["array"]) < 1e-6, name


def test_points_in_the_plane():
    """Not only images: with linear players the generator's mean goes to the data's."""
    layers = keras.layers
    generator = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
    discriminator = keras.Sequential([keras.Input((2,)), layers.Dense(16, activation="tanh"), layers.Dense(1)])
    gan = kgan.GAN(generator, discriminator, latent_dim=2)
    gan.compile(keras.optimizers.Adam(1e-2, beta_1=0.5), keras.optimizers.Adam(1e-2, beta_1=0.5), penalties=["r1"])
    points = np.random.default_rng(0).normal((2.0, -1.0), 0.3, (2560, 2)).astype("float32")
    gan.fit(points, batch_size=128, epochs=15, verbose=0)
    assert np.abs(gan.generate(500, seed=1).mean(0) - (2.0, -1.0)).max() < 0.5


def test_as_many_fakes_as_reals_in_a_partial_batch(images):
    shapes = []

    def spy(shape, seed):
        shapes.append(shape[0])
        return keras.random.normal(shape, seed=seed)

    gan = small_gan(latents=spy)
    compiled(gan, run_eagerly=True)
    gan.fit(images[:25], batch_size=10, verbose=0)
    assert [int(count) for count in shapes] == [10, 10, 5]


def test_latents_come_from_the_seed(images):
    """The first draws of the stream are those of a SeedGenerator with the GAN's seed, one a step."""
    drawn = []

    def spy(shape, seed):
        drawn.append(keras.random.normal(shape, seed=seed))
        return drawn[-1]

    gan = compiled(small_gan(seed=9, latents=spy), run_eagerly=True)
    gan.fit(images, batch_size=20, verbose=0)
    seeds = keras.random.SeedGenerator(9)
    for latents in values(drawn):
        np.testing.assert_array_equal(latents, values([keras.random.normal((20, LATENT_DIM), seed=seeds)])[0])


@pytest.mark.parametrize("name, low, high", [("normal", -9, 9), ("uniform", -1, 1), ("sphere", -9, 9)])
def test_latents_by_name(name, low, high):
    sampler = kgan.latents.get(name)
    first = values([sampler((500, 4), keras.random.SeedGenerator(0))])[0]
    assert first.shape == (500, 4) and low <= first.min() < -0.9 and 0.9 < first.max() <= high
    assert abs(first.mean()) < 0.1
    if name == "sphere":
        np.testing.assert_allclose((first**2).sum(1), 4.0, rtol=1e-4)
    seeds = keras.random.SeedGenerator(0)
    sampler((2, 2), seeds)
    assert int(values([seeds.state])[0][1]) == 1  # one draw, one step of the seed


def test_evaluate_repeats_and_disturbs_nothing(images):
    gan = compiled(penalties=["r1"], ema=0.9)
    gan.fit(images, batch_size=20, verbose=0)
    before = state(gan)
    first = gan.evaluate(images, batch_size=16, verbose=0, return_dict=True)
    second = gan.evaluate(images, batch_size=16, verbose=0, return_dict=True)
    assert first == second
    for _ in range(2):  # all but the seeds of evaluation, which are set back each time
        after = state(gan)
        changed = [
            variable.path
            for variable, old, new in zip(gan.variables, before["variables"], after["variables"], strict=True)
            if np.any(old != new)
        ]
        assert changed in ([], [gan.test_seeds.state.path])
    assert largest_difference(before["d_opt"], after["d_opt"]) == 0.0


def test_validation_does_not_change_training(images):
    results = []
    for validation in (None, images[:10]):
        keras.utils.set_random_seed(1)
        gan = compiled()
        history = gan.fit(images, batch_size=20, epochs=2, verbose=0, validation_data=validation).history
        results.append((values(gan.weights), history["d_loss"]))
    assert largest_difference(results[0][0], results[1][0]) == 0.0
    assert results[0][1] == results[1][1]
    assert {"val_d_loss", "val_g_accuracy"} <= set(history)


def test_evaluate_by_hand(images):
    gan = compiled(small_gan(seed=2))
    logs = gan.evaluate(images, batch_size=40, verbose=0, return_dict=True)
    gan.test_seeds.state.assign([gan._test_seed, 0])
    fake = gan.generator(gan.draw_latents(kgan.conditions.Batch(None, images), gan.test_seeds), training=False)
    real_logits, fake_logits = values([gan.discriminator(images), gan.discriminator(fake)])
    assert logs["d_real_loss"] == pytest.approx(np.log1p(np.exp(-real_logits)).mean(), rel=1e-5)
    assert logs["g_loss"] == pytest.approx(np.log1p(np.exp(-fake_logits)).mean(), rel=1e-5)


def test_evaluate_returns_a_list_in_the_order_of_metrics_names(images):
    gan = compiled(penalties=["r1"])
    listed = gan.evaluate(images, verbose=0)
    assert dict(zip(gan.metrics_names, listed, strict=True)) == gan.evaluate(images, verbose=0, return_dict=True)


def test_generate(images):
    gan = compiled(ema=0.9)
    gan.fit(images, batch_size=20, epochs=2, verbose=0)
    first = gan.generate(5, seed=1)
    assert first.dtype == np.float32 and first.shape == (5, 8, 8, 1) and np.abs(first).max() <= 1.0
    np.testing.assert_array_equal(first, gan.generate(5, seed=1))
    assert np.any(first != gan.generate(5, seed=2)) and np.any(gan.generate(2) != gan.generate(2))
    np.testing.assert_allclose(gan.generate(5, seed=1, batch_size=2), first, atol=1e-6)
    assert gan.generate(0).shape == (0, 8, 8, 1)
    latents = keras.random.normal((5, LATENT_DIM), seed=keras.random.SeedGenerator(1))
    np.testing.assert_allclose(values([gan.ema_generator(latents)])[0], first, atol=1e-6)
    np.testing.assert_allclose(gan.predict(latents, verbose=0), first, atol=1e-6)
    assert np.abs(values([gan.generator(latents)])[0] - first).max() > 1e-4


def test_generate_inside_fit(images):
    """A callback may generate and save in mid-epoch, on every engine, and training goes on as if it had not."""
    results = []
    for look in (False, True):
        keras.utils.set_random_seed(1)
        gan = compiled()
        seen = []
        callback = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, gan=gan, seen=seen: seen.append(gan.generate(3, seed=0))
        )
        gan.fit(images, batch_size=10, epochs=2, verbose=0, callbacks=[callback] if look else [])
        results.append(state(gan))
    assert len(seen) == 8 and all(np.any(a != b) for a, b in zip(seen, seen[1:], strict=False))
    assert largest_difference(*results) == 0.0


def test_average_by_hand(images):
    """The warmed-up average of three steps, BatchNormalization statistics included, from the recurrence."""
    gan = compiled(ema=0.999)
    expected = values(gan.generator.weights)
    for step in range(3):
        gan.train_on_batch(images)
        decay = min(0.999, (1 + step + 1) / (10 + step + 1))
        now = values(gan.generator.weights)
        expected = [decay * average + (1 - decay) * weight for average, weight in zip(expected, now, strict=True)]
    for average, value in zip(values(gan.ema_generator.weights), expected, strict=True):
        np.testing.assert_allclose(average, value, rtol=1e-5, atol=1e-7)
    assert not gan.ema_generator.trainable_variables
    moving = [weight for weight in gan.ema_generator.weights if "moving_mean" in weight.path]
    assert moving and np.any(values(moving)[0] != 0)


def test_average_can_be_switched_off(images):
    gan = compiled(ema=0.9)
    with_average = len(gan.weights)
    compiled(gan)
    assert gan.ema_generator is None and len(gan.weights) < with_average
    gan.fit(images, verbose=0)


@pytest.mark.parametrize("schedule", cases(["alternating", "periods"], ["simultaneous", "combined"]))
def test_two_runs_agree_bit_for_bit(images, schedule):
    runs = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        gan = compiled(schedule=schedule, penalties=["r1", "gradient_penalty"], ema=0.9)
        gan.fit(images, batch_size=16, epochs=2, verbose=0)
        runs.append(state(gan))
    assert largest_difference(*runs) == 0.0


@pytest.mark.longer
@pytest.mark.parametrize("schedule", cases([kgan.schedules.Alternating(3)], ["simultaneous", "periods"]))
def test_save_and_load_go_on_where_training_stopped(images, tmp_path, schedule):
    keras.utils.set_random_seed(3)
    gan = compiled(
        schedule=schedule, penalties=["r1"], ema=0.9, loss=keras.losses.BinaryCrossentropy(label_smoothing=0.1)
    )
    gan.fit(images, batch_size=16, epochs=3, verbose=0)
    gan.save(tmp_path / "gan.keras")
    keras.utils.set_random_seed(99)
    again = kgan.load(tmp_path / "gan.keras")
    assert largest_difference(state(gan), state(again)) == 0.0
    np.testing.assert_array_equal(gan.generate(4, seed=0), again.generate(4, seed=0))
    for one in (gan, again):
        history = one.fit(images, batch_size=16, epochs=2, shuffle=False, verbose=0).history
    assert largest_difference(state(gan), state(again)) == 0.0
    assert history["g_loss"][0] > 0.0
    assert (
        again.loss.loss.label_smoothing == 0.1 and again.rules.schedule.get_config() == gan.rules.schedule.get_config()
    )


def test_save_weights_and_load_weights(images, tmp_path):
    gan = compiled()
    gan.fit(images, verbose=0)
    gan.save_weights(tmp_path / "gan.weights.h5")
    other = compiled()
    other.load_weights(tmp_path / "gan.weights.h5")
    assert largest_difference(state(gan), state(other)) == 0.0


def test_an_uncompiled_gan_saves_and_generates(tmp_path):
    gan = small_gan()
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    assert not again.compiled
    np.testing.assert_array_equal(gan.generate(3, seed=0), again.generate(3, seed=0))


def test_config_holds_what_the_constructor_takes():
    gan = small_gan(seed=5, latents="uniform")
    config = gan.get_config()
    assert {"generator", "discriminator", "latent_dim", "latents", "seed"} <= set(config)
    again = kgan.GAN.from_config(config)
    assert (again.latent_dim, again.latents, again.seed) == (LATENT_DIM, "uniform", 5)
    assert small_gan(seed=None).seed != small_gan(seed=None).seed


@keras.saving.register_keras_serializable("tests")
def ones_and_noise(shape, seed):
    return 1.0 + keras.random.normal(shape, seed=seed)


def test_a_registered_function_is_saved(tmp_path):
    gan = small_gan(latents=ones_and_noise)
    gan.save(tmp_path / "gan.keras")
    np.testing.assert_array_equal(gan.generate(3, seed=0), kgan.load(tmp_path / "gan.keras").generate(3, seed=0))


def unregistered(shape, seed):
    return keras.random.normal(shape, seed=seed)


def test_what_could_not_be_loaded_is_not_saved(tmp_path):
    class Mine(kgan.losses.NonSaturating):
        pass

    with_lambda = keras.Sequential([small_discriminator(), keras.layers.Lambda(lambda x: x)])
    cases = [
        (small_gan(latents=unregistered), "the function 'unregistered', which is not registered"),
        (small_gan(latents=lambda shape, seed: keras.random.normal(shape, seed=seed)), "a lambda"),
        (small_gan(discriminator=with_lambda), "a lambda"),
        (compiled(loss=Mine()), "the class 'Mine', which is not registered"),
    ]
    for gan, message in cases:
        with pytest.raises(ValueError, match=f"cannot be saved: .*{message}.*register_keras_serializable"):
            gan.save(tmp_path / "gan.keras")
        assert not list(tmp_path.iterdir())


def test_a_save_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    gan = small_gan()
    gan.save(tmp_path / "gan.keras")
    before = (tmp_path / "gan.keras").read_bytes()

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(gan, "save_own_variables", fail)
    with pytest.raises(OSError, match="disk full"):
        gan.save(tmp_path / "gan.keras")
    assert [path.name for path in tmp_path.iterdir()] == ["gan.keras"]
    assert (tmp_path / "gan.keras").read_bytes() == before


def test_the_file_holds_no_code(tmp_path):
    gan = compiled()
    gan.save(tmp_path / "gan.keras")
    with zipfile.ZipFile(tmp_path / "gan.keras") as archive:
        config = json.loads(archive.read("config.json"))
    assert config["registered_name"] == "kgan>GAN" and "__lambda__" not in json.dumps(config)


def test_fit_again_and_compile_again(images):
    gan = compiled()
    gan.fit(images, batch_size=20, verbose=0)
    gan.fit(images, batch_size=20, verbose=0)
    assert int(gan.d_opt.iterations) == 4 and int(gan.epochs) == 2
    weights = values(gan.generator.weights)
    gan.compile(keras.optimizers.SGD(1e-2), keras.optimizers.SGD(1e-2), loss="hinge", schedule="alternating")
    assert largest_difference(weights, values(gan.generator.weights)) == 0.0
    history = gan.fit(images, batch_size=20, verbose=0).history
    assert int(gan.d_opt.iterations) == 2 and isinstance(gan.loss, kgan.losses.Hinge)
    assert "d_loss" in history


@pytest.mark.skipif(BACKEND == "torch", reason="refused there, see test_wrong_arguments_of_compile")
def test_steps_per_execution_changes_nothing(images):
    results = []
    for count in (1, 3):
        keras.utils.set_random_seed(2)
        gan = compiled(steps_per_execution=count)
        gan.fit(images, batch_size=8, epochs=2, shuffle=False, verbose=0)
        results.append(state(gan))
    assert int(gan.d_opt.iterations) == 10
    assert largest_difference(*results) < 1e-6


def known_latents(shape, seed):
    """Latents without a random operation: XLA and TensorFlow draw other numbers of the same seed."""
    count = ops.cast(seed.next()[1], "float32")
    grid = ops.arange(LATENT_DIM, dtype="float32") + 7.0 * ops.arange(20, dtype="float32")[:, None]
    return ops.sin(grid + count)


def trained(schedule, **how):
    keras.utils.set_random_seed(2)
    gan = small_gan(latents=known_latents, discriminator=lambda: small_discriminator(rate=0.0))
    sgd = {"d_opt": keras.optimizers.SGD(0.1), "g_opt": keras.optimizers.SGD(0.1)}
    compiled(gan, schedule=schedule, penalties=["r1"], **sgd, **how)
    gan.fit(stripes(), batch_size=20, epochs=2, shuffle=False, verbose=0)
    return gan


@functools.cache
def trained_as_usual(schedule):
    """The weights, where nothing is said of how to run."""
    return values(trained(schedule).weights)


@pytest.mark.longer
@pytest.mark.parametrize("how", [{"run_eagerly": True}, {"jit_compile": True}, {"jit_compile": False}])
@pytest.mark.parametrize("schedule", ["simultaneous", "alternating", "periods"])
def test_ways_to_run_agree(how, schedule):
    if BACKEND == "torch" and how.get("jit_compile"):
        pytest.skip("see test_torch_compile")
    gan = trained(schedule, **how)
    assert gan.run_eagerly == how.get("run_eagerly", False)
    assert gan.jit_compile == how.get("jit_compile", gan.jit_compile)
    assert largest_difference(values(gan.weights), trained_as_usual(schedule)) < 1e-5


@pytest.fixture(params=["mixed_bfloat16", "mixed_float16"])
def policy(request):
    keras.config.set_dtype_policy(request.param)
    yield request.param
    keras.config.set_dtype_policy("float32")


@pytest.mark.longer
def test_mixed_precision(images, policy, tmp_path):
    gan = compiled(penalties=["r1"], ema=0.9)
    assert gan.generator.layers[0].compute_dtype == policy.removeprefix("mixed_")
    history = gan.fit(images, batch_size=20, epochs=10, verbose=0).history
    assert all(np.isfinite(value).all() for value in history.values())
    assert gan.generate(3).dtype == np.float32
    scaled = [isinstance(optimizer, keras.optimizers.LossScaleOptimizer) for optimizer in (gan.d_opt, gan.g_opt)]
    assert scaled == [policy == "mixed_float16"] * 2
    # float16 skips the first steps, until its scale has come down to what the penalty's second derivatives stand
    assert int(gan.d_opt.iterations) == 20 if policy == "mixed_bfloat16" else 0 < int(gan.d_opt.iterations) <= 20
    gan.save(tmp_path / "gan.keras")
    assert largest_difference(state(gan), state(kgan.load(tmp_path / "gan.keras"))) == 0.0


def test_each_player_has_its_own_loss_scale(images):
    """An overflow of the generator's gradients halves its scale, and skips its update, not the discriminator's."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        gan = small_gan()
        huge = keras.optimizers.LossScaleOptimizer(adam(), initial_scale=1e38)
        gan.compile(d_opt=adam(), g_opt=huge)
        gan.train_on_batch(images)
        assert float(values([gan.g_opt.dynamic_scale])[0]) == pytest.approx(5e37)
        assert float(values([gan.d_opt.dynamic_scale])[0]) == 2.0**15
        assert int(gan.d_opt.iterations) == 1 and int(gan.g_opt.iterations) == 0
    finally:
        keras.config.set_dtype_policy("float32")


def test_clipping_on_one_player(images):
    """With clipvalue 1e-9 and plain SGD no weight of that player moves by more than rate * clip."""
    gan = compiled(d_opt=keras.optimizers.SGD(1.0, clipvalue=1e-4), g_opt=keras.optimizers.SGD(1.0))
    before = values(gan.discriminator.trainable_variables), values(gan.generator.trainable_variables)
    gan.train_on_batch(images)
    d_moved = largest_difference(before[0], values(gan.discriminator.trainable_variables))
    g_moved = largest_difference(before[1], values(gan.generator.trainable_variables))
    assert 0 < d_moved <= 1.01e-4 < g_moved


def test_gradient_accumulation_on_one_player(images):
    """Only every third step moves the generator; the discriminator moves in each."""
    gan = compiled(g_opt=keras.optimizers.SGD(0.1, gradient_accumulation_steps=3))
    moved = []
    for _ in range(6):
        before = values(gan.generator.trainable_variables)
        gan.train_on_batch(images)
        moved.append(largest_difference(before, values(gan.generator.trainable_variables)) > 0)
    assert moved == [False, False, True] * 2
    assert int(gan.d_opt.iterations) == 6


def test_regularizers_of_a_player_count(images):
    """A huge L2 of the discriminator's kernel shrinks it, and leaves the logs alone."""
    stack = [keras.Input((8, 8, 1)), keras.layers.Flatten()]
    last = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(100.0))
    gan = compiled(small_gan(discriminator=keras.Sequential([*stack, last])), d_opt=keras.optimizers.SGD(1e-3))
    norm = np.linalg.norm(values([last.kernel])[0])
    logs = gan.train_on_batch(images, return_dict=True)
    assert np.linalg.norm(values([last.kernel])[0]) < 0.9 * norm
    assert float(logs["d_loss"]) < 10


@brings("models", "`trainable = False` before `compile`", "these layers keep their values")
def test_layers_that_are_frozen_before_compile_do_not_change(images):
    gan = small_gan()
    frozen = [gan.generator.layers[0], gan.discriminator.layers[1]]
    for layer in frozen:
        layer.trainable = False
    compiled(gan)
    kept = [variable for layer in frozen for variable in layer.weights]
    moving = [*gan.generator.trainable_variables, *gan.discriminator.trainable_variables]
    before = values(kept), values(moving)
    gan.fit(images, batch_size=20, epochs=2, verbose=0)
    assert len(kept) == 3 and largest_difference(before[0], values(kept)) == 0.0
    assert all((was != now).any() for was, now in zip(before[1], values(moving), strict=True))


@brings("models", "`trainable` changed after `compile`", "refused until `compile` is called again, as Keras asks for")
def test_what_is_trainable_must_not_change_after_compile(images):
    layers = keras.layers
    without_weights = layers.BatchNormalization(center=False, scale=False)
    stack = [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(8), without_weights, layers.Dense(1)]
    gan = small_gan(discriminator=keras.Sequential(stack))
    compiled(gan, schedule="combined")  # which itself freezes BatchNormalization for a while
    gan.fit(images, batch_size=20, epochs=2, verbose=0)
    before = values(gan.variables)
    parts = {
        "discriminator": [gan.discriminator, gan.discriminator.layers[1], without_weights],
        "generator": [gan.generator, gan.generator.layers[1]],
    }
    for player, found in parts.items():
        sentence = (
            f"`trainable` of the {player}, model '{getattr(gan, player).name}', .* call `compile` again, with new"
        )
        for part in found:
            part.trainable = False
            with pytest.raises(ValueError, match=sentence):
                gan.fit(images, batch_size=20, verbose=0)
            with pytest.raises(ValueError, match=sentence):
                gan.train_on_batch(images[:20])
            part.trainable = True
    assert largest_difference(before, values(gan.variables)) == 0.0

    def freeze(epoch, logs):
        gan.discriminator.layers[1].trainable = False

    callback = keras.callbacks.LambdaCallback(on_epoch_end=freeze)
    with pytest.raises(ValueError, match="`trainable` of the discriminator"):
        gan.fit(images, batch_size=20, epochs=2, verbose=0, callbacks=[callback])
    assert "other variables than the trainable ones" in wrong(lambda: compiled(gan, d_opt=gan.d_opt))
    compiled(gan)
    gan.check_trainable()


class Triples(keras.utils.PyDataset):
    """Batches of images, labels and a third part."""

    def __init__(self, *parts):
        super().__init__()
        self.parts = parts

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return tuple(None if part is None else part[20 * index : 20 * index + 20] for part in self.parts)


@brings("arrays", "`sample_weight` or `class_weight`", "refused: repeat an image, or draw it more often")
@pytest.mark.parametrize("num_classes", [None, 2])
def test_weights_of_images_are_refused(images, num_classes):
    """Also without labels, where Keras forgets the weights, and in validation data, before the training begins."""
    labels, weights = np.arange(40) % 2, np.ones(40, "float32")
    size = {"image_shape": (8, 8, 1), "units": (8,), "num_classes": num_classes}

    def gan():
        generator, discriminator = dense.generator(latent_dim=3, **size), dense.discriminator(**size)
        return compiled(kgan.GAN(generator, discriminator, 3, num_classes=num_classes))

    one, y = gan(), labels if num_classes else None
    sentence = (
        "A GAN takes no weights of real images, .*: instead of a weight, repeat an image in the data .* Received: "
    )
    for call, argument in [
        (lambda: one.fit(images, y, sample_weight=weights), "`sample_weight`"),
        (lambda: one.fit(images, y, 8, 1, 0, None, 0.0, None, True, {0: 1.0, 1: 2.0}), "`class_weight`"),
        (lambda: one.fit(images, y, validation_data=(images, labels, weights)), "`validation_data` of three parts"),
        (lambda: one.evaluate(images, y, sample_weight=weights), "`sample_weight`"),
        (lambda: one.train_on_batch(images, y, weights), "`sample_weight`"),
        (lambda: one.train_on_batch(images, y, class_weight={0: 2.0}), "`class_weight`"),
        (lambda: one.test_on_batch(images, y, weights), "`sample_weight`"),
        (lambda: gan().fit(Triples(images, labels, weights), verbose=0), "a batch of three parts"),
        (lambda: gan().evaluate(Triples(images, labels, weights), verbose=0), "a batch of three parts"),
    ]:
        with pytest.raises(ValueError, match=sentence + argument):
            call()
    read = one.condition.read((ops.convert_to_tensor(images), ops.convert_to_tensor(labels), None))
    assert read[1].shape == (40, 8, 8, 1)
    assert np.isfinite(one.evaluate(images, y, verbose=0, sample_weight=None)).all()
    assert np.isfinite(one.test_on_batch(images, y, None)).all()


@brings("datasets", "batches of three parts", "refused, but for a condition of your own that reads them")
def test_a_condition_of_ones_own_reads_three_parts(images):
    class Third(kgan.conditions.Condition):
        def read(self, data):
            images, _, third = data
            return ops.convert_to_tensor(third), kgan.conditions.scaled(images)

        def specs(self, generator):
            return keras.KerasTensor((None, 1))

    inputs = keras.Input((LATENT_DIM,)), keras.Input((1,))
    generator = keras.Model(inputs, small_generator()(inputs[0]) * keras.ops.tanh(inputs[1][..., None, None]))
    gan = compiled(small_gan(generator=generator, condition=Third()), run_eagerly=True)
    gan.fit(Triples(images, np.zeros(40), np.ones((40, 1), "float32")), verbose=0)
    assert int(gan.d_opt.iterations) == 2


def test_wrong_arguments_of_the_constructor():
    assert "`generator` must be a keras.Model, or a function" in wrong(lambda: small_gan(generator=3))
    assert "Received: 3" in wrong(lambda: small_gan(generator=3))
    assert "which returned 'x'" in wrong(lambda: small_gan(generator=lambda: "x"))
    assert "`latent_dim` must be an integer >= 1. Received: 0" in wrong(
        lambda: kgan.GAN(small_generator, small_discriminator, 0)
    )
    assert "`seed` must be an integer >= 0. Received: -1" in wrong(lambda: small_gan(seed=-1))
    assert "cannot take latents of shape (batch, 9)" in wrong(lambda: kgan.GAN(small_generator, small_discriminator, 9))
    too_large = small_generator((16, 16, 1))
    message = wrong(lambda: small_gan(generator=too_large))
    assert "The discriminator, model" in message and "the generator's images of shape (batch, 16, 16, 1)" in message
    two = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    assert "a score for each image, shape (batch, 1), or for each part of it" in wrong(
        lambda: small_gan(discriminator=two)
    )
    assert "Unknown latents 'norml'. Did you mean 'normal'?" in wrong(lambda: small_gan(latents="norml"))


def test_errors_about_shapes_name_the_player_and_the_layer():
    def unfit():  # built when it is called
        return keras.Sequential([keras.layers.Conv2D(2, 9, name="too_wide"), keras.layers.Dense(1)])

    message = wrong(lambda: small_gan(discriminator=unfit))
    assert message.startswith("The discriminator, model 'sequential")
    assert "images of shape (batch, 8, 8, 1): its layer 'too_wide' (Conv2D) says: " in message and "\n" not in message

    def unfit_from_the_start():
        return keras.Sequential(
            [keras.Input((5,)), keras.layers.Dense(7), keras.layers.Reshape((4, 2), name="to_pixels")]
        )

    message = wrong(lambda: small_gan(generator=unfit_from_the_start))
    assert message.startswith("The generator cannot be made: its layer 'to_pixels' (Reshape) says: ")
    assert keras.config.is_traceback_filtering_enabled()


def test_wrong_arguments_of_compile():
    shared = adam()
    assert "must be two instances" in wrong(lambda: small_gan().compile(shared, shared))
    with_ema = keras.optimizers.Adam(1e-3, use_ema=True)
    assert "`g_opt` must not have `use_ema=True`" in wrong(lambda: small_gan().compile(adam(), with_ema))
    assert "`d_opt` must be a Keras optimizer such as" in wrong(lambda: small_gan().compile("adamm", adam()))
    assert "`d_opt` must be a Keras optimizer such as" in wrong(lambda: small_gan().compile(1e-3, adam()))
    assert "`ema` must be a decay between 0 and 1" in wrong(lambda: compiled(ema=1.5))
    used = adam()
    compiled(d_opt=used)
    assert "was built for other variables than the trainable ones of model" in wrong(lambda: compiled(d_opt=used))
    frozen = small_discriminator()
    frozen.trainable = False
    assert "has no trainable variables" in wrong(lambda: compiled(small_gan(discriminator=frozen)))
    if BACKEND == "torch":
        assert "must be 1 on the PyTorch backend" in wrong(lambda: compiled(steps_per_execution=2))


@pytest.mark.usefixtures("eagerly")
def test_wrong_images(images):
    assert "(batch, 8, 8, 1). Received: (batch, 9, 8, 1)" in wrong(
        lambda: compiled().fit(np.zeros((4, 9, 8, 1)), verbose=0)
    )
    assert "Images of whole numbers must lie in [0, 255]. Received: int32 from 0 to 300" in wrong(
        lambda: compiled().fit(np.full((4, 8, 8, 1), [[[[0]]], [[[1]]], [[[9]]], [[[300]]]], "int32"), verbose=0)
    )
    unscaled = np.full((4, 8, 8, 1), 200.0, "float32")
    message = "Images must be floats in [-1, 1], .* Received: floats from 0 to 200.*x / 127.5 - 1"
    with pytest.raises(ValueError, match=message.replace("[", "\\[").replace("]", "\\]")):
        compiled().fit(unscaled, verbose=0)
    with pytest.raises(ValueError, match="Received: floats from 0 to 200"):
        compiled().train_on_batch(unscaled)
    with pytest.raises(ValueError, match="Images must be finite. Received: NaN"):
        compiled().fit(np.full((4, 8, 8, 1), np.nan, "float32"), verbose=0)


def test_wrong_arguments_of_generate():
    gan = small_gan()
    assert "`n` must be an integer >= 0. Received: -1" in wrong(lambda: gan.generate(-1))
    assert "`batch_size` must be an integer >= 1. Received: 0" in wrong(lambda: gan.generate(2, batch_size=0))


def test_fit_before_compile(images):
    with pytest.raises(ValueError, match="You must call `compile\\(\\)` before"):
        small_gan().fit(images, verbose=0)


@pytest.mark.skipif(BACKEND != "torch", reason="torch.compile")
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_torch_compile(images):
    """`jit_compile=True` runs the step through torch.compile, to the same weights."""
    results = []
    for jit_compile in (False, True):
        keras.utils.set_random_seed(2)
        gan = small_gan(latents=known_latents, discriminator=lambda: small_discriminator(rate=0.0))
        sgd = {"d_opt": keras.optimizers.SGD(0.1), "g_opt": keras.optimizers.SGD(0.1)}
        compiled(gan, jit_compile=jit_compile, **sgd)
        gan.fit(images, batch_size=20, epochs=2, shuffle=False, verbose=0)
        results.append(values(gan.weights))
    assert gan.jit_compile
    assert largest_difference(*results) < 1e-4


class Stacked(keras.Model):
    """A subclassed player without a config."""

    def __init__(self, stack):
        super().__init__()
        self.stack = stack

    def call(self, inputs, training=False):
        return self.stack(inputs, training=training)


class Scaled(keras.layers.Layer):
    """A layer that is not registered."""

    def __init__(self, by, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def call(self, inputs):
        return self.by * inputs

    def get_config(self):
        return {**super().get_config(), "by": self.by}


def with_layer(layer):
    return keras.Sequential(
        [keras.Input((LATENT_DIM,)), keras.layers.Dense(64), layer, keras.layers.Reshape((8, 8, 1))]
    )


class Known(keras.Model):
    """A subclassed player with a config."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense, self.shaped = keras.layers.Dense(units), keras.layers.Reshape((8, 8, 1))

    def call(self, inputs):
        return self.shaped(self.dense(inputs))

    def get_config(self):
        return {"units": self.units}


@brings("models", "a subclassed generator without a config, with `ema`", "a function that makes it is called again")
@brings("models", "layers that are not registered, or a Lambda, with `ema`", "they are copied")
def test_an_average_of_any_generator(images):
    def nested():
        inputs = keras.Input((LATENT_DIM,))
        return keras.Model(inputs, with_layer(Scaled(0.5))(inputs))

    forms = {
        "subclassed, from a function": lambda: Stacked(small_generator()),
        "subclassed, with a config": Known(64),
        "a layer that is not registered": with_layer(Scaled(0.5)),
        "the same inside of a model": nested(),
        "a lambda": with_layer(keras.layers.Lambda(lambda x: ops.tanh(0.5 * x))),
    }
    latents = np.random.default_rng(0).normal(size=(3, LATENT_DIM)).astype("float32")
    for name, generator in forms.items():
        gan = compiled(small_gan(generator=generator), ema=0.9)
        assert gan.ema_generator is not gan.generator, name
        before, after = values([gan.generator(latents), gan.ema_generator(latents)])
        np.testing.assert_array_equal(before, after, err_msg=name)
        trained, average = gan.generator.weights, gan.ema_generator.weights
        assert len(average) == len(trained) and not {id(one) for one in average} & {id(one) for one in trained}, name
    start = values(gan.generator.weights)
    gan.train_on_batch(images)
    average, now = values(gan.ema_generator.weights), values(gan.generator.weights)
    for old, between, new in zip(start, average, now, strict=True):  # the decay of the first update is 2 / 11
        np.testing.assert_allclose(between, old + (new - old) * 9 / 11, rtol=1e-4, atol=1e-7)


@brings("models", "the same as a model instead of a function", "one sentence, in `compile`")
def test_a_generator_that_cannot_be_copied():
    one = Stacked(small_generator())
    for generator in (one, lambda: one):
        gan = small_gan(generator=generator)
        message = wrong(lambda gan=gan: compiled(gan, ema=0.9))
        assert (
            "`ema` needs a copy of the generator, and 'stacked" in message and "(Stacked) cannot be copied: " in message
        )
        assert "Pass `generator` to GAN as a function that makes a new model in each call" in message
        assert not gan.compiled and "\n" not in message
        compiled(gan)


@brings(
    "models",
    "subclassed players without a config",
    "they train, Checkpoint saves them; `save` refuses",
)
def test_players_without_a_config_are_checkpointed(images, tmp_path):
    def made():
        generator, discriminator = (lambda: Stacked(small_generator())), (lambda: Stacked(small_discriminator()))
        return compiled(small_gan(generator=generator, discriminator=discriminator), ema=0.9)

    gan, again = made(), made()
    saver = kgan.callbacks.Checkpoint(tmp_path / "saved", resume=True)
    gan.fit(images, verbose=0, callbacks=[saver])
    again.fit(images, verbose=0, callbacks=[kgan.callbacks.Checkpoint(tmp_path / "saved", resume=True)])
    assert largest_difference(state(gan), state(again)) == 0.0
    message = wrong(lambda: gan.save(tmp_path / "gan.keras"))
    assert "The model cannot be saved: it could not be loaded again. Object Stacked was created by" in message
    assert not (tmp_path / "gan.keras").exists()


@brings("models", "`save` to .h5, or without .keras", "one sentence that names .keras, .weights.h5 and `export`")
@pytest.mark.parametrize("name", ["gan.h5", "gan", "gan.weights.h5", "gan.pt"])
def test_a_gan_is_saved_as_a_keras_file(tmp_path, name):
    gan = compiled()
    message = wrong(lambda: gan.save(tmp_path / name))
    assert "a file whose name ends in .keras; `save_weights` writes .weights.h5, and `export`" in message
    assert f"Received: '{tmp_path / name}'" in message and not list(tmp_path.iterdir())


@brings(
    "models", "what Keras users call on a model: `predict`, `summary`, `to_json`, `clone_model`, ...", "as in Keras"
)
def test_what_keras_users_call_on_a_model():
    gan = compiled(ema=0.9)
    latents = np.zeros((3, LATENT_DIM), "float32")
    expected = values([gan.ema_generator(latents)])[0]
    for made in (gan(latents), gan.predict(latents, verbose=0), gan.predict_on_batch(latents)):
        np.testing.assert_allclose(values([made])[0], expected, atol=1e-6)
    lines: list[str] = []
    gan.summary(print_fn=lambda line, *args, **kwargs: lines.append(line))
    trained = sum(int(np.prod(weight.shape)) for weight in gan.trainable_weights)
    assert f"{gan.generator.name} (Sequential)" in "".join(lines) and f"Trainable params: {trained:,}" in "".join(lines)
    assert gan.count_params() == sum(int(np.prod(weight.shape)) for weight in gan.weights)
    for again in (keras.models.model_from_json(gan.to_json()), keras.models.clone_model(gan)):
        assert isinstance(again, kgan.GAN) and again.latent_dim == LATENT_DIM
        assert [tuple(one.shape) for one in again.generator.weights] == [
            tuple(one.shape) for one in gan.generator.weights
        ]
    assert {"d_loss", "g_accuracy"} <= gan.get_metrics_result().keys()
    weights = gan.get_weights()
    gan.set_weights(weights)
    assert largest_difference(values(gan.weights), weights) == 0.0


@brings("models", "`GAN.export`", "the sampling generator, in the formats that Keras has for the engine")
@pytest.mark.filterwarnings("ignore")  # the engines' own
def test_export(tmp_path):
    gan, latents = compiled(ema=0.9), np.linspace(-1, 1, 3 * LATENT_DIM, dtype="float32").reshape(3, LATENT_DIM)
    if BACKEND == "torch":
        import torch

        assert "must be 'torch' or 'onnx' on PyTorch" in wrong(lambda: gan.export(tmp_path / "x", "tf_saved_model"))
        gan.export(tmp_path / "gan.pt2", verbose=False, dynamic_shapes={0: torch.export.Dim("batch")})
        made = torch.export.load(tmp_path / "gan.pt2").module()(torch.tensor(latents)).detach().numpy()
    else:
        tf = pytest.importorskip("tensorflow")
        gan.export(tmp_path / "gan", verbose=False)
        exported = tf.saved_model.load(str(tmp_path / "gan"))
        made = exported.serve(latents).numpy()
    np.testing.assert_allclose(made, gan.predict(latents, verbose=0), atol=1e-5)


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@brings("models", "kgan's architectures where keras.json says channels_first", "they have their channels last")
@pytest.mark.parametrize("name", ["dcgan", "resnet", "r3gan"])
def test_architectures_have_their_channels_last(channels_first, name):
    family, few = kgan.architectures.get(name), SMALL_FAMILIES[name]
    gan = kgan.GAN(
        lambda: family.generator((8, 8, 3), LATENT_DIM, **few),
        lambda: family.discriminator((8, 8, 3), **few),
        LATENT_DIM,
    )
    assert gan.image_shape == (8, 8, 3) and keras.config.image_data_format() == "channels_first"
    keras.config.set_image_data_format("channels_last")
    again = kgan.GAN.from_config(gan.get_config())
    wanted = [tuple(weight.shape) for weight in family.generator((8, 8, 3), LATENT_DIM, **few).weights]
    for one in (gan, again):
        assert [tuple(weight.shape) for weight in one.generator.weights] == wanted


@brings(
    "models", "own players of convolutions where keras.json says channels_first", "one sentence, when the GAN is made"
)
def test_own_players_with_channels_first(channels_first):
    def discriminator(**kwargs):
        stack = [keras.layers.Conv2D(2, 3, padding="same", name="wide", **kwargs), keras.layers.Flatten()]
        return keras.Sequential([keras.Input((8, 8, 1)), *stack, keras.layers.Dense(1)])

    message = wrong(lambda: small_gan(discriminator=discriminator))
    assert "the layer 'wide' of the discriminator has them first" in message
    assert "Call keras.config.set_image_data_format('channels_last') before the players are made" in message
    small_gan(discriminator=lambda: discriminator(data_format="channels_last"))
    small_gan()


@pytest.mark.parametrize(
    "convolves, faster, kind",
    [(False, {"torch": "jax"}, "dense networks"), (True, {"jax": "tensorflow"}, "convolutions")],
)
def test_the_line_about_the_engine_names_one_that_is_twice_as_fast(convolves, faster, kind, monkeypatch):
    monkeypatch.setattr(display.backend, "devices", lambda: ["cpu:0"])
    gan = small_gan()
    if convolves:
        discriminator = patch.discriminator((8, 8, 1), filters=2, receptive_field=16, given=False)
        gan = small_gan(discriminator=discriminator)
    batches = Batches(np.zeros((4, 8, 8, 1), "uint8"), 2)
    said = display.engine_line(compiled(gan), batches)
    if BACKEND in faster:
        assert said.endswith(f"; on a CPU KERAS_BACKEND={faster[BACKEND]} is often more than twice as fast for {kind}")
    else:
        assert "KERAS_BACKEND" not in said
    monkeypatch.setattr(display.backend, "devices", lambda: ["gpu:0"])
    assert "KERAS_BACKEND" not in display.engine_line(gan, batches)
