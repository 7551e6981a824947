"""Versions, engine, devices and machine: what the results of a run depend on besides its recipe."""

import importlib.metadata
import platform

from joblib import cpu_count


def versions():
    """Versions of the packages that the results of a run depend on, by name."""
    found = {}
    for package in ("kgan", "keras", "numpy", "tensorflow", "jax", "torch"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def engine(gan):
    """The engine that a GAN trains on: its name in Keras, and how many devices it uses."""
    from kgan import backend  # here, so that `kgan env` and lists load no framework

    return {"backend": backend.NAME, "devices": max(1, len(backend.devices(gan)))}


def machine():
    """Python and the machine."""
    return {"python": platform.python_version(), "platform": platform.platform(), "cores": cpu_count()}
