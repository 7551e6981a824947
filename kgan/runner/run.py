"""One run: its directory, its training, its files."""

import contextlib
import json
import logging
import math
import os
import pathlib
import sys

import keras
from rich.console import Console

from kgan import backend, environment
from kgan.callbacks import Checkpoint, Doctor, ImageGrid, LogFile, Score
from kgan.checkpoints.changes import line
from kgan.checkpoints.disk import BadCheckpointError, BusyError
from kgan.checkpoints.state import DriftError
from kgan.data.domains import Domains
from kgan.data.on_demand import folders_of
from kgan.doctor import RULES
from kgan.files import replace_when_written
from kgan.runner import auto, build, display, preview, recipe_data, recipes, schema, too_few
from kgan.runner.errors import RecipeError, RunError
from kgan.runner.reporting import Reporting
from kgan.runner.resolved import check_same, differences, from_shipped, resolved
from kgan.runner.stop_at import StopAt

log = logging.getLogger("kgan")


def train(
    recipe, given, out=None, console=None, resume=False, changed=False, seconds=None, doctor=True, previewed=False
):
    """Train a checked recipe, and write a run directory.

    Args:
        recipe: `Recipe`.
        given: `Given`, what the recipe was read from; its text is saved in the directory.
        out: Path. The run directory; `runs/<name>-0001` or the next free number by default.
        console: `rich.console.Console` to show progress on.
        resume: Whether to resume the run in `out`, if there is one.
        changed: Whether that run may have been made with another recipe.
        seconds: Float. Ends the training after this time, if it has not ended before.
        doctor: Whether `kgan.callbacks.Doctor` examines the training, as it does where the recipe names it.
        previewed: Whether each new grid of images is drawn in the terminal.

    Returns:
        The path of the run directory.

    Raises:
        RecipeError: if objects of the recipe cannot be made, or the directory is in use or belongs to another recipe.
        ConnectionError: if the data must be downloaded and the download fails.
        RunError: if the training had to be stopped.
    """
    console, is_first = console or Console(), backend.is_first()
    there, changes = backend.from_first(lambda: _there(recipe, out, resume, changed))
    batches, gan, found, held_out, scorers, fitting = make_objects(
        recipe, given, out if is_first and not there else None, console
    )
    pairs = found.middle() if held_out is None else held_out
    part = recipe.data.split if held_out is None else recipe_data.held_out_split(recipe)
    directory = backend.from_first(lambda: out if there else _new(recipe, out))
    steps = recipe.steps or recipe.epochs * len(batches)
    shown = display.Display(recipe.name, steps, batches, console)
    callbacks = [
        *build.build_callbacks(fitting, directory, scorers, resume, pairs, part),
        LogFile(directory / LogFile.place),
        # now that the state fits the recipe
        keras.callbacks.LambdaCallback(on_train_begin=lambda logs: _keep(recipe, directory, changes)),
        StopAt(steps, seconds),
        shown,
    ]
    if doctor and not any(isinstance(one, Doctor) for one in callbacks):
        callbacks.insert(0, Doctor(directory / Doctor.place))
    grids = [one for one in callbacks if isinstance(one, ImageGrid)]
    if previewed:
        callbacks += [preview.Preview(grid, console) for grid in grids]
    layout = {"rows": grids[0].rows, "columns": grids[0].columns} if grids else {}
    reported: contextlib.AbstractContextManager = contextlib.nullcontext()
    if is_first:
        callbacks.append(Reporting(directory, from_shipped(directory), batches, **layout))
        reported = callbacks[-1].until_the_end()
    saver = next(one for one in callbacks if isinstance(one, Checkpoint))
    saver.about = resolved(recipe)
    try:
        with saver.watching(), reported:
            if is_first and not (directory / "environment.json").exists():
                _write(directory / "recipe.yaml", given.text)
                _write(directory / "environment.json", json.dumps(_made_with(found, held_out), indent=2) + "\n")
            gan.fit(
                batches,
                epochs=math.ceil(steps / batches.steps),
                verbose=0,
                callbacks=callbacks,
                validation_data=None if held_out is None else recipe_data.batches_of(recipe, held_out, training=False),
            )
            if saver.failed and not saver.newest():
                raise RunError(f"The run failed, and nothing had been saved yet; what it wrote is in {directory}.")
            if is_first:
                with replace_when_written(directory / "generator.keras") as temporary:
                    gan.sampling_generator.save(temporary)
            if saver.failed:
                raise RunError(f"The run failed; the generator of its last good state is in {directory}.")
    except BusyError:
        raise RecipeError.about("--out", f"{directory} is in use by another process") from None
    except BadCheckpointError as error:
        raise RecipeError.about("--resume", str(error)) from None
    except DriftError as error:
        raise RunError(str(error)) from None
    finally:
        shown.close()
        if is_first:
            _say_replaced(batches, directory, console)
    if is_first:
        _say_scores(callbacks, console)
        _say_findings(callbacks, directory, console)
    return directory


def _there(recipe, out, resume, changed):
    """Whether `out` is a run that is resumed, and what has changed in its recipe."""
    if not (resume and is_run(out)):
        return False, {}
    if not changed:
        check_same(recipe, out)
    return True, differences(recipe, out)


def _new(recipe, out):
    """The directory of a new run."""
    directory = claim(recipe.name, out)
    _write(directory / "resolved.yaml", recipes.dump(resolved(recipe)))  # the mark of a run
    return directory


def _keep(recipe, directory, changes):
    """Write the recipe of a training that begins, and name the changes that `compile` does not know of."""
    for key, difference in changes.items():
        if key.split(".")[0] not in (*schema.RULE_FIELDS, "optimizers"):
            log.warning(line(key, *difference))
    _write(directory / "resolved.yaml", recipes.dump(resolved(recipe)))


