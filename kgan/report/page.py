"""The page: what `contents` read, as one file of HTML."""

import base64
import datetime
import functools
import io
import pathlib
import shlex

import jinja2
from PIL import Image

from kgan.doctor import RULES
from kgan.doctor.finding import LEVELS
from kgan.files import replace_when_written
from kgan.report import curves
from kgan.scores import record

BUDGET = 1_200_000  # bytes of all pictures of a run
SMALL = 400_000  # pixels of a picture: a larger one is a photograph rather than a grid of small images
QUALITIES = (95, 85, 70, 50, 30)


def page(runs, reload=None):
    """The HTML of a report.

    Args:
        runs: List of `kgan.report.Contents`; several are shown side by side.
        reload: Integer. Seconds after which a browser reads the file again, while the run goes on.

    Returns:
        A string.
    """
    loader = jinja2.FileSystemLoader(pathlib.Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    shown = [_shown(run, BUDGET // len(runs)) for run in runs]
    return environment.get_template("report.html").render(
        runs=shown, reload=reload, comparison=_comparison(runs), symptoms=len(RULES)
    )


def write(runs, path, reload=None):
    """Write `page` to a file, completely or not at all."""
    text = page(runs, reload)
    with replace_when_written(pathlib.Path(path)) as temporary:
        temporary.write_text(text, "utf-8")


def _shown(run, budget):
    """What the template asks for, as plain values."""
    grids = _encoded(run.grids, budget)
    findings = run.findings
    if findings is not None:
        findings = sorted(findings, key=lambda one: (-LEVELS.index(one.level), one.step))
    environment = dict(run.environment)
    data = environment.pop("data", {})
    return {
        "name": run.name,
        "state": run.state,
        "findings": findings,
        "best": best_of(run.scores),
        "grids": [{"uri": uri, "name": path.stem} for uri, path in zip(grids, run.grids, strict=True)],
        "real": _encoded(run.real, budget // 8),
        "neighbours": _encoded(run.neighbours, budget // 4),
        "curves": curves.all_curves(run),
        "scores": [(score, score.seen_with) for score in latest(run.scores)],
        "recipe": run.recipe,
        "changes": run.changes,
        "command": shlex.join(["kgan", *environment.pop("command", [])[1:]]),
        "again": f"kgan train {run.directory / 'resolved.yaml'}",
        "data": {key: _in_words(value) for key, value in data.items()},
        "environment": {key: _in_words(value) for key, value in environment.items()},
        "time": str(datetime.timedelta(seconds=round(run.logs[-1]["seconds"]))) if run.logs else None,
        "epochs": run.logs[-1]["epoch"] if run.logs else 0,
        "images_seen": (run.images_per_epoch or 0) * (run.logs[-1]["epoch"] if run.logs else 0),
        "checkpoints": run.checkpoints,
    }


def _in_words(value):
    """A value of environment.json without the brackets of Python."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_in_words(one)}" for key, one in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def latest(scores):
    """The scores of the last step that was measured."""
    steps = [score.where.get("step", -1) for score in scores]
    return [score for score, step in zip(scores, steps, strict=True) if step == max(steps)]


def best_of(scores):
    """The best value of the metric that was measured first, in words."""
    whole = [score for score in scores if score.label is None and score.key == scores[0].key]
    if not whole:
        return None
    pick = min if whole[0].better == "min" else max
    best = pick(whole, key=lambda score: score.value)
    return f"{best} at step {best.where['step']:,}" if "step" in best.where else str(best)


def _comparison(runs):
    """Rows of a metric and each run's last value of it, for metrics that were measured alike in all runs; and why others are
    left out."""
    if len(runs) < 2:
        return None
    last = [{score.key: score for score in latest(run.scores)} for run in runs]
    alike, unlike = [], []
    for key in dict.fromkeys(key for one in last for key in one):
        if all(key in one for one in last):
            try:
                for one in last[1:]:
                    record.check_alike(last[0][key], one[key])
                alike.append((last[0][key].title, [one[key].value_and_interval for one in last]))
            except record.UnlikeScoresError as error:
                unlike.append(str(error))
    return {"alike": alike, "unlike": unlike}


def _encoded(paths, budget):
    """Pictures as `data:` addresses, together within a number of bytes if that is possible: without loss, or with as little
    as is needed."""
    files = [(path, path.stat().st_mtime_ns) for path in paths]
    if all(_pixels(*file) <= SMALL for file in files):
        exact = [_address(*file, "png") for file in files]
        if sum(map(len, exact)) <= budget:
            return exact
    found: list = []
    for times_smaller, quality in enumerate(QUALITIES):
        found = [_address(*file, "webp", quality, times_smaller) for file in files]
        if sum(map(len, found)) <= budget:
            break
    return found


@functools.lru_cache(1000)
def _pixels(path, written):
    with Image.open(path) as image:
        return image.width * image.height


@functools.lru_cache(200)  # a report is written again and again while a run goes on
def _address(path, written, form, quality=None, times_smaller=0):
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    for _ in range(times_smaller):
        image = image.resize((max(1, image.width * 4 // 5), max(1, image.height * 4 // 5)))
    file = io.BytesIO()
    image.save(file, form, **({"optimize": True} if quality is None else {"quality": quality}))
    return f"data:image/{form};base64,{base64.b64encode(file.getvalue()).decode()}"
