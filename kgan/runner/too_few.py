"""What a recipe must do without if its data are few, or no images: a sentence says what is left out."""

import math

from kgan import pictures, scores
from kgan.data.spread import positions
from kgan.runner import build


def without(recipe, found, held_out=None):
    """Return a copy of a recipe without what cannot be done with its data, and a list of sentences about what was left out.

    Args:
        recipe: `Recipe`.
        found: `kgan.data.Data`.
        held_out: `kgan.data.Data` that are never trained on, or `None`.
    """
    recipe = recipe.model_copy(deep=True)
    count, condition = found.count, build.condition_of(recipe)
    said: list[str] = []
    gone: set[str] = set()  # logs that nothing measures
    share = recipe.data.validation_split
    if share and not int(share * count):
        said.append(
            f"validation_split is left out: at least {math.ceil(1 / share)} images are needed. There are: {count}"
        )
        recipe.data.validation_split = 0.0
    numbered = found.labels is not None and found.labels.dtype.kind in "iu"
    missing = sorted(set(condition.classes) - set(found.labels.tolist())) if numbered else []
    if missing:
        said.append(
            f"{len(missing)} of {len(condition.classes)} classes have no image, the first is class {missing[0]}"
        )
    if condition.gives_images and held_out is not None:
        count = held_out.count
    shape = found.images.shape[1:]
    if _may_be_flattened(found.images):
        side = math.isqrt(shape[0])
        said.append(
            f"the {shape[0]} numbers of an example may be the pixels of an image of {side} x {side}; then give "
            f"--set data.shape=[{side},{side},1]"
        )
    kept = []
    for one in recipe.callbacks:
        if one.name == "image_grid":
            try:
                pictures.check_drawable(shape)
            except ValueError as error:
                said.append(f"image_grid is left out: {error}")
                continue
        if one.name == "score" and count < scores.LEAST:
            said.append(f"score is left out: at least {scores.LEAST} images are needed. There are: {count}")
            gone |= scores.names_of(one.metric, condition.classes if one.per_class else (), condition.domains).keys()
            continue
        if one.name == "score" and one.per_class:
            try:
                condition.check_classes()
                labels = None if found.labels is None else found.labels[positions(count, one.real)]
                scores.check_classes(labels, condition.labels_like(labels, one.samples))
            except ValueError as error:
                said.append(f"per_class of score is left out: {error}")
                every, common = scores.names_of(one.metric, condition.classes), scores.names_of(one.metric)
                gone |= every.keys() - common.keys()
                one.per_class = False
        kept.append(one)
    recipe.callbacks = kept
    for one in kept:
        monitored = getattr(one, "monitor", None)
        if monitored in gone or (share and not recipe.data.validation_split and str(monitored).startswith("val_")):
            said.append(f"monitor of {one.name} is left out: {monitored} is not measured")
            one.monitor = None
    return recipe, said


def _may_be_flattened(images):
    """Whether rows of numbers are as many as the pixels of a square, and lie in a range of pixels."""
    shape = images.shape[1:]
    if len(shape) != 1 or shape[0] < 64 or math.isqrt(shape[0]) ** 2 != shape[0]:
        return False
    low, high = images.min(), images.max()
    return (low >= -1.001 and high <= 1.001) or (low >= 0 and high <= 255)
