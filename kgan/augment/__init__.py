"""Augmentation of what the discriminator sees in training, for `compile(augment=...)`.

If only real images were augmented, the generator would learn to generate augmented images. These augmentations change real
and generated images in the same way, and are differentiable, so that the generator's gradient flows through them.
"""

import inspect

from kgan.arguments import Misfit, chosen
from kgan.augment.ada import ADA
from kgan.augment.augmentation import Augmentation, Augmented
from kgan.augment.diff_augment import DiffAugment
from kgan.augment.transforms import Transforms
from kgan.conditions import shown

__all__ = ["ADA", "AUGMENTATIONS", "Augmentation", "Augmented", "DiffAugment", "Transforms", "get"]

AUGMENTATIONS = {"ada": ADA, "diff_augment": DiffAugment, "transforms": Transforms}


def get(identifier, image_shape):
    """Return a new augmentation for images of that shape, from an object or a name; or `None` for `None`.

    A copy is returned since its state, such as ADA's p, belongs to one GAN.

    Raises:
        ValueError: if `identifier` is not valid or does not define `get_config`, or the shape is not that of images.
    """
    if identifier is None:
        return None
    said = "`augment` must be a name of kgan.augment, an object such as kgan.augment.DiffAugment(), or None."
    identifier = chosen("augmentation", identifier, AUGMENTATIONS, Augmentation, said)
    if isinstance(image_shape, list):
        raise Misfit(
            "`augment` is for images of one domain. Received: a generator that makes images of "
            f"{' and '.join(map(shown, image_shape))}",
            augment=None,
        )
    if len(image_shape) != 3:
        raise Misfit(
            "`augment` is for images of shape (batch, height, width, channels). "
            f"Received: a generator that makes examples of shape {shown(image_shape)}",
            augment=None,
        )
    kind = type(identifier)
    if kind.get_config is Augmentation.get_config and inspect.signature(kind).parameters:
        raise ValueError(
            f"{kind.__name__} must define `get_config`, which returns the arguments that it was made with."
        )
    return kind.from_config(identifier.get_config())
