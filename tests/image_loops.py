"""The training loops of image-to-image GANs, by hand: TensorFlow tapes and Keras layers, nothing of kgan.

Each takes the two models, their optimizers and a list of batches, and trains them in place.
"""

import tensorflow as tf


class Loop:
    """Cross-entropy on logits of any shape, the mean over all of them; `weights` of the terms L1 and total variation."""

    def __init__(self, generator, discriminator, d_opt, g_opt, l1=0.0, total_variation=0.0, judges_both=True):
        self.generator, self.discriminator, self.d_opt, self.g_opt = generator, discriminator, d_opt, g_opt
        d_opt.build(discriminator.trainable_variables)
        g_opt.build(generator.trainable_variables)
        self.l1, self.total_variation, self.judges_both = l1, total_variation, judges_both

    def judge(self, images, given):
        return self.discriminator([images, given] if self.judges_both else images, training=True)

    def make(self, given):
        return self.generator(given, training=True)

    def d_loss(self, on_real, on_fake):
        ones = tf.nn.sigmoid_cross_entropy_with_logits(tf.ones_like(on_real), on_real)
        zeros = tf.nn.sigmoid_cross_entropy_with_logits(tf.zeros_like(on_fake), on_fake)
        return tf.reduce_mean(ones) + tf.reduce_mean(zeros)

    def g_loss(self, on_fake, fake, real):
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.ones_like(on_fake), on_fake))
        loss += self.l1 * tf.reduce_mean(tf.abs(fake - real))
        down, right = fake[:, 1:] - fake[:, :-1], fake[:, :, 1:] - fake[:, :, :-1]
        return loss + self.total_variation * (tf.reduce_mean(tf.abs(down)) + tf.reduce_mean(tf.abs(right)))

    def step(self, tape, loss, model, optimizer):
        variables = [variable.value for variable in model.trainable_variables]
        optimizer.apply(tape.gradient(loss, variables), model.trainable_variables)


class Inpainting(Loop):
    """What is given holds the mask in its last channel; what is outside of the hole is put into the output."""

    def make(self, given):
        mask = given[..., -1:]
        return mask * self.generator(given, training=True) + (1.0 - mask) * given[..., :-1]


def simultaneous(loop, batches):
    for given, real in batches:
        with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
            fake = loop.make(given)
            on_real, on_fake = loop.judge(real, given), loop.judge(fake, given)
            d_loss, g_loss = loop.d_loss(on_real, on_fake), loop.g_loss(on_fake, fake, real)
        d_variables = [variable.value for variable in loop.discriminator.trainable_variables]
        g_variables = [variable.value for variable in loop.generator.trainable_variables]
        d_gradients, g_gradients = d_tape.gradient(d_loss, d_variables), g_tape.gradient(g_loss, g_variables)
        loop.d_opt.apply(d_gradients, loop.discriminator.trainable_variables)
        loop.g_opt.apply(g_gradients, loop.generator.trainable_variables)


def alternating(loop, batches):
    """Pix2Pix: the discriminator first, then the generator against the new one, on the same images."""
    for given, real in batches:
        with tf.GradientTape() as tape:
            fake = loop.make(given)
            loss = loop.d_loss(loop.judge(real, given), loop.judge(fake, given))
        loop.step(tape, loss, loop.discriminator, loop.d_opt)
        with tf.GradientTape() as tape:
            fake = loop.make(given)
            loss = loop.g_loss(loop.judge(fake, given), fake, real)
        loop.step(tape, loss, loop.generator, loop.g_opt)


def same_fakes(loop, batches):
    """Pix2Pix as its authors write it in PyTorch: the generator runs once, for both updates."""
    for given, real in batches:
        with tf.GradientTape() as g_tape:
            fake = loop.make(given)
            with tf.GradientTape() as d_tape:
                loss = loop.d_loss(loop.judge(real, given), loop.judge(tf.stop_gradient(fake), given))
            loop.step(d_tape, loss, loop.discriminator, loop.d_opt)
            loss = loop.g_loss(loop.judge(fake, given), fake, real)
        loop.step(g_tape, loss, loop.generator, loop.g_opt)
