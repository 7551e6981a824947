"""Saving a GAN, or any Keras model, as one `.keras` file, and loading it again."""

import pathlib
import warnings
import zipfile

import keras
from keras import ops

from kgan import backend
from kgan.files import replace_when_written


def load_model(path):
    """`keras.saving.load_model` in safe mode, after a check of the archive's size and of the paths in it.

    Raises:
        ValueError: if it is not a `.keras` file, a path in it leads outside, or it decompresses to over 20 times its size.
    """
    path = pathlib.Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except FileNotFoundError:
        raise ValueError(f"There is no file {path}.") from None
    except (OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a .keras file: {error}") from None
    for member in members:
        parts = pathlib.PurePosixPath(member.filename).parts
        if ".." in parts or member.filename.startswith(("/", "\\")):
            raise ValueError(f"{path} contains a file with a path outside of the archive: {member.filename!r}")
    size, unfolded = path.stat().st_size, sum(member.file_size for member in members)
    if unfolded > 20 * size + 10_000_000:
        raise ValueError(f"{path} has {size:,} bytes and would decompress to {unfolded:,}, far more than a model file")
    return keras.saving.load_model(path, safe_mode=True)


def check_path(path, zipped=None, **_):
    """Raise ValueError if a GAN cannot be saved under that path: only `.keras` holds all of it, and is safe to load."""
    if zipped is not False and pathlib.Path(path).suffix != ".keras":
        raise ValueError(
            "A GAN is saved in a file whose name ends in .keras; `save_weights` writes .weights.h5, and `export` writes the "
            f"generator for other programs. Received: {str(path)!r}"
        )


def check_serializable(model):
    """Raise ValueError if the model's config refers to something that `load` could not find.

    Keras saves a lambda, or an unregistered function or class, without a warning, and later refuses to load it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras' own warning about lambdas
            config = keras.saving.serialize_keras_object(model)
    except NotImplementedError as error:
        said = " ".join(str(error).split()).partition(". ")[0]
        raise ValueError(f"The model cannot be saved: it could not be loaded again. {said}.") from None
    for what in _unknown(config):
        raise ValueError(
            f"The model cannot be saved: it could not be loaded again, because it uses {what}. "
            "Decorate it with @keras.saving.register_keras_serializable()."
        )


def _unknown(config):
    if isinstance(config, list | tuple):
        for item in config:
            yield from _unknown(item)
    if not isinstance(config, dict):
        return
    kind, module = config.get("class_name"), config.get("module")
    if kind == "__lambda__":
        yield "a lambda (write a function instead)"
    elif kind and isinstance(module, str) and module.split(".")[0] != "keras":
        name = config["config"] if kind == "function" else config.get("registered_name")
        if not isinstance(name, str) or keras.saving.get_registered_object(name) is None:
            yield f"{'the function' if kind == 'function' else 'the class'} {name!r}, which is not registered"
    for value in config.values():
        yield from _unknown(value)


class KerasFile:
    """Saves a GAN: the parts that Keras' `save` writes and `load_model` reads."""

    def save(self, filepath, overwrite=True, **kwargs):
        """Save players, optimizers, seeds and counters in one `.keras` file, which replaces an old one when it is complete.

        Raises:
            ValueError: if `filepath` does not end in `.keras`; or if the file could not be loaded again, because the GAN
                uses a lambda or an unregistered function or class.
        """
        check_path(filepath, **kwargs)
        check_serializable(self)
        self.sync()
        if not overwrite or pathlib.Path(filepath).suffix != ".keras":
            return super().save(filepath, overwrite=overwrite, **kwargs)
        with replace_when_written(filepath) as temporary:
            super().save(temporary, **kwargs)
        return None

    def save_weights(self, filepath, *args, **kwargs):
        """Save all that training changes but the sums behind the logs. See `keras.Model.save_weights`."""
        self.sync()
        super().save_weights(filepath, *args, **kwargs)

    def export(self, filepath, format=None, **kwargs):
        """Export the averaged generator if there is one, otherwise the trained one. See `keras.Model.export`.

        The formats are Keras' own: by default `"torch"` on PyTorch, whose file ends in `.pt2`, and a folder with a
        `"tf_saved_model"` elsewhere. The exported function takes latents, or `[latents, labels]`; on PyTorch in a batch of
        one, unless `dynamic_shapes` is given, such as `{0: torch.export.Dim("batch")}`.

        Raises:
            ValueError: if the format needs another engine.
        """
        format = format or backend.EXPORT_FORMAT
        if format == "tf_saved_model" != backend.EXPORT_FORMAT:
            raise ValueError(
                f"`format` of export must be {backend.EXPORT_FORMAT!r} or 'onnx' on {backend.TITLE}: Keras writes a "
                f"SavedModel on TensorFlow and JAX only. Received: {format!r}"
            )
        self.sync()
        self.sampling_generator.export(str(filepath), format=format, **kwargs)

    def get_config(self):
        config = {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "latent_dim": self.latent_dim,
            "latents": keras.saving.serialize_keras_object(self.latents),
            "seed": self.seed,
            "pack": self.pack,
            "condition": keras.saving.serialize_keras_object(self.condition),
        }
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for key in ("generator", "discriminator", "latents", "condition"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)

    def get_build_config(self):
        return None  # built by its constructor

    def get_compile_config(self):
        if not self.compiled:
            return {}
        config = keras.saving.serialize_keras_object(self.rules.get_config())
        for name in ("d_opt", "g_opt"):
            arguments = config[name]["config"]
            inner = arguments.get("inner_optimizer", {"config": arguments})["config"]
            given = self.compiled_with[name]["arguments"]["learning_rate"]
            if isinstance(inner.get("learning_rate"), float) and isinstance(given, float):
                inner["learning_rate"] = given  # the current one, which a callback may have changed, is a variable
        return config

    def compile_from_config(self, config):
        if config:
            self.compile(**keras.saving.deserialize_keras_object(config))

    def save_own_variables(self, store):
        for name, variable in self._own_variables().items():
            store[name] = ops.convert_to_numpy(variable)

    def load_own_variables(self, store):
        for name, variable in self._own_variables().items():
            variable.assign(store[name][()])

    def _own_variables(self):
        """The counters, and all seeds, of latents and of dropout layers: Keras itself saves no seeds."""
        weights = {id(variable) for variable in self.weights}
        seeds = [variable for variable in self.variables if id(variable) not in weights]
        return {"turn": self.turn, "epochs": self.epochs} | {f"seed_{i}": seed for i, seed in enumerate(seeds)}
