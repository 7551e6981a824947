"""An export is written by the engine of its format, run by the format's own runtime, compared, and kept or deleted."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import keras
import numpy as np
from keras import ops

from kgan import backend, environment
from kgan.arguments import lookup
from kgan.checkpoints import signals
from kgan.checkpoints.keras_file import check_serializable
from kgan.exports.formats import FORMATS, check_installed, versions
from kgan.exports.sampler import GIVEN, IMAGES, LABELS, LATENTS, Sampler, in_single_precision
from kgan.exports.script import script
from kgan.files import check_replaceable, checksums, folder_when_written
from kgan.latents import seeds as seeds_of
from kgan.players.samples import Samples

INDEX = "export.json"
BATCHES = (1, 7, 64)
MOST = 1e-4  # the largest difference of images in [-1, 1]
EQUAL = 0.999  # the least share of pixels that are equal when they are uint8
# runs `infer.py` in a folder on inputs that were saved, and saves what it makes; for weights alone, saves them
RUN = """
import sys, numpy as np
sys.path.insert(0, sys.argv[1])
import infer
def saved(part):
    return np.load(f"{sys.argv[2]}/{part}.npz")
if hasattr(infer, "weights"):
    np.savez(f"{sys.argv[2]}/made.npz", **infer.weights())
else:
    np.savez(f"{sys.argv[2]}/made.npz", **{part: infer.images(**saved(part)) for part in sys.argv[3:]})
