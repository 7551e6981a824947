"""Labels in any of the forms that files hold, as class numbers from 0 and names."""

import pathlib

import numpy as np

from kgan.data.names import natural


def one_each(labels):
    """Labels `(n,)`, whole numbers or names, of those in any form; and in words, why they are not classes, if they are not.

    Rows of a one at the class's number become that number, whole floats become integers. `labels` may be `None`.
    """
    if labels is None:
        return None, ""
    if labels.ndim == 2 and labels.shape[1] > 1:
        if labels.dtype.kind not in "biuf" or not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()):
            return None, f"its labels of shape {labels.shape} are not classes"
        return labels.argmax(axis=1), ""
    if labels.ndim > 2:
        return None, f"its labels of shape {labels.shape} are not classes"
    labels = labels.reshape(-1)
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind == "f":
        if not np.array_equal(labels, np.rint(labels)):
            return None, "its labels are not whole numbers"
    elif labels.dtype.kind not in "biuU":
        return None, f"its labels are of type {labels.dtype}"
    return labels.astype("int64") if labels.dtype.kind in "bf" else labels, ""


def numbered(labels, others=()):
    """Number classes that have names, or numbers that do not begin at 0.

    Args:
        labels: Array `(n,)` of whole numbers or names.
        others: Arrays of further labels of the same classes, such as those of another split.

    Returns:
        Class numbers `(n,)`; and the names of the classes in natural order, empty if the numbers are those of `labels`.
    """
    known = {one for some in (labels, *others) if some.dtype.kind == labels.dtype.kind for one in some.tolist()}
    if labels.dtype.kind != "U" and min(known) == 0:
        return labels, ()
    names = sorted(known, key=lambda name: natural(pathlib.Path(name)) if isinstance(name, str) else name)
    place = {name: number for number, name in enumerate(names)}
    return np.array([place[one] for one in labels.tolist()]), [str(name) for name in names]
