"""Small trainings of every kind, on one device or on several: `python -m tests.together FOLDER CASE... --devices 2`.

Each writes all variables of the GAN after its steps, metrics and optimizers too, to FOLDER/CASE.npz, but those without an
effect: a bias before a normalization, whose gradient is nothing but rounding, which Adam makes as large as any other. Under
`torchrun`, and where Keras' variables for several processes are set, these train together. With `--checkpoint`, a training
saves its state in FOLDER/CASE and is resumed from there.
"""

import argparse
import pathlib

import keras
import numpy as np
from keras import layers

import kgan
from kgan import backend
from kgan.architectures import dcgan, dense
from kgan.architectures import towers as joined
from kgan.checkpoints import state
from tests.helpers import patches, translator

IMAGES, BATCH = 21, 8  # the last batch of each epoch has five, which neither 2 nor 4 divide
RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (IMAGES, 8, 8, 1)).astype("uint8")
COLOUR = RNG.integers(0, 256, (IMAGES, 8, 8, 3)).astype("uint8")
LABELS = np.arange(IMAGES) % 3


def of_latents(generator, discriminator, images=GREY, labels=None, **arguments):
    gan = kgan.GAN(generator, discriminator, latent_dim=6, **arguments)
    return gan, kgan.data.Batches(images, BATCH, labels=labels)


def small_dense(**arguments):
    return of_latents(
        dense.generator((8, 8, 1), latent_dim=6, units=(16, 12), momentum=0.9, epsilon=1e-3),
        dense.discriminator((8, 8, arguments.get("pack", 1)), units=(16,), dropout=0.3),
        **arguments,
    )


def small_dcgan(**arguments):
    return of_latents(
        dcgan.generator((8, 8, 1), latent_dim=6, filters=4, kernel_size=3, momentum=0.9),
        dcgan.discriminator((8, 8, 1), filters=4, kernel_size=3, minibatch_std=True),
        **arguments,
    )


def small_mnist():
    return of_latents(
        dcgan.generator((8, 8, 1), latent_dim=6, filters=4, kernel_size=3, num_classes=3),
        dcgan.discriminator((8, 8, 1), filters=4, kernel_size=3, num_classes=3, minibatch_std=True),
        labels=LABELS,
        num_classes=3,
    )


def small_batch_norm():
    """BatchNormalization in the discriminator, through whose statistics a penalty is differentiated twice."""
    judge = [layers.Flatten(), layers.Dense(16), layers.BatchNormalization(), layers.LeakyReLU(0.2), layers.Dense(1)]
    return of_latents(
        dense.generator((8, 8, 1), latent_dim=6, units=(16,), momentum=0.9, epsilon=1e-3),
        keras.Sequential([keras.Input((8, 8, 1)), *judge]),
    )


def small_reconstruction():
    """A discriminator whose features say what a quarter of the image is, which one depends on its place in the batch."""
    images = keras.Input((8, 8, 1))
    x = layers.LeakyReLU(0.2)(layers.Conv2D(6, 3, strides=2, padding="same")(images))
    x = kgan.layers.Reconstructed(4, whole=False)([x, images])
    judge = keras.Model(images, layers.Dense(1)(layers.Flatten()(x)))
    return of_latents(dense.generator((8, 8, 1), latent_dim=6, units=(16,)), judge)


def pix2pix():
    gan = kgan.GAN(translator(1, 3), patches(3, 1), condition=kgan.conditions.Pairs())
    return gan, kgan.data.Batches(COLOUR, BATCH, given=GREY, flip=True)


def cyclegan():
    generators = joined.generator(translator(1, 3), translator(3, 1))
    gan = kgan.GAN(generators, joined.discriminator(patches(3), patches(1)), condition=kgan.conditions.Unpaired())
    return gan, kgan.data.Unpaired(GREY, COLOUR, BATCH)


# what a case trains, and the arguments of `compile`
CASES: dict = {
    "dense": (small_dense, {}),
    "dcgan": (small_dcgan, {"schedule": "combined"}),
    "mnist": (small_mnist, {"loss": "hinge", "penalties": [kgan.penalties.R1(1.0, every=2)], "ema": 0.9}),
    # made when it is needed, since it has variables, and JAX must not have any before its processes are connected
    "ada": (small_dcgan, lambda: {"augment": kgan.augment.ADA(target=0.0, interval=1, length=100)}),
    "pix2pix": (pix2pix, {"terms": ["l1"], "schedule": kgan.schedules.Alternating(reuse_latents=True)}),
    "cyclegan": (cyclegan, {"loss": "least_squares", "terms": ["cycle"], "history": 6}),
    "wgan-gp": (small_batch_norm, {"loss": "wasserstein", "penalties": ["gradient_penalty", "drift"]}),
    "average": (small_dense, {"loss": "relativistic_average", "penalties": ["dragan"]}),
    "tricks": (small_dense, {"tricks": ["instance_noise", kgan.tricks.LabelFlip(0.3)], "schedule": "periods"}),
    "reconstruction": (small_reconstruction, {"loss": "hinge", "penalties": ["reconstruction"]}),
    "pacgan": (lambda: small_dense(pack=2), {"schedule": kgan.schedules.Alternating(d_steps=2)}),
}


def train(case, epochs, folder, checkpoint=False):
    """Train a case; return its GAN."""
    keras.utils.set_random_seed(3)
    make, arguments = CASES[case]
    arguments = arguments() if callable(arguments) else arguments
    gan, batches = make()
    rates = {name: keras.optimizers.Adam(1e-3, beta_1=0.5) for name in ("d_opt", "g_opt")}
    gan.compile(**rates, **arguments)
    callbacks = [kgan.callbacks.Checkpoint(folder / case, every="4 steps", resume=True)] if checkpoint else []
    gan.fit(batches, epochs=epochs, verbose=0, callbacks=callbacks)
    return gan


def without_effect(gan):
    """Ids of the weights that no gradient reaches, of their slots, and of the moving means that follow them."""
    found = set()
    for player, optimizer in ((gan.generator, gan.g_opt), (gan.discriminator, gan.d_opt)):
        slots = optimizer.variables[2:]  # after the counter and the rate: two for each weight
        sizes = [float(np.abs(keras.ops.convert_to_numpy(slots[2 * n])).max()) for n in range(len(slots) // 2)]
        for n, weight in enumerate(player.trainable_variables):
            if sizes[n] < 1e-5 * max(sizes):
                found |= {id(weight), id(slots[2 * n]), id(slots[2 * n + 1])}
                means = [one for one in player.variables if one.name == "moving_mean" and one.shape == weight.shape]
                found |= set(map(id, means))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("cases", nargs="+", choices=CASES)
    parser.add_argument("--devices", type=int)
    parser.add_argument("--epochs", type=int, default=7)  # 21 steps
    parser.add_argument("--checkpoint", action="store_true")
    chosen = parser.parse_args()
    with backend.spread(chosen.devices):
        for case in chosen.cases:
            gan = train(case, chosen.epochs, chosen.folder, chosen.checkpoint)
            left_out, known = without_effect(gan), state.groups_of(gan)
            arrays = {
                f"{group}/{n}": array
                for group, some in state.arrays_of(gan).items()
                for n, array in enumerate(some)
                if id(known[group][n]) not in left_out
            }
            index, _ = backend.process()
            name = case if index == 0 else f"{case}-{index}"
            np.savez(chosen.folder / f"{name}.npz", **arrays)


if __name__ == "__main__":
    main()
