"""What docs/scores.md shows, from the runs it names.

python -m docs.score_pages FOLDER training    # scores of trainings and of two recipes
python -m docs.score_pages FOLDER modes       # the tables of modes

The folder is where these were run: for the first, `kgan train digits >digits.log`, `kgan evaluate runs/digits-0001
>evaluate.log`, `kgan train dense ... --out runs/dense`, `kgan train dcgan ... --out runs/dcgan`, `kgan show digits --set
loss=hinge >other.yaml`, `kgan compare digits other.yaml ...`; for the second, the recipes of `MODES` with a few seeds each,
as runs/NAME-SEED.
"""

import json
import pathlib
import re
import shutil
import sys

from kgan import scores
from kgan.runner import loader

OUT = pathlib.Path(__file__).parent / "scores"
MODES = {
    "gaussians-ring": "`gaussians-ring`: 8 on a circle",
    "gaussians-grid": "`gaussians-grid`: 25 on a grid",
    "stacked-plain": "the first GAN's loss: `pacgan` with `pack: 1`",
    "pacgan": "two images at once: `pacgan`",
    "stacked-mnist": "relativistic, R1 and R2: `stacked-mnist`",
}
PUBLISHED = {  # modes of 1,000 and KL divergence, as their papers print them; other networks and lengths of training
    "DCGAN (arXiv:1712.04086)": "99 | 3.40",
    "VEEGAN (arXiv:1705.07761)": "150 | 2.95",
    "PacDCGAN2 (arXiv:1712.04086)": "1000 | 0.06",
    "R3GAN's loss, RpGAN + R1 + R2 (arXiv:2501.05441)": "1000 | 0.078",
    "R3GAN (arXiv:2501.05441)": "1000 | 0.029",
}


def command_of(run):
    command = " ".join(
        f"'{word}'" if " " in word else word for word in json.loads((run / "environment.json").read_text())["command"]
    )
    epochs = loader.load((run / "resolved.yaml").read_text(), "resolved.yaml")[0][
        "epochs"
    ]  # of a run that went on, of all of it
    command = re.sub(r"epochs=\d+", f"epochs={epochs}", command)
    return re.sub(r"(data\.(?:\w\.)?path=)\S*/(?=\S)", r"\1", re.sub(r" --out \S+", "", command))


def last(run, metric):
    return [score for score in scores.read(run / "scores.jsonl") if score.metric == metric][-1]


def seeds(folder, name):
    return sorted((folder / "runs").glob(f"{name}-[0-9]"))


def row(title, runs, *columns):
    """The mean over the seeds of each value, and the least and the most."""
    cells = []
    for metric, form in columns:
        found = [last(run, metric).value for run in runs]
        mean, least, most = (form.format(value) for value in (sum(found) / len(found), min(found), max(found)))
        cells.append(mean if least == most else f"{mean} ({least} to {most})")
    return f"| {title} | {len(runs)} | {' | '.join(cells)} |"


def table(folder):
    lines = ["| points | seeds | modes hit | within 3 sigma of one |", "|---|---|---|---|"]
    for name, title in list(MODES.items())[:2]:
        lines.append(row(title, seeds(folder, name), ("modes", "{:.0f}"), ("near_a_mode", "{:.1%}")))
    lines += ["", "| Stacked MNIST, 26,000 samples | seeds | modes of 1,000 | KL from uniform |", "|---|---|---|---|"]
    for name, title in list(MODES.items())[2:]:
        lines.append(row(title, seeds(folder, name), ("modes", "{:.0f}"), ("mode_divergence", "{:.2f}")))
    lines += [f"| {name} | | {published} |" for name, published in PUBLISHED.items()]
    return "\n".join(lines) + "\n"


def modes(folder):
    (OUT / "modes.md").write_text(table(folder))
    commands = [command_of(seeds(folder, name)[0]) for name in MODES]
    (OUT / "modes-commands.txt").write_text("\n".join(commands) + "\n")


def training(folder):
    runs = folder / "runs"
    for name in ("dense", "dcgan"):
        shutil.copy(runs / name / "scores.png", OUT / f"{name}.png")
    log = (folder / "digits.log").read_text().splitlines()
    begin = next(index for index, line in enumerate(log) if line.startswith("scores: "))
    (OUT / "digits.txt").write_text("\n".join(log[begin:-1]) + "\n")
    shutil.copy(folder / "evaluate.log", OUT / "evaluate.txt")
    shutil.copy(runs / "digits-0001" / "neighbours.png", OUT)
    [comparison] = (folder / "comparisons").iterdir()
    shutil.copy(comparison / "table.md", OUT)
    shutil.copy(comparison / "curves.png", OUT)
    compared = "kgan show digits --set loss=hinge >other.yaml", "kgan compare digits other.yaml --seeds 3 --steps 2900"
    (OUT / "commands.txt").write_text("\n".join([*map(command_of, (runs / "dense", runs / "dcgan")), *compared]) + "\n")


if __name__ == "__main__":
    {"training": training, "modes": modes}[sys.argv[2]](pathlib.Path(sys.argv[1]))
