"""Counts modes of data sets with known modes: Stacked MNIST, or the Gaussians of a ring or a grid."""

import numpy as np

from kgan.metrics import features
from kgan.metrics.neighbours import nearest


def mode_coverage(modes, total):
    """How many of `total` modes the samples hit at least once, and how unevenly.

    The second number is KL(p || uniform) = sum p log(total p) over the modes hit, with p the share of samples in each mode
    and the natural logarithm: 0 if all modes are equally likely, log(total) if only one is hit.

    On Stacked MNIST (total=1000; 26,000 samples; a classifier names the digit in each channel) these are the two
    numbers of PacGAN, Lin et al., arXiv:1712.04086, after Metz et al., arXiv:1611.02163.

    Example:

    >>> kgan.metrics.mode_coverage(np.array([0, 0, 3, 3]), total=4)
    (2, 0.6931471805599453)

    Args:
        modes: Integer array `(n,)`, the mode of each sample, from 0 to total - 1.
        total: Integer. The number of modes.

    Returns:
        The number of modes hit, an integer; and the divergence, a float.

    Raises:
        ValueError: if `modes` is not a valid array of modes.
    """
    modes, total = np.asarray(modes), features.count("total", total)
    if modes.ndim != 1 or not len(modes) or modes.dtype.kind not in "iu" or modes.min() < 0 or modes.max() >= total:
        raise ValueError(
            f"`modes` must be integers (n,) from 0 to {total - 1}, n >= 1. "
            f"Received: an array of shape {modes.shape}, {modes.dtype}"
        )
    counts = np.bincount(modes, minlength=total)
    p = counts[counts > 0] / len(modes)
    return int((counts > 0).sum()), float((p * np.log(total * p)).sum())


def gaussian_modes(points, centres, std, sigmas=3.0):
    """How many Gaussians have a sample near their centre, and the share of samples that are near a centre.

    Near is within `sigmas` standard deviations of a centre, in Euclidean distance: "modes recovered" and "high quality
    samples" of VEEGAN, Srivastava et al., arXiv:1705.07761. Of the samples of a Gaussian in the plane, 98.9 % lie within 3.

    Example:

    >>> centres = np.array([[0.0, 0.0], [1.0, 0.0]])
    >>> kgan.metrics.gaussian_modes(np.array([[0.0, 0.2], [0.5, 0.0]]), centres, std=0.1)
    (1, 0.5)

    Args:
        points: Array `(n, d)` of samples.
        centres: Array `(modes, d)`.
        std: Float. Standard deviation of each Gaussian, in every direction.
        sigmas: Float.

    Returns:
        The number of centres with a sample near, an integer; and the share of samples near one, a float.

    Raises:
        ValueError: if `points` or `centres` is not such an array, or `std` or `sigmas` is not above 0.
    """
    centres, points = features.both_sets(centres, points, least=1)
    for name, value in (("std", std), ("sigmas", sigmas)):
        if not value > 0:
            raise ValueError(f"`{name}` must be above 0. Received: {value!r}")
    index, distance = nearest(points, centres)
    near = distance <= sigmas * std
    return len(np.unique(index[near])), float(near.mean())
