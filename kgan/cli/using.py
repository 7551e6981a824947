"""What a trained generator is used for."""

import pathlib
import tempfile
from typing import Annotated

import typer

from kgan.cli.common import Plugins, app, check_terminal, load_engine, out_console, say

RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="A run directory, a generator.keras, a preset such as digits, or hf://owner/name."
    ),
]
License = Annotated[str | None, typer.Option(help="The license of the generator, such as cc-by-4.0.")]
DataLicense = Annotated[str | None, typer.Option(help="What the images are, and under which license they may be used.")]


@app.command()
def sample(
    run: RunArgument,
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
    load_engine(plugin=plugin)
    from kgan.runner import display, sampling
    from kgan.runner.preset_files import find

    if str(out) == "-":
        _draw(run, n, seed, label)
        return
    sampling.form(out)
    say(sampling.write(find(run), n, seed, out, label, display.making(out_console)))


def _draw(run, n, seed, label):
    """Draw a grid of images in the terminal."""
    from kgan.runner import display, preview, sampling
    from kgan.runner.preset_files import find

    check_terminal("-o -")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "grid.png"
        sampling.write(find(run), n, seed, path, label, display.making(out_console))
        preview.show(path, out_console)


@app.command()
def apply(
    run: RunArgument,
    source: Annotated[pathlib.Path, typer.Argument(metavar="PICTURES", help="A picture, or a folder of pictures.")],
    out: Annotated[pathlib.Path, typer.Option("-o", "--out", help="The result: a picture, or a folder.")],
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Seed of the latents, if there are some.")] = 0,
    to: Annotated[str | None, typer.Option(help="Of two domains, that of the results: a or b.")] = None,
    plugin: Plugins = None,
):
    """Apply a generator that is given images to pictures of any size: translate, enlarge, fill, colour them."""
    load_engine(plugin=plugin)
    from kgan.runner import applying, display
    from kgan.runner.preset_files import find

    say(applying.apply(find(run), source, out, seed, display.making(out_console), to))


@app.command()
def export(
    run: RunArgument,
    to: Annotated[
        str, typer.Option(help="onnx, saved_model, litert, openvino or pt2; npz or safetensors for the weights alone.")
    ],
    out: Annotated[
        pathlib.Path | None, typer.Option("-o", "--out", help="The folder; RUN/exports/<format> by default.")
    ] = None,
    uint8: Annotated[
        bool, typer.Option("--uint8", help="Make pixels instead of numbers in [-1, 1], and take such for given images.")
    ] = False,
    domain: Annotated[str | None, typer.Option(help="Of two domains, that of the images: a or b.")] = None,
    plugin: Plugins = None,
):
    """Write a generator in the format of another program, with a script that runs it, and compare the two."""
    load_engine(plugin=plugin)
    from kgan.runner import exporting
    from kgan.runner.preset_files import find

    say(exporting.export(find(run), to, out, uint8, domain, plugin or ()))


@app.command()
def view(
    run: RunArgument,
    out: Annotated[pathlib.Path | None, typer.Option("-o", "--out", help="The file; RUN/view.html by default.")] = None,
    plugin: Plugins = None,
):
    """Write a web page in which the generator runs: one file, which needs no server and no network."""
    load_engine(plugin=plugin)
    from kgan.runner import exporting
    from kgan.runner.preset_files import find

    say(exporting.view(find(run), out, plugin or ()))


@app.command()
def card(
    run: Annotated[pathlib.Path, typer.Argument(metavar="RUN", help="A run directory.")],
    out: Annotated[pathlib.Path | None, typer.Option("-o", "--out", help="The file; RUN/README.md by default.")] = None,
    license: License = None,
    data_license: DataLicense = None,
):
    """Write a model card of a run: what it is, how it was trained, what it scored, how it is used."""
    load_engine()
    from kgan.runner import presets

    say(presets.write_card(run, out, license, data_license))


@app.command()
def push(
    run: Annotated[pathlib.Path, typer.Argument(metavar="RUN", help="The directory of a run that has ended.")],
    out: Annotated[pathlib.Path, typer.Argument(metavar="DIR", help="The folder of the preset.")],
    license: License = None,
    data_license: DataLicense = None,
    name: Annotated[
        str | None, typer.Option(help="How the card calls it, such as hf://owner/name; DIR by default.")
    ] = None,
    plugin: Plugins = None,
):
    """Write a preset: the generator, its recipe, a model card and checksums, in a folder that can be shared."""
    load_engine(plugin=plugin)
    from kgan.runner import presets

    say(presets.push(run, out, license, data_license, name))
