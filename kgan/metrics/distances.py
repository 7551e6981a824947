"""Squared distances between rows of features: fast in float32, and again in float64 where float32 cannot decide."""

import collections
import concurrent.futures
import itertools

import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_limits

BLOCK = 2048  # rows of a distance matrix held at once
WORKERS = 8  # blocks held at once
PAIRS = 256  # pairs of rows that are computed one by one, held at once
SAME = 1e-13  # squared distances of a matrix product below this share of the squared norms are rounding
TIE = 1e-12  # as are smaller relative differences between two squared distances
SPARE = 8  # neighbours kept beside the k nearest, among which rounding may have changed the order
MOST = 1 / 256  # largest share of pairs that are computed one by one; otherwise the whole block is computed again


class Rough:
    """Squared distances of all rows of x and y in float32, which takes half as long; comparisons that float32 may decide
    wrongly are made in float64.

    Rows are taken relative to `centre` and divided by the longest one's length L. Then a dot product of d numbers is off by
    less than d u, u = 2^-24, for each unit of |a| |b| (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1),
    and a squared distance, with its few other roundings, by less than `off`.

    Attributes:
        squared: float32 array `(rows of x, rows of y)`, |a - b|^2 / L^2.
        unit: L^2.
        off: Float, in the same unit.
    """

    def __init__(self, x, y, centre):
        self.x, self.y, self.centre = x, y, centre
        x, y = x - centre, y - centre
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
        if len(unsure) > MOST * found.size:  # compute the whole block again, in float64
            squared, norms = squared_between_all(self.x, self.y, self.centre)
            off = max(self.off * 2.0**-30, SAME) * norms
            found = squared < limit - off
            unsure = np.flatnonzero((squared <= limit + off) != found)
            if len(unsure) > MOST * found.size:  # nearly all distances are equal to the limit
                return inside(_pairwise(self.x, self.y), limit)
        i, j = np.unravel_index(unsure, found.shape)
        found[i, j] = inside(_between(self.x, self.y, i, j), np.broadcast_to(limit, found.shape)[i, j])
        return found


class Nearest:
    """The nearest neighbours of each row, up to rounding, and their squared distances."""

    def __init__(self, rows, count):
        self.squared, self.index = np.full((rows, count), np.inf), np.zeros((rows, count), int)

    def see(self, some, squared, index):
        """Add squared distances from some rows to others, `(some, n)`, with the indices of the others."""
        count = self.squared.shape[1]
        both = np.concatenate([self.squared[some], squared], 1), np.concatenate([self.index[some], index], 1)
        kept = np.argpartition(both[0], count - 1, axis=1)[:, :count]
        self.squared[some], self.index[some] = (np.take_along_axis(one, kept, 1) for one in both)

    def kth(self, rows, own, k):
        """The k-th smallest squared distance of each row, computed pair by pair; `own` are the positions of these rows."""
        exact = np.full(self.squared.shape, np.inf)
        # infinite where there is no neighbour: a row is not its own neighbour
        i, j = np.nonzero(np.isfinite(self.squared))
        exact[i, j] = _between(rows, rows, own[i], self.index[i, j])
        return np.partition(exact, k - 1, axis=1)[:, k - 1]


def squared_radii(rows, k, centre):
    """Squared distance from each row to its k-th nearest other row."""
    count = min(k + SPARE, len(rows))
    nearest, off = Nearest(len(rows), count), np.zeros(len(rows))

    def smallest(rough, squared, start):
        """The `count` smallest values of each row, and their positions."""
        squared = np.ascontiguousarray(squared)
        places = np.argpartition(squared, min(count, squared.shape[1]) - 1, axis=1)[:, :count]
        return np.take_along_axis(squared, places, 1) * rough.unit, places + start, rough.off * rough.unit

    def look(one, other, x, y):
        rough = Rough(x, y, centre)
        if one == other:
            np.fill_diagonal(rough.squared, np.inf)
            return [(one, *smallest(rough, rough.squared, one.start))]
        return [
            (one, *smallest(rough, rough.squared, other.start)),
            (other, *smallest(rough, rough.squared.T, one.start)),
        ]

    for _, _, sides in blocks(rows, rows, look, half=True):
        for some, squared, places, wrong in sides:
            nearest.see(some, squared, places)
            off[some] = np.maximum(off[some], wrong)
    radii = nearest.kth(rows, np.arange(len(rows)), k)
    # rows that were not kept are at least as far away as those that were, except for rounding
    unsure = np.flatnonzero(nearest.squared.max(1) - off < radii)
    radii[unsure] = _exact_radii(rows, unsure, k, centre)
    return radii


