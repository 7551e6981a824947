"""A condition of your own: each image comes with several yes-or-no attributes, such as smiling and wearing glasses."""

import keras
from keras import ops

import kgan


@keras.saving.register_keras_serializable("mine")
class Attributes(kgan.conditions.Condition):
    def __init__(self, n):
        self.n = n

    def read(self, data):
        images, attributes = data  # (batch, height, width, channels), (batch, n)
        return ops.cast(attributes, "float32"), images

    def specs(self, generator):
        return keras.KerasTensor((None, self.n))

    def get_config(self):
        return {"n": self.n}
