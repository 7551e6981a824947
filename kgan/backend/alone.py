"""What engines have in common on which one process computes each batch, or the engine itself deals it out to devices."""

from keras import ops


def process():
    return 0, 1


def check_together(model):
    pass


def begin_together(variables):
    pass  # a variable has one value


def share(value):
    return value


def largest(numbers):
    return numbers


def parts():
    return 1


def whole(tensor):
    return tensor


def part(tensor):
    return tensor


def in_all_parts(scalars):
    return [scalars]


def places(n):
    return ops.arange(n)


def lost(error):
    """What to raise where an engine's error means that another process is gone."""
    reason = str(error).strip().splitlines()[0]
    return ConnectionError(
        f"Another process of this training has ended, or cannot be reached ({reason}). The newest checkpoint is kept, "
        "and --resume goes on with it."
    )
