"""Callbacks for GANs. Keras' own callbacks work too."""

from typing import Any

from kgan.callbacks.checkpoint import Checkpoint
from kgan.callbacks.doctor import Doctor
from kgan.callbacks.image_grid import ImageGrid
from kgan.callbacks.live import Live
from kgan.callbacks.log_file import LogFile
from kgan.callbacks.loss_plot import LossPlot
from kgan.callbacks.measuring import Measuring
from kgan.callbacks.of_keras import OF_KERAS
from kgan.callbacks.periodic import Periodic
from kgan.callbacks.score import Score
from kgan.callbacks.track import Track
from kgan.checkpoints.roles import Resumable

CALLBACKS: dict[str, Any] = {
    "checkpoint": Checkpoint,
    "doctor": Doctor,
    "image_grid": ImageGrid,
    "log_file": LogFile,
    "loss_plot": LossPlot,
    "score": Score,
    "track": Track,
    **OF_KERAS,
}

__all__ = [
    "CALLBACKS",
    "Checkpoint",
    "Doctor",
    "ImageGrid",
    "Live",
    "LogFile",
    "LossPlot",
    "Measuring",
    "Periodic",
    "Resumable",
    "Score",
    "Track",
]
