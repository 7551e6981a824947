"""kgan's metrics against the reference packages: the same features, the same run, in turns.

python -m tests.benchmarks.metrics            # all sizes, some minutes on two cores that have nothing else to do
python -m tests.benchmarks.metrics 2000x64

Both get float64 features. A ratio above 1 says that kgan is faster. Memory is the most that a process of its own, with the
features and one metric, has held at once.
"""

import contextlib
import io
import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

from kgan import metrics
from tests import references

SIZES = {"2000x64": 5, "10000x128": 3, "10000x2048": 1}  # and turns


def features(size):
    n, d = map(int, size.split("x"))
    draw = np.random.default_rng(0)
    mix = draw.normal(size=(d, d)) / np.sqrt(d)
    return [np.maximum(draw.normal(size=(n, d)) @ mix + shift, 0.0) for shift in (0.0, 0.1)]


def _fid(torch, fidelity, real, generated):
    of = [fidelity.metric_fid.fid_features_to_statistics(one) for one in (generated, real)]
    return fidelity.metric_fid.fid_statistics_to_metric(*of, verbose=False)


def _prdc(torch, fidelity, real, generated):
    import prdc

    with contextlib.redirect_stdout(io.StringIO()):
        return prdc.compute_prdc(real.numpy(), generated.numpy(), nearest_k=5)


def _all_four(real, generated):
    metrics.precision_recall(real, generated, k=5, strict=True)
    metrics.density_coverage(real, generated)


ROWS = {
    "Frechet distance": ("torch-fidelity", metrics.frechet_distance, _fid),
    "kernel distance": (
        "torch-fidelity",
        metrics.kernel_distance,
        lambda torch, fidelity, real, generated: fidelity.metric_kid.kid_features_to_metric(
            generated, real, kid_subsets=100, kid_subset_size=1000, rng_seed=2020, verbose=False
        ),
    ),
    "inception score": (
        "torch-fidelity",
        lambda real, generated: metrics.inception_score(generated),
        lambda torch, fidelity, real, generated: fidelity.metric_isc.isc_features_to_metric(generated, shuffle=False),
    ),
    "precision, recall": (
        "torch-fidelity",
        metrics.precision_recall,
        lambda torch, fidelity, real, generated: fidelity.metric_prc.prc_features_to_metric(
            generated, real, verbose=False
        ),
    ),
    "precision, recall, density, coverage": ("prdc", _all_four, _prdc),
}


def once(size, row, side):
    """Milliseconds and MiB of one call."""
    real, generated = features(size)
    _, ours, theirs = ROWS[row]
    if side == "reference":
        import torch

        fidelity = references.torch_fidelity()
        arrays = torch.from_numpy(real), torch.from_numpy(generated)
        began = time.perf_counter()
        theirs(torch, fidelity, *arrays)
    else:
        began = time.perf_counter()
        ours(real, generated)
    took = time.perf_counter() - began
    return {"ms": 1000 * took, "MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main(sizes):
    print("| features | metric | reference | reference, s | kgan, s | speed | reference, MiB | kgan, MiB |")
    print("|---|---|---|---|---|---|---|---|")
    for size in sizes:
        for row, (package, *_) in ROWS.items():
            found: dict[str, list] = {"reference": [], "kgan": []}
            for _ in range(SIZES[size]):
                for side, results in found.items():
                    command = [sys.executable, "-m", "tests.benchmarks.metrics", "--once", size, row, side]
                    results.append(
                        json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
                    )
            theirs, ours = (
                statistics.median(one["ms"] for one in found[side]) / 1000 for side in ("reference", "kgan")
            )
            ratio = statistics.median(
                one["ms"] / other["ms"] for one, other in zip(found["reference"], found["kgan"], strict=True)
            )
            memory = [max(one["MiB"] for one in found[side]) for side in ("reference", "kgan")]
            cells = (
                size,
                row,
                package,
                f"{theirs:.3g}",
                f"{ours:.3g}",
                f"{ratio:.2f}",
                *(f"{most:.0f}" for most in memory),
            )
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--once"]:
        print(json.dumps(once(*sys.argv[2:])))
    else:
        main(sys.argv[1:] or SIZES)
