"""What a step reports: running means for the logs, and the ranges of the data."""

from typing import Any

import keras
from keras import ops

from kgan import backend
from kgan.conditions import leaves
from kgan.losses import has_parts
from kgan.players import check


class Logs:
    """The running means of the logs: each log is the mean over the images of the epoch so far.

    This is not a Keras object, so that a model that is compiled again does not keep the old metrics.

    Args:
        loss: `kgan.losses.AdversarialLoss`.
        condition: `kgan.conditions.Condition`.
        image_range: Pair of floats, the range of the generator's images.
        others: Names of the condition's logs, which it makes from the discriminator's other outputs.
        penalties: The penalties.
        terms: The terms of the generator's loss.
        values: Functions, by name, that return values to be logged as they are at the end of a step, not as means.

    Attributes:
        measuring: The callbacks of the `fit` that add scores to the logs, each with `directions` like this object's.
    """

    def __init__(self, loss, condition, image_range, others=(), penalties=(), terms=(), values=None):
        self._loss, self._condition, self._parts = loss, condition, has_parts(loss)
        self._image_range = image_range
        self.names = ["d_loss", "g_loss", "d_real_accuracy", "d_fake_accuracy", "g_accuracy"]
        if self._parts:
            self.names += ["d_real_loss", "d_fake_loss"]
        self.names += [*others, *(term.name for term in terms)]
        self._penalties, self._terms = [penalty.name for penalty in penalties], [term.name for term in terms]
        self._values = values or {}
        self.measuring: Any = ()
        self._means = Means([*self.names, *self._penalties], name="means")
        self._ranges = {
            name: Range(name=f"range_of_{name}".replace(" ", "_")) for name in (*check.RANGES, *condition.watched)
        }

    @property
    def all_names(self):
        """Names of the logs, of the penalties, and of the values that are not means."""
        return [*self.names, *self._penalties, *self._values]

    @property
    def directions(self):
        """Dict from the name of a log to `"min"` or `"max"`, the direction in which it gets better.

        Each loss and accuracy is seen from the player that it is named after: losses and penalties get better when they
        fall, accuracies when they rise, scores as they say themselves. A log that is not in this dict has no such direction.
        """
        ways = {"_loss": "min", "_accuracy": "max"}
        own = {name: way for name in self.names for ending, way in ways.items() if name.endswith(ending)}
        return own | dict.fromkeys([*self._penalties, *self._terms], "min") | self.scores

    @property
    def scores(self):
        """The part of `directions` that the measuring callbacks define."""
        return {name: way for one in self.measuring for name, way in one.directions.items()}

    @property
    def metrics(self):
        return [self._means, *self._ranges.values(), backend.Directions(self.directions)]

    def discriminator(self, real, fake):
        """Report the discriminator's losses and accuracies, from its verdicts on real and fake images."""
        loss, others = self._loss, {}
        real_right, fake_right = loss.right(real.logits, fake.logits)
        if self._parts:
            others = {"d_real_loss": loss.real(real.logits), "d_fake_loss": loss.fake(fake.logits)}
        values = {
            "d_loss": loss.discriminator(real.logits, fake.logits),
            "d_real_accuracy": real_right,
            "d_fake_accuracy": fake_right,
            **others,
            **{f"d_{name}": real.losses[name] + fake.losses[name] for name in real.losses},
            **{f"d_{name}": hits for name, hits in real.hits.items()},
        }
        self.update(values, real.logits)

    def generator(self, real, fake):
        """Report the generator's loss and accuracy; `real` is `None` where the discriminator did not see real images."""
        real_logits = None if real is None else real.logits
        values = {
            "g_loss": self._loss.generator(fake.logits, real_logits),
            "g_accuracy": self._loss.margin(fake.logits, real_logits) > 0,
            **{f"g_{name}": losses for name, losses in fake.losses.items()},
        }
        self.update(values, fake.logits)

    def update(self, values, batch):
        """Add values, scalars or one for each example, with the weight of the size of `batch`."""
        self._means.update_state(values, ops.shape(leaves(batch)[0])[0])

    def results(self, training):
        results = self._means.result()
        if not training:
            return {name: results[name] for name in self.names}
        return results | {name: value() for name, value in self._values.items()}

    def totals(self):
        """Pairs of the sum and the count of each mean in the epoch so far, by name."""
        total, count = (ops.convert_to_numpy(one).tolist() for one in (self._means.total, self._means.count))
        return dict(zip(self._means.names, zip(total, count, strict=True), strict=True))

    def watch(self, tensors):
        """Update the smallest and largest values of tensors, a dict by the names of the ranges."""
        for name, tensor in tensors.items():
            self._ranges[name].update_state(tensor)

    def check_ranges(self, first=True):
        """Raise ValueError if images, of the first batch or of a later one, or values of the condition are not valid."""
        for name, seen in self._ranges.items():
            if name in check.RANGES:
                low, high = seen.both()
                check.check_range(name, low, high, self._image_range, first)
            else:
                self._condition.check_range(name, *seen.both())

    @property
    def outside(self):
        """The smallest and the largest of the images that are floats, if they leave the range of the generator's images."""
        low, high = self._ranges["floats"].both()
        inside = self._image_range[0] - 0.001 <= low and high <= self._image_range[1] + 0.001
        return None if inside else (low, high)

    @property
    def only_half(self):
        """Whether the images that were seen are floats in [0, 1], half of the range of a generator in [-1, 1]."""
        low, high = self._ranges["floats"].both()
        return self._image_range[0] < 0 <= low < high <= 1.001

    @property
    def dark(self):
        """Whether the whole numbers in the images that were seen are 0 and 1, where white is 255."""
        return self._ranges["whole numbers"].both() == (0.0, 1.0)


