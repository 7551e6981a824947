"""Whether the two models of a GAN fit together, and whether images fit them."""

import contextlib

import keras
import numpy as np

from kgan.backend import layers_in, pin_seeds
from kgan.conditions import each, leaves, shown, takes_given, together
from kgan.data.brightness import advice


def model_of(given, name):
    """Return `given` if it is a `keras.Model`, or the model that the function `given` returns.

    Raises:
        ValueError: if it is not a Keras model, or one of its layers does not fit the others.
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


def symbolic_inputs(generator, latent_dim, condition):
    """The inputs of a generator as symbolic tensors: latents, alone or with the condition; or the condition alone."""
    latents = None if latent_dim is None else keras.KerasTensor((None, latent_dim))
    return together(latents, _seen(generator, condition, generator, 0 if latents is None else 1))


def _seen(player, condition, generator, others):
    """What a player takes of the condition's values, as symbolic tensors."""
    specs = condition.specs(generator)
    return specs if specs is None else condition.seen_by(player, specs, others)


def fit_together(generator, discriminator, latent_dim, condition, pack=1):
    """Run both players on symbolic tensors, which builds them.

    Returns:
        The shape of one example that the generator makes, or a list of them for several towers; the number of the
        discriminator's outputs, and that of its scores.

    Raises:
        ValueError: if a player does not accept its inputs or was made for another condition, or the discriminator does not
            have the outputs that the condition needs.
    """
    condition.check_players(generator, discriminator, pack)
    what = f"latents with {condition.what}," if latent_dim and condition.specs(generator) is not None else "latents"
    inputs = symbolic_inputs(generator, latent_dim, condition)
    images = _run(generator, "generator", inputs, what if latent_dim else condition.what)
    if not all(hasattr(one, "shape") for one in leaves(images)) or len(leaves(images)) != condition.towers:
        kind = type(images).__name__
        raise ValueError(f"The generator must output one tensor. Received: {kind} from {generator.name!r}.")
    packed = each(lambda one: keras.KerasTensor((*one.shape[:-1], pack * one.shape[-1]), one.dtype), images)
    what = "the generator's images" if pack == 1 else f"the generator's images, {pack} in a pack,"
    seen = _seen(discriminator, condition, generator, 1) if takes_given(discriminator) else None
    what = what if seen is None else f"{what} with {condition.what},"
    outputs = _run(discriminator, "discriminator", together(packed, seen), what)
    pin_seeds(generator)
    pin_seeds(discriminator)
    if len(leaves(images)[0].shape) == 4:
        _check_channels_last(generator=generator, discriminator=discriminator)
    shapes = [tuple(one.shape[1:]) for one in leaves(outputs)]
    condition.check_outputs(discriminator, shapes)
    return each(lambda one: tuple(one.shape[1:]), images), len(shapes), condition.scores(shapes)


RANGES = ("floats", "whole numbers", "numbers")


def watched(images):
    """The images of a batch as they are in the data, by a name in `RANGES`; nothing if any of their values is valid."""
    dtype = keras.backend.standardize_dtype(images.dtype)
    if "float" in dtype:
        return {"floats" if len(images.shape) == 4 else "numbers": images}
    return {"whole numbers": images} if dtype not in ("uint8", "bool") else {}


def check_range(name, low, high, image_range, first=True):
    """Raise ValueError if the smallest or the largest of all images' values, floats, is not valid.

    Args:
        name: Name in `RANGES`.
        low, high: Floats; NaN or infinity if a value was.
        image_range: Pair of floats, the range of the generator's images.
        first: Whether these are the values of the first batch. Later floats must be finite, but may leave the range.
    """
    if not np.isfinite([low, high]).all():
        raise ValueError(f"Images must be finite. Received: {'NaN' if np.isnan([low, high]).any() else 'infinity'}")
    if name == "whole numbers" and not (low >= 0 and high <= 255):
        raise ValueError(
            f"Images of whole numbers must lie in [0, 255]. Received: {low:g} to {high:g}. {advice(low, high)}"
        )
    if first and name == "floats" and not (low >= image_range[0] - 0.001 and high <= image_range[1] + 0.001):
        scales = "x / 127.5 - 1" if image_range[0] < 0 else "x / 255"
        hint = f"For values in [0, 255], {scales} scales them."
        if low >= -1.001 and high <= 1.001:
            hint = "For values in [-1, 1], (x + 1) / 2 scales them."
        raise ValueError(
            f"Images must be floats in [{image_range[0]:g}, {image_range[1]:g}], the range of the generator's images, "
            f"or uint8. Received: floats from {low:g} to {high:g}. {hint}"
        )


def _check_channels_last(**players):
    if keras.config.image_data_format() == "channels_last":
        return
    for name, player in players.items():
        for layer in layers_in(player):
            if getattr(layer, "data_format", None) == "channels_first" and not isinstance(layer, keras.layers.Flatten):
                raise ValueError(
                    "Images of kgan have their channels last, (batch, height, width, channels), and the layer "
                    f"{layer.name!r} of the {name} has them first, as keras.json says. Call "
                    "keras.config.set_image_data_format('channels_last') before the players are made."
                )


def _run(model, name, inputs, what):
    first = leaves(inputs)[0]
    with _naming_the_layer(f"The {name}, model {model.name!r}, cannot take {what} of shape {shown(first.shape[1:])}"):
        for expected, received in zip(getattr(model, "inputs", None) or (), leaves(inputs), strict=False):
            _check_sizes(tuple(expected.shape), tuple(received.shape), received is first)
        return model(inputs)


def _check_sizes(expected, shape, is_first):
    # Keras itself accepts any last axis for a model of images with one channel
    different = any(None not in both and both[0] != both[1] for both in zip(expected, shape, strict=False))
    if len(expected) == len(shape) and different:
        there = "" if is_first else f", where it receives {shown(shape[1:])}"
        raise ValueError(f"it was made for shape {shown(expected[1:])}{there}")


@contextlib.contextmanager
def _naming_the_layer(complaint):
    """Turn an error about shapes into one sentence that begins with `complaint` and names the layer."""
    filtering = keras.config.is_traceback_filtering_enabled()
    keras.config.disable_traceback_filtering()  # otherwise Keras removes its layers from the traceback
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
