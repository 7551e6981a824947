"""Checks of features that all metrics share."""

import numpy as np

from kgan.arguments import integer


def both_sets(real, generated, least=2):
    """Both sets of features as arrays `(n, d)`.

    Raises:
        ValueError: if they are not such arrays, differ in `d`, or have fewer than `least` rows or infinite or NaN values.
    """
    real, generated = one_set("real", real, least), one_set("generated", generated, least)
    if real.shape[1] != generated.shape[1]:
        raise ValueError(
            "`real` and `generated` must be features of one extractor, of the same length. "
            f"Received: {real.shape[1]} and {generated.shape[1]} features."
        )
    return real, generated


def one_set(name, features, least=2):
    """One set of features, named `name`, as an array `(n, d)`. Raises as `both_sets`."""
    features = np.asarray(features)
    if features.ndim != 2 or features.dtype.kind not in "fiu" or len(features) < least or not features.shape[1]:
        raise ValueError(
            f"`{name}` must be an array of numbers (n, d) with n >= {least}. "
            f"Received: shape {features.shape}, {features.dtype}"
        )
    if not np.isfinite(features).all():
        raise ValueError(f"`{name}` must hold finite numbers. Received: NaN or infinity among them.")
    return features


def count(name, value, most=None):
    """Return a positive integer, at most `most`; raise ValueError for any other value."""
    value = integer(name, value, at_least=1)
    if most is not None and value > most:
        raise ValueError(f"`{name}` must be at most {most} for the given number of features. Received: {value!r}")
    return value
