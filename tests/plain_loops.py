"""The training loops of the texts, by hand: TensorFlow tapes and Keras layers, nothing of kgan.

Each takes the two models, their optimizers and a list of batches, draws latents from `seeds`, and trains them in place.
"""

import keras
import tensorflow as tf
from keras import ops


class Loop:
    def __init__(self, generator, discriminator, d_opt, g_opt, latent_dim, seed=0, from_logits=False, saturating=False):
        self.generator, self.discriminator = generator, discriminator
        self.d_opt, self.g_opt = d_opt, g_opt
        d_opt.build(discriminator.trainable_variables)
        g_opt.build(generator.trainable_variables)
        self.latent_dim = latent_dim
        self.seeds = keras.random.SeedGenerator(seed)
        self.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=from_logits)
        self.saturating = saturating
        # in graphs, where Keras' cross-entropy finds the logits behind a sigmoid
        for name in ("both", "d_update", "g_update", "d_on_real", "d_on_fake", "g_through_frozen"):
            setattr(self, name, tf.function(getattr(self, name)))

    def noise(self, real):
        return keras.random.normal((len(real), self.latent_dim), seed=self.seeds)

    def d_loss(self, real_output, fake_output):
        real_loss = self.cross_entropy(tf.ones_like(real_output), real_output)
        return real_loss + self.cross_entropy(tf.zeros_like(fake_output), fake_output)

    def g_loss(self, fake_output):
        if self.saturating:
            return -self.cross_entropy(tf.zeros_like(fake_output), fake_output)
        return self.cross_entropy(tf.ones_like(fake_output), fake_output)

    def step(self, tape, loss, model, optimizer):
        variables = [variable.value for variable in model.trainable_variables]
        optimizer.apply(tape.gradient(loss, variables), model.trainable_variables)

    def both(self, real, noise):
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = self.generator(noise, training=True)
            real_output = self.discriminator(real, training=True)
            fake_output = self.discriminator(fake, training=True)
            g_loss, d_loss = self.g_loss(fake_output), self.d_loss(real_output, fake_output)
        # both gradients before either update
        d_variables = [variable.value for variable in self.discriminator.trainable_variables]
        g_variables = [variable.value for variable in self.generator.trainable_variables]
        d_gradients, g_gradients = d_tape.gradient(d_loss, d_variables), g_tape.gradient(g_loss, g_variables)
        self.d_opt.apply(d_gradients, self.discriminator.trainable_variables)
        self.g_opt.apply(g_gradients, self.generator.trainable_variables)

    def d_update(self, real, noise):
        with tf.GradientTape() as tape:
            fake = self.generator(noise, training=True)
            real_output = self.discriminator(real, training=True)
            loss = self.d_loss(real_output, self.discriminator(fake, training=True))
        self.step(tape, loss, self.discriminator, self.d_opt)

    def g_update(self, noise):
        with tf.GradientTape() as tape:
            loss = self.g_loss(self.discriminator(self.generator(noise, training=True), training=True))
        self.step(tape, loss, self.generator, self.g_opt)

    def d_on_real(self, real):
        with tf.GradientTape() as tape:
            output = self.discriminator(real, training=True)
            loss = self.cross_entropy(tf.ones_like(output), output)
        self.step(tape, loss, self.discriminator, self.d_opt)

    def d_on_fake(self, noise):
        fake = self.generator(noise, training=False)
        with tf.GradientTape() as tape:
            output = self.discriminator(fake, training=True)
            loss = self.cross_entropy(tf.zeros_like(output), output)
        self.step(tape, loss, self.discriminator, self.d_opt)

    def g_through_frozen(self, noise):
        self.discriminator.trainable = False  # while this is traced: BatchNormalization goes into inference mode
        with tf.GradientTape() as tape:
            loss = self.g_loss(self.discriminator(self.generator(noise, training=True), training=True))
        self.step(tape, loss, self.generator, self.g_opt)
        self.discriminator.trainable = True

    def statistics(self, model):
        return [(variable, ops.copy(variable)) for variable in model.non_trainable_weights]

    def restore(self, statistics):
        for variable, value in statistics:
            variable.assign(value)


def simultaneous(loop, batches):
    for real in batches:
        loop.both(real, loop.noise(real))


def alternating(k=1, reuse=False):
    def run(loop, batches):
        for index, real in enumerate(batches):
            before = loop.statistics(loop.generator)
            noise = loop.noise(real)
            loop.d_update(real, noise)
            if (index + 1) % k == 0:
                loop.g_update(noise if reuse else loop.noise(real))
            else:
                loop.restore(before)  # a player that does not move keeps its statistics

    return run


def combined(loop, batches):
    for real in batches:
        loop.d_on_real(real)
        loop.d_on_fake(loop.noise(real))
        loop.g_through_frozen(loop.noise(real))


def periods(steps, d_epochs=1, g_epochs=1):
    def run(loop, batches):
        for index, real in enumerate(batches):
            noise = loop.noise(real)
            if index // steps % (d_epochs + g_epochs) < d_epochs:
                before = loop.statistics(loop.generator)
                loop.d_update(real, noise)
                loop.restore(before)
            else:
                before = loop.statistics(loop.discriminator)
                fake_first(loop, real, noise)
                loop.restore(before)

    return run


def fake_first(loop, real, noise):
    """The generator's update, with D(real) before D(fake): what is reported of D uses its dropout too."""
    if not hasattr(loop, "_fake_first"):

        def update(real, noise):
            with tf.GradientTape() as tape:
                fake = loop.generator(noise, training=True)
                loop.discriminator(real, training=True)
                loss = loop.g_loss(loop.discriminator(fake, training=True))
            loop.step(tape, loss, loop.generator, loop.g_opt)

        loop._fake_first = tf.function(update)
    loop._fake_first(real, noise)
