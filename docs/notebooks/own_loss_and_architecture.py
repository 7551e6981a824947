# %% [markdown]
# # Your own loss and your own networks
#
# Both are a few lines of Keras. They run unchanged on TensorFlow, JAX and PyTorch, since they use `keras.ops` and layers.

# %%
import os
import subprocess
import sys

if "google.colab" in sys.modules:
    package = "git+https://github.com/OWNER/kgan"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)

# %%
import keras
from keras import layers, ops
from PIL import Image

import kgan
from kgan import pictures

EPOCHS = int(os.environ.get("KGAN_NOTEBOOK_EPOCHS", 100))
keras.utils.set_random_seed(0)

# %% [markdown]
# ## A loss
#
# The discriminator gives each image a number, the larger the more real it looks. A loss says what both players make of these
# numbers: the discriminator minimizes the sum of `real` and `fake`, the generator minimizes `generator`. Each returns one
# value for each image.
#
# This is least squares with the targets 1 for real images, -1 for generated ones, and 0 for the generator: equation 8 of the
# paper [LSGAN](https://arxiv.org/abs/1611.04076). An image counts as real if its number is above `threshold`, which is 0.


# %%
@keras.saving.register_keras_serializable("mine")
class Pearson(kgan.losses.AdversarialLoss):
    def real(self, real_logits):
        return ops.square(real_logits - 1.0) / 2.0

    def fake(self, fake_logits):
        return ops.square(fake_logits + 1.0) / 2.0

    def generator(self, fake_logits, real_logits=None):
        return ops.square(fake_logits) / 2.0


# %% [markdown]
# ## Two networks
#
# The generator maps latents to images, and ends in `tanh`, since images lie in [-1, 1]. The discriminator maps images to one
# number each. kgan checks that they fit together before the training.


# %%
def generator():
    latents = keras.Input((16,))
    x = layers.Dense(4 * 4 * 64, use_bias=False)(latents)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Reshape((4, 4, 64))(layers.LeakyReLU(0.2)(x))
    x = layers.Conv2D(32, 3, padding="same")(layers.UpSampling2D()(x))
    x = layers.LeakyReLU(0.2)(layers.BatchNormalization(momentum=0.9)(x))
    return keras.Model(latents, layers.Conv2D(1, 3, padding="same", activation="tanh")(x), name="digit_maker")


def discriminator():
    images = keras.Input((8, 8, 1))
    x = layers.LeakyReLU(0.2)(layers.Conv2D(32, 3, strides=2, padding="same")(images))
    x = layers.LeakyReLU(0.2)(layers.Conv2D(64, 3, padding="same")(x))
    return keras.Model(images, layers.Dense(1)(layers.Flatten()(x)), name="digit_judge")


gan = kgan.GAN(generator, discriminator, latent_dim=16)
gan.compile(
    d_opt=keras.optimizers.Adam(5e-4, beta_1=0.5),
    g_opt=keras.optimizers.Adam(5e-4, beta_1=0.5),
    loss=Pearson(),
    penalties=[kgan.penalties.R1(0.5)],
    ema=0.99,
)
gan

# %% [markdown]
# ## The training
#
# Everything else stays as it is: the callbacks, saving and loading.

# %%
images, labels = kgan.data.digits()
history = gan.fit(images, batch_size=64, epochs=EPOCHS, callbacks=[kgan.callbacks.Doctor(None)])
Image.fromarray(pictures.grid(gan.generate(40, seed=1), columns=10))

# %% [markdown]
# The class is registered, so a saved GAN finds its loss again.

# %%
gan.save("own.keras")
print(type(kgan.load("own.keras").loss).__name__)
