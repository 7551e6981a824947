"""Scores of a run's generator, or of given images, and the training images nearest to its samples."""

import dataclasses
import pathlib

import numpy as np
from rich.table import Table

from kgan import data, extractors, metrics, pictures, scores
from kgan.checkpoints import disk
from kgan.data.spread import positions
from kgan.extractors.extractor import resized, uint8
from kgan.report.contents import rows
from kgan.runner import build, recipe_data, sampling
from kgan.runner.blame import blamed
from kgan.runner.errors import RecipeError
from kgan.scores import Scorer

SHOWN = 20  # samples in the picture with their nearest real images


def of_run(
    run, recipe, given, chosen, samples, split, extractor, seed, out, neighbours, per_class, console, progress=None
):
    """Score a run's generator against its data.

    Args:
        run: Path of the run directory.
        recipe: `Recipe` of the run.
        given: `Given`, what the recipe was read from.
        chosen: Names in `kgan.scores.MEASURES`; if empty, all that are defined for the data.
        samples: Integer. The number of images to generate.
        split: String. The part of the data to compare with; `None` for the training data.
        extractor: As in `kgan.extractors.get`; that of the run's `score` callback by default.
        seed: Integer. Seed of the latents.
        out: Path. The scores are appended to this file; to the run's `scores.jsonl` by default.
        neighbours: Path. The picture of samples above the training images nearest to them; the run's `neighbours.png` by
            default.
        per_class: Whether each class is also scored separately.
        console: `rich.console.Console`.
        progress: As in `kgan.data.load`.

    Raises:
        RecipeError: if the data or the generator cannot be loaded, or a metric is not defined for them.
    """
    trained_with = recipe_data.load_data(recipe, given, progress)
    found = trained_with.middle()
    if split not in (None, recipe.data.split):
        recipe.data.split = split
        found = recipe_data.load_data(recipe, given, progress, split, like=trained_with)
    condition = build.condition_of(recipe)
    name = recipe_data.name_of(recipe.data)
    if condition.gives_images and split is None:  # what was held out, if anything was
        _, held_out = recipe_data.held_out(recipe, given, trained_with, progress)
        if held_out is not None:
            recipe.data.split, found = recipe_data.held_out_split(recipe), held_out
    trained_with = recipe_data.to_train(recipe, given, trained_with).middle()
    own, out = extractor or _own_extractor(recipe), out or run / "scores.jsonl"
    neighbours = neighbours or run / "neighbours.png"
    if condition.gives_images:
        for to in condition.domains or (None,):
            real, images, paired = _translated(run, found, condition, samples, seed, to)
            scorer = _scorer(real, own, name, recipe.data.split, paired, to)
            measured = _measure(scorer, images, chosen, seed, None, _how_long(run))
            show(measured, console)
            scores.append(out, measured)
            beside = neighbours if to is None else neighbours.with_stem(f"{neighbours.stem}-to-{to}")
            _neighbours(scorer, _of(trained_with, to).images, images, beside, console)
        return
    scorer = _scorer(found, own, name, recipe.data.split)
    if per_class:
        with blamed("--per-class"):
            condition.check_classes()
            scorer.check_classes(condition.labels_like(scorer.real.modes, samples))
    labels = condition.labels_like(scorer.real.modes, samples)
    images = sampling.images_of(run, samples, seed, labels)
    measured = _measure(scorer, images, chosen, seed, labels if per_class else None, _how_long(run))
    show(measured, console)
    scores.append(out, measured)
    _neighbours(scorer, trained_with.images, images, neighbours, console)


def _translated(run, found, condition, samples, seed, to):
    """Data of at most `samples` real images, what the generator of a run makes of what it is given for them, and whether
    both belong together, one by one."""
    paired = to is None or found.pairs_known
    real, given = (
        (found.images, found.given) if to is None else (_of(found, to).images, _of(found, to, other=True).images)
    )
    given, real = (None if one is None else np.asarray(one[positions(len(one), samples)]) for one in (given, real))
    with blamed("RUN"):
        made = sampling.translations_of(run, condition, real, given, seed, to)
    whole = _of(found, to)
    return dataclasses.replace(whole, images=real, given=None, labels=None), made, paired


def _of(found, to, other=False):
    """The data of a domain, or of the other one; all data where there is one."""
    if to is None:
        return found
    return found.b if (to == "b") != other else found.a


def _own_extractor(recipe):
    """The extractor that the run was scored with during its training."""
    return next((one.extractor for one in recipe.callbacks if one.name == "score"), "auto")


def _how_long(run):
    """The length of a run's training in steps and seconds, as far as it is known."""
    known, log, saved = {}, run / "log.jsonl", disk.all_in(run / "checkpoints")
    if saved:
        known["step"] = disk.read_state(saved[-1])["step"]
    logged = rows(log)
    if logged:
        known["seconds"] = logged[-1]["seconds"]
    return known


