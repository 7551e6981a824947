"""Some of many items, spread evenly over all of them."""

import numpy as np


def spread(items, limit):
    """At most `limit` of the items, spread evenly over all of them."""
    if limit is None or limit >= len(items):
        return items
    chosen = np.linspace(0, len(items) - 1, limit).astype(int)
    return [items[index] for index in chosen] if isinstance(items, list) else items[chosen]


def chosen_first(items, limit):
    """All items, beginning with those that `spread` takes."""
    chosen = spread(items, limit)
    left = set(items).difference(chosen)
    return [*chosen, *(item for item in items if item in left)]
