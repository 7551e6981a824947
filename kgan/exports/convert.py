"""Writes a generator in another format, in a process of its own with the engine that does it best.

Keras' own exporters do the work (`keras.Model.export`).
"""

import json
import pathlib
import runpy

import keras
from keras import layers, ops

from kgan.exports.sampler import Sampler, in_single_precision
from kgan.gan import load


def to_onnx(sampler, path, batch):
    model = sampler.model()
    signature = {
        one.name: keras.InputSpec(shape=(batch, *one.shape[1:]), dtype=one.dtype, name=one.name) for one in model.inputs
    }
    model.export(path, format="onnx", verbose=False, input_signature=[signature])


def to_saved_model(sampler, path, batch):
    sampler.model().export(path, format="tf_saved_model", verbose=False)


def to_litert(sampler, path, batch):
    sampler.generator = _enlarging_by_reshaping(sampler.generator)
    sampler.model().export(path, format="litert", verbose=False)


def to_openvino(sampler, path, batch):
    sampler.model().export(path, format="openvino", verbose=False)


def to_pt2(sampler, path, batch):
    from kgan.backend.torch import any_size  # the engine of this process

    model = sampler.model()
    sizes = {one.name: {0: any_size("batch")} for one in model.inputs}
    model.export(path, format="torch", verbose=False, dynamic_shapes=sizes)


class _Repeated(layers.UpSampling2D):
    """Nearest-neighbour enlargement by reshaping; after two of Keras' own, LiteRT no longer knows the number of channels."""

    def call(self, inputs):
        (down, across), (height, width, channels) = self.size, ops.shape(inputs)[1:]
        wide = ops.reshape(ops.concatenate([inputs] * across, axis=3), (-1, height, across * width, channels))
        return ops.reshape(ops.concatenate([wide] * down, axis=2), (-1, down * height, across * width, channels))


def _enlarging_by_reshaping(generator):
    """The same generator with `_Repeated` layers; a generator without a graph as it is."""

    def copied(layer):
        enlarges = type(layer) is layers.UpSampling2D
        if enlarges and (layer.interpolation, layer.data_format) == ("nearest", "channels_last"):
            return _Repeated.from_config(layer.get_config())
        return type(layer).from_config(layer.get_config())

    if not getattr(generator, "operations", None):
        return generator
    again = keras.models.clone_model(generator, clone_function=copied, recursive=True)
    again.set_weights(generator.get_weights())
    return again


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
    generator = in_single_precision(load(folder / "generator.keras"), folder)
    sampler = Sampler(generator, condition, job["latent_dim"], pixels=job["pixels"], any_size=job["any_size"])
    CONVERTERS[job["format"]](sampler, job["path"], job["batch"])
