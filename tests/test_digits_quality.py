"""The main job for real: three seeds of the digits recipe, judged by a classifier of the real digits."""

import subprocess
import time

import numpy as np
import pytest

from tests.command_line import KGAN
from tests.quality import judge


@pytest.mark.slow
def test_digits_look_like_digits(tmp_path):
    _, score = judge("digits")
    for seed in range(3):
        began = time.monotonic()
        subprocess.run([*KGAN, "train", "digits", "--set", f"seed={seed}", "--out", tmp_path / str(seed)], check=True)
        print(f"seed {seed}: {time.monotonic() - began:.0f} s")
        subprocess.run(
            [*KGAN, "sample", tmp_path / str(seed), "-n", "1000", "-o", tmp_path / f"{seed}.npy"], check=True
        )
        confidence, classes = score(np.load(tmp_path / f"{seed}.npy"))
        assert confidence >= 0.85 and classes >= 9.5, (seed, confidence, classes)
