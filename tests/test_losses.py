"""Losses against numbers worked out by hand, and against the Keras losses they are equal to."""

import math

import keras
import numpy as np
import pytest
from keras import ops

import kgan
from kgan import losses, objective
from kgan.losses import LOSSES
from tests.helpers import compiled, small_discriminator, small_gan, values

REAL, FAKE = [2.0, -1.0], [0.5, -3.0]


def softplus(x):
    return math.log1p(math.exp(x))


# name: (discriminator, generator) for each of two examples, written out from the papers' formulas
BY_HAND = {
    "non_saturating": (
        [-math.log(1 / (1 + math.exp(-2))) - math.log(1 - 1 / (1 + math.exp(-0.5))), softplus(1) + softplus(-3)],
        [softplus(-0.5), softplus(3)],
    ),
    "minimax": ([softplus(-2) + softplus(0.5), softplus(1) + softplus(-3)], [-softplus(0.5), -softplus(-3)]),
    "least_squares": ([(1 + 0.25) / 2, (4 + 9) / 2], [0.25 / 2, 16 / 2]),
    "wasserstein": ([-1.5, -2.0], [-0.5, 3.0]),
    "hinge": ([0 + 1.5, 2 + 0], [-0.5, 3.0]),
    "relativistic": ([softplus(-1.5), softplus(-2)], [softplus(1.5), softplus(2)]),
    # the means are 0.5 of the real and -1.25 of the fake images: r - E f is 3.25 and 0.25, f - E r is 0 and -3.5
    "relativistic_average": (
        [(softplus(-3.25) + softplus(0)) / 2, (softplus(-0.25) + softplus(-3.5)) / 2],
        [(softplus(3.25) + softplus(0)) / 2, (softplus(0.25) + softplus(3.5)) / 2],
    ),
}


def test_a_paired_loss_counts_the_pairs_in_which_the_real_image_has_the_higher_logit():
    real, fake = ops.array([[3.0], [1.0], [-5.0], [2.0]]), ops.array([[2.0], [1.5], [-6.0], [2.0]])
    relativistic, hinge = losses.get("relativistic"), losses.get("hinge")
    right = [ops.convert_to_numpy(one)[:, 0].tolist() for one in relativistic.right(real, fake)]
    assert right == [[True, False, True, False]] * 2  # neither of two equal images is right
    right = [ops.convert_to_numpy(one)[:, 0].tolist() for one in hinge.right(real, fake)]
    assert right == [[True, True, False, True], [False, False, True, False]]
    assert ops.convert_to_numpy(relativistic.margin(fake, real))[:, 0].tolist() == [-1.0, 0.5, -1.0, 0.0]
    assert ops.convert_to_numpy(hinge.margin(fake))[:, 0].tolist() == [2.0, 1.5, -6.0, 2.0]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("shape", [(2,), (2, 1)])
