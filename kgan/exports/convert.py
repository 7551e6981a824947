"""Writes a generator in another format, in a process of its own with the engine that does it best.

Keras' own exporters do the work (`keras.Model.export`).
"""

import json
import pathlib
import runpy

import keras
from keras import layers, ops

from kgan.exports.sampler import Sampler
from kgan.gan import load
from kgan.latents import normal, seeds


def to_onnx(model, path, batch=None):
    def specification(one):
        return keras.InputSpec(shape=(batch, *one.shape[1:]), dtype=one.dtype, name=one.name)

    sizes = {one.name: specification(one) for one in model.inputs}
    model.export(path, format="onnx", verbose=False, input_signature=[sizes])


def to_saved_model(model, path):
    model.export(path, format="tf_saved_model", verbose=False)


def to_litert(model, path):
    model.export(path, format="litert", verbose=False)


class _Repeated(layers.UpSampling2D):
    """Nearest-neighbour enlargement by reshaping; after two of Keras' own, LiteRT no longer knows the number of channels."""

    def call(self, inputs):
        (down, across), (height, width, channels) = self.size, ops.shape(inputs)[1:]
        wide = ops.reshape(ops.concatenate([inputs] * across, axis=3), (-1, height, across * width, channels))
        return ops.reshape(ops.concatenate([wide] * down, axis=2), (-1, down * height, across * width, channels))


def _enlarging_by_reshaping(layer):
    if type(layer) is layers.UpSampling2D and (layer.interpolation, layer.data_format) == ("nearest", "channels_last"):
        return _Repeated.from_config(layer.get_config())
    return type(layer).from_config(layer.get_config())


def _for_litert(generator):
    if not getattr(generator, "operations", None):  # without a graph
        return generator
    again = keras.models.clone_model(generator, clone_function=_enlarging_by_reshaping, recursive=True)
    again.set_weights(generator.get_weights())
    return again


def to_openvino(model, path):
    model.export(path, format="openvino", verbose=False)


def to_pt2(model, path):
    from kgan.backend.torch import any_size  # the engine of this process

    sizes = {
        one.name: {axis: any_size() for axis, side in enumerate(one.shape) if side is None} for one in model.inputs
    }
    model.export(path, format="torch", verbose=False, dynamic_shapes=sizes)


CONVERTERS = {
    "onnx": to_onnx,
    "saved_model": to_saved_model,
    "litert": to_litert,
    "openvino": to_openvino,
    "pt2": to_pt2,
}


def main(folder):
    """Do the job that a folder holds: `generator.keras` and `job.json`."""
    folder = pathlib.Path(folder)
    job = json.loads((folder / "job.json").read_text("utf-8"))
    for plugin in job["plugins"]:
        runpy.run_path(plugin, run_name=pathlib.Path(plugin).stem)
    condition = keras.saving.deserialize_keras_object(job["condition"])
    sampler = Sampler(load(folder / "generator.keras"), condition, job["latent_dim"], job["pixels"])
    if job["format"] == "litert":
        sampler.generator = _for_litert(sampler.generator)
    model = sampler.model()
    model(sampler.fixed(1, normal, seeds(0), sampler.sizes[0]))  # Keras exports models that have been called
    given = {"batch": job["batch"]} if job["batch"] else {}
    CONVERTERS[job["format"]](model, job["path"], **given)