class Means(keras.metrics.Metric):
    """Weighted means of several values in one vector: a metric for each costs a dense step 3 % more."""

    def __init__(self, names, **kwargs):
        super().__init__(**kwargs)
        self.names = names
        self.total = self.add_variable((len(names),), "zeros", name="total")
        self.count = self.add_variable((len(names),), "zeros", name="count")

    def update_state(self, values, count):
        for name in values.keys() - set(self.names):
            raise ValueError(
                f"There is no log {name!r} to update. Its name must be among those of the condition's logs."
            )
        count = ops.cast(backend.parts() * count, self.total.dtype)
        zero = ops.zeros((), self.total.dtype)
        means = {name: ops.mean(ops.cast(ops.stop_gradient(value), zero.dtype)) for name, value in values.items()}
        given = [float(name in values) for name in self.names]
        found = backend.in_all_parts([means.get(name, zero) for name in self.names])
        self.total.assign_add(count * (sum(map(ops.stack, found)) / len(found)))
        self.count.assign_add(count * ops.convert_to_tensor(given, zero.dtype))

    def result(self):
        means = ops.divide_no_nan(self.total, self.count)
        return {name: means[index] for index, name in enumerate(self.names)}


class Range(keras.metrics.Metric):
    """The smallest and the largest value seen; NaN or an infinity if there was one."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.low = self.add_variable((), "zeros", name="low")
        self.high = self.add_variable((), "zeros", name="high")

    def update_state(self, values):
        values = ops.cast(values, self.low.dtype)
        total, low, high = 0.0, self.low, self.high
        for part in backend.in_all_parts([ops.sum(values), ops.min(values), ops.max(values)]):
            total, low, high = total + part[0], ops.minimum(low, part[1]), ops.maximum(high, part[2])
        total = total + self.low + self.high  # XLA's minimum may ignore a NaN; a sum does not
        finite = ops.isfinite(total)
        self.low.assign(ops.where(finite, low, total))
        self.high.assign(ops.where(finite, high, total))

    def result(self):
        return ops.stack([self.low.value, self.high.value])

    def both(self):
        """The two as Python's numbers."""
        return tuple(float(value) for value in ops.convert_to_numpy(self.result()))


def means_between(before, now):
    """The means of what was added between two `Logs.totals()`; `before` may lack what was not there then."""
    changes = ((name, total, count, *before.get(name, (0.0, 0.0))) for name, (total, count) in now.items())
    return {name: (total - sum_then) / (count - then) for name, total, count, sum_then, then in changes if count > then}
