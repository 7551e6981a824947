"""Class-conditional GANs: the papers' losses by hand, training, labels, saving, errors."""

import keras
import numpy as np
import pytest
from keras import ops

import kgan
from kgan.architectures import dcgan, dense
from kgan.architectures.conditioning import ClassBatchNormalization, JoinLabels
from tests.helpers import Steps, compiled, gradient, largest_difference, softplus, state, values, wrong

CLASSES, BATCH, LATENT_DIM = 3, 10, 4
CENTRES = np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])


def points(count=40, seed=0):
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, CLASSES, count)
    return (CENTRES[labels] + draw.normal(0, 0.1, (count, 2))).astype("float32"), labels


def players(way="projection", units=(16,), told="concatenation", **kwargs):
    generator = {"units": units, "batch_norm": told == "batch_norm", "activation": None, "conditioning": told}
    return {
        "generator": lambda: dense.generator((2,), LATENT_DIM, num_classes=CLASSES, **generator),
        "discriminator": lambda: dense.discriminator((2,), units, num_classes=CLASSES, conditioning=way, **kwargs),
    }


def make(way="projection", seed=0, latents="normal", **kwargs):
    return kgan.GAN(**players(way, **kwargs), latent_dim=LATENT_DIM, seed=seed, num_classes=CLASSES, latents=latents)


def one_hot(labels):
    return np.eye(CLASSES)[labels]


def judged(weights, x, labels, way):
    """Score and class logits of `dense.discriminator(units=(16,))`, in numpy; no two weights have the same shape."""
    of = {weight.shape: weight for weight in weights}
    if way == "concatenation":
        x = np.concatenate([x, np.sqrt(2) * one_hot(labels)], axis=1)
    hidden = x @ of[x.shape[1], 16] + of[16,]
    features = np.where(hidden > 0, hidden, 0.2 * hidden)
    score = features @ of[16, 1][:, 0] + of[1,]
    if way == "projection":
        score = score + (of[CLASSES, 16][labels] * features).sum(axis=1)
    return score, features @ of[16, CLASSES] + of[CLASSES,] if way == "auxiliary" else None


def generated(weights, latents, labels):
    of = {weight.shape: weight for weight in weights}
    hidden = np.concatenate([latents, one_hot(labels)], axis=1) @ of[LATENT_DIM + CLASSES, 16] + of[16,]
    return np.where(hidden > 0, hidden, 0.2 * hidden) @ of[16, 2] + of[2,]


def cross_entropy(logits, labels):
    return (np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]).mean()


def losses_by_hand(d_weights, g_weights, real, latents, labels, way, weight):
    """What each player minimizes, and the logs."""
    r, real_classes = judged(d_weights, real, labels, way)
    f, fake_classes = judged(d_weights, generated(g_weights, latents, labels), labels, way)
    logs = {"d_loss": (softplus(-r) + softplus(f)).mean(), "g_loss": softplus(-f).mean()}
    d_loss, g_loss = logs["d_loss"], logs["g_loss"]
    if way == "auxiliary":
        logs["g_class_loss"] = cross_entropy(fake_classes, labels)
        logs["d_class_loss"] = cross_entropy(real_classes, labels) + logs["g_class_loss"]
        logs["d_class_accuracy"] = (real_classes.argmax(axis=1) == labels).mean()
        d_loss, g_loss = d_loss + weight * logs["d_class_loss"], g_loss + weight * logs["g_class_loss"]
    return d_loss, g_loss, logs


@pytest.mark.parametrize(
    "way, activation",
    [("concatenation", None), ("projection", "sigmoid"), ("auxiliary", "sigmoid"), ("auxiliary", None)],
)
def test_losses_and_gradients_by_hand(way, activation):
    """One step of plain gradient descent with rate 1 moves each weight by its gradient; so does it each loss by hand."""
    real, labels = points(BATCH)
    latents = np.random.default_rng(1).normal(size=(BATCH, LATENT_DIM)).astype("float32")
    gan = make(way, latents=lambda shape, seed: ops.convert_to_tensor(latents), activation=activation)
    weight = 0.7 if way == "auxiliary" else 1.0
    sgd = {"d_opt": keras.optimizers.SGD(1.0), "g_opt": keras.optimizers.SGD(1.0)}
    compiled(gan, class_loss_weight=weight, **sgd)
    for variable in gan.trainable_variables:  # biases too
        variable.assign(np.random.default_rng(2).normal(0, 0.5, variable.shape))
    both = gan.discriminator, gan.generator
    before = [[one.astype("float64") for one in values(player.trainable_variables)] for player in both]
    logs = gan.train_on_batch(real, labels, return_dict=True)

    def losses():
        return losses_by_hand(*before, real, latents, labels, way, weight)

    for name, value in losses()[2].items():
        assert float(logs[name]) == pytest.approx(value, rel=1e-5, abs=1e-6), name
    for index, player in enumerate(both):
        expected = gradient(lambda _, index=index: losses()[index], before[index])
        for old, new, slope in zip(before[index], values(player.trainable_variables), expected, strict=True):
            np.testing.assert_allclose(old - new, slope, rtol=1e-5, atol=1e-5)


