"""From a checked recipe to the objects it names."""

import contextlib
import inspect
import pathlib
import re
from typing import Any

import keras
import numpy as np
import pydantic

from kgan import (
    architectures,
    augment,
    callbacks,
    data,
    losses,
    optimizers,
    penalties,
    pictures,
    ramps,
    schedules,
    scoring,
)
from kgan.gan import GAN
from kgan.names import nearest
from kgan.runner.complaints import nearest_place
from kgan.runner.errors import Problem, RecipeError
from kgan.runner.schema import DECAYS, OPTIMIZERS

MAX_STEPS_AT_ONCE = 20
ENDLESS = 2**31 - 1  # steps of a training that ends by the clock


def build_rules(recipe, given):
    """Return what `GAN.compile` takes, by the names of its arguments; before any data are read.

    Args:
        recipe: `Recipe`.
        given: `Given`, what the recipe was read from.

    Raises:
        RecipeError: with all that is wrong, with the callbacks and the path of the data too.
    """
    d_opt, g_opt = recipe.optimizers.discriminator, recipe.optimizers.generator
    made: dict = {"penalties": []}
    with _Blame(given) as blame:
        for name in ("generator", "discriminator"):
            with blame(name):
                player = getattr(recipe, name)
                chosen, fields = getattr(player, "conditioning", None), type(player).model_fields
                if chosen and recipe.num_classes is None and chosen != fields["conditioning"].default:
                    raise ValueError(f"`conditioning` {chosen} is for a GAN with `num_classes`")
        with blame("pack"):
            if recipe.pack > recipe.data.batch_size:
                raise ValueError(
                    f"`pack` must be at most the batch size, {recipe.data.batch_size}. Received: {recipe.pack}"
                )
        with blame("data", "path"):
            path = getattr(recipe.data, "path", None)
            if path is not None and not (path and pathlib.Path(path).expanduser().exists()):
                raise ValueError(f"there is no file or folder {path}")
        with blame("optimizers", "discriminator"):
            made["d_opt"] = _optimizer(d_opt)
        with blame("optimizers", "generator"):
            made["g_opt"] = _optimizer(g_opt)
        with blame("loss"):
            made["loss"] = losses.LOSSES[recipe.loss.name](**_arguments(recipe.loss))
        with blame("schedule"):
            made["schedule"] = schedules.SCHEDULES[recipe.schedule.name](**_arguments(recipe.schedule))
            if "loss" in made:
                made["schedule"].check(made["loss"])
        for index, one in enumerate(recipe.penalties):
            with blame("penalties", index):
                if one.name in [other.name for other in recipe.penalties[:index]]:
                    raise ValueError(f"{one.name} is there already")
                made["penalties"].append(penalties.PENALTIES[one.name](**_arguments(one)))
        with blame("augment"):
            chosen = recipe.augment
            made["augment"] = chosen and augment.AUGMENTATIONS[chosen.name](**_arguments(chosen))
        for index, one in enumerate(recipe.callbacks):
            with blame("callbacks", index):
                if one.name in [other.name for other in recipe.callbacks[:index]]:
                    raise ValueError(f"{one.name} is there already, and writes to the same place")
                callbacks.CALLBACKS[one.name](**_arguments(one))
    noise = recipe.instance_noise and (recipe.instance_noise.std, recipe.instance_noise.steps)
    as_they_are = ("ema", "weight_clip", "label_flip", "class_loss_weight", "jit_compile")
    return {**made, "instance_noise": noise, **{name: _value(getattr(recipe, name)) for name in as_they_are}}


def _optimizer(chosen):
    arguments = _arguments(chosen)
    try:
        made = OPTIMIZERS[chosen.name](**arguments)
        optimizers.check(made, chosen.name)
        return made
    except TypeError:
        for name in ("beta_1", "beta_2"):
            if isinstance(arguments.get(name), ramps.Ramp):
                raise ValueError(f"`{name}` of {chosen.name} must be a number, not a schedule") from None
        raise


def load_data(recipe, given, progress=None):
    """Return the recipe's `kgan.data.Data`.

    Args:
        recipe: `Recipe`.
        given: `Given`, what the recipe was read from.
        progress: Function `(iterable, total) -> iterable` that shows how far reading a folder is.

    Raises:
        RecipeError: if the data cannot be read.
        ConnectionError: if they have to be downloaded and cannot be.
    """
    arguments = _arguments(recipe.data)
    for key in ("batch_size", "replacement", "flip", "validation_split"):
        arguments.pop(key, None)
    with _Blame(given) as blame, blame("data"):
        return data.load(recipe.data.name, progress=progress, **arguments)


