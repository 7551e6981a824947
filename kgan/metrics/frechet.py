"""The Frechet distance: means and covariances of features compared."""

import numpy as np

from kgan.metrics import features

BLOCK = 4096  # rows converted to float64 at once


def frechet_distance(real, generated):
    """Squared Frechet distance between Gaussians fitted to two sets of features. Lower is better, 0 means equal.

    ``|m1 - m2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2))``, with means m and covariances S divided by n - 1. With
    S1 = L L', the eigenvalues of S1 S2 are those of the symmetric L' S2 L, which are real and not negative, so that no
    matrix root and no complex number is needed. Rounding can leave a result a little below zero, which is returned
    unchanged. Computed in float64.

    With the features of the FID Inception it is the FID of Heusel et al., arXiv:1706.08500; with any other features
    it is not, and must not be called FID. It is biased: fewer samples give a larger distance, so compare only distances of
    the same number of samples.

    Example:

    Two sets with the same covariance, 3 apart.

    >>> points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> round(kgan.metrics.frechet_distance(points, points + [3.0, 0.0]), 6)
    9.0

    Args:
        real: Array `(n, d)` of features of real images, n >= 2.
        generated: Array `(m, d)`, of generated ones.

    Returns:
        A float.

    Raises:
        ValueError: if these are not two such arrays of finite numbers.
    """
    real, generated = features.both_sets(real, generated)
    (mean_1, covariance_1), (mean_2, covariance_2) = _moments(real), _moments(generated)
    factor = _factor(covariance_1)
    product = factor.T @ covariance_2 @ factor
    trace = np.sqrt(_not_negative(np.linalg.eigvalsh((product + product.T) / 2))).sum()
    difference = mean_1 - mean_2
    return float(difference @ difference + np.trace(covariance_1) + np.trace(covariance_2) - 2 * trace)


def _moments(rows):
    """Mean `(d,)` and covariance `(d, d)`, divided by n - 1, of the centred rows."""
    mean = rows.mean(0, dtype="float64")
    covariance = np.zeros((rows.shape[1], rows.shape[1]))
    for begin in range(0, len(rows), BLOCK):
        centred = rows[begin : begin + BLOCK] - mean
        covariance += centred.T @ centred
    return mean, covariance / (len(rows) - 1)


def _factor(covariance):
    """L with L L' = covariance: Cholesky's factor, or the symmetric root if the covariance is singular."""
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(covariance)
        return (vectors * np.sqrt(_not_negative(values))) @ vectors.T


def _not_negative(eigenvalues):
    """Eigenvalues of a positive semidefinite matrix; those that rounding made negative become 0."""
    if eigenvalues.min() < -1e-6 * max(eigenvalues.max(), 1e-300):
        raise ArithmeticError(f"A covariance has a negative eigenvalue, {eigenvalues.min()}: its features overflow.")
    return np.maximum(eigenvalues, 0.0)