def test_projection_of_images_with_spectral_normalization():
    """psi(phi(x)) + <embed(y), phi(x)>, each divided by its largest singular value, which u approaches in training."""
    model = dcgan.discriminator((8, 8, 1), filters=2, dropout=0.0, spectral_norm=True, num_classes=CLASSES)
    images = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype("float32")
    labels = np.array([0, 1, 2, 1, 1])
    normalized = [layer for layer in model.layers if isinstance(layer, kgan.layers.SpectralNormalization)]
    last = sorted(normalized[-2:], key=lambda layer: layer.layer.units)
    for layer in last:
        layer.u.assign(np.linalg.svd(values([layer.layer.kernel])[0])[2][0])
    flat = next(layer for layer in model.layers if isinstance(layer, keras.layers.Flatten))
    features, got = keras.Model(model.inputs, [flat.output, model.output]).predict([images, labels], verbose=0)
    psi, embed = (values([layer.layer.kernel])[0] for layer in last)
    bias = values([last[0].layer.bias])[0]
    by_class = embed / np.linalg.svd(embed)[1][0]
    expected = features @ psi / np.linalg.norm(psi) + bias + (by_class[labels] * features).sum(1, keepdims=True)
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_batch_normalization_of_classes():
    layer = ClassBatchNormalization(CLASSES, momentum=0.9, epsilon=0.1)
    draw = np.random.default_rng(0)
    x, labels = draw.normal(2.0, 3.0, (6, 4, 4, 2)).astype("float32"), np.array([0, 1, 2, 2, 1, 0])
    layer.build([x.shape, labels.shape])
    gamma, beta = draw.normal(size=(2, CLASSES, 2)).astype("float32")
    layer.gamma.assign(gamma)
    layer.beta.assign(beta)
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    normal = (x - mean) / np.sqrt(variance + 0.1)
    expected = gamma[labels][:, None, None] * normal + beta[labels][:, None, None]
    np.testing.assert_allclose(values([layer([x, labels], training=True)])[0], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(values([layer.normalize.moving_mean])[0], 0.1 * mean, rtol=1e-4)
    inference = values([layer([x, labels], training=False)])[0]
    moved = (x - 0.1 * mean) / np.sqrt(0.9 + 0.1 * variance + 0.1)
    expected = gamma[labels][:, None, None] * moved + beta[labels][:, None, None]
    np.testing.assert_allclose(inference, expected, rtol=1e-4, atol=1e-5)
    assert ClassBatchNormalization.from_config(layer.get_config()).get_config() == layer.get_config()


def test_labels_are_joined_as_planes():
    images, labels = np.arange(2 * 3 * 3 * 2, dtype="float32").reshape(2, 3, 3, 2), np.array([2, 0])
    joined = values([JoinLabels(CLASSES, scale=3.0)([images, labels])])[0]
    np.testing.assert_array_equal(joined[..., :2], images)
    np.testing.assert_array_equal(joined[..., 2:], np.broadcast_to(3 * one_hot(labels)[:, None, None], (2, 3, 3, 3)))


def test_penalties_are_taken_at_the_labels():
    """D(x, y) = (w + V_y) x + b is linear: its gradient by x is w + V_y."""
    gan = make(units=(), activation=None)
    compiled(gan, penalties=[kgan.penalties.R1(2.0), "gradient_penalty"])
    real, labels = points()
    of = {weight.shape: weight for weight in values(gan.discriminator.trainable_variables)}
    w, rows = of[2, 1], of[CLASSES, 2]
    norms = np.linalg.norm(w[:, 0] + rows[labels], axis=1)
    logs = gan.train_on_batch(real, labels, return_dict=True)
    assert float(logs["r1"]) == pytest.approx((norms**2).mean(), rel=1e-5)
    assert float(logs["gradient_penalty"]) == pytest.approx(10.0 * ((norms - 1) ** 2).mean(), rel=1e-4)


@pytest.mark.longer
@pytest.mark.parametrize("way, told", [("projection", "batch_norm"), ("concatenation", None), ("auxiliary", None)])
def test_each_class_lands_near_its_centre(way, told):
    real, labels = points(3000)
    gan = make(way, units=(32, 32), told=told or "concatenation")
    compiled(gan, **{name: keras.optimizers.Adam(2e-3, beta_1=0.5) for name in ("d_opt", "g_opt")},
             penalties=[kgan.penalties.R1(0.1)], ema=0.99)  # fmt: skip
    history = gan.fit(real, labels, batch_size=64, epochs=10, verbose=0).history
    for label, centre in enumerate(CENTRES):
        made = gan.generate(100, seed=1, labels=label)
        assert np.linalg.norm(made.mean(0) - centre) < 0.5, label
    if way == "auxiliary":
        assert history["d_class_accuracy"][-1] > 0.95 and history["g_class_loss"][-1] < 0.1 < history["g_class_loss"][0]
    else:
        assert "d_class_loss" not in history


@pytest.mark.longer
@pytest.mark.parametrize(
    "way, schedule",
    [
        pytest.param("concatenation", "simultaneous", marks=pytest.mark.slow),
        ("projection", kgan.schedules.Alternating(2)),
        pytest.param("auxiliary", "combined", marks=pytest.mark.slow),
        ("auxiliary", "periods"),
    ],
)
@pytest.mark.usefixtures("eagerly")
def test_everything_together_saved_and_gone_on_with(way, schedule, tmp_path):
    """Every schedule with all tricks: the logs are finite; what is loaded goes on bit for bit; evaluation repeats."""
    real, labels = points(23)  # a last batch of 7
    gan = compiled(
        make(way, units=(16, 16), dropout=0.3, told="batch_norm"),
        schedule=schedule,
        loss=kgan.losses.NonSaturating(smoothing=0.1),
        penalties=["r1"],
        ema=0.9,
        tricks=[kgan.tricks.LabelFlip(0.1), kgan.tricks.InstanceNoise(0.1, 100)],
        class_loss_weight=0.5 if way == "auxiliary" else 1.0,
    )
    history = gan.fit(real, labels, batch_size=8, epochs=2, verbose=0, shuffle=False).history
    assert all(np.isfinite(logged).all() for logged in history.values())
    classes = {"d_class_loss", "g_class_loss", "d_class_accuracy"}
    assert classes & history.keys() == (classes if way == "auxiliary" else set())
    first = gan.evaluate(real, labels, verbose=0, return_dict=True)
    assert first == gan.evaluate(real, labels[:, None].astype("uint8"), verbose=0, return_dict=True)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    assert again.condition.n == CLASSES and again.rules.class_loss_weight == gan.rules.class_loss_weight
    for one in (gan, again):
        one.fit(real, labels, batch_size=8, verbose=0, shuffle=False)
    assert largest_difference(state(gan), state(again)) == 0.0
    given = [2, 0, 1, 1]
    np.testing.assert_array_equal(gan.generate(4, seed=0, labels=given), again.generate(4, seed=0, labels=given))


def test_a_loss_of_pairs_trains():
    gan = compiled(make(), loss="relativistic", schedule="alternating")
    assert np.isfinite(gan.fit(*points(), batch_size=8, verbose=0).history["g_loss"]).all()


def test_an_exact_resume_of_arrays(tmp_path):
    """Stopped in the middle of an epoch and begun again, it ends in the same state; labels stay with their images."""

    def fit(folder, steps):
        keras.utils.set_random_seed(1)
        gan = compiled(make("auxiliary", dropout=0.3), penalties=["r1"], ema=0.9)
        saver = kgan.callbacks.Checkpoint(folder, every="3 steps", resume=True)
        gan.fit(*points(), batch_size=8, epochs=3, verbose=0, callbacks=[saver, steps])
        return gan

    whole = fit(tmp_path / "whole", Steps())
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "parts", Steps(kill_at=7, error=KeyboardInterrupt))
    parts = fit(tmp_path / "parts", rest := Steps())
    assert rest.done == 9  # it went on from step 6
    assert int(whole.d_opt.iterations) == int(parts.d_opt.iterations) == 15
    assert largest_difference(state(whole), state(parts)) == 0.0


