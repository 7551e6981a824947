"""Images from a saved generator, in the format that the ending of the path means."""

import json
import re

import keras
import numpy as np
from PIL import Image

from kgan import conditions, examples, pictures
from kgan.arguments import lookup, nearest
from kgan.checkpoints import disk, signals
from kgan.files import LONGEST, folder_when_written, replace_when_written
from kgan.gan import GAN, load
from kgan.latents import get as sampler_of
from kgan.latents import seeds as seeds_of
from kgan.players.activation import image_range
from kgan.players.check import symbolic_inputs
from kgan.players.samples import Samples
from kgan.runner import loader, preset_files
from kgan.runner.errors import RecipeError

FRAME_PIXELS = 2**22  # of an animation, at most; all of its frames are in memory before they are written
STOPS, FRAMES = 6, 12  # of an animation: the number of latents, and of frames from one to the next


def form(out):
    """The format that a path means: `"npy"`, `"png"`, `"gif"` or `"folder"`.

    Raises:
        RecipeError: if it has another ending.
    """
    if out.suffix in (".npy", ".png", ".gif") and not out.is_dir():
        return out.suffix[1:]
    if out.suffix and not out.is_dir():
        message = f"must end in .npy, .png or .gif, or be a folder. Received: {out}"
        raise RecipeError.about("-o", message)
    if out.is_file():
        raise RecipeError.about("-o", f"{out} is a file, and its name does not end in .npy, .png or .gif")
    return "folder"


def write(run, n, seed, out, label=None, progress=None):
    """Write `n` images of a run, or of the generator in a file, to `out`, and return a sentence about what was written.

    For a run that has not ended, the newest checkpoint is used. `label` is the class of all images, its name or its number;
    a text that is both is the name. Without it the classes of a class-conditional run are drawn at random; in a grid there
    is one row for each class, and the images of a column share their latents. `progress` is a function
    `(iterable, total) -> iterable` that shows the progress.

    - `.npy`: a float32 array in [-1, 1].
    - `.png`: a grid; of points in the plane, a plot.
    - `.gif`: an animation of that grid, of at most 4 million pixels, in which each image moves through the latent space and
      returns to its start.
    - a folder: a PNG for each image, `000012.png`; with classes the name of the class is in its name, `000012-cat.png`.

    An array and a folder are written batch by batch, and appear when they are complete.

    Raises:
        RecipeError: if there is no generator, or `label` is not a valid class.
    """
    kind = form(out)
    if kind == "folder" and out.resolve() == run.resolve():
        message = f"{out} is the run directory itself; pictures belong into another folder, such as {out / 'pictures'}"
        raise RecipeError.about("-o", message)
    source = _Source(run, seed, label)
    if kind != "npy":
        try:
            pictures.check_drawable(source.shape, points=kind != "folder")
        except ValueError as error:
            raise RecipeError.about("-o", f"{out} cannot be written, but an .npy file can. {error}") from None
    out.parent.mkdir(parents=True, exist_ok=True)
    with signals.noted() as wishes:  # what is half written is deleted

        def until_asked(parts, total):
            for part in progress(parts, total) if progress else parts:
                yield part
                if wishes:
                    raise signals.Interrupted(128 + wishes[0])

        return _write(kind, source, n, out, until_asked)


