"""Recipes: train one, list them, show one."""

import contextlib
import json
import logging
import pathlib
from typing import Annotated

import typer
from rich.table import Table

from kgan.cli.common import (
    Plugins,
    RecipeArgument,
    Settings,
    app,
    check_terminal,
    load_engine,
    out_console,
    read,
    say,
    wrong,
)


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
        check_terminal("--preview")
    with _spread(devices):
        there = resume and out is not None and (out / "resolved.yaml").is_file()
        checked, given = read(recipe, set, plugin, out if there else None)
        from kgan.runner import dry_run as tried
        from kgan.runner import run

        if dry_run:
            tried.try_out(checked, given, out, out_console)
            return
        directory = run.train(checked, given, out, out_console, resume, allow_changes, seconds, doctor, preview)
        if not out_console.quiet:
            say(f"Done. In {directory}: {', '.join(sorted(path.name for path in directory.iterdir()))}")


@contextlib.contextmanager
def _spread(devices):
    """A context in which GANs are trained on several devices, and in all processes that were started for it.

    The first process alone says something.
    """
    if devices is not None and devices != "all":
        if not devices.isascii() or not devices.isdigit() or int(devices) < 1:
            raise wrong("--devices", f"must be a number of devices, or `all`. Received: {devices}")
        devices = int(devices)
    load_engine(devices)
    from kgan import backend

    with contextlib.ExitStack() as open_now:
        try:
            open_now.enter_context(backend.spread(devices))
        except ValueError as error:
            raise wrong("--devices", str(error)) from None
        if not backend.is_first():
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
    checked, _ = read(recipe, set, plugin)
    from kgan.runner import recipes

    typer.echo(recipes.dump(checked.model_dump(mode="json")), nl=False)


@app.command()
def schema():
    """Print the JSON Schema of recipes, with which editors complete and check them."""
    load_engine()
    from kgan.runner import auto

    typer.echo(json.dumps(auto.json_schema(), indent=2))
