"""Metrics that ask whether images lie within the balls that others span: precision, recall, density, coverage."""

import collections
import concurrent.futures
import itertools

import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_limits

from kgan.metrics import features

BLOCK = 2048  # rows of a distance matrix held at once
SAME = 1e-13  # squared distances below this share of the squared norms are rounding
TIE = 1e-12  # as are smaller relative differences between two of them
SPARE = 8  # neighbours kept beside the k nearest, among which rounding to float32 may have changed the order
MOST = 1 / 256  # share of pairs that are looked at one by one; where there are more, a block is computed again


def precision_recall(real, generated, k=3, strict=False, known_radii=None):
    """Share of generated images among real ones, and share of real ones among generated ones. Higher is better, 0 to 1.

    Around each real feature lies a ball that reaches to its k-th nearest other real one. Precision is the share of generated
    features within any of these; recall is the same with the roles exchanged. Kynkaanniemi et al., arXiv:1904.06991. In
    float64. Both depend on the numbers of images, so compare equal numbers only.

    Example:

    >>> real = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    >>> generated = np.array([[0.0], [0.5], [1.0], [5.0]])
    >>> kgan.metrics.precision_recall(real, generated, k=1)
    (0.75, 0.5)

    Args:
        real: Array `(n, d)` of features of real images, n > k.
        generated: Array `(m, d)`, of generated ones, m > k.
        k: Integer.
        strict: Whether what lies just on a ball is outside of it (<), as in the package prdc; inside (<=) by default, as in
            the paper and torch-fidelity. It matters where images are repeated.
        known_radii: What `radii(real, k)` returned, where the same real images are asked about again.

    Returns:
        Precision and recall, two floats.

    Raises:
        ValueError: if an argument is none of these.
    """
    near = _Near(real, generated, k, strict, known_radii)
    return float((near.balls_of_generated > 0).mean()), float(near.real_is_recalled.mean())


def density_coverage(real, generated, k=5, strict=True, known_radii=None):
    """How densely generated images lie among real ones, and the share of real ones that have a generated one near.

    With balls around real features that reach to the k-th nearest other real one: density is the mean number of balls that a
    generated feature lies in, divided by k, 1 where the two distributions are equal, more where generated images crowd;
    coverage is the share of balls with a generated feature in them, 0 to 1. Higher is better. Naeem et al.,
    arXiv:2002.09797. In float64.

    Example:

    >>> real = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]])
    >>> generated = np.array([[0.0], [0.5], [1.0], [5.0]])
    >>> kgan.metrics.density_coverage(real, generated, k=1)
    (1.0, 0.3333333333333333)

    Args:
        real: Array `(n, d)` of features of real images, n > k.
        generated: Array `(m, d)`, of generated ones.
        k: Integer.
        strict: Whether what lies just on a ball is outside of it (<), as in the package prdc, or inside (<=). It matters
            where images are repeated.
        known_radii: What `radii(real, k)` returned, where the same real images are asked about again.

    Returns:
        Density and coverage, two floats.

    Raises:
        ValueError: if an argument is none of these.
    """
    near = _Near(real, generated, k, strict, known_radii, both_ways=False)
    return float(near.balls_of_generated.mean() / near.k), float(near.real_is_covered.mean())


