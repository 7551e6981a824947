"""Names of files and folders: which are hidden, and their natural order."""

import os
import pathlib
import re

# what systems and network drives put into folders, in lower case; and all names that begin with a dot
_OF_SYSTEMS = {"__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "$recycle.bin", "#recycle", "@eadir",
               "lost+found", "system volume information"}  # fmt: skip


def is_hidden(name):
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def natural(path):
    """A key that sorts numbers in names by their value, `2` before `10`."""
    return [[int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)] for name in path.parts], path


def loose_files_in(path):
    """The files directly in a folder but the hidden ones, in natural order."""
    return sorted((one for one in path.iterdir() if one.is_file() and not is_hidden(one.name)), key=natural)


def folders_in(path):
    """Names of the folders in a folder, in natural order, without the hidden ones."""
    with os.scandir(path) as entries:  # which know what they are, without a question to the disk for each file
        found = [pathlib.Path(one.name) for one in entries if not is_hidden(one.name) and one.is_dir()]
    return [one.name for one in sorted(found, key=natural)]


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
        below = sorted((pathlib.Path(folder, name) for name in inside if not is_hidden(name)), key=natural)
        inside[:] = [
            one.name for one in sorted(below, key=pathlib.Path.is_symlink)
        ]  # of a folder and a link, the folder
        found += [pathlib.Path(folder, name) for name in names if not is_hidden(name)]
    return sorted(found, key=natural)
