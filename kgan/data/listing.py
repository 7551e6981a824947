"""Which files are in a folder, in which order, and which of them are used."""

import os
import pathlib
import re

import numpy as np

# what systems and network drives put into folders, in lower case; and all names that begin with a dot
_OF_SYSTEMS = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin", "#recycle", "@eadir",
               "lost+found", "system volume information"}  # fmt: skip


def files_in(path, skipped):
    """All files in a folder but the hidden ones, in natural order; links are followed, each folder is entered once.

    Folders that cannot be opened are added to `skipped`, a dict from a reason to paths.
    """
    found, entered = [], set()

    def cannot_enter(error):
        skipped.setdefault("folder that cannot be opened", []).append(pathlib.Path(error.filename))

    for folder, inside, names in os.walk(path, onerror=cannot_enter, followlinks=True):
        real = os.path.realpath(folder)
        if real in entered:
            inside.clear()
            continue
        entered.add(real)
        inside[:] = [name for name in inside if not _is_hidden(name)]
        found += [pathlib.Path(folder, name) for name in names if not _is_hidden(name)]
    return sorted(found, key=_natural)


def loose_files_in(path):
    """The files directly in a folder but the hidden ones, in natural order."""
    return sorted((one for one in path.iterdir() if one.is_file() and not _is_hidden(one.name)), key=_natural)


def folders_in(path):
    """Names of the folders in a folder, in natural order, without the hidden ones."""
    found = [one for one in path.iterdir() if one.is_dir() and not _is_hidden(one.name)]
    return [one.name for one in sorted(found, key=_natural)]


def _is_hidden(name):
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def _natural(path):
    """A key that sorts numbers in names by their value, `2` before `10`."""
    return [[int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)] for name in path.parts], path


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
