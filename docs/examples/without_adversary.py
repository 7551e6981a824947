"""The terms alone: the discriminator learns as ever, and the generator does not hear of it. A baseline, no GAN."""

import keras
from keras import ops

import kgan


@keras.saving.register_keras_serializable("mine")
class WithoutAdversary(kgan.losses.NonSaturating):
    def generator(self, fake_logits, real_logits=None):
        return 0.0 * ops.mean(fake_logits)
