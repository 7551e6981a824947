"""CycleGAN by hand, as TensorFlow's tapes and plain PyTorch would write it, and in kgan: what a step of it costs.

Both update the generators first, with one Adam for the two, then the discriminators, with another one, on fakes made before
that went through a pool of 50. Batches are of one image of each domain, of 128 x 128. A step is six forward passes of a
generator, ResNet-6, and six of a discriminator, PatchGAN-70. kgan's least squares are half of the loops', and so are its
weights.
"""

import random

import numpy as np

from kgan.architectures import patch, resnet_translation, towers
from tests.benchmarks.images import adam

NAME, SHAPE, BLOCKS, FILTERS, HISTORY, IMAGES = "cyclegan", (128, 128, 3), 6, 64, 50, 64
CYCLE, IDENTITY = 10.0, 5.0


def players():
    generators = [resnet_translation.generator(SHAPE, filters=FILTERS, blocks=BLOCKS) for _ in range(2)]
    return generators, [patch.discriminator(SHAPE, given=False, filters=FILTERS, norm="instance") for _ in range(2)]


def domains():
    return np.random.default_rng(0).integers(0, 256, (2, IMAGES, *SHAPE), "uint8")


def by_kgan(name, count, at_once):
    import kgan

    generators, discriminators = players()
    gan = kgan.GAN(towers.generator(*generators), towers.discriminator(*discriminators), condition="unpaired")
    terms = [kgan.terms.Cycle(CYCLE / 2), kgan.terms.Identity(IDENTITY / 2)]
    gan.compile(adam(), adam(), "least_squares", terms=terms, history=HISTORY, steps_per_execution=at_once)
    a, b = domains()
    return gan, kgan.data.Unpaired(a[:count], b[:count], 1)


class Pool:
    """The authors' `ImagePool`: a list, between the update of the generators and that of the discriminators."""

    def __init__(self, stack):
        self.images, self.stack = [], stack

    def __call__(self, images):
        return self.stack([self.query(image) for image in images])

    def query(self, image):
        if len(self.images) < HISTORY:
            self.images.append(image)
        elif random.random() > 0.5:
            place = random.randrange(HISTORY)
            image, self.images[place] = self.images[place], image
        return image


def tensorflow_loop(name, count):
    import tensorflow as tf

    (to_b, to_a), (is_b, is_a) = players()
    d_opt, g_opt, pool_b, pool_a = adam(), adam(), Pool(tf.stack), Pool(tf.stack)
    d_variables = is_b.trainable_variables + is_a.trainable_variables
    g_variables = to_b.trainable_variables + to_a.trainable_variables
    floats = [(one.astype("float32") - 127.5) / 127.5 for one in domains()]
    shuffled = [tf.data.Dataset.from_tensor_slices(one).shuffle(IMAGES).batch(1) for one in floats]

    def distance(x, y):
        return tf.reduce_mean(tf.abs(x - y))

    def squares(scores, target):
        return tf.reduce_mean(tf.square(scores - target))

    @tf.function
    def generators_step(a, b):
        with tf.GradientTape() as tape:
            fake_b, fake_a = to_b(a, training=True), to_a(b, training=True)
            back_a, back_b = to_a(fake_b, training=True), to_b(fake_a, training=True)
            loss = squares(is_b(fake_b, training=True), 1.0) + squares(is_a(fake_a, training=True), 1.0)
            loss += CYCLE * (distance(back_a, a) + distance(back_b, b))
            loss += IDENTITY * (distance(to_b(b, training=True), b) + distance(to_a(a, training=True), a))
        g_opt.apply_gradients(zip(tape.gradient(loss, g_variables), g_variables, strict=True))
        return fake_b, fake_a

    @tf.function
    def discriminators_step(a, b, fake_b, fake_a):
        with tf.GradientTape() as tape:
            loss_b = squares(is_b(b, training=True), 1.0) + squares(is_b(fake_b, training=True), 0.0)
            loss_a = squares(is_a(a, training=True), 1.0) + squares(is_a(fake_a, training=True), 0.0)
            loss = 0.5 * (loss_b + loss_a)
        d_opt.apply_gradients(zip(tape.gradient(loss, d_variables), d_variables, strict=True))

    batches = iter(tf.data.Dataset.zip(tuple(shuffled)).repeat())

    def run():
        for _ in range(count):
            a, b = next(batches)
            fake_b, fake_a = generators_step(a, b)
            discriminators_step(a, b, pool_b(fake_b), pool_a(fake_a))

    return run


def torch_players():
    """The authors' networks: activations in place, weights from N(0, 0.02^2)."""
    from torch import nn

    from tests.pytorch_players import ResnetTranslation

    def judge():
        steps = [nn.Conv2d(3, FILTERS, 4, 2, 1), nn.LeakyReLU(0.2, True)]
        for width, stride in ((2 * FILTERS, 2), (4 * FILTERS, 2), (8 * FILTERS, 1)):
            before = width // 2
            steps += [nn.Conv2d(before, width, 4, stride, 1), nn.InstanceNorm2d(width), nn.LeakyReLU(0.2, True)]
        return nn.Sequential(*steps, nn.Conv2d(8 * FILTERS, 1, 4, 1, 1))

    generators = [ResnetTranslation(3, 3, FILTERS, BLOCKS).model for _ in range(2)]
    discriminators = [judge() for _ in range(2)]
    for one in (module for player in (*generators, *discriminators) for module in player.modules()):
        if isinstance(one, nn.ReLU):
            one.inplace = True
        elif isinstance(one, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(one.weight, 0.0, 0.02)
            nn.init.zeros_(one.bias)
    return generators, discriminators


def torch_loop(name, count):
    import torch
    from torch.nn.functional import l1_loss

    (to_b, to_a), (is_b, is_a) = torch_players()
    d_weights, g_weights = ([*one.parameters(), *other.parameters()] for one, other in ((is_b, is_a), (to_b, to_a)))
    d_opt, g_opt = (torch.optim.Adam(weights, 2e-4, (0.5, 0.999), eps=1e-7) for weights in (d_weights, g_weights))
    pool_b, pool_a = Pool(torch.stack), Pool(torch.stack)
    floats = (torch.tensor((one.astype("float32") - 127.5) / 127.5).permute(0, 3, 1, 2) for one in domains())
    loaders = [torch.utils.data.DataLoader(one, 1, shuffle=True) for one in floats]

    def squares(scores, target):
        return (scores - target).square().mean()

    def train_step(a, b):
        for weight in d_weights:
            weight.requires_grad_(False)
        fake_b, fake_a = to_b(a), to_a(b)
        loss = squares(is_b(fake_b), 1.0) + squares(is_a(fake_a), 1.0)
        loss = loss + CYCLE * (l1_loss(to_a(fake_b), a) + l1_loss(to_b(fake_a), b))
        loss = loss + IDENTITY * (l1_loss(to_b(b), b) + l1_loss(to_a(a), a))
        g_opt.zero_grad()
        loss.backward()
        g_opt.step()
        for weight in d_weights:
            weight.requires_grad_(True)
        d_opt.zero_grad()
        for judge, real, fake in ((is_b, b, pool_b(fake_b.detach())), (is_a, a, pool_a(fake_a.detach()))):
            loss = 0.5 * (squares(judge(real), 1.0) + squares(judge(fake), 0.0))
            loss.backward()
        d_opt.step()

    def batches():
        while True:
            yield from zip(*loaders, strict=True)

    following = batches()

    def run():
        for _ in range(count):
            train_step(*next(following))

    return run
