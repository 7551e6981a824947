"""Terms of the generator's loss besides the adversarial one, one under the other.

With y the real image and G its image, or with G and F the generators from domain a to b and from b to a, the mean taken over
the batch and over all pixels and channels:

cycle            weight (E |F(G(a)) - a| + E |G(F(b)) - b|), Zhu et al., arXiv:1703.10593, equation 2
identity         weight (E |G(b) - b| + E |F(a) - a|), the same, section 5.2
l1               weight E |G - y|, Isola et al., arXiv:1611.07004
l2               weight E (G - y)^2, Pathak et al., arXiv:1604.07379
perceptual       weight sum over layers E |phi(G) - phi(y)| of a network's features phi, Johnson et al., arXiv:1603.08155
total_variation  weight E (|G down - G| + |G right - G|), the differences of neighbouring pixels
"""

import pathlib
from typing import Any, Literal

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule
from keras.saving import register_keras_serializable

from kgan import backend, ramps
from kgan.arguments import chosen, lookup
from kgan.checkpoints.keras_file import load_model
from kgan.conditions import leaves, total
from kgan.conditions.images import grey
from kgan.extractors.extractor import Extractor


class Term(ramps.Weighted):
    """A term added to the generator's loss: for the generator what a penalty is for the discriminator.

    A subclass defines `name`, under which its value is logged, and `__call__(generator, given, fake, real)`: `generator` is
    a function from what is given to images, `given` is what the generator is given, `None` without a condition, `fake` and
    `real` are images `(batch, height, width, channels)`, or lists of them; it returns a scalar.

    Args:
        weight: Float, or a schedule such as `kgan.ramps.Cosine(20.0, 2.0, 1000)`, a function of the number of the
            generator's updates. The papers call it lambda.
        every: Integer n. The term is computed only in every n-th update of the generator, starting with the first, and is
            multiplied by n there. The log is the mean over the updates that computed it, without the factor n.

    Attributes:
        compares: Whether the term compares generated images with real ones of the same place in the batch. It then needs a
            condition.
        domains: Integer. The number of domains that the term needs, if it is not for one alone.
        network: `keras.Model`, a network that the term uses and that is saved with the GAN, or `None`.
    """

    name = "term"
    compares = True
    domains = 1
    network: Any = None

    def __call__(self, generator, given, fake, real):
        raise NotImplementedError(f"{type(self).__name__} does not define `__call__(generator, given, fake, real)`.")


@register_keras_serializable("kgan")
class L1(Term):
    """The mean absolute difference of generated and real images, as in Pix2Pix (arXiv:1611.07004, equation 3), weight 100.

    Example:

    >>> fake, real = ops.zeros((2, 4, 4, 3)), ops.ones((2, 4, 4, 3))
    >>> float(kgan.terms.L1(100.0)(None, None, fake, real))
    100.0
    """

    name = "l1"

    def __call__(self, generator, given, fake, real):
        return self.weight * total(lambda x, y: ops.abs(x - y), fake, real)


@register_keras_serializable("kgan")
class L2(Term):
    """The mean squared difference of generated and real images, as in Context Encoders (arXiv:1604.07379, equation 1)."""

    name = "l2"

    def __call__(self, generator, given, fake, real):
        return self.weight * total(lambda x, y: ops.square(x - y), fake, real)


@register_keras_serializable("kgan")
class Cycle(Term):
    """The mean absolute difference of images that were translated to the other domain and back, and the images themselves:
    `E |F(G(a)) - a| + E |G(F(b)) - b|`, in the gradient of both generators (CycleGAN, arXiv:1703.10593, equation 2). The
    paper's weight is 10.

    Example:

    Both generators add 1, so that an image comes back with 2 more:

    >>> a, b = ops.zeros((1, 4, 4, 1)), ops.ones((1, 4, 4, 1))
    >>> generator = lambda given: [one + 1.0 for one in given]
    >>> float(kgan.terms.Cycle(10.0)(generator, [a, b], generator([a, b]), [b, a]))
    40.0
    """

    name, compares, domains = "cycle", False, 2

    def __init__(self, weight: float | LearningRateSchedule = 10.0, every: int = 1):
        super().__init__(weight, every)

    def __call__(self, generator, given, fake, real):
        return self.weight * total(lambda x, y: ops.abs(x - y), generator(fake[::-1]), real)


@register_keras_serializable("kgan")
class Identity(Term):
    """The mean absolute difference of an image and what becomes of it where it is of the wanted domain already:
    `E |G(b) - b| + E |F(a) - a|` (CycleGAN, arXiv:1703.10593, section 5.2), so that colours are kept. The authors' weight is
    5, half of that of `Cycle`. Images of both domains must have one shape.
    """

    name, compares, domains = "identity", False, 2

    def __init__(self, weight: float | LearningRateSchedule = 5.0, every: int = 1):
        super().__init__(weight, every)

    def __call__(self, generator, given, fake, real):
        return self.weight * total(lambda x, y: ops.abs(x - y), generator(real), real)


