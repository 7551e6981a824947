"""What docs/images_to_images.md shows: each task with the GAN and with its terms alone, three seeds of each.

python -m docs.translations commands FOLDER    # prints the trainings, of OpenMoji's pairs and of CIFAR-10 in folders
python -m docs.translations pages FOLDER       # from their runs: tables and grids, in docs/images_to_images/

FOLDER/outlines/gan/0 is the run of seed 0 with the GAN, FOLDER/outlines/terms/0 that with the terms alone.
"""

import pathlib
import shlex
import sys

import keras
import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage

from docs.score_pages import command_of
from kgan import metrics, pictures, scores
from kgan.compare import comparison
from kgan.data.spread import positions
from kgan.examples import prepared
from kgan.runner import build, recipe_data, recipes, sampling, schema

OUT = pathlib.Path(__file__).parent / "images_to_images"
SEEDS = (0, 1, 2)
COLUMNS = 10
VALUES = ("l1", "psnr", "ssim", "sharpness", "colorfulness", "frechet_distance")
ALONE = "--plugin docs/examples/without_adversary.py --set loss=without_adversary"
FOR_ALL = (
    "--set 'callbacks=[{{name: score, metric: [" + ", ".join(VALUES) + "], "
    "every: 100000 steps, samples: {samples}, real: {samples}}}, "
    "{{name: image_grid, every: 200 steps, rows: 4, columns: 9}}]'"
)
SMALL = "generator.blocks=1", "generator.filters=24", "generator.growth=12", "data.batch_size=16"
RATE = "{name: linear, start: 5e-4, end: 0, steps: 2000}"
TASKS = {
    "outlines": (
        "pix2pix --set data.path=openmoji/",
        ("data.size=64", "data.resize=null", "data.batch_size=16", "data.validation_split=0.1", "schedule=simultaneous",
         "generator.filters=24", "generator.norm=batch", "discriminator.norm=batch", "discriminator.filters=32",
         "discriminator.receptive_field=34", "steps=1500"),
        400,
    ),
    "super-resolution": (
        "super-resolution --set data.path=cifar/",
        (*SMALL, "ema=0.99", "steps=2000",
         *(f"optimizers.{player}.learning_rate={RATE}" for player in ("generator", "discriminator"))),
        1000,
    ),
    "inpainting": ("inpainting --set data.path=cifar/", ("ema=0.99", "steps=500"), 1000),
    "colorize": ("colorize --set data.path=cifar/", ("ema=0.99", "steps=1500"), 1000),
}  # fmt: skip


def commands(folder):
    for task, (recipe, settings, samples) in TASKS.items():
        for side, extra in (("gan", ""), ("terms", f" {ALONE}")):
            for seed in SEEDS:
                words = " ".join(f"--set {shlex.quote(one)}" for one in (*settings, f"seed={seed}"))
                out = f"{folder / task / side / str(seed)}"
                print(f"kgan train {recipe} {words} {FOR_ALL.format(samples=samples)}{extra} --out {out}")


def held_out(run):
    """A run's condition, and the pairs that it was not trained on, as arrays."""
    given = recipes.read(run / "resolved.yaml")
    recipe = schema.validate(given)
    _, found = recipe_data.held_out(recipe, given, recipe_data.load_data(recipe, given))
    chosen = positions(len(found.images), TASKS[run.parent.parent.name][2])
    sources = None if found.given is None else np.asarray(found.given[chosen])
    return build.condition_of(recipe), sources, np.asarray(found.images[chosen])


def naive(task, given, real):
    """The name of what needs no training, and its images, floats in [-1, 1]."""
    if task == "super-resolution":
        resized = keras.ops.image.resize(given, real.shape[1:3], interpolation="bicubic", antialias=False)
        return "bicubic", np.clip(keras.ops.convert_to_numpy(resized), -1, 1)
    if task == "inpainting":  # the nearest pixel that is there
        images, holes = given[..., :3], given[..., 3] > 0
        nearest = [ndimage.distance_transform_edt(hole, return_distances=False, return_indices=True) for hole in holes]
        return "the nearest pixel", np.stack([one[tuple(at)] for one, at in zip(images, nearest, strict=True)])
    return {"colorize": "grey", "outlines": "the outlines"}[task], np.broadcast_to(given, real.shape)


