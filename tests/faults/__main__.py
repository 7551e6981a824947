"""The bench of faults: what is tried, how often, and what survived, as the table in docs/reliability.md.

python -m tests.faults                        # all of it, some twenty minutes on two cores
python -m tests.faults --kills 5 --games dense
"""

import argparse
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import numpy as np

from tests.command_line import run_kgan, start_kgan
from tests.faults.processes import RECIPE, assert_same, everything, interrupt, kill, newest_step

# shipped recipes and one more for each schedule, short enough to be run often; on noise of their data's shape
GAMES = {
    "dense": ["dense"],
    "dcgan (dropout)": ["dcgan", "--set", "data.batch_size=16", "--set", "data.limit=64"],
    "combined": ["combined", "--set", "data.batch_size=64"],
    "digits (R1, averaged generator)": ["digits", "--set", "data.limit=450"],
    "dense-alternating, d_steps=3": ["dense-alternating", "--set", "schedule.d_steps=3"],
    "dcgan-periods": ["dcgan-periods", "--set", "data.batch_size=16", "--set", "data.limit=64"],
}


def game(name, folder):
    """A run of a recipe, once straight and once killed at its first step, within an epoch, and while it saves."""
    recipe, *settings = GAMES[name]
    np.save(folder / "noise.npy", np.random.default_rng(0).integers(0, 255, (450, 28, 28), "uint8"))
    if recipe != "digits":
        settings += ["--set", "data.path=noise.npy"]
    settings += ["--set", "epochs=6", "--set", "callbacks=[{name: checkpoint, every: 2 steps}, {name: image_grid}]"]
    run_kgan("train", recipe, *settings, "--out", "straight", cwd=folder)
    arguments = ["train", recipe, *settings, "--out", "run", "--resume"]
    interrupt(start_kgan(*arguments, cwd=folder), folder / "run", signal.SIGKILL)
    interrupt(start_kgan(*arguments, cwd=folder), folder / "run", signal.SIGTERM, steps=newest_step(folder / "run") + 2)
    interrupt(start_kgan(*arguments, cwd=folder), folder / "run", signal.SIGKILL, steps=newest_step(folder / "run") + 3)
    run_kgan(*arguments, cwd=folder)
    worst = assert_same(folder / "run", folder / "straight")
    return f"difference {worst}", len(everything(folder / "run")[0])


def kills(folder, count, epochs=2000):
    """A run that is killed at random moments, so many times, and then ends."""
    (folder / "r.yaml").write_text(RECIPE.replace("EPOCHS", str(epochs)))
    run_kgan("train", "r.yaml", "--out", "straight", cwd=folder)
    draw, done, ended = np.random.default_rng(1), 0, 0
    while done < count:
        here = folder / f"run{ended}"
        if kill(start_kgan("train", "r.yaml", "--out", here.name, "--resume", cwd=folder), draw.uniform(1.5, 8)):
            done += 1
        else:
            assert_same(here, folder / "straight")
            ended += 1
    run_kgan("train", "r.yaml", "--out", f"run{ended}", "--resume", cwd=folder)
    return f"difference {assert_same(folder / f'run{ended}', folder / 'straight')}", count


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--games", nargs="*", default=list(GAMES))
    asked = parser.parse_args()
    print("| what was done to a run | how often | against a run that was never stopped | seconds |\n|---|---|---|---|")
    tasks = [(f"`kgan train`, {name}: killed twice, SIGTERM once", lambda folder, name=name: game(name, folder), 3)
             for name in asked.games]  # fmt: skip
    tasks.append(
        ("SIGKILL at random moments, resumed each time", lambda folder: kills(folder, asked.kills), asked.kills)
    )
    for what, task, times in tasks:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            said, arrays = task(pathlib.Path(folder))
        detail = f"{said} in {arrays} arrays" if times == 3 else f"{said}"
        print(f"| {what} | {times} | {detail}, logs and pictures equal | {time.monotonic() - began:.0f} |", flush=True)
    began = time.monotonic()
    tests = [sys.executable, "-m", "pytest", "-q", "-m", "slow or not slow", "tests/faults"]
    said = subprocess.run(tests, capture_output=True, text=True).stdout.splitlines()[-1]
    print(f"| the tests below | | {said} | {time.monotonic() - began:.0f} |")


if __name__ == "__main__":
    main()
