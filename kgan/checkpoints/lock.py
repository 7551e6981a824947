"""A folder that only one process at a time may use."""

import contextlib
import errno
import os
import pathlib

from kgan.checkpoints.disk import BusyError
from kgan.files import warn_once

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ImportError:  # everywhere else
    msvcrt = None  # type: ignore[assignment]

NAME = ".lock"  # of a file, where the folder itself cannot be locked
_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK}


@contextlib.contextmanager
def held(folder):
    """A context in which the folder is locked; the system unlocks it too, however the process ends.

    Where neither a folder nor a file can be locked, a line says so.

    Raises:
        BusyError: if another process holds the lock, or another holder in this one.
    """
    descriptor = _take(pathlib.Path(folder))
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _take(folder):
    """Return the descriptor of a locked folder, or of a locked file in it, or `None`."""
    why: str | None = "this system knows no locks"
    for path, flags in ((folder, os.O_RDONLY), (folder / NAME, os.O_RDWR | os.O_CREAT)):
        try:
            descriptor = os.open(path, flags)
        except OSError as error:  # Windows does not open folders
            why = error.strerror
            continue
        try:
            if fcntl:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            if msvcrt and path != folder:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
                return descriptor
        except OSError as error:
            if error.errno in _TAKEN:
                os.close(descriptor)
                raise BusyError(f"{folder} is in use by another process that trains.") from None
            why = error.strerror
        os.close(descriptor)
    warn_once(f"{folder} cannot be locked ({why}): do not train twice in it at the same time.")
    return None
