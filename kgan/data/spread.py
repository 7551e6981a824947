"""Some of many items, spread evenly over all of them."""

import numpy as np


def positions(count, most):
    """The positions of at most `most` of `count` items, the first and the last among them."""
    return np.linspace(0, count - 1, min(count, most)).astype(int)


def spread(items, limit):
    """At most `limit` of the items, or all if it is `None`."""
    if limit is None or limit >= len(items):
        return items
    chosen = positions(len(items), limit)
    return [items[index] for index in chosen] if isinstance(items, list) else items[chosen]


def chosen_first(items, limit):
    """All items, beginning with those that `spread` takes."""
    chosen = spread(items, limit)
    left = set(items).difference(chosen)
    return [*chosen, *(item for item in items if item in left)]
