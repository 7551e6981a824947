"""The command line. Only commands that need a framework load one, so that help and lists appear at once."""

import contextlib
import importlib
import io
import json
import logging
import math
import os
import pathlib
import signal
import sys
import tempfile
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from kgan.checkpoints import signals
from kgan.runner.errors import Problem, RecipeError, RunError

app = typer.Typer(
    help="Train GANs from recipes.", no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)
out_console = Console()
error_console = Console(stderr=True)


def _complete_recipe(incomplete: str):
    from kgan.runner import recipes

    files = sorted(str(path) for path in pathlib.Path(".").glob("*.yaml"))
    return [name for name in [*recipes.shipped(), *files] if name.startswith(incomplete)]


RecipeArgument = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE", help="A shipped name, or the path of a .yaml file.", autocompletion=_complete_recipe
    ),
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY.PATH=VALUE", help="Change the recipe. Can be repeated.")
]


Plugins = Annotated[
    list[pathlib.Path] | None,
    typer.Option(
        "--plugin", metavar="FILE.py", help="Run this Python file, so that the recipe can name what it defines."
    ),
]


def _read(name, settings, plugin, resumed=None):
    _load_engine()
    from kgan.runner import plugins, recipes

    for path in plugin or ():
        plugins.load(path)
    from kgan.runner import auto  # imported here, since plugins add to the schema

    given = recipes.read(name)
    if settings and isinstance(given.data, dict):
        recipes.override(given, settings)
    return auto.settle(given, resumed), given


def _load_engine(devices=None):
    """Import Keras and its framework; TensorFlow writes to stderr during its import, with any setting of its log level.

    New layers have their channels last in this process, those of a plugin too, whatever keras.json says.

    Args:
        devices: Integer or `"all"`. The devices that a GAN is trained on.
    """
    if isinstance(devices, int):
        os.environ.setdefault("JAX_NUM_CPU_DEVICES", str(devices))  # where there is nothing but a CPU, JAX divides it
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # TensorFlow itself uses oneDNN only on the newest processors; docs/performance.md has what it is worth on others
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    error_console.file.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        keras = importlib.import_module("keras")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    # TensorFlow warns of networks that are given batches of several sizes
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    keras.config.set_image_data_format("channels_last")


def _say(text):
    out_console.print(text, soft_wrap=True, highlight=False, markup=False)


@app.command()
def train(
    recipe: RecipeArgument,
    set: Settings = None,
    plugin: Plugins = None,
    out: Annotated[pathlib.Path | None, typer.Option(help="The run directory; runs/<recipe>-0001 by default.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume the run in --out exactly where it stopped.")] = False,
    allow_changes: Annotated[
        bool, typer.Option("--allow-changes", help="Resume although the recipe has changed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Build everything, train for two steps, write nothing.")
    ] = False,
    seconds: Annotated[float | None, typer.Option(min=0.0, help="Stop after this many seconds of training.")] = None,
    doctor: Annotated[
        bool, typer.Option("--doctor/--no-doctor", help="Say what goes wrong in the training, and what to try.")
    ] = True,
    preview: Annotated[bool, typer.Option("--preview", help="Draw each new grid of images in the terminal.")] = False,
    devices: Annotated[
        str | None, typer.Option(metavar="N", help="Train on N devices, or on all, as on one; for JAX.")
    ] = None,
):
    """Train a recipe."""
    if preview:
        _check_terminal("--preview")
    with _spread(devices):
        there = resume and out is not None and (out / "resolved.yaml").is_file()
        checked, given = _read(recipe, set, plugin, out if there else None)
        from kgan.runner import dry_run as tried
        from kgan.runner import run

        if dry_run:
            tried.try_out(checked, given, out, out_console)
            return
        directory = run.train(checked, given, out, out_console, resume, allow_changes, seconds, doctor, preview)
        if not out_console.quiet:
            _say(f"Done. In {directory}: {', '.join(sorted(path.name for path in directory.iterdir()))}")


@contextlib.contextmanager
def _spread(devices):
    """A context in which GANs are trained on several devices, and in all processes that were started for it.

    The first process alone says something.
    """
    if devices is not None and devices != "all":
        if not devices.isascii() or not devices.isdigit() or int(devices) < 1:
            raise _wrong("--devices", f"must be a number of devices, or `all`. Received: {devices}")
        devices = int(devices)
    _load_engine(devices)
    from kgan import backend

    with contextlib.ExitStack() as open_now:
        try:
            open_now.enter_context(backend.spread(devices))
        except ValueError as error:
            raise _wrong("--devices", str(error)) from None
        if backend.process()[0]:
            out_console.quiet = True
            logging.getLogger("kgan").setLevel(logging.ERROR)
        yield


