"""What came of a run: findings, a report, scores, comparisons."""

import json
import math
import pathlib
from typing import Annotated

import typer

from kgan.cli.common import Plugins, Settings, app, load_engine, out_console, read, say, wrong


@app.command("doctor")
def examine(
    run: Annotated[pathlib.Path, typer.Argument(metavar="RUN", help="A run directory.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    plugin: Plugins = None,
):
    """Say what went wrong in a run, and what to try; also for a run that died, or that was trained without the doctor."""
    if not (run / "resolved.yaml").is_file():
        raise wrong("RUN", f"{run} is not a run directory")
    checked, given = read(str(run / "resolved.yaml"), None, plugin)
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
        say(str(one))
    if not found:
        say(f"Nothing found, of {len(RULES)} symptoms.")


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
            raise wrong("RUN", f"{run} is not a run directory")
    if out is None and len(runs) > 1:
        raise wrong("--out", "name the file that shows several runs, such as -o report.html")
    path = out or runs[0] / "report.html"
    if not path.absolute().parent.is_dir():
        raise wrong("--out", f"there is no folder {path.parent} for {path.name}")
    load_engine()
    from kgan import report as reports
    from kgan.runner.resolved import from_shipped

    reports.write([reports.read(run, changes=from_shipped(run)) for run in runs], path)
    say(f"{path}: {path.stat().st_size / 1000:,.0f} kB")


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
        raise wrong("evaluate", "give a run directory, or both --images and --data")
    if images is not None and per_class:
        raise wrong("--per-class", "is for a run; the classes of these images are not known")
    if images is not None and seed is not None:
        raise wrong("--seed", "sets the latents of a run's images, and these images exist already")
    if neighbours is not None and neighbours.suffix not in (".png", ".jpg"):
        raise wrong("--neighbours", f"must be the name of a picture, such as neighbours.png. Received: {neighbours}")
    for path in (out, neighbours):
        if path is not None and not path.absolute().parent.is_dir():
            raise wrong("--out" if path is out else "--neighbours", f"there is no folder {path.parent} for {path.name}")
    if run is not None:
        if not (run / "resolved.yaml").is_file():
            raise wrong("RUN", f"{run} is not a run directory")
        checked, given = read(str(run / "resolved.yaml"), None, plugin)
    else:
        load_engine(plugin=plugin)
    from kgan.arguments import lookup
    from kgan.runner import display, evaluating
    from kgan.scores import MEASURES

    metric = metric or []
    for name in metric:
        try:
            lookup("metric", name, MEASURES)
        except ValueError as error:
            raise wrong("--metric", str(error)) from None
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

        known = data in DATASETS
        arguments = {"name": data if known else None, "path": None if known else data, "split": split or "train"}
        if not known and not pathlib.Path(data).expanduser().exists():
            from kgan.arguments import nearest

            raise wrong("--data", f"there is no data set, file or folder {data}. {nearest(data, DATASETS)}")
        evaluating.of_images(images, arguments, metric, samples, extractor, out, neighbours, out_console, progress)


@app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A recipe, a run directory, or a folder of run directories.")],
    b: Annotated[str, typer.Argument(metavar="B", help="Likewise.")],
    seeds: Annotated[int | None, typer.Option(min=1, help="Trainings of each recipe; 3 by default.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=10, help="Steps of every training; by default those of the shorter recipe.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=1.0, help="Seconds of every training, instead of --steps.")
    ] = None,
    metric: Annotated[
        str, typer.Option(help="What to compare by: a metric, or one of the values of a metric, such as recall.")
    ] = "frechet_distance",
    samples: Annotated[
        int | None, typer.Option("-n", "--samples", min=20, help="How many images; 2,000 by default.")
    ] = None,
    out: Annotated[
        pathlib.Path | None, typer.Option(help="The output folder; comparisons/<A>-vs-<B>-0001 by default.")
    ] = None,
    set: Settings = None,
    plugin: Plugins = None,
):
    """Compare two recipes over several seeds, or existing runs: a table, both curves, and a sentence."""
    if steps is not None and seconds is not None:
        raise wrong("--seconds", "give the length once, as --steps or as --seconds")
    from kgan.runner import recipes

    # a shipped recipe has precedence over a folder of the same name, unless that contains runs
    there = [
        pathlib.Path(one).is_dir() and not (one in recipes.shipped() and not recipes.runs_in(one)) for one in (a, b)
    ]
    if there[0] != there[1]:
        raise wrong("compare", "give two recipes, or two run directories")
    of_recipes = {"--set": set, "--seeds": seeds, "--steps": steps, "--seconds": seconds, "--samples": samples}
    for option, value in of_recipes.items():
        if there[0] and value is not None:
            raise wrong(option, "is for recipes; these runs have been trained and scored already")
    both = [] if there[0] else [read(one, set, plugin) for one in (a, b)]
    if there[0]:
        load_engine()
    from kgan.compare import comparison, trials
    from kgan.runner import run

    if seconds is not None and not math.isfinite(seconds):
        raise wrong("--seconds", f"must be a number. Received: {seconds}")
    metrics, value = comparison.value_of(metric)
    names = [pathlib.Path(one).name if there[0] else pathlib.Path(one).stem for one in (a, b)]
    names = names if names[0] != names[1] else [f"{name} ({mark})" for name, mark in zip(names, "AB", strict=True)]
    runs = [recipes.runs_in(one) for one in (a, b)] if there[0] else None
    for one, found in zip((a, b), runs or (), strict=False):
        if not found:
            raise wrong(one, "is not a run directory, and does not contain one")
        comparison.check_one_recipe(found)
    length, chosen = (None, None) if runs else trials.common_length(both, metrics)
    series = comparison.collect_all(runs, value) if runs else None
    # first, so that its errors are raised before anything is written
    result = comparison.compare(names, series, value) if series else None
    folders = [recipes.name_from(pathlib.Path(one).stem) for one in (a, b)]
    directory = run.claim("-vs-".join(folders), out, "comparisons")
    if result is None:
        steps = steps or length
        runs = trials.train_all(
            both, seeds or 3, steps, seconds, chosen, samples or 2000, directory, plugin, out_console
        )
        series = comparison.collect_all(runs, value)
        result = comparison.compare(names, series, value, as_long=True)
    comparison.write(result, series, directory)
    say(comparison.table(result))
    say(f"In {directory}: {', '.join(sorted(path.name for path in directory.iterdir()))}")


@app.command("env")
def describe(
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
):
    """Print versions, engine, devices, memory and disks, and what is not installed; for the report of a bug."""
    load_engine()
    from kgan.runner import about

    found = about.described()
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        say(about.text(found))