def _exact_radii(rows, some, k, centre):
    """The squared radii of some rows, all in float64."""
    if not len(some):
        return np.empty(0)
    nearest = Nearest(len(some), min(k + SPARE, len(rows)))
    for chosen, columns, squared in blocks(rows[some], rows, lambda a, b, x, y: squared_between_all(x, y, centre)[0]):
        own = some[chosen]
        here = np.flatnonzero((own >= columns.start) & (own < columns.stop))
        squared[here, own[here] - columns.start] = np.inf
        nearest.see(chosen, squared, np.broadcast_to(np.arange(columns.start, columns.stop), squared.shape))
    radii = nearest.kth(rows, some, k)
    norms = ((rows - centre) ** 2).sum(1)
    near = SAME * (norms[some] + norms.max())
    # where more rows are equally near, up to rounding, than were kept
    for place in np.flatnonzero((radii > 0) & (nearest.squared.max(1) - near < radii)):
        squared = _between(rows, rows, np.full(len(rows), some[place]), np.arange(len(rows)))
        squared[some[place]] = np.inf
        radii[place] = np.partition(squared, k - 1)[k - 1]
    return radii


def centre_of(rows):
    """A centre of most rows, independent of outliers: products of numbers near 0 have the smallest rounding errors."""
    return np.median(rows[:: -(-len(rows) // 1000)].astype("float64"), axis=0)


def blocks(x, y, look, half=False):
    """Yield two slices and `look(rows, columns, x[rows], y[columns])` for each block, with `half` only on one side."""
    starts = [range(0, len(rows), BLOCK) for rows in (x, y)]
    pairs = ((i, j) for i in starts[0] for j in starts[1] if not (half and j < i))

    def block(pair):
        rows, columns = (
            slice(begin, min(begin + BLOCK, len(all_rows))) for begin, all_rows in zip(pair, (x, y), strict=True)
        )
        return rows, columns, look(rows, columns, x[rows], y[columns])

    # one block for each core, rather than one block on all cores: most of a block's work is not a matrix product
    workers = min(cpu_count(), WORKERS)
    with threadpool_limits(1, "blas"), concurrent.futures.ThreadPoolExecutor(workers) as pool:
        begun = collections.deque(pool.submit(block, pair) for pair in itertools.islice(pairs, workers + 1))
        while begun:
            yield begun.popleft().result()
            begun.extend(pool.submit(block, pair) for pair in itertools.islice(pairs, 1))


def squared_between_all(one, other, centre):
    """|a - b|^2 = |a|^2 + |b|^2 - 2 a.b for all rows a and b, 0 where only rounding is left; and |a|^2 + |b|^2."""
    one, other = one - centre, other - centre
    ones, others = (np.einsum("nd,nd->n", rows, rows) for rows in (one, other))
    norms = ones[:, None] + others
    squared = one @ other.T
    squared *= -2.0
    squared += norms
    squared[squared < SAME * norms] = 0.0
    return squared, norms


def _pairwise(one, other):
    """|a - b|^2 for all rows a and b; repeated rows are computed once."""
    (one, i), (other, j) = (np.unique(rows, axis=0, return_inverse=True) for rows in (one, other))
    some = np.arange(len(other))
    squared = np.stack([_between(one, other, np.full(len(other), row), some) for row in range(len(one))])
    return squared[i.reshape(-1)][:, j.reshape(-1)]


def _between(one, other, i, j):
    """|a - b|^2 for pairs of rows, one[i] and other[j], in float64."""
    squared = np.empty(len(i))

    def measure(begin):
        some = slice(begin, begin + PAIRS)
        apart = one[i[some]].astype("float64") - other[j[some]]
        squared[some] = np.einsum("nd,nd->n", apart, apart)

    with concurrent.futures.ThreadPoolExecutor(min(cpu_count(), WORKERS)) as pool:
        list(pool.map(measure, range(0, len(i), PAIRS)))
    return squared
