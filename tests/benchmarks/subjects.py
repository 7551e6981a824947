"""What is measured: the documents' loops as they print them, and the same training in kgan.

Each subject holds the images, uint8 `(60000, 28, 28, 1)`, as it would for a whole training, and trains on a number of
batches: once to compile, then once for each turn that it is given.
"""

import contextlib

import keras
import numpy as np

from kgan.architectures import dcgan, dense
from tests.benchmarks import cycles
from tests.benchmarks import images as images_to_images

OF_IMAGES = {**dict.fromkeys(images_to_images.SIZES, images_to_images), cycles.NAME: cycles}


def dense_players():
    return dense.generator((28, 28, 1), 100), dense.discriminator((28, 28, 1))


def dcgan_players():
    return dcgan.generator((28, 28, 1), 100), dcgan.discriminator((28, 28, 1))


def combined_players():
    normal = keras.initializers.RandomNormal(stddev=0.02)
    generator = dense.generator((28, 28, 1), 100, units=(256, 512, 1024), batch_norm=False, kernel_initializer=normal)
    units = {"units": (1024, 512, 256), "dropout": 0.3, "kernel_initializer": "glorot_uniform"}
    return generator, dense.discriminator((28, 28, 1), **units)


def adam_of(name):
    return keras.optimizers.Adam(1e-4) if name == "dcgan" else keras.optimizers.Adam(2e-4, beta_1=0.5)


class TurnsOverError(Exception):
    pass


class Turns(keras.callbacks.Callback):
    """Lets `fit` wait for its turn at the beginning of every epoch."""

    def __init__(self, turns):
        super().__init__()
        self.turns = turns

    def on_epoch_begin(self, epoch, logs=None):
        if epoch and next(self.turns, "over") == "over":
            raise TurnsOverError


def kgan_subject(name, images, count, turns):
    """As the runner trains a recipe, in one `fit`; `dense+xla`, `dense+single`, `dense+streamed` change one choice of it."""
    if name in OF_IMAGES:
        at_once = 1 if keras.backend.backend() == "torch" else count
        gan, batches = OF_IMAGES[name].by_kgan(name, count, at_once)
        with contextlib.suppress(TurnsOverError):
            gan.fit(batches, epochs=1_000_000, verbose=0, callbacks=[Turns(turns)])
        return
    import kgan

    name, _, option = name.partition("+")
    players = {"dense": dense_players, "dcgan": dcgan_players, "combined": combined_players}[name]()
    gan = kgan.GAN(*players, latent_dim=100)

    class Some(kgan.data.Batches):
        def _start(self, epoch):
            super()._start(epoch)
            self.order = self.order[: count * self.batch_size]

    class Plain(keras.utils.PyDataset):
        """The same batches, of which kgan does not know that they are in memory."""

        def __len__(self):
            return len(batches)

        def __getitem__(self, index):
            return batches[index]

    batches = Some(images, BATCH[name])
    gan.compile(
        d_opt=adam_of(name),
        g_opt=adam_of(name),
        schedule="combined" if name == "combined" else "simultaneous",
        jit_compile=True if option == "xla" else "auto",
        steps_per_execution=1 if option == "single" or keras.backend.backend() == "torch" else min(20, len(batches)),
    )
    with contextlib.suppress(TurnsOverError):
        gan.fit(Plain() if option == "streamed" else batches, epochs=1_000_000, verbose=0, callbacks=[Turns(turns)])


def loop_subject(name, images, count, turns):
    """As the document prints it, on TensorFlow; Pix2Pix and CycleGAN on the engine that is set."""
    name = name.partition("+")[0]
    if name in OF_IMAGES:
        run = getattr(OF_IMAGES[name], f"{keras.backend.backend()}_loop")(name, count)
    else:
        run = combined_loop(images, count) if name == "combined" else tape_loop(name, images, count)[0]
    run()
    for _ in turns:
        run()


