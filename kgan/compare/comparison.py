"""Comparison of two sets of runs: the last scores of several seeds, and whether the difference exceeds the noise."""

import json
import math

import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from kgan import scores
from kgan.arguments import nearest
from kgan.files import replace_when_written
from kgan.runner.errors import RecipeError
from kgan.runner.resolved import as_now, flat
from kgan.scores import MEASURES


def check_one_recipe(runs):
    """Raise RecipeError unless all runs of one side have the same recipe and different seeds."""
    recipes = [flat(as_now(run / "resolved.yaml")) for run in runs]
    first, *others = [_rules_of(recipe) for recipe in recipes]
    for run, rules in zip(runs[1:], others, strict=True):
        unlike = sorted(key for key in first.keys() | rules.keys() if first.get(key) != rules.get(key))
        if unlike:
            said = ", ".join(f"{key} {first.get(key, 'absent')} and {rules.get(key, 'absent')}" for key in unlike[:3])
            raise RecipeError.about(str(run), f"is a run of another recipe than {runs[0]}: {said}")
    seeds: dict = {}
    for run, recipe in zip(runs, recipes, strict=True):
        same = seeds.setdefault(recipe["seed"], run)
        if same is not run:
            problem = f"has the seed of {same}, {recipe['seed']}: a repetition does not show the noise between seeds"
            raise RecipeError.about(str(run), problem)


def _rules_of(recipe):
    return {key: value for key, value in recipe.items() if key.split(".")[0] not in ("name", "seed", "callbacks")}


def value_of(name):
    """The metrics with a value of that name, and the value's name. The name of a metric means its first value. Of
    two domains, `frechet_distance_to_a` and `frechet_distance_to_b` are those of the images of each.

    Raises:
        RecipeError: if the name is unknown.
    """
    if name in MEASURES:
        return [name], MEASURES[name].names[0]
    metrics = [metric for metric, measure in MEASURES.items() if name in measure.names]
    if metrics:
        return metrics, name
    whole, _, domain = name.rpartition("_to_")
    if whole and domain in ("a", "b"):
        metrics, value = value_of(whole)
        return metrics, f"{value}_to_{domain}"
    known = [*MEASURES, *(value for measure in MEASURES.values() for value in measure.names)]
    raise RecipeError.about("--metric", f"unknown metric {name!r}. {nearest(name, known)}")


def collect_all(groups, metric):
    """`collect` for both groups of runs."""
    return [collect(runs, metric) for runs in groups]


def collect(runs, metric):
    """The scores of one metric in several runs, a list for each run, in the order in which they were measured.

    Raises:
        RecipeError: if a run has no such scores.
    """
    found = []
    for run in runs:
        path = run / "scores.jsonl"
        try:
            these = [score for score in (scores.read(path) if path.is_file() else []) if score.key == metric]
        except ValueError as error:
            raise RecipeError.about(str(run), str(error)) from None
        # those measured during the training, if there are any
        these = [score for score in these if "epoch" in score.where] or these
        if not these:
            hint = f"`kgan evaluate {run}` measures it"
            raise RecipeError.about(str(run), f"has no score {metric!r} yet; {hint}")
        # a run that was evaluated under several conditions has several series; the one of the last score is used
        found.append([score for score in these if _alike(score, these[-1])])
    return found


def _alike(one, other):
    try:
        scores.check_alike(one, other)
    except scores.UnlikeScoresError:
        return False
    return True


