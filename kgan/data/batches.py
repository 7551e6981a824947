"""Batches in an order that is a function of the seed and the epoch, so that any batch of any epoch can be named."""

import math

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """Batches of an array of images, shuffled anew for each epoch; the last one may be smaller.

    Args:
        images: Array `(n, height, width, channels)`, kept as it is: uint8 is scaled in the training step.
        batch_size: Integer.
        seed: Integer. With the number of the epoch it decides the order.
        epoch: Integer. The epoch to begin with.
    """

    def __init__(self, images, batch_size, seed=0, epoch=0):
        super().__init__()
        self.images, self.batch_size, self.seed = images, batch_size, seed
        self._start(epoch)

    def _start(self, epoch):
        self.epoch = epoch
        self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.images))

    def __len__(self):
        return math.ceil(len(self.order) / self.batch_size)

    def __getitem__(self, index):
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return (self.images[chosen],)

    def next_epoch(self):
        """Shuffle anew. `GAN.fit` calls it at the end of every epoch."""
        self._start(self.epoch + 1)