def _write(kind, source, n, out, progress):
    columns, shown = None, np.arange(n)  # the index of each image's latents
    if kind in ("png", "gif") and source.label is None:
        columns, shown, source.label = source.condition.layout(n)
    count = int(shown.max()) + 1
    if kind == "gif":
        latents, labels = source.draw(count * STOPS, n)
        stops = latents.reshape(STOPS, count, -1)
        frames = (_drawn(source.images(noise[shown], labels), columns, FRAME_PIXELS) for noise in _walk(stops))
        pictures.film(progress(frames, STOPS * FRAMES), out)
        return f"{STOPS * FRAMES} frames of {n} images in {out}"
    latents, labels = source.draw(count, n)
    made = source.images(latents[shown], labels)
    parts = progress(made.parts(), -(-n // made.batch_size))
    if kind == "npy":
        with replace_when_written(out) as temporary, temporary.open("wb") as file:
            header = {"descr": made.dtype.str, "fortran_order": False, "shape": made.shape}
            np.lib.format.write_array_header_1_0(file, header)
            for part in parts:
                file.write(part.data)
    elif kind == "png":
        pictures.save(_drawn(made, columns, parts=parts), out)
    else:
        with folder_when_written(out) as temporary:
            for index, image in enumerate(image for part in parts for image in pictures.pixels(part)):
                Image.fromarray(image.squeeze()).save(temporary / source.file_name(index, labels))
    return f"{n} {'images' if n > 1 else 'image'} in {out}"


def _drawn(made, columns, most=None, parts=None):
    """A picture of `Samples`, of which a part at a time is in memory."""
    parts = parts or made.parts()
    if len(made.shape) == 2:  # points
        return pictures.picture(np.concatenate(list(parts)), columns)
    return pictures.grid_of(parts, len(made), made.shape[1:], columns, most=most)


def images_of(run, n, seed, label=None):
    """`n` images of a run, or of the generator in a file, as `Samples`. Raises as `write`.

    `label` is one class for all images, or an array of one for each.
    """
    source = _Source(run, seed, label)
    return source.images(*source.draw(n, n))


class _Source:
    """A generator, and its inputs.

    Attributes:
        condition: `kgan.conditions.Condition`.
        names: Names of the classes, in the order of their numbers; empty if they have none.
        shape: The shape of one example, a tuple.
        label: Like `labels` in `GAN.generate`.
    """

    def __init__(self, run, seed, label):
        self.generator, self.condition, _, latents = trained(run)
        self.seed, self.label = seed, label
        self.sampler = sampler_of(latents)
        if self.condition.gives_images:
            message = f"the generator of {run} is given images: use `kgan apply {run} pictures/ -o out/`"
            raise RecipeError.about("RUN", message)
        shape = getattr(self.generator, "input_shape", None) or self.generator.get_build_config()["input_shape"]
        conditional = isinstance(shape[0], list | tuple)
        if conditional != (self.condition.specs(self.generator) is not None):
            message = (
                f"the condition of the generator is not known: there is no resolved.yaml beside {run} that names it"
            )
            raise RecipeError.about("RUN", message)
        self.latent_dim = (shape[0] if conditional else shape)[-1]
        self.shape = tuple(self.generator(symbolic_inputs(self.generator, self.latent_dim, self.condition)).shape[1:])
        self.names = names_of(run, len(self.condition.classes))
        try:
            if isinstance(label, str):
                self.label = label = self._number(label)
            self.condition.draw(np.size(label) if np.ndim(label) else 1, label, seeds_of(seed))
        except ValueError as error:
            raise RecipeError.about("--label", str(error)) from None

    def _number(self, label):
        """The class of that name or number."""
        if label in self.names:
            return self.names.index(label)
        is_number = re.compile(r"-?\d+").fullmatch
        # where all names are numbers, a number is a name
        if is_number(label) and not (self.names and all(map(is_number, self.names))):
            return int(label)
        if not self.condition.classes:
            return label  # the condition knows what it is
        hint = (
            nearest(label, self.names)
            if self.names
            else f"They are the numbers 0 to {len(self.condition.classes) - 1}."
        )
        raise ValueError(f"there is no class {label!r}. {hint}")

    def file_name(self, index, given):
        """The name of an image's file, with its class."""
        if not self.condition.classes:
            return f"{index:06d}.png"
        number = int(given[index])
        return f"{index:06d}-{_in_a_name(self.names[number]) if self.names else number}.png"

    def draw(self, latents, images):
        """Draw this many latents, and the condition for this many images, as `GAN.generate` draws them."""
        seeds = seeds_of(self.seed)
        drawn = keras.ops.convert_to_numpy(self.sampler((latents, self.latent_dim), seeds))
        return drawn, self.condition.draw(images, self.label, seeds)

    def images(self, latents, given):
        return Samples(self.generator, latents, given, self.shape, condition=self.condition).standard()


def _in_a_name(text):
    """A text as a part of a file's name, on any system."""
    return re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]', "_", text)[:LONGEST]


def names_of(run, count):
    """The names of the classes of the run's data, if there are as many as that."""
    if (run / preset_files.INDEX).is_file():
        names = preset_files.classes(run)
        return names if len(names) == count else []
    path = (run if run.is_dir() else run.parent) / "environment.json"
    try:
        names = json.loads(path.read_text("utf-8"))["data"]["classes"]
    except (OSError, ValueError, KeyError, TypeError):  # a generator alone, or a run of another version
        return []
    return names if len(names) == count else []


def condition_of(recipe):
    """The condition of a resolved recipe, plain data."""
    try:
        chosen = dict(recipe.get("condition") or {})
        kind = lookup("condition", chosen.pop("name"), conditions.CONDITIONS) if chosen else None
        return conditions.get(kind and kind(**chosen), recipe.get("num_classes"))
    except (ValueError, TypeError) as error:  # of a plugin, or of another version
        raise RecipeError.about("RUN", f"its condition cannot be made again: {error}") from None


def newer_checkpoint(run):
    """The newest checkpoint of a run that has not ended, or was resumed since it had; otherwise `None`."""
    if not run.is_dir() or (run / preset_files.INDEX).is_file():  # a preset has none, whatever lies in its folder
        return None
    newest, path = disk.latest(run / "checkpoints")[0], run / "generator.keras"
    ended = newest and path.exists() and path.stat().st_mtime >= newest.stat().st_mtime
    return None if ended else newest


def generator_of(run):
    """Load the generator of a run directory, or of a file.

    Returns:
        The generator; and a dict with `latents` and `condition`, if it comes from a whole GAN, which knows them.

    Raises:
        RecipeError: if there is no generator.
    """
    if (run / preset_files.INDEX).is_file():
        preset_files.check(run)
    path = run / "generator.keras" if run.is_dir() else run
    newest = newer_checkpoint(run)
    try:
        if newest or path.is_file():
            model = load(newest or path)
            if not isinstance(model, GAN):
                return model, {}
            return model.sampling_generator, {"latents": model.latents, "condition": model.condition}
        message = f"{run} is not a run directory with a generator.keras or a checkpoint in it"
    except (ValueError, TypeError, OSError) as error:
        said = str(error).strip().splitlines()[0][:300]
        message = f"{newest or path} does not contain a generator that can be loaded: {said}"
    raise RecipeError.about("RUN", message) from None


def trained(run):
    """The generator of a run directory, or of a file, and what it was trained with.

    Returns:
        The generator; its `kgan.conditions.Condition`; the size of its latents, or `None` if it takes none; and their
        distribution, a name or a function.

    Raises:
        RecipeError: if there is no generator.
    """
    generator, known = generator_of(run)
    recipe = recipe_of(run)
    condition = known.get("condition") or condition_of(recipe)
    shapes = [one.shape for one in getattr(generator, "inputs", None) or ()]
    latent_dim = recipe.get("latent_dim")
    if not condition.gives_images and shapes:
        latent_dim = shapes[0][-1]
    return generator, condition, latent_dim, known.get("latents", recipe.get("latents", "normal"))


def latents_of(latent_dim, latents, n, seed):
    """Latents `(n, latent_dim)` of a generator that is given images too, or `None` if it takes none."""
    if latent_dim is None:
        return None
    return keras.ops.convert_to_numpy(sampler_of(latents)((n, latent_dim), seeds_of(seed)))


def translations_of(run, condition, real, given, seed, to=None):
    """What the generator of a run makes of what it is given for some real images, `kgan.players.samples.Samples`."""
    generator, _, latent_dim, distribution = trained(run)
    generator, condition = condition.one_way(generator, to)
    prepared = examples.prepared(condition, given, real, image_range(generator))
    latents = latents_of(latent_dim, distribution, len(prepared), seed)
    shape = tuple(generator.outputs[0].shape[1:])
    return Samples(generator, latents, prepared, shape, 16, condition).standard()


def recipe_of(run):
    """The resolved recipe of the run as plain data; empty if it is not known."""
    resolved = (run if run.is_dir() else run.parent) / "resolved.yaml"
    found = loader.load(resolved.read_text("utf-8"), str(resolved))[0] if resolved.is_file() else {}
    if not isinstance(found, dict):
        raise RecipeError.about("RUN", f"{resolved} is not a recipe")
    return found


def _walk(stops):
    """Latents along great circles from stop to stop and back to the first. Two normal vectors have nearly the same length;
    the straight line between them passes through shorter vectors, which the generator never received in training.
    """
    for begin, end in zip(stops, np.roll(stops, -1, axis=0), strict=True):
        cosine = np.sum(begin * end, axis=-1, keepdims=True)
        cosine = cosine / (np.linalg.norm(begin, axis=-1, keepdims=True) * np.linalg.norm(end, axis=-1, keepdims=True))
        angle = np.arccos(np.clip(cosine, -1 + 1e-6, 1 - 1e-6))
        for share in np.arange(FRAMES) / FRAMES:
            yield (np.sin((1 - share) * angle) * begin + np.sin(share * angle) * end) / np.sin(angle)