def test_generate_with_labels():
    gan = make()
    by_hand = keras.random.SeedGenerator(3)
    latents = keras.random.normal((5, LATENT_DIM), seed=by_hand)
    drawn = keras.random.randint((5,), 0, CLASSES, seed=by_hand)
    for labels, expected in ((None, drawn), (2, [2] * 5), ([0, 1, 2, 0, 0], [0, 1, 2, 0, 0]), (np.uint8(1), [1] * 5)):
        made = gan.generate(5, seed=3, labels=labels)
        told = [latents, ops.cast(ops.convert_to_tensor(expected), "int32")]
        np.testing.assert_allclose(made, values([gan.generator(told)])[0], atol=1e-6)
        np.testing.assert_allclose(made, values([gan(told)])[0], atol=1e-6)
    several = gan.generate(300, seed=3)
    counts = [np.isclose(several, gan.generate(300, seed=3, labels=label)).all(1).sum() for label in range(CLASSES)]
    assert sum(counts) == 300 and min(counts) > 70  # 100 are expected of each, with a deviation of 8
    np.testing.assert_allclose(
        gan.predict([values([latents])[0], np.array([2] * 5)], verbose=0), gan.generate(5, 3, labels=2), atol=1e-6
    )
    assert gan.generate(0, labels=1).shape == (0, 2)


