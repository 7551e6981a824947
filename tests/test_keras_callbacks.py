"""Keras' own callbacks on a GAN, each by what it does: rates that changed, weights that came back, rows that can be read."""

import csv
import re

import keras
import numpy as np
import pytest

import kgan
from tests.brought import brings
from tests.helpers import compiled, largest_difference, reusable, small_gan, state, values

fresh = reusable(compiled)


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
    gan, scored = fresh(), Scored()
    stop = keras.callbacks.EarlyStopping("score", mode="max", patience=2, restore_best_weights=True)
    history = fit(gan, images, [scored, stop], epochs=6)
    assert len(history["d_loss"]) == 4
    players = values([*gan.generator.weights, *gan.discriminator.weights])
    assert largest_difference(players, scored.kept[1][0]) == 0.0
    assert largest_difference(players, scored.kept[3][0]) > 0.0


def test_model_checkpoint_keeps_the_best(images, tmp_path):
    gan, scored = fresh(), Scored()
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
    gan = fresh()
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
    fit(fresh(), images, [callback], epochs=1)
    assert len(seen) == 2 and {"d_loss", "g_loss", "g_accuracy"} <= seen[0] and "loss" not in seen[0]


class NaNAfter(kgan.losses.NonSaturating):
    """One player's loss is NaN; the other's is not."""

    def __init__(self, player):
        self.player = player

    def real(self, real_logits):
        return super().real(real_logits) * (float("nan") if self.player == "discriminator" else 1.0)

    def generator(self, fake_logits, real_logits=None):
        return super().generator(fake_logits) * (float("nan") if self.player == "generator" else 1.0)


@pytest.mark.longer
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
    gan = fresh()
    gan.fit(images, batch_size=20, epochs=1, verbose=2)
    said = capsys.readouterr().out
    assert "d_loss" in said and "g_loss" in said


class Measured(kgan.callbacks.Measuring):
    """Scores with known values, one for each epoch; `None` where nothing is measured."""

    directions = {"recall": "max", "frechet_distance": "min"}  # noqa: RUF012
    of_epoch = (None, 0.4, None, 0.9, None, 0.5)

    def on_epoch_end(self, epoch, logs=None):
        if self.of_epoch[epoch] is not None:
            logs |= {"recall": self.of_epoch[epoch], "frechet_distance": -self.of_epoch[epoch]}


class Set(keras.callbacks.Callback):
    """Replaces a log by known values, one for each epoch."""

    def __init__(self, name, *of_epoch):
        super().__init__()
        self.name, self.of_epoch = name, of_epoch

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.of_epoch[epoch]


WAYS = {
    **dict.fromkeys(["d_loss", "g_loss", "val_d_real_loss", "r1", "frechet_distance"], "min"),
    **dict.fromkeys(["d_fake_accuracy", "g_accuracy", "val_d_real_accuracy", "recall"], "max"),
}


@pytest.mark.longer
@brings("models", "a Keras callback that monitors a log, without a mode", "losses, penalties and scores define it")
def test_callbacks_know_which_way_a_log_gets_better(images):
    kinds = [keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau]
    made = {name: [kind(monitor=name, patience=9) for kind in kinds] for name in WAYS}
    callbacks = [Measured(), *(one for some in made.values() for one in some)]
    fit(compiled(penalties=["r1"]), images, callbacks, epochs=1, validation_data=images[:20])
    for name, some in made.items():
        better = bool(some[0].monitor_op(1.0, 2.0)), bool(some[1].monitor_op(1.0, 2.0))
        assert better == (WAYS[name] == "min",) * 2, name


def test_early_stopping_without_a_mode_stops_where_the_loss_rises(images):
    rising = Set("g_loss", 3.0, 1.0, 2.0, 2.5, 0.5, 0.4)
    history = fit(fresh(), images, [rising, keras.callbacks.EarlyStopping("g_loss", patience=2)], epochs=6)
    assert history["g_loss"] == [3.0, 1.0, 2.0, 2.5]
    falling = Set("g_accuracy", 0.1, 0.9, 0.5, 0.4, 1.0, 1.0)
    history = fit(fresh(), images, [falling, keras.callbacks.EarlyStopping("g_accuracy", patience=2)], epochs=6)
    assert history["g_accuracy"] == [0.1, 0.9, 0.5, 0.4]


