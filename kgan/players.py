"""The two models of a GAN, and whether they fit together."""

import keras

from kgan.backend import pin_seeds


def model_of(given, name):
    """Return the `keras.Model` that `given` is, or that calling it makes.

    Raises:
        ValueError: if that is no Keras model.
    """
    model = given
    if not isinstance(given, keras.Model) and callable(given) and not isinstance(given, keras.Layer):
        model = given()
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"`{name}` must be a keras.Model, or a function without arguments that returns one. "
            f"Received: {given!r}{'' if model is given else f', which returned {model!r}'}"
        )
    return model


def fit_together(generator, discriminator, latent_dim):
    """Run both players on symbolic tensors, which builds them; return the shape of one example that the generator makes.

    Raises:
        ValueError: if one cannot take what it is given, or the discriminator does not put out one number an image.
    """
    noise = keras.KerasTensor((None, latent_dim))
    images = _run(generator, "generator", noise, "latents")
    scores = _run(discriminator, "discriminator", images, "the generator's images")
    pin_seeds(generator)
    pin_seeds(discriminator)
    if len(scores.shape) != 2 or scores.shape[-1] != 1:
        raise ValueError(
            "The discriminator must put out one number an image, shape (batch, 1). "
            f"Received: shape {_shape(scores)} from model {discriminator.name!r}."
        )
    return tuple(images.shape[1:])


def _run(model, name, inputs, what):
    try:
        outputs = model(inputs)
    except ValueError as error:
        raise ValueError(
            f"The {name}, model {model.name!r}, cannot take {what} of shape {_shape(inputs)}. "
            f"{str(error).strip().splitlines()[0]}"
        ) from error
    if not hasattr(outputs, "shape"):
        raise ValueError(f"The {name} must put out one tensor. Received: {type(outputs).__name__} from {model.name!r}.")
    return outputs


def _shape(tensor):
    return f"({', '.join(['batch', *map(str, tensor.shape[1:])])})"
