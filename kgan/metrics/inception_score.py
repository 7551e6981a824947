"""The inception score: how sure a classifier is of each image, and how many classes it sees."""

import concurrent.futures
import itertools

import numpy as np
from joblib import cpu_count

from kgan.metrics import features


def inception_score(logits, splits=10):
    """exp of the mean KL divergence between p(class | image) and p(class). Higher is better, 1 to the number of classes.

    For each of `splits` parts in the order given, rows i n // splits to (i + 1) n // splits: exp(mean over images of
    sum p log(p / q)), with p the softmax of the logits and q its mean over the part. In float64.

    With the logits of the ImageNet Inception it is the score of Salimans et al., arXiv:1606.03498. It uses no real
    images: one good image of each class has the highest score.

    Example:

    Ten images of each of two classes, classified with certainty.

    >>> logits = 100.0 * np.eye(2)[np.arange(20) % 2]
    >>> kgan.metrics.inception_score(logits, splits=2)
    (2.0, 0.0)

    Args:
        logits: Array `(n, classes)` of generated images.
        splits: Integer. The number of parts.

    Returns:
        The mean over the parts and their standard deviation (ddof 0), two floats.

    Raises:
        ValueError: if `logits` is not a valid array, or has fewer rows than there are parts.
    """
    logits = features.one_set("logits", logits, least=1)
    splits = features.count("splits", splits, most=len(logits))
    ends = np.arange(splits + 1) * len(logits) // splits
    with concurrent.futures.ThreadPoolExecutor(cpu_count()) as pool:  # numpy's exp uses only one core
        scores = list(pool.map(_of_part, (logits[begin:end] for begin, end in itertools.pairwise(ends))))
    return float(np.mean(scores)), float(np.std(scores))


def _of_part(logits):
    log_p = logits.astype("float64")
    log_p -= log_p.max(1, keepdims=True)
    p = np.exp(log_p)
    total = p.sum(1, keepdims=True)
    p /= total
    log_p -= np.log(total)
    q = p.mean(0)
    q = q[q > 0]
    # the mean of sum p log(p / q) is that of sum p log p, less sum q log q
    return np.exp(np.einsum("nc,nc->", p, log_p) / len(p) - (q * np.log(q)).sum())
