"""How a player receives the class: layers, and functions that build players from layers and a kind of conditioning.

With a generator's latents z, a discriminator's features phi(x) and a label y:

concatenation
    one-hot y is appended to z; and, times sqrt(d), to the d channels of x (Mirza and Osindero, arXiv:1411.1784)
batch_norm
    each class has its own gamma and beta in the generator's batch normalizations (de Vries et al., arXiv:1707.00683; in
    GANs Miyato and Koyama, arXiv:1802.05637)
projection
    the score is psi(phi(x)) + <embed(y), phi(x)> (Miyato and Koyama, arXiv:1802.05637, equation 8)
auxiliary
    besides the score there are class logits, linear in phi(x), which do not depend on y (Odena et al., arXiv:1610.09585)
"""

import math

import keras
from keras import layers, ops
from keras.saving import register_keras_serializable

from kgan.arguments import integer, lookup

GENERATOR = ("concatenation", "batch_norm")
DISCRIMINATOR = ("projection", "concatenation", "auxiliary")


@register_keras_serializable("kgan")
class JoinLabels(layers.Layer):
    """Appends labels to features as one-hot channels, the same at every position.

    Example:

    >>> images, labels = np.zeros((2, 4, 4, 1)), np.array([0, 2])
    >>> joined = kgan.architectures.conditioning.JoinLabels(num_classes=3)([images, labels])
    >>> ops.convert_to_numpy(joined)[1, 3, 3].tolist()
    [0.0, 0.0, 0.0, 1.0]

    Args:
        num_classes: Integer.
        scale: Float. The value of the channel of the class; the others are 0.
    """

    def __init__(self, num_classes, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.num_classes, self.scale = num_classes, scale

    def call(self, inputs):
        features, labels = inputs
        planes = self.scale * ops.one_hot(labels, self.num_classes, dtype=features.dtype)
        planes = ops.reshape(planes, (-1, *[1] * (len(features.shape) - 2), self.num_classes))
        return ops.concatenate([features, planes * ops.ones_like(features[..., :1])], axis=-1)

    def compute_output_shape(self, input_shape):
        features, _ = input_shape
        return (*features[:-1], features[-1] + self.num_classes)

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "scale": self.scale}


