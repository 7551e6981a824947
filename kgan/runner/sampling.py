"""Images from a saved generator."""

import keras
import numpy as np

from kgan import latents, pictures
from kgan.runner import loader
from kgan.saving import replace_when_written


def write(path, n, seed, out):
    """Write `n` images of the generator at `path` to `out`: `.npy`, float32 in [-1, 1], or `.png`, a grid."""
    generator = keras.saving.load_model(path, safe_mode=True, compile=False)
    name = "normal"
    resolved = path.parent / "resolved.yaml"
    if resolved.is_file():
        name = loader.load(resolved.read_text("utf-8"), str(resolved))[0].get("latents", name)
    noise = latents.get(name)((n, generator.input_shape[-1]), keras.random.SeedGenerator(seed))
    images = generator.predict(keras.ops.convert_to_numpy(noise), batch_size=256, verbose=0).astype("float32")
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".png":
        pictures.save(pictures.grid(images), out)
    else:
        with replace_when_written(out) as temporary:
            np.save(temporary, images)