class Kept(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.weights = []

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(values(self.model.generator.weights))


def test_model_checkpoint_keeps_the_best_score_in_epochs_without_one(images, tmp_path):
    highest, lowest = (
        keras.callbacks.ModelCheckpoint(tmp_path / f"{name}.keras", monitor=name, save_best_only=True)
        for name in Measured.directions
    )
    gan, table, kept = fresh(), keras.callbacks.CSVLogger(tmp_path / "log.csv"), Kept()
    for _ in range(2):  # the callbacks can be used again
        highest.best = lowest.best = None
        fit(gan, images, [highest, lowest, Measured(), table, kept], epochs=6)
        for name in Measured.directions:
            again = kgan.load(tmp_path / f"{name}.keras")
            assert largest_difference(values(again.generator.weights), kept.weights[3]) == 0.0
        assert largest_difference(kept.weights[3], kept.weights[5]) > 0.0
        with open(tmp_path / "log.csv") as file:
            assert [row["recall"] for row in csv.DictReader(file)] == ["NA", "0.4", "NA", "0.9", "NA", "0.5"]
        assert highest.save_freq == "epoch"


def test_checkpoint_uses_the_same_directions(images, tmp_path):
    saver = kgan.callbacks.Checkpoint(tmp_path, every=9, keep=1, monitor="g_accuracy")
    fit(fresh(), images, [Set("g_accuracy", 0.1, 0.9, 0.5), saver], epochs=3)
    assert saver.best == 0.9 and (tmp_path / "epoch-0002").is_dir()


def scheduled():
    return compiled(d_opt=keras.optimizers.Adam(kgan.ramps.Linear(1e-3, 1e-4, 9)))


C = keras.callbacks
REFUSED = [
    (lambda _: C.EarlyStopping("g_los"), {}, "`monitor` of EarlyStopping must be a log. Did you mean 'g_loss'"),
    (lambda _: C.EarlyStopping(), {}, "A GAN has two losses, 'd_loss' and 'g_loss'. Received: 'val_loss'"),
    (lambda _: C.EarlyStopping("val_g_loss"), {}, "is 'val_g_loss', and `fit` has no `validation_data`"),
    (lambda _: C.ReduceLROnPlateau("recal"), {}, "`monitor` of ReduceLROnPlateau must be a log."),
    (lambda p: C.ModelCheckpoint(p / "a.keras", "loss", save_best_only=True), {}, "two losses, 'd_loss' and 'g_loss'"),
    (lambda p: C.ModelCheckpoint(p / "a.h5"), {}, "saved in a file whose name ends in .keras; .* Received: '.*a.h5'"),
    (
        lambda p: C.ModelCheckpoint(p / "{val_loss:.2f}.keras"),
        {},
        "`filepath` of ModelCheckpoint must name logs. A GAN",
    ),
    (lambda _: C.SwapEMAWeights(), {}, "SwapEMAWeights is for optimizers with `use_ema`. Pass `ema=0.999` to"),
    (
        lambda _: C.ReduceLROnPlateau("g_loss"),
        {"gan": scheduled},
        "cannot change the learning rate of `d_opt`, which is a",
    ),
    (lambda _: C.LearningRateScheduler(float), {"gan": scheduled}, "LearningRateScheduler cannot change .* Linear"),
    (
        lambda p: kgan.callbacks.Checkpoint(p, monitor="g_los"),
        {},
        "`monitor` of Checkpoint must be a log. Did you mean",
    ),
    (
        lambda _: [C.EarlyStopping("mine"), Set("mine", 1.0)],
        {},
        "is 'mine', of which kgan does not know .* pass mode='min'",
    ),
]


@pytest.mark.parametrize("index", range(len(REFUSED)))
def test_what_keras_would_find_out_hours_later_is_refused_before_the_training(images, tmp_path, index):
    make, how, message = REFUSED[index]
    gan = how.get("gan", compiled)()
    with pytest.raises(ValueError, match=message):
        gan.fit(images, epochs=1, verbose=0, callbacks=make(tmp_path))
    assert int(gan.d_opt.iterations) == 0 and not list(tmp_path.iterdir())


def test_model_checkpoint_of_what_could_not_be_loaded_is_refused_before_the_training(images, tmp_path):
    gan = compiled(small_gan(latents=lambda shape, seed: keras.random.normal(shape, seed=seed)))
    with pytest.raises(ValueError, match="cannot be saved: .*a lambda"):
        gan.fit(images, verbose=0, callbacks=C.ModelCheckpoint(tmp_path / "gan.keras"))
    weights = C.ModelCheckpoint(tmp_path / "{epoch}-{mine}.weights.h5", save_weights_only=True)
    gan.fit(images, verbose=0, callbacks=[Set("mine", 2), weights])
    assert [path.name for path in tmp_path.iterdir()] == ["1-2.weights.h5"]


def test_backup_and_restore_goes_on_with_the_epoch_after_the_last_one(images, tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    gan, again = compiled(ema=0.9), compiled(ema=0.9)
    with pytest.raises(KeyboardInterrupt):
        fit(gan, images, [C.BackupAndRestore(tmp_path / "backup"), Stop()])
    before = state(gan)
    seen = []
    look = C.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append((epoch, state(again))))
    fit(again, images, [C.BackupAndRestore(tmp_path / "backup"), look])
    assert [epoch for epoch, _ in seen] == [2, 3]
    assert largest_difference(seen[0][1], before) == 0.0


def test_model_checkpoint_keeps_the_best_of_a_training_that_is_resumed(images, tmp_path):
    gan = compiled()
    for epochs, of_epoch in ((2, (2.0, 1.0)), (3, (None, None, 1.5))):
        best = C.ModelCheckpoint(tmp_path / "best.weights.h5", "g_loss", save_best_only=True, save_weights_only=True)
        saver = kgan.callbacks.Checkpoint(tmp_path / "saved", resume=True)
        fit(gan, images, [Set("g_loss", *of_epoch), best, saver], epochs=epochs)
        assert best.best == 1.0


def test_weights_are_saved_in_the_middle_of_an_epoch(images, tmp_path):
    gan = compiled()
    each = C.ModelCheckpoint(tmp_path / "{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=1)
    fit(gan, images, [each], epochs=1)
    half, whole = compiled(), compiled()
    half.load_weights(tmp_path / "1-1.weights.h5")
    whole.load_weights(tmp_path / "1-2.weights.h5")
    assert int(half.d_opt.iterations) == 1
    assert largest_difference(values(whole.weights)[2:], values(gan.weights)[2:]) == 0.0  # the first two are counters
    assert largest_difference(values(whole.optimizer.variables), values(gan.optimizer.variables)) == 0.0


@brings("models", "a callback that reads or sets the learning rate of `model.optimizer`", "both rates keep their ratio")
def test_the_pair_of_optimizers_as_one():
    gan = compiled(d_opt=keras.optimizers.Adam(4e-3), g_opt=keras.optimizers.SGD(1e-3))
    assert float(values([gan.optimizer.learning_rate])[0]) == pytest.approx(4e-3)
    for rate in (2e-3, 0.0, 8e-3):  # through 0, as in a warm-up
        gan.optimizer.learning_rate = rate
        np.testing.assert_allclose(rates(gan), [rate, rate / 4], rtol=1e-6)
    config = gan.optimizer.get_config()
    assert config["d_opt_name"] == "d_opt" and config["g_opt_learning_rate"] == pytest.approx(2e-3)
    assert config["d_opt_beta_2"] == 0.999 and gan.optimizer.name == "d_opt_and_g_opt"
    with pytest.raises(
        ValueError, match=re.escape("`optimizer.learning_rate` cannot change the learning rate of `d_opt`")
    ):
        scheduled().optimizer.learning_rate = 1e-3
