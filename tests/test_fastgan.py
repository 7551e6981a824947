"""The players of FastGAN, its self-supervision, and the generator `compact`."""

import itertools

import keras
import numpy as np
import pytest
from keras import layers, ops

import kgan
from kgan.architectures import compact, dcgan, fastgan
from kgan.arguments import Misfit
from kgan.layers import Reconstructed, reconstructing
from tests.helpers import values


def conv(inside, outside, kernel):
    return inside * outside * kernel**2


def trained(model):
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def test_parameters_of_the_papers_generator():
    """At 256 pixels with 64 filters and 256 latents; each batch normalization has two numbers a channel."""
    width = {4: 1024, 8: 512, 16: 256, 32: 128, 64: 128, 128: 64, 256: 32}
    count = 256 * 16 * 2 * 1024 + 2 * 2 * 1024
    for small, large in zip(list(width)[:-1], list(width)[1:], strict=True):
        count += conv(width[small], 2 * width[large], 3) + 2 * 2 * width[large]
        if large in (8, 32, 128):
            count += conv(width[large], 2 * width[large], 3) + 2 * 2 * width[large]
    for low, high in ((4, 64), (8, 128), (16, 256)):  # skip-layer excitation
        count += conv(width[low], width[high], 4) + conv(width[high], width[high], 1)
    count += conv(width[256], 3, 3)
    made = fastgan.generator()
    assert trained(made) == count and made.output_shape == (None, 256, 256, 3)


def test_parameters_of_the_papers_discriminator():
    width = {8: 1024, 16: 512, 32: 256, 64: 128, 128: 64, 256: 32}
    count = conv(3, width[256], 3)
    sides = list(width)[::-1]
    for inside, outside in itertools.pairwise(width[side] for side in sides):
        count += conv(inside, outside, 4) + conv(outside, outside, 3) + conv(inside, outside, 1) + 3 * 2 * outside
    for low, high in ((256, 32), (128, 16), (64, 8)):
        count += conv(width[low], width[high], 4) + conv(width[high], width[high], 1)
    count += conv(1024, 512, 1) + 2 * 512 + conv(512, 1, 4)  # judges 4 x 4 parts of 8 x 8 features
    count += conv(3, 128, 4) + conv(1024, 1, 4)  # the image at half its size
    for inside, outside in ((128, 256), (256, 512), (512, 1024)):
        count += conv(inside, outside, 4) + 2 * outside
    for start in (1024, 512):  # decoders of the whole image and of a quarter, 8 x 8 -> 128 x 128
        for inside, outside in ((start, 128), (128, 64), (64, 64), (64, 32)):
            count += conv(inside, 2 * outside, 3) + 2 * 2 * outside
        count += conv(32, 3, 3)
    made = fastgan.discriminator()
    assert trained(made) == count and made.output_shape == [(None, 5, 5, 1), (None, 5, 5, 1)]


@pytest.mark.parametrize("side", [32, 128, 512])
def test_sizes(side):
    generator = fastgan.generator((side, side, 1), 8, filters=2)
    discriminator = fastgan.discriminator((side, side, 1), filters=2)
    images = generator(np.zeros((2, 8), "float32"))
    assert images.shape == (2, side, side, 1)
    assert [one.shape for one in discriminator(images)] == [(2, 5, 5, 1), (2, 5, 5, 1)]


@pytest.mark.parametrize("shape, nearest", [((48, 48, 3), 32), ((64, 32, 3), 64), ((2000, 2000, 3), 1024)])
def test_other_sizes_are_refused(shape, nearest):
    for make in (fastgan.generator, fastgan.discriminator):
        with pytest.raises(Misfit, match=f"square images of 32, 64, .* {shape[0]} x {shape[1]}") as caught:
            make(shape)
        assert caught.value.instead == {"size": nearest}


