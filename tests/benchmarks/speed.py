"""The speed of a training step against the documents' hand-written loops.

    python -m tests.benchmarks.speed [--rounds 25] [--rows dense dcgan ...] [--against REV]

Loop and kgan run in a process each, and take turns in short rounds, so that both see the same machine; a row is the
median of each, their ratio (above 1: kgan is faster), and the peak memory of each process. The images are random:
their values change nothing in the time of a step. With `--against REV` kgan at that revision takes the loop's place.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from tests.same_as import ROOT, trees

# row: what is trained, its batches a round, the engine of kgan, the goals for speed
ROWS = {
    "dense": ("dense", 40, "tensorflow", 1.0),
    "dense on JAX": ("dense", 40, "jax", 1.25),
    "dense on PyTorch": ("dense", 40, "torch", None),
    "dcgan": ("dcgan", 2, "tensorflow", 0.97),
    "combined": ("combined", 20, "tensorflow", 4.0),
    # mostly three updates of Adam, which XLA does in one pass; the larger networks lose by it, and compiling takes memory
    "combined with XLA": ("combined+xla", 20, "tensorflow", 4.0),
    # the loop is one of the same engine: TensorFlow's tape, or plain PyTorch
    "Pix2Pix, 64 pixels": ("pix2pix-64", 8, "tensorflow", 1.0),
    "Pix2Pix, 256 pixels": ("pix2pix-256", 4, "tensorflow", 1.0),
    "Pix2Pix, 64 pixels, on PyTorch": ("pix2pix-64", 8, "torch", 1.0),
    "Pix2Pix, 256 pixels, on PyTorch": ("pix2pix-256", 4, "torch", 1.0),
    "Pix2Pix, two filters, on PyTorch": ("pix2pix-calls", 8, "torch", 0.0),  # what the calls of Keras' layers cost
    "CycleGAN, 128 pixels": ("cyclegan", 2, "tensorflow", 1.0),
    "CycleGAN, 128 pixels, on PyTorch": ("cyclegan", 2, "torch", 1.0),
}


class Worker:
    def __init__(self, kind, name, batches, backend, tree=ROOT, **variables):
        # `-m` looks in the working directory first: kgan is that of the tree, the tests are these
        path = {"PYTHONPATH": str(ROOT)}
        environment = {**os.environ, **path, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"} | variables
        command = [sys.executable, "-m", "tests.benchmarks.worker", kind, name, str(batches)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen(command, env=environment, cwd=tree, **pipes)
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit(f"{' '.join(command)} on {backend} failed; run it by itself to see why.")

    def round(self):
        print("go", file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def finish(self):
        self.process.stdin.close()
        peak = json.loads(self.process.stdout.read())
        self.process.wait()
        return peak


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=list(ROWS))
    parser.add_argument("--against", metavar="REV", help="a revision of kgan, in place of the loop")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        before = trees(arguments.against, pathlib.Path(folder))[0] if arguments.against else None
        measure(arguments.rows, arguments.rounds, before)


def measure(rows, rounds, before):
    other = "loop" if before is None else "before"
    print(f"| row | {other}, ms a step | kgan, ms a step | speed | goal | {other}, MiB | kgan, MiB | memory |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for row in rows:
        name, batches, backend, goal = ROWS[row]
        if before is None:
            reference = Worker(
                "loop", name, batches, backend if name.startswith(("pix2pix", "cyclegan")) else "tensorflow"
            )
        else:
            reference, goal = Worker("kgan", name, batches, backend, before), 0.99
        workers = reference, Worker("kgan", name, batches, backend)
        times = [[worker.round() for worker in workers] for _ in range(rounds)]
        theirs, ours = (1000 * statistics.median(column) for column in zip(*times, strict=True))
        memory = [worker.finish() for worker in workers]
        cells = (
            row,
            f"{theirs:.1f}",
            f"{ours:.1f}",
            f"{theirs / ours:.2f}",
            goal or "",
            *(f"{peak:.0f}" for peak in memory),
        )
        print("|", *(f"{cell} |" for cell in cells), f"{memory[1] / memory[0]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
