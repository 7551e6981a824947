"""Train rows of small players on the engine that KERAS_BACKEND names, and write what came of each to ROW.npz in a folder.

    KERAS_BACKEND=jax python -m tests.one_run FOLDER            # all of them
    KERAS_BACKEND=jax python -m tests.one_run FOLDER dcgan combined

Initial weights, batches and latents come from numpy's generator, dropout is off: all engines begin and go on alike.
"""

import pathlib
import sys
import unittest.mock

import keras
import numpy as np
from keras import ops

import kgan
from kgan.architectures import dcgan, dense, towers
from kgan.conditions import Masked, Pairs, Unpaired
from kgan.players.image_pool import ImagePool
from tests.helpers import patches, translator

STEPS, BATCH, LATENT_DIM = 20, 8, 6
TABLE = np.random.default_rng(5).normal(size=(3 * STEPS, BATCH, LATENT_DIM)).astype("float32")


def table(shape, seed):
    """The latents of draw number n are row n of the table."""
    row = ops.take(ops.convert_to_tensor(TABLE), ops.cast(seed.next()[1], "int32"), axis=0)
    return row[: shape[0]]


def dense_players(**kwargs):
    generator = dense.generator((8, 8, 1), LATENT_DIM, units=(16, 24, 32), **kwargs)
    return generator, dense.discriminator((8, 8, 1), units=(24, 16))


def dense_without_batch_norm():
    return dense_players(batch_norm=False)


def dcgan_players():
    return dcgan.generator((8, 8, 1), LATENT_DIM, filters=4), dcgan.discriminator((8, 8, 1), filters=4, dropout=0.0)


class FromTable(Masked):
    """The masks of draw number n are row n of the table."""

    def masks(self, n, height, width, seeds):
        row = ops.take(ops.convert_to_tensor(MASKS), ops.cast(seeds.next()[1], "int32"), axis=0)
        return row[:n]


MASKS = np.random.default_rng(6).random((STEPS, BATCH, 8, 8)) < 0.4
PLACES = np.random.default_rng(7).integers(0, 12, (2 * STEPS, BATCH)).astype("int32")
EXCHANGED = np.random.default_rng(8).random((2 * STEPS, BATCH)) < 0.5


class DrawnPool(ImagePool):
    """The draws of draw number n are row n of the tables."""

    def draw(self, n):
        row = ops.cast(self.seeds.next()[1], "int32")
        return [ops.take(ops.convert_to_tensor(table), row, axis=0)[:n] for table in (PLACES, EXCHANGED)]


def two_towers():
    generator = towers.generator(translator(1, 1), translator(1, 1))
    return generator, towers.discriminator(patches(1), patches(1))


# image to image: the players have no latents
IMAGES = {
    "pix2pix": (Pairs(), lambda: (translator(1, 1), patches(1, 1))),
    "inpainting": (FromTable(), lambda: (translator(2, 1), patches(1, 2))),
    "cyclegan": (Unpaired(), two_towers),
}
ROWS = {
    "dense": (dense_players, {}),
    "dense-alternating": (lambda: dense_players(momentum=0.9), {"schedule": kgan.schedules.Alternating(5)}),
    "combined": (dense_without_batch_norm, {"schedule": "combined"}),
    "dcgan": (dcgan_players, {}),
    "dcgan-periods": (dcgan_players, {"schedule": kgan.schedules.Periods(1, 1)}),
    "dense-saturating": (dense_players, {"loss": "minimax"}),
    "relativistic, R1, average": (dense_players, {"loss": "relativistic", "penalties": ["r1"], "ema": 0.9}),
    "pix2pix": (
        IMAGES["pix2pix"][1],
        {"terms": [kgan.terms.L1(100.0)], "schedule": kgan.schedules.Alternating(reuse_latents=True)},
    ),
    "inpainting": (
        IMAGES["inpainting"][1],
        {"terms": [kgan.terms.L1(10.0), "total_variation"], "loss": "hinge"},
    ),
    "cyclegan": (IMAGES["cyclegan"][1], {"terms": ["cycle", "identity"], "loss": "least_squares", "history": 12}),
}


def train(row):
    """All weights, optimizers and logs after the training, by name."""
    make, arguments = ROWS[row]
    generator, discriminator = make()
    rng = np.random.default_rng(1)
    for variable in [*generator.trainable_variables, *discriminator.trainable_variables]:
        if len(variable.shape) > 1:
            variable.assign(rng.normal(0, 1 / np.sqrt(np.prod(variable.shape[:-1])), variable.shape).astype("float32"))
    images = np.tanh(rng.normal(0.3, 1, (4 * BATCH + 3, 8, 8, 1))).astype(
        "float32"
    )  # five steps, the last one of three
    if row in IMAGES:
        gan = kgan.GAN(generator, discriminator, condition=IMAGES[row][0])
    else:
        gan = kgan.GAN(generator, discriminator, LATENT_DIM, latents=table)
    data = (images[:, ::-1] ** 2, images) if row in ("pix2pix", "cyclegan") else (images,)
    adam = {name: keras.optimizers.Adam(1e-3, beta_1=0.5) for name in ("d_opt", "g_opt")}
    with unittest.mock.patch.object(kgan.gan, "ImagePool", DrawnPool):
        gan.compile(**adam, **arguments)
    history = gan.fit(*data, batch_size=BATCH, epochs=STEPS // 5, shuffle=False, verbose=0).history
    arrays = {}
    for index, variable in enumerate([*gan.weights, *gan.d_opt.variables, *gan.g_opt.variables]):
        arrays[f"{index:03d} {variable.path}"] = ops.convert_to_numpy(variable)
    arrays |= {f"log {name}": np.asarray(values) for name, values in history.items()}
    return arrays


def main(folder, *rows):
    for row in rows or ROWS:
        np.savez(pathlib.Path(folder) / f"{row}.npz", **train(row))


if __name__ == "__main__":
    main(*sys.argv[1:])
