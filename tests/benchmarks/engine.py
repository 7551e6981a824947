"""What each choice of the engine policy is worth: a training as kgan sets it up, against the same with one choice changed.

    python -m tests.benchmarks.engine [--rounds 15]

Both run in a process each and take turns in short rounds; a ratio above 1 says that the choice made is the faster one.
"""

import argparse
import statistics
import time

from tests.benchmarks.speed import Worker

# what is trained, the choice changed, batches a round, and in words
ROWS = [
    ("dense", "xla", 40, "XLA is off; on"),
    ("dcgan", "xla", 2, "XLA is off; on"),
    ("combined", "xla", 20, "XLA is off; on"),
    ("dense", "single", 40, "20 steps at once; one"),
    ("dcgan", "single", 2, "2 steps at once; one"),
    ("combined", "single", 20, "20 steps at once; one"),
    ("dense", "onednn", 40, "oneDNN is on; off"),
    ("dcgan", "onednn", 2, "oneDNN is on; off"),
    ("dense", "streamed", 40, "data in memory; through Python"),
    ("dcgan", "streamed", 2, "data in memory; through Python"),
]


def started(name, batches):
    began = time.perf_counter()
    # on, as `kgan train` sets it, unless that is what changes
    onednn = "0" if name.endswith("+onednn") else "1"
    worker = Worker("kgan", name.removesuffix("+onednn"), batches, "tensorflow", TF_ENABLE_ONEDNN_OPTS=onednn)
    return worker, time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(
        "| training | chosen; changed | chosen, ms a step | changed, ms a step | ratio | start, s | start changed, s |"
    )
    print("|---|---|---|---|---|---|---|", flush=True)
    for name, option, batches, words in ROWS:
        (chosen, first), (changed, other) = started(name, batches), started(f"{name}+{option}", batches)
        times = [(chosen.round(), changed.round()) for _ in range(rounds)]
        ours, theirs = (1000 * statistics.median(column) for column in zip(*times, strict=True))
        ratio = statistics.median(there / here for here, there in times)
        chosen.finish(), changed.finish()
        print(f"| {name} | {words} | {ours:.1f} | {theirs:.1f} | {ratio:.2f} | {first:.1f} | {other:.1f} |", flush=True)


if __name__ == "__main__":
    main()