"""


class ExportError(RuntimeError):
    """A generator that could not be exported, or whose export makes other images. Nothing is left of it."""


def export(gan, path, to="onnx", uint8=False, domain=None, plugins=()):
    """Write the generator of a GAN in the format of another program, and compare the two.

    The file is written by an engine that Keras exports that format with, whichever one trained the GAN, in a process of its
    own. It takes `latents` `(batch, latent_dim)`, with classes also `labels` `(batch,)`, and instead of both or besides the
    latents `given`, images, if the generator is given some; it returns `images` in [-1, 1]. The batch may have any size;
    so may images that are given, if the generator consists of convolutions and the format is not `"pt2"`.

    Beside it lie `infer.py`, which needs only numpy and the format's runtime, and `export.json` with inputs, versions,
    differences and checksums. Before anything is kept, `infer.py` makes images of 64 fixed inputs, and of every class, in
    batches of 1, 7 and 64. They must differ from the generator's by at most 1e-4, and 99.9 % of their pixels as uint8 must
    be equal. The weights alone, `"npz"` and `"safetensors"`, must be equal.

    Args:
        gan: `kgan.GAN`. The averaged generator is exported if there is one, otherwise the trained one.
        path: Path of the folder, which is made.
        to: `"onnx"`, `"saved_model"`, `"litert"`, `"openvino"` or `"pt2"`; `"npz"` or `"safetensors"` for the weights by
            their paths in the model.
        uint8: Boolean. Whether `images` are pixels, and those that are given too; the scaling is then a part of the file.
        domain: `"a"` or `"b"`, the domain of the images, for a GAN of two domains.
        plugins: Paths of Python files with the layers of your own that the generator has.

    Returns:
        What `export.json` holds, a dict.

    Raises:
        ValueError: if an argument is not valid, a package is missing, or the generator cannot be saved.
        ExportError: if the conversion fails, or the export makes other images than the generator.
    """
    gan.sync()
    return export_generator(
        gan.sampling_generator, gan.condition, gan.latent_dim, gan.latents, path, to, uint8, domain, plugins
    )


def export_generator(generator, condition, latent_dim, latents, path, to="onnx", uint8=False, domain=None, plugins=()):
    """`export` of a generator and what surrounds it. Args, Returns, Raises: as there, and as in `kgan.GAN`."""
    path = pathlib.Path(path)
    form = lookup("format", to, FORMATS)
    check_installed(to)
    check_replaceable(path, INDEX)
    if condition.gives_images or domain is not None:
        generator, condition = condition.one_way(generator, domain)
    if uint8 and (form.weights_alone or len(generator.outputs[0].shape) != 4):
        raise ValueError("`uint8` is for formats that make images, and for generators that make some.")
    check_serializable(generator)
    path.parent.mkdir(parents=True, exist_ok=True)
    with signals.noted() as wishes, folder_when_written(path) as folder, tempfile.TemporaryDirectory() as work:
        generator = in_single_precision(generator, pathlib.Path(work))
        sampler = Sampler(generator, condition, latent_dim, latents, uint8, form.any_size)
        if form.engine is None:
            _write_weights(generator, folder / form.file)
        else:
            convert_to(
                generator, condition, latent_dim, to, folder / form.file, pathlib.Path(work), uint8, plugins=plugins
            )
        (folder / "infer.py").write_text(script(form, sampler), "utf-8")
        compare = _compare_weights if form.weights_alone else _compare
        compared = compare(sampler, folder, pathlib.Path(work), to)
        if wishes:
            raise signals.Interrupted(128 + wishes[0])
        record = {
            "format": to,
            "inputs": [] if form.weights_alone else [one.record() for one in sampler.inputs],
            "outputs": [] if form.weights_alone else [_output(sampler)],
            "multiple": sampler.multiple,
            "compared_with": backend.NAME,
            "written_by": form.engine or backend.NAME,
            "versions": environment.versions() | versions(to),
            "compared": compared,
            "files": checksums(folder),
        }
        (folder / INDEX).write_text(json.dumps(record, indent=2) + "\n", "utf-8")
        for one in folder.iterdir():  # folders of an earlier export; what else lies there stays
            if (path / one.name).is_dir():
                shutil.rmtree(path / one.name)
    return record


def _write_weights(generator, path):
    values = _weights(generator)
    if path.suffix == ".npz":
        np.savez(path, **values)
    else:
        from safetensors.numpy import save_file  # of the extra

        save_file(values, path)


def _weights(generator):
    """The values of a generator's variables by their paths.

    Raises:
        ValueError: if two variables have one path.
    """
    found = {one.path: np.ascontiguousarray(ops.convert_to_numpy(one.value)) for one in generator.variables}
    if len(found) < len(generator.variables):
        raise ValueError("Two variables of the generator have one path: give all layers of nested models other names.")
    return found


def convert_to(generator, condition, latent_dim, to, path, work, uint8=False, batch=None, plugins=()):
    """Let a process with the format's engine write the file.

    Args:
        generator, condition, latent_dim, to, uint8, plugins: As in `export_generator`, of one direction.
        path: Path of the file.
        work: Path of a folder for what the process is given.
        batch: Integer, the only size that batches may have; `None` for any. For ONNX.

    Raises:
        ExportError: if that fails.
    """
    generator.save(work / "generator.keras")
    job = {
        "format": to,
        "path": str(path),
        "condition": keras.saving.serialize_keras_object(condition),
        "latent_dim": latent_dim,
        "pixels": uint8,
        "any_size": FORMATS[to].any_size,
        "batch": batch,
        "plugins": [str(pathlib.Path(one).resolve()) for one in plugins],
    }
    (work / "job.json").write_text(json.dumps(job), "utf-8")
    # on the processor, since this process may hold all of an accelerator's memory; with -P nothing is imported from the
    # folder in which kgan is called, which may be a stranger's
    own = {"KERAS_BACKEND": FORMATS[to].engine, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    command = "import sys; from kgan.exports import convert; convert.main(sys.argv[1])"
    _process([sys.executable, "-P", "-c", command, str(work)], own, f"the conversion to {to} failed")


def _process(command, own, failed):
    with signals.noted() as wishes:
        done = subprocess.run(
            command, env={**os.environ, **own}, text=True, encoding="utf-8", errors="replace", capture_output=True
        )
    if wishes:  # Ctrl-C reaches that process too
        raise signals.Interrupted(128 + wishes[0])
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit status {done.returncode}"]
        raise ExportError(f"{failed}: {' '.join(said[-1].split())[:400]}")


def _infer(folder, work, parts):
    own = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1", "CUDA_VISIBLE_DEVICES": "-1"}
    _process([sys.executable, "-P", "-c", RUN, str(folder), str(work), *parts], own, "infer.py failed")
    with np.load(work / "made.npz") as made:
        return dict(made)


def _compare(sampler, folder, work, to):
    """Compare images of the export with the generator's own; a dict of the differences.

    Raises:
        ExportError: if they are too large.
    """
    count = max(BATCHES[-1], len(sampler.condition.classes))
    expected: dict[str, np.ndarray] = {}
    for size in sampler.sizes:
        for batch in (*BATCHES[:-1], count) if size == sampler.sizes[0] else BATCHES[:-1]:
            inputs = sampler.fixed(batch, size)
            part = f"inputs-{len(expected)}"
            expected[part] = _reference(sampler, inputs)
            np.savez(work / f"{part}.npz", **inputs)
    made = _infer(folder, work, list(expected))
    for part, images in expected.items():
        if made[part].shape != images.shape or made[part].dtype != images.dtype:
            kinds = [f"{one.dtype} of shape {one.shape}" for one in (made[part], images)]
            raise ExportError(f"the export to {to} makes images that are {kinds[0]}, and the generator {kinds[1]}")
    pairs = [(made[part].astype("float64"), expected[part].astype("float64")) for part in expected]
    furthest = np.max([np.abs(one - other).max() for one, other in pairs])  # NaN if there is one
    found = {"inputs": count, "batches": list(BATCHES), "largest_difference": float(furthest)}
    found["mean_difference"] = float(np.mean(np.concatenate([np.abs(one - other).ravel() for one, other in pairs])))
    share = 1.0
    if images.ndim == 4:
        equal = [_pixels(made[part]) == _pixels(expected[part]) for part in expected]
        share = found["equal_pixels"] = float(sum(map(np.sum, equal)) / sum(map(np.size, equal)))
    if not furthest <= (1 if sampler.pixels else MOST) or share < EQUAL:
        raise ExportError(
            f"the export to {to} makes other images than the generator: the largest difference is {furthest:.3g} "
            f"(at most {1 if sampler.pixels else MOST:g} is right), and {share:.2%} of the pixels are equal "
            f"(at least {EQUAL:.1%} is right)"
        )
    return found


def _pixels(images):
    if images.dtype == np.uint8:
        return images
    with np.errstate(invalid="ignore"):  # of NaN, which the difference shows
        return np.clip(np.rint((images + 1.0) * 127.5), 0, 255).astype("uint8")


def _reference(sampler, inputs):
    """The images of the generator itself, on the engine of this process."""
    given = inputs.get(GIVEN, inputs.get(LABELS))
    if sampler.condition.gives_images:
        given = sampler.condition.from_user(given, sampler.image_shape, given.shape[1:], seeds_of(0))
    made = Samples(
        sampler.generator, inputs.get(LATENTS), given, sampler.image_shape, BATCHES[1], sampler.condition
    ).standard()[:]
    return _pixels(made) if sampler.pixels else made


def _compare_weights(sampler, folder, work, to):
    """Compare the weights that a file holds with the generator's own, as `_compare`."""
    read, own = _infer(folder, work, []), _weights(sampler.generator)
    if read.keys() != own.keys() or not all(np.array_equal(read[name], own[name], equal_nan=True) for name in own):
        raise ExportError(f"the export to {to} holds other weights than the generator")
    return {"arrays": len(own), "numbers": sum(one.size for one in own.values()), "largest_difference": 0.0}


def _output(sampler):
    shape = ["any" if side is None else side for side in sampler.generator.outputs[0].shape[1:]]
    dtype, meaning = ("uint8", "pixels") if sampler.pixels else ("float32", "images in [-1, 1]")
    return {"name": IMAGES, "shape": ["batch", *shape], "dtype": dtype, "meaning": meaning}
