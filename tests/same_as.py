"""Whether a change of the code left every number as it was.

    python -m tests.same_as REV [--recipes dense r3gan ...] [--engines tensorflow jax ...]

Every shipped recipe is trained for twelve steps, on random images, with the code at the revision REV and with that of the
working tree, in processes of their own. What follows is compared: all variables, both optimizers' slots, seeds, counters and
logs. A line for each recipe and engine has the largest difference; the exit code is 1 if one is not 0.0.
"""

import argparse
import concurrent.futures
import importlib.util
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).parent.parent
STEPS, LIMIT, BATCH = 12, 60, 16  # four batches in an epoch, the last one of twelve images
ON_ALL_ENGINES = ("digits", "dense", "combined", "dcgan", "mnist", "acgan", "r3gan")
SHAPES = {"mnist": (28, 28), "fashion_mnist": (28, 28), "cifar10": (32, 32, 3), "stacked_mnist": (28, 28)}
PACKAGES = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


def trees(revision, folder):
    """Both states of the code as folders in which `import kgan` finds all of it."""
    archive = subprocess.run(["git", "archive", revision, "kgan", "recipes"], cwd=ROOT, capture_output=True)
    if archive.returncode:
        raise SystemExit(f"REV must be a revision that git knows. Received: {revision}")
    listed = ["git", "ls-files", "-co", "--exclude-standard", "kgan", "recipes"]
    here = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout.splitlines()
    before, now = folder / "before", folder / "now"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as content:
        content.extractall(before, filter="data")
    for name in here:
        if (ROOT / name).is_file():
            (now / name).parent.mkdir(parents=True, exist_ok=True)
            (now / name).write_bytes((ROOT / name).read_bytes())
    for tree in (before, now):
        (tree / "kgan" / "recipes").symlink_to("../recipes")
    return before, now


def images(folder):
    """A file of random images for each data set that would be downloaded."""
    draw = np.random.default_rng(0)
    for name, shape in SHAPES.items():
        x = draw.integers(0, 256, (LIMIT, *shape), dtype="uint8")
        np.savez(folder / f"{name}.npz", x_train=x, y_train=np.arange(LIMIT) % 10)


def train(tree, engine, recipes, data, out):
    """Train recipes one after the other in a process of its own; say which one is done."""
    cpu = {
        "CUDA_VISIBLE_DEVICES": "-1",
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }  # a GPU adds in no fixed order
    environment = {**os.environ, **cpu, "PYTHONPATH": str(tree), "KERAS_BACKEND": engine}
    command = [
        sys.executable,
        str(pathlib.Path(__file__).absolute()),
        "--train",
        str(tree),
        str(data),
        str(out),
        *recipes,
    ]
    out.mkdir(parents=True)
    with (out / "output.txt").open("w") as output:
        done = subprocess.run(command, env=environment, cwd=out, stdout=output, stderr=output)
    if done.returncode:
        raise ValueError(f"{tree.name} was not trained: {(out / 'output.txt').read_text().strip().splitlines()[-1]}")


def worker(tree, data, out, *recipes):
    import kgan.recipes
    import yaml

    from kgan import cli

    for module in (kgan, kgan.recipes):
        if not pathlib.Path(module.__file__).is_relative_to(tree):
            raise SystemExit(f"{module.__name__} was imported from {module.__file__}, not from {tree}.")
    for recipe in recipes:
        name = yaml.safe_load((pathlib.Path(tree) / "recipes" / f"{recipe}.yaml").read_text())["data"]["name"]
        settings = [f"steps={STEPS}", f"data.limit={LIMIT}", f"data.batch_size={BATCH}", "callbacks=[]"]
        if name in SHAPES:
            settings.append(f"data.path={data}/{name}.npz")
        if name == "stacked_mnist":
            settings.append("data.samples=100")
        words = [word for setting in settings for word in ("--set", setting)]
        cli.app(["train", recipe, *words, "--out", f"{out}/{recipe}"], standalone_mode=False)


def state(run):
    """All arrays of a run's newest checkpoint, and its logs, by name."""
    steps = {json.loads((path / "state.json").read_text())["step"]: path for path in (run / "checkpoints").iterdir()}
    if max(steps) != STEPS:
        raise ValueError(f"{max(steps)} steps were trained, not {STEPS}")
    with np.load(steps[STEPS] / "arrays.npz", allow_pickle=False) as file:
        found = {name: file[name] for name in file.files}
    for row in map(json.loads, (run / "log.jsonl").read_text().splitlines()):
        row.pop("seconds")
        found |= {f"epoch {row['epoch']}, {name}": np.asarray(value) for name, value in row.items()}
    if not all(np.isfinite(array).all() for array in found.values()):
        raise ValueError("a number is not finite, so that nothing can be compared")
    return found


def difference(before, now):
    """The largest absolute difference of two states."""
    shapes = [{name: array.shape for name, array in one.items()} for one in (before, now)]
    if shapes[0] != shapes[1]:
        unlike = sorted(name for name in shapes[0] | shapes[1] if shapes[0].get(name) != shapes[1].get(name))
        raise ValueError(f"{len(shapes[0])} arrays before, {len(shapes[1])} now; the first that differs is {unlike[0]}")
    return max(float(np.abs(before[name].astype("float64") - now[name]).max(initial=0.0)) for name in before)


def main():
    shipped = sorted(path.stem for path in (ROOT / "recipes").glob("*.yaml"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revision")
    parser.add_argument("--recipes", nargs="*", choices=shipped, default=shipped)
    parser.add_argument("--engines", nargs="*", choices=PACKAGES, default=list(PACKAGES))
    arguments = parser.parse_args()
    same = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        both = trees(arguments.revision, folder)
        images(folder)
        for engine in arguments.engines:
            recipes = [one for one in arguments.recipes if engine == "tensorflow" or one in ON_ALL_ENGINES]
            if not importlib.util.find_spec(PACKAGES[engine]):
                print(f"{engine} is not installed: skipped", flush=True)
                continue
            for recipe in recipes:
                outs = [folder / engine / recipe / tree.name for tree in both]
                try:
                    with concurrent.futures.ThreadPoolExecutor(2) as pool:
                        jobs = [
                            pool.submit(train, tree, engine, [recipe], folder, out)
                            for tree, out in zip(both, outs, strict=True)
                        ]
                        for job in jobs:
                            job.result()
                    found = difference(*(state(out / recipe) for out in outs))
                except ValueError as error:
                    found = error
                same = same and found == 0.0
                print(f"{engine:<12} {recipe:<20} {found}", flush=True)
    raise SystemExit(0 if same else 1)


if __name__ == "__main__":
    worker(*sys.argv[2:]) if sys.argv[1:2] == ["--train"] else main()
