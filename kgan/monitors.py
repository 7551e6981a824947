"""What Keras' callbacks ask of a GAN, checked before a training: the logs that they monitor, the files that they write.

Keras itself finds most of this out at the end of the first epoch, or later.
"""

import math
import re
import string
import warnings

import keras

from kgan.arguments import nearest
from kgan.callbacks.checkpoint import Checkpoint
from kgan.checkpoints.keras_file import check_path, check_serializable
from kgan.players.optimizer import check_rates_can_change

RATES = keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau


def check(callbacks, gan, validated):
    """Check the callbacks of a `fit`.

    Args:
        callbacks: List of callbacks.
        gan: `GAN`, whose `logs.measuring` is set.
        validated: Whether `fit` has validation data.

    Raises:
        ValueError: if one of them cannot work.
    """
    rates = [
        f"learning_rate_{one.name}" for one in gan.optimizer.optimizers if any(isinstance(c, RATES) for c in callbacks)
    ]
    logs = list(dict.fromkeys((*gan.logs.all_names, *gan.logs.directions, *rates)))
    logs += [f"val_{name}" for name in gan.logs.names if validated]
    others = not all(_is_known(one) for one in callbacks)  # callbacks that may add logs of their own
    for one in callbacks:
        if isinstance(one, keras.callbacks.EarlyStopping | keras.callbacks.ReduceLROnPlateau | Checkpoint):
            _check_monitor(one, gan, logs, others)
        if isinstance(one, keras.callbacks.ModelCheckpoint):
            _check_file(one, gan, logs, others)
        if isinstance(one, RATES):
            check_rates_can_change(gan.optimizer.optimizers, type(one).__name__)
        if isinstance(one, keras.callbacks.SwapEMAWeights):
            raise ValueError(
                "SwapEMAWeights is for optimizers with `use_ema`. Pass `ema=0.999` to `compile` instead: the averaged "
                "generator is kept beside the trained one, and `generate` and `predict` use it."
            )


def _is_known(callback):
    kind = type(callback)
    return kind.__module__.partition(".")[0] in ("keras", "kgan") and kind is not keras.callbacks.LambdaCallback


def _check_monitor(callback, gan, logs, others):
    name, owner = callback.monitor, type(callback).__name__
    plain = str(name).removeprefix("val_")
    if name is None:
        return
    if name not in logs and not others:
        if plain in gan.logs.names:
            raise ValueError(
                f"`monitor` of {owner} is {name!r}, and `fit` has no `validation_data` to compute it with."
            )
        raise ValueError(f"`monitor` of {owner} must be a log. {_nearest(name, logs)} Received: {name!r}")
    if callback.mode == "auto" and plain not in ("loss", *gan.logs.directions):
        hint = "" if name in logs else f" {_nearest(name, logs)}"
        raise ValueError(
            f"`monitor` of {owner} is {name!r}, of which kgan does not know whether a smaller or a larger value is better: "
            f"pass mode='min' or mode='max'.{hint}"
        )


def _nearest(name, logs):
    if name.removeprefix("val_") == "loss":
        return "A GAN has two losses, 'd_loss' and 'g_loss'."
    return nearest(name, logs)


def _check_file(callback, gan, logs, others):
    # without `save_best_only` Keras only asks for a direction, which `loss`, the default, has
    if callback.save_best_only or callback.mode == "auto" and callback.monitor.removeprefix("val_") != "loss":
        _check_monitor(callback, gan, logs, others)
    for _, field, *_ in string.Formatter().parse(str(callback.filepath)):
        if field and field not in ("epoch", "batch", *logs) and not others:
            raise ValueError(
                f"`filepath` of ModelCheckpoint must name logs. {_nearest(field, logs)} Received: {field!r}"
            )
    if not callback.save_weights_only:
        check_path(callback.filepath)
        check_serializable(gan)


class Unmeasured(keras.callbacks.Callback):
    """Lets Keras' callbacks bear epochs in which a score is not measured.

    ModelCheckpoint would replace the best model in such an epoch, and CSVLogger has only the columns of the first epoch.
    """

    def __init__(self, callbacks):
        super().__init__()
        savers = [one for one in callbacks if isinstance(one, keras.callbacks.ModelCheckpoint)]
        self.savers = [one for one in savers if one.save_best_only and one.save_freq in ("epoch", math.inf)]
        self.tables = [one for one in callbacks if isinstance(one, keras.callbacks.CSVLogger)]

    def on_train_begin(self, logs=None):
        for name in self.model.logs.scores:  # Keras need not say in each epoch that nothing is measured
            for what in ("Early stopping", "Learning rate reduction is"):
                warnings.filterwarnings("ignore", f"{what} conditioned on metric `{re.escape(name)}`")

    def on_epoch_end(self, epoch, logs=None):
        known = self.model.logs
        scores = known.scores.keys() - logs.keys()
        for saver in self.savers:
            saver.save_freq = math.inf if saver.monitor in scores else "epoch"
        for table in self.tables:
            if table.keys is None and scores:
                table.keys = sorted({*logs, *scores, *(f"val_{name}" for name in known.names)})

    def on_train_end(self, logs=None):
        for saver in self.savers:
            saver.save_freq = "epoch"
