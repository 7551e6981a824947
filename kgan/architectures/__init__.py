"""Families of players, with the generator and the discriminator of a family in one file.

Each module has `generator(image_shape, latent_dim, ...)` and `discriminator(image_shape, ...)`, which return Keras models;
the size of the images is an argument, `(height, width, channels)`.
"""

from kgan.architectures import dcgan, dense, r3gan, resnet
from kgan.arguments import lookup

ARCHITECTURES = {"dcgan": dcgan, "dense": dense, "r3gan": r3gan, "resnet": resnet}


def get(name):
    """Return the module of that architecture.

    Raises:
        ValueError: if there is no such architecture.
    """
    return lookup("architecture", name, ARCHITECTURES)


__all__ = ["ARCHITECTURES", "dcgan", "dense", "get", "r3gan", "resnet"]
