# %% [markdown]
# # Your own pictures
#
# This notebook trains a GAN on a folder of pictures: photographs, drawings or icons, some dozens to many thousands of them,
# of any sizes and file formats.

# %%
import os
import pathlib
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "git+https://github.com/OWNER/kgan"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)

# %%
import keras
import numpy as np
from PIL import Image, ImageDraw

import kgan
from kgan import pictures
from kgan.architectures import compact, dcgan

EPOCHS = int(os.environ.get("KGAN_NOTEBOOK_EPOCHS", 200))
keras.utils.set_random_seed(0)

# %% [markdown]
# ## The folder
#
# Write the path of your folder here. In Colab, upload files at the left, or mount Google Drive. If there is no such folder,
# this cell draws 600 faces, so that the notebook runs as it is.

# %%
FOLDER = pathlib.Path("pictures")


def face(random):
    """A round face in any colour, glad or sad."""
    picture = Image.new("RGB", (64, 64), "white")
    draw = ImageDraw.Draw(picture)
    x, y, radius = random.uniform((28, 28, 20), (36, 36, 27))
    draw.circle((x, y), radius, tuple(random.integers(90, 256, 3)), "black", 2)
    draw.circle((x - 9, y - 7), 3, "black")
    draw.circle((x + 9, y - 7), 3, "black")
    top, begin = random.choice([(y - 2, 20), (y + 8, 200)])
    draw.arc((x - 12, top, x + 12, top + 16), begin, begin + 140, "black", 3)
    return picture


if not FOLDER.exists():
    FOLDER.mkdir()
    for number in range(600):
        face(np.random.default_rng(number)).save(FOLDER / f"{number:03d}.png")

# %% [markdown]
# `kgan.data.load` crops pictures around their centres and resizes them. It skips files that it cannot read. Small images are
# learned faster: begin with 32 pixels, and take 64 or 128 once that works.

# %%
SIZE = 32
data = kgan.data.load(path=FOLDER, size=SIZE, channels=3)
print(f"{data.count} pictures, {data.fitted}; skipped: {data.skipped or 'none'}")
Image.fromarray(pictures.grid(pictures.floats(data.images[:32]), columns=8))

# %% [markdown]
# ## The GAN
#
# These are the networks and rules of `kgan train pictures`. A larger number of filters makes better images and takes longer:
# 48 and 64 suit a GPU. `augment` changes the images that the discriminator sees, at random, so that it does not memorise a
# small number of pictures; leave it out for more than 50,000.

# %%
gan = kgan.GAN(
    generator=lambda: compact.generator((SIZE, SIZE, 3), latent_dim=128, filters=12),
    discriminator=lambda: dcgan.discriminator(
        (SIZE, SIZE, 3), filters=16, kernel_size=4, slope=0.2, dropout=0, base=4, minibatch_std=True
    ),
    latent_dim=128,
)
gan.compile(
    d_opt=keras.optimizers.Adam(5e-4, beta_1=0.5),
    g_opt=keras.optimizers.Adam(5e-4, beta_1=0.5),
    loss="hinge",
    penalties=[kgan.penalties.R1(1.0, every=8)],
    augment="diff_augment",
    ema=0.998,
)

# %% [markdown]
# ## The training
#
# `ImageGrid` writes the images of the same latents into the folder `samples`, and an animation of them at the end.
# `Checkpoint` saves the whole training: if Colab interrupts it, run all cells again, and it goes on where it was.

# %%
history = gan.fit(
    data,
    batch_size=32,
    epochs=EPOCHS,
    callbacks=[
        kgan.callbacks.ImageGrid("samples", every=2, rows=4, columns=8),
        kgan.callbacks.Checkpoint("checkpoints", every="5 minutes", resume=True),
        kgan.callbacks.Doctor(None),
    ],
)

# %% [markdown]
# ## New pictures

# %%
Image.fromarray(pictures.grid(gan.generate(32, seed=1), columns=8))
