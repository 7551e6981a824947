"""A run's generator in the format of another program."""

import contextlib
import pathlib

from kgan import exports
from kgan import view as page
from kgan.runner.errors import RecipeError, RunError
from kgan.runner.preset_files import INDEX
from kgan.runner.sampling import names_of, trained


def export(run, to, out=None, uint8=False, domain=None, plugins=()):
    """Export the generator of a run directory, or of a file, and return a sentence about it.

    Args:
        run: Path of a run directory, or of a generator in a file.
        to, uint8, domain, plugins: As in `kgan.export`.
        out: Path of the folder; `exports/<to>` in the run directory, beside the file, or here for a preset, by default.

    Raises:
        RecipeError: if there is no generator, or an argument is not valid.
        RunError: if the conversion fails, or the export makes other images than the generator.
    """
    out = out or _home(run) / "exports" / to
    generator, condition, latent_dim, latents = trained(run)
    with _in_a_sentence("export"):
        record = exports.export_generator(generator, condition, latent_dim, latents, out, to, uint8, domain, plugins)
    compared = record["compared"]
    size = sum(one["bytes"] for one in record["files"].values()) / 1000
    if "arrays" in compared:
        return f"{out}: {compared['arrays']} arrays of weights, {size:,.0f} kB, equal to the generator's"
    said = f"{out}: {', '.join(one['name'] for one in record['inputs'])} -> images, {size:,.0f} kB. "
    said += f"Compared on {compared['inputs']} inputs: at most {compared['largest_difference']:.2g} apart"
    return said + (f", {compared['equal_pixels']:.2%} of the pixels equal" if "equal_pixels" in compared else "")


def view(run, out=None, plugins=()):
    """Write a page in which the generator of a run runs, and return a sentence about it.

    Args:
        run: Path of a run directory, or of a generator in a file.
        out: Path of the file; `view.html` in the run directory, beside the file, or here for a preset, by default.
        plugins: As in `kgan.export`.

    Raises:
        RecipeError: if there is no generator, or none that a page can show.
        RunError: if the conversion fails.
    """
    out = out or _home(run) / "view.html"
    if not out.absolute().parent.is_dir():
        raise RecipeError.about("--out", f"there is no folder {out.parent} for {out.name}")
    generator, condition, latent_dim, latents = trained(run)
    names = names_of(run, len(condition.classes))
    title = run.resolve().name if run.is_dir() else run.stem
    with _in_a_sentence("view"):
        page.write(generator, condition, latent_dim, latents, out, title, names, plugins)
    return f"{out}: {out.stat().st_size / 1000:,.0f} kB"


def _home(run):
    """Where files about a run belong; a preset is complete, and may be a part of kgan."""
    if (run / INDEX).is_file():
        return pathlib.Path(".")
    return run if run.is_dir() else run.parent


@contextlib.contextmanager
def _in_a_sentence(command):
    try:
        yield
    except ValueError as error:
        raise RecipeError.about(command, str(error)) from None
    except exports.ExportError as error:
        raise RunError(f"{error}. Nothing was written.") from None
