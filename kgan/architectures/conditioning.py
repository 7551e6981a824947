"""How a player is told the class: layers, and players put together from a list of layers and a way of conditioning.

With a generator's latents z, a discriminator's features phi(x) and a label y:

concatenation
    one-hot y is appended to z; to the d channels of x, times sqrt(d) (Mirza and Osindero, arXiv:1411.1784)
batch_norm
    each class has its own gamma and beta in the generator's batch normalizations (de Vries et al., arXiv:1707.00683; in
    GANs Miyato and Koyama, arXiv:1802.05637)
projection
    the score is psi(phi(x)) + <embed(y), phi(x)> (Miyato and Koyama, arXiv:1802.05637, equation 8)
auxiliary
    beside the score stand class logits, linear in phi(x), which see no y (Odena et al., arXiv:1610.09585)
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
    """Appends labels to features as one-hot channels, the same at every place.

    Example:

    >>> images, labels = np.zeros((2, 4, 4, 1)), np.array([0, 2])
    >>> joined = kgan.architectures.conditioning.JoinLabels(num_classes=3)([images, labels])
    >>> ops.convert_to_numpy(joined)[1, 3, 3].tolist()
    [0.0, 0.0, 0.0, 1.0]

    Args:
        num_classes: Integer.
        scale: Float. What stands for the one.
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
    """Batch normalization whose scale and shift, gamma and beta, are those of each example's class.

    It is called with `[features, labels]`. Mean and variance are those of the whole batch, as in
    `keras.layers.BatchNormalization`.

    Args:
        num_classes: Integer.
        momentum: Float. Of the moving statistics.
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
    """The batch normalization of a generator: `ClassBatchNormalization` where that is how the class is told."""
    if num_classes is not None and conditioning == "batch_norm":
        return ClassBatchNormalization(num_classes, **arguments)
    return layers.BatchNormalization(**arguments)


def labels_input():
    """The second input of a player: labels `(batch,)`."""
    return keras.Input((), dtype="int32", name="labels")


def latents_and_labels(latent_dim, num_classes=None, conditioning="concatenation"):
    """Where a generator that is no list of layers begins.

    Returns:
        The inputs of the model; what its first layer is given; and a function that applies what `batch_norm` makes to
        features.

    Raises:
        ValueError: if `conditioning` is another one, or `num_classes` no integer above 0.
    """
    _check("generator", num_classes, conditioning, GENERATOR)
    latents = keras.Input((latent_dim,))
    if num_classes is None:
        return latents, latents, lambda layer, features: layer(features)
    labels = labels_input()
    told = JoinLabels(num_classes)([latents, labels]) if conditioning == "concatenation" else latents

    def normalized(layer, features):
        return layer([features, labels] if isinstance(layer, ClassBatchNormalization) else features)

    return [latents, labels], told, normalized


def generator(stack, num_classes=None, conditioning="concatenation"):
    """The generator that a list of layers makes.

    Args:
        stack: List of a `keras.Input` for the latents, and layers.
        num_classes: Integer; `None` makes a `Sequential` of the list.
        conditioning: `"concatenation"`, or `"batch_norm"`, for which the list must hold what `batch_norm` makes.

    Returns:
        A `keras.Model`, latents, or `[latents, labels]`, -> images.

    Raises:
        ValueError: if `conditioning` is another one, `num_classes` no integer above 0, or the list holds nothing that would
            learn of the class.
    """
    _check("generator", num_classes, conditioning, GENERATOR)
    if num_classes is None:
        return keras.Sequential(stack, name="generator")
    latents, labels = stack[0], labels_input()
    told = conditioning == "concatenation"
    features = JoinLabels(num_classes)([latents, labels]) if told else latents
    for layer in stack[1:]:
        if isinstance(layer, ClassBatchNormalization):
            features, told = layer([features, labels]), True
        else:
            features = layer(features)
    if not told:
        raise ValueError(
            "`conditioning` of a generator without batch normalization must be 'concatenation'. Received: 'batch_norm'"
        )
    return keras.Model([latents, labels], features, name="generator")


def discriminator(before, after, linear, num_classes=None, conditioning="projection", activation=None):
    """The discriminator that lists of layers make.

    Args:
        before: List of a `keras.Input` for the images, and the layers before the place where labels are concatenated.
        after: List of the layers from there to the features `(batch, d)`.
        linear: Function `(units, **arguments) -> layer` that makes the last layers.
        num_classes: Integer; `None` makes a `Sequential` of both lists and `linear(1)`.
        conditioning: `"projection"`, `"concatenation"` or `"auxiliary"`.
        activation: Of the score.

    Returns:
        A `keras.Model`, images -> `(batch, 1)` without classes, `[images, labels]` -> `(batch, 1)` with them; for
        `"auxiliary"` images -> `[(batch, 1), (batch, num_classes)]`.

    Raises:
        ValueError: if `conditioning` is another one, or `num_classes` no integer above 0.
    """
    _check("discriminator", num_classes, conditioning, DISCRIMINATOR)
    if num_classes is None:
        return keras.Sequential([*before, *after, linear(1, activation=activation)], name="discriminator")
    images, labels = before[0], labels_input()
    features = images
    for layer in before[1:]:
        features = layer(features)
    if conditioning == "concatenation":
        # as long a vector as d pixels of variance 1: beside the 784 of a digit a plain 1 is not heard (beside latents it is,
        # and a longer one leaves nothing to them)
        features = JoinLabels(num_classes, scale=math.sqrt(features.shape[-1]))([features, labels])
    for layer in after:
        features = layer(features)
    return _judging(images, labels, features, linear, num_classes, conditioning, activation)


def judging(images, features, linear, num_classes=None, conditioning="projection"):
    """The discriminator that goes from images to features in any way: `(batch, d)`.

    Args:
        images, features: Its input, and what is made of it, phi(x).
        linear, num_classes: As in `discriminator`.
        conditioning: `"projection"` or `"auxiliary"`.

    Returns:
        A `keras.Model`, as `discriminator`.

    Raises:
        ValueError: if `conditioning` is another one, or `num_classes` no integer above 0.
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