def test_a_grid_has_a_row_for_each_class(tmp_path):
    images = np.random.default_rng(0).uniform(-1, 1, (12, 8, 8, 1)).astype("float32")
    shape = {"image_shape": (8, 8, 1), "units": (8,), "num_classes": CLASSES}
    gan = compiled(
        kgan.GAN(dense.generator(latent_dim=3, **shape), dense.discriminator(**shape), 3, num_classes=CLASSES)
    )
    grid = kgan.callbacks.ImageGrid(tmp_path, rows=4, columns=2, gif=False)
    gan.fit(images, np.arange(12) % CLASSES, verbose=0, callbacks=[grid])
    rows = [gan.generate(2, seed=0, labels=label) for label in (0, 1, 2, 0)]
    from PIL import Image

    with Image.open(tmp_path / "epoch-0001.png") as drawn:
        np.testing.assert_array_equal(np.asarray(drawn), kgan.pictures.grid(np.concatenate(rows), 2))


def test_without_classes_players_are_what_they_were():
    for family in (dense, dcgan):
        for player in (family.generator((8, 8, 1)), family.discriminator((8, 8, 1))):
            assert isinstance(player, keras.Sequential)


@pytest.mark.usefixtures("eagerly")
def test_wrong_labels():
    real, labels = points()
    assert "A GAN with `num_classes=3` trains on pairs of images and labels. Received: images alone." in wrong(
        lambda: compiled(make()).fit(real, verbose=0)
    )
    assert "class numbers of shape (batch,), not one-hot vectors. Received: shape (batch, 3)" in wrong(
        lambda: compiled(make()).fit(real, one_hot(labels).astype("int32"), verbose=0)
    )
    assert "Labels must be integers. Received: float32" in wrong(
        lambda: compiled(make()).fit(real, labels.astype("float32"), verbose=0)
    )
    said = "Labels must lie in [0, 2], as `num_classes` is 3. Received: labels from 0 to 3"
    assert said in wrong(lambda: compiled(make()).fit(real, labels % 3 + (labels == 2), batch_size=40, verbose=0))
    assert said in wrong(lambda: compiled(make()).train_on_batch(real, labels + (labels == 2)))
    assert said in wrong(lambda: compiled(make()).evaluate(real, labels + (labels == 2), verbose=0))
    late = np.where(np.arange(40) == 39, -1, labels)
    assert "Received: labels from -1 to 2" in wrong(
        lambda: compiled(make()).fit(real, late, batch_size=8, shuffle=False, verbose=0)
    )
    assert "Received: labels from -1 to 2" in wrong(
        lambda: compiled(make()).fit(
            real, late, batch_size=8, shuffle=False, verbose=0, validation_data=(real[:8], labels[:8])
        )
    )


def test_labels_of_another_shape_in_the_next_training():
    """TensorFlow's compiled step then knows not even how many axes they have."""
    gan, (images, labels) = compiled(make()), points(32)
    gan.fit(images, labels, batch_size=16, verbose=0)
    gan.fit(images, labels[:, None], batch_size=16, verbose=0)
    gan.fit(images, labels, batch_size=16, verbose=0)


