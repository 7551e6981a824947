"""Whether the two models of a GAN fit together, and whether images fit them."""

import contextlib

import keras

from kgan.backend import layers_in, pin_seeds, static_shape
from kgan.conditions import takes_given, together


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
    """The inputs of a generator as symbolic tensors: latents, alone or with the condition."""
    return together(keras.KerasTensor((None, latent_dim)), condition.specs(generator))


def fit_together(generator, discriminator, latent_dim, condition, pack=1):
    """Run both players on symbolic tensors, which builds them.

    Returns:
        The shape of one example that the generator makes, and the number of the discriminator's outputs.

    Raises:
        ValueError: if a player does not accept its inputs or was made for another condition, or the discriminator does not
            have the outputs that the condition needs.
    """
    condition.check_players(generator, discriminator, pack)
    images = _run(generator, "generator", symbolic_inputs(generator, latent_dim, condition), "latents", condition)
    if not hasattr(images, "shape"):
        kind = type(images).__name__
        raise ValueError(f"The generator must output one tensor. Received: {kind} from {generator.name!r}.")
    packed = keras.KerasTensor((*images.shape[:-1], pack * images.shape[-1]), images.dtype)
    what = "the generator's images" if pack == 1 else f"the generator's images, {pack} in a pack,"
    inputs = together(packed, condition.specs(generator) if takes_given(discriminator) else None)
    outputs = _run(discriminator, "discriminator", inputs, what, condition)
    pin_seeds(generator)
    pin_seeds(discriminator)
    if len(images.shape) == 4:
        _check_channels_last(generator=generator, discriminator=discriminator)
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    condition.check_outputs(discriminator, [_shape(one) for one in outputs])
    return tuple(images.shape[1:]), len(outputs)


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


def check_images(images, shape):
    """Raise ValueError unless a batch of real images has the generator's shape, without the batch `shape`."""
    whole = static_shape(images)
    if whole is None:
        raise ValueError(f"Real images must have the generator's shape {shape}. Received: images of different shapes")
    got = whole[1:]  # None where a dataset does not define the size
    if len(got) != len(shape) or any(size not in (None, wanted) for size, wanted in zip(got, shape, strict=True)):
        expected, received = (f"({', '.join(['batch', *map(str, one)])})" for one in (shape, got))
        raise ValueError(f"Real images must have the generator's shape {expected}. Received: {received}")


def _run(model, name, inputs, what, condition):
    first = inputs[0] if isinstance(inputs, list) else inputs
    if first is not inputs:
        what = f"{what} with {condition.what},"
    with _naming_the_layer(f"The {name}, model {model.name!r}, cannot take {what} of shape {_shape(first)}"):
        expected = getattr(model, "input_shape", None)
        if isinstance(expected, list):
            expected = expected[0]
        _check_sizes(expected, first.shape)
        return model(inputs)


def _check_sizes(expected, shape):
    # Keras itself accepts any last axis for a model of images with one channel
    if isinstance(expected, tuple) and len(expected) == len(shape):
        for one, other in zip(expected, shape, strict=True):
            if None not in (one, other) and one != other:
                raise ValueError(f"it was made for shape ({', '.join(['batch', *map(str, expected[1:])])})")


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


def _shape(tensor):
    return f"({', '.join(['batch', *map(str, tensor.shape[1:])])})"
