"""The range of a generator's images, from its last layers."""

import logging

import keras
import numpy as np
import pytest
from keras import layers, ops

import kgan
from kgan.players.activation import bounds, image_range
from tests.helpers import compiled, small_discriminator

L = layers


def ending(*last, function=None):
    """A generator of images 8 x 8 x 1 with these last layers."""
    z = keras.Input((4,))
    x = L.Reshape((8, 8, 1))(L.Dense(64)(z))
    for layer in last:
        x = layer(x)
    return keras.Model(z, x if function is None else function(x))


@pytest.mark.parametrize(
    "make, expected",
    [
        (lambda: ending(L.Activation("sigmoid")), (0, 1)),
        (lambda: ending(L.Activation("hard_sigmoid"), L.Identity()), (0, 1)),
        (lambda: ending(L.Activation("tanh"), L.Rescaling(0.5, 0.5)), (0, 1)),
        (lambda: ending(L.Rescaling(3.0), L.Activation("sigmoid"), L.Dropout(0.1)), (0, 1)),
        (lambda: ending(L.UpSampling2D(2), L.Activation("sigmoid"), L.Cropping2D(4)), (0, 1)),
        (lambda: ending(function=lambda x: (ops.tanh(x) + 1.0) / 2.0), (0, 1)),
        (lambda: ending(function=lambda x: 1.0 - ops.sigmoid(x)), (0, 1)),
        (lambda: ending(function=lambda x: ops.clip(x, 0.0, 1.0)), (0, 1)),
        (lambda: ending(L.Lambda(ops.sigmoid)), (0, 1)),
        (lambda: ending(L.ReLU(1.0)), (0, 1)),
        (lambda: keras.Sequential([ending(L.Activation("tanh")), L.Rescaling(0.5, 0.5)]), (0, 1)),
        (lambda: ending(L.Activation("tanh")), (-1, 1)),
        (lambda: ending(L.Activation("sigmoid"), L.Rescaling(2.0, -1.0)), (-1, 1)),
        (lambda: ending(function=lambda x: 2.0 * ops.sigmoid(x) - 1.0), (-1, 1)),
        (lambda: ending(), None),
        (lambda: ending(L.ReLU()), None),
        (lambda: ending(L.Activation("tanh"), L.Conv2D(1, 3, padding="same")), None),
    ],
)
def test_range(make, expected):
    model = make()
    assert bounds(model) == expected
    assert image_range(model) == (expected or (-1, 1))
    made = ops.convert_to_numpy(model(np.random.default_rng(0).normal(0, 20, (500, 4)).astype("float32")))
    if expected:
        assert made.min() == pytest.approx(expected[0], abs=1e-3) and made.max() == pytest.approx(expected[1], abs=1e-3)


@pytest.mark.parametrize("last", [L.Rescaling(127.5, 127.5), L.Rescaling(1.0, 1.0)])
def test_another_range_is_refused(last):
    with pytest.raises(ValueError, match=r"would lie in \[0, \d+\], as its last layers say. .* leave out the layers"):
        kgan.GAN(ending(L.Activation("tanh"), last), small_discriminator(), 4)


class Positive(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense, self.reshape = L.Dense(64, activation="sigmoid"), L.Reshape((8, 8, 1))

    def call(self, z):
        return self.reshape(self.dense(z))


@pytest.mark.parametrize("make, warned", [(Positive, 1), (lambda: ending(L.ReLU()), 1), (ending, 0)])
def test_images_that_are_never_negative_are_warned_of(images, caplog, make, warned):
    gan = compiled(kgan.GAN(make(), small_discriminator(), 4))
    with caplog.at_level(logging.WARNING, "kgan"):
        gan.fit(images, batch_size=20, epochs=2, verbose=0)
    assert sum("no value below 0" in one.message for one in caplog.records) == warned


def test_floats_outside_of_the_range_in_a_later_batch_are_warned_of_once(images, caplog):
    gan = compiled(kgan.GAN(ending(L.Activation("tanh")), small_discriminator(), 4))
    data = np.concatenate([images[:20], images[20:] + 1.5])
    with caplog.at_level(logging.WARNING, "kgan"):
        gan.fit(data, batch_size=20, epochs=2, verbose=0, shuffle=False)
    [said] = [one.message for one in caplog.records if "outside" in one.message]
    assert "outside of [-1, 1]" in said and "to 2.49" in said
