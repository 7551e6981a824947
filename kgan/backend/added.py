"""The losses that layers add while a player is called: activity regularizers, and `add_loss`.

Keras keeps those of a model's last call alone, but an update calls a player several times. So each `call` hands them on to
the innermost `added_losses` around it, in the scope of the engine in which they were computed.
"""

import collections
import contextlib
import threading

from keras import ops

from kgan.backend.keras_internals import losses_of_last_call


class Open(threading.local):  # like Keras' own state
    """The losses that the innermost `added_losses` of this thread has found so far, or `None` outside of any."""

    found: collections.defaultdict | None = None


OPEN = Open()


@contextlib.contextmanager
def added_losses():
    """Collect the losses of each `call` in this context: yields a dict of lists of scalars, by the `id` of the model."""
    outside, OPEN.found = OPEN.found, collections.defaultdict(list)
    try:
        yield OPEN.found
    finally:
        OPEN.found = outside


def hand_on(found):
    """Add such a dict to that of the innermost `added_losses`, if there is one."""
    if OPEN.found is not None:
        for model, losses in found.items():
            OPEN.found[model] += losses


def call(model, inputs, training):
    """Call a model, and hand on the losses that its layers add."""
    outputs = model(inputs, training=training)
    if OPEN.found is not None:
        # in the type of the loss that they are added to, and one number each, as Keras' own training takes them
        losses = [ops.cast(ops.sum(loss), model.variable_dtype) for loss in losses_of_last_call(model)]
        hand_on({id(model): losses})
    return outputs
