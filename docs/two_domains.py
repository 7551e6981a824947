"""What docs/without_pairs.md shows: each task with and without its terms, against what needs no training and what has pairs.

python -m docs.two_domains data FOLDER SOURCES     # writes the data: SOURCES has mnist.npz, google/ and twitter/
python -m docs.two_domains commands FOLDER         # prints the trainings
python -m docs.two_domains page FOLDER [TASK ...]  # from their runs: tables and grids, in docs/without_pairs/

google/ and twitter/ hold emoji as Google and Twitter draw them, under the same names for the same emoji. The folder's
runs/digits/cyclegan/0 is the run of seed 0 of the digits with all terms, runs/digits/no-cycle/0 that without the cycle term.
"""

import json
import pathlib
import random
import shlex
import shutil
import sys

import numpy as np

from docs.score_pages import command_of
from docs.translations import ALONE, grid, thumbnail
from kgan import conditions, data, extractors, metrics, pictures, scores
from kgan.data.domains import load_domains
from kgan.data.outlined import outlines
from kgan.data.spread import positions
from kgan.runner import sampling

OUT = pathlib.Path(__file__).parent / "without_pairs"
SEEDS = (0, 1, 2)
SCORED = 2000  # pairs of a table, at most
HELD_OUT = 10  # every tenth emoji
METRICS = {
    "l1": ("L1", ".3f"),
    "psnr": ("PSNR", ".2f"),
    "ssim": ("SSIM", ".3f"),
    "frechet_distance": ("Frechet distance", ".3g"),
    "partner_rank": ("rank of the partner", ".3f"),
}
CYCLE, IDENTITY = "{name: cycle, weight: 5}", "{name: identity, weight: 2.5}"
TASKS = {
    "digits": {
        "train": "outlines --set data.a.path={folder}/mnist.npz --set data.b.path={folder}/mnist.npz",
        "sides": {"cyclegan": "", "no-cycle": "[]", "identity": f"[{CYCLE}, {IDENTITY}]"},
        "pairs": "digits-pairs.npz",
        "like": ("data.batch_size=8", "generator={name: resnet_translation, filters: 16, blocks: 3}", "steps=4000"),
    },
    "emoji": {
        "train": "docs/examples/emoji.yaml --set data.path={folder}/emoji/",
        "sides": {"cyclegan": "", "no-cycle": f"[{IDENTITY}]", "no-identity": f"[{CYCLE}]"},
        "pairs": "emoji-pairs/",
        "like": ("data.batch_size=8", "generator={name: unet, filters: 24, norm: batch, dropout: 0}",
                 "steps=1000", "ema=0.99"),
    },
}  # fmt: skip
# a training with pairs: the generator of one direction, with the L1 term alone
OF_PAIRS = (
    "data.size=null", "data.resize=null", "data.flip=false", "callbacks=[]", "optimizers.generator.learning_rate=4e-4",
    "discriminator={name: patch, receptive_field: 1, filters: 1, norm: null}",
)  # fmt: skip


