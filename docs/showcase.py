"""The pictures and figures of a recipe's page in the documentation, from a run of it.

python -m docs.showcase runs/dense-0001

writes docs/recipes/dense/: grids.png, three stages of the same latents; losses.png; thumbnail.png; and facts.md, a table
that the page includes.
"""

import json
import pathlib
import re
import shlex
import shutil
import sys
import tempfile

import numpy as np
from PIL import Image, ImageDraw

from kgan import data, scores
from kgan.runner import display, loader, sampling
from kgan.runner.recipe_data import LOADED_LATER
from tests import quality

SAMPLES = 10_000


def stages(run, out):
    """The first, a middle and the last grid of a run beside each other, with the names of their files below."""
    files = sorted((run / "samples").glob("*-*.png"))
    chosen = [files[0], files[round((len(files) - 1) / 4)], files[-1]]
    pictures = [Image.open(file).convert("RGB") for file in chosen]
    width, height = pictures[0].size
    across = width < 1.5 * height  # beside each other, or wide ones below each other
    step = (width + 12, 0) if across else (0, height + 30)
    canvas = Image.new("RGB", (width + 2 * step[0], height + 18 + 2 * step[1]), "white")
    for index, (file, picture) in enumerate(zip(chosen, pictures, strict=True)):
        left, top = index * step[0], index * step[1]
        canvas.paste(picture, (left, top))
        unit, number = file.stem.split("-")
        ImageDraw.Draw(canvas).text((left + 2, top + height + 3), f"{unit} {int(number)}", fill="black")
    canvas.save(out, optimize=True)


def thumbnail(run, out):
    """The corner of the last grid, two rows of four images; all of a plot."""
    picture = Image.open(sorted((run / "samples").glob("*-*.png"))[-1]).convert("RGB")
    recipe = loader.load((run / "resolved.yaml").read_text(), "resolved.yaml")[0]
    shape = json.loads((run / "environment.json").read_text())["data"]["shape"][1:]
    if len(shape) == 3:
        grid = next(one for one in recipe["callbacks"] if one["name"] == "image_grid")
        cell = (picture.width - 2) // grid["columns"]
        picture = picture.crop((0, 0, 2 + 4 * cell, 2 + 2 * cell))
        picture = picture.resize((240, 240 * picture.height // picture.width))
    else:
        picture = picture.resize((120, 120))
    picture.save(out, optimize=True)


def figures(run, recipe):
    """Rows of what an independent judge says of images that the run's generator makes."""
    with tempfile.TemporaryDirectory() as folder:
        samples = 26_000 if recipe["data"]["name"] == "stacked_mnist" else SAMPLES
        sampling.write(run / "generator.keras", samples, 0, pathlib.Path(folder) / "x.npy")
        images = np.load(pathlib.Path(folder) / "x.npy")
    found = recipe["data"]
    if found["name"] in ("ring", "grid", "stacked_mnist"):
        real = data.load(**{key: value for key, value in found.items() if key not in LOADED_LATER})
        scorer = scores.Scorer(real.images, real.labels, name=found["name"])
        name = "mode_coverage" if found["name"] == "stacked_mnist" else "gaussian_modes"
        modes, other = scorer(images, name)
        total = int(real.labels.max()) + 1
        if name == "mode_coverage":
            return [("modes hit", f"{modes.value} of {total}"), ("KL divergence from uniform", f"{other.value:.3f}")]
        return [
            ("modes with a sample within 3 sigma", f"{modes.value} of {total}"),
            ("samples there", f"{other.value:.1%}"),
        ]
    real, score = quality.judge(found["name"], found["path"])
    confidence, classes = score(images)
    return [
        ("mean confidence of the judge", f"{confidence:.3f} (real images {real[0]:.3f})"),
        ("effective classes of 10", f"{classes:.2f} (real images {real[1]:.2f})"),
    ]


def facts(run, recipe):
    environment = json.loads((run / "environment.json").read_text())
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    versions = environment["versions"]
    engine = f"{environment['backend']} {versions[environment['backend']]}, keras {versions['keras']}"
    command = shlex.join(environment["command"][1:])
    command = re.sub(r"data\.path=\S*/", "data.path=", re.sub(r" --out \S+", "", command))  # not where it lay here
    cores = f"{environment['cores']} cores" if environment["cores"] > 1 else "one core"
    return [
        ("command", f"`kgan {command}`"),
        ("epochs", f"{len(rows)}"),
        ("training took", f"{display.duration(rows[-1]['seconds'])} on {cores} ({engine})"),
        *scored(run),
        *figures(run, recipe),
    ]


def scored(run):
    """The last Frechet distance of a run that was scored."""
    file = run / "scores.jsonl"
    there = scores.read(file) if file.exists() else []
    found = [one for one in there if (one.metric, one.label) == ("frechet_distance", None)]
    return [(f"Frechet distance of {one.n_generated:,} images", f"{one.value:.3g}") for one in found[-1:]]


def main(run):
    recipe = loader.load((run / "resolved.yaml").read_text(), "resolved.yaml")[0]
    out = pathlib.Path(__file__).parent / "recipes" / recipe["name"]
    out.mkdir(parents=True, exist_ok=True)
    stages(run, out / "grids.png")
    thumbnail(run, out / "thumbnail.png")
    shutil.copy(run / "losses.png", out / "losses.png")
    lines = [f"| {name} | {value} |" for name, value in facts(run, recipe)]
    (out / "facts.md").write_text("\n".join(["| | |", "|---|---|", *lines]) + "\n")
    print(f"{out}: {' '.join(sorted(file.name for file in out.iterdir()))}")


if __name__ == "__main__":
    for path in sys.argv[1:]:
        main(pathlib.Path(path))
