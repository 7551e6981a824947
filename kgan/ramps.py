"""Numbers that change while a GAN trains: learning rates, Adam's betas, weights of penalties, the average's decay.

Wherever a docstring says "or a schedule", a `keras.optimizers.schedules.LearningRateSchedule` stands in the number's place:
a function of how often the player was updated before, the discriminator for its optimizer, penalties and augmentation,
the generator for its optimizer and average. (Keras itself counts batches for a learning rate, where an optimizer accumulates
gradients.) Linear and Cosine go from one value to another, up or down, and stay there.
"""

import contextlib
import functools
import math

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule
from keras.saving import register_keras_serializable

from kgan.arguments import integer, is_number


class Ramp(LearningRateSchedule):
    """From `start` to `end` in `steps` updates. A subclass gives `share(done)`, both from 0 to 1.

    Args:
        start: Float. The value in the first update.
        end: Float. The value after `steps` updates, and from then on.
        steps: Integer. How many updates it takes.

    Raises:
        ValueError: if `start` or `end` is no number, or `steps` no integer above 0.
    """

    def __init__(self, start: float, end: float, steps: int):
        _check(self, "start", start)
        _check(self, "end", end)
        self.start, self.end = float(start), float(end)
        self.steps = integer("steps", steps, at_least=1, of=type(self).__name__)

    def share(self, done):
        raise NotImplementedError(f"{type(self).__name__} does not define `share(done)`.")

    def __call__(self, step):
        share = self.share(ops.minimum(ops.cast(step, keras.config.floatx()) / self.steps, 1.0))
        return (1.0 - share) * self.start + share * self.end

    def get_config(self):
        return {"start": self.start, "end": self.end, "steps": self.steps}


def _check(ramp, name, value):
    if not is_number(value):
        raise ValueError(f"`{name}` of {type(ramp).__name__} must be a number. Received: {value!r}")


@register_keras_serializable("kgan")
class Linear(Ramp):
    """In a straight line.

    Example:

    >>> ramp = kgan.ramps.Linear(start=1.0, end=0.0, steps=4)
    >>> [float(ramp(step)) for step in (0, 1, 4, 9)]
    [1.0, 0.75, 0.0, 0.0]
    """

    def share(self, done):
        return done


@register_keras_serializable("kgan")
class Cosine(Ramp):
    """Along half a period of a cosine: slowly, faster, slowly. The burn-in of R3GAN (arXiv:2501.05441).

    Example:

    R3GAN's weight of its penalties, of which a little is left when the players have found each other:

    >>> weight = kgan.ramps.Cosine(start=20.0, end=2.0, steps=1000)
    >>> [float(weight(step)) for step in (0, 500, 1000)]
    [20.0, 11.0, 2.0]
    >>> penalties = [kgan.penalties.R1(weight), kgan.penalties.R2(weight)]
    """

    def share(self, done):
        return (1.0 - ops.cos(math.pi * done)) / 2.0


@register_keras_serializable("kgan")
class Constant(Ramp):
    """One value, as the number itself.

    Args:
        value: Float.
    """

    def __init__(self, value: float):
        _check(self, "value", value)
        super().__init__(value, value, 1)

    def share(self, done):
        return done

    def get_config(self):
        return {"value": self.start}


RAMPS = {"burn_in": Cosine, "constant": Constant, "cosine": Cosine, "linear": Linear}


def holder(thing):
    """What has the arguments: the thing itself, or the optimizer inside one that scales its loss."""
    return getattr(thing, "inner_optimizer", thing)


def of(thing):
    """The public attributes of an object that are schedules, by name."""
    return {
        name: value
        for name, value in vars(holder(thing)).items()
        if isinstance(value, LearningRateSchedule) and not name.startswith("_")  # an optimizer sees to its rate itself
    }


@contextlib.contextmanager
def at(thing, step):
    """Within it, what is a schedule in `thing` is its value after `step` updates."""
    found, thing = of(thing), holder(thing)
    try:
        for name, schedule in found.items():
            setattr(thing, name, schedule(step))
        yield
    finally:
        for name, schedule in found.items():
            setattr(thing, name, schedule)


def values(things):
    """Functions that return what each schedule is in the next update, by the names of their logs.

    Args:
        things: Triples: what the names begin with, the object that has the schedules, the optimizer that counts.
    """
    return {
        f"{start}{name}": functools.partial(lambda schedule, counter: schedule(counter.iterations), schedule, optimizer)
        for start, thing, optimizer in things
        for name, schedule in of(thing).items()
    }


def read(config):
    """A config whose schedules are objects again: Keras reads back those of learning rates only."""
    return {
        name: keras.saving.deserialize_keras_object(value)
        if isinstance(value, dict) and "class_name" in value
        else value
        for name, value in config.items()
    }


def in_config(config, name):
    """The `Ramp` that stands in a serialized config under that name, or `None`."""
    value = config.get(name)
    kind = keras.saving.get_registered_object(value["registered_name"]) if isinstance(value, dict) else None
    return kind.from_config(value["config"]) if isinstance(kind, type) and issubclass(kind, Ramp) else None


def shown(value):
    """What an error says was received."""
    config = value.get_config() if isinstance(value, Ramp) else {}
    arguments = ", ".join(f"{name}={value!r}" for name, value in config.items())
    return f"{type(value).__name__}({arguments})" if config else repr(value)


def all_are(valid, value):
    """Whether a number is `valid`, or both ends of a ramp are; of Keras' own schedules that is not known beforehand."""
    if isinstance(value, Ramp):
        return valid(value.start) and valid(value.end)
    if isinstance(value, LearningRateSchedule):
        return True
    return is_number(value) and valid(value)
