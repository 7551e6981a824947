"""Real `kgan train` processes, and what they leave."""

import json
import signal
import subprocess
import time

import numpy as np

from kgan.checkpoints import disk

# every kind of state in one small run: BatchNormalization, dropout, R1, an averaged generator, a smaller last batch
RECIPE = """\
latent_dim: 8
data: {name: digits, batch_size: 100, limit: 450}
generator: {name: dense, units: [16, 24], momentum: 0.9}
discriminator: {name: dense, units: [24], dropout: 0.3}
schedule: {name: alternating, d_steps: 3}
penalties: [{name: r1, weight: 1}]
ema: 0.99
epochs: EPOCHS
callbacks:
  - {name: image_grid, every: 40, rows: 2, columns: 2}
  - {name: checkpoint, every: 7 steps}
  - {name: loss_plot, every: 1000}
"""


# a plugin: the power fails when a checkpoint's n-th file has been written half
POWER_FAILS = """\
import os, signal
from kgan import callbacks
from kgan.checkpoints import disk
written, put = [], disk._put

def fails(path, fill):
    written.append(path)
    if len(written) == NUMBER:
        path.write_bytes(b"half of what was to b")
        os.kill(os.getpid(), signal.SIGKILL)
    put(path, fill)

disk._put = fails

class Needed(callbacks.Periodic):
    place = "needed"
"""
# a plugin: the disk is full from the third checkpoint on, of three files each
DISK_FULL = """\
import errno, os
from kgan import callbacks
from kgan.checkpoints import disk
written, put = [], disk._put

def fails(path, fill):
    written.append(path)
    if len(written) > 6:
        path.write_bytes(b"half of what was to b")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    put(path, fill)

disk._put = fails

class Needed(callbacks.Periodic):
    place = "needed"
"""


def interrupt(process, folder, number, steps=1):
    """Send a signal once the run in the folder has a checkpoint of so many steps, which must end it; return what it said."""
    while process.poll() is None and newest_step(folder) < steps:
        time.sleep(0.02)
    process.send_signal(number)  # which does nothing to a process that has ended
    said = process.communicate()[0]
    assert process.returncode == (-number if number == signal.SIGKILL else 128 + number), said
    assert "Traceback" not in said, said
    return said


def newest_step(folder):
    known = disk.all_in(folder / "checkpoints")
    return disk.read_state(known[-1])["step"] if known else 0


def kill(process, after):
    """SIGKILL after so many seconds; return whether it was still there."""
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    said = process.communicate()[0]
    assert process.returncode == 0, said
    return False


def everything(folder):
    """The last checkpoint's arrays, the rows of the log without their times, and the pictures."""
    newest, passed = disk.latest(folder / "checkpoints")
    assert not passed
    with np.load(newest / "arrays.npz") as arrays:
        state = dict(arrays)
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    for row in rows:
        del row["seconds"]
    return state, rows, {path.name: path.read_bytes() for path in (folder / "samples").iterdir()}


def assert_same(folder, other, tolerance=0.0):
    state, rows, pictures = everything(folder)
    other_state, other_rows, other_pictures = everything(other)
    assert state.keys() == other_state.keys() and len(state) > 20
    worst = max(np.abs(state[name].astype("float64") - other_state[name].astype("float64")).max() for name in state)
    assert worst <= tolerance, worst
    if tolerance == 0.0:
        assert rows == other_rows and pictures == other_pictures
    return worst
