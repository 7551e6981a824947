"""The two models of a GAN, and whether they fit together."""

import contextlib

import keras

from kgan.backend import pin_seeds


def model_of(given, name):
    """Return the `keras.Model` that `given` is, or that calling it makes.

    Raises:
        ValueError: if that is no Keras model, or one of its layers does not fit the others.
    """
    model = given
    if not isinstance(given, keras.Model) and callable(given) and not isinstance(given, keras.Layer):
        with _naming_the_layer(f"The {name} cannot be made"):
            model = given()
    if not isinstance(model, keras.Model):
        raise ValueError(
            f"`{name}` must be a keras.Model, or a function without arguments that returns one. "
            f"Received: {given!r}{'' if model is given else f', which returned {model!r}'}"
        )
    return model


def fit_together(generator, discriminator, latent_dim, pack=1):
    """Run both players on symbolic tensors, which builds them; return the shape of one example that the generator makes.

    Raises:
        ValueError: if one cannot take what it is given, or the discriminator does not put out one number an image.
    """
    noise = keras.KerasTensor((None, latent_dim))
    images = _run(generator, "generator", noise, "latents")
    packed = keras.KerasTensor((*images.shape[:-1], pack * images.shape[-1]), images.dtype)
    what = "the generator's images" if pack == 1 else f"the generator's images, {pack} in a pack,"
    scores = _run(discriminator, "discriminator", packed, what)
    pin_seeds(generator)
    pin_seeds(discriminator)
    if len(scores.shape) != 2 or scores.shape[-1] != 1:
        raise ValueError(
            "The discriminator must put out one number an image, shape (batch, 1). "
            f"Received: shape {_shape(scores)} from model {discriminator.name!r}."
        )
    return tuple(images.shape[1:])


def _run(model, name, inputs, what):
    with _naming_the_layer(f"The {name}, model {model.name!r}, cannot take {what} of shape {_shape(inputs)}"):
        _check_sizes(getattr(model, "input_shape", None), inputs.shape)
        outputs = model(inputs)
    if not hasattr(outputs, "shape"):
        raise ValueError(f"The {name} must put out one tensor. Received: {type(outputs).__name__} from {model.name!r}.")
    return outputs


def _check_sizes(expected, shape):
    # Keras lets any last axis into a model of images with one channel
    if isinstance(expected, tuple) and len(expected) == len(shape):
        for one, other in zip(expected, shape, strict=True):
            if None not in (one, other) and one != other:
                raise ValueError(f"it was made for shape ({', '.join(['batch', *map(str, expected[1:])])})")


@contextlib.contextmanager
def _naming_the_layer(complaint):
    """Turn an error about shapes into one sentence that begins with `complaint` and names the layer."""
    filtering = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()  # or Keras cuts its layers out of the traceback
    try:
        yield
    except ValueError as error:
        layer, step = None, error.__traceback__
        while step:
            caller = step.tb_frame.f_locals.get("self")
            if isinstance(caller, keras.Layer) and not isinstance(caller, keras.Model):
                layer = caller
            step = step.tb_next
        where = f": its layer {layer.name!r} ({type(layer).__name__}) says" if layer else ""
        raise ValueError(f"{complaint}{where}: {' '.join(str(error).split())}") from error
    finally:
        if filtering:
            keras.config.enable_traceback_filtering()


def _shape(tensor):
    return f"({', '.join(['batch', *map(str, tensor.shape[1:])])})"
