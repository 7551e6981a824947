"""What docs/scores.md shows, from the runs it names.

python -m docs.score_pages FOLDER

The folder is where these were run: `kgan train digits >digits.log`, `kgan evaluate runs/digits-0001 >evaluate.log`,
`kgan train dense ... --out runs/dense`, `kgan train dcgan ... --out runs/dcgan`, `kgan train gaussians-ring`, `kgan train
gaussians-grid`, `kgan show digits --set loss=hinge >other.yaml`, `kgan compare digits other.yaml ...`; and stacked-mnist,
with and without its loss and penalty, scored by `kgan evaluate ... --metric mode_coverage -n 26000`, as runs/stacked-mnist
and runs/stacked-mnist-plain.
"""

import json
import pathlib
import re
import shutil
import sys

from kgan import scores
from kgan.runner import loader

OUT = pathlib.Path(__file__).parent / "scores"
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
    return re.sub(r"data\.path=\S*/", "data.path=", re.sub(r" --out \S+", "", command))


def last(run, metric):
    return [score for score in scores.read(run / "scores.jsonl") if score.metric == metric][-1]


def modes(folder):
    lines = ["| points | modes hit | within 3 sigma of one |", "|---|---|---|"]
    for name in ("gaussians-ring", "gaussians-grid"):
        run = folder / "runs" / f"{name}-0001"
        lines.append(f"| `{name}` | {last(run, 'modes').value} | {last(run, 'near_a_mode').value:.1%} |")
    lines += ["", "| Stacked MNIST, 26,000 samples | modes of 1,000 | KL from uniform |", "|---|---|---|"]
    named = {"stacked-mnist": "`stacked-mnist`", "stacked-mnist-plain": "the same players, plain tutorial loss"}
    for name, title in named.items():
        run = folder / "runs" / name
        lines.append(f"| {title} | {last(run, 'modes').value} | {last(run, 'mode_divergence').value:.3f} |")
    lines += [f"| {name} | {row} |" for name, row in PUBLISHED.items()]
    lines += ["", "The published rows are of other networks; one training of each of ours."]
    return "\n".join(lines) + "\n"


def main(folder):
    OUT.mkdir(exist_ok=True)
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
    (OUT / "modes.md").write_text(modes(folder))
    shown = [runs / name for name in ("dense", "dcgan", "stacked-mnist", "stacked-mnist-plain")]
    compared = "kgan show digits --set loss=hinge >other.yaml", "kgan compare digits other.yaml --seeds 3 --steps 2900"
    (OUT / "commands.txt").write_text("\n".join([*map(command_of, shown), *compared]) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