def measured(real, made):
    """The scores of pairs as those of runs: means, and ratios for sharpness and colourfulness."""
    real, made = pictures.pixels(real), pictures.pixels(made)
    # without the pairs that are equal, whose PSNR is infinite
    of_pairs = [np.ma.masked_invalid(getattr(metrics, name)(real, made)) for name in ("l1", "psnr", "ssim")]
    found = [float(values.mean()) for values in of_pairs]
    ratio = [
        float(np.mean(getattr(metrics, name)(made)) / np.mean(getattr(metrics, name)(real)))
        for name in ("sharpness", "colorfulness")
    ]
    return [f"{value:.4g}" for value in (*found, *ratio)]


def page(task, folder):
    runs = {side: [folder / task / side / str(seed) for seed in SEEDS] for side in ("terms", "gan")}
    condition, sources, images = held_out(runs["gan"][0])
    made = {side: sampling.translations_of(runs[side][0], condition, images, sources, 0)[:] for side in runs}
    given, real = prepared(condition, sources, images, (-1.0, 1.0)), pictures.floats(images)
    name, cheap = naive(task, given, real)
    rows = [["score", name, "terms alone", "GAN", "difference, 95 % interval", "better"]]
    base = [*measured(real, cheap), "-"]
    for value, of_cheap in zip(VALUES, base, strict=True):
        series = comparison.collect_all([runs["terms"], runs["gan"]], value)
        result = comparison.compare(["terms alone", "GAN"], series, value)
        means = [f"{side['mean']:.4g}" for side in result["sides"]]
        low, high = result["interval"]
        title = value.replace("_", " ")
        rows.append([title, of_cheap, *means, f"{result['difference']:+.3g} ({low:.3g} to {high:.3g})",
                     result["better"] or "no difference shown"])  # fmt: skip
    rows.insert(1, ["---"] * len(rows[0]))
    seconds = np.mean([scores.read(run / "scores.jsonl")[-1].where["seconds"] for run in runs["gan"]])
    text = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    said = f"The command is that of the GAN with the first of {len(SEEDS)} seeds. "
    said += f"A training took {seconds / 60:.1f} minutes with the GAN on one core of two."
    OUT.mkdir(exist_ok=True)
    command = command_of(runs["gan"][0])
    (OUT / f"{task}.md").write_text(f"```\n{command}\n```\n\n{text}\n\n{said}\n", "utf-8")
    shown = condition.drawn(given)
    thumbnail(OUT / f"{task}-thumbnail.png", *pictures.in_one_form(shown, made["gan"], real))
    first = {} if name in ("grey", "the outlines") else {"given": shown}  # they are what is given
    grid(OUT / f"{task}.png", {**first, name: cheap, "terms alone": made["terms"],
                               "GAN": made["gan"], "real": real})  # fmt: skip


def thumbnail(path, *rows):
    """Two examples as they are in grids: given, generated, real."""
    examples = [np.stack([row[number] for row in rows]) for number in (0, len(rows[0]) // 2)]
    image = Image.fromarray(pictures.grid(np.concatenate(examples), columns=len(rows)))
    image.resize((240, 240 * image.height // image.width), Image.Resampling.NEAREST).save(path, optimize=True)


def grid(path, rows, side=64):
    """Rows of the first images, each row with its name."""
    left = 110
    canvas = Image.new("RGB", (left + COLUMNS * (side + 2), len(rows) * (side + 2)), "white")
    for row, (name, images) in enumerate(rows.items()):
        ImageDraw.Draw(canvas).text((4, row * (side + 2) + side // 2 - 6), name, fill="black")
        for column, image in enumerate(
            pictures.pixels(np.asarray(images)[:: max(1, len(images) // COLUMNS)][:COLUMNS])
        ):
            image = image.squeeze(-1) if image.shape[-1] == 1 else image
            shown = Image.fromarray(image).convert("RGB").resize((side, side), Image.Resampling.NEAREST)
            canvas.paste(shown, (left + column * (side + 2), row * (side + 2)))
    canvas.save(path, optimize=True)


if __name__ == "__main__":
    what, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if what == "commands":
        commands(folder)
    else:
        for task in sys.argv[3:] or TASKS:
            page(task, folder)