def write_data(folder, sources):
    """The digits; emoji, none of which is in both halves of what is trained on; and pairs of each."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(sources / "mnist.npz", folder)
    digits = data.file(sources / "mnist.npz")[0]
    np.savez(folder / "digits-pairs.npz", a=digits, b=outlines(digits))
    names = sorted(path.name for path in (sources / "google").iterdir())
    test = names[::HELD_OUT]
    rest = sorted(set(names) - set(test))
    random.Random(0).shuffle(rest)
    half = len(rest) // 2
    for part, source, chosen in (
        ("emoji/trainA", "google", rest[:half]),
        ("emoji/trainB", "twitter", rest[half:]),
        ("emoji/testA", "google", test),
        ("emoji/testB", "twitter", test),
        ("emoji-pairs/A", "google", rest),
        ("emoji-pairs/B", "twitter", rest),
    ):
        (folder / part).mkdir(parents=True)
        for name in chosen:
            shutil.copy(sources / source / name, folder / part)


def commands(folder):
    for task, about in TASKS.items():
        runs = folder / "runs" / task
        for seed in SEEDS:
            for side, terms in about["sides"].items():
                of_terms = f" --set 'terms={terms}'" if terms else ""
                train = about["train"].format(folder=folder)
                print(f"kgan train {train} --set seed={seed}{of_terms} --out {runs / side / str(seed)}")
            for to, direction in (("b", "a_to_b"), ("a", "b_to_a")):
                settings = (f"data.path={folder}/{about['pairs']}", f"data.direction={direction}", f"seed={seed}")
                words = " ".join(f"--set {shlex.quote(one)}" for one in (*settings, *about["like"], *OF_PAIRS))
                print(f"kgan train pix2pix {words} {ALONE} --out {runs / f'pairs-to-{to}' / str(seed)}")


def matched(images, others):
    """Images whose levels are mapped, channel by channel, so that all of them have the histogram of the others."""

    def shares(one):
        return np.cumsum(np.bincount(one.ravel(), minlength=256)) / one.size

    levels = np.arange(256)
    mapped = [
        np.interp(shares(image), shares(other), levels).astype("uint8")[image]
        for image, other in zip(np.moveaxis(images, -1, 0), np.moveaxis(others, -1, 0), strict=True)
    ]
    return np.stack(mapped, axis=-1)


def digits(folder):
    """Training images, test images and the labels of these, each by domain."""
    filled, outlined = (
        {split: data.outlined_digits(which, split, folder / "mnist.npz") for split in ("train", "test")}
        for which in (False, True)
    )
    both = {"a": filled, "b": outlined}
    chosen = positions(len(filled["test"][0]), SCORED)
    train = {to: one["train"] for to, one in both.items()}
    return train, {to: one["test"][0][chosen] for to, one in both.items()}, filled["test"][1][chosen]


def emoji(folder):
    """As `digits`; emoji have no labels."""
    train, test = (load_domains(folder / "emoji", split=split, size=64) for split in ("train", "test"))
    of_test = {"a": test.a.images, "b": test.b.images}
    return {to: (one.images, None) for to, one in (("a", train.a), ("b", train.b))}, of_test, None


def page(task, folder):
    train, test, labels = {"digits": digits, "emoji": emoji}[task](folder)
    scorers = {
        to: scores.Scorer(test[to], extractor=extractors.classifier(*train[to]), pairs=True, to=to) for to in "ba"
    }
    columns = {**METRICS, **({} if labels is None else {"kept": ("class kept", ".1%")})}

    def measured(to, made):
        made = made if made.dtype == np.uint8 else pictures.pixels(made)
        found = {record.metric: record.value for record in scorers[to](made, METRICS)}
        if labels is not None:
            found["kept"] = float((scorers[to].extractor(made).modes == labels).mean())
        return found

    def rows(name, made, undone=None):
        """One row for each direction: means over the seeds."""
        for to in "ba":
            several = [measured(to, one) for one in made[to]]
            means = [f"{np.mean([one[key] for one in several]):{form}}" for key, (_, form) in columns.items()]
            cycle = "" if undone is None else f"{np.mean(undone[to]):.3f}"
            lines.append(f"| {' | '.join((name, f'to {to}', cycle, *means))} |")

    lines = [f"| | | L1 there and back | {' | '.join(title for title, _ in columns.values())} |"]
    lines.append("|---" * (3 + len(columns)) + "|")
    rows("the image as it is", {"b": [test["a"]], "a": [test["b"]]})
    rows("histogram matching", {to: [matched(test[of], train[to][0])] for to, of in ("ba", "ab")})
    runs = {side: trained(folder / "runs" / task / side) for side in TASKS[task]["sides"]}
    shown = {}
    for side, several in runs.items():
        made, undone = zip(*(translated(run, test) for run in several), strict=True)
        made, undone = ({to: [one[to] for one in each] for to in "ba"} for each in (made, undone))
        rows(f"{side.replace('-', ' ')}, {seeds_said(several)}", made, undone)
        shown[side] = {to: images[0] for to, images in made.items()}
    of_pairs = {to: trained(folder / "runs" / task / f"pairs-to-{to}") for to in "ba"}
    made = {
        to: [sampling.translations_of(run, conditions.Pairs(), test[to], test[of], 0)[:] for run in of_pairs[to]]
        for to, of in ("ba", "ab")
    }
    rows(f"L1, of pairs, {seeds_said(of_pairs['b'])}", made)
    shown["of pairs"] = {to: images[0] for to, images in made.items()}
    first = runs["cyclegan"][0]
    minutes = np.mean([seconds_of(run) for run in runs["cyclegan"]]) / 60
    count = len(test["a"])
    said = f"Means over {count:,} test images of each domain. A training took {minutes:.1f} minutes on one core of two."
    OUT.mkdir(exist_ok=True)
    text = "\n".join(lines)
    (OUT / f"{task}.md").write_text(f"```\n{command_of(first)}\n```\n\n{text}\n\n{said}\n", "utf-8")
    floats = {to: pictures.floats(images) for to, images in test.items()}
    best = shown["cyclegan"]
    thumbnail(OUT / f"{task}-thumbnail.png", floats["a"], best["b"], floats["b"], best["a"])
    grid(
        OUT / f"{task}.png",
        {"a": floats["a"]}
        | {f"{side}, to b": one["b"] for side, one in shown.items()}
        | {"b, the truth": floats["b"]}
        | {f"{side}, to a": one["a"] for side, one in shown.items()},
    )


def trained(folder):
    """The runs of all seeds that have ended."""
    return [folder / str(seed) for seed in SEEDS if (folder / str(seed) / "generator.keras").is_file()]


def seeds_said(runs):
    return f"{len(runs)} seed{'s' if len(runs) > 1 else ''}"


def translated(run, test):
    """What a run makes of the test images of a and b, by the domain that it is like; and the L1 from there and back."""
    made, undone = {}, {}
    for to, of in ("ba", "ab"):
        made[to] = sampling.translations_of(run, conditions.Unpaired(), test[to], test[of], 0, to)[:]
        back = sampling.translations_of(run, conditions.Unpaired(), test[of], pictures.pixels(made[to]), 0, of)[:]
        undone[to] = metrics.l1(test[of], pictures.pixels(back)).mean()
    return made, undone


def seconds_of(run):
    return json.loads((run / "log.jsonl").read_text("utf-8").splitlines()[-1])["seconds"]


if __name__ == "__main__":
    what, folder, *more = sys.argv[1:]
    folder = pathlib.Path(folder)
    if what == "data":
        write_data(folder, pathlib.Path(more[0]))
    elif what == "commands":
        commands(folder)
    else:
        for task in more or TASKS:
            page(task, folder)
