"""Keras' own callbacks on a GAN, each by what it does: rates that changed, weights that came back, rows that can be read."""

import csv

import keras
import numpy as np
import pytest

import kgan
from tests.helpers import compiled, largest_difference, small_gan, values


def rates(gan):
    return [float(values([optimizer.learning_rate])[0]) for optimizer in (gan.d_opt, gan.g_opt)]


def fit(gan, images, callbacks, epochs=4, **kwargs):
    return gan.fit(images, batch_size=20, epochs=epochs, verbose=0, callbacks=callbacks, **kwargs).history


class Scored(keras.callbacks.Callback):
    """Adds a score that is best in the second epoch, and keeps what the players were after each."""

    def __init__(self):
        super().__init__()
        self.kept = []

    def on_epoch_end(self, epoch, logs=None):
        logs["score"] = [0.1, 0.9, 0.5, 0.4, 0.3, 0.2][epoch]
        players = [*self.model.generator.weights, *self.model.discriminator.weights]
        self.kept.append((values(players), values(self.model.optimizer.variables)))


def test_early_stopping_restores_the_best_weights(images):
    gan, scored = compiled(), Scored()
    stop = keras.callbacks.EarlyStopping("score", mode="max", patience=2, restore_best_weights=True)
    history = fit(gan, images, [scored, stop], epochs=6)
    assert len(history["d_loss"]) == 4
    players = values([*gan.generator.weights, *gan.discriminator.weights])
    assert largest_difference(players, scored.kept[1][0]) == 0.0
    assert largest_difference(players, scored.kept[3][0]) > 0.0


def test_model_checkpoint_keeps_the_best(images, tmp_path):
    gan, scored = compiled(), Scored()
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="score", mode="max", save_best_only=True)
    fit(gan, images, [scored, best], epochs=3)
    again = kgan.load(tmp_path / "best.keras")
    players, slots = scored.kept[1]
    assert largest_difference(values([*again.generator.weights, *again.discriminator.weights]), players) == 0.0
    assert largest_difference(values(again.optimizer.variables), slots) == 0.0


def test_csv_logger_writes_a_row_an_epoch(images, tmp_path):
    gan = compiled(penalties=["r1"])
    history = fit(gan, images, [keras.callbacks.CSVLogger(tmp_path / "log.csv")], epochs=3)
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2]
    for name in ("d_loss", "g_accuracy", "r1"):
        np.testing.assert_allclose([float(row[name]) for row in rows], history[name], rtol=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tensorboard_writes_scalars_that_can_be_read_back(images, tmp_path):
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    gan = compiled()
    history = fit(gan, images, [keras.callbacks.TensorBoard(tmp_path)], epochs=3)
    reader = event_accumulator.EventAccumulator(str(tmp_path / "train"), size_guidance={"tensors": 0})
    reader.Reload()
    tags = reader.Tags()["tensors"]
    assert {"epoch_d_loss", "epoch_g_loss", "epoch_learning_rate_d_opt", "epoch_learning_rate_g_opt"} <= set(tags), tags
    events = reader.Tensors("epoch_d_loss")
    read = [float(np.frombuffer(event.tensor_proto.tensor_content, "float32")[0]) for event in events]
    np.testing.assert_allclose(read, history["d_loss"], rtol=1e-6)


def test_learning_rate_scheduler_changes_both_rates(images):
    gan = compiled(d_opt=keras.optimizers.Adam(1e-3), g_opt=keras.optimizers.Adam(4e-3))
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = fit(gan, images, [halve], epochs=3)
    np.testing.assert_allclose(rates(gan), [1e-3 / 8, 4e-3 / 8], rtol=1e-6)
    np.testing.assert_allclose(history["learning_rate_d_opt"], [1e-3 / 2, 1e-3 / 4, 1e-3 / 8], rtol=1e-6)
    np.testing.assert_allclose(history["learning_rate_g_opt"], [4e-3 / 2, 4e-3 / 4, 4e-3 / 8], rtol=1e-6)


def test_reduce_lr_on_plateau_changes_both_rates(images):
    gan = compiled(d_opt=keras.optimizers.Adam(1e-3), g_opt=keras.optimizers.Adam(4e-3))
    plateau = keras.callbacks.ReduceLROnPlateau("d_loss", mode="min", factor=0.1, patience=1, min_delta=100.0)
    fit(gan, images, [plateau], epochs=3)
    np.testing.assert_allclose(rates(gan), [1e-5, 4e-5], rtol=1e-5)


def test_a_learning_rate_schedule_in_the_optimizer(images):
    decay = keras.optimizers.schedules.ExponentialDecay(1e-2, decay_steps=1, decay_rate=0.5)
    gan = compiled(d_opt=keras.optimizers.Adam(decay))
    fit(gan, images, [], epochs=2)
    np.testing.assert_allclose(rates(gan)[0], 1e-2 * 0.5**4, rtol=1e-5)


def test_lambda_callback_sees_the_logs(images):
    seen = []
    callback = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(set(logs)))
    fit(compiled(), images, [callback], epochs=1)
    assert len(seen) == 2 and {"d_loss", "g_loss", "g_accuracy"} <= seen[0] and "loss" not in seen[0]


class NaNAfter(kgan.losses.NonSaturating):
    """One player's loss is NaN; the other's is not."""

    def __init__(self, player):
        self.player = player

    def real(self, real_logits):
        return super().real(real_logits) * (float("nan") if self.player == "discriminator" else 1.0)

    def generator(self, fake_logits, real_logits=None):
        return super().generator(fake_logits) * (float("nan") if self.player == "generator" else 1.0)


@pytest.mark.parametrize("player", ["discriminator", "generator", None])
@pytest.mark.parametrize("wrap", [list, keras.callbacks.CallbackList])
def test_terminate_on_nan_of_either_loss(images, player, wrap):
    gan = compiled(small_gan(), loss=NaNAfter(player))
    if wrap is list:
        callbacks = [keras.callbacks.TerminateOnNaN()]
    else:
        callbacks = keras.callbacks.CallbackList(
            [keras.callbacks.TerminateOnNaN(), keras.callbacks.History()], model=gan
        )
    gan.fit(images, batch_size=10, epochs=3, verbose=0, callbacks=callbacks)
    assert gan.stop_training == (player is not None)
    assert int(gan.d_opt.iterations) == (12 if player is None else 1)


def test_terminate_on_nan_can_raise(images):
    gan = compiled(loss=NaNAfter("generator"))
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 0"):
        gan.fit(images, batch_size=10, verbose=0, callbacks=keras.callbacks.TerminateOnNaN(raise_error=True))


def test_the_progress_bar_shows_both_losses(images, capsys):
    gan = compiled()
    gan.fit(images, batch_size=20, epochs=1, verbose=2)
    said = capsys.readouterr().out
    assert "d_loss" in said and "g_loss" in said