def radii(rows, k):
    """Distance from each row of features `(n, d)` to its k-th nearest other one, `(n,)`: the radii of the balls."""
    rows = features.one("rows", rows)
    k = features.count("k", k, most=len(rows) - 1)
    return np.sqrt(_squared_radii(rows, k, rows.mean(0, dtype="float64")))


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
        ValueError: if these are not two such arrays.
    """
    among, points = features.pair(among, points, least=1)
    index, distance = np.zeros(len(points), "int64"), np.full(len(points), np.inf)
    blocks = _blocks(points, among, among.mean(0, dtype="float64"), lambda rows, columns, x, y: _squared(x, y))
    for rows, columns, squared in blocks:
        best = squared.argmin(1)
        found = np.take_along_axis(squared, best[:, None], 1)[:, 0]
        closer = found < distance[rows]
        index[rows] = np.where(closer, best + columns.start, index[rows])
        distance[rows] = np.where(closer, found, distance[rows])
    return index, np.linalg.norm(points - among[index].astype("float64"), axis=1)


class _Near:
    """Which generated features lie in how many balls of real ones, and the other way round."""

    def __init__(self, real, generated, k, strict, known_radii, both_ways=True):
        real, generated = features.pair(real, generated)
        self.k = features.count("k", k, most=min(len(real), len(generated)) - 1 if both_ways else len(real) - 1)
        centre = real.mean(0, dtype="float64")
        near_enough = 1 - TIE if strict else 1 + TIE
        inside = np.less if strict else np.less_equal
        radii = (_squared_radii(real, self.k, centre) if known_radii is None else known_radii**2) * near_enough
        near_generated = _squared_radii(generated, self.k, centre) * near_enough if both_ways else np.empty(0)
        self.balls_of_generated = np.zeros(len(generated))
        self.real_is_recalled, self.real_is_covered = np.zeros((2, len(real)), bool)

        def look(rows, columns, x, y):
            rough = _Rough(x, y)
            in_ball = rough.within(radii[rows, None], inside)
            recalled = rough.within(near_generated[columns], inside).any(1) if both_ways else False
            return in_ball.sum(0), in_ball.any(1), recalled

        for rows, columns, (balls, covered, recalled) in _blocks(real, generated, centre, look):
            self.balls_of_generated[columns] += balls
            self.real_is_covered[rows] |= covered
            self.real_is_recalled[rows] |= recalled


class _Rough:
    """Squared distances of all rows of x and y in float32, half as long to compute; what that may decide wrongly is
    computed again in float64.

    Rows are divided by the longest one's length L. Then a dot product of d numbers in float32 is off by less than
    d u, u = 2^-24, for each unit of |a| |b| (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), and a
    squared distance, with its few other roundings, by less than `off`.

    Attributes:
        squared: float32 array `(rows of x, rows of y)`, |a - b|^2 / L^2.
        unit: L^2.
        off: Float, in the same unit.
    """

    def __init__(self, x, y):
        self.x, self.y = x, y
        norms = [np.einsum("nd,nd->n", rows, rows) for rows in (x, y)]
        self.unit = max(norms[0].max(), norms[1].max()) or 1.0
        self.off = (x.shape[1] + 16) * 2.0**-21
        ones, others = ((squared / self.unit).astype("float32") for squared in norms)
        small, other = ((rows / np.sqrt(self.unit)).astype("float32") for rows in (x, y))
        self.squared = small @ other.T
        self.squared *= -2.0
        self.squared += ones[:, None]
        self.squared += others

    def within(self, limit, inside):
        """Whether each squared distance is `inside`, `np.less` or `np.less_equal`, of a limit that broadcasts to them."""
        low, high = ((limit / self.unit + sign * self.off).astype("float32") for sign in (-1, 1))
        found = self.squared <= low
        unsure = np.flatnonzero((self.squared <= high) != found)
        if len(unsure) > MOST * found.size:
            return inside(_squared(self.x, self.y), limit)
        i, j = np.unravel_index(unsure, found.shape)
        found[i, j] = inside(_between(self.x, self.y, i, j), np.broadcast_to(limit, found.shape)[i, j])
        return found


def _squared_radii(rows, k, centre):
    """Squared distance from each row to its k-th nearest other one."""
    count = min(k + SPARE, len(rows))
    nearest, index = np.full((len(rows), count), np.inf), np.zeros((len(rows), count), int)
    off = np.zeros(len(rows))

    def smallest(rough, squared, start):
        """The `count` smallest of each row, and where they are."""
        squared = np.ascontiguousarray(squared)
        places = np.argpartition(squared, min(count, squared.shape[1]) - 1, axis=1)[:, :count]
        return np.take_along_axis(squared, places, 1) * rough.unit, places + start, rough.off * rough.unit

    def look(one, other, x, y):
        rough = _Rough(x, y)
        if one == other:
            np.fill_diagonal(rough.squared, np.inf)
            return [(one, *smallest(rough, rough.squared, one.start))]
        return [
            (one, *smallest(rough, rough.squared, other.start)),
            (other, *smallest(rough, rough.squared.T, one.start)),
        ]

    for _, _, sides in _blocks(rows, rows, centre, look, half=True):
        for some, squared, places, wrong in sides:
            both = np.concatenate([nearest[some], squared], 1), np.concatenate([index[some], places], 1)
            kept = np.argpartition(both[0], count - 1, axis=1)[:, :count]
            nearest[some], index[some] = (np.take_along_axis(one, kept, 1) for one in both)
            off[some] = np.maximum(off[some], wrong)
    exact = np.full(nearest.shape, np.inf)
    i, j = np.nonzero(np.isfinite(nearest))  # a row is no neighbour of its own
    exact[i, j] = _between(rows, rows, i, index[i, j], centre)
    radii = np.partition(exact, k - 1, axis=1)[:, k - 1]
    # what was left out is at least as far away as what was kept, but for rounding
    unsure = np.flatnonzero(nearest.max(1) - off < radii)
    radii[unsure] = _exact_radii(rows, unsure, k, centre)
    return radii


def _exact_radii(rows, some, k, centre):
    """The same for some rows, all in float64."""
    nearest = np.full((len(some), k), np.inf)
    for chosen, columns, squared in _blocks(rows[some], rows, centre, lambda a, b, x, y: _squared(x, y)):
        own = some[chosen]
        here = np.flatnonzero((own >= columns.start) & (own < columns.stop))
        squared[here, own[here] - columns.start] = np.inf
        both = np.concatenate([nearest[chosen], squared], axis=1)
        nearest[chosen] = np.partition(both, k - 1, axis=1)[:, :k]
    return nearest.max(1)


def _blocks(x, y, centre, look, half=False):
    """Yield two slices and `look(rows, columns, x[rows], y[columns])`, for all rows; or on one side of the diagonal only.

    Rows are taken to float64 block by block, relative to `centre`.
    """
    starts = [range(0, len(rows), BLOCK) for rows in (x, y)]
    pairs = ((i, j) for i in starts[0] for j in starts[1] if not (half and j < i))

    def block(pair):
        rows, columns = (slice(begin, begin + BLOCK) for begin in pair)
        rows, columns = slice(rows.start, min(rows.stop, len(x))), slice(columns.start, min(columns.stop, len(y)))
        return rows, columns, look(rows, columns, x[rows] - centre, y[columns] - centre)

    # a block a core, of which most is not a matrix product, rather than one block by all cores
    workers = cpu_count()
    with threadpool_limits(1, "blas"), concurrent.futures.ThreadPoolExecutor(workers) as pool:
        begun = collections.deque(pool.submit(block, pair) for pair in itertools.islice(pairs, workers + 1))
        while begun:
            yield begun.popleft().result()
            begun.extend(pool.submit(block, pair) for pair in itertools.islice(pairs, 1))


def _squared(one, other):
    """|a - b|^2 = |a|^2 + |b|^2 - 2 a.b for all rows a and b; 0 where rounding is all that is left."""
    ones, others = (np.einsum("nd,nd->n", rows, rows) for rows in (one, other))
    squared = one @ other.T
    squared *= -2.0
    both = ones[:, None] + others
    squared += both
    both *= SAME
    squared[squared < both] = 0.0
    return squared


def _between(one, other, i, j, centre=0.0):
    """The same for pairs of rows, one[i] and other[j]."""
    squared = np.empty(len(i))
    for begin in range(0, len(i), BLOCK):
        some = slice(begin, begin + BLOCK)
        x, y = one[i[some]] - centre, other[j[some]] - centre
        both = np.einsum("nd,nd->n", x, x) + np.einsum("nd,nd->n", y, y)
        squared[some] = both - 2.0 * np.einsum("nd,nd->n", x, y)
        squared[some][squared[some] < SAME * both] = 0.0
    return squared