@register_keras_serializable("kgan")
class TotalVariation(Term):
    """The mean absolute difference of neighbouring pixels, which makes images smoother: the sum of that of each pixel and
    the one below it, and that of each pixel and the one to its right (anisotropic total variation).
    """

    name = "total_variation"
    compares = False

    def __call__(self, generator, given, fake, real):
        def variation(x):
            return ops.mean(ops.abs(x[:, 1:] - x[:, :-1])) + ops.mean(ops.abs(x[:, :, 1:] - x[:, :, :-1]))

        return self.weight * total(variation, fake)


@register_keras_serializable("kgan")
class Perceptual(Term):
    """The difference of the features that a network finds in generated and in real images (arXiv:1603.08155, section 3.2).

    The network is not trained. Its features are those of several layers, whose differences are added up.

    Args:
        weight: As in `Term`.
        every: As in `Term`.
        model: The network: a `keras.Model`, images in [-1, 1] -> features, one tensor or a list; the path of a `.keras` file
            of one; or an extractor of kgan, such as `kgan.extractors.classifier(images)`, whose convolutions are the layers.
            Its `trainable` becomes False. Images are resized to its input shape. `None`, as in a recipe, is the classifier
            that the scores use; it is trained on the run's images first.
        distance: `"l1"`, as in ESRGAN (arXiv:1809.00219), or `"l2"`, as in SRGAN (arXiv:1609.04802).
    """

    name = "perceptual"

    def __init__(
        self,
        weight: float | LearningRateSchedule = 1.0,
        every: int = 1,
        model: Any = None,
        distance: Literal["l1", "l2"] = "l1",
    ):
        super().__init__(weight, every)
        self.distance = lookup("distance of Perceptual", distance, {"l1": "l1", "l2": "l2"})
        self.network = None if model is None else network_of(model)

    def __call__(self, generator, given, fake, real):
        distance = ops.abs if self.distance == "l1" else ops.square

        def difference(x, y):
            found = [leaves(self.network(self._fitted(images), training=False)) for images in (x, y)]
            return sum(ops.mean(distance(one - other)) for one, other in zip(*found, strict=True))

        return self.weight * sum(difference(x, y) for x, y in zip(leaves(fake), leaves(real), strict=True))

    def _fitted(self, images):
        """Images in the size and the channels that the network takes."""
        height, width, channels = self.network.input_shape[1:]
        if channels not in (None, images.shape[-1]):
            images = grey(images) if channels == 1 else ops.repeat(images[..., :1], channels, axis=-1)
        if (height, width) in ((None, None), tuple(images.shape[1:3])):
            return images
        return ops.image.resize(images, (height, width), "bilinear", data_format="channels_last")

    def get_config(self):
        return {**super().get_config(), "model": self.network, "distance": self.distance}


def network_of(model):
    """What `model` of Perceptual means, as a model that is not trained.

    Raises:
        ValueError: if it is not a model that takes images.
    """
    if isinstance(model, str | pathlib.Path):
        model = load_model(pathlib.Path(model).expanduser())
    if isinstance(model, Extractor):
        convolutions = [layer.output for layer in model.model.layers if isinstance(layer, keras.layers.Conv2D)]
        with backend.on_one_device():
            model = keras.Model(model.model.input, convolutions or model.model.output)
        model = _on_all_devices(model)
    if isinstance(model, dict):  # as Keras deserializes it
        model = keras.saving.deserialize_keras_object(model)
    if not isinstance(model, keras.Model) or len(getattr(model, "input_shape", None) or ()) != 4:
        raise ValueError(
            "`model` of Perceptual must be a keras.Model that takes images (batch, height, width, channels) and returns "
            "features, a kgan extractor such as kgan.extractors.classifier(images), or the path of a .keras file. "
            f"Received: {model!r}"
        )
    model.trainable = False
    return model


def _on_all_devices(model):
    """A copy of a model that was made on one device, if the GAN is trained on several."""
    if len(backend.devices()) == 1:
        return model
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


TERMS = {
    "cycle": Cycle,
    "identity": Identity,
    "l1": L1,
    "l2": L2,
    "perceptual": Perceptual,
    "total_variation": TotalVariation,
}


def get(identifier):
    """Return a term: the object itself, or the one of that name with its default weight.

    Raises:
        ValueError: if `identifier` is neither a known name nor a `Term`.
    """
    said = "A term must be a name of kgan.terms or an object such as kgan.terms.L1(100.0)."
    return chosen("term", identifier, TERMS, Term, said)
