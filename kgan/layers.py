"""Layers for players that Keras does not have, or implements differently."""

import contextlib
import contextvars

import keras
from keras import layers, ops
from keras.saving import register_keras_serializable

from kgan import backend
from kgan.arguments import integer


@register_keras_serializable("kgan")
class SpectralNormalization(layers.Wrapper):
    """Divides a layer's kernel W by its largest singular value sigma (Miyato et al., arXiv:1802.05957, algorithm 1).

    W is the kernel as a matrix, with a row for each input and a column for each unit or filter. Each call in training takes
    one step of the power iteration from the saved vector u,

        v = W u / ||W u||,  u = W^T v / ||W^T v||,  sigma = v^T W u,

    and the layer, which is linear before its bias and activation, receives x / sigma. The gradient flows through sigma, as
    in equation 12. (`keras.layers.SpectralNormalization` overwrites W with W / sigma instead, which is another
    algorithm, and its gradient differs between engines.) In inference u does not change.

    Example:

    >>> layer = kgan.layers.SpectralNormalization(keras.layers.Dense(3, use_bias=False))
    >>> x = np.ones((1, 5), "float32")
    >>> for _ in range(100):
    ...     y = layer(x, training=True)
    >>> W = layer.layer.get_weights()[0]
    >>> bool(np.allclose(y, x @ W / np.linalg.svd(W).S[0], atol=1e-4))
    True

    Args:
        layer: A `Dense`, `Conv1D`, `Conv2D` or `Conv3D` layer.

    Raises:
        ValueError: if `layer` is not one of these.
    """

    def __init__(self, layer, **kwargs):
        if not isinstance(layer, layers.Dense | layers.Conv1D | layers.Conv2D | layers.Conv3D):
            raise ValueError(
                "`layer` of SpectralNormalization must be a Dense, Conv1D, Conv2D or Conv3D layer. "
                f"Received: {type(layer).__name__}"
            )
        super().__init__(layer, **kwargs)

    def build(self, input_shape=None):
        super().build(input_shape)
        width = self.layer.kernel.shape[-1]
        self.u = self.add_weight((width,), "random_normal", trainable=False, autocast=False, name="u")

    def call(self, inputs, training=False):
        kernel = ops.cast(ops.reshape(self.layer.kernel, (-1, self.u.shape[0])), self.u.dtype)
        fixed = ops.stop_gradient(kernel)
        before = ops.convert_to_tensor(self.u)
        v = _unit(ops.matmul(fixed, before))
        u = _unit(ops.matmul(v, fixed))
        u = ops.where(ops.any(u != 0), u, before)  # u of a zero kernel would be zero, and stay zero
        if training:
            self.u.assign(u)
        sigma = ops.maximum(ops.sum(v * ops.matmul(kernel, u)), keras.config.epsilon())
        return self.layer(inputs / ops.cast(sigma, inputs.dtype))

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)


@register_keras_serializable("kgan")
class MinibatchStdDev(layers.Layer):
    """Adds a channel that measures how much the examples of a batch differ (Karras et al., arXiv:1710.10196, section 3).

    Its value is one number: the standard deviation over the batch of each feature at each position, averaged over all of
    these. With it the discriminator recognizes a generator whose images are all alike.

    Example:

    >>> images = np.stack([np.zeros((4, 4, 2)), np.ones((4, 4, 2))])  # a deviation of 1/2 everywhere
    >>> channel = kgan.layers.MinibatchStdDev()(images)[..., 2]
    >>> channel.shape == (2, 4, 4) and bool(np.allclose(channel, 0.5))
    True
    """

    def call(self, inputs):
        wide = keras.backend.result_type(inputs.dtype, "float32")  # 1e-8 is 0 in float16
        variance = ops.var(backend.whole(ops.cast(inputs, wide)), axis=0)
        deviation = ops.cast(ops.mean(ops.sqrt(variance + 1e-8)), inputs.dtype)
        channel = deviation * ops.ones_like(inputs[..., :1])
        return ops.concatenate([inputs, channel], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + 1)


