"""Where the time of a training step goes on TensorFlow: its operations, by network and kind.

    python -m tests.benchmarks.where_time_goes pictures --set data.path=twitter

`kgan train` runs the recipe, and TensorFlow's profiler records some steps of it after the first ones. Operations run side
by side on several cores and are counted each, so their sum is larger than the time of a step. This file is also the plugin
that starts and stops the profiler.
"""

import argparse
import collections
import pathlib
import subprocess
import sys
import tempfile

from kgan import callbacks

BEFORE, STEPS = 200, 200


class Profile(callbacks.Periodic):
    """Records some steps, after the first ones, and ends the training.

    Args:
        directory: Where the profile goes.
    """

    place = "profile"

    def __init__(self, directory: str = "profile"):
        super().__init__("1000000 epochs")
        self.directory, self.began = directory, None

    def on_train_batch_end(self, batch, logs=None):
        import tensorflow as tf

        step = int(self.model.d_opt.iterations)
        if self.began is None and step >= BEFORE:
            self.began = step
            tf.profiler.experimental.start(str(self.directory))
        elif self.began is not None and step >= self.began + STEPS:
            tf.profiler.experimental.stop()
            pathlib.Path(self.directory, "steps").write_text(str(step - self.began))
            self.model.stop_training = True
            self.began = float("inf")


def kind(path, operation):
    """The row of the table to which an operation belongs."""
    if "_opt/" in path:
        return "the optimizers' updates"
    network = next((name for name in ("generator", "discriminator") if name in path), None)
    if network is None:
        return "everything else: losses, logs, the averaged generator, data"
    if "Conv2D" in operation:
        of_kernels = "BackpropFilter" in operation
        step = "gradients of their kernels" if of_kernels else "forward, and gradients of their inputs"
        return f"{network}, convolutions, {step}"
    if "MatMul" in operation:
        return f"{network}, dense layers"
    return f"{network}, normalization, activations, biases"


def durations(folder):
    """Milliseconds of a step, by row of the table."""
    from jax.profiler import ProfileData

    [file] = folder.glob("plugins/profile/*/*.xplane.pb")
    steps = int((folder / "steps").read_text())
    found = collections.Counter()
    for plane in ProfileData.from_file(str(file)).planes:
        for line in plane.lines:
            for event in line.events:
                path, named, operation = event.name.rpartition(":")
                if named and "/" in path:  # an operation of the graph, not the profiler's own
                    found[kind(path, operation)] += event.duration_ns / 1e6 / steps
    return found


def main():
    from tests.command_line import KGAN

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    settings = [*arguments.set, "callbacks=[{name: profile}]"]
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder, "run")
        command = [*KGAN, "train", arguments.recipe, "--out", str(run), "--plugin", __file__]
        done = subprocess.run([*command, *(word for one in settings for word in ("--set", one))], stdout=sys.stderr)
        if done.returncode:
            raise SystemExit(done.returncode)
        found = durations(run / "profile")
    total = sum(found.values())
    print("| operations | ms of a step | share |")
    print("|---|---|---|")
    for name, value in found.most_common():
        print(f"| {name} | {value:.1f} | {100 * value / total:.0f} % |")


if __name__ == "__main__":
    main()
