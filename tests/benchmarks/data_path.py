"""What taking batches from 60,000 images costs a dense step: `kgan.data.Batches` against one batch over and over.

KERAS_BACKEND=jax python -m tests.benchmarks.data_path

Two equal GANs train in turns, in one process; the figure is the median over the turns of the ratio of their times.
"""

import time

import keras
import numpy as np

import kgan
from kgan.data import Batches
from tests.benchmarks.subjects import adam_of, dense_players

STEPS, TURNS = 234, 9  # a turn is half an epoch


class Some(Batches):
    """The first steps of each epoch."""

    def _start(self, epoch):
        super()._start(epoch)
        self.order = self.order[: STEPS * self.batch_size]
        self.mirrored = None if self.mirrored is None else self.mirrored[: len(self.order)]


class Same(keras.utils.PyDataset):
    """One batch over and over."""

    def __init__(self, *batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        return self.batch


def resident(*batch):
    """One batch over and over, in the form that costs the engine least."""
    if keras.backend.backend() != "tensorflow":
        return Same(*batch)
    import tensorflow as tf

    repeated = tf.data.Dataset.from_tensors(batch).repeat(STEPS)
    return repeated.apply(tf.data.experimental.assert_cardinality(STEPS)).prefetch(2)


def trained(data):
    """Return a function that trains a GAN of its own on the data for a turn, and returns the seconds that took."""
    gan = kgan.GAN(*dense_players(), latent_dim=100)
    at_once = 1 if keras.backend.backend() == "torch" else 18
    gan.compile(adam_of("dense"), adam_of("dense"), steps_per_execution=at_once)

    def turn():
        began = time.perf_counter()
        gan.fit(data, verbose=0)
        return time.perf_counter() - began

    turn()
    return turn


def main():
    draw = np.random.default_rng(0)
    images, labels = draw.integers(0, 256, (60_000, 28, 28, 1), "uint8"), draw.integers(0, 10, 60_000)
    baseline = trained(resident(images[:128]))
    print(f"{keras.backend.backend()}\n| batches | ms a step | one batch over and over | ratio |\n|---|---|---|---|")
    for name, options in {"plain": {}, "labels": {"labels": labels}, "flip": {"flip": True}}.items():
        subject = trained(Some(images, 128, **options))
        times = np.array([(subject(), baseline()) for _ in range(TURNS)]) * 1000 / STEPS
        here, there = np.median(times, axis=0)
        print(f"| {name} | {here:.2f} | {there:.2f} | {np.median(times[:, 0] / times[:, 1]):.3f} |", flush=True)


if __name__ == "__main__":
    main()