def of_images(path, arguments, chosen, samples, extractor, out, neighbours, console, progress=None):
    """Score images in a folder or file against data.

    Args:
        path: Path of an `.npy` or `.npz` file, or a folder of pictures.
        arguments: Arguments of `kgan.data.load`, for the real images.
        chosen, samples, extractor, console, progress: As in `of_run`; at most `samples` images are used, spread evenly.
        out: Path. The scores are appended to this file, if there is one.
        neighbours: Path. The picture of images above the real ones nearest to them, if it is given.

    Raises:
        RecipeError: if the data or the images cannot be loaded or do not fit each other.
    """
    with blamed("--images"):
        images = _pictures(path, samples, progress) if path.is_dir() else data.load(path=path, limit=samples).images
    with blamed("--data"):
        of_pictures = arguments["path"] and pathlib.Path(arguments["path"]).expanduser().is_dir()
        if of_pictures and len(images.shape) == 4:
            # the real pictures get the size of the images to score
            arguments = {**arguments, "size": images.shape[1:3]}
        found = data.load(progress=progress, **arguments)
    name = pathlib.Path(arguments["path"] or arguments["name"]).name
    scorer = _scorer(found, extractor or "auto", name, arguments["split"])
    measured = _measure(scorer, images, chosen, None)
    show(measured, console)
    if out is not None:
        scores.append(out, measured)
    if neighbours is not None:
        _neighbours(scorer, found.images, images, neighbours, console)


def _pictures(path, samples, progress):
    """Pictures of a folder in their own size: an array, or a `Folder` if they do not fit into memory."""
    found = data.Folder(path, limit=samples, progress=progress)
    if len(found.sizes) > 1:
        (height, width), (other_height, other_width), *_ = sorted(found.sizes)
        raise ValueError(
            f"the pictures in {path} are of {len(found.sizes)} sizes, {height} x {width} and {other_height} x "
            f"{other_width} among them; give them one size"
        )
    [size] = found.sizes
    if size != found.shape[1:3]:
        found = data.Folder(path, size=size, limit=samples, progress=progress)
    return found if found.in_memory is None else found.in_memory


def show(measured, console):
    """Print the scores as a table, below their conditions."""
    console.print(measured[0].seen_with, soft_wrap=True, highlight=False, markup=False)
    table = Table("metric", "value", "interval", "better is", box=None)
    for score in measured:
        low, high = score.interval
        table.add_row(
            score.title,
            f"{score.value:.4g}",
            f"{low:.4g} to {high:.4g}",
            "lower" if score.better == "min" else "higher",
        )
    console.print(table)


def _scorer(found, extractor, name, split, pairs=False, to=None):
    if len(found.images) < scores.LEAST:
        message = f"at least {scores.LEAST} real images are needed to score others. There are: {len(found.images)}"
        raise RecipeError.about("evaluate", message)
    with blamed("--extractor"):
        return Scorer(found.images, found.labels, extractor, name, split, fitted=found.fitted, pairs=pairs, to=to)


def _measure(scorer, images, chosen, seed, labels=None, where=None):
    with blamed("--metric"):
        scorer.check_metrics(chosen)
    with blamed("--images" if seed is None else "--samples"):
        return scorer(images, chosen or scorer.suitable, seed, where, labels)


def _neighbours(scorer, real, generated, path, console):
    """Draw samples above the real images that are nearest to them, and print the distances."""
    if len(scorer.shape) != 3:
        return
    most = 60_000 if isinstance(real, np.ndarray) else 10_000  # pictures of a folder that does not fit into memory
    chosen = positions(len(real), most)
    of_real, of_generated = (
        np.concatenate([scorer.extractor(part).features for part in extractors.chunks(images, positions)])
        for images, positions in ((real, chosen), (generated, np.arange(min(len(generated), 1000))))
    )
    index, distance = metrics.nearest(of_generated, of_real)
    # the same distances for some of the real images, to compare with
    asked = np.arange(len(of_real)) % max(2, len(of_real) // 1000) == 0
    usual = np.median(metrics.nearest(of_real[asked], of_real[~asked])[1])
    order = np.argsort(distance)[positions(len(distance), SHOWN)]
    half = -(-len(order) // 2)
    samples, originals = generated[order], real[chosen[index[order]]]
    if samples.shape[1:] != originals.shape[1:]:
        samples = resized(uint8(samples), originals.shape[1:])
    both = pictures.floats(samples), pictures.floats(originals)
    rows = [images[some] for some in (slice(half), slice(half, None)) for images in both]
    pictures.save(pictures.grid(np.concatenate(rows), columns=half), path)
    console.print(
        f"{path}: samples, nearest to furthest, each above the real image nearest to it. "
        f"Distances (medians): {np.median(distance):.3g}; between real images: {usual:.3g}.",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
