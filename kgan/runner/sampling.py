"""Images from a saved generator, in the form that the ending of the path asks for."""

import keras
import numpy as np

from kgan import checkpoints, latents, pictures
from kgan.gan import load
from kgan.runner import loader
from kgan.runner.errors import Problem, RecipeError
from kgan.saving import replace_when_written

STOPS, FRAMES = 6, 12  # of a walk: so many latents, and so many frames from one to the next


def form(out):
    """`"npy"`, `"png"`, `"gif"` or `"folder"`, as the path says.

    Raises:
        RecipeError: if its ending is another one.
    """
    if out.suffix in (".npy", ".png", ".gif") and not out.is_dir():
        return out.suffix[1:]
    if out.suffix and not out.is_dir():
        message = f"must end in .npy, .png or .gif, or be a folder. Received: {out}"
        raise RecipeError("-o", [Problem((), message)])
    if out.is_file():
        raise RecipeError("-o", [Problem((), f"{out} is a file, and no .npy, .png or .gif")])
    return "folder"


def write(run, n, seed, out):
    """Write `n` images of a run, or of the generator in a file, to `out`, and return what was written, in words.

    A run that has not ended yet gives those of its newest checkpoint.

    - `.npy`: a float32 array in [-1, 1].
    - `.png`: a grid; of points in the plane, a plot.
    - `.gif`: a film of that grid, in which each image walks through the latents and comes back to where it began.
    - a folder: a PNG for each.

    Raises:
        RecipeError: if there is no generator.
    """
    kind = form(out)
    draw, images = _source(run, seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    if kind == "gif":
        stops = draw(n * STOPS).reshape(STOPS, n, -1)
        frames = [pictures.picture(images(noise)) for noise in _walk(stops)]
        pictures.film(frames, out)
        return f"{len(frames)} frames of {n} images in {out}"
    made = images(draw(n))
    if kind == "npy":
        with replace_when_written(out) as temporary:
            np.save(temporary, made)
    elif kind == "png":
        pictures.save(pictures.picture(made), out)
    else:
        for index, image in enumerate(made):
            pictures.save(pictures.pixels(image[None])[0].squeeze(), out / f"{index:06d}.png")
    return f"{n} images in {out}"


def images_of(run, n, seed):
    """`n` images of a run, or of the generator in a file, as a float32 array in [-1, 1]. Raises as `write`."""
    draw, images = _source(run, seed)
    return images(draw(n))


def _source(run, seed):
    """Functions from a number to latents, and from latents to images."""
    generator = generator_of(run)
    sampler = latents.get(_latents(run))

    def draw(count):
        shape = (count, generator.input_shape[-1])
        return keras.ops.convert_to_numpy(sampler(shape, keras.random.SeedGenerator(seed)))

    return draw, lambda noise: generator.predict(noise, batch_size=256, verbose=0).astype("float32")


def generator_of(run):
    """Load the generator of a run directory, or of a file.

    Raises:
        RecipeError: if there is none.
    """
    path = run / "generator.keras" if run.is_dir() else run
    newest = checkpoints.latest(run / "checkpoints")[0] if run.is_dir() and not path.exists() else None
    try:
        if newest:
            gan = load(newest)
            return gan.generator if gan.ema_generator is None else gan.ema_generator
        if path.is_file():
            model = load(path)
            return model if not hasattr(model, "ema_generator") else model.ema_generator or model.generator
        message = f"{run} is no run directory with a generator.keras or a checkpoint in it"
    except (ValueError, TypeError, OSError) as error:
        message = f"{newest or path} holds no generator that can be loaded: {str(error).strip().splitlines()[0][:300]}"
    raise RecipeError("RUN", [Problem((), message)]) from None


def _latents(run):
    """The name of the latents that the run was trained with."""
    resolved = (run if run.is_dir() else run.parent) / "resolved.yaml"
    data = loader.load(resolved.read_text("utf-8"), str(resolved))[0] if resolved.is_file() else {}
    return data.get("latents", "normal")


def _walk(stops):
    """Latents along great circles from stop to stop and back to the first: between two normal vectors, which have nearly the
    same length, the straight line passes through shorter ones, which the generator never saw.
    """
    for begin, end in zip(stops, np.roll(stops, -1, axis=0), strict=True):
        cosine = np.sum(begin * end, axis=-1, keepdims=True)
        cosine = cosine / (np.linalg.norm(begin, axis=-1, keepdims=True) * np.linalg.norm(end, axis=-1, keepdims=True))
        angle = np.arccos(np.clip(cosine, -1 + 1e-6, 1 - 1e-6))
        for share in np.arange(FRAMES) / FRAMES:
            yield (np.sin((1 - share) * angle) * begin + np.sin(share * angle) * end) / np.sin(angle)
