"""Presets: what of a run is worth sharing, written and used."""

import copy
import json
import pathlib
import shutil

import yaml

import kgan
from kgan.files import check_replaceable, checksums, folder_when_written, replace_when_written
from kgan.generating import Generating
from kgan.latents import get
from kgan.players.activation import image_range
from kgan.report import card, contents
from kgan.runner import plugins as user_code
from kgan.runner.errors import RecipeError
from kgan.runner.preset_files import CARD, FORMAT, INDEX, NEIGHBOURS, PICTURE, find, refused
from kgan.runner.resolved import change_paths
from kgan.runner.sampling import condition_of, names_of, newer_checkpoint, recipe_of, trained


class Pretrained(Generating):
    """A trained generator with what it needs to make images. It makes them as a `kgan.GAN` does, and cannot be trained.

    Attributes:
        generator: `keras.Model`.
        condition: `kgan.conditions.Condition`: what images depend on besides latents.
        latent_dim: Integer, or `None` without latents.
        latents: Their distribution, a name or a function.
        classes: Names of the classes, an empty list if they have none.
        image_range: Pair of floats, the range of its images.
    """

    def __init__(self, generator, condition, latent_dim, latents, classes):
        self.generator = self.sampling_generator = generator
        self.condition, self.latent_dim, self.latents, self.classes = condition, latent_dim, latents, classes
        self._sample = get(latents)
        self.image_range = image_range(generator)
        self.image_shape = tuple(generator.outputs[0].shape[1:])

    def sync(self):
        """Nothing is trained."""


def from_preset(where, plugins=()):
    """A trained generator, which makes images with `generate`, or with `translate` where it is given some.

    Example:

    >>> kgan.from_preset("digits").generate(4, seed=0).shape
    (4, 8, 8, 1)

    Args:
        where: The name of a preset that kgan brings, such as `"digits"`; the path of a preset, a run directory or a
            `generator.keras`; or `"hf://owner/name"`, a repository on the Hugging Face Hub.
        plugins: Paths of Python files with the layers of your own that the generator has.

    Returns:
        A `Pretrained`, with the methods of a `kgan.GAN` that make images: `generate`, `translate` and others.

    Raises:
        ValueError: if there is no such preset, or a file of it is not what `preset.json` says.
    """
    for plugin in plugins:
        user_code.load(plugin)
    run = find(where)
    generator, condition, latent_dim, latents = trained(run)
    return Pretrained(generator, condition, latent_dim, latents, names_of(run, len(condition.classes)))


def push(run, out, license=None, data_license=None, name=None):
    """Write a preset of a run.

    Args:
        run: Path of a run directory that has ended.
        out: Path of the folder.
        license, data_license: As in `kgan.report.card`.
        name: How the card's commands call it, such as `hf://owner/name`; by default the name of the folder.

    Returns:
        A sentence about it.

    Raises:
        RecipeError: if the run has no generator yet.
    """
    ended = (run / "generator.keras").is_file() and (run / "resolved.yaml").is_file()
    if not ended or newer_checkpoint(run):
        raise refused(f"{run} is not a run that has ended: its generator.keras is missing or older than a checkpoint")
    try:
        check_replaceable(out, INDEX)
    except ValueError as error:
        raise RecipeError.about("DIR", str(error)) from None
    _, condition, *_ = trained(run)  # refuses what could not be loaded again
    recipe, found = recipe_of(run), contents.read(run)
    out.parent.mkdir(parents=True, exist_ok=True)
    with folder_when_written(out) as folder:
        shutil.copyfile(run / "generator.keras", folder / "generator.keras")
        (folder / "resolved.yaml").write_text(yaml.safe_dump(_public(recipe), sort_keys=False), "utf-8")
        shown = {}
        for key, paths, target in (
            ("grid", found.grids[-1:], PICTURE),
            ("neighbours", found.neighbours[:1], NEIGHBOURS),
        ):
            for path in paths:
                shutil.copyfile(path, folder / target)
                shown[key] = target
        text = card(found, recipe, condition, name or out.resolve().name, shown, license, data_license)
        (folder / CARD).write_text(text, "utf-8")
        index = {
            "preset": FORMAT,
            "kgan": kgan.__version__,
            "classes": names_of(run, len(condition.classes)),
            "files": checksums(folder),
        }
        (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", "utf-8")
    size = sum(path.stat().st_size for path in out.iterdir()) / 1000
    return f"{out}: {', '.join(sorted(path.name for path in out.iterdir()))}, {size:,.0f} kB"


def _public(recipe):
    """A recipe without the folders of the machine that it was trained on."""
    recipe = copy.deepcopy({**recipe, "callbacks": []})
    change_paths(recipe, lambda path: pathlib.PurePath(path).name)
    return recipe


def write_card(run, out=None, license=None, data_license=None):
    """Write the model card of a run, `README.md` in it by default, and return a sentence about it.

    Raises:
        RecipeError: if it is not a run directory, or there is no folder for the file.
    """
    if not (run / "resolved.yaml").is_file():
        raise refused(f"{run} is not a run directory")
    out = out or run / CARD
    if not out.absolute().parent.is_dir():
        raise RecipeError.about("--out", f"there is no folder {out.parent} for {out.name}")
    with_pictures: dict | None = None if out.absolute().parent == run.absolute() else {}
    if (out.absolute().parent / INDEX).is_file():
        raise refused(f"{out} belongs to a preset, whose checksums it would break: `kgan push` writes it again")
    recipe, name = recipe_of(run), run.resolve().name
    text = card(contents.read(run), recipe, condition_of(recipe), name, with_pictures, license, data_license)
    with replace_when_written(out) as temporary:
        temporary.write_text(text, "utf-8")
    return f"{out}: {len(text) / 1000:,.1f} kB"
