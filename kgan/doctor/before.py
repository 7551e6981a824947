"""What can be told of a training before it begins: the static half of the doctor, which `kgan train --dry-run` shows."""

import math

import keras
from keras import ops

from kgan import penalties, ramps
from kgan.backend import layers_in, learning_rate_of
from kgan.doctor.examination import Examination
from kgan.doctor.history import History
from kgan.doctor.rules import BEFORE
from kgan.players.average import decay

LIKELY = 32**2 / 32  # pixels of an image, by images in a batch, for which R1 of 1 suits (StyleGAN2-ADA's heuristic)


def findings(gan, steps, batch_size, data=None):
    """The findings of `kgan.doctor.rules.BEFORE` about a training that has not begun.

    Args:
        gan: `kgan.GAN`, compiled.
        steps: Integer. The length of the training.
        batch_size: Integer.
        data: The data of `fit`.

    Returns:
        A list of `Finding`, of step 0.
    """
    seen = Examination(gan, data).ranges()
    return History(BEFORE).add({"epoch": 0, "step": 0, **seen, **_settings(gan, steps, batch_size)})


def _settings(gan, steps, batch_size):
    """The numbers of what `compile` was given, by name."""
    found = {"steps": steps, "packs": batch_size // gan.pack}
    for player, optimizer in (("d", gan.d_opt), ("g", gan.g_opt)):
        inner = ramps.holder(optimizer)
        if hasattr(inner, "beta_1") or hasattr(inner, "rho"):  # they divide by the gradient's size
            rate = learning_rate_of(inner)
            found[f"{player}_rate"] = _number(rate(0) if callable(rate) else rate)
    if gan.ema_generator is not None:
        left = 1.0 - _number(decay(gan.rules.ema, ops.convert_to_tensor(float(steps))))
        found["ema_reach"] = 5 / left / steps if left > 0 else math.inf
    strides = [layer for layer in layers_in(gan.generator) if isinstance(layer, keras.layers.Conv2DTranspose)]
    found["uneven_kernels"] = sum(
        any(size % stride for size, stride in zip(layer.kernel_size, layer.strides, strict=True)) for layer in strides
    )
    r1 = [one for one in gan.rules.penalties if isinstance(one, penalties.R1)]
    if r1 and len(gan.image_shape) == 3:
        weight = r1[0].weight
        height, width, _ = gan.image_shape
        found["r1_ratio"] = _number(weight(0) if callable(weight) else weight) * LIKELY / (height * width / batch_size)
    return found


def _number(value):
    return float(ops.convert_to_numpy(value))
