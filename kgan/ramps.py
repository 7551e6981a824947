"""Numbers that change while a GAN trains: learning rates, Adam's betas, weights of penalties, the average's decay.

Wherever a docstring says "or a schedule", the argument may be a `keras.optimizers.schedules.LearningRateSchedule` instead of
a number. It is a function of the number of updates so far: those of the discriminator for its optimizer, penalties and
augmentation, those of the generator for its optimizer and average. (For a learning rate Keras itself counts batches, if an
optimizer accumulates gradients.) Linear and Cosine go from one value to another, up or down, and then stay constant; also
before, if they `begin` later.
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
    """From `start` to `end` in `steps` updates. A subclass defines `share(done)`, a function from [0, 1] to [0, 1].

    Args:
        start: Float. The value in the first update.
        end: Float. The value after `begin` + `steps` updates, which then stays constant.
        steps: Integer. The number of updates from `start` to `end`.
        begin: Integer. The number of updates before them, in which the value is `start`.

    Raises:
        ValueError: if `start` or `end` is not a finite number, `steps` is not an integer above 0, or `begin` is below 0.
    """

    def __init__(self, start: float, end: float, steps: int, begin: int = 0):
        _check(self, "start", start)
        _check(self, "end", end)
        self.start, self.end = float(start), float(end)
        self.steps = integer("steps", steps, at_least=1, of=type(self).__name__)
        self.begin = integer("begin", begin, at_least=0, of=type(self).__name__)

    def share(self, done):
        raise NotImplementedError(f"{type(self).__name__} does not define `share(done)`.")

    def __call__(self, step):
        done = (ops.cast(step, keras.config.floatx()) - self.begin) / self.steps
        share = self.share(ops.clip(done, 0.0, 1.0))
        return (1.0 - share) * self.start + share * self.end

    def get_config(self):
        # without its default, as in files that are older than this argument
        later = {"begin": self.begin} if self.begin else {}
        return {"start": self.start, "end": self.end, "steps": self.steps, **later}


def _check(ramp, name, value):
    if not is_number(value):
        raise ValueError(f"`{name}` of {type(ramp).__name__} must be a number. Received: {value!r}")


@register_keras_serializable("kgan")
class Linear(Ramp):
    """A straight line from `start` to `end`.

    Example:

    The learning rate of CycleGAN (arXiv:1703.10593), constant in the first half of the training:

    >>> rate = kgan.ramps.Linear(start=2e-4, end=0.0, steps=100, begin=100)
    >>> [round(float(rate(step)), 6) for step in (0, 100, 150, 200)]
    [0.0002, 0.0002, 0.0001, 0.0]

    And one that begins at once:

    >>> ramp = kgan.ramps.Linear(start=1.0, end=0.0, steps=4)
    >>> [float(ramp(step)) for step in (0, 1, 4, 9)]
    [1.0, 0.75, 0.0, 0.0]
    """

    def share(self, done):
        return done


@register_keras_serializable("kgan")
class Cosine(Ramp):
    """Half a period of a cosine: slow, fast, slow. The burn-in of R3GAN (arXiv:2501.05441).

    Example:

    The weight of R3GAN's penalties, which is large at the beginning only:

    >>> weight = kgan.ramps.Cosine(start=20.0, end=2.0, steps=1000)
    >>> [float(weight(step)) for step in (0, 500, 1000)]
    [20.0, 11.0, 2.0]
    >>> penalties = [kgan.penalties.R1(weight), kgan.penalties.R2(weight)]
    """

    def share(self, done):
        return (1.0 - ops.cos(math.pi * done)) / 2.0


@register_keras_serializable("kgan")
class Constant(Ramp):
    """A constant value, equivalent to the number itself.

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
    """The object that holds the arguments: `thing`, or the optimizer inside a LossScaleOptimizer."""
    return getattr(thing, "inner_optimizer", thing)


def of(thing):
    """The public attributes of an object that are schedules, by name."""
    return {
        name: value
        for name, value in vars(holder(thing)).items()
        if isinstance(value, LearningRateSchedule) and not name.startswith("_")  # an optimizer handles `_learning_rate`
    }


@contextlib.contextmanager
def at(thing, step):
    """A context in which each schedule in `thing` is replaced by its value after `step` updates."""
    found, thing = of(thing), holder(thing)
    try:
        for name, schedule in found.items():
            setattr(thing, name, schedule(step))
        yield
    finally:
        for name, schedule in found.items():
            setattr(thing, name, schedule)


def values(things):
    """Functions that return each schedule's value in the next update, by the names of their logs.

    Args:
        things: Triples: the prefix of the names, the object that has the schedules, the optimizer whose updates count.
    """
    return {
        f"{start}{name}": functools.partial(lambda schedule, counter: schedule(counter.iterations), schedule, optimizer)
        for start, thing, optimizer in things
        for name, schedule in of(thing).items()
    }


def read(config):
    """A config with its schedules as objects again: Keras itself restores only those of learning rates."""
    return {
        name: keras.saving.deserialize_keras_object(value)
        if isinstance(value, dict) and "class_name" in value
        else value
        for name, value in config.items()
    }


class Weighted:
    """A part of a loss, such as a penalty: with a weight, and perhaps computed only in every n-th update.

    Args:
        weight: Float, or a schedule.
        every: Integer.

    Raises:
        ValueError: if the weight is below 0, or `every` below 1.
    """

    def __init__(self, weight: float | LearningRateSchedule = 1.0, every: int = 1):
        if not all_are(lambda end: 0 <= end < math.inf, weight):
            raise ValueError(f"`weight` of {type(self).__name__} must be a number >= 0. Received: {shown(weight)}")
        self.weight, self.every = weight, integer("every", every, at_least=1, of=type(self).__name__)

    def get_config(self):
        return {"weight": self.weight, "every": self.every}

    @classmethod
    def from_config(cls, config):
        return cls(**read(config))


def shown(value):
    """A value as error messages show it."""
    config = value.get_config() if isinstance(value, Ramp) else {}
    arguments = ", ".join(f"{name}={value!r}" for name, value in config.items())
    return f"{type(value).__name__}({arguments})" if config else repr(value)


def all_are(valid, value):
    """Whether a number is `valid`, or both ends of a ramp are; Keras' own schedules cannot be checked beforehand."""
    if isinstance(value, Ramp):
        return valid(value.start) and valid(value.end)
    if isinstance(value, LearningRateSchedule):
        return True
    return is_number(value) and valid(value)
