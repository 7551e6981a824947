"""Trains two recipes with several seeds each, one training after the other, for a comparison."""

import inspect
import pathlib
import subprocess
import sys

import numpy as np
from rich.progress import track

from kgan.callbacks import Score
from kgan.runner import build, recipe_data, recipes
from kgan.runner.blame import blamed
from kgan.runner.errors import RecipeError, RunError
from kgan.scores import LEAST, Scorer

POINTS = 10  # scores during each training
MARKS = ("a", "b")


def common_length(both, metrics):
    """Return the number of steps of the shorter of two recipes, which must have the same data, and a metric for them.

    Both recipes are scored with the settings of the first one's `score` callback.

    Args:
        both: Two pairs of a `Recipe` and the `Given` that it was read from.
        metrics: Names in `kgan.scores.MEASURES`; one of them must be defined for the data.

    Raises:
        RecipeError: if their data differ or cannot be loaded, or no metric is defined for them.
    """
    data = [recipe_data.load_data(recipe, given) for recipe, given in both]
    one, other = (found.images for found in data)
    ends = slice(0, 100), slice(-100, None)
    same = one.shape == other.shape and data[0].fitted == data[1].fitted
    if not same or not all(np.array_equal(one[part], other[part]) for part in ends):
        names = " and ".join(str(recipe.data.path or recipe.data.name) for recipe, _ in both)
        raise RecipeError.about("compare", f"scores of different data cannot be compared: {names}")
    with blamed("--metric"):
        scorer = Scorer(data[0].images, data[0].labels, _alike(both)["extractor"], real=LEAST)
        metric = next((one for one in metrics if one in scorer.suitable), metrics[0])
        scorer.check_metrics(
            [metric, *(own for recipe, _ in both for own in np.atleast_1d(_own_score(recipe).get("metric", [])))]
        )
    return min(_length(recipe, given, found) for (recipe, given), found in zip(both, data, strict=True)), metric


def _own_score(recipe):
    """The recipe's `score` callback as plain data, empty if it has none."""
    callbacks = recipe.model_dump(mode="json")["callbacks"]
    return next((one for one in callbacks if one["name"] == "score"), {})


def _alike(both):
    """The settings of the scores of both recipes: those of the first one, or the defaults."""
    usual = {name: argument.default for name, argument in inspect.signature(Score).parameters.items()}
    return {name: (usual | _own_score(both[0][0]))[name] for name in ("extractor", "real", "seed")}


def _length(recipe, given, found):
    batches = recipe_data.batches_of(recipe, recipe_data.to_train(recipe, given, found))
    return recipe.steps or recipe.epochs * batches.steps


def train_all(both, seeds, steps, seconds, metric, samples, out, plugins, console):
    """Train two recipes with several seeds each, one after the other; return the runs of each.

    Args:
        both: As in `common_length`.
        seeds: Integer. The number of seeds 0, 1, ...
        steps: Integer. Steps of every training.
        seconds: Float. Seconds of every training, instead of `steps`.
        metric: Name in `kgan.scores.MEASURES`.
        samples: Integer. Images in each score.
        out: Path. The runs are `a-seed-0` ... in it.
        plugins: Paths of Python files that are run first.
        console: `rich.console.Console`.

    Raises:
        RunError: if a training failed.
    """
    made: dict[str, list[pathlib.Path]] = {mark: [] for mark in MARKS}
    planned = [(mark, recipe, seed) for seed in range(seeds) for mark, (recipe, _) in zip(MARKS, both, strict=True)]
    for mark, recipe, seed in track(planned, "trainings", console=console, disable=not console.is_terminal):
        run = out / f"{mark}-seed-{seed}"
        console.print(f"{recipe.name}, seed {seed}: {run}", highlight=False, markup=False)
        every = f"{max(1, steps // POINTS)} steps" if seconds is None else f"{max(1, int(seconds // POINTS))} seconds"
        score = {**_alike(both), "metric": metric, "every": every, "samples": samples}
        _train(recipe, seed, steps, seconds, score, run, plugins)
        made[mark].append(run)
    return [made[mark] for mark in MARKS]


def _train(recipe, seed, steps, seconds, score, run, plugins):
    """Train in a separate process, so that one training cannot influence the next."""
    data = recipe.model_dump(mode="json") | {"seed": seed, "epochs": None, "steps": steps or build.ENDLESS}
    own = _own_score(recipe)
    others = [one for one in data["callbacks"] if one["name"] != "score"]
    # the recipe's own metrics too, since its checkpoint may monitor one of them
    measured = [score["metric"], *np.atleast_1d(own.get("metric", []))]
    metrics = list(dict.fromkeys(map(str, measured)))
    data["callbacks"] = [*others, {**own, "name": "score", **score, "metric": metrics}]
    path = run.with_suffix(".yaml")
    path.write_text(recipes.dump(data), "utf-8")
    command = [sys.executable, "-P", "-c", "from kgan.cli import main; main()", "train", str(path), "--out", str(run)]
    command += [word for plugin in plugins or () for word in ("--plugin", str(plugin))]
    command += [] if seconds is None else ["--seconds", str(seconds)]
    with run.with_suffix(".log").open("wb") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT)
    if done.returncode:
        said = run.with_suffix(".log").read_text(errors="replace").strip()  # in the encoding of that process
        said = (said.splitlines() or ["no message was printed"])[-1]
        raise RunError(f"The training of {path} ended with {done.returncode}: {said}")