def test_wrong_labels_to_generate():
    gan = make()
    for labels, message in (
        (3, "Labels must lie in [0, 2], as `num_classes` is 3. Received: labels from 3 to 3"),
        ([0, 1], "`labels` must be a class number, or an array with one for each of the 4 images. Received: [0, 1]"),
        (1.5, "`labels` must be a class number, or an array with one for each of the 4 images. Received: 1.5"),
        (True, "`labels` must be a class number"),
    ):
        assert message in wrong(lambda labels=labels: gan.generate(4, labels=labels))
    plain = kgan.GAN(dense.generator((2,), 2), dense.discriminator((2,)), 2)
    assert "`labels` are for a GAN with `num_classes` or `condition`. Received: labels=1" in wrong(
        lambda: plain.generate(4, labels=1)
    )


def test_wrong_players():
    def gan(num_classes=CLASSES, **kwargs):
        return kgan.GAN(**{**players(), **kwargs}, latent_dim=LATENT_DIM, num_classes=num_classes)

    assert "`num_classes` must be an integer >= 1. Received: 0" in wrong(lambda: gan(0))
    assert "`pack` must be 1 with `num_classes`" in wrong(lambda: gan(pack=2))
    assert (
        "With `num_classes=3` the generator must take [latents, labels]. Received: model 'alone', which takes latents alone."
        in wrong(
            lambda: gan(generator=keras.Sequential([keras.Input((LATENT_DIM,)), keras.layers.Dense(2)], name="alone"))
        )
    )
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)], name="plain")
    assert (
        "With `num_classes=3` the discriminator must take [images, labels], or output class logits (batch, 3) besides its "
        "score. Received: model 'plain', which does neither." in wrong(lambda: gan(discriminator=plain))
    )
    four = dense.discriminator((2,), num_classes=4, conditioning="auxiliary")
    assert "must output a score (batch, 1) and class logits (batch, 3). Received: shapes (batch, 1) and (batch, 4)" in (
        wrong(lambda: gan(discriminator=four))
    )
    alone = wrong(lambda: kgan.GAN(dense.generator((2,), 2), four, 2))
    assert "a map of them. Received: shape (batch, 1) and (batch, 4)" in alone
    assert "Class logits besides a score need a GAN with `num_classes`." in alone
    for told in ("concatenation", "batch_norm"):
        generator = dense.generator((2,), LATENT_DIM, num_classes=4, conditioning=told)
        assert (
            f"The generator, model 'generator', was made for 4 classes. Received: GAN(..., num_classes={CLASSES})"
            in wrong(lambda generator=generator: gan(generator=generator))
        )
        assert "was made for 4 classes. Received: GAN(..., num_classes=None)" in wrong(
            lambda generator=generator: gan(None, generator=generator)
        )
    for told in ("concatenation", "projection"):
        discriminator = dense.discriminator((2,), num_classes=4, conditioning=told)
        assert "The discriminator, model 'discriminator', was made for 4 classes." in wrong(
            lambda discriminator=discriminator: gan(discriminator=discriminator)
        )
    assert "`num_classes` of a generator must be an integer >= 1. Received: 0" in wrong(
        lambda: dense.generator((2,), num_classes=0)
    )
    assert "Unknown conditioning of a generator 'foo'" in wrong(lambda: dense.generator((2,), conditioning="foo"))
    assert "Unknown conditioning of a generator 'batchnorm'. Did you mean 'batch_norm'?" in wrong(
        lambda: dense.generator((2,), num_classes=3, conditioning="batchnorm")
    )
    assert "Unknown conditioning of a discriminator 'project'. Did you mean 'projection'?" in wrong(
        lambda: dcgan.discriminator((8, 8, 1), num_classes=3, conditioning="project")
    )
    assert "`conditioning` of a generator without batch normalization must be 'concatenation'" in wrong(
        lambda: dense.generator((2,), batch_norm=False, num_classes=3, conditioning="batch_norm")
    )


def test_wrong_class_loss_weights():
    assert "`class_loss_weight` must be a number >= 0. Received: -1" in wrong(
        lambda: compiled(make("auxiliary"), class_loss_weight=-1)
    )
    assert "`class_loss_weight` is for a discriminator that outputs class logits" in wrong(
        lambda: compiled(make(), class_loss_weight=2.0)
    )
