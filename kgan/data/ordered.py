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
    """

    batch_size: int
    epoch: int
    first = 0
    sides: "tuple[Ordered, ...]" = ()

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

    def next_epoch(self):
        """Shuffle for the next epoch. `GAN.fit` calls this at the end of every epoch."""
        self.seek(self.epoch + 1)

    def seek(self, epoch, batch=0):
        """Go to an epoch, and skip its first batches, which are done already."""
        self.first = batch
        self._start(epoch)
