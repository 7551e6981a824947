"""Writing files completely or not at all."""

import contextlib
import os
import pathlib
import shutil


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


@contextlib.contextmanager
def folder_when_written(path):
    """Yield an empty temporary folder; at the end its files move into `path`, or they are deleted after an error."""
    path = pathlib.Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.mkdir()
    try:
        yield temporary
        if path.exists():  # its other files stay
            for file in temporary.iterdir():
                os.replace(file, path / file.name)
        else:
            os.replace(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
