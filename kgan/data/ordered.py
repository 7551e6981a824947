"""What all batches have in common whose order is a function of a seed and the epoch."""

import abc

import keras


class Ordered(keras.utils.PyDataset, abc.ABC):
    """Batches in an order that a seed and the number of the epoch define, so that a resumed training finds its position.

    A subclass defines `steps`, `in_memory`, `read_from`, `identity`, `_start` and `__getitem__`, which adds `first` to the
    index of a batch.

    Attributes:
        batch_size: Integer.
        epoch: Integer. The current epoch.
        first: Integer. The number of batches of this epoch that are skipped, because they are done.
        sides: Batches that are drawn apart, each for one part of a batch; empty if everything is drawn together.
        process: Pair of integers, the number of this process among those that have a part of each batch, and how many these
            are. What is read from files is then read for its own part alone; the rest of the batch is 0.
        divisor: Integer. A batch of a number of images that it does not divide is read whole in each process.
    """

    batch_size: int
    epoch: int
    first = 0
    sides: "tuple[Ordered, ...]" = ()
    process, divisor = (0, 1), 1

    @property
    @abc.abstractmethod
    def steps(self):
        """The number of batches in a whole epoch."""

    @property
    @abc.abstractmethod
    def examples(self):
        """The number of examples in a whole epoch."""

    @property
    @abc.abstractmethod
    def read_from(self):
        """What the images are taken from: a list of arrays, of a `Folder` and the like."""

    @property
    @abc.abstractmethod
    def in_memory(self):
        """Whether that are arrays in memory."""

    @abc.abstractmethod
    def identity(self):
        """The values that, with the epoch, define the order."""

    @abc.abstractmethod
    def _start(self, epoch):
        """Draw the order of an epoch."""

    def __len__(self):
        return self.steps - self.first

    def divide(self, process, divisor):
        """Read files for the part of one process alone, see `process` and `divisor`."""
        for one in (self, *self.sides):
            one.process, one.divisor = process, divisor

    def next_epoch(self):
        """Shuffle for the next epoch. `GAN.fit` calls this at the end of every epoch."""
        self.seek(self.epoch + 1)

    def seek(self, epoch, batch=0):
        """Go to an epoch, and skip its first batches, which are done already."""
        self.first = batch
        self._start(epoch)