@app.command("list")
def list_recipes():
    """List the shipped recipes."""
    from kgan.runner import recipes

    table = Table("recipe", "what it is", box=None)
    for name, summary in recipes.shipped().items():
        table.add_row(name, summary)
    out_console.print(table)


@app.command()
def show(recipe: RecipeArgument, set: Settings = None, plugin: Plugins = None):
    """Print a recipe as YAML, with every default filled in."""
    checked, _ = _read(recipe, set, plugin)
    from kgan.runner import recipes

    typer.echo(recipes.dump(checked.model_dump(mode="json")), nl=False)


@app.command()
def schema():
    """Print the JSON Schema of recipes, with which editors complete and check them."""
    _load_engine()
    from kgan.runner import auto

    typer.echo(json.dumps(auto.json_schema(), indent=2))


@app.command()
def sample(
    run: Annotated[pathlib.Path, typer.Argument(metavar="RUN", help="A run directory, or a generator.keras.")],
    out: Annotated[
        pathlib.Path,
        typer.Option(
            "-o", "--out", help="The output: x.npy, grid.png, film.gif or folder/; - draws a grid in the terminal."
        ),
    ] = pathlib.Path("grid.png"),
    n: Annotated[int, typer.Option("-n", min=1, help="How many images.")] = 64,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same seed gives the same images.")] = 0,
    label: Annotated[
        str | None,
        typer.Option(
            help="The class of all images, its name or its number; all classes by default, one row of a grid for each."
        ),
    ] = None,
    plugin: Plugins = None,
):
    """Generate images with a run's generator: an array, a grid, an animation through the latent space, or files."""
    _load_engine()
    from kgan.runner import display, plugins, sampling

    for path in plugin or ():
        plugins.load(path)
    if str(out) == "-":
        _draw(run, n, seed, label)
        return
    sampling.form(out)
    _say(sampling.write(run, n, seed, out, label, display.making(out_console)))


def _check_terminal(option):
    if not out_console.is_terminal:
        raise _wrong(option, "draws in a terminal, and the output is not one")


def _draw(run, n, seed, label):
    """Draw a grid of images in the terminal."""
    from kgan.runner import display, preview, sampling

    _check_terminal("-o -")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "grid.png"
        sampling.write(run, n, seed, path, label, display.making(out_console))
        preview.show(path, out_console)


@app.command()
def apply(
    run: Annotated[pathlib.Path, typer.Argument(metavar="RUN", help="A run directory, or a generator.keras.")],
    source: Annotated[pathlib.Path, typer.Argument(metavar="PICTURES", help="A picture, or a folder of pictures.")],
    out: Annotated[pathlib.Path, typer.Option("-o", "--out", help="The result: a picture, or a folder.")],
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of the latents, if there are some.")] = 0,
    to: Annotated[str | None, typer.Option(help="Of two domains, that of the results: a or b.")] = None,
    plugin: Plugins = None,
):
    """Apply a generator that is given images to pictures of any size: translate, enlarge, fill, colour them."""
    _load_engine()
    from kgan.runner import applying, display, plugins

    for path in plugin or ():
        plugins.load(path)
    _say(applying.apply(run, source, out, seed, display.making(out_console), to))


