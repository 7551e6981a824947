"""No mode is lost: five seeds of each recipe of Gaussians, whose modes are counted."""

import subprocess
import time

import numpy as np
import pytest

import kgan
from tests.command_line import KGAN


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name, count, std", [("ring", 8, 0.01), ("grid", 25, 0.05)])
def test_all_modes_and_little_between_them(name, count, std, seed, tmp_path):
    began = time.monotonic()
    subprocess.run(
        [*KGAN, "train", f"gaussians-{name}", "--set", f"seed={seed}", "--out", tmp_path / "run"], check=True
    )
    took = time.monotonic() - began
    subprocess.run([*KGAN, "sample", tmp_path / "run", "-n", "10000", "-o", tmp_path / "points.npy"], check=True)
    points, labels = kgan.data.get(name)()
    centres = np.stack([points[labels == mode].mean(0) for mode in range(count)])
    found, share = kgan.metrics.gaussian_modes(np.load(tmp_path / "points.npy"), centres, std)
    print(f"{name}, seed {seed}: {found} of {count} modes, {share:.1%} within 3 sigma, {took:.0f} s")
    assert found == count and share >= 0.9, (found, share)
