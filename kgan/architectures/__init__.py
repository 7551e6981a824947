"""Families of players, with the generator and the discriminator of a family in one file.

Each module has `generator(image_shape, latent_dim, ...)` and `discriminator(image_shape, ...)`, or one of the two, which
return Keras models; the size of the images is an argument, `(height, width, channels)`. The generators of `unet`,
`resnet_translation`, `srresnet` and `rrdb` receive an image, `given_shape`, and latents only if there is a `latent_dim`.
`towers` joins two players for two domains of images.
"""

from kgan.architectures import (
    compact,
    dcgan,
    dense,
    fastgan,
    patch,
    r3gan,
    resnet,
    resnet_translation,
    rrdb,
    srresnet,
    towers,
    unet,
)
from kgan.arguments import lookup

ARCHITECTURES = {
    "compact": compact,
    "dcgan": dcgan,
    "dense": dense,
    "fastgan": fastgan,
    "patch": patch,
    "r3gan": r3gan,
    "resnet": resnet,
    "resnet_translation": resnet_translation,
    "rrdb": rrdb,
    "srresnet": srresnet,
    "unet": unet,
}


def get(name):
    """Return the module of that architecture.

    Raises:
        ValueError: if there is no such architecture.
    """
    return lookup("architecture", name, ARCHITECTURES)


def players(kind):
    """Return the functions that make a `"generator"` or a `"discriminator"`, by the names of their architectures."""
    return {name: getattr(module, kind) for name, module in ARCHITECTURES.items() if hasattr(module, kind)}


__all__ = [
    "ARCHITECTURES",
    "compact",
    "dcgan",
    "dense",
    "fastgan",
    "get",
    "patch",
    "players",
    "r3gan",
    "resnet",
    "resnet_translation",
    "rrdb",
    "srresnet",
    "towers",
    "unet",
]
