"""Mixtures of Gaussians in the plane, whose modes can be counted; both are from PacGAN (Lin et al., arXiv:1712.04086)."""

import numpy as np


def ring(modes: int = 8, radius: float = 1.0, std: float = 0.01, samples: int = 100_000):
    """Points around the corners of a regular polygon.

    Example:

    >>> points, labels = kgan.data.ring(modes=4, samples=8)
    >>> points.shape, labels
    ((8, 2), array([0, 1, 2, 3, 0, 1, 2, 3]))

    Args:
        modes: Integer. The number of corners.
        radius: Float. Their distance from the origin.
        std: Float. Standard deviation of each Gaussian, in both directions.
        samples: Integer. The number of points, which are the same in each call.

    Returns:
        A float32 array `(samples, 2)`, and the number of each point's mode, `(samples,)`.

    Raises:
        ValueError: if an argument is not above 0 and below 1e9.
    """
    _positive("ring", modes=modes, radius=radius, std=std, samples=samples)
    angles = 2 * np.pi * np.arange(modes) / modes
    return _around(radius * np.stack([np.cos(angles), np.sin(angles)], axis=1), std, samples)


def grid(side: int = 5, spacing: float = 2.0, std: float = 0.05, samples: int = 100_000):
    """Points around the nodes of a square grid, centred at the origin.

    Args:
        side: Integer. Nodes in a row; there are `side * side` modes.
        spacing: Float. Distance of neighbours.
        std: Float. Standard deviation of each Gaussian, in both directions.
        samples: Integer. The number of points, which are the same in each call.

    Returns:
        A float32 array `(samples, 2)`, and the number of each point's mode, `(samples,)`.

    Raises:
        ValueError: if an argument is not above 0 and below 1e9.
    """
    _positive("grid", side=side, spacing=spacing, std=std, samples=samples)
    ticks = spacing * (np.arange(side) - (side - 1) / 2)
    return _around(np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2), std, samples)


def _positive(owner, **arguments):
    for name, value in arguments.items():
        if not 0 < value < 1e9:
            raise ValueError(f"`{name}` of {owner} must be above 0 and below 1e9. Received: {value!r}")


def _around(centres, std, samples):
    labels = np.arange(samples) % len(centres)
    noise = np.random.default_rng(0).normal(scale=std, size=(samples, 2))
    return (centres[labels] + noise).astype("float32"), labels
