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
        exports,
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
    from kgan.exports import export
    from kgan.gan import GAN, load
    from kgan.runner.presets import from_preset

__version__ = "0.2.0"

__all__ = [
    "GAN",
    "architectures",
    "augment",
    "callbacks",
    "conditions",
    "data",
    "export",
    "exports",
    "extractors",
    "from_preset",
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


# what is not a module of its own, and where it is
_HOMES = {"GAN": "kgan.gan", "load": "kgan.gan", "export": "kgan.exports", "from_preset": "kgan.runner.presets"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in __all__:
        return importlib.import_module(f"kgan.{name}")
    raise AttributeError(f"module 'kgan' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
