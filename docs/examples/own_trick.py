"""A trick of your own: the discriminator sees all images blurred at first; the blur fades, as in StyleGAN3's training."""

import keras
from keras import ops

import kgan


@keras.saving.register_keras_serializable("mine")
class FadingBlur(kgan.tricks.Trick):
    def __init__(self, steps=1000):
        self.steps = steps

    def change_images(self, images, updates, seeds):
        share = ops.maximum(0.0, 1.0 - ops.cast(updates, images.dtype) / self.steps)
        return share * ops.average_pool(images, 3, 1, padding="same") + (1.0 - share) * images

    def get_config(self):
        return {"steps": self.steps}
