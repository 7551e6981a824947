"""A training that was interrupted and goes on is the training that was not: every variable, log, image and callback."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from typing import NamedTuple

import keras
import numpy as np
import pytest

import kgan
from kgan.architectures import dense
from kgan.callbacks import Checkpoint, ImageGrid, LogFile, LossPlot
from kgan.checkpoints import disk
from kgan.data import Batches
from tests.helpers import KilledError, Steps, compiled, largest_difference, small_gan, state

TOLERANCE = 1e-6 if keras.backend.backend() == "torch" else 0.0
EPOCHS = 4
GAMES = {
    "simultaneous": {},
    "r1 and ema": {"penalties": ["r1"], "ema": 0.9},
    "alternating": {"schedule": kgan.schedules.Alternating(d_steps=3)},
    "combined": {"schedule": "combined"},
    "periods": {"schedule": kgan.schedules.Periods(1, 1)},
    "lazy penalties": {"penalties": [kgan.penalties.R1(1.0, every=4), kgan.penalties.DRAGAN(1.0, every=3)]},
    "tricks": {"tricks": [kgan.tricks.WeightClip(0.1), kgan.tricks.LabelFlip(0.2), kgan.tricks.InstanceNoise(0.5, 12)]},
    "augmentation, schedules": {
        "augment": kgan.augment.ADA(target=-0.5, interval=3, length=40, policy=("color",)),
        "penalties": [kgan.penalties.R1(kgan.ramps.Cosine(2.0, 0.5, 9), every=4)],
        "ema": kgan.ramps.Linear(0.1, 0.9, 9),
    },
    "spectral norm": {"discriminator": lambda: dense.discriminator((8, 8, 1), units=(16,), spectral_norm=True)},
}


SELDOM = ("lazy penalties", "alternating", "periods", "spectral norm", "combined", "tricks", "r1 and ema")


class Trained(NamedTuple):
    gan: kgan.GAN
    history: keras.callbacks.History
    steps: int  # since it began or went on


def train(images, folder, game, kill_at=None, at_once=1, data=None, **more):
    keras.utils.set_random_seed(3)
    players = {"discriminator": game["discriminator"]} if "discriminator" in game else {}
    rules = {name: value for name, value in game.items() if name not in players}
    gan = compiled(small_gan(**players), steps_per_execution=at_once, **rules)
    callbacks = [
        Checkpoint(folder / "checkpoints", every="2 steps", resume=True),
        LogFile(folder / "log.jsonl"),
        ImageGrid(folder / "samples", rows=2, columns=2),
        LossPlot(folder / "losses.png", every=99),  # and at the end
    ]
    callbacks.append(steps := Steps(kill_at))
    data = Batches(images, 8, seed=5) if data is None else data
    history = gan.fit(data, epochs=EPOCHS, verbose=0, callbacks=callbacks, **more)
    return Trained(gan, history, steps.done)


def left_behind(folder):
    """What a run writes, without the times."""
    pictures = [*sorted((folder / "samples").iterdir()), folder / "losses.png"]
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    for row in rows:
        del row["seconds"]
    return rows, {path.name: path.read_bytes() for path in pictures}


def assert_same(one, other, folder, other_folder):
    assert largest_difference(state(one.gan), state(other.gan)) <= TOLERANCE
    assert one.history.epoch == other.history.epoch == list(range(EPOCHS))
    for name, values in other.history.history.items():
        np.testing.assert_allclose(one.history.history[name], values, rtol=0, atol=TOLERANCE)
    if TOLERANCE == 0.0:
        rows, pictures = left_behind(folder)
        assert (rows, pictures) == left_behind(other_folder) and len(rows) == EPOCHS


def marks(name):
    """The first is checked most often, and those that differ least from another one least often."""
    return [pytest.mark.slow] if name in SELDOM else [pytest.mark.longer] if name != "simultaneous" else []


@pytest.mark.parametrize("name", [pytest.param(name, marks=marks(name)) for name in GAMES])
def test_resumed_is_never_stopped(images, tmp_path, name):
    """Killed within an epoch; one game at the first step, at the last ones of epochs and again after going on too."""
    straight = train(images, tmp_path / "straight", GAMES[name])
    assert int(straight.gan.d_opt.iterations) > 0
    # of 20 steps: those done before each kill, and what is left after the last one; a step's checkpoint comes after its kill
    for kills, left in (([1], 20), ([7, 6, 3], 8)) if name == "simultaneous" else (([7], 14),):
        folder = tmp_path / "-".join(map(str, kills))
        for kill in kills:
            with pytest.raises(KilledError):
                train(images, folder, GAMES[name], kill_at=kill)
        resumed = train(images, folder, GAMES[name])
        assert (straight.steps, resumed.steps) == (20, left)
        assert_same(resumed, straight, folder, tmp_path / "straight")


@pytest.mark.longer
@pytest.mark.parametrize("at_once", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_training_stopped_in_the_middle_of_an_epoch_goes_on_there(images, tmp_path, at_once):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = self.model.epochs == 1 and batch == 2  # three of five batches are done

    whole = train(images, tmp_path / "whole", {"ema": 0.9}, at_once=at_once)
    (tmp_path / "parts").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Steps, "on_train_batch_end", Stop.on_train_batch_end)
        train(images, tmp_path / "parts", {"ema": 0.9}, at_once=at_once)
    assert (tmp_path / "parts" / "checkpoints" / "step-000008").is_dir()
    parts = train(images, tmp_path / "parts", {"ema": 0.9}, at_once=at_once)
    assert (whole.steps, parts.steps) == {1: (20, 12), 3: (8, 5)}[at_once]
    assert_same(whole, parts, tmp_path / "whole", tmp_path / "parts")


def test_epochs_that_are_shorter_than_the_data(images, tmp_path):
    gan = train(images, tmp_path, {}, steps_per_epoch=1).gan  # of five
    assert int(gan.d_opt.iterations) == 4
    states = [disk.read_state(path) for path in disk.all_in(tmp_path / "checkpoints")]
    assert [(state["epoch"], state["step"]) for state in states] == [(1, 2), (3, 4)]


@pytest.mark.longer
def test_several_steps_at_once(images, tmp_path):
    if keras.backend.backend() == "torch":
        pytest.skip("one step at a time there")
    game = GAMES["r1 and ema"]
    straight = train(images, tmp_path / "straight", game, at_once=2)
    for kill in (4, 3):  # executions, of two steps but for an epoch's last
        with pytest.raises(KilledError):
            train(images, tmp_path / "killed", game, kill_at=kill, at_once=2)
    resumed = train(images, tmp_path / "killed", game, at_once=2)
    assert resumed.steps < straight.steps == 12
    assert_same(resumed, straight, tmp_path / "killed", tmp_path / "straight")


def test_arrays_are_taken_in_an_order_that_can_be_named(images, tmp_path):
    straight = train(images, tmp_path / "straight", {}, data=images, batch_size=8)
    with pytest.raises(KilledError):
        train(images, tmp_path / "killed", {}, data=images, batch_size=8, kill_at=8)
    resumed = train(images, tmp_path / "killed", {}, data=images, batch_size=8)
    assert resumed.steps < straight.steps == 20
    assert_same(resumed, straight, tmp_path / "killed", tmp_path / "straight")


class Others(keras.utils.PyDataset):
    """Data that are not kgan's."""

    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return 5

    def __getitem__(self, index):
        return (self.images[8 * index : 8 * index + 8],)