def held_out(recipe, given, found):
    """Return the data to train with, and those of `validation_split`, or `None`, spread evenly over all.

    Raises:
        RecipeError: if nothing would be left on one side, or the images do not fit into memory.
    """
    share = recipe.data.validation_split
    if not share:
        return found, None
    with _Blame(given) as blame, blame("data"):
        if not isinstance(found.images, np.ndarray):
            raise ValueError(
                "`validation_split` is for images that fit into memory; name another `split` to score with"
            )
        numbers = np.arange(len(found.images))
        out = np.floor(share * (numbers + 1)) > np.floor(share * numbers)
        if not out.any() or out.all():
            raise ValueError(f"`validation_split` must leave images on both sides of {len(numbers)}. Received: {share}")
        labels = (None, None) if found.labels is None else (found.labels[~out], found.labels[out])
        return (
            data.Data(found.images[~out], labels[0], found.skipped, found.fitted),
            data.Data(found.images[out], labels[1], fitted=found.fitted),
        )


def name_of(source):
    """What a recipe's data are called: the name, or that of the file or folder."""
    return source.name if source.name != "own" else pathlib.Path(source.path).name


def build_scorers(recipe, given, found):
    """Return a `Scorer` for each of the recipe's `score` callbacks, by its place among all callbacks.

    Raises:
        RecipeError: if one of them cannot measure these data.
    """
    scorers = {}
    with _Blame(given) as blame:
        for index, one in enumerate(recipe.callbacks):
            if one.name == "score":
                with blame("callbacks", index):
                    scorers[index] = scorer = scoring.Scorer(
                        found.images,
                        found.labels,
                        one.extractor,
                        name_of(recipe.data),
                        recipe.data.split,
                        one.real,
                        found.fitted,
                    )
                    scorer.check(one.metric)
                    if one.per_class and recipe.num_classes:
                        scorer.check_classes(scorer.labels_for(one.samples))
    return scorers


def build(recipe, given, rules, found, steps_at_once=None):
    """Return the batches and the compiled GAN; the weights come from the recipe's seed.

    Args:
        recipe: `Recipe`.
        given: `Given`, what the recipe was read from.
        rules: What `build_rules` returned.
        found: `kgan.data.Data`.
        steps_at_once: Integer, Keras' `steps_per_execution`; chosen by default.

    Raises:
        RecipeError: with all that is wrong, if the players cannot be made or do not fit together.
    """
    keras.utils.set_random_seed(recipe.seed)
    shape = tuple(found.images.shape[1:])
    players = {}
    with _Blame(given) as blame:
        for index, one in enumerate(recipe.callbacks):
            if one.name == "image_grid":
                with blame("callbacks", index):
                    pictures.picture(np.zeros((1, *shape)))
        with blame("num_classes"):
            _check_classes(recipe.num_classes, found.labels)
        with blame("data"):
            batches = data.Batches(
                found.images,
                recipe.data.batch_size,
                recipe.seed,
                labels=found.labels,
                replacement=recipe.data.replacement,
                flip=getattr(recipe.data, "flip", False),
            )
        with blame("generator"):
            generator = architectures.get(recipe.generator.name).generator
            told = _told(recipe.generator.name, generator, recipe.num_classes)
            players["generator"] = generator(shape, recipe.latent_dim, **told, **_arguments(recipe.generator))
        with blame("discriminator"):
            discriminator = architectures.get(recipe.discriminator.name).discriminator
            packed = (*shape[:-1], recipe.pack * shape[-1])
            told = _told(recipe.discriminator.name, discriminator, recipe.num_classes)
            players["discriminator"] = discriminator(packed, **told, **_arguments(recipe.discriminator))
    with _Blame(given) as blame, blame():
        dealt = {name: getattr(recipe, name) for name in ("latent_dim", "latents", "seed", "pack", "num_classes")}
        gan = GAN(**players, **dealt)
        gan.compile(**rules, steps_per_execution=steps_at_once or _steps_at_once(recipe, len(batches)))
    logs = [*gan.logs.all_names, *(f"val_{name}" for name in gan.logs.names if recipe.data.validation_split)]
    for one in recipe.callbacks:
        if one.name == "score":
            logs += scoring.names_of(one.metric, range(recipe.num_classes or 0) if one.per_class else ())
    with _Blame(given) as blame:
        for index, one in enumerate(recipe.callbacks):
            if getattr(one, "monitor", None) not in (None, *logs):
                with blame("callbacks", index):
                    raise ValueError(f"`monitor` must be a log. {nearest(one.monitor, logs)}")
    return batches, gan


