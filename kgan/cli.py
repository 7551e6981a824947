"""The command line. Frameworks are loaded by the commands that need one, so that help and lists answer at once."""

import importlib
import json
import os
import pathlib
import signal
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from kgan.runner.errors import RecipeError, RunError

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
        "--plugin", metavar="FILE.py", help="Run this code of yours, and let the recipe name what it defines."
    ),
]


def _read(name, settings, plugin):
    _load_engine()
    from kgan.runner import plugins, recipes

    for path in plugin or ():
        plugins.load(path)
    from kgan.runner import schema  # made of what is known by now

    given = recipes.read(name)
    if settings and isinstance(given.data, dict):
        recipes.override(given, settings)
    return schema.check(given), given


def _load_engine():
    """Import Keras and its framework; TensorFlow writes to stderr while it is imported, whatever it is told."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    error_console.file.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        importlib.import_module("keras")
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _say(text):
    out_console.print(text, soft_wrap=True, highlight=False, markup=False)


@app.command()
def train(
    recipe: RecipeArgument,
    set: Settings = None,
    plugin: Plugins = None,
    out: Annotated[pathlib.Path | None, typer.Option(help="The run directory; runs/<recipe>-0001 by default.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out, exactly where it was.")
    ] = False,
    allow_changes: Annotated[
        bool, typer.Option("--allow-changes", help="Resume although the recipe is no longer the same.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Build all of it, train for two steps, write nothing.")
    ] = False,
):
    """Train a recipe."""
    checked, given = _read(recipe, set, plugin)
    from kgan.runner import run

    if dry_run:
        run.try_out(checked, given, out, out_console)
        return
    directory = run.train(checked, given, out, out_console, resume, allow_changes)
    _say(f"Done. In {directory}: {', '.join(sorted(path.name for path in directory.iterdir()))}")


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
    from kgan.runner import schema

    typer.echo(json.dumps(schema.json_schema(), indent=2))


@app.command()
def sample(
    run: Annotated[pathlib.Path, typer.Argument(metavar="RUN", help="A run directory, or a generator.keras.")],
    out: Annotated[
        pathlib.Path, typer.Option("-o", "--out", help="Where to: x.npy, grid.png, film.gif or folder/.")
    ] = pathlib.Path("grid.png"),
    n: Annotated[int, typer.Option("-n", min=1, help="How many images.")] = 64,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="The same seed gives the same images.")] = 0,
):
    """Generate images with what a run has learned: an array, a grid, a film of a walk through the latents, or files."""
    _load_engine()
    from kgan.runner import sampling

    sampling.form(out)
    _say(sampling.write(run, n, seed, out))


def main():
    """Entry point: errors of the user's end in one sentence each and exit code 2, other troubles of a run in 1."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)
    try:
        app()
    except (RecipeError, RunError, OSError, FloatingPointError) as error:
        said = str(error)
        if isinstance(error, OSError) and error.strerror:
            said = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        for line in said.splitlines():
            error_console.print(line, style="red", soft_wrap=True, highlight=False, markup=False)
        raise SystemExit(2 if isinstance(error, RecipeError) else 1) from None


def _leave(number, frame):
    os._exit(128 + number)  # an exception could be swallowed by what is being imported; `fit` handles signals itself
