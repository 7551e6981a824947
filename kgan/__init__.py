"""kgan: GANs in the Keras style, one training step on TensorFlow, JAX and PyTorch.

Importing kgan is cheap: each name below loads Keras, and with it a framework, when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgan import (
        architectures,
        augment,
        callbacks,
        conditions,
        data,
        extractors,
        latents,
        layers,
        losses,
        metrics,
        penalties,
        ramps,
        schedules,
        scores,
        terms,
        tricks,
    )
    from kgan.gan import GAN, load

__version__ = "0.1.0"

__all__ = [
    "GAN",
    "architectures",
    "augment",
    "callbacks",
    "conditions",
    "data",
    "extractors",
    "latents",
    "layers",
    "load",
    "losses",
    "metrics",
    "penalties",
    "ramps",
    "schedules",
    "scores",
    "terms",
    "tricks",
]


def __getattr__(name: str) -> Any:
    if name in ("GAN", "load"):
        return getattr(importlib.import_module("kgan.gan"), name)
    if name in __all__:
        return importlib.import_module(f"kgan.{name}")
    raise AttributeError(f"module 'kgan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