def compare(names, series, metric, as_long=False):
    """Compare the last scores of two groups of runs.

    The result is the difference of the means, with its 95 % interval by Welch's t if each side has at least two runs.

    Args:
        names: Two strings.
        series: Two results of `collect`.
        metric: String, the name of the value.
        as_long: Whether all trainings are known to have the same length, as those of `kgan compare`.

    Returns:
        A dict of `metric`, `sides` (a dict for each of `name`, `values`, `mean`, `interval`), `difference`, `interval`,
        `better` (a name, or `None`) and `sentence`.

    Raises:
        RecipeError: if two scores were measured under different conditions.
    """
    last = [[one[-1] for one in side] for side in series]
    try:
        for score in [*last[0], *last[1]]:
            scores.check_alike(last[0][0], score)
    except scores.UnlikeScoresError as error:
        raise RecipeError.about("compare", str(error)) from None
    values = [np.array([score.value for score in side]) for side in last]
    sides = [
        {
            "name": name,
            "values": numbers.tolist(),
            "mean": float(numbers.mean()),
            "interval": _interval(numbers),
            "seconds": _mean([score.where.get("seconds") for score in side]),
            "steps": [score.where.get("step") for score in side],
        }
        for name, numbers, side in zip(names, values, last, strict=True)
    ]
    if not as_long:
        _check_lengths(sides)
    title, lower = last[0][0].title, last[0][0].better == "min"
    difference = sides[1]["mean"] - sides[0]["mean"]
    interval, better = None, None
    if min(map(len, values)) < 2:
        sentence = (
            f"No difference can be shown: one run does not show the noise between seeds. The {title} of {names[1]} "
            f"is {sides[1]['mean']:.4g}, that of {names[0]} {sides[0]['mean']:.4g}; `--seeds 3` trains three of each."
        )
    else:
        found = stats.ttest_ind(values[1], values[0], equal_var=False) if values[0].std() or values[1].std() else None
        low, high = (difference, difference) if found is None else found.confidence_interval(0.95)
        interval = [float(low), float(high)]
        noise = f"by {abs(difference):.4g}, with a 95 % interval from {low:.4g} to {high:.4g}"
        if low <= 0 <= high:
            sentence = (
                f"No difference shown: the {title} of {names[1]} and {names[0]} differ {noise}, which contains 0."
            )
        else:
            first = (difference > 0) == lower
            better = names[0] if first else names[1]
            differ = f"the {title} of {names[1]} and {names[0]} differ {noise}"
            sentence = f"{better} is better: {differ}, which does not contain 0."
    return {
        "metric": metric,
        "sides": sides,
        "difference": difference,
        "interval": interval,
        "better": better,
        "sentence": sentence,
        "seen_with": last[0][0].seen_with,
    }


def _mean(numbers):
    return None if None in numbers else float(np.mean(numbers))


def _check_lengths(sides):
    """Raise RecipeError unless both sides were trained for the same number of steps or the same time."""
    steps = [set(side["steps"]) for side in sides]
    seconds = [side["seconds"] for side in sides]
    if None not in seconds and steps[0] != steps[1] and max(seconds) > 1.1 * min(seconds):
        lengths = " and ".join(f"{side['name']} {side['steps']} steps in {side['seconds']:.0f} s" for side in sides)
        raise RecipeError.about("compare", f"trainings of different length cannot be compared: {lengths}")


def _interval(values):
    """95 % interval of the mean, by Student's t; `None` for one value."""
    if len(values) < 2:
        return None
    half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values)))
    return [float(values.mean()) - half, float(values.mean()) + half]


def table(result):
    """The comparison as a table in Markdown, and the sentence below it."""
    lines = [
        f"| | {result['metric'].replace('_', ' ')} | 95 % interval | seeds | steps | seconds |",
        "|---|---|---|---|---|---|",
    ]
    for side in result["sides"]:
        interval = "none (one run)" if side["interval"] is None else "{:.4g} to {:.4g}".format(*side["interval"])
        steps = " ".join(f"{step:,}" for step in sorted({step for step in side["steps"] if step is not None})) or "-"
        seconds = "-" if side["seconds"] is None else f"{side['seconds']:.1f}"
        lines.append(
            f"| {side['name']} | {side['mean']:.4g} | {interval} | {len(side['values'])} | {steps} | {seconds} |"
        )
    return "\n".join([*lines, "", result["sentence"], "", f"Measured on {result['seen_with']}."])


def write(result, series, out):
    """Write `table.md`, `comparison.json` and, if scores were measured during the trainings, `curves.png`."""
    out.mkdir(parents=True, exist_ok=True)
    for name, text in (("table.md", table(result)), ("comparison.json", json.dumps(result, indent=2))):
        with replace_when_written(out / name) as temporary:
            temporary.write_text(text + "\n", "utf-8")
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for side, runs, colour in zip(result["sides"], series, ("C0", "C1"), strict=True):
        for index, run in enumerate(runs):
            points = np.array(
                [(one.where["seconds"], one.value, *one.interval) for one in run if "seconds" in one.where]
            )
            if len(points):
                where, value, low, high = points.T
                axes.fill_between(where, low, high, alpha=0.1, linewidth=0, color=colour)
                axes.plot(where, value, color=colour, marker=".", label=None if index else side["name"])
    lower = series[0][0][-1].better == "min"
    axes.set(
        xlabel="seconds of training",
        ylabel=f"{result['metric'].replace('_', ' ')} ({'lower' if lower else 'higher'} is better)",
    )
    if lower and all(one.value > 0 for runs in series for run in runs for one in run):
        axes.set_yscale("log")
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend()
        with replace_when_written(out / "curves.png") as temporary:
            figure.savefig(temporary, dpi=100)
