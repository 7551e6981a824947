"""From a checked recipe to the objects it names."""

import keras

from kgan import architectures, callbacks, data, losses, penalties, schedules
from kgan.gan import GAN
from kgan.runner.schema import OPTIMIZERS


def _arguments(chosen):
    return {name: getattr(chosen, name) for name in type(chosen).model_fields if name != "name"}


def build(recipe):
    """Return the data, as batches, and the compiled GAN; the weights come from the recipe's seed."""
    images = data.get(recipe.data.name)()
    batches = data.Batches(images, recipe.data.batch_size, seed=recipe.seed)
    keras.utils.set_random_seed(recipe.seed)
    shape = images.shape[1:]
    generator = architectures.get(recipe.generator.name).generator
    discriminator = architectures.get(recipe.discriminator.name).discriminator
    gan = GAN(
        generator(image_shape=shape, latent_dim=recipe.latent_dim, **_arguments(recipe.generator)),
        discriminator(image_shape=shape, **_arguments(recipe.discriminator)),
        latent_dim=recipe.latent_dim,
        latents=recipe.latents,
        seed=recipe.seed,
    )
    d_opt, g_opt = recipe.optimizers.discriminator, recipe.optimizers.generator
    gan.compile(
        d_opt=OPTIMIZERS[d_opt.name](**_arguments(d_opt)),
        g_opt=OPTIMIZERS[g_opt.name](**_arguments(g_opt)),
        loss=losses.LOSSES[recipe.loss.name](**_arguments(recipe.loss)),
        schedule=schedules.SCHEDULES[recipe.schedule.name](**_arguments(recipe.schedule)),
        penalties=[penalties.PENALTIES[one.name](**_arguments(one)) for one in recipe.penalties],
        ema=recipe.ema,
        jit_compile=recipe.jit_compile,
        steps_per_execution=1 if keras.backend.backend() == "torch" else min(20, len(batches)),
    )
    return batches, gan


def build_callbacks(recipe, directory):
    """Return the recipe's callbacks, each writing to its own place in the run directory."""
    classes = callbacks.CALLBACKS
    return [classes[one.name](directory / classes[one.name].place, **_arguments(one)) for one in recipe.callbacks]
