"""Pictures from pictures: a run's generator, applied to files of any size."""

import collections
import pathlib

import numpy as np
from PIL import Image

from kgan import pictures
from kgan.data import formats
from kgan.data.fitting import on_white, upright
from kgan.data.names import files_in
from kgan.data.picture_file import UnreadableError, opened
from kgan.files import replace_when_written
from kgan.players.activation import image_range
from kgan.players.any_size import AnySize
from kgan.runner import display, sampling
from kgan.runner.errors import RecipeError

WITH_OPACITY = ("PNG", "WEBP", "TIFF", "JPEG2000", "AVIF")


def apply(run, source, out, seed=0, progress=None, to=None):
    """Apply the generator of a run to a picture, or to all pictures in a folder, and return a sentence about it.

    A result has the name of its picture, and its size (times the factor of a super-resolution); transparent parts stay so. A
    format that Pillow cannot write, or that has no place for colours or opacity, becomes PNG.

    Args:
        run: Path of a run directory, or of a generator in a file.
        source: Path of a picture, or of a folder.
        out: Path of the result: of a picture, or of a folder.
        seed: Integer. Seed of the latents, if the generator takes some.
        progress: Function `(iterable, total) -> iterable` that shows the progress.
        to: The domain of the results, `"a"` or `"b"`, for a run of two domains.

    Raises:
        RecipeError: if the generator is not given images, there is no picture, or the output is not valid.
    """
    generator, condition, latent_dim, distribution = sampling.trained(run)
    if not condition.gives_images:
        raise RecipeError.about("RUN", f"the generator of {run} is not given images; use `kgan sample`")
    try:
        generator, condition = condition.one_way(generator, to)
    except ValueError as error:
        raise RecipeError.about("--to", str(error)) from None
    formats.register()
    one = source.is_file()
    if not one and not source.is_dir():
        raise RecipeError.about("PICTURES", f"there is no file or folder {source}")
    skipped: dict[str, list[pathlib.Path]] = {}
    files = [source] if one else files_in(source, skipped)
    if not one and (out.is_file() or out.resolve().is_relative_to(source.resolve())):
        raise RecipeError.about("-o", f"must be a folder outside of that of the pictures. Received: {out}")
    if one and out.is_dir():
        out = out / source.name
    if one and out.resolve() == source.resolve():
        raise RecipeError.about("-o", f"must not be the picture itself. Received: {out}")
    if one and _format(out) not in Image.SAVE:
        raise RecipeError.about("-o", f"must end like a picture, such as .png. Received: {out}")
    latents = sampling.latents_of(latent_dim, distribution, 1, seed)
    translated = AnySize(generator, condition, latents)
    written = 0
    alike = collections.Counter(path.with_suffix("") for path in files)
    shown = progress or (lambda iterable, total: iterable)
    for path in shown(files, len(files)):
        try:
            with opened(path) as picture:
                seen = upright(picture)
            made = _translated(seen, translated)
        except (UnreadableError, ValueError) as error:  # a ValueError says what the condition misses in the picture
            reason = error.reason if isinstance(error, UnreadableError) else str(error)
            if one:
                raise RecipeError.about("PICTURES", f"{path}: {reason}") from None
            skipped.setdefault(reason, []).append(path)
            continue
        target = out if one else _name(made, out / path.relative_to(source), alike[path.with_suffix("")] == 1)
        _save(made, target)
        written += 1
    if not written:
        why = f": {display.reasons(skipped)}" if skipped else ""
        raise RecipeError.about("PICTURES", f"{source} contains no picture that can be used{why}")
    said = f"{written:,} {'picture' if written == 1 else 'pictures'} in {out}."
    return f"{said} Skipped {display.reasons(skipped)}." if skipped else said


def _translated(picture, translated):
    """The generator's picture for a picture, with its opacity."""
    opacity = None
    if picture.has_transparency_data:
        opacity = picture.convert("RGBA").getchannel("A")
    pixels = np.asarray(on_white(picture).convert("RGB"))
    given = translated.condition.of_picture(
        pixels, None if opacity is None else np.asarray(opacity), translated.channels
    )
    made = translated(given)[None]
    made = pictures.pixels(pictures.standard(made, image_range(translated.model)))[0]
    result = Image.fromarray(made[..., 0] if made.shape[-1] == 1 else made)
    if opacity is not None and translated.condition.keeps_opacity and result.mode in ("L", "RGB"):
        result.putalpha(
            opacity if opacity.size == result.size else opacity.resize(result.size, Image.Resampling.BICUBIC)
        )
    return result


def _format(path):
    """The format that the name of a file says, as Pillow calls it, or `None`."""
    return Image.registered_extensions().get(path.suffix.lower())


def _name(picture, path, alone):
    """The path for a picture, that of a PNG if its own format has no place for it.

    If pictures differ in the ending alone, that is `a.gif.png`, and not another one's `a.png`.
    """
    if _format(path) in Image.SAVE and (_format(path) in WITH_OPACITY or picture.mode not in ("LA", "RGBA")):
        return path
    return path.with_suffix(".png") if alone else path.with_name(f"{path.name}.png")


def _save(picture, path):
    """Write a picture in the format that its name says, on white where that has no opacity."""
    kind = _format(path)
    if picture.mode in ("LA", "RGBA") and kind not in WITH_OPACITY:
        picture = on_white(picture).convert("RGB")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_when_written(path) as temporary:
        picture.save(temporary, kind, **({"quality": 95} if kind in ("JPEG", "WEBP") else {}))
