"""Your own architecture: any two Keras models, made by two functions."""

import keras
from keras import layers

import kgan


def generator():
    return keras.Sequential(
        [keras.Input((16,)), layers.Dense(4 * 4 * 32, "relu"), layers.Reshape((4, 4, 32)), layers.UpSampling2D(),
         layers.Conv2D(32, 3, padding="same", activation="relu"), layers.Conv2D(1, 3, padding="same", activation="tanh")]
    )  # fmt: skip


def discriminator():
    return keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(32, 3, 2, activation="leaky_relu"), layers.Flatten(), layers.Dense(1)]
    )


def make():
    return kgan.GAN(generator, discriminator, latent_dim=16)
