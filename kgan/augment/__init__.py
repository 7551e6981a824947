"""Augmentation of what the discriminator sees in training, for `compile(augment=...)`.

An augmentation of real images alone would teach the generator to make augmented ones. These change real and generated images
alike, and differentiably, so that the generator learns through them.
"""

import inspect

from kgan.arguments import lookup
from kgan.augment.ada import ADA
from kgan.augment.augmentation import Augmentation, Augmented
from kgan.augment.diff_augment import DiffAugment
from kgan.augment.transforms import Transforms

__all__ = ["ADA", "AUGMENTATIONS", "Augmentation", "Augmented", "DiffAugment", "Transforms", "get"]

AUGMENTATIONS = {"ada": ADA, "diff_augment": DiffAugment, "transforms": Transforms}


def get(identifier, image_shape):
    """Return an augmentation for images of that shape: one like the object, the one of that name, or `None`.

    A new one, since what it learns, such as ADA's p, belongs to one GAN.

    Raises:
        ValueError: if `identifier` is none of these or forgets its arguments, or the shape is not that of images.
    """
    if identifier is None:
        return None
    if isinstance(identifier, str):
        identifier = lookup("augmentation", identifier, AUGMENTATIONS)()
    if not isinstance(identifier, Augmentation):
        raise ValueError(
            "`augment` must be a name of kgan.augment, an object such as kgan.augment.DiffAugment(), or None. "
            f"Received: {identifier!r}"
        )
    if len(image_shape) != 3:
        shape = ", ".join(["batch", *map(str, image_shape)])
        raise ValueError(
            "`augment` is for images of shape (batch, height, width, channels). "
            f"Received: a generator that makes examples of shape ({shape})"
        )
    kind = type(identifier)
    if kind.get_config is Augmentation.get_config and inspect.signature(kind).parameters:
        raise ValueError(
            f"{kind.__name__} must define `get_config`, which returns the arguments that it was made with."
        )
    return kind.from_config(identifier.get_config())