@app.command("doctor")
def examine(
    run: Annotated[pathlib.Path, typer.Argument(metavar="RUN", help="A run directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    plugin: Plugins = None,
):
    """Say what went wrong in a run, and what to try; also for a run that died, or that was trained without the doctor."""
    if not (run / "resolved.yaml").is_file():
        raise _wrong("RUN", f"{run} is not a run directory")
    checked, given = _read(str(run / "resolved.yaml"), None, plugin)
    _load_engine()
    from kgan.doctor import RULES
    from kgan.runner import display, post_mortem, recipe_data

    def batches():
        data = recipe_data.load_data(checked, given, display.reading(out_console))
        return recipe_data.batches_of(checked, data, training=False)

    found = post_mortem.of_run(run, batches)
    if as_json:
        typer.echo(json.dumps([one.record() for one in found], indent=2))
        return
    for one in found:
        _say(str(one))
    if not found:
        _say(f"Nothing found, of {len(RULES)} symptoms.")


@app.command()
def report(
    runs: Annotated[list[pathlib.Path], typer.Argument(metavar="RUN...", help="Run directories.")],
    out: Annotated[
        pathlib.Path | None, typer.Option("-o", "--out", help="The file; RUN/report.html for one run.")
    ] = None,
):
    """Write a report of a run, also of one that died, or of several side by side: one HTML file that opens anywhere."""
    for run in runs:
        if not (run / "resolved.yaml").is_file():
            raise _wrong("RUN", f"{run} is not a run directory")
    if out is None and len(runs) > 1:
        raise _wrong("--out", "name the file that shows several runs, such as -o report.html")
    path = out or runs[0] / "report.html"
    if not path.absolute().parent.is_dir():
        raise _wrong("--out", f"there is no folder {path.parent} for {path.name}")
    _load_engine()
    from kgan import report as reports
    from kgan.runner.resolved import from_shipped

    reports.write([reports.read(run, changes=from_shipped(run)) for run in runs], path)
    _say(f"{path}: {path.stat().st_size / 1000:,.0f} kB")


Metrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        help="What to measure, such as precision_recall; by default all metrics that suit the data. Can be repeated.",
    ),
]
Samples = Annotated[int, typer.Option("-n", "--samples", min=20, help="How many images.")]


@app.command()
def evaluate(
    run: Annotated[pathlib.Path | None, typer.Argument(metavar="[RUN]", help="A run directory.")] = None,
    images: Annotated[
        pathlib.Path | None,
        typer.Option(help="Instead of a run: images from any source, in a folder, .npy or .npz file."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="What to compare images with: a data set, a folder or a file.")
    ] = None,
    metric: Metrics = None,
    samples: Samples = 10_000,
    split: Annotated[str | None, typer.Option(help="The part of the data to compare with, such as test.")] = None,
    extractor: Annotated[
        str | None,
        typer.Option(
            help="auto, classifier, stacked, raw, or a .pth file with the weights of the FID Inception, or a .keras file; "
            "the run's own by default."
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**31 - 1, help="Seed of the latents of a run's images; 0 by default.")
    ] = None,
    out: Annotated[
        pathlib.Path | None,
        typer.Option("-o", "--out", help="The file to append the scores to; RUN/scores.jsonl for a run."),
    ] = None,
    neighbours: Annotated[
        pathlib.Path | None,
        typer.Option(
            help="A picture of samples above the training images nearest to them; RUN/neighbours.png for a run."
        ),
    ] = None,
    per_class: Annotated[
        bool, typer.Option("--per-class", help="Also score each class of a class-conditional run separately.")
    ] = False,
    plugin: Plugins = None,
):
    """Score the images of a run, or any other images, against real ones."""
    if (run is None) == (images is None) or (images is None) != (data is None):
        raise _wrong("evaluate", "give a run directory, or both --images and --data")
    if images is not None and per_class:
        raise _wrong("--per-class", "is for a run; the classes of these images are not known")
    if images is not None and seed is not None:
        raise _wrong("--seed", "sets the latents of a run's images, and these images exist already")
    if neighbours is not None and neighbours.suffix not in (".png", ".jpg"):
        raise _wrong("--neighbours", f"must be the name of a picture, such as neighbours.png. Received: {neighbours}")
    for path in (out, neighbours):
        if path is not None and not path.absolute().parent.is_dir():
            raise _wrong(
                "--out" if path is out else "--neighbours", f"there is no folder {path.parent} for {path.name}"
            )
    if run is not None:
        if not (run / "resolved.yaml").is_file():
            raise _wrong("RUN", f"{run} is not a run directory")
        checked, given = _read(str(run / "resolved.yaml"), None, plugin)
    _load_engine()
    from kgan.arguments import lookup
    from kgan.runner import display, evaluating
    from kgan.scores import MEASURES

    metric = metric or []
    for name in metric:
        try:
            lookup("metric", name, MEASURES)
        except ValueError as error:
            raise _wrong("--metric", str(error)) from None
    progress = display.reading(out_console)
    if run is not None:
        evaluating.of_run(
            run,
            checked,
            given,
            metric,
            samples,
            split,
            extractor,
            seed or 0,
            out,
            neighbours,
            per_class,
            out_console,
            progress,
        )
    elif images is not None and data is not None:
        from kgan.data import DATASETS
        from kgan.runner import plugins

        for path in plugin or ():
            plugins.load(path)
        known = data in DATASETS
        arguments = {"name": data if known else None, "path": None if known else data, "split": split or "train"}
        if not known and not pathlib.Path(data).expanduser().exists():
            from kgan.arguments import nearest

            raise _wrong("--data", f"there is no data set, file or folder {data}. {nearest(data, DATASETS)}")
        evaluating.of_images(images, arguments, metric, samples, extractor, out, neighbours, out_console, progress)


