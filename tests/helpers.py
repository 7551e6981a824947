"""Images, small players, comparing the states of models, and mathematics by hand."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import kgan
from kgan import backend

LATENT_DIM = 6

# what makes a player of each architecture small
SMALL_FAMILIES: dict[str, dict] = {
    "dcgan": {"filters": 8},
    "dense": {"units": (16, 12)},
    "r3gan": {"widths": 8, "group_width": 8},
    "resnet": {"filters": 8},
}


def wrong(build):
    """The complaint of a ValueError, in one line."""
    with pytest.raises(ValueError) as caught:
        build()
    return " ".join(str(caught.value).split())


def stripes():
    """40 images of 8 x 8 x 1 in [-1, 1]: stripes whose phase differs."""
    phase = np.random.default_rng(0).uniform(0, 6, (40, 1, 1, 1))
    return np.sin(phase + np.arange(8)[None, None, :, None] * np.ones((1, 8, 1, 1))).astype("float32")


def small_generator(shape=(8, 8, 1), name=None):
    return keras.Sequential(
        [
            keras.Input((LATENT_DIM,)),
            layers.Dense(24, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Dense(int(np.prod(shape)), activation="tanh"),
            layers.Reshape(shape),
        ],
        name=name,
    )


def small_discriminator(shape=(8, 8, 1), rate=0.3, batch_norm=True, activation=None):
    stack = [keras.Input(shape), layers.Flatten(), layers.Dense(24), layers.LeakyReLU(0.2)]
    stack += [layers.BatchNormalization()] if batch_norm else []
    stack += [layers.Dropout(rate)] if rate else []
    return keras.Sequential([*stack, layers.Dense(1, activation=activation)])


def translator(given, channels, scale=1, side=8):
    """A generator, images `(side / scale, side / scale, given)` -> `(side, side, channels)`."""
    inputs = keras.Input((side // scale, side // scale, given))
    x = layers.Conv2D(6, 3, padding="same", use_bias=False)(inputs)
    x = layers.LeakyReLU(0.2)(layers.GroupNormalization(-1, epsilon=1e-5)(x))
    x = layers.UpSampling2D(scale)(x)
    return keras.Model(inputs, layers.Conv2D(channels, 3, padding="same", activation="tanh")(x))


def patches(channels, *given, side=8):
    """A discriminator with a map of scores, of an image and of what is given."""
    inputs = [keras.Input((side, side, one)) for one in (channels, *given)]
    x = layers.Concatenate()(inputs) if given else inputs[0]
    x = layers.LeakyReLU(0.2)(layers.Conv2D(6, 4, strides=2, padding="same")(x))
    x = layers.LeakyReLU(0.2)(layers.BatchNormalization()(layers.Conv2D(8, 3, use_bias=False)(x)))
    return keras.Model(inputs if given else inputs[0], layers.Conv2D(1, 1)(x), name="patches")


def small_gan(seed=0, **kwargs):
    players = {"generator": small_generator, "discriminator": small_discriminator, **kwargs}
    return kgan.GAN(latent_dim=LATENT_DIM, seed=seed, **players)


def compiled(gan=None, rate=1e-3, **kwargs):
    gan = gan or small_gan()
    optimizers = {"d_opt": keras.optimizers.Adam(rate), "g_opt": keras.optimizers.Adam(rate), **kwargs}
    gan.compile(**optimizers)
    return gan


def values(variables):
    return [ops.convert_to_numpy(ops.convert_to_tensor(variable)) for variable in variables]


def state(gan):
    """Everything that training changes: weights, statistics, seeds, counters, optimizer slots."""
    return {
        "variables": values(gan.variables),
        "d_opt": values(gan.d_opt.variables),
        "g_opt": values(gan.g_opt.variables),
    }


def reusable(make):
    """A function that returns the same GAN, put back into its first state, whose graph is traced once.

    For tests that use one GAN at a time, and compare no states of it.
    """
    kept = []

    def fresh():
        keras.utils.set_random_seed(7)
        if not kept:
            gan = make()
            parts = gan.variables + gan.d_opt.variables + gan.g_opt.variables
            kept.append((gan, parts, [np.copy(value) for value in values(parts)]))
        gan, parts, begin = kept[0]
        for variable, value in zip(parts, begin, strict=True):
            variable.assign(value)
        return gan

    return fresh


class KilledError(Exception):
    pass


class Steps(keras.callbacks.Callback):
    """Counts the steps of a training, or the executions of several; after `kill_at` of them the power fails."""

    def __init__(self, kill_at=None, error=KilledError):
        super().__init__()
        self.kill_at, self.error, self.done = kill_at, error, 0

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        if self.done == self.kill_at:
            raise self.error


def in_a_step(function, variables=()):
    """Call a function as a training step does, on JAX in a scope; the variables that it writes keep what it wrote."""
    if keras.backend.backend() != "jax":
        return function()
    with keras.StatelessScope([(variable, variable.value) for variable in variables]) as scope:
        result = function()
    for variable in variables:
        variable.assign(scope.get_current_value(variable))
    return result


def largest_difference(left, right):
    """The largest absolute difference between two lists of arrays, or two dicts of such lists."""
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        return max(largest_difference(left[key], right[key]) for key in left)
    assert len(left) == len(right) and left
    return max(float(np.abs(a.astype("float64") - b.astype("float64")).max()) for a, b in zip(left, right, strict=True))


def assert_close(left, right, rtol, atol):
    assert len(left) == len(right) and left
    for index, (a, b) in enumerate(zip(left, right, strict=True)):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=f"array {index} of shape {np.shape(a)}")


def assert_fed_alike(batches):
    """The engine is fed what the batches are, in later epochs and in the middle of one."""
    feed, order_changed = backend.stream(batches)
    if feed is batches:
        pytest.skip("this engine reads the batches themselves")
    for start in (0, 0, 2):
        batches.seek(batches.epoch + 1, start)
        order_changed()
        if start == 2:
            feed, _ = backend.stream(batches)  # a resumed training begins there
        for wanted, fed in zip((batches[index] for index in range(len(batches))), feed, strict=True):
            for one, other in zip(wanted, fed, strict=True):
                np.testing.assert_array_equal(one, np.asarray(other))


def softplus(x):
    return np.log1p(np.exp(x))


def correlate(image, kernel):
    """A convolution with zeros around the image, `(height, width, channels)`, in plain loops; in groups if the kernel is."""
    size, _, inputs, outputs = kernel.shape
    groups = image.shape[-1] // inputs
    padded = np.pad(image, ((size // 2, size // 2), (size // 2, size // 2), (0, 0)))
    result = np.zeros((*image.shape[:2], outputs))
    for row, column, unit in np.ndindex(result.shape):
        first = unit // (outputs // groups) * inputs
        window = padded[row : row + size, column : column + size, first : first + inputs]
        result[row, column, unit] = (window * kernel[..., unit]).sum()
    return result


def gradient(function, weights, step=1e-6):
    """By central differences, of a function of a list of arrays."""
    found = [np.zeros_like(array) for array in weights]
    for array, slopes in zip(weights, found, strict=True):
        for index in np.ndindex(array.shape):
            start = array[index]
            array[index] = start + step
            above = function(weights)
            array[index] = start - step
            slopes[index] = (above - function(weights)) / (2 * step)
            array[index] = start
    return found


def cases(often, seldom):
    """Parameters of a test; those of `seldom` differ least from others and are left out by default."""
    return [*often, *(pytest.param(one, marks=pytest.mark.slow) for one in seldom)]
