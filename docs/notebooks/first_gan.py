# %% [markdown]
# # A first GAN
#
# A GAN consists of two neural networks, the players. The **generator** makes images from random numbers, which are called
# latents. The **discriminator** sees real images and generated ones, and learns to tell them apart; the generator learns to
# make images that the discriminator takes for real.
#
# Here both learn from 1,797 handwritten digits of 8 x 8 pixels. That takes about a minute, also without a GPU.

# %%
import os
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "git+https://github.com/OWNER/kgan"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)

# %%
import keras
from PIL import Image

import kgan
from kgan import pictures
from kgan.architectures import dense

EPOCHS = int(os.environ.get("KGAN_NOTEBOOK_EPOCHS", 300))
keras.utils.set_random_seed(0)

# %% [markdown]
# ## The data
#
# The digits come with scikit-learn. They are an array of whole numbers from 0, black, to 255, white.

# %%
images, labels = kgan.data.digits()
print(images.shape, images.dtype)
Image.fromarray(pictures.grid(pictures.floats(images[:40]), columns=10))

# %% [markdown]
# ## The two players
#
# `dense` makes fully connected networks; any two Keras models that fit together would do. Each player has its own optimizer.
# The penalty R1 keeps the discriminator from memorising so few images. `ema` keeps an average of the generator's weights,
# whose images are better than those of the weights themselves.

# %%
gan = kgan.GAN(
    generator=lambda: dense.generator((8, 8, 1), latent_dim=32, units=(128, 256), momentum=0.9, epsilon=1e-3),
    discriminator=lambda: dense.discriminator((8, 8, 1), units=(256, 128)),
    latent_dim=32,
)
gan.compile(
    d_opt=keras.optimizers.Adam(1e-3, beta_1=0.5),
    g_opt=keras.optimizers.Adam(1e-3, beta_1=0.5),
    loss="non_saturating",
    penalties=[kgan.penalties.R1(0.5)],
    ema=0.995,
)
gan

# %% [markdown]
# ## The training
#
# The curves below show the losses of both players. They do not fall to 0 as in other trainings: when one player gets better,
# the task of the other one gets harder. What should get better are the images, which are always made from the same latents.
# The callback `Doctor` says if something goes wrong, such as all images becoming the same, and what to try.

# %%
history = gan.fit(images, batch_size=64, epochs=EPOCHS, callbacks=[kgan.callbacks.Doctor(None)])

# %% [markdown]
# ## New digits
#
# The same seed always gives the same images.

# %%
generated = gan.generate(40, seed=1)
Image.fromarray(pictures.grid(generated, columns=10))

# %% [markdown]
# The whole GAN is saved in one file, with both optimizers, so that a training can be continued.

# %%
gan.save("first_gan.keras")
again = kgan.load("first_gan.keras")
print("the same images after loading:", (again.generate(40, seed=1) == generated).all())
