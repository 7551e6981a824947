"""SIGTERM and Ctrl-C as a wish that is granted at the next good moment."""

import contextlib
import signal
import threading


class Interrupted(SystemExit):  # noqa: N818
    """The process was asked to end, and what was to be kept is kept; exit code 143 after SIGTERM, 130 after Ctrl-C."""


@contextlib.contextmanager
def noted():
    """Yield a list that holds the number of a SIGTERM or SIGINT once one has come; a second one ends the process at once.

    Only the main thread can watch for signals; in others the list stays empty and they do what they always do. The handlers
    before are put back at the end.
    """
    wishes: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield wishes
        return

    def note(number, frame):
        if wishes:
            raise SystemExit(128 + number)
        wishes.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield wishes
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def name(number):
    """`"SIGTERM"`, `"Ctrl-C"`."""
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
