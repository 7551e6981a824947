"""The inception score: how sure a classifier is of each image, and how many classes it sees."""

import numpy as np

from kgan.metrics import features


def inception_score(logits, splits=10):
    """exp of the mean KL divergence between p(class | image) and p(class). Higher is better, 1 to the number of classes.

    For each of `splits` parts in the order given, rows i n // splits to (i + 1) n // splits: exp(mean over images of
    sum p log(p / q)), with p the softmax of the logits and q its mean over the part. In float64.

    With the logits of the ImageNet Inception it is the score of Salimans et al., arXiv:1606.03498. It sees no real image:
    one good image of each class has the highest score.

    Example:

    Ten sure images of each of two classes.

    >>> logits = 100.0 * np.eye(2)[np.arange(20) % 2]
    >>> kgan.metrics.inception_score(logits, splits=2)
    (2.0, 0.0)

    Args:
        logits: Array `(n, classes)` of generated images.
        splits: Integer. How many parts.

    Returns:
        The mean over the parts and their standard deviation (ddof 0), two floats.

    Raises:
        ValueError: if these are no such logits, or there are fewer than parts.
    """
    logits = features.one("logits", logits, least=1).astype("float64")
    splits = features.count("splits", splits, most=len(logits))
    logits = logits - logits.max(1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    scores = []
    for i in range(splits):
        part = log_p[i * len(logits) // splits : (i + 1) * len(logits) // splits]
        p = np.exp(part)
        q = p.mean(0)
        log_q = np.log(q, where=q > 0, out=np.zeros_like(q))  # where q is 0, so is every p
        scores.append(np.exp((p * (part - log_q)).sum(1).mean()))
    return float(np.mean(scores)), float(np.std(scores))