def tape_loop(name, images, count):
    """A function that takes so many steps, and the generator that they train."""
    import tensorflow as tf

    generator, discriminator = (dense_players if name == "dense" else dcgan_players)()
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=name == "dcgan")
    generator_optimizer, discriminator_optimizer = adam_of(name), adam_of(name)
    floats = (images.astype("float32") - 127.5) / 127.5
    dataset = tf.data.Dataset.from_tensor_slices(floats).shuffle(60000).batch(BATCH[name])

    @tf.function
    def train_step(real):
        noise = tf.random.normal([BATCH[name], 100])
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            generated = generator(noise, training=True)
            real_output = discriminator(real, training=True)
            fake_output = discriminator(generated, training=True)
            g_loss = cross_entropy(tf.ones_like(fake_output), fake_output)
            d_loss = cross_entropy(tf.ones_like(real_output), real_output)
            d_loss += cross_entropy(tf.zeros_like(fake_output), fake_output)
        g_gradients = g_tape.gradient(g_loss, generator.trainable_variables)
        d_gradients = d_tape.gradient(d_loss, discriminator.trainable_variables)
        generator_optimizer.apply_gradients(zip(g_gradients, generator.trainable_variables, strict=True))
        discriminator_optimizer.apply_gradients(zip(d_gradients, discriminator.trainable_variables, strict=True))

    batches = iter(dataset.repeat())  # the shuffle buffer is filled once, when it is compiled

    def run():
        for _ in range(count):
            train_step(next(batches))

    return run, generator


def wgan_gp_loop(images):
    """WGAN-GP with the sizes and numbers of Keras' own example on Fashion-MNIST: a step, and the generator."""
    import tensorflow as tf
    from keras import layers

    latent_dim, batch_size, critic_steps, weight = 128, 512, 3, 10.0
    stack = [keras.Input((latent_dim,)), layers.Dense(4 * 4 * 256, use_bias=False), layers.BatchNormalization()]
    stack += [layers.LeakyReLU(0.2), layers.Reshape((4, 4, 256))]
    for filters in (128, 64, 1):
        stack += [layers.UpSampling2D(), layers.Conv2D(filters, 3, padding="same", use_bias=False)]
        stack += [layers.BatchNormalization(), layers.Activation("tanh") if filters == 1 else layers.LeakyReLU(0.2)]
    generator = keras.Sequential([*stack, layers.Cropping2D(2)])
    stack = [keras.Input((28, 28, 1)), layers.ZeroPadding2D(2)]
    for filters, dropout in ((64, 0), (128, 0.3), (256, 0.3), (512, 0)):
        stack += [layers.Conv2D(filters, 5, 2, padding="same"), layers.LeakyReLU(0.2)]
        stack += [layers.Dropout(dropout)] if dropout else []
    critic = keras.Sequential([*stack, layers.Flatten(), layers.Dropout(0.2), layers.Dense(1)])
    c_opt, g_opt = (keras.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.9) for _ in range(2))
    floats = (images.astype("float32") - 127.5) / 127.5
    dataset = tf.data.Dataset.from_tensor_slices(floats).shuffle(1024).batch(batch_size, drop_remainder=True)

    def update(tape, loss, model, optimizer):
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    @tf.function
    def train_step(real):
        for _ in range(critic_steps):
            latents = tf.random.normal([batch_size, latent_dim])
            with tf.GradientTape() as tape:
                fake = generator(latents, training=True)
                u = tf.random.uniform([batch_size, 1, 1, 1])
                between = real + u * (fake - real)
                with tf.GradientTape() as inner:
                    inner.watch(between)
                    scores = critic(between, training=True)
                norm = tf.sqrt(tf.reduce_sum(tf.square(inner.gradient(scores, between)), axis=[1, 2, 3]))
                loss = tf.reduce_mean(critic(fake, training=True)) - tf.reduce_mean(critic(real, training=True))
                loss += weight * tf.reduce_mean((norm - 1.0) ** 2)
            update(tape, loss, critic, c_opt)
        latents = tf.random.normal([batch_size, latent_dim])
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(critic(generator(latents, training=True), training=True))
        update(tape, loss, generator, g_opt)

    batches = iter(dataset.repeat())
    return lambda: train_step(next(batches)), generator


def combined_loop(images, count):
    generator, discriminator = combined_players()
    floats = images.astype("float32") / 127.5 - 1
    size = BATCH["combined"]
    options = {"loss": "binary_crossentropy", "metrics": ["accuracy"]}
    discriminator.compile(optimizer=adam_of("combined"), **options)
    # once before it is frozen: Keras 3 decides at the first call what is trained
    discriminator.train_on_batch(floats[:size], np.ones((size, 1)))
    discriminator.trainable = False
    combined = keras.Model(generator.inputs, discriminator(generator.outputs[0]))
    combined.compile(optimizer=adam_of("combined"), **options)

    def run():
        for _ in range(count):
            real = floats[np.random.randint(0, len(floats), size)]
            discriminator.train_on_batch(real, np.ones((size, 1)))
            fake = generator.predict(np.random.randn(size, 100), verbose=0)
            discriminator.train_on_batch(fake, np.zeros((size, 1)))
            combined.train_on_batch(np.random.randn(size, 100), np.ones((size, 1)))

    return run


BATCH = {"dense": 128, "dcgan": 256, "combined": 64}
