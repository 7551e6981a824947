"""A training that is resumed with other arguments: what was changed takes effect and is named, all else is restored."""

import json
import warnings

import keras
import numpy as np
import pytest

import kgan
from kgan.callbacks import Checkpoint
from kgan.checkpoints import changes, disk, state
from kgan.data import Batches
from tests.helpers import KilledError, Steps, compiled, largest_difference, small_gan, values
from tests.helpers import state as everything

Adam = keras.optimizers.Adam
CosineDecay = keras.optimizers.schedules.CosineDecay


class Unregistered(kgan.losses.NonSaturating):
    """A loss that `load` could not find."""


class Slower(keras.callbacks.Callback):
    """Reduces the discriminator's rate, as ReduceLROnPlateau does."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.d_opt.learning_rate = 1.25e-4


def fit(images, folder, epochs, *callbacks, gan=None, **rules):
    keras.utils.set_random_seed(3)
    gan = compiled(gan, run_eagerly=True, **rules)
    saver = Checkpoint(folder, every="2 steps", resume=True)
    gan.fit(Batches(images, 8, seed=5), epochs=epochs, verbose=0, callbacks=[*callbacks, saver])
    return gan


def arrows(caplog):
    """The lines about changes, which are then forgotten."""
    found = [record.getMessage() for record in caplog.records if " -> " in record.getMessage()]
    caplog.clear()
    return found


def rate(optimizer):
    return round(float(optimizer.learning_rate), 9)


def test_another_rate_takes_effect_once_and_is_not_lost(images, tmp_path, caplog):
    rules = {"loss": Unregistered(), "penalties": ["r1"]}  # so the checkpoint holds no GAN that `load` could make
    gan = fit(images, tmp_path, 1, Slower(), d_opt=Adam(5e-4), **rules)
    assert rate(gan.d_opt) == 1.25e-4 and arrows(caplog) == []
    gan = fit(images, tmp_path, 1, d_opt=Adam(5e-4), **rules)
    assert rate(gan.d_opt) == 1.25e-4 and arrows(caplog) == []  # what a callback did is restored
    changed = {"d_opt": Adam(2e-4), "loss": Unregistered(), "penalties": [kgan.penalties.R1(2.0)]}
    with pytest.raises(KilledError):  # before another checkpoint is written
        fit(images, tmp_path, 2, Steps(kill_at=1), **changed)
    assert arrows(caplog) == ["d_opt.learning_rate: 0.0005 -> 0.0002", "penalties.0.weight: 10.0 -> 2.0"]
    assert [path.name for path in disk.all_in(tmp_path)] == ["step-000002", "step-000004", "epoch-0001"]
    gan = fit(images, tmp_path, 2, **{**changed, "d_opt": Adam(2e-4)})
    assert rate(gan.d_opt) == 2e-4 and rate(gan.g_opt) == 1e-3 and arrows(caplog) == []
    assert int(gan.d_opt.iterations) == 10


@pytest.mark.longer
def test_the_changed_training_is_the_one_that_continues_with_the_changes_by_hand(images, tmp_path):
    """Rates, betas, clipping, weights of penalties and the loss, against a `fit` without a resume."""
    fit(images, tmp_path, 1, penalties=["r1"])
    now = {"penalties": [kgan.penalties.R1(2.0)], "loss": "hinge"}
    resumed = fit(images, tmp_path, 2, d_opt=Adam(2e-4, beta_1=0.5, clipnorm=1.0), **now)
    keras.utils.set_random_seed(3)
    gan, data = compiled(penalties=["r1"], run_eagerly=True), Batches(images, 8, seed=5)
    gan.fit(data, epochs=1, verbose=0)
    gan.d_opt.learning_rate, gan.d_opt.beta_1, gan.d_opt.clipnorm = 2e-4, 0.5, 1.0
    gan.compile(d_opt=gan.d_opt, g_opt=gan.g_opt, run_eagerly=True, **now)
    gan.fit(data, epochs=2, initial_epoch=1, verbose=0)
    assert largest_difference(everything(resumed), everything(gan)) <= (
        1e-6 if keras.backend.backend() == "torch" else 0.0
    )


def test_a_rate_becomes_a_schedule_an_average_begins_and_both_end_again(images, tmp_path, caplog):
    before = fit(images, tmp_path, 1)
    decay = {"d_opt": Adam(CosineDecay(1e-3, 100)), "ema": 0.9, "augment": "ada"}
    gan = compiled(**decay)
    state.put_back(gan, tmp_path / "epoch-0001")
    assert largest_difference(values(gan.ema_generator.weights), values(before.generator.weights)) == 0.0
    slots = [values(one.d_opt.variables) for one in (gan, before)]
    assert len(slots[0]) == len(slots[1]) - 1  # a rate that is a schedule is no variable
    assert largest_difference(slots[0], [slots[1][0], *slots[1][2:]]) == 0.0
    gan = fit(images, tmp_path, 2, **{**decay, "d_opt": Adam(CosineDecay(1e-3, 100))})
    np.testing.assert_allclose(float(gan.d_opt.learning_rate), float(CosineDecay(1e-3, 100)(10)), rtol=1e-6)
    said = arrows(caplog)
    assert said[0].startswith("d_opt.learning_rate: 0.001 -> CosineDecay(initial_learning_rate=0.001, decay_steps=100")
    assert said[1] == "ema: None -> 0.9" and said[2].startswith("augment: None -> ADA(target=0.6, interval=4")
    gan = fit(images, tmp_path, 2)
    assert rate(gan.d_opt) == 1e-3 and gan.ema_generator is None and int(gan.d_opt.iterations) == 10
    assert [line.partition(":")[0] for line in arrows(caplog)] == ["d_opt.learning_rate", "ema", "augment"]


def test_a_state_that_the_changes_do_not_fit_is_refused_and_left_alone(images, tmp_path):
    fit(images, tmp_path, 1)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "epoch-0001").iterdir()}
    wide = keras.Sequential([keras.Input((6,)), keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))])
    for changed, match in (
        (
            {"d_opt": keras.optimizers.RMSprop(1e-3)},
            "`d_opt` is RMSprop now, which cannot continue with the state of Adam",
        ),
        ({"gan": small_gan(generator=wide)}, r"generator has other variables: generator/0 \(6, 24\) in the checkpoint"),
    ):
        with pytest.raises(ValueError, match=match):
            fit(images, tmp_path, 2, **changed)
    assert kept == {path.name: path.read_bytes() for path in (tmp_path / "epoch-0001").iterdir()}
    gan = compiled(d_opt=keras.optimizers.AdamW(1e-3), g_opt=keras.optimizers.SGD(0.1))
    found = state.put_back(gan, tmp_path / "epoch-0001")  # the one has Adam's momenta, the other has none
    assert [path for path, *_ in found] == ["d_opt", "g_opt"] and int(gan.g_opt.iterations) == 5


def test_a_gan_that_was_loaded_was_compiled_with_what_it_had_been_compiled_with(images, tmp_path, caplog):
    gan = fit(images, tmp_path / "c", 1, Slower(), d_opt=Adam(5e-4))
    gan.save(tmp_path / "gan.keras")
    for path in (tmp_path / "c" / "epoch-0001", tmp_path / "gan.keras"):
        again = kgan.load(path)
        assert rate(again.d_opt) == 1.25e-4
        again.fit(images, epochs=1, verbose=0, callbacks=[Checkpoint(tmp_path / "c", resume=True)])
        assert rate(again.d_opt) == 1.25e-4 and arrows(caplog) == []


def test_records_of_anything(tmp_path):
    class Bare:
        pass

    class Fails(CosineDecay):
        def get_config(self):
            raise NotImplementedError

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gan = compiled(d_opt=Adam(Fails(1e-3, 5)), g_opt=Adam(lambda: 1e-3), loss=Unregistered())
    assert state.config_of(gan) is None  # so the checkpoint has arrays only
    records = [
        json.loads(json.dumps(changes.record({**gan.rules.get_config(), "more": more})))
        for more in (Bare(), len, Bare, [np.float32(2.0), (1, None)])
    ]
    assert records[0]["d_opt"]["arguments"]["learning_rate"] == {"class": "Fails", "arguments": {}}
    assert [record["more"] for record in records[1:]] == ["len", Bare.__qualname__, [2.0, [1, None]]]
    assert [changes.line(*one) for one in changes.between(*records[:2])] == ["more: Bare -> len"]
    assert list(changes.between(records[0], records[0])) == []
