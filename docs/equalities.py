"""How equal trainings on several devices are to those on one: the table of docs/devices.md.

python -m docs.equalities [--jax CASE...]
"""

import argparse
import pathlib
import tempfile

from tests.launch import difference, train
from tests.together import CASES

HERE = pathlib.Path(__file__).parent
ON_JAX = ["dense", "dcgan", "mnist", "ada", "pix2pix", "cyclegan"]  # it takes minutes to compile convolutions for a CPU
WAYS = {
    "JAX, 2 devices": ("jax", 2, 1),
    "JAX, 4 devices": ("jax", 4, 1),
    "JAX, 2 processes": ("jax", 2, 2),
    "PyTorch, 2 processes": ("torch", 2, 2),
}
WHAT = {
    "dense": "dense, dropout, BatchNormalization in the generator",
    "dcgan": "DCGAN, schedule `combined`, minibatch deviation",
    "mnist": "classes, hinge, lazy R1, averaged generator",
    "ada": "ADA, its p included",
    "pix2pix": "Pix2Pix, BatchNormalization in the discriminator",
    "cyclegan": "CycleGAN, with its pool of images",
    "wgan-gp": "gradient penalty through BatchNormalization, drift",
    "average": "relativistic average, DRAGAN",
    "tricks": "instance noise, flipped labels, schedule `periods`",
    "reconstruction": "FastGAN's reconstruction of quarters",
    "pacgan": "packs of two, two updates of D for each of G",
}


def table(on_jax):
    found = {way: {} for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        for engine, cases in (("torch", list(CASES)), ("jax", on_jax)):
            one = train(new(folder, engine), cases, engine)
            for way, (of_engine, devices, processes) in WAYS.items():
                if of_engine == engine:
                    many = train(new(folder, way), cases, engine, devices, processes)
                    found[way] = {case: difference(many[case], one[case])[0] for case in cases}
    rows = [f"| training | {' | '.join(WAYS)} |", f"|---|{'---:|' * len(WAYS)}"]
    for case in CASES:
        values = [f"{found[way][case]:.0e}" if case in found[way] else "" for way in WAYS]
        rows.append(f"| {WHAT[case]} | {' | '.join(values)} |")
    return "\n".join(rows) + "\n"


def new(folder, name):
    path = pathlib.Path(folder) / name
    path.mkdir()
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--jax", nargs="+", choices=CASES, default=ON_JAX)
    (HERE / "devices" / "equalities.md").write_text(table(parser.parse_args().jax), "utf-8")
