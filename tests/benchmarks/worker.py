"""One subject in a process of its own: a round for each line on stdin, and at the end its peak memory."""

import json
import resource
import sys
import time

import numpy as np

from tests.benchmarks.subjects import kgan_subject, loop_subject


def rounds(batches):
    """A generator that times what happens between its turns: one for each line on stdin."""
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        yield
        print(json.dumps((time.perf_counter() - began) / batches), flush=True)


def main(kind, name, batches):
    images = np.random.default_rng(0).integers(0, 256, (60_000, 28, 28, 1), "uint8")
    subject = kgan_subject if kind == "kgan" else loop_subject
    subject(name, images, int(batches), rounds(int(batches)))
    print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
