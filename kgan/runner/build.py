"""From a checked recipe to the objects it names."""

import pathlib
import re

import keras
import numpy as np

from kgan import (
    augment,
    backend,
    callbacks,
    conditions,
    data,
    extractors,
    monitors,
    ramps,
    rules,
    scores,
    terms,
)
from kgan.arguments import Misfit
from kgan.callbacks.of_keras import place_of
from kgan.checkpoints.keras_file import check_serializable
from kgan.gan import GAN
from kgan.players.optimizer import check_schedules
from kgan.runner import recipe_data
from kgan.runner.blame import Blame
from kgan.runner.recipe_players import SIZE, make_players
from kgan.runner.schema import RULE_FIELDS
from kgan.runner.types import OPTIMIZERS, arguments_of, value_of

MAX_STEPS_AT_ONCE = 20
ENDLESS = 2**31 - 1  # steps of a training that ends after a time


def build_rules(recipe, given):
    """Return the arguments of `GAN.compile`, by name; no data are read.

    Args:
        recipe: `Recipe`.
        given: `Given`, what the recipe was read from.

    Raises:
        RecipeError: with all problems of the recipe, including those of the callbacks and of the data's path.
    """
    made: dict = {}
    conditional = True
    # `null`: then what is for classes alone has no effect, and need not be taken out of a recipe
    told = any(isinstance(given.data, dict) and given.data.get(key, "") is None for key in ("num_classes", "condition"))
    with Blame(given) as blame:
        with blame("condition"):
            conditional = bool(condition_of(recipe).classes)
        for name in ("generator", "discriminator"):
            with blame(name):
                player = getattr(recipe, name)
                chosen, fields = getattr(player, "conditioning", None), type(player).model_fields
                if chosen and not conditional and not told and chosen != fields["conditioning"].default:
                    raise ValueError(f"`conditioning` {chosen} needs a GAN with `num_classes`")
        with blame("pack"):
            if recipe.pack > recipe.data.batch_size:
                raise ValueError(
                    f"`pack` must be at most the batch size, {recipe.data.batch_size}. Received: {recipe.pack}"
                )
        for key, value in (("direction", "a_to_b"), ("kind", "images")):
            with blame("data", key):
                if not recipe_data.is_of_pairs(recipe) and getattr(recipe.data, key, value) != value:
                    raise ValueError(f"is for pairs of images; set `condition: pairs`, or leave `{key}` out")
        _check_domains(recipe, blame)
        for place, source in recipe_data.sources_of(recipe.data):
            with blame(*place, "path"):
                path = source.path
                if path is not None and not (path and pathlib.Path(path).expanduser().exists()):
                    raise ValueError(f"there is no file or folder {path}")
        for name, player in (("d_opt", "discriminator"), ("g_opt", "generator")):
            with blame("optimizers", player):
                made[name] = _optimizer(getattr(recipe.optimizers, player))
        for name in RULE_FIELDS:
            made[name] = _rule(name, getattr(recipe, name), blame)
        if told and not conditional:
            made["class_loss_weight"] = 1.0
        for name in ("schedule", "tricks"):
            for place, one in _each(name, made[name]):
                with blame(*place):
                    if one is not None and made["loss"] is not None:
                        one.check_loss(made["loss"])
        for index, one in enumerate(recipe.callbacks):
            with blame("callbacks", index):
                if one.name in [other.name for other in recipe.callbacks[:index]]:
                    raise ValueError(f"{one.name} is listed twice, and both would write to the same place")
                callbacks.CALLBACKS[one.name](**arguments_of(one))
    return made


def _check_domains(recipe, blame):
    """Note what is wrong with the keys of data of two domains."""
    of_domains = recipe_data.is_of_domains(recipe)
    with blame("data", "a"):
        if getattr(recipe.data, "a", None) is not None and not of_domains:
            raise ValueError("is one of two domains without pairs; set `condition: unpaired`, or leave `a` and `b` out")
    with blame("data", "replacement"):
        if of_domains and recipe.data.replacement:
            raise ValueError("is not for images of two domains; leave `replacement` out")


def _rule(name, chosen, blame):
    """An argument of `compile`: a value, the object that a recipe names, or a list of them; `None` for a wrong one."""
    if name not in rules.NAMED:
        return value_of(chosen)
    made: list = []
    for place, one in _each(name, chosen):
        made.append(None)
        with blame(*place):
            if len(place) > 1 and one.name in [other.name for other in chosen[: place[1]]]:
                raise ValueError(f"{one.name} is listed twice")
            made[-1] = one and rules.NAMED[name][one.name](**arguments_of(one))
    return made if isinstance(chosen, list) else made[0]