def test_other_data_begin_the_epoch_again_and_say_so(images, tmp_path, caplog):
    with pytest.raises(KilledError):
        train(images, tmp_path, {}, data=Others(images), kill_at=9)  # saved at step 8, in the second epoch
    gan, history, _ = train(images, tmp_path, {}, data=Others(images))
    assert "Epoch 2 begins again: the position in these data cannot be restored." in caplog.text
    assert int(gan.d_opt.iterations) == 8 + 3 * 5 and history.epoch == list(range(EPOCHS))
    rows, _ = left_behind(tmp_path)
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]


def test_what_keras_callbacks_remember(images, tmp_path):
    """EarlyStopping, which forgets how long it has waited when a training begins."""

    def fit(steps):
        keras.utils.set_random_seed(3)
        gan = compiled(small_gan())
        stopper = keras.callbacks.EarlyStopping("constant", patience=3, mode="min")
        callbacks = [Checkpoint(tmp_path, resume=True), Constant(), stopper, steps]
        return gan.fit(Batches(images, 8, seed=5), epochs=9, verbose=0, callbacks=callbacks), stopper

    with pytest.raises(KilledError):
        fit(Steps(kill_at=12))  # in the third epoch: it has waited for one
    history, stopper = fit(rest := Steps())
    assert rest.done == 10
    assert history.epoch == [0, 1, 2, 3] and stopper.stopped_epoch == 3


