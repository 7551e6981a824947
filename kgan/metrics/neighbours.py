"""Metrics that test whether images lie within balls around other images: precision, recall, density, coverage."""

import numpy as np

from kgan.metrics import features
from kgan.metrics.distances import TIE, Rough, blocks, centre_of, squared_between_all, squared_radii


def precision_recall(real, generated, k=3, strict=False, known_radii=None):
    """Share of generated images among real ones, and share of real ones among generated ones. Higher is better, 0 to 1.

    Around each real feature lies a ball that reaches to its k-th nearest other real one. Precision is the share of generated
    features within any of these; recall is the same with the roles exchanged. Kynkaanniemi et al., arXiv:1904.06991. It
    is computed in float64. Both depend on the numbers of images, so compare only scores of equal numbers.

    Example:

    >>> real = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    >>> generated = np.array([[0.0], [0.5], [1.0], [5.0]])
    >>> kgan.metrics.precision_recall(real, generated, k=1)
    (0.75, 0.5)

    Args:
        real: Array `(n, d)` of features of real images, n > k.
        generated: Array `(m, d)`, of generated ones, m > k.
        k: Integer.
        strict: Whether a feature exactly on a ball's surface counts as outside (<), as in the package prdc; by default it
            counts as inside (<=), as in the paper and torch-fidelity. This matters if images are repeated.
        known_radii: The result of `radii(real, k)`, if the same real images are used again.

    Returns:
        Precision and recall, two floats.

    Raises:
        ValueError: if the value of an argument is not valid.
    """
    near = _Near(real, generated, k, strict, known_radii)
    return float((near.balls_of_generated > 0).mean()), float(near.real_is_recalled.mean())


def density_coverage(real, generated, k=5, strict=True, known_radii=None):
    """How densely generated images lie among real ones, and the share of real ones that have a generated one near.

    With balls around real features that reach to the k-th nearest other real one: density is the mean number of balls that a
    generated feature lies in, divided by k, which is 1 if the two distributions are equal, and more where generated images
    are concentrated; coverage is the share of balls with a generated feature in them, 0 to 1. Higher is better. Naeem et
    al., arXiv:2002.09797. Computed in float64.

    Example:

    >>> real = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    >>> generated = np.array([[0.0], [0.5], [1.0], [5.0]])
    >>> kgan.metrics.density_coverage(real, generated, k=1)
    (1.0, 0.3333333333333333)

    Args:
        real: Array `(n, d)` of features of real images, n > k.
        generated: Array `(m, d)`, of generated ones.
        k: Integer.
        strict: Whether a feature exactly on a ball's surface counts as outside (<), as in the package prdc, or as inside
            (<=). This matters if images are repeated.
        known_radii: The result of `radii(real, k)`, if the same real images are used again.

    Returns:
        Density and coverage, two floats.

    Raises:
        ValueError: if the value of an argument is not valid.
    """
    near = _Near(real, generated, k, strict, known_radii, both_ways=False)
    return float(near.balls_of_generated.mean() / near.k), float(near.real_is_covered.mean())


def radii(rows, k):
    """Distance from each row of features `(n, d)` to its k-th nearest other one, `(n,)`: the radii of the balls."""
    rows = features.one_set("rows", rows)
    k = features.count("k", k, most=len(rows) - 1)
    return np.sqrt(squared_radii(rows, k, centre_of(rows)))


def nearest(points, among):
    """The nearest row of `among` for each row of `points`.

    Example:

    >>> kgan.metrics.nearest(np.array([[0.2], [9.0]]), np.array([[0.0], [10.0], [1.0]]))
    (array([0, 1]), array([0.2, 1. ]))

    Args:
        points: Array `(n, d)` of features.
        among: Array `(m, d)`.

    Returns:
        Its index and its Euclidean distance, two arrays `(n,)`.

    Raises:
        ValueError: if `points` or `among` is not such an array.
    """
    among, points = features.both_sets(among, points, least=1)
    index, distance = np.zeros(len(points), "int64"), np.full(len(points), np.inf)
    centre = centre_of(among)
    for rows, columns, squared in blocks(
        points, among, lambda rows, columns, x, y: squared_between_all(x, y, centre)[0]
    ):
        best = squared.argmin(1)
        found = np.take_along_axis(squared, best[:, None], 1)[:, 0]
        closer = found < distance[rows]
        index[rows] = np.where(closer, best + columns.start, index[rows])
        distance[rows] = np.where(closer, found, distance[rows])
    return index, np.linalg.norm(points - among[index].astype("float64"), axis=1)


class _Near:
    """Counts in how many balls of real features each generated feature lies, and the reverse."""

    def __init__(self, real, generated, k, strict, known_radii, both_ways=True):
        real, generated = features.both_sets(real, generated)
        self.k = features.count("k", k, most=min(len(real), len(generated)) - 1 if both_ways else len(real) - 1)
        centre = centre_of(real)
        near_enough = 1 - TIE if strict else 1 + TIE
        inside = np.less if strict else np.less_equal
        radii = (squared_radii(real, self.k, centre) if known_radii is None else known_radii**2) * near_enough
        near_generated = squared_radii(generated, self.k, centre) * near_enough if both_ways else np.empty(0)
        self.balls_of_generated = np.zeros(len(generated))
        self.real_is_recalled, self.real_is_covered = np.zeros((2, len(real)), bool)

        def look(rows, columns, x, y):
            rough = Rough(x, y, centre)
            in_ball = rough.within(radii[rows, None], inside)
            recalled = rough.within(near_generated[columns], inside).any(1) if both_ways else False
            return in_ball.sum(0), in_ball.any(1), recalled

        for rows, columns, (balls, covered, recalled) in blocks(real, generated, look):
            self.balls_of_generated[columns] += balls
            self.real_is_covered[rows] |= covered
            self.real_is_recalled[rows] |= recalled
