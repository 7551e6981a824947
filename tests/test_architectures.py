"""Players of every family: shapes at every size, the texts' networks at 28 x 28, clear refusals."""

import keras
import numpy as np
import pytest

from kgan.architectures import ARCHITECTURES, dcgan, dense, get


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("side", [8, 28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(name, side, channels):
    family, shape = get(name), (side, side, channels)
    generator, discriminator = family.generator(shape, latent_dim=5), family.discriminator(shape)
    assert generator.input_shape == (None, 5) and generator.output_shape == (None, *shape)
    assert discriminator.input_shape == (None, *shape) and discriminator.output_shape == (None, 1)


def test_dcgan_at_128_and_oblong():
    assert dcgan.generator((128, 128, 3), filters=8).output_shape == (None, 128, 128, 3)
    assert dcgan.generator((32, 64, 1), filters=8).output_shape == (None, 32, 64, 1)
    bases = {8: 2, 12: 3, 20: 5, 28: 7, 32: 8, 36: 9, 64: 8, 96: 6, 128: 8}
    for side, base in bases.items():
        made = dcgan.generator((side, side, 1), filters=2)
        reshape = next(one for one in made.layers if isinstance(one, keras.layers.Reshape))
        assert reshape.target_shape[:2] == (base, base), side


def test_counts_of_the_texts():
    """Parameters of the tutorials' networks, from their layers by hand."""
    widths = [100, 128, 256, 512, 1024, 784]
    dense_layers = sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))
    assert dense.generator().count_params() == dense_layers + 4 * (256 + 512 + 1024)
    assert dense.discriminator().count_params() == 784 * 512 + 512 + 512 * 256 + 256 + 256 + 1
    first = 100 * 12544 + 4 * 12544
    convolutions = 25 * 256 * 128 + 4 * 128 + 25 * 128 * 64 + 4 * 64 + 25 * 64
    assert dcgan.generator().count_params() == first + convolutions
    assert dcgan.discriminator().count_params() == 25 * 64 + 64 + 25 * 64 * 128 + 128 + 7 * 7 * 128 + 1


def test_layers_of_the_texts():
    norms = [layer for layer in dense.generator().layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert [(norm.momentum, norm.epsilon) for norm in norms] == [(0.1, 0.8)] * 3
    slopes = {layer.negative_slope for layer in dense.generator().layers if isinstance(layer, keras.layers.LeakyReLU)}
    assert slopes == {0.2}
    assert dense.discriminator().layers[-1].activation is keras.activations.sigmoid
    strides = [
        layer.strides[0] for layer in dcgan.generator().layers if isinstance(layer, keras.layers.Conv2DTranspose)
    ]
    assert strides == [1, 2, 2]
    rates = [layer.rate for layer in dcgan.discriminator().layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.3, 0.3]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_contract(name):
    """Images in [-1, 1]; the same seed makes the same weights, another one others."""
    made = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        made.append(get(name).generator((8, 8, 1), 4).predict(np.ones((2, 4), "float32"), verbose=0))
    assert np.abs(made[0]).max() <= 1.0
    np.testing.assert_array_equal(made[0], made[1])
    assert np.any(made[0] != made[2])


def test_refusals():
    with pytest.raises(ValueError, match="multiples of 4. Received: 30 x 29; the nearest that fits is 32 x 28"):
        dcgan.generator((30, 29, 1))
    with pytest.raises(ValueError, match="must be \\(height, width, channels\\). Received: \\(2,\\)"):
        dcgan.discriminator((2,))
    with pytest.raises(ValueError, match="Unknown architecture 'dcgna'. Did you mean 'dcgan'"):
        get("dcgna")
