"""Writing files completely or not at all, on any disk."""

import contextlib
import errno
import functools
import hashlib
import logging
import os
import pathlib
import shutil
import time

log = logging.getLogger("kgan")
# what disks say that cannot do what they are asked, such as network drives; all else, such as a full disk, is an error
UNABLE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOTTY, errno.EPERM}
UNABLE |= {errno.EBADF, errno.EACCES, errno.EISDIR}  # of folders, which Windows does not even open

LONGEST = 50  # characters of a name that is a part of another one; most disks allow 255 bytes


@contextlib.contextmanager
def replace_when_written(path):
    """Yield a temporary path with the same ending; the file replaces `path` at the end, or is deleted after an error.

    A file that another program has open cannot be replaced on Windows. The new one then lies beside it, and a line says so.
    """
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.stem[:LONGEST]}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        with open(temporary, "r+b") as file:
            sync(file.fileno())
        try:
            move(temporary, path)
        except PermissionError:
            beside = path.with_name(f"{path.stem}.new{path.suffix}")
            os.replace(temporary, beside)
            log.warning(f"{path} cannot be replaced, since another program has it open: the new file is {beside}.")
    finally:
        with contextlib.suppress(PermissionError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_when_written(path):
    """Yield an empty temporary folder; at the end its files move into `path`, or they are deleted after an error."""
    path = pathlib.Path(path).resolve()  # `.` has no name
    temporary = path.with_name(f".{path.name[:LONGEST]}.{os.getpid()}")
    temporary.mkdir()
    try:
        yield temporary
        if path.exists():  # its other files stay
            for file in temporary.iterdir():
                move(file, path / file.name)
        else:
            move(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def checksums(folder):
    """Size and SHA-256 of each file below a folder, by its path in it."""
    return {path.relative_to(folder).as_posix(): checksum(path) for path in sorted(folder.rglob("*")) if path.is_file()}


def checksum(path):
    """The size of a file in bytes, and its SHA-256, as a dict."""
    with open(path, "rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def check_replaceable(path, mark):
    """Raise ValueError if a folder cannot be replaced: it is a file, or holds something without the file called `mark`."""
    if path.is_file():
        raise ValueError(f"{path} is a file, and must be a folder.")
    if path.is_dir() and any(path.iterdir()) and not (path / mark).is_file():
        raise ValueError(f"{path} is not empty, and there is no {mark} in it that shows that it may be replaced.")


def move(source, target):
    """Rename a file or folder, which replaces a file. On Windows, virus scanners keep new files open for a moment."""
    for pause in (0.05, 0.2, 0.5):
        try:
            return os.replace(source, target)
        except PermissionError:
            time.sleep(pause)
    return os.replace(source, target)


def sync(descriptor):
    """Make sure that an open file, or an open folder's entries, are on the disk, where the disk can do that."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNABLE:
            raise
        warn_once(
            f"This disk cannot say whether files are written ({error.strerror}): a power failure may damage them."
        )


def sync_folder(folder):
    """The same for the entries of a folder; Windows does not open folders, and writes their entries by itself."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno not in UNABLE:
            raise
        return
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


@functools.cache
def warn_once(sentence):
    """Log a warning, once in a process."""
    log.warning(sentence)


def check_folder(argument, path, owner):
    """Raise ValueError if a folder cannot be there, since a file is."""
    there = next((one for one in (path, *path.parents) if one.exists()), None)
    if there is not None and not there.is_dir():
        raise ValueError(f"`{argument}` of {owner} must be a folder, and {there} is a file. Received: {str(path)!r}")


def shorten(path, size):
    """Cut a file off after a number of bytes, if it exists and is longer."""
    if path.exists():
        os.truncate(path, min(size, path.stat().st_size))