def _each(name, value):
    """Yield the value of a key with its path, or each element of a list with its path."""
    if not isinstance(value, list):
        yield (name,), value
        return
    for index, one in enumerate(value):
        yield (name, index), one


def condition_of(recipe):
    """The recipe's `kgan.conditions.Condition`.

    Raises:
        ValueError: if it is given twice, as `condition` and as `num_classes`.
    """
    chosen = recipe.condition
    made = None if chosen is None else conditions.CONDITIONS[chosen.name](**arguments_of(chosen))
    return conditions.get(made, recipe.num_classes)


def _optimizer(chosen):
    arguments = arguments_of(chosen)
    try:
        made = OPTIMIZERS[chosen.name](**arguments)
        check_schedules(made, chosen.name)
        return made
    except TypeError:
        for name in ("beta_1", "beta_2"):
            if isinstance(arguments.get(name), ramps.Ramp):
                raise ValueError(f"`{name}` of {chosen.name} must be a number, not a schedule") from None
        raise


def build_scorers(recipe, given, found):
    """Return a `Scorer` for each of the recipe's `score` callbacks, by its place among all callbacks.

    Raises:
        RecipeError: if one of them cannot measure these data.
    """
    scorers, found = {}, found.middle()
    with Blame(given) as blame:
        for index, one in enumerate(recipe.callbacks):
            if one.name == "score" and not condition_of(recipe).gives_images:  # those are made of what is held out
                with blame("callbacks", index):
                    scorers[index] = scorer = scores.Scorer(
                        found.images,
                        found.labels,
                        one.extractor,
                        recipe_data.name_of(recipe.data),
                        recipe.data.split,
                        one.real,
                        found.fitted,
                    )
                    scorer.check_metrics(one.metric)
                    if one.per_class:
                        condition = condition_of(recipe)
                        condition.check_classes()
                        scorer.check_classes(condition.labels_like(scorer.real.modes, one.samples))
    return scorers


def build(recipe, given, compiled_with, found, steps_at_once=None):
    """Return the batches and the compiled GAN; the weights come from the recipe's seed.

    Args:
        recipe: `Recipe`.
        given: `Given`, what the recipe was read from.
        compiled_with: What `build_rules` returned.
        found: `kgan.data.Data`.
        steps_at_once: Integer, Keras' `steps_per_execution`; chosen by default.

    Raises:
        RecipeError: with all problems, if the players cannot be made or do not fit together.
    """
    keras.utils.set_random_seed(recipe.seed)
    shape, condition = found.image_shape, condition_of(recipe)
    with Blame(given) as blame:
        for index, one in enumerate(recipe.callbacks):
            if one.name == "score" and found.count >= scores.LEAST:
                with blame("callbacks", index):
                    _check_score(one, shape, found.labels, condition.gives_images)
        place = ("num_classes",) if recipe.condition is None else ("condition", "n")
        with blame(place[0], keys={"n": place, "classes": place[:1]}):
            _check_labels(condition, found)
        with blame("data"):
            batches = recipe_data.batches_of(recipe, found)
        if condition.domains and recipe.latent_dim is not None:
            with blame("latent_dim"):
                raise ValueError("must be null for two domains, whose generators are given images alone")
        can_resize = len(shape) == 3 and found.images.dtype == np.uint8
        given_shape = found.given_shape
        players = make_players(recipe, shape, given_shape, condition, blame, can_resize)
        sizes = [one.settings[SIZE] for one in blame.problems if SIZE in one.settings]
        if sizes:  # of other parts of the players, what is wrong with pictures of that size
            blame.problems = [
                one
                for one in blame.problems
                if SIZE in one.settings or one.path[0] not in ("generator", "discriminator")
            ]
            size = tuple(data.height_and_width(sizes[0]))
            make_players(
                recipe, (*size, shape[2]), given_shape and (*size, given_shape[2]), condition, blame, can_resize
            )
        with blame("augment", keys={"augment": ("augment",)}):
            augment.get(compiled_with["augment"], shape if condition.towers == 1 else [shape, given_shape])
    for term in compiled_with["terms"]:
        if isinstance(term, terms.Perceptual) and term.network is None:
            with Blame(given) as blame, blame("terms"):
                term.network = terms.network_of(_classifier(found))
    with Blame(given) as blame, blame():
        arguments = {name: getattr(recipe, name) for name in ("latent_dim", "latents", "seed", "pack")}
        gan = GAN(**players, **arguments, condition=condition)
        gan.compile(**compiled_with, steps_per_execution=steps_at_once or _steps_at_once(recipe, len(batches)))
    with Blame(given) as blame, blame("generator"):
        check_serializable(gan.generator)  # the run ends with its file
    validated = bool(recipe.data.validation or recipe.data.validation_split)
    made = [callbacks.CALLBACKS[one.name](**arguments_of(one)) for one in recipe.callbacks]
    gan.logs.measuring = [one for one in made if isinstance(one, callbacks.Measuring)]
    for one in gan.logs.measuring:
        one.set_model(gan)
    with Blame(given) as blame:
        for index, one in enumerate(made):
            with blame("callbacks", index):
                monitors.check([one], gan, validated)
    return batches, gan