@app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A recipe, a run directory, or a folder of run directories.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Likewise.")],
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each recipe.")] = 3,
    steps: Annotated[
        int | None, typer.Option(min=10, help="Steps of every training; by default those of the shorter recipe.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=1.0, help="Seconds of every training, instead of --steps.")
    ] = None,
    metric: Annotated[
        str, typer.Option(help="What to compare by: a metric, or one of the values of a metric, such as recall.")
    ] = "frechet_distance",
    samples: Samples = 2000,
    out: Annotated[
        pathlib.Path | None, typer.Option(help="The output folder; comparisons/<A>-vs-<B>-0001 by default.")
    ] = None,
    set: Settings = None,
    plugin: Plugins = None,
):
    """Compare two recipes over several seeds, or existing runs: a table, both curves, and a sentence."""
    if steps is not None and seconds is not None:
        raise _wrong("--seconds", "give the length once, as --steps or as --seconds")
    from kgan.runner import recipes

    # a shipped recipe has precedence over a folder of the same name, unless that contains runs
    there = [
        pathlib.Path(one).is_dir() and not (one in recipes.shipped() and not recipes.runs_in(one)) for one in (a, b)
    ]
    if there[0] != there[1]:
        raise _wrong("compare", "give two recipes, or two run directories")
    both = [] if there[0] else [_read(one, set, plugin) for one in (a, b)]
    _load_engine()
    from kgan.compare import comparison, trials
    from kgan.runner import run

    if seconds is not None and not math.isfinite(seconds):
        raise _wrong("--seconds", f"must be a number. Received: {seconds}")
    metrics, value = comparison.value_of(metric)
    names = [pathlib.Path(one).name if there[0] else pathlib.Path(one).stem for one in (a, b)]
    names = names if names[0] != names[1] else [f"{name} ({mark})" for name, mark in zip(names, "AB", strict=True)]
    runs = [recipes.runs_in(one) for one in (a, b)] if there[0] else None
    for one, found in zip((a, b), runs or (), strict=False):
        if not found:
            raise _wrong(one, "is not a run directory, and does not contain one")
        comparison.check_one_recipe(found)
    length, chosen = (None, None) if runs else trials.common_length(both, metrics)
    series = comparison.collect_all(runs, value) if runs else None
    # first, so that its errors are raised before anything is written
    result = comparison.compare(names, series, value) if series else None
    folders = [recipes.name_from(pathlib.Path(one).stem) for one in (a, b)]
    directory = run.claim("-vs-".join(folders), out, "comparisons")
    if result is None:
        steps = steps or length
        runs = trials.train_all(both, seeds, steps, seconds, chosen, samples, directory, plugin, out_console)
        series = comparison.collect_all(runs, value)
        result = comparison.compare(names, series, value, as_long=True)
    comparison.write(result, series, directory)
    _say(comparison.table(result))
    _say(f"In {directory}: {', '.join(sorted(path.name for path in directory.iterdir()))}")


def _wrong(what, message):
    return RecipeError(what, [Problem((), message)])


def main():
    """Entry point: the user's errors end with one sentence each and exit code 2, other failures of a run with 1."""
    for number in signals.NUMBERS:
        signal.signal(number, _leave)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # of names that its encoding cannot represent
    try:
        app()
    except (RecipeError, RunError, OSError, FloatingPointError) as error:
        said = str(error)
        if isinstance(error, OSError) and error.strerror:
            said = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        for line in said.splitlines():
            error_console.print(line, style="red", soft_wrap=True, highlight=False, markup=False)
        if isinstance(error, ConnectionError) and "kgan.backend" in sys.modules and _together():
            sys.stdout.flush()
            os._exit(1)  # an engine would wait for the processes that are lost, and end with an error of its own
        raise SystemExit(2 if isinstance(error, RecipeError) else 1) from None


def _together():
    """Whether several processes train together."""
    from kgan import backend

    return backend.process()[1] > 1


def _leave(number, frame):
    os._exit(128 + number)  # an exception could be swallowed by what is being imported; `fit` handles signals itself
