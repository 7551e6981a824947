"""A penalty of your own: one-sided, on gradients longer than 1, as in WGAN-LP (arXiv:1709.08894), here on fakes alone."""

import keras
from keras import ops

import kgan
from kgan.backend import input_gradient


@keras.saving.register_keras_serializable("mine")
class Lipschitz(kgan.penalties.Penalty):
    name = "lipschitz"

    def __call__(self, critic, real, fake, seed):
        norm = ops.sqrt(kgan.penalties.squared_norm(input_gradient(critic, fake)) + 1e-12)
        return self.weight * ops.mean(ops.square(ops.maximum(norm - 1.0, 0.0)))