def _classifier(found):
    """The classifier of the scores, which one of several processes trains."""
    return backend.first_then_others(lambda: extractors.get("classifier", found.images, found.labels))


def _check_labels(condition, found):
    try:
        condition.check_data(found.labels)
    except Misfit as error:
        raise Misfit(
            f"{error}, since {found.unlabelled}" if found.unlabelled else str(error), **error.instead
        ) from None


def _check_score(score, shape, labels, pairs):
    """Raise Misfit if a `score` callback is not for such data."""
    there = scores.suitable(points=len(shape) == 1, labelled=labels is not None, pairs=pairs, shape=shape)
    metrics = np.atleast_1d(score.metric).tolist()
    fitting = {"metric": [name for name in metrics if name in there] or "frechet_distance"}
    stacked = labels is not None and len(shape) == 3 and shape[2] == 3
    if score.extractor == "stacked" and not stacked:
        raise Misfit("`extractor` stacked is for labelled images of three channels", extractor="auto", **fitting)
    for name in metrics:
        if name not in there:
            raise Misfit(f"`metric` {name} is not defined for these data. There are: {', '.join(there)}", **fitting)


def build_callbacks(recipe, directory, scorers, resume=False, pairs=None, part=None):
    """Return the recipe's callbacks, each writing to its own place in the run directory; one of them saves the training.

    Args:
        recipe: `Recipe`.
        directory: Path.
        scorers: As `build_scorers` returns them.
        resume: Whether a training is resumed.
        pairs: `kgan.data.Data` to score with, where the generator is given images.
        part: String. The part of the recipe's data that these are.
    """
    made = []
    for index, one in enumerate(recipe.callbacks):
        kind = callbacks.CALLBACKS[one.name]
        made.append(kind(**place_of(one.name, kind, directory), **arguments_of(one)))
        if index in scorers:
            made[-1].scorer = scorers[index]
        elif isinstance(made[-1], callbacks.Score):
            made[-1].data = pairs
            made[-1].about = {"name": recipe_data.name_of(recipe.data), "split": part}
    if not any(isinstance(one, callbacks.Checkpoint) for one in made):
        made.append(callbacks.Checkpoint(directory / callbacks.Checkpoint.place, every="10 minutes"))
    made.sort(key=lambda one: isinstance(one, callbacks.Track))  # after those whose results it logs
    for one in made:
        if isinstance(one, callbacks.Checkpoint):
            one.resume = resume
    return made


def check_partners(recipe, given, found):
    """Raise RecipeError if a score compares images of two domains whose true pairs are not known."""
    for index, one in enumerate(recipe.callbacks):
        metrics = np.atleast_1d(one.metric).tolist() if one.name == "score" else []
        compare = [name for name in metrics if scores.MEASURES[name].needs == "pairs"]
        if compare and not getattr(found, "pairs_known", True):
            with Blame(given) as blame, blame("callbacks", index, "metric"):
                raise ValueError(
                    f"the metric {compare[0]!r} compares each image with its true partner. Partners are known where all "
                    "file names of both domains are equal, such as those of testA/ and testB/ with `validation: test`"
                )


def _steps_at_once(recipe, epoch):
    """The steps per execution: the largest number with which the training and its callbacks still stop at exact steps."""
    if backend.ONE_STEP_AT_ONCE:
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
