"""Whether a recipe trains with any seed: no spikes in the losses, no seed that ends far worse than the others.

    python -m tests.benchmarks.seeds mnist fashion cifar10 pictures --data pictures=twitter    # ten seeds each: an hour
    python -m tests.benchmarks.seeds pictures --data pictures=twitter --seeds 3

Every training is one of `kgan train`, on a core of its own, as in tests.benchmarks.choices, and all of a recipe make equally
many steps, so that they can be repeated on any machine. The table says for each recipe
the largest loss of an epoch, of either player and of any seed, as a multiple of the median of that loss over its training,
and the largest score, as a multiple of the median of all seeds. What OUT holds already is not trained again.
"""

import argparse
import json
import pathlib
import statistics

from kgan.compare import comparison
from tests.benchmarks import choices

PLAYERS = ("discriminator", "generator")
LENGTHS = {  # two to four minutes on one core
    "mnist": ["epochs=5"],
    "fashion": ["epochs=5"],
    "cifar10": ["epochs=5"],
    # the first 3,200 steps for 3,419 pictures, with the rates of a training that is twenty times as long
    "pictures": ["steps=null", "epochs=15", *(f"optimizers.{player}.learning_rate.steps=64107" for player in PLAYERS)],
}


def spike(run):
    """The largest loss of an epoch, as a multiple of its median."""
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    largest = 0.0
    for name in ("d_loss", "g_loss"):
        losses = [abs(row[name]) for row in rows]
        largest = max(largest, max(losses) / statistics.median(losses))
    return largest


def table(runs):
    """Markdown: a row for each recipe."""
    head = ["recipe", "seeds", "epochs", "largest loss / its median", "Frechet distance", "largest / median"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for recipe, found in runs.items():
        last = [one[-1].value for one in comparison.collect(found, "frechet_distance")]
        middle = statistics.median(last)
        epochs = min(len((run / "log.jsonl").read_text().splitlines()) for run in found)
        cells = [recipe, len(found), epochs, f"{max(map(spike, found)):.2f}"]
        cells += [f"{middle:.3g} ({min(last):.3g} to {max(last):.3g})", f"{max(last) / middle:.2f}"]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="+", choices=LENGTHS)
    parser.add_argument("--data", nargs="*", default=[], metavar="RECIPE=PATH", help="where nothing can be downloaded")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("seeds"))
    arguments = parser.parse_args()
    paths = dict(one.split("=", 1) for one in arguments.data)
    runs = {}
    for recipe in arguments.recipes:
        own = argparse.Namespace(recipe=recipe, data=paths.get(recipe), seeds=arguments.seeds)
        own.out = arguments.out / recipe
        length = [word for one in LENGTHS[recipe] for word in ("--set", one)]
        [runs[recipe]] = choices.train_all(own, {recipe: []}, length).values()
    text = table(runs)
    print(text)
    (arguments.out / "table.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
