"""kgan's own layers against numpy, and through training and saving."""

from inspect import signature

import keras
import numpy as np
import pytest
from keras import layers, ops

import kgan
from kgan import backend
from kgan.architectures import get, players
from kgan.layers import (
    GroupedConv2D,
    MinibatchStdDev,
    ModulatedBasis,
    PixelShuffle,
    ReflectionPadding2D,
    SelfAttention,
    SpectralNormalization,
)
from tests.helpers import (
    SMALL_FAMILIES,
    assert_close,
    compiled,
    correlate,
    in_a_step,
    largest_difference,
    small_gan,
    values,
)


def singular_value(layer):
    """The largest one of the kernel as Miyato et al. reshape it, outputs by all the rest."""
    kernel = values([layer.kernel])[0]
    return np.linalg.svd(np.moveaxis(kernel, -1, 0).reshape(kernel.shape[-1], -1))[1][0]


@pytest.mark.parametrize(
    "make, shape",
    [
        (lambda: layers.Dense(16), (40,)),
        (lambda: layers.Conv2D(16, 3, 2, padding="same", activation="tanh"), (8, 8, 3)),
        (lambda: layers.Conv1D(5, 2), (7, 3)),
    ],
)
def test_a_normalized_layer_is_the_layer_with_its_kernel_divided(make, shape):
    """After a few calls sigma is the singular value; and the largest singular value of what is applied is 1."""
    normalized, plain = SpectralNormalization(make()), make()
    normalized.build((None, *shape))
    plain.build((None, *shape))
    normalized.layer.bias.assign(np.linspace(-1, 1, normalized.layer.bias.shape[0]))
    x = np.random.default_rng(0).normal(size=(4, *shape)).astype("float32")
    for _ in range(60):
        got = in_a_step(lambda: normalized(x, training=True), normalized.variables)
    kernel, bias = values([normalized.layer.kernel, normalized.layer.bias])
    plain.set_weights([kernel / singular_value(normalized.layer), bias])
    np.testing.assert_allclose(values([got])[0], values([plain(x)])[0], rtol=1e-3, atol=1e-3)
    before = values([normalized.u])
    again = values([in_a_step(lambda: normalized(x, training=False), normalized.variables)])[0]
    np.testing.assert_array_equal(values([normalized.u])[0], before[0])
    np.testing.assert_allclose(again, values([plain(x)])[0], rtol=1e-3, atol=1e-3)


def test_the_gradient_flows_through_sigma(float64):
    """Against finite differences of a loss of x W / sigma(W), with u far from settled or not: it is held fixed."""
    rng = np.random.default_rng(1)
    x, target, kernel = rng.normal(size=(5, 6)), rng.normal(size=(5, 4)), rng.normal(size=(6, 4))
    normalized = SpectralNormalization(layers.Dense(4, use_bias=False))
    normalized.build((None, 6))
    normalized.layer.kernel.assign(kernel)
    for _ in range(300):
        in_a_step(lambda: normalized(x, training=True), normalized.variables)

    def losses():
        value = ops.sum(ops.square(normalized(x, training=True) - ops.convert_to_tensor(target)))
        return [value], value

    gradient = in_a_step(lambda: backend.gradients(losses, [[normalized.layer.kernel]])[1][0][0], normalized.variables)

    def loss(kernel):
        return ((x @ kernel / np.linalg.svd(kernel)[1][0] - target) ** 2).sum()

    for index in np.ndindex(kernel.shape):
        step = np.zeros_like(kernel)
        step[index] = 1e-6
        numeric = (loss(kernel + step) - loss(kernel - step)) / 2e-6
        assert ops.convert_to_numpy(gradient)[index] == pytest.approx(numeric, rel=1e-5, abs=1e-7)


def taking(argument):
    """The families whose discriminator has that argument."""
    return [name for name, make in players("discriminator").items() if argument in signature(make).parameters]


