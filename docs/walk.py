"""What good looks like: the grids and the table of docs/recipes/pictures.md, from three trainings of two hours on one core.

python -m docs.walk commands FOLDER    # prints the trainings; twitter/ has 3,419 emoji, cifar10/train 50,000 photographs
python -m docs.walk pages FOLDER       # from their runs: grids and a table, in docs/recipes/pictures/

Minutes are counted in steps, so that a training may be stopped and resumed: as many as the log of some hundred steps on one
idle core says, without AVX-512.
"""

import pathlib
import shutil
import sys

from kgan import scores

OUT = pathlib.Path(__file__).parent / "recipes" / "pictures"
MINUTES = (10, 30, 120)
# pictures: where they are, and the steps that ten minutes take
RUNS = {300: ("twitter", 5200), 3000: ("twitter", 9500), 50_000: ("cifar10/train", 34_000)}


def commands(folder):
    for count, (path, steps) in RUNS.items():
        grids = f"{{name: image_grid, every: {steps} steps, rows: 3, columns: 16, gif: false}}"
        others = "{name: checkpoint, every: 2000 steps, keep: 2}"
        score = f"{{name: score, metric: [frechet_distance, precision_recall], every: {steps} steps, samples: 5000}}"
        print(
            f"kgan train pictures --set data.path={path} --set data.limit={count} --set steps={12 * steps} "
            f"--set 'callbacks=[{grids}, {others}, {score}]' --out {folder / str(count)} --resume"
        )


def pages(folder):
    lines = ["| pictures | steps in ten minutes | after | Frechet distance | precision | recall |", "|---" * 6 + "|"]
    for count, (_, steps) in RUNS.items():
        run = folder / str(count)
        found = {(one.metric, one.where["step"]): one.value for one in scores.read(run / "scores.jsonl")}
        for minutes in MINUTES:
            step = steps * minutes // 10
            shutil.copyfile(run / "samples" / f"step-{step:06d}.png", OUT / f"{count}-{minutes}.png")
            values = [f"{found[name, step]:.3g}" for name in ("frechet_distance", "precision", "recall")]
            lines.append(f"| {count:,} | {steps:,} | {minutes} minutes | {' | '.join(values)} |")
    (OUT / "walk.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    {"commands": commands, "pages": pages}[sys.argv[1]](pathlib.Path(sys.argv[2]))
