"""Pix2Pix by hand, as TensorFlow's tape and plain PyTorch would write it, and in kgan: what a step of it costs.

Both update D first, then G against the new D, on the same image, with L1 of weight 100: U-Net and PatchGAN with instance
normalization, no dropout, in batches of one image of 256 x 256, or of sixteen of 64 x 64.
"""

import keras
import numpy as np

from kgan.architectures import patch, unet

# side, batch, filters, receptive field; with two filters a step costs little more than the calls of the layers
SIZES = {"pix2pix-256": (256, 1, 64, 70), "pix2pix-64": (64, 16, 24, 34), "pix2pix-calls": (64, 1, 2, 34)}
PAIRS = 128


def players(name):
    side, _, filters, field = SIZES[name]
    shape = (side, side, 3)
    generator = unet.generator(shape, filters=filters, norm="instance", dropout=0.0)
    return generator, patch.discriminator(shape, receptive_field=field, filters=filters, norm="instance")


def pairs(name):
    side = SIZES[name][0]
    return np.random.default_rng(0).integers(0, 256, (2, PAIRS, side, side, 3), "uint8")


def adam():
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


def by_kgan(name, count, at_once):
    import kgan

    given, real = pairs(name)
    batch = SIZES[name][1]
    gan = kgan.GAN(*players(name), condition="pairs")
    gan.compile(
        adam(),
        adam(),
        schedule=kgan.schedules.Alternating(reuse_latents=True),
        terms=[kgan.terms.L1(100.0)],
        steps_per_execution=at_once,
    )
    return gan, kgan.data.Batches(real[: count * batch], batch, given=given[: count * batch])


def tensorflow_loop(name, count):
    import tensorflow as tf

    generator, discriminator = players(name)
    d_opt, g_opt = adam(), adam()
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    floats = [(one.astype("float32") - 127.5) / 127.5 for one in pairs(name)]
    dataset = tf.data.Dataset.from_tensor_slices(tuple(floats)).shuffle(PAIRS).batch(SIZES[name][1])

    @tf.function
    def train_step(given, real):
        with tf.GradientTape() as tape:
            fake = generator(given, training=True)
            on_real, on_fake = discriminator([real, given], training=True), discriminator([fake, given], training=True)
            loss = cross_entropy(tf.ones_like(on_real), on_real) + cross_entropy(tf.zeros_like(on_fake), on_fake)
        variables = discriminator.trainable_variables
        d_opt.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        with tf.GradientTape() as tape:
            fake = generator(given, training=True)
            on_fake = discriminator([fake, given], training=True)
            loss = cross_entropy(tf.ones_like(on_fake), on_fake) + 100.0 * tf.reduce_mean(tf.abs(fake - real))
        variables = generator.trainable_variables
        g_opt.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))

    batches = iter(dataset.repeat())

    def run():
        for _ in range(count):
            train_step(*next(batches))

    return run


def torch_loop(name, count):
    import torch
    from torch.nn import functional as F  # noqa: N812

    from tests import pytorch_players

    side, batch, _, field = SIZES[name]
    generator, discriminator = players(name)
    downs, halved = side.bit_length() - 1, {16: 1, 34: 2, 70: 3}[field]
    of_g = pytorch_players.weights(generator, pytorch_players.unet_names(downs, "instance"))
    of_d = pytorch_players.weights(discriminator, pytorch_players.patch_names(halved, "instance"))
    del generator, discriminator
    for weights in (of_g, of_d):
        for one in weights.values():
            one.requires_grad_()
    d_opt, g_opt = (torch.optim.Adam(one.values(), 2e-4, (0.5, 0.999), eps=1e-7) for one in (of_d, of_g))
    given, real = (torch.tensor((one.astype("float32") - 127.5) / 127.5).permute(0, 3, 1, 2) for one in pairs(name))
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(given, real), batch, shuffle=True)

    def judge(images, given):
        return pytorch_players.patch(of_d, torch.cat([images, given], 1), halved, "instance")

    def train_step(given, real):
        fake = pytorch_players.unet(of_g, given, downs, "instance")
        on_real, on_fake = judge(real, given), judge(fake.detach(), given)
        loss = F.binary_cross_entropy_with_logits(on_real, torch.ones_like(on_real))
        loss = loss + F.binary_cross_entropy_with_logits(on_fake, torch.zeros_like(on_fake))
        d_opt.zero_grad()
        loss.backward()
        d_opt.step()
        on_fake = judge(fake, given)
        loss = (
            F.binary_cross_entropy_with_logits(on_fake, torch.ones_like(on_fake)) + 100.0 * (fake - real).abs().mean()
        )
        g_opt.zero_grad()
        loss.backward()
        g_opt.step()

    def batches():
        while True:
            yield from loader

    following = batches()

    def run():
        for _ in range(count):
            train_step(*next(following))

    return run
