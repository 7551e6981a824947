"""What each value of a recommended recipe is worth: the recipe as it is, and with one value changed.

    python -m tests.benchmarks.choices mnist --data mnist.npz            # three seeds, 60 seconds each: forty minutes
    python -m tests.benchmarks.choices mnist --only "no penalty" --seconds 20

Every training is one of `kgan train`, on a core of its own, as many at once as there are cores, and all take as long;
`kgan compare` judges each change by its last score. The table goes to OUT/table.md; what OUT holds already is not trained
again.
"""

import argparse
import functools
import pathlib
import sys

from kgan.compare import comparison
from kgan.runner import recipes
from kgan.runner.build import ENDLESS
from tests.benchmarks import cores
from tests.command_line import KGAN

RATES = "optimizers.{}.learning_rate={}"
CHANGES = {
    "no classes": ["num_classes=null", "generator.conditioning=concatenation"],
    "class beside the latents": ["generator.conditioning=concatenation"],
    "auxiliary classifier": ["discriminator.conditioning=auxiliary"],
    "batches of 16": ["data.batch_size=16"],
    "batches of 64": ["data.batch_size=64"],
    "twice the filters": ["generator.filters=32", "discriminator.filters=32"],
    "kernels of 5": ["generator.kernel_size=5", "discriminator.kernel_size=5"],
    "the tutorials' stride-1 convolution": ["generator.straight=true"],
    "statistics' momentum 0.99": ["generator.momentum=0.99"],
    "100 latents": ["latent_dim=100"],
    "no penalty": ["penalties=[]"],
    "dropout in the penalty's place": ["penalties=[]", "discriminator.dropout=0.3"],
    "a penalty of 0.1": ["penalties.0.weight=0.1"],
    "a penalty in every step": ["penalties.0.every=1"],
    "relativistic loss": ["loss=relativistic"],
    "hinge loss": ["loss=hinge"],
    "rate 1e-3 throughout": [RATES.format(player, "1e-3") for player in ("discriminator", "generator")],
    "rate 4e-3 throughout": [RATES.format(player, "4e-3") for player in ("discriminator", "generator")],
    "no average": ["ema=null"],
}


def train(recipe, settings, run, core):
    """One training on one core, scored at its end."""
    score = "[{name: score, metric: [frechet_distance, precision_recall], every: 1000000 epochs, samples: 5000}]"
    command = [*KGAN, "train", recipe, "--out", str(run), "--set", f"callbacks={score}", *settings]
    print(run, file=sys.stderr)
    cores.run(command, run.with_suffix(".log"), core)


def train_all(arguments, changes, length):
    """The runs of each change, one for each seed.

    Args:
        arguments: Its recipe, data, seeds and out.
        changes: For each name the values that differ from the recipe.
        length: Words of `kgan train` that say how long all of them take.
    """
    data = [f"data.path={arguments.data}"] if arguments.data else []
    runs: dict[str, list[pathlib.Path]] = {}
    jobs = []
    for number, (name, settings) in enumerate(changes.items()):
        runs[name] = [arguments.out / f"{number:02d}" / f"seed-{seed}" for seed in range(arguments.seeds)]
        for seed, run in enumerate(runs[name]):
            if not (run / "scores.jsonl").exists():
                values = [word for one in (*data, f"seed={seed}", *settings) for word in ("--set", one)]
                jobs.append(functools.partial(train, arguments.recipe, [*length, *values], run))
    cores.side_by_side(jobs)
    return runs


def table(runs, title):
    """Markdown: a row for each change, and whether the distance differs by more than its noise."""
    lines = ["| | Frechet distance | 95 % interval | precision | recall | steps | difference |", "|---" * 7 + "|"]
    names = iter(runs)
    usual = comparison.collect(runs[next(names)], "frechet_distance")
    for name, found in runs.items():
        series = comparison.collect(found, "frechet_distance")
        result = comparison.compare([title, name], [usual, series], "frechet_distance", as_long=True)
        side = result["sides"][1]
        interval = "-" if side["interval"] is None else "{:.3g} to {:.3g}".format(*side["interval"])
        share = [
            sum(one[-1].value for one in comparison.collect(found, metric)) / len(found)
            for metric in ("precision", "recall")
        ]
        verdict = {None: "none shown", name: "better", title: "worse"}[result["better"]] if name != title else ""
        steps = sum(side["steps"]) // len(side["steps"])
        cells = [name, f"{side['mean']:.3g}", interval, *(f"{value:.2f}" for value in share), f"{steps:,}", verdict]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", choices=recipes.shipped())
    parser.add_argument("--only", nargs="+", choices=CHANGES, default=list(CHANGES))
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", help="an .npz file, where nothing can be downloaded")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("choices"))
    arguments = parser.parse_args()
    title = f"`{arguments.recipe}`"
    length = ["--seconds", str(arguments.seconds), "--set", "epochs=null", "--set", f"steps={ENDLESS}"]
    runs = train_all(arguments, {title: [], **{name: CHANGES[name] for name in arguments.only}}, length)
    text = table(runs, title)
    print(text)
    (arguments.out / "table.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
