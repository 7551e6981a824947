"""The digits, and the order of batches."""

import keras
import numpy as np

import kgan
from kgan.data import Batches
from tests.helpers import compiled, largest_difference, state


def test_digits():
    images = kgan.data.digits()
    assert images.shape == (1797, 8, 8, 1) and images.dtype == np.uint8 and images.min() == 0 and images.max() == 255


def test_the_order_is_a_function_of_seed_and_epoch():
    numbers = np.arange(10)
    first, again, later, other = (
        Batches(numbers, 4, seed=seed, epoch=epoch) for seed, epoch in ((1, 0), (1, 0), (1, 1), (2, 0))
    )
    taken = [
        np.concatenate([batches[index][0] for index in range(len(batches))]) for batches in (first, again, later, other)
    ]
    assert [len(first[index][0]) for index in range(3)] == [4, 4, 2]
    assert all(sorted(one) == list(numbers) for one in taken)
    np.testing.assert_array_equal(taken[0], taken[1])
    assert np.any(taken[0] != taken[2]) and np.any(taken[0] != taken[3])
    first.next_epoch()
    np.testing.assert_array_equal(first.order, later.order)


def test_fit_takes_them_in_that_order(images):
    """Three epochs of `Batches` are three fits of plain arrays, shuffled by hand."""
    pixels = np.rint(images * 127.5 + 127.5).astype("uint8")
    results = []
    for by_hand in (False, True):
        keras.utils.set_random_seed(1)
        gan = compiled()
        if by_hand:
            for epoch in range(3):
                order = np.random.default_rng([5, epoch]).permutation(40)
                gan.fit(pixels[order], batch_size=16, shuffle=False, verbose=0)
        else:
            batches = Batches(pixels, 16, seed=5)
            gan.fit(batches, epochs=3, verbose=0)
            assert batches.epoch == 3
        results.append(state(gan))
    assert largest_difference(*results) < 1e-6