@pytest.mark.parametrize("name", taking("spectral_norm"))
@pytest.mark.usefixtures("eagerly")
def test_discriminators_with_spectral_norm(name, images):
    """All their layers have it; u moves in training, and stays in evaluation and in a player that waits."""
    discriminator = get(name).discriminator((8, 8, 1), spectral_norm=True, **SMALL_FAMILIES[name])
    kernels = [layer for layer in discriminator._flatten_layers() if getattr(layer, "kernel", None) is not None]
    normalized = [layer for layer in discriminator.layers if isinstance(layer, SpectralNormalization)]
    assert [layer.layer for layer in normalized] == kernels and len(kernels) == {"dcgan": 3, "dense": 3, "resnet": 8}[
        name
    ]
    gan = compiled(small_gan(discriminator=discriminator), schedule=kgan.schedules.Periods(1, 1), penalties=["r1"])
    start = values([layer.u for layer in normalized])
    gan.fit(images, batch_size=20, verbose=0)
    moved = values([layer.u for layer in normalized])
    assert all(np.any(a != b) for a, b in zip(start[:-1], moved[:-1], strict=True))  # a single output's is 1 or -1
    assert_close([np.linalg.norm(u) for u in moved], [1.0] * len(kernels), rtol=1e-5, atol=0)
    logs = gan.evaluate(images, verbose=0, return_dict=True)
    gan.fit(images, batch_size=20, verbose=0)  # the generator's period
    assert largest_difference(moved, values([layer.u for layer in normalized])) == 0.0
    assert all(np.isfinite(value) for value in logs.values())


def test_a_trained_discriminator_has_norm_one(images):
    """Each update moves the kernels a little, and u follows."""
    discriminator = get("dense").discriminator((8, 8, 1), units=(16,), spectral_norm=True)
    gan = compiled(small_gan(discriminator=discriminator))
    gan.fit(images, batch_size=4, epochs=5, verbose=0)
    layer = discriminator.layers[1]
    eye = np.eye(64, dtype="float32")
    applied = values([layer(eye, training=False) - layer.layer.bias])[0]
    assert np.linalg.svd(applied)[1][0] == pytest.approx(1.0, abs=1e-3)
    assert singular_value(layer.layer) != pytest.approx(1.0, abs=1e-2)