class Constant(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["constant"] = 1.0


OTHER_ENGINE = """
import sys, numpy as np, keras, kgan
from kgan.data import Batches
from tests.helpers import compiled, small_gan, values
gan = compiled(small_gan(), ema=0.9)
before = values(gan.generator.trainable_variables)
images = np.load(sys.argv[1])
gan.fit(Batches(images, 8, seed=5), epochs=2, verbose=0, callbacks=[kgan.callbacks.Checkpoint(sys.argv[2], resume=True)])
print("saw", float(np.abs(values(gan.d_opt.variables)[0])), int(gan.epochs))
fresh = kgan.load(sys.argv[2] + "/epoch-0001")
np.save(sys.argv[3], fresh.generator.predict(np.ones((2, 6), "float32"), verbose=0))
"""


def test_another_engine_goes_on_with_the_weights_and_says_what_is_no_longer_exact(images, tmp_path):
    here = keras.backend.backend()
    others = [name for name in ("tensorflow", "jax", "torch") if name != here and importlib.util.find_spec(name)]
    if not others:
        pytest.skip("one engine is installed")
    gan = compiled(small_gan(), ema=0.9)
    gan.fit(Batches(images, 8, seed=5), epochs=1, verbose=0, callbacks=[Checkpoint(tmp_path / "c")])
    np.save(tmp_path / "images.npy", images)
    expected = gan.generator.predict(np.ones((2, 6), "float32"), verbose=0)
    for other in others:
        shutil.copytree(tmp_path / "c", tmp_path / other)
        command = [
            sys.executable,
            "-c",
            OTHER_ENGINE,
            tmp_path / "images.npy",
            tmp_path / other,
            tmp_path / f"{other}.npy",
        ]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "KERAS_BACKEND": other})
        assert done.returncode == 0, done.stderr
        assert f"The checkpoint was written on {here}: its weights and optimizers are restored" in done.stderr
        assert "Resuming from" in done.stderr and "saw 10.0 2" in done.stdout  # steps of D's optimizer, epochs
        np.testing.assert_allclose(np.load(tmp_path / f"{other}.npy"), expected, atol=1e-5)


def test_signal_handlers_are_put_back(images, tmp_path):
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    train(images, tmp_path / "a", {})
    with pytest.raises(KilledError):
        train(images, tmp_path / "b", {}, kill_at=2)
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


def test_a_signal_ends_a_plain_fit(images, tmp_path):
    class Ask(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            os.kill(os.getpid(), signal.SIGTERM)

    gan = compiled(small_gan())
    with pytest.raises(SystemExit) as ended:
        gan.fit(Batches(images, 8), epochs=3, verbose=0, callbacks=[Checkpoint(tmp_path), Ask()])
    assert ended.value.code == 143 and int(gan.d_opt.iterations) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["step-000001"]
