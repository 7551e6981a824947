"""Which engine trains a recipe fastest on a CPU: the milliseconds of a step, after the first epochs.

    python -m tests.benchmarks.engines [RECIPE ...] [--engines tensorflow torch jax]

Each recipe trains on noise of its data's shape, a few steps an epoch, without callbacks. A row is the median over epochs of
the time of a step, on each engine, as `kgan train` runs it.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np

from kgan.runner import recipes
from tests.command_line import KGAN

EPOCHS, STEPS = 4, 20
# what makes a recipe smaller: those of one-image batches of 256 pixels take a minute a step on the slowest engine
SETTINGS = {
    "pix2pix": ["data.size=64", "data.resize=null", "generator.filters=24", "discriminator.receptive_field=34"],
    "outlines": ["data.validation=null"],
}
BATCH = {"pix2pix": 16, "dcgan": 64}
RECIPES = ("dense", "dcgan", "mnist", "cifar10", "pix2pix", "super-resolution", "inpainting", "outlines")


def arguments_for(name, folder):
    """The arguments of `kgan train` that make it train on noise."""
    source = recipes.read(name).data["data"]
    batch = BATCH.get(name, source["batch_size"])
    side = (
        64
        if name == "pix2pix"
        else 28
        if source.get("name") in ("mnist", "fashion_mnist") or name == "outlines"
        else 32
    )
    shape = (side, side) if side == 28 else (side, side, 3)
    noise = np.random.default_rng(0).integers(
        0, 255, (batch * STEPS * (2 if name == "outlines" else 1), *shape), "uint8"
    )
    path = folder / f"{name}.npz"
    np.savez(path, images=noise, labels=np.arange(len(noise)) % 10, a=noise, b=noise)
    places = ("data.a", "data.b") if name == "outlines" else ("data",)
    settings = [f"{place}.path={path}" for place in places] + [f"data.batch_size={batch}", "callbacks=[]"]
    settings += ["data.validation=null"] if "validation" in source else []
    length = [f"epochs={EPOCHS}"] if "epochs" in recipes.read(name).data else [f"steps={EPOCHS * STEPS}"]
    return [word for one in (*settings, *length, *SETTINGS.get(name, ())) for word in ("--set", one)]


def step(name, engine, folder):
    """Milliseconds of a step."""
    run = folder / f"{name}-{engine}"
    command = [*KGAN, "train", name, *arguments_for(name, folder), "--out", str(run)]
    environment = {**os.environ, "KERAS_BACKEND": engine, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} on {engine} failed: {done.stderr[-500:]}")
    seconds = [json.loads(line)["seconds"] for line in (run / "log.jsonl").read_text().splitlines()]
    return 1000 * statistics.median(np.diff(seconds)[1:]) / STEPS


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="*", default=RECIPES)
    parser.add_argument("--engines", nargs="*", default=("tensorflow", "torch", "jax"))
    arguments = parser.parse_args()
    print("| recipe |", *(f"{engine}, ms a step |" for engine in arguments.engines))
    print("|---|", *("---|" for _ in arguments.engines), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.recipes:
            cells = [f"{step(name, engine, pathlib.Path(folder)):.1f}" for engine in arguments.engines]
            print(f"| {name} |", *(f"{cell} |" for cell in cells), flush=True)


if __name__ == "__main__":
    sys.exit(main())
