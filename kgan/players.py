"""The two models of a GAN, and whether they fit together."""

import contextlib

import keras

from kgan.backend import pin_seeds
from kgan.labels import takes_labels


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


def symbolic_latents(latent_dim, num_classes=None):
    """What a generator takes, as symbolic tensors: latents, or with classes latents and labels."""
    latents = keras.KerasTensor((None, latent_dim))
    return latents if num_classes is None else [latents, keras.KerasTensor((None,), "int32")]


def fit_together(generator, discriminator, latent_dim, pack=1, num_classes=None):
    """Run both players on symbolic tensors, which builds them.

    Returns:
        The shape of one example that the generator makes, and whether the discriminator puts out class logits too.

    Raises:
        ValueError: if one cannot take what it is given or was made for another number of classes, or the discriminator does
            not put out one number an image; with classes, if the discriminator neither takes labels nor puts out their
            logits.
    """
    for model, name in ((generator, "generator"), (discriminator, "discriminator")):
        _check_classes(model, name, num_classes)
    given = symbolic_latents(latent_dim, num_classes)
    images = _run(generator, "generator", given, "latents")
    if not hasattr(images, "shape"):
        kind = type(images).__name__
        raise ValueError(f"The generator must put out one tensor. Received: {kind} from {generator.name!r}.")
    packed = keras.KerasTensor((*images.shape[:-1], pack * images.shape[-1]), images.dtype)
    what = "the generator's images" if pack == 1 else f"the generator's images, {pack} in a pack,"
    told = num_classes is not None and takes_labels(discriminator)
    outputs = _run(discriminator, "discriminator", [packed, given[1]] if told else packed, what)
    pin_seeds(generator)
    pin_seeds(discriminator)
    several = isinstance(outputs, list | tuple)
    shapes = [_shape(one) for one in outputs] if several else [_shape(outputs)]
    classifies = num_classes is not None and several and len(shapes) == 2
    if classifies and shapes != ["(batch, 1)", f"(batch, {num_classes})"]:
        raise ValueError(
            f"A discriminator of two outputs must put out a score (batch, 1) and class logits (batch, {num_classes}). "
            f"Received: shapes {' and '.join(shapes)} from model {discriminator.name!r}."
        )
    if not classifies and shapes != ["(batch, 1)"]:
        raise ValueError(
            "The discriminator must put out one number an image, shape (batch, 1). "
            f"Received: shape {' and '.join(shapes)} from model {discriminator.name!r}."
            + (" Class logits beside it are for a GAN with `num_classes`." if several and num_classes is None else "")
        )
    if num_classes is not None and not told and not classifies:
        raise ValueError(
            f"With `num_classes={num_classes}` the discriminator must take [images, labels], or put out class logits "
            f"(batch, {num_classes}) beside its score. Received: model {discriminator.name!r}, which does neither."
        )
    return tuple(images.shape[1:]), classifies


def _check_classes(model, name, num_classes):
    """Raise ValueError if a model made of layers was told of another number of classes than the GAN."""
    made_for = {one.num_classes for one in getattr(model, "operations", ()) if hasattr(one, "num_classes")}
    if made_for - {num_classes}:
        made = " and ".join(map(str, sorted(made_for)))
        raise ValueError(
            f"The {name}, model {model.name!r}, was made for {made} classes. "
            f"Received: GAN(..., num_classes={num_classes})"
        )
    inputs = getattr(model, "inputs", None)
    if name == "generator" and num_classes is not None and inputs is not None and len(inputs) == 1:
        raise ValueError(
            f"With `num_classes={num_classes}` the generator must take [latents, labels]. "
            f"Received: model {model.name!r}, which takes latents alone."
        )


def _run(model, name, inputs, what):
    first = inputs[0] if isinstance(inputs, list) else inputs
    if first is not inputs:
        what = f"{what} with labels,"
    with _naming_the_layer(f"The {name}, model {model.name!r}, cannot take {what} of shape {_shape(first)}"):
        expected = getattr(model, "input_shape", None)
        if isinstance(expected, list):
            expected = expected[0]
        _check_sizes(expected, first.shape)
        return model(inputs)


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
