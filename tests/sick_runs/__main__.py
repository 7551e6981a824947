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
    """Pairs of what cases name in braces and its path: digits that are all grey, and pictures without details."""
    images, _ = kgan.data.digits()
    out.mkdir(parents=True, exist_ok=True)
    made = {"grey": (96 + images // 4).astype("uint8"), "smooth": smooth(1000, 32)}
    for name, images in made.items():
        np.savez(out / f"{name}.npz", images=images)
    return [(f"{{{name}}}", str(out / f"{name}.npz")) for name in made]


def smooth(count, side):
    """Pictures of two soft spots each, uint8 `(count, side, side, 1)`."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[0:side, 0:side] / (side - 1)
    middles, radii = random.uniform(0.2, 0.8, (count, 2, 2, 1, 1)), random.uniform(0.1, 0.25, (count, 2, 1, 1))
    squares = (rows - middles[:, :, 0]) ** 2 + (columns - middles[:, :, 1]) ** 2
    spots = np.exp(-squares / (2 * radii**2)).sum(1)
    return (255 * np.minimum(spots, 1.0))[..., None].astype("uint8")


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


def healthy(out, names, seeds, places):
    """Markdown: a row for each shipped recipe; `places` are the paths of data sets that cannot be downloaded."""
    jobs, runs = [], {}
    for name in names:
        data = recipes.read(name).data["data"]
        path = places.get(data if isinstance(data, str) else data.get("name"))
        settings = [*HEALTHY[name].settings, *([f"data.path={path}"] if path else [])]
        for side in "ab" if "a" in data else ():
            path = places.get(data[side]["name"])
            settings += [f"data.{side}.path={path}"] if path else []
        runs[name] = [out / "healthy" / name / f"seed-{seed}" for seed in range(seeds)]
        for seed, run in enumerate(runs[name]):
            jobs.append(functools.partial(train, name, [*settings, f"seed={seed}"], run))
    cores.side_by_side(jobs)
    lines = ["| recipe | steps | false alarms | said on purpose |", "|---|---|---|---|"]
    for name, found in runs.items():
        for run in found:
            if not (run / "generator.keras").exists():
                raise SystemExit(f"{name} was not trained; see {run.with_suffix('.log')}.")
        said = {one.id for run in found for one in finding.read(run / "findings.jsonl") if one.level != "info"}
        expected = set(HEALTHY[name].expected)
        length = HEALTHY[name].settings[-1].removeprefix("steps=")
        cells = [f"`{name}`", length, ", ".join(sorted(said - expected)) or "none", ", ".join(sorted(said & expected))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--healthy", action="store_true", help="the shipped recipes")
    parser.add_argument("--only", nargs="+", choices=[*CASES, *recipes.shipped()])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", nargs="*", default=[], metavar="NAME=PATH", help="where nothing can be downloaded")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("sick-runs"))
    arguments = parser.parse_args()
    known = HEALTHY if arguments.healthy else CASES
    chosen = arguments.out, arguments.only or list(known), arguments.seeds
    places = dict(one.split("=", 1) for one in arguments.data)
    text = healthy(*chosen, places) if arguments.healthy else sick(*chosen)
    print(text)
    (arguments.out / f"{'healthy' if arguments.healthy else 'sick'}.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
