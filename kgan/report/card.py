"""A model card: what a trained generator is, what it was trained on, what it scored and what went wrong, in Markdown."""

import datetime
import pathlib
import re
import shlex

import jinja2
import yaml

from kgan import environment
from kgan.doctor import RULES
from kgan.report.page import best_of, latest

HOME = "https://pypi.org/project/kgan"
TASKS = {False: "unconditional-image-generation", True: "image-to-image"}  # names of the Hugging Face Hub
# what the owners of the data sets that recipes name say of them
DATA = {
    "digits": "Handwritten digits of 8 x 8 pixels, the test set of the UCI data set "
    "[Optical Recognition of Handwritten Digits](https://archive.ics.uci.edu/dataset/80), CC BY 4.0.",
    "mnist": "[MNIST](https://keras.io/api/datasets/mnist/), by Yann LeCun and Corinna Cortes, CC BY-SA 3.0.",
    "fashion_mnist": "[Fashion-MNIST](https://github.com/zalandoresearch/fashion-mnist), by Zalando SE, MIT License.",
    "cifar10": "[CIFAR-10](https://www.cs.toronto.edu/~kriz/cifar.html), by Alex Krizhevsky, which names no license.",
}
DATA["stacked_mnist"] = f"Three digits, one in each colour channel, of {DATA['mnist']}"
DATA["outlined_digits"] = f"Outlines of digits, and the digits, of {DATA['mnist']}"


def card(run, recipe, condition, where, pictures=None, license=None, data_license=None):
    """The card of a run.

    Args:
        run: `kgan.report.Contents`.
        recipe: Its recipe, plain data.
        condition: Its `kgan.conditions.Condition`.
        where: Text that names the run or the preset in commands.
        pictures: Dict of addresses: `grid` and `neighbours`; by default those of the run directory.
        license: Text, such as `"cc-by-4.0"`: the license of the generator.
        data_license: Text: what the data are, and under which license they may be used.

    Returns:
        A string.
    """
    pictures = _pictures(run) if pictures is None else pictures
    given = condition.gives_images
    newest = {score.key: score for score in (latest(run.scores) if run.scores else ())}
    scores = list(newest.values())
    loader = jinja2.FileSystemLoader(pathlib.Path(__file__).parent)
    template = jinja2.Environment(loader=loader, trim_blocks=True, keep_trailing_newline=True).get_template("card.md")
    return template.render(
        front=_front(run, recipe, scores, given, license),
        name=run.name,
        grid=pictures.get("grid"),
        neighbours=pictures.get("neighbours"),
        what=_what(run, recipe, condition),
        given=given,
        where=where,
        typed=shlex.quote(where),
        home=HOME,
        version=environment.versions()["kgan"],
        training=_training(run, recipe),
        scores=scores,
        findings=run.findings,
        symptoms=len(RULES),
        data=data_license or _data(recipe),
        license=license or "None was given: ask the author before you use it.",
    )


def _pictures(run):
    found = {"grid": run.grids[-1:], "neighbours": run.neighbours[:1]}
    return {name: paths[0].relative_to(run.directory).as_posix() for name, paths in found.items() if paths}


def _front(run, recipe, scores, given, license):
    """What the Hub reads."""
    name = recipe["data"].get("name") if not recipe["data"].get("path") else None
    dataset = {"name": name or "own images", "type": name or "own"}
    front: dict = {"library_name": "keras", "pipeline_tag": TASKS[given], "tags": ["gan", "kgan", "keras"]}
    if license:
        front["license"] = license
    if name:
        front["datasets"] = [name]
    if scores:
        metrics = [{"type": one.metric, "name": f"{one.title} ({one.seen_with})", "value": one.value} for one in scores]
        result = {"task": {"type": TASKS[given]}, "dataset": dataset, "metrics": metrics}
        front["model-index"] = [{"name": run.name, "results": [result]}]
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True)


def _what(run, recipe, condition):
    generator, discriminator = recipe["generator"]["name"], recipe["discriminator"]["name"]
    shape = run.environment.get("data", {}).get("shape")
    sizes = f" of {' x '.join(map(str, shape[1:]))}" if shape else ""
    said = f"A generative adversarial network (arXiv:1406.2661): a generator `{generator}` of images{sizes}"
    if condition.gives_images:
        said += f", which is given images (`{recipe['condition']['name']}`)"
    elif count := len(condition.classes):
        names = run.environment.get("data", {}).get("classes") or condition.classes
        said += f" of one of {count} classes ({', '.join(map(str, names))})"
    return f"{said}, trained against a discriminator `{discriminator}`."


def _training(run, recipe):
    around = run.environment
    loss = recipe["loss"] if isinstance(recipe["loss"], str) else recipe["loss"]["name"]
    batch = recipe["data"].get("batch_size")
    lines = [f"Recipe `{recipe['name']}`, loss `{loss}`, batches of {batch}, seed {recipe['seed']}"]
    if command := around.get("command"):
        lines.append(f"`{shlex.join(['kgan', *_public(command[1:])])}`")
    if run.logs:
        last = run.logs[-1]
        seen = f", {run.images_per_epoch * last['epoch']:,} images seen" if run.images_per_epoch else ""
        lines.append(f"{last['epoch']} epochs{seen}, in {datetime.timedelta(seconds=round(last['seconds']))}")
    if around:
        versions = around.get("versions", {})
        engine = around.get("backend")
        lines.append(
            f"Keras {versions.get('keras')} on {engine} {versions.get(engine, '')}, {', '.join(around.get('devices', ()))}, "
            f"{around.get('cores')} cores"
        )
    if best := best_of(run.scores):
        lines.append(f"Best score: {best}")
    return lines


def _public(words):
    """The words of a command, paths without the folders that lead to them."""
    return [re.sub(r"(^|=)[^=]*[/\\]", r"\1", word.rstrip("/\\")) for word in words]


def _data(recipe):
    data = recipe["data"]
    if not data.get("path") and data.get("name") in DATA:
        return DATA[data["name"]]
    if not data.get("path") and data.get("name") in ("ring", "grid"):
        return "Points drawn from a mixture of Gaussians."
    return "The author's own images; their license was not given."
