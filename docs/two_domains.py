"""What docs/without_pairs.md shows: filled digits to outlined ones and back, against what needs no training.

python -m docs.two_domains commands FOLDER MNIST    # prints the trainings; MNIST is the path of an .npz file of the digits
python -m docs.two_domains page FOLDER MNIST        # from their runs: the table and the grid, in docs/without_pairs/

FOLDER/digits/cyclegan/0 is the run of seed 0 with both losses, FOLDER/digits/no-cycle/0 that without the cycle term.
"""

import json
import pathlib
import sys

import numpy as np

from docs.score_pages import command_of
from docs.translations import grid, thumbnail
from kgan import conditions, data, extractors, metrics, pictures, scores
from kgan.runner import sampling

OUT = pathlib.Path(__file__).parent / "without_pairs"
SEEDS = (0, 1, 2)
SIDES = {
    "cyclegan": "",
    "no-cycle": "--set 'terms=[]'",
    "identity": "--set 'terms=[{name: cycle, weight: 5}, {name: identity, weight: 2.5}]'",
}
SCORED = 2000  # of the 10,000 pairs


def commands(folder, mnist):
    for side, extra in SIDES.items():
        for seed in SEEDS:
            places = " ".join(f"--set data.{one}.path={mnist}" for one in "ab")
            words = " ".join(filter(None, (places, f"--set seed={seed}", extra)))
            print(f"kgan train outlines {words} --out {folder / 'digits' / side / str(seed)}")


def matched(images, others):
    """Images whose grey levels are mapped so that all of them have the histogram of the others."""
    levels = np.arange(256)
    shares = [np.cumsum(np.bincount(one.ravel(), minlength=256)) / one.size for one in (images, others)]
    return np.interp(np.interp(levels, levels, shares[0]), shares[1], levels).astype("uint8")[images]


def distances(real, made):
    """The scores of translations, floats in [-1, 1], against their true partners, uint8."""
    made = pictures.pixels(made)
    # without the pairs that are equal, whose PSNR is infinite
    found = [np.ma.masked_invalid(function(real, made)) for function in (metrics.l1, metrics.psnr, metrics.ssim)]
    return [float(values.mean()) if values.count() else np.inf for values in found]


def page(folder, mnist):
    filled, outlined = (
        {split: data.outlined_digits(which, split, mnist) for split in ("train", "test")} for which in (False, True)
    )
    # what belongs to domain a, the filled digits, and to b
    train, labels = {"a": filled["train"][0], "b": outlined["train"][0]}, filled["test"][1]
    chosen = scores.spread(len(labels), SCORED)
    test = {"a": filled["test"][0][chosen], "b": outlined["test"][0][chosen]}
    judges = {
        "a": extractors.classifier(*filled["train"]),
        "b": extractors.classifier(*outlined["train"]),
    }

    def row(name, made, cycle="-"):
        """Both directions in one row: means over seeds."""
        cells = [name, cycle]
        for to in "ba":
            found = np.mean([distances(test[to], one) for one in made[to]], axis=0)
            kept = np.mean([(judges[to](pictures.pixels(one)).modes == labels[chosen]).mean() for one in made[to]])
            cells += [f"{found[0]:.3f}", f"{found[1]:.1f}", f"{found[2]:.2f}", f"{100 * kept:.1f} %"]
        return cells

    rows = [
        ["", "cycle loss", *(f"{name}, to {to}" for to in "ba" for name in ("L1", "PSNR", "SSIM", "class kept"))],
        ["---"] * 10,
        row("the truth", {to: [pictures.floats(test[to])] for to in "ba"}),
        row("the image as it is", {"b": [pictures.floats(test["a"])], "a": [pictures.floats(test["b"])]}),
        row(
            "histogram matching",
            {
                "b": [pictures.floats(matched(test["a"], train["b"]))],
                "a": [pictures.floats(matched(test["b"], train["a"]))],
            },
        ),
    ]
    shown = {}
    for side in SIDES:
        runs = [folder / "digits" / side / str(seed) for seed in SEEDS]
        runs = [run for run in runs if (run / "generator.keras").is_file()]
        if not runs:
            continue
        made: dict[str, list] = {
            to: [
                sampling.translations_of(run, conditions.Unpaired(), test[to], test["ab".replace(to, "")], 0, to)[:]
                for run in runs
            ]
            for to in "ba"
        }
        logs = [json.loads((run / "log.jsonl").read_text().splitlines()[-1]) for run in runs]
        cycle = np.mean([log["val_cycle"] for log in logs]) / 5.0 if "val_cycle" in logs[0] else None
        name = f"{side.replace('-', ' ')}, {len(runs)} seed{'s' if len(runs) > 1 else ''}"
        rows.append(row(name, made, "-" if cycle is None else f"{cycle:.3f}"))
        shown[side] = {to: several[0] for to, several in made.items()}
    run = folder / "digits" / "cyclegan" / "0"
    seconds = scores.read(run / "scores.jsonl")[-1].where["seconds"]
    OUT.mkdir(exist_ok=True)
    text = "\n".join(f"| {' | '.join(one)} |" for one in rows)
    said = f"{SCORED:,} test digits. The training of seed 0 took {seconds / 60:.1f} minutes on two busy cores."
    (OUT / "digits.md").write_text(f"```\n{command_of(run)}\n```\n\n{text}\n\n{said}\n", "utf-8")
    cyclegan = shown["cyclegan"]
    floats = {to: pictures.floats(images) for to, images in test.items()}
    thumbnail(OUT / "digits-thumbnail.png", floats["a"], cyclegan["b"], floats["b"], cyclegan["a"])
    lines = {"filled": floats["a"]}
    lines |= {f"{side}, outlined": made["b"] for side, made in shown.items()}
    lines |= {"true outlines": floats["b"]}
    lines |= {f"{side}, filled": made["a"] for side, made in shown.items()}
    grid(OUT / "digits.png", lines)


if __name__ == "__main__":
    what, folder, mnist = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    {"commands": commands, "page": page}[what](folder, mnist)
