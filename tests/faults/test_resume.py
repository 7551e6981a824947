"""A training that was interrupted and goes on is the training that was not: every variable, log, image and callback."""

import json

import keras
import numpy as np
import pytest

import kgan
from kgan.callbacks import Checkpoint, ImageGrid, LogFile, LossPlot
from kgan.data import Batches
from tests.helpers import compiled, largest_difference, small_gan, state

TOLERANCE = 1e-6 if keras.backend.backend() == "torch" else 0.0
EPOCHS = 4
GAMES = {
    "simultaneous": {},
    "r1 and ema": {"penalties": ["r1"], "ema": 0.9},
    "alternating": {"schedule": kgan.schedules.Alternating(d_steps=3)},
    "combined": {"schedule": "combined"},
    "periods": {"schedule": kgan.schedules.Periods(1, 1)},
}


class KilledError(Exception):
    pass


class KillAt(keras.callbacks.Callback):
    """The power fails after so many steps, before anything else is called."""

    def __init__(self, step):
        super().__init__()
        self.step, self.done = step, 0

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        if self.done == self.step:
            raise KilledError


def train(images, folder, game, kill_at=None, every="2 steps", at_once=1, **options):
    keras.utils.set_random_seed(3)
    gan = compiled(small_gan(), steps_per_execution=at_once, **game)
    callbacks = [
        Checkpoint(folder / "checkpoints", every=every, resume=True, **options),
        LogFile(folder / "log.jsonl"),
        ImageGrid(folder / "samples", rows=2, columns=2),
        LossPlot(folder / "losses.png"),
    ]
    callbacks += [KillAt(kill_at)] if kill_at else []
    history = gan.fit(Batches(images, 8, seed=5), epochs=EPOCHS, verbose=0, callbacks=callbacks)
    return gan, history


def left_behind(folder):
    """What a run writes, without the times."""
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    for row in rows:
        del row["seconds"]
    return rows, {path.name: path.read_bytes() for path in sorted((folder / "samples").iterdir())}


def assert_same(one, other, folder, other_folder):
    assert largest_difference(state(one[0]), state(other[0])) <= TOLERANCE
    assert one[1].epoch == other[1].epoch == list(range(EPOCHS))
    for name, values in other[1].history.items():
        np.testing.assert_allclose(one[1].history[name], values, rtol=0, atol=TOLERANCE)
    if TOLERANCE == 0.0:
        rows, samples = left_behind(folder)
        assert (rows, samples) == left_behind(other_folder) and len(rows) == EPOCHS


@pytest.mark.parametrize("name", GAMES)
def test_resumed_is_never_stopped(images, tmp_path, name):
    """Killed at the first step, within epochs, at their last steps and again after going on."""
    straight = train(images, tmp_path / "straight", GAMES[name])
    assert int(straight[0].d_opt.iterations) > 0
    for kills in ([1], [7, 6, 3]):
        folder = tmp_path / "-".join(map(str, kills))
        for kill in kills:
            with pytest.raises(KilledError):
                train(images, folder, GAMES[name], kill_at=kill)
        assert_same(train(images, folder, GAMES[name]), straight, folder, tmp_path / "straight")
