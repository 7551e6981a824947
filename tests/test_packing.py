"""PacGAN: the discriminator sees several images at once."""

import keras
import numpy as np
import pytest
from keras import ops

import kgan
from kgan.players.critic import Critic
from tests.helpers import assert_close, compiled, small_discriminator, small_gan, state, values


@pytest.mark.parametrize("shape", [(8, 8, 3), (2,)])
@pytest.mark.parametrize("count", [6, 5, 1])
def test_images_that_follow_each_other_share_their_channels(shape, count):
    images = np.random.default_rng(0).normal(size=(count, *shape)).astype("float32")
    packed = values(
        [
            Critic(small_discriminator((*shape[:-1], 2 * shape[-1])), kgan.conditions.Unconditional(), pack=2).pack(
                ops.convert_to_tensor(images)
            )
        ]
    )
    again = np.concatenate([images, images])  # the first one joins an odd last one
    expected = [np.concatenate(again[start : start + 2], axis=-1) for start in range(0, count, 2)]
    if count == 1:
        expected = [np.concatenate([images[0], images[0]], axis=-1)]
    np.testing.assert_array_equal(packed[0], expected)


@keras.saving.register_keras_serializable("tests")
class PacksItself(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = small_discriminator((8, 8, 2))

    def compute_output_shape(self, input_shape):
        return (None, 1)

    def call(self, inputs, training=False):
        return self.inner(ops.concatenate([inputs[0::2], inputs[1::2]], axis=-1), training=training)


@pytest.mark.longer
@pytest.mark.parametrize("schedule", ["simultaneous", "alternating", "combined"])
def test_training_is_that_of_a_discriminator_that_packs_itself(images, schedule):
    trained = []
    for players in (
        {"discriminator": lambda: small_discriminator((8, 8, 2)), "pack": 2},
        {"discriminator": PacksItself},
    ):
        keras.utils.set_random_seed(1)
        gan = compiled(small_gan(**players), schedule=schedule)
        history = gan.fit(images, batch_size=8, shuffle=False, verbose=0).history
        trained.append((state(gan), history))
    for name, arrays in trained[0][0].items():
        assert_close(arrays, trained[1][0][name], rtol=1e-4, atol=1e-6)
    for name, logged in trained[0][1].items():
        assert logged == pytest.approx(trained[1][1][name], rel=1e-4)


def test_penalties_are_of_the_whole_pack(images):
    """A linear discriminator's gradient is its kernel, of all channels of the pack."""
    linear = keras.Sequential([keras.Input((8, 8, 2)), keras.layers.Flatten(), keras.layers.Dense(1)])
    gan = compiled(small_gan(discriminator=linear, pack=2), penalties=[kgan.penalties.R1(2.0), "gradient_penalty"])
    norm = np.linalg.norm(values([linear.layers[-1].kernel])[0])
    logs = gan.train_on_batch(images, return_dict=True)
    assert float(logs["r1"]) == pytest.approx(norm**2, rel=1e-5)
    assert float(logs["gradient_penalty"]) == pytest.approx(10.0 * (norm - 1) ** 2, rel=1e-4)


def test_it_is_saved(images, tmp_path):
    gan = compiled(small_gan(discriminator=lambda: small_discriminator((8, 8, 2)), pack=2))
    gan.fit(images[:7], batch_size=4, verbose=0)  # a last batch of three
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    assert again.pack == 2 and again.evaluate(images, verbose=0) == pytest.approx(gan.evaluate(images, verbose=0))


@pytest.mark.parametrize("pack", [0, 2.0, True])
def test_wrong_packs(pack):
    with pytest.raises(ValueError, match="`pack` must be an integer >= 1. Received:"):
        small_gan(pack=pack)


def test_a_discriminator_that_does_not_take_packs():
    with pytest.raises(
        ValueError, match=r"cannot take the generator's images, 2 in a pack, .* made for shape \(batch, 8, 8, 1\)"
    ):
        small_gan(pack=2)