def test_it_is_saved(images, tmp_path):
    discriminator = get("dense").discriminator((8, 8, 1), units=(8,), spectral_norm=True)
    gan = compiled(small_gan(discriminator=discriminator))
    gan.fit(images, batch_size=20, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    assert largest_difference(values(gan.discriminator.variables), values(again.discriminator.variables)) == 0.0
    assert again.critic.sigmoid == gan.critic.sigmoid is not None  # found inside the wrapper


def test_refusals():
    with pytest.raises(ValueError, match="`layer` of SpectralNormalization must be a Dense, .* Received: Conv2DTransp"):
        SpectralNormalization(layers.Conv2DTranspose(3, 3))


@pytest.mark.parametrize("shape", [(5, 4, 4, 3), (5, 7)])
def test_minibatch_deviation(shape):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    got = values([MinibatchStdDev()(x)])[0]
    np.testing.assert_array_equal(got[..., :-1], x)
    np.testing.assert_allclose(got[..., -1], np.full(shape[:-1], x.std(axis=0).mean()), rtol=1e-5)


def test_minibatch_deviation_in_double_precision(float64):
    x = np.random.default_rng(0).normal(size=(5, 7))
    got = values([MinibatchStdDev(dtype="float64")(ops.convert_to_tensor(x))])[0]
    np.testing.assert_allclose(got[:, -1], np.sqrt(x.var(axis=0) + 1e-8).mean(), rtol=1e-12)


@pytest.mark.parametrize("spectral_norm", [False, True])
def test_self_attention_has_one_policy(spectral_norm):
    """That of the layer, whatever the global one is where it is built: so a saved one can be read elsewhere."""
    layer = SelfAttention(spectral_norm, dtype="mixed_bfloat16")
    layer.build((None, 4, 4, 16))
    inner = [layer.query, layer.key, layer.value, layer.mix]
    inner += [one.layer for one in inner if spectral_norm]
    assert {one.compute_dtype for one in inner} == {"bfloat16"}
    assert {one.variable_dtype for one in inner} == {"float32"}


def test_minibatch_deviation_of_equal_halves_has_a_gradient():
    """Where 1e-8 is 0."""
    layer = MinibatchStdDev(dtype="float16")
    halves = ops.ones((4, 3), "float16")
    slopes = in_a_step(lambda: backend.input_gradient(lambda x: ops.sum(layer(x)), halves))
    assert np.isfinite(values([slopes])[0]).all()


def test_a_kernel_of_zeros_has_its_norm_when_it_moves():
    layer = SpectralNormalization(layers.Dense(3, kernel_initializer="zeros", use_bias=False))
    x = np.ones((1, 5), "float32")
    layer(x, training=True)
    layer.layer.kernel.assign(np.random.default_rng(0).normal(size=(5, 3)))
    for _ in range(100):
        y = layer(x, training=True)
    kernel = values([layer.layer.kernel])[0]
    assert_close(values([y]), [x @ kernel / np.linalg.svd(kernel).S[0]], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", taking("minibatch_std"))
def test_a_collapsed_batch_is_told_from_its_images(name, images):
    """The same image has another score among its likes; and the penalty of a batch of them is a number."""
    discriminator = get(name).discriminator((8, 8, 1), minibatch_std=True, **SMALL_FAMILIES[name])
    alike = np.repeat(images[:1], 40, axis=0)
    assert abs(values([discriminator(images)[0] - discriminator(alike)[0]])[0]) > 1e-4
    gan = compiled(small_gan(discriminator=discriminator), penalties=["r1"])
    gan.fit(alike, batch_size=20, verbose=0)
    assert all(np.isfinite(array).all() for array in values(gan.variables))


def softmax(x):
    exponents = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def attended(layer, x):
    """SelfAttention in plain loops, from the weights of its four 1 x 1 convolutions."""
    f, g, h, v = (values([one.kernel])[0][0, 0] for one in (layer.query, layer.key, layer.value, layer.mix))
    out = np.zeros_like(x)
    for index, image in enumerate(x):
        height, width, _ = image.shape
        corners = [(row, column) for row in range(0, height, 2) for column in range(0, width, 2)]
        keys, seen = (
            np.array([(image @ w)[row : row + 2, column : column + 2].max(axis=(0, 1)) for row, column in corners])
            for w in (g, h)
        )
        for row, column in np.ndindex(height, width):
            weights = softmax(keys @ (image @ f)[row, column])
            out[index, row, column] = image[row, column] + float(values([layer.gamma])[0]) * (weights @ seen @ v)
    return out


@pytest.mark.parametrize("shape", [(2, 4, 6, 16), (1, 5, 5, 8)])
def test_self_attention_is_a_plain_loop(shape):
    """Of odd sizes the last row and column are pooled by themselves."""
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    layer = SelfAttention()
    np.testing.assert_array_equal(values([layer(x)])[0], x)
    assert [tuple(variable.shape) for variable in layer.trainable_variables[1:]] == [
        (1, 1, shape[-1], shape[-1] // 8),
        (1, 1, shape[-1], shape[-1] // 8),
        (1, 1, shape[-1], shape[-1] // 2),
        (1, 1, shape[-1] // 2, shape[-1]),
    ]
    layer.gamma.assign(0.7)
    np.testing.assert_allclose(values([layer(x)])[0], attended(layer, x), rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("eagerly")
def test_self_attention_learns_and_is_saved(images, tmp_path):
    """Through a penalty, its second derivative, too; gamma first, the others behind it."""
    arguments = {"filters": 8, "attention": 4, "spectral_norm": True}
    gan = compiled(
        small_gan(discriminator=lambda: get("dcgan").discriminator((8, 8, 1), **arguments)), penalties=["r1"]
    )
    [layer] = [layer for layer in gan.discriminator.layers if isinstance(layer, SelfAttention)]
    before = values(layer.trainable_variables)
    gan.fit(images, batch_size=20, epochs=2, verbose=0)
    assert all(np.any(a != b) for a, b in zip(before, values(layer.trainable_variables), strict=True))
    assert len(layer.non_trainable_variables) == 4
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    assert largest_difference(values(gan.variables), values(again.variables)) == 0.0
    assert again.evaluate(images, verbose=0) == pytest.approx(gan.evaluate(images, verbose=0))


@pytest.mark.parametrize("groups, inputs, outputs", [(1, 4, 6), (3, 6, 9), (4, 4, 4)])
def test_a_grouped_convolution_is_a_plain_loop(groups, inputs, outputs):
    x = np.random.default_rng(0).normal(size=(2, 5, 4, inputs)).astype("float32")
    layer = GroupedConv2D(outputs, 3, padding="same", groups=groups)
    got = values([layer(x)])[0]
    kernel = values([layer.kernel])[0]
    assert kernel.shape == (3, 3, inputs // groups, outputs)
    np.testing.assert_allclose(got, [correlate(image, kernel) for image in x], rtol=1e-4, atol=1e-5)


def test_gradients_of_a_grouped_convolution(images):
    """The gradient of a penalty is that of a dense convolution whose kernel is zero between groups."""
    grouped = keras.Sequential([keras.Input((8, 8, 4)), GroupedConv2D(6, 3, 2, groups=2), layers.LeakyReLU(0.1)])
    dense = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(6, 3, 2), layers.LeakyReLU(0.1)])
    x = ops.convert_to_tensor(np.tile(images[:5], (1, 1, 1, 4)) + np.linspace(0, 1, 4, dtype="float32"))
    kernel = values([grouped.layers[0].kernel])[0]
    whole = np.zeros((3, 3, 4, 6), "float32")
    whole[:, :, :2, :3], whole[:, :, 2:, 3:] = kernel[..., :3], kernel[..., 3:]
    dense.layers[0].kernel.assign(whole)

    def gradient(model):
        def losses():
            slope = backend.input_gradient(lambda images: ops.square(model(images)), x)
            value = ops.sum(ops.square(slope))
            return [value], value

        return in_a_step(lambda: backend.gradients(losses, [[model.layers[0].kernel]]), model.variables)

    (one, [[ours]]), (other, [[theirs]]) = gradient(grouped), gradient(dense)
    ours, theirs, one, other = values([ours, theirs, one, other])
    assert one == pytest.approx(other, rel=1e-4)
    np.testing.assert_allclose(ours[..., :3], theirs[:, :, :2, :3], rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(ours[..., 3:], theirs[:, :, 2:, 3:], rtol=1e-3, atol=1e-2)


def test_a_modulated_basis():
    """features_hwc = basis_hwc (W z)_c."""
    layer = ModulatedBasis((4, 3, 5))
    z = np.random.default_rng(0).normal(size=(2, 7)).astype("float32")
    got = values([layer(z)])[0]
    basis, kernel = values([layer.basis, layer.kernel])
    np.testing.assert_allclose(got, np.einsum("hwc,nd,dc->nhwc", basis, z, kernel), rtol=1e-4, atol=1e-5)
    assert type(layer).from_config(layer.get_config()).shape == (4, 3, 5)


def test_reflection_padding_is_numpy_s():
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")
    got = values([ReflectionPadding2D(3)(x)])[0]
    np.testing.assert_array_equal(got, np.pad(x, ((0, 0), (3, 3), (3, 3), (0, 0)), mode="reflect"))


def test_a_pixel_shuffle_is_a_plain_loop():
    """y[r h + i, r w + j, c] = x[h, w, r^2 c + r i + j], the order of torch.nn.PixelShuffle."""
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 18)).astype("float32")
    got = values([PixelShuffle(3)(x)])[0]
    assert got.shape == (2, 9, 12, 2)
    for h, w, c in np.ndindex(got.shape[1:]):
        np.testing.assert_array_equal(got[:, h, w, c], x[:, h // 3, w // 3, 9 * c + 3 * (h % 3) + w % 3])


@pytest.mark.parametrize(
    "layer, wanted", [(ReflectionPadding2D(2), (None, None, 9, 8)), (PixelShuffle(2), (None, None, 10, 2))]
)
def test_layers_of_any_size(layer, wanted, tmp_path):
    """Where the height is not known; and their gradient, that of a sum of squares; and they are saved."""
    assert layer.compute_output_shape((None, None, 5, 8)) == wanted
    model = keras.Sequential([keras.Input((None, 5, 8)), layer])
    assert model.output_shape == wanted
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 8)).astype("float32")
    slope = in_a_step(
        lambda: backend.input_gradient(
            lambda x: ops.sum(ops.square(model(x)), axis=(1, 2, 3)), ops.convert_to_tensor(x)
        )
    )
    times = np.ones((4, 5, 1))
    if isinstance(layer, ReflectionPadding2D):  # how often each row and column is seen
        rows, columns = (np.bincount(np.pad(np.arange(n), 2, mode="reflect")) for n in (4, 5))
        times = (rows[:, None] * columns)[..., None]
    np.testing.assert_allclose(values([slope])[0], 2 * x * times, rtol=1e-5)
    model.save(tmp_path / "layer.keras")
    again = keras.saving.load_model(tmp_path / "layer.keras")
    np.testing.assert_array_equal(*values([model(x), again(x)]))


def test_layers_that_do_not_fit():
    with pytest.raises(ValueError, match="`padding` of ReflectionPadding2D must be an integer >= 1. Received: 0"):
        ReflectionPadding2D(0)
    with pytest.raises(ValueError, match=r"ReflectionPadding2D\(3\) needs images of at least 4 x 4. Received: 3 x 8"):
        ReflectionPadding2D(3)(keras.Input((3, 8, 1)))
    with pytest.raises(ValueError, match="`factor` of PixelShuffle must be an integer >= 1. Received: 0.5"):
        PixelShuffle(0.5)
    with pytest.raises(ValueError, match=r"PixelShuffle\(2\) needs a multiple of 4 channels. Received: 6"):
        PixelShuffle(2)(keras.Input((3, 8, 6)))
