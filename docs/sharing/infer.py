"""Images of generator.onnx, written by kgan: export.json says which inputs there are."""

import pathlib

import numpy as np
import onnxruntime

HERE = pathlib.Path(__file__).parent
session = onnxruntime.InferenceSession(HERE / "generator.onnx")


def images(**inputs):
    return session.run(["images"], inputs)[0]


if __name__ == "__main__":
    latents = np.random.standard_normal((16, 32)).astype("float32")
    np.save("images.npy", images(latents=latents))
