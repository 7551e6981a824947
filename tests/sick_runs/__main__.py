"""The table of the sick runs: the disease, in how many seeds it was found, after how many steps, and what else was said.

    python -m tests.sick_runs                     # three seeds each: half an hour on two cores
    python -m tests.sick_runs --only collapse --seeds 1
    python -m tests.sick_runs --healthy           # the shipped recipes, which must have no warning and no error

Every training is one of `kgan train`, on a core of its own. What OUT holds already is not trained again.
"""

import argparse
import functools
import pathlib

import numpy as np

import kgan
from kgan.doctor import finding
from kgan.runner import recipes
from tests.benchmarks import cores
from tests.command_line import KGAN
from tests.sick_runs.cases import CASES, HEALTHY, PLUGIN


def train(recipe, settings, run, core):
    """Train a recipe on one core, if it was not trained before."""
    if (run / "done").exists():
        return
    command = [*KGAN, "train", recipe, "--plugin", str(PLUGIN), "--out", str(run)]
    words = [word for one in ("callbacks=[]", *settings) for word in ("--set", one)]
    cores.run([*command, *words], run.with_suffix(".log"), core, {"TF_CPP_MIN_LOG_LEVEL": "3"}, may_fail=True)
    run.mkdir(exist_ok=True)  # a recipe that was refused leaves nothing
    (run / "done").touch()


def data_for(out):
    """Pairs of what cases name in braces and its path: digits that are all grey."""
    images, _ = kgan.data.digits()
    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / "grey.npz", images=(96 + images // 4).astype("uint8"))
    return [("{grey}", str(out / "grey.npz"))]


def sick(out, names, seeds):
    """Markdown: a row for each disease."""
    paths, jobs, runs = data_for(out / "data"), [], {}
    for name in names:
        case = CASES[name]
        runs[name] = [out / name / f"seed-{seed}" for seed in range(seeds)]
        for seed, run in enumerate(runs[name]):
            settings = [functools.reduce(lambda one, of: one.replace(*of), paths, one) for one in case.settings]
            jobs.append(functools.partial(train, case.recipe, [*settings, f"seed={seed}"], run))
    cores.side_by_side(jobs)
    lines = ["| disease | how it was made | found | steps | at most | also said |", "|---" * 6 + "|"]
    for name, found in runs.items():
        all_of = [finding.read(run / "findings.jsonl") for run in found]
        steps = [next((one.step for one in some if one.id == name), None) for some in all_of]
        right = [step for step in steps if step is not None and step <= CASES[name].steps]
        others = sorted({one.id for some in all_of for one in some} - {name})
        made = f"`{CASES[name].recipe}`, `{'`, `'.join(CASES[name].settings)}`"
        cells = [f"`{name}`", made, f"{len(right)} of {len(found)}", ", ".join(map(str, steps)), CASES[name].steps]
        lines.append(f"| {' | '.join(map(str, [*cells, ', '.join(others)]))} |")
    return "\n".join(lines)


def healthy(out, names, seeds):
    """Markdown: a row for each shipped recipe."""
    jobs, runs = [], {}
    for name in names:
        runs[name] = [out / "healthy" / name / f"seed-{seed}" for seed in range(seeds)]
        for seed, run in enumerate(runs[name]):
            jobs.append(functools.partial(train, name, [*HEALTHY[name].settings, f"seed={seed}"], run))
    cores.side_by_side(jobs)
    lines = ["| recipe | false alarms | expected |", "|---|---|---|"]
    for name, found in runs.items():
        said = {one.id for run in found for one in finding.read(run / "findings.jsonl") if one.level != "info"}
        expected = set(HEALTHY[name].expected)
        lines.append(f"| `{name}` | {', '.join(sorted(said - expected)) or 'none'} | {', '.join(sorted(expected))} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--healthy", action="store_true", help="the shipped recipes")
    parser.add_argument("--only", nargs="+", choices=[*CASES, *recipes.shipped()])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("sick-runs"))
    arguments = parser.parse_args()
    make, known = (healthy, HEALTHY) if arguments.healthy else (sick, CASES)
    text = make(arguments.out, arguments.only or list(known), arguments.seeds)
    print(text)
    (arguments.out / f"{make.__name__}.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
