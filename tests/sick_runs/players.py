"""A plugin with generators that are broken on purpose."""

import keras
from keras import layers, ops

import kgan

discriminator = kgan.architectures.dense.discriminator


@keras.saving.register_keras_serializable("sick")
class Constant(layers.Layer):
    """Whatever its input, an output that is trained and always the same."""

    def __init__(self, shape, **kwargs):
        super().__init__(**kwargs)
        self.shape = tuple(shape)

    def build(self, _):
        self.image = self.add_weight(shape=self.shape, initializer="zeros", name="image")

    def call(self, latents):
        return ops.tanh(self.image + 0.0 * ops.reshape(latents[:, :1], (-1, *(1 for _ in self.shape))))

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}


def generator(image_shape=(8, 8, 1), latent_dim=32, num_classes=None):
    """A generator that ignores its latents."""
    latents = keras.Input((latent_dim,))
    return keras.Model(latents, Constant(image_shape)(latents))