@register_keras_serializable("kgan")
class SelfAttention(layers.Layer):
    """Lets each position of a feature map attend to all others: SAGAN (Zhang et al., arXiv:1805.08318, section 3).

    With 1 x 1 convolutions f and g to C / 8 channels, h to C / 2 channels, v back to C channels, and a scalar gamma that
    starts at 0, position j of x becomes

        x_j + gamma v(sum_i b_ji h(x)_i),  b_j = softmax over i of <f(x)_j, g(x)_i>.

    This is the form of the authors' code: the positions i are those of g(x) and h(x) after 2 x 2 max pooling, a quarter of
    all. (The paper uses all of them, and C / 8 channels for h too.) There are no biases.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(2, 8, 8, 16)).astype("float32")
    >>> y = kgan.layers.SelfAttention()(x)  # gamma is 0
    >>> bool(np.allclose(x, y))
    True

    Args:
        spectral_norm: Whether the four convolutions are spectrally normalized, as in SAGAN.
    """

    def __init__(self, spectral_norm=False, **kwargs):
        super().__init__(**kwargs)
        self.spectral_norm = spectral_norm

    def build(self, input_shape):
        channels = input_shape[-1]
        policy = self.dtype_policy

        def convolution(shape, width):
            layer = layers.Conv2D(max(1, width), 1, use_bias=False, dtype=policy)
            layer = SpectralNormalization(layer, dtype=policy) if self.spectral_norm else layer
            layer.build(shape)
            return layer

        self.query = convolution(input_shape, channels // 8)
        self.key = convolution(input_shape, channels // 8)
        self.value = convolution(input_shape, channels // 2)
        self.mix = convolution((*input_shape[:-1], max(1, channels // 2)), channels)
        self.gamma = self.add_weight((), "zeros", name="gamma")

    def call(self, inputs, training=False):
        def apply(layer, features):
            return layer(features, training=training) if self.spectral_norm else layer(features)

        def places(features):  # (batch, height * width, channels)
            return ops.reshape(features, (-1, features.shape[1] * features.shape[2], features.shape[3]))

        def pooled(features):
            return places(ops.max_pool(features, 2, 2, padding="same"))

        query, key = places(apply(self.query, inputs)), pooled(apply(self.key, inputs))
        # (batch, places, pooled places); no transpose: XLA cannot differentiate one in a branch, where lazy penalties run
        weights = ops.softmax(ops.einsum("bqc,bkc->bqk", query, key))
        seen = ops.matmul(weights, pooled(apply(self.value, inputs)))
        seen = ops.reshape(seen, (-1, *inputs.shape[1:3], seen.shape[-1]))
        return inputs + self.gamma * apply(self.mix, seen)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "spectral_norm": self.spectral_norm}


@register_keras_serializable("kgan")
class GroupedConv2D(layers.Conv2D):
    """`keras.layers.Conv2D(groups=...)`, computed on TensorFlow as one convolution for each group.

    TensorFlow's own grouped convolution took 40 to 60 times as long on CPU (64 channels in 8 groups at 16 x 16, batch 64,
    forward and backward: 645 ms against 11), also with XLA. The weights and values are the same.

    Args:
        As those of `keras.layers.Conv2D`.
    """

    def convolution_op(self, inputs, kernel):
        if not backend.GROUPS_ONE_BY_ONE or self.groups == 1:
            return super().convolution_op(inputs, kernel)
        whole = super().convolution_op
        parts = zip(ops.split(inputs, self.groups, -1), ops.split(kernel, self.groups, -1), strict=True)
        return ops.concatenate([whole(images, filters) for images, filters in parts], -1)


@register_keras_serializable("kgan")
class ModulatedBasis(layers.Layer):
    """Makes small feature maps from latents: a learned basis, each channel scaled by a linear map of the latent.

    The first layer of R3GAN's generator (Huang et al., arXiv:2501.05441): features_hwc = basis_hwc (W z)_c.

    Args:
        shape: Tuple `(height, width, channels)` of the output.
    """

    def __init__(self, shape, **kwargs):
        super().__init__(**kwargs)
        self.shape = tuple(shape)

    def build(self, input_shape):
        width = input_shape[-1]
        self.basis = self.add_weight(self.shape, keras.initializers.RandomNormal(stddev=1.0), name="basis")
        scaled = keras.initializers.RandomNormal(stddev=width**-0.5)
        self.kernel = self.add_weight((width, self.shape[-1]), scaled, name="kernel")

    def call(self, inputs):
        return self.basis * ops.matmul(inputs, self.kernel)[:, None, None, :]

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.shape)

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}


@register_keras_serializable("kgan")
class ReflectionPadding2D(layers.Layer):
    """Continues images beyond their edges by their mirror image, without the row or column at the edge.

    Example:

    >>> images = np.arange(3.0).reshape(1, 1, 3, 1) * np.ones((1, 3, 1, 1))  # 0 1 2 in each row
    >>> ops.convert_to_numpy(kgan.layers.ReflectionPadding2D(2)(images))[0, 0, :, 0].tolist()
    [2.0, 1.0, 0.0, 1.0, 2.0, 1.0, 0.0]

    Args:
        padding: Integer. Rows and columns that are added on each side of images `(batch, height, width, channels)`.

    Raises:
        ValueError: if `padding` is not an integer above 0, or an image has `padding` rows or columns or fewer.
    """

    def __init__(self, padding, **kwargs):
        super().__init__(**kwargs)
        self.padding = integer("padding", padding, at_least=1, of="ReflectionPadding2D")

    def call(self, inputs):
        sides = (self.padding, self.padding)
        return ops.pad(inputs, ((0, 0), sides, sides, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape):
        batch, *sizes, channels = input_shape
        if any(size is not None and size <= self.padding for size in sizes):
            raise ValueError(
                f"ReflectionPadding2D({self.padding}) needs images of at least {self.padding + 1} x {self.padding + 1}. "
                f"Received: {sizes[0]} x {sizes[1]}"
            )
        return (batch, *(size and size + 2 * self.padding for size in sizes), channels)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}


@register_keras_serializable("kgan")
class PixelShuffle(layers.Layer):
    """Turns r^2 channels into r x r pixels (Shi et al., arXiv:1609.05158).

    y_(r h + i, r w + j, c) = x_(h, w, r^2 c + r i + j). This order of channels is PyTorch's, so that a convolution before
    it has PyTorch's weights; in that of `keras.ops.depth_to_space` c changes fastest.

    Example:

    >>> x = np.arange(8.0).reshape(1, 1, 1, 8)
    >>> ops.convert_to_numpy(kgan.layers.PixelShuffle(2)(x))[0, ..., 1].tolist()
    [[4.0, 5.0], [6.0, 7.0]]

    Args:
        factor: Integer r. Height and width become r times as large.

    Raises:
        ValueError: if `factor` is not an integer above 0, or r^2 does not divide the number of channels.
    """

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = integer("factor", factor, at_least=1, of="PixelShuffle")

    def call(self, inputs):
        r, (height, width) = self.factor, ops.shape(inputs)[1:3]
        channels = inputs.shape[-1] // r**2
        pixels = ops.reshape(inputs, (-1, height, width, channels, r, r))
        # (batch, height, r, width, r, channels); in a discriminator XLA could not differentiate this in lazy penalties
        pixels = ops.transpose(pixels, (0, 1, 4, 2, 5, 3))
        return ops.reshape(pixels, (-1, height * r, width * r, channels))

    def compute_output_shape(self, input_shape):
        batch, *sizes, channels = input_shape
        if channels % self.factor**2:
            raise ValueError(
                f"PixelShuffle({self.factor}) needs a multiple of {self.factor**2} channels. Received: {channels}"
            )
        return (batch, *(size and size * self.factor for size in sizes), channels // self.factor**2)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


_errors: contextvars.ContextVar = contextvars.ContextVar("errors", default=None)


@contextlib.contextmanager
def reconstructing():
    """A context in which `Reconstructed` layers that are called add the errors of their reconstructions to a list."""
    token = _errors.set([])
    try:
        yield _errors.get()
    finally:
        _errors.reset(token)


@register_keras_serializable("kgan")
class Reconstructed(layers.Layer):
    """Features from which a decoder can reconstruct the image: the discriminator of FastGAN (arXiv:2101.04775, section 3.2).

    It is called with `[features, images]` and returns the features. In the context `reconstructing()` it also decodes them
    to half the image's height and width, by nearest-neighbour upsampling, 3 x 3 convolutions, batch normalization and gated
    linear units, and appends the mean absolute error: to the whole image, averaged to that size, or to a quarter of it. The
    quarter of the i-th image of a batch is number i modulo 4.

    Args:
        filters: Integer. Channels of the decoder's first features are twice as many, those of its last ones half as many.
        whole: Whether the whole image is reconstructed, or a quarter from the same quarter of the features.
    """

    def __init__(self, filters, whole=True, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.whole = filters, whole

    def build(self, input_shape):
        features, images = input_shape
        self.side = features[1] if self.whole else features[1] // 2
        inputs = x = keras.Input((self.side, self.side, features[3]))
        for width in (2 * self.filters, self.filters, self.filters, max(1, self.filters // 2)):
            if self.side == images[1] // 2:
                break
            self.side *= 2
            x = layers.UpSampling2D()(x)
            x = layers.Conv2D(2 * width, 3, padding="same", use_bias=False)(x)
            x = ops.glu(layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x))
        x = layers.Conv2D(images[3], 3, padding="same", use_bias=False, activation="tanh")(x)
        self.decoder = keras.Model(inputs, x)

    def call(self, inputs, training=False):
        features, images = inputs
        errors = _errors.get()
        if errors is not None:
            x, wanted = (features, images) if self.whole else (_quarters(features), _quarters(images))
            times = wanted.shape[1] // self.side
            blocks = ops.reshape(wanted, (-1, self.side, times, self.side, times, wanted.shape[3]))
            wanted = ops.mean(blocks, axis=(2, 4))
            errors.append(ops.mean(ops.abs(self.decoder(x, training=training) - wanted)))
        return features

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "whole": self.whole}


def _quarters(images):
    """A quarter of each image, `(batch, height / 2, width / 2, channels)`: of the i-th one that with number i modulo 4."""
    half = images.shape[1] // 2
    parts = [images[:, top : top + half, left : left + half] for top in (0, half) for left in (0, half)]
    which = ops.one_hot(backend.places(ops.shape(images)[0]) % 4, 4, dtype=images.dtype)
    return ops.einsum("bq,qbhwc->bhwc", which, ops.stack(parts))


def _unit(vector):
    return vector * ops.rsqrt(ops.sum(ops.square(vector)) + 1e-12)
