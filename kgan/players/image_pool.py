"""The images that were generated before, from which the discriminator sees some again."""

import keras
from keras import ops

from kgan import backend
from kgan.conditions import each, leaves


class ImagePool(keras.layers.Layer):
    """An image pool: the discriminator sees, in place of half of the new images, some that were generated before
    (Shrivastava et al., arXiv:1612.07828, section 2.3; in the form of CycleGAN, arXiv:1703.10593, section 4).

    The first `size` images are kept, and seen as they come. From then on each new image is, with probability 1/2, exchanged
    for one of the kept ones, drawn uniformly, whose place it takes; or else it is seen itself and not kept. The images of a
    batch are treated one after the other. Each of several domains has its own pool. What is kept, its number and the seed
    are weights of the layer, which are saved with the GAN.

    Args:
        size: Integer. The number of images that are kept, of each domain.
        shapes: Tuple, the shape of an image; or a list of them, one for each domain.
        seed: Integer.
    """

    def __init__(self, size, shapes, seed=0):
        super().__init__(name="image_pool", trainable=False)
        self.size = size
        self.kept = [
            self.add_weight(shape=(size, *shape), initializer="zeros", trainable=False, name=f"kept_{number}")
            for number, shape in enumerate(shapes if isinstance(shapes, list) else [shapes])
        ]
        self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="count")
        self.seeds = keras.random.SeedGenerator(seed)
        self.built = True

    def draw(self, n):
        """A place in the pool, and whether to exchange, for each of n images: int32 and bool `(n,)`."""
        places = keras.random.randint((n,), 0, self.size, seed=self.seeds)
        return ops.cast(places, "int32"), keras.random.uniform((n,), seed=self.seeds) < 0.5

    def call(self, images):
        """Return what the discriminator sees in place of new images, a tensor or a list of them, and keep some."""
        images = each(lambda new: backend.whole(ops.stop_gradient(new)), images)
        numbers = self.count + ops.arange(ops.shape(leaves(images)[0])[0], dtype="int32")  # (batch,)
        kept = self.kept if isinstance(images, list | tuple) else self.kept[0]
        seen = each(lambda new, pool: backend.part(self._through(pool, new, numbers)), images, kept)
        self.count.assign(ops.minimum(numbers[-1] + 1, self.size))
        return seen

    def _through(self, pool, new, numbers):
        places, exchanged = self.draw(ops.shape(new)[0])
        full = numbers >= self.size
        places, exchanged = ops.where(full, places, numbers), ops.logical_and(full, exchanged)
        stored = ops.logical_or(exchanged, ops.logical_not(full))
        order = ops.arange(ops.shape(new)[0], dtype="int32")
        new = ops.cast(new, pool.dtype)

        def latest(at, before):
            """The last image stored at each of some places, the batch's if there is one, or else the pool's."""
            here = ops.logical_and(ops.equal(at[:, None], places[None]), ops.logical_and(stored[None], before))
            last = ops.max(ops.where(here, order[None], -1), axis=1)
            mine = ops.take(new, ops.maximum(last, 0), axis=0)
            return ops.where(_as_images(last >= 0, mine), mine, ops.take(pool, at, axis=0))

        old = latest(places, order[None] < order[:, None])
        seen = ops.where(_as_images(exchanged, new), old, new)
        pool.assign(latest(ops.arange(self.size, dtype="int32"), True))
        return seen


def _as_images(flags, images):
    """Flags `(n,)` as `(n, 1, 1, 1)`."""
    return ops.reshape(flags, (-1, *[1] * (len(images.shape) - 1)))
