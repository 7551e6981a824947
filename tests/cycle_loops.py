"""CycleGAN's training by hand: TensorFlow tapes and Keras layers, nothing of kgan."""

import tensorflow as tf


class Pool:
    """The authors' image pool: a list of images; the draws, pairs of a place and whether to exchange, come from a table."""

    def __init__(self, size, table):
        self.size, self.table, self.images = size, table, []

    def __call__(self, images, step):
        seen = []
        for image, (place, exchanged) in zip(images, self.table[step], strict=False):
            if len(self.images) < self.size:
                self.images.append(image)
                seen.append(image)
            elif exchanged:
                seen.append(self.images[place])
                self.images[place] = image
            else:
                seen.append(image)
        return tf.stack(seen)


class Cycle:
    """Four players, two optimizers, LSGAN's losses: E (D(real) - 1)^2 / 2 + E D(fake)^2 / 2, E (D(fake) - 1)^2 / 2."""

    def __init__(self, to_b, to_a, is_b, is_a, d_opt, g_opt, cycle, identity, pools=None):
        self.to_b, self.to_a, self.is_b, self.is_a, self.d_opt, self.g_opt = to_b, to_a, is_b, is_a, d_opt, g_opt
        self.cycle, self.identity, self.pools = cycle, identity, pools
        self.g_variables = to_b.trainable_variables + to_a.trainable_variables
        self.d_variables = is_b.trainable_variables + is_a.trainable_variables
        d_opt.build(self.d_variables)
        g_opt.build(self.g_variables)

    def g_loss(self, a, b, whole_cycle=True):
        fake_b, fake_a = self.to_b(a, training=True), self.to_a(b, training=True)
        loss = (
            mean_square(self.is_b(fake_b, training=True) - 1.0) / 2
            + mean_square(self.is_a(fake_a, training=True) - 1.0) / 2
        )
        hand_on = (lambda images: images) if whole_cycle else tf.stop_gradient
        loss += self.cycle * mean_distance(self.to_a(hand_on(fake_b), training=True), a)
        loss += self.cycle * mean_distance(self.to_b(hand_on(fake_a), training=True), b)
        loss += self.identity * mean_distance(self.to_b(b, training=True), b)
        loss += self.identity * mean_distance(self.to_a(a, training=True), a)
        return loss, fake_b, fake_a

    def d_loss(self, a, b, fake_b, fake_a):
        loss = mean_square(self.is_b(b, training=True) - 1.0) / 2 + mean_square(self.is_b(fake_b, training=True)) / 2
        return loss + (
            mean_square(self.is_a(a, training=True) - 1.0) / 2 + mean_square(self.is_a(fake_a, training=True)) / 2
        )

    def seen(self, fake_b, fake_a, step):
        if self.pools is None:
            return tf.stop_gradient(fake_b), tf.stop_gradient(fake_a)
        return self.pools[0](fake_b, step), self.pools[1](fake_a, step)

    def update(self, loss, tape, variables, optimizer):
        optimizer.apply(tape.gradient(loss, [variable.value for variable in variables]), variables)


def generators_first(loop, batches, whole_cycle=True):
    """The authors' order: both generators in one step, then both discriminators on the images made before."""
    for step, (a, b) in enumerate(batches):
        with tf.GradientTape() as tape:
            loss, fake_b, fake_a = loop.g_loss(a, b, whole_cycle)
        loop.update(loss, tape, loop.g_variables, loop.g_opt)
        seen = loop.seen(fake_b, fake_a, step)
        with tf.GradientTape() as tape:
            loss = loop.d_loss(a, b, *seen)
        loop.update(loss, tape, loop.d_variables, loop.d_opt)


def half_a_cycle(loop, batches):
    """What keras.io's example does: no gradient reaches the generator that a cycle begins with."""
    generators_first(loop, batches, whole_cycle=False)


def discriminators_first(loop, batches):
    """`alternating`: the discriminators, then the generators against the new ones."""
    for step, (a, b) in enumerate(batches):
        seen = loop.seen(loop.to_b(a, training=True), loop.to_a(b, training=True), step)
        with tf.GradientTape() as tape:
            loss = loop.d_loss(a, b, *seen)
        loop.update(loss, tape, loop.d_variables, loop.d_opt)
        with tf.GradientTape() as tape:
            loss, _, _ = loop.g_loss(a, b)
        loop.update(loss, tape, loop.g_variables, loop.g_opt)


def mean_square(x):
    return tf.reduce_mean(tf.square(x))


def mean_distance(x, y):
    return tf.reduce_mean(tf.abs(x - y))