def test_values(name, shape):
    loss = kgan.losses.get(name)
    real, fake = np.reshape(REAL, shape).astype("float32"), np.reshape(FAKE, shape).astype("float32")
    for computed, expected in zip(
        (loss.discriminator(real, fake), loss.generator(fake, real)), BY_HAND[name], strict=True
    ):
        assert computed.shape == (2,)
        np.testing.assert_allclose(ops.convert_to_numpy(computed), expected, rtol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_of_an_image_is_the_mean_over_its_map(name):
    loss, draw = kgan.losses.get(name), np.random.default_rng(0)
    real, fake = draw.normal(size=(2, 3, 2, 4, 1)).astype("float32")
    one_by_one = [
        loss.discriminator(real.reshape(-1), fake.reshape(-1)),
        loss.generator(fake.reshape(-1), real.reshape(-1)),
    ]
    expected = [ops.convert_to_numpy(one).reshape(3, 8).mean(1) for one in one_by_one]
    computed = loss.discriminator(real, fake), loss.generator(fake, real)
    for one, other in zip(computed, expected, strict=True):
        assert one.shape == (3,)
        np.testing.assert_allclose(ops.convert_to_numpy(one), other, rtol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_several_scales_are_added_up(name):
    loss, draw = kgan.losses.get(name), np.random.default_rng(0)
    real, fake = (
        [ops.convert_to_tensor(draw.normal(size=(3, side, side, 1)), "float32") for side in (4, 2)] for _ in "rf"
    )
    both = objective.OverScales(loss)
    for method, first, second in (("discriminator", real, fake), ("generator", fake, real)):
        parts = [ops.convert_to_numpy(getattr(loss, method)(*one)) for one in zip(first, second, strict=True)]
        np.testing.assert_allclose(getattr(both, method)(first, second), sum(parts), rtol=1e-6)
    assert (both.real is None) == loss.paired and both.threshold == loss.threshold
    right, _ = both.right(real, fake)
    assert right.shape == (3, 20) and both.margin(fake, real).shape == (3, 20)


@pytest.mark.parametrize("name", LOSSES)
def test_contract(name):
    """Parts add up, huge logits stay finite, and a loss survives its config."""
    loss = kgan.losses.get(name)
    real, fake = np.array([300.0, -300.0], "float32"), np.array([-300.0, 300.0], "float32")
    for value in (loss.discriminator(real, fake), loss.generator(fake, real)):
        assert np.isfinite(ops.convert_to_numpy(value)).all()
    if not loss.paired:
        parts = ops.convert_to_numpy(loss.real(real)) + ops.convert_to_numpy(loss.fake(fake))
        np.testing.assert_allclose(parts, ops.convert_to_numpy(loss.discriminator(real, fake)))
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)


@pytest.mark.parametrize("name", ["non_saturating", "minimax"])
def test_smoothing_is_of_real_labels_alone(name):
    loss, plain = LOSSES[name](smoothing=0.1), LOSSES[name]()
    real, fake = np.array(REAL, "float32"), np.array(FAKE, "float32")
    by_hand = [0.9 * softplus(-2) + 0.1 * softplus(2), 0.9 * softplus(1) + 0.1 * softplus(-1)]
    both_smoothed = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2, reduction=None)
    keras_value = both_smoothed(np.ones((2, 1), "float32"), real[:, None])
    for expected in (by_hand, ops.convert_to_numpy(keras_value)):
        np.testing.assert_allclose(ops.convert_to_numpy(loss.real(real)), expected, rtol=1e-6)
    np.testing.assert_array_equal(loss.fake(fake), plain.fake(fake))
    np.testing.assert_array_equal(loss.generator(fake), plain.generator(fake))
    assert loss.get_config() == {"smoothing": 0.1}


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, "0.1", True])
def test_wrong_smoothing(smoothing):
    with pytest.raises(ValueError, match=r"`smoothing` of NonSaturating must be in \[0, 1\). Received:"):
        kgan.losses.NonSaturating(smoothing)


@pytest.mark.parametrize("name, threshold", [("non_saturating", 0.0), ("least_squares", 0.5), ("wasserstein", 0.0)])
def test_thresholds(name, threshold):
    assert kgan.losses.get(name).threshold == threshold


def logs_of(images, loss, **players):
    keras.utils.set_random_seed(5)
    gan = compiled(small_gan(**players), loss=loss)
    return gan.evaluate(images, verbose=0, return_dict=True)


@pytest.mark.longer
@pytest.mark.usefixtures("eagerly")
def test_a_sigmoid_changes_nothing(images):
    """kgan's losses, and cross-entropy, see the logits behind the discriminator's sigmoid, however it is applied."""

    def with_sigmoid_layer():
        inner = small_discriminator()
        return keras.Sequential([*inner.layers, keras.layers.Activation("sigmoid")])

    def with_sigmoid_operation():
        inputs = keras.Input((8, 8, 1))
        return keras.Model(inputs, ops.sigmoid(small_discriminator()(inputs)))

    def nested():
        inputs = keras.Input((8, 8, 1))
        return keras.Model(inputs, keras.layers.Reshape((1,))(small_discriminator(activation="sigmoid")(inputs)))

    for loss in ("non_saturating", "least_squares", keras.losses.BinaryCrossentropy()):
        plain = logs_of(images, loss)
        for make in (
            lambda: small_discriminator(activation="sigmoid"),
            with_sigmoid_layer,
            with_sigmoid_operation,
            nested,
        ):
            logs = logs_of(images, loss, discriminator=make)
            for key in plain:
                assert logs[key] == pytest.approx(plain[key], rel=1e-6), (loss, key)


def test_the_discriminator_itself_keeps_its_sigmoid(images):
    gan = compiled(small_gan(discriminator=lambda: small_discriminator(activation="sigmoid")))
    gan.fit(images, batch_size=20, verbose=0)
    scores = gan.discriminator.predict(images, verbose=0)
    assert scores.min() > 0.0 and scores.max() < 1.0


