"""SIGTERM and Ctrl-C, which end a training after its current step."""

import contextlib
import signal
import threading

# Windows sends SIGBREAK, by Ctrl-Break, and does not send SIGTERM
NUMBERS = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name)]


class Interrupted(SystemExit):  # noqa: N818
    """The process was asked to end, and the state is saved; exit code 143 after SIGTERM, 130 after Ctrl-C."""


@contextlib.contextmanager
def noted(again=True):
    """Yield a list to which the number of a SIGTERM or SIGINT is added; a second signal ends the process at once.

    Without `again` it does not: what starts several processes may send a signal to each of them more than once.
    Only the main thread can handle signals; in another thread the list stays empty and signals keep their handlers. The
    former handlers are restored at the end.
    """
    wishes: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield wishes
        return

    def note(number, frame):
        if wishes and again:
            raise SystemExit(128 + number)
        wishes.append(number)

    before = {number: signal.signal(number, note) for number in NUMBERS}
    try:
        yield wishes
    finally:
        for number, handler in before.items():
            # `None` is a handler that Python did not set, and cannot set again
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def name(number):
    """`"SIGTERM"`, `"Ctrl-C"`."""
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
