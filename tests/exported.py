"""Small GANs of every family whose generators are exported, with weights that are not those of the beginning."""

import keras
import numpy as np

import kgan
from kgan.architectures import compact, dcgan, dense, patch, r3gan, resnet, resnet_translation, srresnet, towers, unet
from tests.helpers import SMALL_FAMILIES

SHAPE, COLOURED = (16, 16, 1), (32, 32, 3)
FAMILIES = {"dense": dense, "dcgan": dcgan, "resnet": resnet, "r3gan": r3gan}


def _of_latents(family, classes):
    own = {"num_classes": 3} if classes else {}
    generator = FAMILIES[family].generator(SHAPE, latent_dim=8, **SMALL_FAMILIES[family], **own)
    return kgan.GAN(generator, dcgan.discriminator(SHAPE, filters=4, **own), latent_dim=8, **own)


def _compact():
    return kgan.GAN(
        compact.generator(SHAPE, latent_dim=8, filters=4), dcgan.discriminator(SHAPE, filters=4), latent_dim=8
    )


def _attentive():
    generator = resnet.generator(SHAPE, latent_dim=8, filters=8, spectral_norm=True, attention=8)
    return kgan.GAN(generator, dcgan.discriminator(SHAPE, filters=4), latent_dim=8, latents="sphere")


def _of_images(generator, condition, **own):
    return kgan.GAN(generator, dcgan.discriminator(COLOURED, filters=4), condition=condition, **own)


def _two_domains():
    def tower(given, made):
        shapes = (32, 32, made), (32, 32, given)
        return resnet_translation.generator(shapes[0], given_shape=shapes[1], filters=4, blocks=1)

    judges = [patch.discriminator((32, 32, one), given=False, filters=4, receptive_field=16) for one in (1, 3)]
    players = towers.generator(tower(3, 1), tower(1, 3)), towers.discriminator(*judges)
    return kgan.GAN(*players, condition=kgan.conditions.Unpaired())


GANS = {
    **{family: lambda family=family: _of_latents(family, False) for family in FAMILIES},
    **{f"{family} with classes": lambda family=family: _of_latents(family, True) for family in FAMILIES},
    "compact": _compact,
    "resnet with attention": _attentive,
    "unet": lambda: kgan.GAN(
        unet.generator(COLOURED, filters=4),
        patch.discriminator(COLOURED, filters=4, receptive_field=16),
        condition=kgan.conditions.Pairs(),
    ),
    "resnet_translation": lambda: kgan.GAN(
        resnet_translation.generator(COLOURED, filters=4, blocks=1),
        patch.discriminator(COLOURED, filters=4, receptive_field=16),
        condition=kgan.conditions.Pairs(),
    ),
    "srresnet": lambda: _of_images(srresnet.generator(COLOURED, factor=4, filters=4), kgan.conditions.Downscaled(4)),
    "unet fills holes": lambda: _of_images(
        unet.generator(COLOURED, given_shape=(32, 32, 4), filters=4), kgan.conditions.Masked()
    ),
    "unet colours": lambda: _of_images(
        unet.generator(COLOURED, given_shape=(32, 32, 1), filters=4), kgan.conditions.Grey(keep_brightness=True)
    ),
    "two domains": _two_domains,
}


def made(name):
    """The GAN of that name, its generator's weights and moving statistics changed."""
    gan = GANS[name]()
    random = np.random.default_rng(0)
    for variable in gan.generator.variables:
        if "moving_variance" in variable.path:
            variable.assign(random.uniform(0.5, 2.0, variable.shape))
        elif keras.backend.is_float_dtype(variable.dtype):
            variable.assign(keras.ops.convert_to_numpy(variable.value) + random.normal(0, 0.05, variable.shape))
    return gan
