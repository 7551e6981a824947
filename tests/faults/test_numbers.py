"""A loss or weight that is no finite number: never saved, and answered as was asked for."""

import keras
import numpy as np
import pytest
from keras import ops

import kgan
from kgan.callbacks import Checkpoint
from kgan.checkpoints import disk
from kgan.checkpoints import state as snapshots
from kgan.data import Batches
from tests.helpers import compiled, largest_difference, small_gan, state


class Poison(keras.callbacks.Callback):
    """Puts a NaN into a weight before the given steps, counted over all attempts."""

    def __init__(self, *steps):
        super().__init__()
        self.steps, self.count = steps, 0

    def on_train_batch_begin(self, batch, logs=None):
        self.count += 1
        if self.count in self.steps:
            self.model.sync()
            weight = self.model.discriminator.trainable_variables[0]
            weight.assign(ops.full(weight.shape, float("nan")))


def fit(images, folder, *poisoned, **options):
    keras.utils.set_random_seed(3)
    gan = compiled(small_gan())
    saver = Checkpoint(folder, every="2 steps", keep=None, **options)
    history = gan.fit(Batches(images, 8, seed=5), epochs=3, verbose=0, callbacks=[saver, Poison(*poisoned)])
    return gan, saver, history


def steps_of(folder):
    return [disk.read_state(path)["step"] for path in disk.all_in(folder)]


def all_finite(folder, gan):
    expected = {name: [tuple(one.shape) for one in some] for name, some in snapshots.groups_of(gan).items()}
    return all(snapshots.finite(disk.read_arrays(path, expected)) for path in disk.all_in(folder))


def test_stop_puts_the_last_good_state_back(images, tmp_path):
    gan, saver, history = fit(images, tmp_path, 7)
    assert "is not finite in epoch 2, step 7; the state of" in saver.failed and "step-000006" in saver.failed
    assert steps_of(tmp_path) == [2, 4, 6] and all_finite(tmp_path, gan)
    assert int(gan.d_opt.iterations) == 6
    assert largest_difference(state(gan), state(kgan.load(tmp_path / "step-000006"))) == 0.0
    assert len(history.history["d_loss"]) == 1


def test_stop_before_anything_was_saved(images, tmp_path):
    _, saver, _ = fit(images, tmp_path, 1)
    assert saver.failed.endswith("step 1, and the training is stopped.") and steps_of(tmp_path) == []


def test_raise(images, tmp_path):
    with pytest.raises(FloatingPointError, match="is not finite in epoch 2, step 7"):
        fit(images, tmp_path, 7, nonfinite="raise")
    assert steps_of(tmp_path) == [2, 4, 6]


def test_roll_back_and_go_on_slower(images, tmp_path):
    gan, saver, history = fit(images, tmp_path, 7, 9, nonfinite="rollback", slower=0.5)
    assert saver.failed is None and saver.rolled_back == 2
    for optimizer in (gan.d_opt, gan.g_opt):
        assert float(optimizer.learning_rate) == pytest.approx(0.25e-3)
    assert int(gan.d_opt.iterations) == 15 and int(gan.epochs) == 3
    assert len(history.history["d_loss"]) == 3 and np.isfinite(history.history["d_loss"]).all()
    assert all_finite(tmp_path, gan)


def test_rates_are_halved_once_for_each_time(images, tmp_path):
    """Also when the second checkpoint was written after going back to the first."""
    gan, saver, _ = fit(images, tmp_path, 7, 14, nonfinite="rollback")
    assert saver.rolled_back == 2 and int(gan.d_opt.iterations) == 15
    assert float(gan.d_opt.learning_rate) == pytest.approx(0.25e-3)


def test_rates_that_cannot_be_halved(images, tmp_path):
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.9)
    gan = compiled(small_gan(), d_opt=keras.optimizers.Adam(schedule))
    saver = Checkpoint(tmp_path, every="2 steps", nonfinite="rollback")
    gan.fit(Batches(images, 8), epochs=3, verbose=0, callbacks=[saver, Poison(7)])
    assert "a learning rate that is a schedule cannot be reduced, and the training is stopped" in saver.failed


def test_roll_back_no_more_than_so_often(images, tmp_path):
    gan, saver, _ = fit(images, tmp_path, *range(7, 40), nonfinite="rollback", rollbacks=2)
    assert saver.rolled_back == 2 and "the training is stopped" in saver.failed
    assert int(gan.d_opt.iterations) == 6 and steps_of(tmp_path) == [2, 4, 6]


def test_a_weight_that_no_loss_shows_is_not_saved(images, tmp_path):
    class Unseen(Poison):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                self.model.sync()
                variable = self.model.ema_generator.weights[0]
                variable.assign(ops.full(variable.shape, float("inf")))

    keras.utils.set_random_seed(3)
    gan = compiled(small_gan(), ema=0.9)
    saver = Checkpoint(tmp_path, every="3 steps")
    gan.fit(Batches(images, 8), epochs=1, verbose=0, callbacks=[Unseen(), saver])
    assert "a weight is not finite" in saver.failed.lower() and steps_of(tmp_path) == []