@register_keras_serializable("kgan")
class ClassBatchNormalization(layers.Layer):
    """Batch normalization with a scale gamma and a shift beta for each class.

    It is called with `[features, labels]`. Mean and variance are computed over the whole batch, as in
    `keras.layers.BatchNormalization`.

    Args:
        num_classes: Integer.
        momentum: Float. Momentum of the moving statistics.
        epsilon: Float. Added to the variance.
    """

    def __init__(self, num_classes, momentum=0.99, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.normalize = layers.BatchNormalization(
            momentum=momentum, epsilon=epsilon, center=False, scale=False, dtype=self.dtype_policy
        )

    def build(self, input_shape):
        features, _ = input_shape
        self.normalize.build(features)
        self.gamma = self.add_weight((self.num_classes, features[-1]), "ones", name="gamma")
        self.beta = self.add_weight((self.num_classes, features[-1]), "zeros", name="beta")

    def call(self, inputs, training=False):
        features, labels = inputs
        places = (1,) * (len(features.shape) - 2)

        def of_class(table):
            return ops.reshape(ops.take(table, labels, axis=0), (-1, *places, features.shape[-1]))

        return of_class(self.gamma) * self.normalize(features, training=training) + of_class(self.beta)

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        own = {name: getattr(self.normalize, name) for name in ("momentum", "epsilon")}
        return {**super().get_config(), "num_classes": self.num_classes, **own}


def batch_norm(num_classes, conditioning, **arguments):
    """The batch normalization of a generator: `ClassBatchNormalization` if `conditioning` is `"batch_norm"`."""
    if num_classes is not None and conditioning == "batch_norm":
        return ClassBatchNormalization(num_classes, **arguments)
    return layers.BatchNormalization(**arguments)


def labels_input():
    """The second input of a player: labels `(batch,)`."""
    return keras.Input((), dtype="int32", name="labels")


def latents_and_labels(latent_dim, num_classes=None, conditioning="concatenation"):
    """The inputs of a generator that is not built from a list of layers.

    Returns:
        The inputs of the model; the tensor for its first layer; and a function that applies a layer of `batch_norm` to
        features.

    Raises:
        ValueError: if `conditioning` is not a known name, or `num_classes` is not an integer above 0.
    """
    _check("generator", num_classes, conditioning, GENERATOR)
    latents = keras.Input((latent_dim,))
    if num_classes is None:
        return latents, latents, lambda layer, features: layer(features)
    labels = labels_input()
    joined = JoinLabels(num_classes)([latents, labels]) if conditioning == "concatenation" else latents

    def normalized(layer, features):
        return layer([features, labels] if isinstance(layer, ClassBatchNormalization) else features)

    return [latents, labels], joined, normalized


def generator(stack, num_classes=None, conditioning="concatenation"):
    """Build a generator from a list of layers.

    Args:
        stack: List of a `keras.Input` for the latents, and the layers.
        num_classes: Integer; `None` makes a `Sequential` of the list.
        conditioning: `"concatenation"`, or `"batch_norm"`, for which the list must contain layers of `batch_norm`.

    Returns:
        A `keras.Model`, latents, or `[latents, labels]`, -> images.

    Raises:
        ValueError: if `conditioning` is not a known name, `num_classes` is not an integer above 0, or no layer in the list
            receives the class.
    """
    _check("generator", num_classes, conditioning, GENERATOR)
    if num_classes is None:
        return keras.Sequential(stack, name="generator")
    latents, labels = stack[0], labels_input()
    receives_class = conditioning == "concatenation"
    features = JoinLabels(num_classes)([latents, labels]) if receives_class else latents
    for layer in stack[1:]:
        if isinstance(layer, ClassBatchNormalization):
            features, receives_class = layer([features, labels]), True
        else:
            features = layer(features)
    if not receives_class:
        raise ValueError(
            "`conditioning` of a generator without batch normalization must be 'concatenation'. Received: 'batch_norm'"
        )
    return keras.Model([latents, labels], features, name="generator")


def discriminator(before, after, linear, num_classes=None, conditioning="projection", activation=None):
    """Build a discriminator from lists of layers.

    Args:
        before: List of a `keras.Input` for the images, and the layers before the labels are concatenated.
        after: List of the layers after that, up to the features `(batch, d)`.
        linear: Function `(units, **arguments) -> layer` that makes the last layers.
        num_classes: Integer; `None` makes a `Sequential` of both lists and `linear(1)`.
        conditioning: `"projection"`, `"concatenation"` or `"auxiliary"`.
        activation: Of the score.

    Returns:
        A `keras.Model`, images -> `(batch, 1)` without classes, `[images, labels]` -> `(batch, 1)` with them; for
        `"auxiliary"` images -> `[(batch, 1), (batch, num_classes)]`.

    Raises:
        ValueError: if `conditioning` is not a known name, or `num_classes` is not an integer above 0.
    """
    _check("discriminator", num_classes, conditioning, DISCRIMINATOR)
    if num_classes is None:
        return keras.Sequential([*before, *after, linear(1, activation=activation)], name="discriminator")
    images, labels = before[0], labels_input()
    features = images
    for layer in before[1:]:
        features = layer(features)
    if conditioning == "concatenation":
        # scaled to the norm of d pixels of variance 1: next to the 784 pixels of a digit a plain 1 has hardly any effect
        # (next to latents it has, and a larger value would dominate them)
        features = JoinLabels(num_classes, scale=math.sqrt(features.shape[-1]))([features, labels])
    for layer in after:
        features = layer(features)
    return _judging(images, labels, features, linear, num_classes, conditioning, activation)


def judging(images, features, linear, num_classes=None, conditioning="projection"):
    """Build a discriminator from its image input and its features `(batch, d)`, computed in any way.

    Args:
        images, features: The input, and the features phi(x) that are computed from it.
        linear, num_classes: As in `discriminator`.
        conditioning: `"projection"` or `"auxiliary"`.

    Returns:
        A `keras.Model`, as `discriminator`.

    Raises:
        ValueError: if `conditioning` is not a known name, or `num_classes` is not an integer above 0.
    """
    _check("discriminator", num_classes, conditioning, ("projection", "auxiliary"))
    if num_classes is None:
        return keras.Model(images, linear(1)(features), name="discriminator")
    return _judging(images, labels_input(), features, linear, num_classes, conditioning)


def _judging(images, labels, features, linear, num_classes, conditioning, activation=None):
    score = linear(1)(features)  # psi(phi(x))
    if conditioning == "projection":
        embed = linear(features.shape[-1], use_bias=False, kernel_initializer="glorot_uniform")  # a row for each class
        embedded = embed(ops.one_hot(labels, num_classes))
        score = layers.Add()([score, layers.Dot(axes=1)([embedded, features])])
    if activation is not None:
        score = layers.Activation(activation)(score)
    if conditioning == "auxiliary":
        return keras.Model(images, [score, linear(num_classes)(features)], name="discriminator")
    return keras.Model([images, labels], score, name="discriminator")


def _check(player, num_classes, conditioning, known):
    if num_classes is not None:
        integer("num_classes", num_classes, at_least=1, of=f"a {player}")
    lookup(f"conditioning of a {player}", conditioning, dict.fromkeys(known))
