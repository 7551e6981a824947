"""Your own architecture: any two Keras models, made by two functions."""

import keras
from keras import layers

import kgan


def generator(image_shape=(8, 8, 1), latent_dim=16):
    height, width, channels = image_shape
    return keras.Sequential([
        keras.Input((latent_dim,)), layers.Dense(height // 2 * width // 2 * 32, "relu"),
        layers.Reshape((height // 2, width // 2, 32)), layers.UpSampling2D(),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.Conv2D(channels, 3, padding="same", activation="tanh")])  # fmt: skip


def discriminator(image_shape=(8, 8, 1)):
    convolution = layers.Conv2D(32, 3, 2, activation="leaky_relu")
    return keras.Sequential([keras.Input(image_shape), convolution, layers.Flatten(), layers.Dense(1)])


def make():
    return kgan.GAN(generator, discriminator, latent_dim=16)