def test_skip_layer_excitation():
    """y = sigmoid(1 x 1 conv(silu(4 x 4 conv(average of x_low)))) x_high, in numpy, with sigma = 1 as in inference."""
    rng = np.random.default_rng(0)
    low, high = keras.Input((8, 8, 3)), keras.Input((16, 16, 2))
    model = keras.Model([low, high], fastgan._excited(low, high))
    kernels = [layer for layer in model.layers if layer.weights]
    sigmas = []
    for layer in kernels:
        kernel = rng.normal(size=layer.layer.kernel.shape)
        layer.layer.kernel.assign(kernel)
        matrix = kernel.reshape(-1, kernel.shape[-1])
        layer.u.assign(np.linalg.svd(matrix)[2][0])
        sigmas.append(np.linalg.svd(matrix)[1][0])
    x, y = rng.normal(size=(4, 8, 8, 3)), rng.normal(size=(4, 16, 16, 2))
    first, second = (np.array(layer.layer.kernel) / sigma for layer, sigma in zip(kernels, sigmas, strict=True))
    h = np.einsum("bhwc,hwcd->bd", x.reshape(4, 4, 2, 4, 2, 3).mean((2, 4)), first)
    gate = 1 / (1 + np.exp(-(h / (1 + np.exp(-h))) @ second[0, 0]))
    made = model.predict([x.astype("float32"), y.astype("float32")], verbose=0)
    np.testing.assert_allclose(made, y * gate[:, None, None], rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("whole", [True, False])
def test_what_a_reconstruction_is_compared_with(whole):
    """The whole image, averaged to half its size, or one quarter after the other; the features are returned as they are."""
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (5, 32, 32, 1)).astype("float32")
    features = rng.normal(size=(5, 8, 8, 6)).astype("float32")
    layer = Reconstructed(4, whole=whole)
    assert np.array_equal(layer([features, images]), features)
    with reconstructing() as errors:
        layer([features, images], training=False)
    if whole:
        wanted, seen = images.reshape(5, 16, 2, 16, 2, 1).mean((2, 4)), features
    else:
        places = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 0)]

        def quarters(batch):
            half = batch.shape[1] // 2
            parts = [one[y * half :, x * half :][:half, :half] for one, (y, x) in zip(batch, places, strict=True)]
            return np.stack(parts)

        wanted, seen = quarters(images), quarters(features)
    made = ops.convert_to_numpy(layer.decoder(seen, training=False))
    assert made.shape == wanted.shape
    np.testing.assert_allclose([ops.convert_to_numpy(one) for one in errors], [np.abs(made - wanted).mean()], rtol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_the_penalty_trains_the_decoders_with_the_discriminator():
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).uniform(-1, 1, (8, 32, 32, 1)).astype("float32")

    def trained_with(*penalties):
        keras.utils.set_random_seed(0)
        gan = kgan.GAN(fastgan.generator((32, 32, 1), 4, filters=2), fastgan.discriminator((32, 32, 1), filters=2), 4)
        gan.compile(d_opt=keras.optimizers.SGD(0.1), g_opt=keras.optimizers.SGD(0.1), penalties=list(penalties))
        decoders = [layer.decoder for layer in gan.discriminator.layers if isinstance(layer, Reconstructed)]
        decoded = [variable for decoder in decoders for variable in decoder.trainable_variables]
        before = values(decoded)
        logs = gan.train_on_batch(images, return_dict=True)
        moved = [np.abs(new - old).max() for new, old in zip(values(decoded), before, strict=True)]
        return moved, logs

    moved, logs = trained_with(kgan.penalties.Reconstruction())
    assert min(moved) > 0.0 and float(logs["reconstruction"]) > 0.1
    twice = trained_with(kgan.penalties.Reconstruction(2.0))[1]
    np.testing.assert_allclose(float(twice["reconstruction"]), 2 * float(logs["reconstruction"]), rtol=1e-5)


def test_without_decoders():
    plain = fastgan.discriminator((32, 32, 1), filters=2, decoders=False)
    assert not any(isinstance(layer, Reconstructed) for layer in plain.layers)
    with reconstructing() as errors:
        plain(np.zeros((1, 32, 32, 1), "float32"))
    assert errors == []


def test_the_penalty_of_a_discriminator_that_cannot_reconstruct():
    gan = kgan.GAN(dcgan.generator((8, 8, 1), 4, filters=2), dcgan.discriminator((8, 8, 1), filters=2), 4)
    gan.compile(d_opt="adam", g_opt="adam", penalties=["reconstruction"])
    with pytest.raises(ValueError, match="needs a discriminator that can reconstruct images, such as that of"):
        gan.train_on_batch(np.zeros((4, 8, 8, 1), "float32"))


def test_compact_has_no_transposed_convolution_at_the_image():
    """A constant map of features becomes a constant image but for the border: no checkerboard."""
    generator = compact.generator((32, 32, 3), 4, filters=4)
    last = [layer for layer in generator.layers if isinstance(layer, layers.Conv2D)][-1]
    tail = keras.Model(last.input, generator.output)
    image = tail.predict(np.ones((1, *last.input.shape[1:]), "float32"), verbose=0)[0, 1:-1, 1:-1]
    assert np.ptp(image, axis=(0, 1)).max() < 1e-6
    assert compact.generator((28, 28, 1), filters=2).output_shape == (None, 28, 28, 1)


@pytest.mark.parametrize("conditioning", ["concatenation", "batch_norm"])
def test_compact_with_classes(conditioning):
    keras.utils.set_random_seed(1)
    generator = compact.generator((16, 16, 1), 4, filters=2, num_classes=3, conditioning=conditioning)
    if conditioning == "batch_norm":
        for layer in generator.layers:
            if hasattr(layer, "gamma") and layer.gamma.shape[0] == 3:
                layer.gamma.assign(np.random.default_rng(0).normal(size=layer.gamma.shape))
    latents = np.ones((3, 4), "float32")
    images = generator.predict([latents, np.arange(3)], verbose=0)
    assert images.shape == (3, 16, 16, 1) and np.abs(np.diff(images, axis=0)).max() > 1e-4


def test_initial_kernels_differ():
    """One initializer makes the same values every time, so each kernel needs its own."""
    for model in (fastgan.generator((64, 64, 3), 8, filters=4), fastgan.discriminator((64, 64, 3), filters=4)):
        kernels = [values([one])[0].ravel()[:8] for one in model.trainable_variables if len(one.shape) == 4]
        assert len({tuple(one) for one in kernels}) == len(kernels) > 8
