"""What the commands have in common: where they write, how they read a recipe, and how an engine is started."""

import importlib
import logging
import os
import pathlib
from typing import Annotated

import typer
from rich.console import Console

import kgan
from kgan.runner.errors import RecipeError

app = typer.Typer(
    help="Train GANs from recipes.", no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)
out_console = Console()
error_console = Console(stderr=True)


def _say_version(wanted: bool):
    if wanted:
        typer.echo(f"kgan {kgan.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and exit.")
    ] = False,
):
    """Train GANs from recipes."""


def complete_recipe(incomplete: str):
    from kgan.runner import recipes

    files = sorted(str(path) for path in pathlib.Path(".").glob("*.yaml"))
    return [name for name in [*recipes.shipped(), *files] if name.startswith(incomplete)]


RecipeArgument = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE", help="A shipped name, or the path of a .yaml file.", autocompletion=complete_recipe
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


wrong = RecipeError.about


def check_terminal(option):
    if not out_console.is_terminal:
        raise wrong(option, "draws in a terminal, and the output is not one")


def say(text):
    out_console.print(text, soft_wrap=True, highlight=False, markup=False)


def read(name, settings, plugin, resumed=None):
    load_engine(plugin=plugin)
    from kgan.runner import auto, recipes  # imported here, since plugins add to the schema

    given = recipes.read(name)
    if settings and isinstance(given.data, dict):
        recipes.override(given, settings)
    return auto.settle(given, resumed), given


def load_engine(devices=None, plugin=None):
    """Import Keras, its framework and plugins.

    TensorFlow writes to stderr during its import, with any setting of its log level.
    New layers have their channels last in this process, those of a plugin too, whatever keras.json says.

    Args:
        devices: Integer or `"all"`. The devices that a GAN is trained on.
        plugin: Paths of Python files, or `None`.

    Raises:
        RecipeError: if there is no such engine, or a plugin is not valid.
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
        importlib.import_module("kgan.backend")
    except (ImportError, ValueError) as error:
        named = os.environ.get("KERAS_BACKEND")
        said = f"{named or 'the engine that keras.json names'} cannot be used: {str(error).splitlines()[0]}."
        raise wrong("KERAS_BACKEND", f"{said} It must be tensorflow, jax or torch, and installed") from None
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    # TensorFlow warns of networks that are given batches of several sizes
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    keras.config.set_image_data_format("channels_last")
    for path in plugin or ():
        importlib.import_module("kgan.runner.plugins").load(path)