def test_a_saturated_sigmoid_still_teaches(images):
    """Probability 1 has no logarithm of its complement; its logit, 60, has a loss of 60."""
    bias = keras.initializers.Constant(60.0)

    def saturated():
        stack = [keras.Input((8, 8, 1)), keras.layers.Flatten()]
        last = keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros", bias_initializer=bias)
        return keras.Sequential([*stack, last])

    for loss in ("non_saturating", keras.losses.BinaryCrossentropy()):
        logs = logs_of(images, loss, discriminator=saturated)
        assert logs["d_fake_loss"] == pytest.approx(60.0)
        assert logs["d_real_loss"] == pytest.approx(0.0, abs=1e-6)


def test_keras_losses_are_called_with_labels_and_output(images):
    """Cross-entropy with smoothed labels: log(1 + e^-x) with label 0.95, by hand from the logits."""
    gan = compiled(loss=keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1))
    logs = gan.evaluate(images, verbose=0, return_dict=True)
    logits = gan.discriminator.predict(images, verbose=0)[:, 0]
    expected = np.mean(0.95 * np.log1p(np.exp(-logits)) + 0.05 * np.log1p(np.exp(logits)))
    assert logs["d_real_loss"] == pytest.approx(expected, rel=1e-5)


def test_mean_squared_error_is_taken_on_the_output_as_it_is(images):
    gan = compiled(
        small_gan(discriminator=lambda: small_discriminator(activation="sigmoid")), loss="mean_squared_error"
    )
    logs = gan.evaluate(images, verbose=0, return_dict=True)
    scores = gan.discriminator.predict(images, verbose=0)
    assert logs["d_real_loss"] == pytest.approx(np.mean((1 - scores) ** 2), rel=1e-5)
    assert logs["d_real_accuracy"] == pytest.approx(np.mean(scores > 0.5))


def test_a_sum_reduction_is_kept(images):
    mean = logs_of(images[:8], keras.losses.BinaryCrossentropy())
    total = logs_of(images[:8], keras.losses.BinaryCrossentropy(reduction="sum"))
    assert total["d_loss"] == pytest.approx(8 * mean["d_loss"], rel=1e-5)


class Opaque(keras.Model):
    """A discriminator whose last activation cannot be read from a graph."""

    def __init__(self):
        super().__init__()
        self.stack = small_discriminator(activation="sigmoid")

    def call(self, inputs, training=False):
        return self.stack(inputs, training=training)


def test_an_opaque_discriminator_is_taken_at_the_users_word(images):
    logs = logs_of(images, keras.losses.BinaryCrossentropy(), discriminator=Opaque)
    expected = logs_of(
        images, keras.losses.BinaryCrossentropy(), discriminator=lambda: small_discriminator(activation="sigmoid")
    )
    assert logs["d_loss"] == pytest.approx(expected["d_loss"], rel=1e-5)


def test_a_sigmoid_and_from_logits_contradict():
    gan = small_gan(discriminator=lambda: small_discriminator(activation="sigmoid"))
    last = gan.discriminator.layers[-1].name
    with pytest.warns(UserWarning, match=f"ends in a sigmoid \\(layer '{last}'\\).*`from_logits=True`"):
        compiled(gan, loss=keras.losses.BinaryCrossentropy(from_logits=True))


def test_own_loss(images):
    class Doubled(kgan.losses.NonSaturating):
        def generator(self, fake_logits, real_logits=None):
            return 2.0 * super().generator(fake_logits)

    assert logs_of(images, Doubled())["g_loss"] == pytest.approx(
        2 * logs_of(images, "non_saturating")["g_loss"], rel=1e-6
    )


@pytest.mark.parametrize(
    "loss, message",
    [
        ("non_saturatin", "Unknown loss 'non_saturatin'. Did you mean 'non_saturating'"),
        (3, "`loss` must be a name of kgan.losses, .* Received: 3"),
        (object(), "a kgan.losses.AdversarialLoss or a Keras loss such as"),
    ],
)
def test_wrong_losses(loss, message):
    with pytest.raises(ValueError, match=message):
        compiled(loss=loss)


def test_logits_of_another_shape():
    with pytest.raises(ValueError, match=r"\(batch, height, width, 1\). Received: shape \(4, 3\)"):
        kgan.losses.get("hinge").real(np.zeros((4, 3), "float32"))


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_reach_both_players(images, name):
    gan = compiled(loss=name)
    kernels = [
        layer.kernel
        for player in (gan.generator, gan.discriminator)
        for layer in player.layers
        if hasattr(layer, "kernel")
    ]
    before = values(kernels)
    gan.train_on_batch(images)
    assert len(kernels) == 4
    assert all(np.any(a != b) for a, b in zip(before, values(kernels), strict=True))
