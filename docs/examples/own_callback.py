"""Your own callback: an ordinary Keras callback, which can ask the GAN for images at any time."""

import keras
import numpy as np


class Contrast(keras.callbacks.Callback):
    """Logs `contrast`, the standard deviation of the pixels, mean of 64 images; near 0, images are flat."""

    def on_epoch_end(self, epoch, logs=None):
        logs["contrast"] = float(np.std(self.model.generate(64, seed=0), axis=(1, 2, 3)).mean())


def train(gan, images, epochs):
    gan.compile(keras.optimizers.Adam(2e-4), keras.optimizers.Adam(2e-4))
    return gan.fit(images, epochs=epochs, callbacks=[Contrast()])
