"""The distributions of latents.

A sampler is a function `(shape, seed) -> tensor`: `shape` is `(batch, latent_dim)`, `seed` a `keras.random.SeedGenerator`
that it passes to one random operation, so that a draw advances the seed by one.
"""

import functools
import random
import threading

import keras
from keras import ops

from kgan import backend
from kgan.arguments import lookup


def normal(shape, seed):
    """Standard normal latents, N(0, I)."""
    return keras.random.normal(shape, seed=seed)


def uniform(shape, seed):
    """Latents uniform in [-1, 1), as in DCGAN (arXiv:1511.06434)."""
    return keras.random.uniform(shape, -1.0, 1.0, seed=seed)


def sphere(shape, seed):
    """Latents uniform on the sphere of radius sqrt(latent_dim), as in ProGAN (arXiv:1710.10196).

    Example:

    >>> latents = kgan.latents.sphere((2, 100), keras.random.SeedGenerator(0))
    >>> np.round(np.linalg.norm(latents, axis=1), 3).tolist()
    [10.0, 10.0]
    """
    latents = normal(shape, seed)
    return latents * ops.rsqrt(ops.mean(ops.square(latents), axis=-1, keepdims=True) + 1e-8)


LATENTS = {"normal": normal, "uniform": uniform, "sphere": sphere}


def get(identifier):
    """Return the sampler of that name, or `identifier` itself if it is a function.

    Raises:
        ValueError: if `identifier` is neither a known name nor callable.
    """
    return identifier if callable(identifier) else lookup("latents", identifier, LATENTS)


class _OfThread(threading.local):
    def __init__(self):
        with backend.on_one_device():
            self.seeds = keras.random.SeedGenerator(0)


@functools.cache
def _ours():
    return _OfThread()  # with the first call: an import makes no variables


def seeds(seed=None):
    """Return a `keras.random.SeedGenerator` that begins at `seed`, an integer; at a random one for `None`.

    It is valid until the next call: a thread has only one, since TensorFlow never frees all memory of a variable.
    """
    _ours().seeds.state.assign([random.randint(1, 10**9) if seed is None else seed, 0])
    return _ours().seeds