def _check_classes(num_classes, labels):
    """Raise ValueError if the data's classes are not the numbers from 0 to num_classes - 1, an image of each among them."""
    if num_classes is None:
        return
    if labels is None:
        raise ValueError("`num_classes` needs data with labels, and these have none")
    classes = np.unique(labels)
    if classes.dtype.kind not in "iu":
        raise ValueError(f"`num_classes` needs labels that are integers. Received: {classes.dtype}")
    if not np.array_equal(classes, np.arange(num_classes)):
        raise ValueError(
            f"`num_classes` must be the number of the data's classes, numbered from 0. Received: {num_classes}, "
            f"and data of {len(classes)} classes, {classes[0]} to {classes[-1]}"
        )


def _told(name, player, num_classes):
    """`num_classes` as an argument of a player's function, if there are classes."""
    if num_classes is None:
        return {}
    if "num_classes" not in inspect.signature(player).parameters:
        raise ValueError(f"{name} cannot be told classes: its function takes no `num_classes`")
    return {"num_classes": num_classes}


def build_callbacks(recipe, directory, scorers, resume=False):
    """Return the recipe's callbacks, each writing to its own place in the run directory; one of them saves the training."""
    made = []
    for index, one in enumerate(recipe.callbacks):
        kind = callbacks.CALLBACKS[one.name]
        [place] = {"directory", "path"} & inspect.signature(kind).parameters.keys()
        made.append(kind(**{place: directory / kind.place}, **_arguments(one)))
        made[-1].scorer = scorers.get(index)
    if not any(isinstance(one, callbacks.Checkpoint) for one in made):
        made.append(callbacks.Checkpoint(directory / callbacks.Checkpoint.place, every="10 minutes"))
    for one in made:
        if isinstance(one, callbacks.Checkpoint):
            one.resume = resume
    return made


def _steps_at_once(recipe, epoch):
    """As many as pay (on PyTorch Keras takes one), and such that what is to happen at a step can happen there."""
    if keras.backend.backend() == "torch":
        return 1
    steps = [
        int(match[1])
        for one in recipe.callbacks
        if (match := re.fullmatch(r"(\d+) steps?", str(getattr(one, "every", ""))))
    ]
    length = recipe.steps if recipe.steps and recipe.steps < ENDLESS else 0
    numbers = [length % epoch, *steps]
    return next(
        count for count in range(min(MAX_STEPS_AT_ONCE, epoch), 0, -1) if not any(number % count for number in numbers)
    )


def _arguments(chosen):
    return {name: _value(getattr(chosen, name)) for name in type(chosen).model_fields if name != "name"}


def _value(argument: Any):
    """A value of a recipe; where it is a schedule, that."""
    is_schedule = isinstance(argument, pydantic.BaseModel)
    return DECAYS[argument.name](**_arguments(argument)) if is_schedule else argument


class _Blame:
    """Within `blame(*path)` an error becomes a problem at that path of the recipe; all are raised together at the end."""

    def __init__(self, given):
        self.given, self.problems = given, []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if self.problems and kind is None:
            raise RecipeError(self.given.source, self.problems) from None

    @contextlib.contextmanager
    def __call__(self, *path):
        try:
            yield
        except (ConnectionError, KeyboardInterrupt):
            raise
        except Exception as error:  # Keras and the engines raise what they like of arguments they do not like
            message = " ".join(str(error).split())
            argument = re.match(r"`(\w+)`", message)
            if argument and argument[1] in self._keys(path):
                path = (*path, argument[1])
            self.problems.append(Problem(path, message[:500], nearest_place(path, self.given.places)))

    def _keys(self, path):
        here = self.given.data
        for step in path:
            here = here[step] if isinstance(here, list) or (isinstance(here, dict) and step in here) else {}
        return here if isinstance(here, dict) else {}
