"""The kernel distance: an unbiased estimate of how far two distributions of features are apart."""

import concurrent.futures

import numpy as np
from joblib import cpu_count
from scipy.linalg.blas import dsyrk
from threadpoolctl import threadpool_limits

from kgan.metrics import features

BLOCK = 512  # rows of the Gram matrix held at once
LARGEST = 2048  # rows of a subset up to which its whole Gram matrices are held


def kernel_distance(real, generated, subsets=100, subset_size=1000, seed=2020):
    """Squared maximum mean discrepancy with the kernel (x.y / d + 1)^3, over random subsets. Lower is better.

    For subsets X, Y of m features each: the mean of k(x, x') over x != x', plus that of k(y, y') over y != y', minus twice
    that of k(x, y) over all pairs. It is unbiased: it may be below zero, and may be compared between small sets. It is
    computed in float64.

    With the features of the FID Inception it is the KID of Binkowski et al., arXiv:1801.01401. Subsets are drawn as the
    package torch-fidelity draws them, the generated one first.

    Example:

    The kernel is 1 within {0, 1}, 27 within {1, 2}, and between them 1, 1, 8 and 27.

    >>> kgan.metrics.kernel_distance(np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]]), subsets=1)
    (9.5, 0.0)

    Args:
        real: Array `(n, d)` of features of real images.
        generated: Array `(n', d)`, of generated ones.
        subsets: Integer. How many pairs of subsets are drawn.
        subset_size: Integer, m; at most the size of the smaller set is used.
        seed: Integer. Seed of `numpy.random.RandomState`.

    Returns:
        The mean over the subsets and their standard deviation (ddof 0), two floats.

    Raises:
        ValueError: if the value of an argument is not valid.
    """
    real, generated = features.both_sets(real, generated)
    subsets, size = features.count("subsets", subsets), features.count("subset_size", subset_size)
    size = min(size, len(real), len(generated))
    if size < 2:
        raise ValueError("`subset_size` must be at least 2: the distance is a mean over pairs. Received: 1")
    draw = np.random.RandomState(seed)
    chosen = [
        (draw.choice(len(generated), size, replace=False), draw.choice(len(real), size, replace=False))
        for _ in range(subsets)
    ]
    # subset by subset, two thirds of the pairs need only one side of the diagonal
    if 2 * subsets * size**2 > 3 * len(real) * len(generated):
        sums = _sums_over_all
    else:
        sums = _sums_over_subsets if size <= LARGEST else _sums_over_large_subsets
    same_generated, same_real, other = sums(generated, real, chosen)
    values = (same_generated + same_real) / (size * (size - 1)) - 2 * other / size**2
    return float(values.mean()), float(values.std())


def _sums_over_subsets(generated, real, chosen):
    """Sums of the kernel over each pair of subsets: within the first, within the second, between them; `(subsets,)` each."""

    def sums(pair):
        x, y = (rows[some].astype("float64") for rows, some in zip((generated, real), pair, strict=True))
        return _within(x), _within(y), _cubed(x @ y.T, x).sum()

    # one pair of subsets for each core, rather than one matrix product on all cores
    with threadpool_limits(1, "blas"), concurrent.futures.ThreadPoolExecutor(cpu_count()) as pool:
        return np.array(list(pool.map(sums, chosen))).T


def _sums_over_large_subsets(generated, real, chosen):
    """The same sums, without holding the whole kernel of two subsets."""
    sums = []
    for first, second in chosen:
        all_of_both = [(np.arange(len(first)), np.arange(len(second)))]
        sums.append(np.concatenate(_sums_over_all(generated[first], real[second], all_of_both)))
    return np.array(sums).T


def _within(x):
    """Sum of the kernel over all pairs of different rows, from one side of the diagonal."""
    # dsyrk leaves zeros on the other side of the diagonal, where the kernel becomes 1
    kernel = _cubed(dsyrk(1.0, x.T, trans=True, lower=True), x)
    return 2 * (kernel.sum() - np.trace(kernel) - len(x) * (len(x) - 1) / 2)


def _sums_over_all(generated, real, chosen):
    """The same sums from the kernel of all pairs: with s = 1 for chosen rows and 0 elsewhere, a sum is s' K s."""
    of_generated = _indicators([first for first, _ in chosen], len(generated))
    of_real = _indicators([second for _, second in chosen], len(real))
    x, y = np.asarray(generated, "float64"), np.asarray(real, "float64")
    return (
        _quadratic(of_generated, x, x, of_generated) - of_generated @ _diagonal(x),
        _quadratic(of_real, y, y, of_real) - of_real @ _diagonal(y),
        _quadratic(of_generated, x, y, of_real),
    )


def _indicators(picks, n):
    found = np.zeros((len(picks), n))
    for row, pick in zip(found, picks, strict=True):
        row[pick] = 1.0
    return found


def _quadratic(left, x, y, right):
    """left K right' for each row of both, K block by block."""
    total = np.zeros(len(left))
    for begin in range(0, len(x), BLOCK):
        rows = slice(begin, begin + BLOCK)
        total += np.einsum("sb,bs->s", left[:, rows], _cubed(x[rows] @ y.T, x) @ right.T)
    return total


def _diagonal(x):
    return _cubed(np.einsum("nd,nd->n", x, x), x)


def _cubed(products, x):
    """(products / d + 1)^3, in place."""
    products /= x.shape[1]
    products += 1.0
    products *= products * products
    return products
