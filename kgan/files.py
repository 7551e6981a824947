"""Writing files completely or not at all."""

import contextlib
import os
import pathlib


@contextlib.contextmanager
def replace_when_written(path):
    """Yield a temporary path with the same ending; the file replaces `path` at the end, or is deleted after an error."""
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
