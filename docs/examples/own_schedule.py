"""Your own schedule: it updates the generator twice for each update of the discriminator."""

import keras

import kgan
from kgan.training import update_discriminator, update_generator


@keras.saving.register_keras_serializable("mine")
class GeneratorTwice(kgan.schedules.Schedule):
    def step(self, gan, batch):
        update_discriminator(gan, batch, gan.draw_latents(batch))
        for _ in range(2):
            update_generator(gan, batch, gan.draw_latents(batch))


def train(gan, images, epochs):
    gan.compile(keras.optimizers.Adam(2e-4), keras.optimizers.Adam(2e-4), schedule=GeneratorTwice())
    return gan.fit(images, epochs=epochs)
