"""How much of a training is spent on saving it, at the recipes' own intervals.

python -m tests.benchmarks.saving

For each recipe: the seconds that a checkpoint takes, and those of the steps between two, at the size of its real data. The
images are noise.
"""

import pathlib
import re
import tempfile
import time

import keras
import numpy as np

from kgan.data import Data, get
from kgan.runner import build, recipes, schema

STEPS = 40


class Watch(keras.callbacks.Callback):
    """Notes when each batch ended."""

    def on_train_begin(self, logs=None):
        self.ends = []

    def on_epoch_begin(self, epoch, logs=None):
        self.before = epoch * self.params["steps"]

    def on_train_batch_end(self, batch, logs=None):
        self.ends.append((time.perf_counter(), self.before + min(batch + 1, self.params["steps"])))


def row(name, folder):
    given = recipes.read(name)
    recipe = schema.validate(given)
    shape = {"digits": (1797, 8, 8, 1), "ring": (100_000, 2)}.get(recipe.data.name, (60_000, 28, 28, 1))
    found = np.random.default_rng(0).integers(0, 256, shape, "uint8") if len(shape) == 4 else get("ring")()[0]
    batches, gan = build.build(recipe, given, build.build_rules(recipe, given), Data(found))
    (saver,) = (one for one in build.build_callbacks(recipe, folder) if hasattr(one, "save"))
    count, unit = re.fullmatch(r"(\d+) (\w+?)s?", str(saver.count) + " " + saver.unit).groups()
    between = int(count) * (batches.steps if unit == "epoch" else 1)
    watch = Watch()
    few = batches.order[: STEPS * batches.batch_size]
    batches._start = lambda epoch: setattr(batches, "order", few)
    batches.order = few
    gan.fit(batches, epochs=3, verbose=0, callbacks=[saver, watch])
    (began, first), (ended, last) = watch.ends[0], watch.ends[-1]
    each = (ended - began) / (last - first)
    times = []
    for number in range(5):
        began = time.perf_counter()
        saver.save(f"epoch-{number:04d}x")
        times.append(time.perf_counter() - began)
    save = float(np.median(times))
    return f"| {name} | {1000 * save:.0f} | {between * each:.1f} | {save / (save + between * each):.2%} |"


def main():
    print("| recipe | ms to save | s of training in between | share |\n|---|---|---|---|")
    for name in recipes.shipped():
        with tempfile.TemporaryDirectory() as folder:
            print(row(name, pathlib.Path(folder)), flush=True)


if __name__ == "__main__":
    main()
