"""Files that are never half written."""

import contextlib
import os
import pathlib


@contextlib.contextmanager
def replace_when_written(path):
    """Yield a temporary path beside `path`, with its ending; what is written there takes its place, or leaves nothing."""
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
