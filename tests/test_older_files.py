"""Files of earlier versions are loaded: their images are the same, and their trainings go on."""

import json
import pathlib
import shutil

import numpy as np
import pytest

import kgan
from tests.command_line import call_kgan

VERSIONS = sorted(path for path in pathlib.Path(__file__).with_name("older").iterdir() if path.is_dir())


@pytest.fixture(params=VERSIONS, ids=[path.name for path in VERSIONS])
def older(request, tmp_path):
    shutil.copytree(request.param, tmp_path / "older")
    return tmp_path / "older"


def test_images_are_the_same(older):
    images = np.load(older / "images.npy")
    for name in ("run", "preset"):
        call_kgan("sample", name, "-n", 4, "-o", "x.npy", cwd=older)
        np.testing.assert_allclose(np.load(older / "x.npy"), images, atol=1e-4)
    assert kgan.from_preset(older / "preset").generate(2, seed=0, labels=3).shape == (2, 8, 8, 1)


def test_a_training_goes_on(older):
    call_kgan(
        "train", "run/resolved.yaml", "--set", "epochs=4", "--out", "run", "--resume", "--allow-changes", cwd=older
    )
    rows = [json.loads(line) for line in (older / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]


def test_its_checkpoint_is_a_gan(older):
    [checkpoint] = (older / "run" / "checkpoints").iterdir()
    gan = kgan.load(checkpoint)
    assert gan.generate(2, seed=0, labels=[1, 2]).shape == (2, 8, 8, 1) and int(gan.g_opt.iterations) == 87
