"""The DCGAN for pictures of 64 x 64 that PyTorch's own tutorial describes, in loops written by hand on two engines.

Batches of 128, 64 filters, Adam with 2e-4 and beta_1 0.5, weights from N(0, 0.02), the discriminator's update first.
"""

import itertools

import numpy as np

BATCH, LATENT_DIM, FILTERS, RATE = 128, 100, 64, 2e-4
WIDTHS = (512, 256, 128, 64)


def batches_of(images, channels_first):
    """Shuffled batches without an end, floats in [-1, 1]; the last one of an epoch may be smaller."""
    rng = np.random.default_rng(0)
    while True:
        order = rng.permutation(len(images))
        for first in range(0, len(images), BATCH):
            real = images[order[first : first + BATCH]].astype("float32") / 127.5 - 1.0
            yield real.transpose(0, 3, 1, 2) if channels_first else real


def tensorflow_loop(images):
    """A function that takes a step, and a function from latents `(n, 100)` to images in [-1, 1]."""
    import keras
    import tensorflow as tf
    from keras import layers

    normal = keras.initializers.RandomNormal(stddev=0.02)
    ones = keras.initializers.RandomNormal(mean=1.0, stddev=0.02)

    def norm():
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=ones)

    options = {"use_bias": False, "kernel_initializer": normal}
    stack = [keras.Input((LATENT_DIM,)), layers.Reshape((1, 1, LATENT_DIM))]
    stack += [layers.Conv2DTranspose(WIDTHS[0], 4, **options), norm(), layers.ReLU()]
    for width in WIDTHS[1:]:
        stack += [layers.Conv2DTranspose(width, 4, 2, padding="same", **options), norm(), layers.ReLU()]
    stack.append(layers.Conv2DTranspose(3, 4, 2, padding="same", activation="tanh", **options))
    generator = keras.Sequential(stack)
    stack = [keras.Input((64, 64, 3))]
    for width in reversed(WIDTHS):
        stack += [layers.Conv2D(width, 4, 2, padding="same", **options), *([norm()] if width > FILTERS else [])]
        stack.append(layers.LeakyReLU(0.2))
    stack += [layers.Conv2D(1, 4, **options), layers.Flatten()]
    discriminator = keras.Sequential(stack)
    d_opt, g_opt = (keras.optimizers.Adam(RATE, beta_1=0.5) for _ in range(2))
    # the sigmoid of the tutorial is in it: Keras cuts probabilities off at 1e-7, where no gradient is left
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    def update(tape, loss, model, optimizer):
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    @tf.function(reduce_retracing=True)
    def train_step(real):
        fake = generator(tf.random.normal([tf.shape(real)[0], LATENT_DIM]), training=True)
        with tf.GradientTape() as tape:
            on_real, on_fake = discriminator(real, training=True), discriminator(fake, training=True)
            loss = entropy(tf.ones_like(on_real), on_real) + entropy(tf.zeros_like(on_fake), on_fake)
        update(tape, loss, discriminator, d_opt)
        with tf.GradientTape() as tape:
            fake = generator(tf.random.normal([tf.shape(real)[0], LATENT_DIM]), training=True)
            on_fake = discriminator(fake, training=True)
            loss = entropy(tf.ones_like(on_fake), on_fake)
        update(tape, loss, generator, g_opt)

    batches = batches_of(images, channels_first=False)
    return lambda: train_step(next(batches)), lambda latents: generator.predict(latents, batch_size=256, verbose=0)


def torch_loop(images):
    """As `tensorflow_loop`."""
    import torch
    from torch import nn

    def up(*arguments):
        return nn.ConvTranspose2d(*arguments, bias=False)

    stack = [up(LATENT_DIM, WIDTHS[0], 4, 1, 0), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU(True)]
    for wide, narrow in itertools.pairwise(WIDTHS):
        stack += [up(wide, narrow, 4, 2, 1), nn.BatchNorm2d(narrow), nn.ReLU(True)]
    generator = nn.Sequential(*stack, up(WIDTHS[-1], 3, 4, 2, 1), nn.Tanh())
    stack = [nn.Conv2d(3, FILTERS, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    for narrow, wide in itertools.pairwise(reversed(WIDTHS)):
        stack += [nn.Conv2d(narrow, wide, 4, 2, 1, bias=False), nn.BatchNorm2d(wide), nn.LeakyReLU(0.2, inplace=True)]
    discriminator = nn.Sequential(*stack, nn.Conv2d(WIDTHS[0], 1, 4, 1, 0, bias=False), nn.Sigmoid(), nn.Flatten(0))

    def begin(module):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)

    torch.manual_seed(0)
    for player in (generator, discriminator):
        player.apply(begin)
    d_opt, g_opt = (torch.optim.Adam(one.parameters(), RATE, (0.5, 0.999)) for one in (discriminator, generator))
    entropy = nn.BCELoss()
    batches = batches_of(images, channels_first=True)

    def run():
        real = torch.from_numpy(next(batches))
        fake = generator(torch.randn(len(real), LATENT_DIM, 1, 1))
        d_opt.zero_grad()
        entropy(discriminator(real), torch.ones(len(real))).backward()
        entropy(discriminator(fake.detach()), torch.zeros(len(real))).backward()
        d_opt.step()
        g_opt.zero_grad()
        entropy(discriminator(fake), torch.ones(len(real))).backward()
        g_opt.step()

    def generate(latents):
        generator.eval()
        with torch.no_grad():
            parts = torch.from_numpy(latents[..., None, None]).split(256)
            made = torch.cat([generator(part) for part in parts]).permute(0, 2, 3, 1).numpy()
        generator.train()
        return made

    return run, generate
