"""What a step reports, and the bookkeeping at the edges of epochs that goes with it."""

from typing import Any

import keras
from keras import ops

from kgan.labels import check_range


class Logs:
    """The running means behind the logs: each log is the mean over the images of the epoch so far.

    Not a Keras object itself, so that a model that is compiled again forgets the old metrics.

    Args:
        parts: Whether the discriminator's loss has a part for real images and one for fakes.
        penalties: The penalties.
        values: Functions that return what is logged as it is at the end of a step, not as a mean, by name.
    """

    def __init__(self, parts, penalties, values=None, num_classes=None, classifies=False):
        self.names = ["d_loss", "g_loss", "d_real_accuracy", "d_fake_accuracy", "g_accuracy"]
        if parts:
            self.names += ["d_real_loss", "d_fake_loss"]
        if classifies:
            self.names += ["d_class_loss", "g_class_loss", "d_class_accuracy"]
        self._penalties = [penalty.name for penalty in penalties]
        self._values = values or {}
        self._means = Means([*self.names, *self._penalties], name="means")
        self._range = Range(name="range")
        self._num_classes = num_classes
        self._labels: Any = None if num_classes is None else Range(name="labels")

    @property
    def all_names(self):
        """Names of the logs, of the penalties, and of what is logged as it is."""
        return [*self.names, *self._penalties, *self._values]

    @property
    def metrics(self):
        return [self._means, self._range, *([self._labels] if self._labels else [])]

    def update(self, values, count):
        """Add values, scalars or one for each example, that stand for `count` images."""
        self._means.update_state(values, count)

    def results(self, training):
        results = self._means.result()
        if not training:
            return {name: results[name] for name in self.names}
        return results | {name: value() for name, value in self._values.items()}

    def range_of(self, images):
        """Look at the values of images (rank 4); points and other data may lie anywhere."""
        if len(images.shape) == 4:
            self._range.update_state(images)

    def range_of_labels(self, labels):
        """Look at labels, which must lie in [0, num_classes)."""
        self._labels.update_state(labels)

    def check_labels(self):
        """Raise ValueError if labels outside [0, num_classes) were seen."""
        if self._labels:
            low, high = self._labels.both()
            check_range(low, high, self._num_classes)

    def check_range(self):
        """Raise ValueError if images outside [-1, 1] were seen, or labels outside [0, num_classes)."""
        self.check_labels()
        low, high = self._range.both()
        if not (low >= -1.001 and high <= 1.001):
            raise ValueError(
                "Images must be floats in [-1, 1], where a generator that ends in tanh makes its own, or uint8. "
                f"Received: floats from {low:g} to {high:g}. For values in [0, 255], x / 127.5 - 1 scales them."
            )


class Means(keras.metrics.Metric):
    """Weighted means of several values in one vector: a metric for each costs a dense step 3 % more."""

    def __init__(self, names, **kwargs):
        super().__init__(**kwargs)
        self.names = names
        self.total = self.add_variable((len(names),), "zeros", name="total")
        self.count = self.add_variable((len(names),), "zeros", name="count")

    def update_state(self, values, count):
        count = ops.cast(count, self.total.dtype)
        zero = ops.zeros((), self.total.dtype)
        means = {name: ops.mean(ops.cast(ops.stop_gradient(value), zero.dtype)) for name, value in values.items()}
        given = [float(name in values) for name in self.names]
        self.total.assign_add(count * ops.stack([means.get(name, zero) for name in self.names]))
        self.count.assign_add(count * ops.convert_to_tensor(given, zero.dtype))

    def result(self):
        means = ops.divide_no_nan(self.total, self.count)
        return {name: means[index] for index, name in enumerate(self.names)}


class Range(keras.metrics.Metric):
    """The lowest and the highest value seen."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.low = self.add_variable((), "zeros", name="low")
        self.high = self.add_variable((), "zeros", name="high")

    def update_state(self, values):
        self.low.assign(ops.minimum(self.low, ops.cast(ops.min(values), self.low.dtype)))
        self.high.assign(ops.maximum(self.high, ops.cast(ops.max(values), self.high.dtype)))

    def result(self):
        return ops.stack([self.low.value, self.high.value])

    def both(self):
        """The two as Python's numbers."""
        return tuple(float(value) for value in ops.convert_to_numpy(self.result()))


class Keeper(keras.callbacks.Callback):
    """Counts epochs, lets the data shuffle for the next one, and checks the first batch's values when the second one begins.

    Not when the first one ends: Keras runs its progress bar beside the training as long as no callback waits for that.
    """

    def __init__(self, next_epoch):
        super().__init__()
        self.checked, self.next_epoch = False, next_epoch

    def _check(self, again=False):
        if again or not self.checked:
            self.model.sync()
            self.model.logs.check_range()
            self.checked = True

    def on_train_batch_begin(self, batch, logs=None):
        if batch:
            self._check()

    def on_test_begin(self, logs=None):
        self._check_epoch()  # while what was seen of the epoch is there: validation begins anew

    def _check_epoch(self):
        self._check(again=self.model.num_classes is not None)  # a wrong label may come in any batch

    def on_epoch_end(self, epoch, logs=None):
        self._check_epoch()
        self.model.epochs.assign(self.model.epochs + 1)
        for prepare in self.next_epoch:
            prepare()


class EitherLoss(keras.callbacks.Callback):
    """Lets Keras' TerminateOnNaN, which looks at `loss` only, see both losses."""

    def __init__(self, watchers):
        super().__init__()
        self.watchers = watchers

    def on_train_batch_end(self, batch, logs=None):
        for watcher in self.watchers:
            watcher.on_batch_end(batch, {"loss": logs["d_loss"] + logs["g_loss"]})


def with_own_callbacks(callbacks, model, next_epoch, data):
    """What `fit` was given as `callbacks`, after the model's own, and after those that add to the logs, which are given the
    data; `next_epoch` holds functions to call between epochs.
    """
    given = getattr(callbacks, "callbacks", callbacks) or []
    given = list(given) if isinstance(given, list | tuple) else [given]
    watchers = [one for one in given if isinstance(one, keras.callbacks.TerminateOnNaN)]
    own: list[keras.callbacks.Callback] = [Keeper(next_epoch), *([EitherLoss(watchers)] if watchers else [])]
    written = set()
    for callback in keras.tree.flatten(given):
        if hasattr(callback, "set_data"):
            if callback.path.absolute() in written:
                raise ValueError(f"Two Score callbacks write to {callback.path}; give each a `path` of its own.")
            written.add(callback.path.absolute())
            callback.set_data(data)
    if isinstance(callbacks, keras.callbacks.CallbackList):
        for callback in own:
            callback.set_model(model)
        callbacks.callbacks[:] = [*own, *_adding_first(given)]
        return callbacks
    return [*own, *_adding_first(given)]


def _adding_first(callbacks):
    """What measures, before what acts on the logs."""
    return sorted(keras.tree.flatten(callbacks), key=lambda callback: not hasattr(callback, "set_data"))
