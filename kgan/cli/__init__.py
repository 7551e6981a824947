"""The command line. Only commands that need a framework load one, so that help and lists appear at once."""

import io
import os
import signal
import sys

from kgan.checkpoints import signals
from kgan.cli import training, using, watching  # noqa: F401  (each adds its commands, in this order)
from kgan.cli.common import app, error_console
from kgan.runner.errors import RecipeError, RunError


def main():
    """Entry point: the user's errors end with one sentence each and exit code 2, other failures of a run with 1."""
    for number in signals.NUMBERS:
        signal.signal(number, _leave)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # of names that its encoding cannot represent
    try:
        app()
    except (RecipeError, RunError, OSError, FloatingPointError) as error:
        said = str(error)
        if isinstance(error, OSError) and error.strerror:
            said = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        for line in said.splitlines():
            error_console.print(line, style="red", soft_wrap=True, highlight=False, markup=False)
        if isinstance(error, OSError) and "kgan.backend" in sys.modules and _together():
            sys.stdout.flush()
            # an engine would wait for processes that are lost, or that wait for this one, whose disk is full
            os._exit(1)
        raise SystemExit(2 if isinstance(error, RecipeError) else 1) from None


def _together():
    """Whether several processes train together."""
    from kgan import backend

    return backend.process()[1] > 1


def _leave(number, frame):
    os._exit(128 + number)  # an exception could be swallowed by what is being imported; `fit` handles signals itself