def _say_scores(callbacks, console):
    for one in callbacks:
        if isinstance(one, Score) and one.scores:
            console.print(f"scores: {one.latest()[0].seen_with}", soft_wrap=True, highlight=False, markup=False)
            for score in one.latest():
                console.print(f"  {score}", highlight=False, markup=False)
            console.print(f"  {one.cost}", soft_wrap=True, highlight=False, markup=False)


def _say_findings(callbacks, directory, console):
    for one in callbacks:
        if isinstance(one, Doctor):
            ids = ", ".join(finding.id for finding in one.findings)
            said = f"{ids}; `kgan doctor {directory}` says more" if ids else f"nothing found, of {len(RULES)} symptoms"
            console.print(f"doctor: {said}", soft_wrap=True, highlight=False, markup=False)


def _say_replaced(batches, directory, console):
    """Say which pictures could not be read any more, and add them to environment.json."""
    replaced: dict = {}
    for folder in folders_of(batches):
        for reason, paths in folder.replaced.items():
            replaced[reason] = [*replaced.get(reason, ()), *paths]
    if not replaced:
        return
    about = json.loads((directory / "environment.json").read_text("utf-8"))
    before = about["data"].get("replaced", {})  # of the run before it was resumed
    about["data"]["replaced"] = {**before, **_listed(replaced)}
    _write(directory / "environment.json", json.dumps(about, indent=2) + "\n")
    console.print(f"replaced {display.reasons(replaced)}", soft_wrap=True, highlight=False, markup=False)


def _listed(files):
    return {reason: sorted(map(str, paths)) for reason, paths in files.items()}


def _write(path, text):
    with replace_when_written(path) as temporary:
        temporary.write_bytes(text.encode())


def is_run(directory):
    """Whether a directory contains a run; False for an empty or missing directory.

    Raises:
        RecipeError: if it contains something else.
    """
    if directory is None:
        raise RecipeError.about("--resume", "needs the run directory: --out DIR")
    if (directory / "resolved.yaml").is_file():
        return True
    check_free(directory)
    return False


def make_objects(recipe, given, out, console, steps_at_once=None):
    """Make everything but the directory, in an order in which quick checks come first; print lines about the data.

    Returns:
        The batches, the GAN, the data, those held out, the scorers, and the recipe without what its data are too few for.
    """
    check_free(out)
    compiled_with = build.build_rules(recipe, given)
    found = recipe_data.load_data(recipe, given, display.reading(console))
    console.print(display.data_line(recipe, found), soft_wrap=True, highlight=False, markup=False)
    if given.chosen:
        console.print(auto.line(given.chosen), soft_wrap=True, highlight=False, markup=False)
    to_train, held_out = recipe_data.held_out(recipe, given, found, display.reading(console))
    fitting, left_out = too_few.without(recipe, found, held_out)
    for sentence in left_out:
        console.print(sentence, soft_wrap=True, highlight=False, markup=False)
    if held_out is not None and recipe.data.validation:
        held_out_line = display.data_line(recipe, held_out, recipe.data.validation)
        console.print(held_out_line, soft_wrap=True, highlight=False, markup=False)
    build.check_partners(fitting, given, found if held_out is None else held_out)
    batches, gan = build.build(recipe, given, compiled_with, to_train, steps_at_once)
    if not steps_at_once:
        console.print(display.engine_line(gan, batches), soft_wrap=True, highlight=False, markup=False)
    # last, since they take the longest time
    measures = not steps_at_once and backend.is_first()
    scorers = build.build_scorers(fitting, given, found) if measures else {}
    return batches, gan, found, held_out, scorers, fitting


def check_free(out):
    """Raise RecipeError if the run directory `out` is not empty or cannot be created."""
    if out is None:
        return
    if os.path.lexists(out) and (not out.is_dir() or any(out.iterdir())):
        raise RecipeError.about("--out", f"{out} exists and is not an empty folder; a run never overwrites")
    parent = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise RecipeError.about("--out", f"{out} cannot be made: {parent} is not a folder that can be written to")


def claim(name, out, folder="runs"):
    """Make the run directory, which must be new or empty."""
    if out is not None:
        check_free(out)
        return _make(out, exist_ok=True)
    for number in range(1, 10_000):
        with contextlib.suppress(FileExistsError):
            return _make(pathlib.Path(folder) / f"{name}-{number:04d}")
    raise RecipeError.about(folder, f"has 9,999 of {name} already")


def _make(directory, exist_ok=False):
    try:
        directory.mkdir(parents=True, exist_ok=exist_ok)
    except FileExistsError:
        raise
    except OSError as error:
        raise RecipeError.about("--out", f"{directory} cannot be made: {error.strerror}") from None
    return directory


def _made_with(found, held_out):
    """The versions, data and machine of a run, as plain data."""
    return {
        **environment.machine(),
        "backend": backend.NAME,
        "devices": backend.devices(),
        "processes": backend.process()[1],
        "command": [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]],
        "versions": environment.versions(),
        "data": _about(found),
        **({} if held_out is None else {"held_out": _about(held_out)}),
    }


def _about(found):
    if isinstance(found, Domains):
        both = {"a": _about(found.a), "b": _about(found.b)}
        return {**both, "from": found.origin, "classes": [], "pairs_known": found.pairs_known}
    of_pairs = {} if found.given is None else {"given": list(found.given.shape), "paired": found.paired}
    return {
        "shape": list(found.images.shape),
        "from": found.origin,
        **of_pairs,
        **({} if found.crop is None else {"crop": list(found.crop)}),
        "fitted": found.fitted,
        "classes": list(found.classes),
        "skipped": _listed(found.skipped),
    }
