"""A small classifier trained on the data set itself: features for images that are unlike ImageNet's, such as digits.

It is trained once for each data set, in a separate process, always on TensorFlow and on the CPU, so that it depends neither
on the training that is scored nor on its engine. It is saved under a hash.
"""

import functools
import logging
import os
import pathlib
import subprocess
import sys
import tempfile

import keras
import numpy as np
from keras import layers

from kgan import pictures
from kgan.data.spread import positions
from kgan.extractors.extractor import Extractor, Features, chunks, hash_of, resized, uint8
from kgan.files import replace_when_written

VERSION = 1  # of the code below: a change of the extractor needs a new version
STEPS, BATCH = 1500, 128
LARGEST = 32  # pixels of a side; larger images are made smaller
MOST = 60_000  # images to train with
HELD_OUT = 12  # every twelfth image is held out to test the classifier

log = logging.getLogger("kgan")


def classifier(images, labels=None):
    """Return the extractor for these images: a convolutional network that was trained to predict their classes.

    Two strided convolutions and 128 hidden units, which are the features; 1,500 batches of 128 with a fixed seed, some 20 s
    for MNIST on two cores. Without labels it learns to predict the rotation of an image, by 0, 90, 180 or 270 degrees
    (Gidaris et al., arXiv:1803.07728), or by 0 or 180 if it is not square. The weights are saved in the folder that the
    environment variable `KGAN_CACHE` names, `~/.cache/kgan` by default, under a hash of the images and labels.

    Args:
        images: uint8 array, or floats in [-1, 1], `(n, height, width, channels)`. At most 60,000 are used, spread evenly.
        labels: Integers `(n,)`, the class of each; or `None`.

    Returns:
        An `Extractor`.

    Raises:
        ValueError: if `images` are not images, or the number of labels differs.
    """
    if labels is not None and len(labels) != len(images):
        raise ValueError(f"There must be a label for each image. Received: {len(labels)} labels, {len(images)} images.")
    chosen = positions(len(images), MOST)
    shape = *_small(images.shape[1:3]), images.shape[3]
    images = np.concatenate([resized(uint8(part), shape) for part in chunks(images, chosen)])
    named = labels is not None and len(np.unique(labels)) > 1
    if named:
        labels = np.unique(np.asarray(labels)[chosen], return_inverse=True)[1]
    else:
        images, labels = _turned(images)
    path = cache() / f"classifier-{hash_of([np.array(VERSION), images, labels])[:16]}.npz"
    if not path.exists():
        log.warning(
            "Training the classifier whose features the scores use, once for these images: 20 s for MNIST on two cores."
        )
        _train(images, labels, path)
    with np.load(path, allow_pickle=False) as kept:
        weights, accuracy = [kept[f"weight_{index}"] for index in range(len(kept.files) - 1)], float(kept["accuracy"])
    model = network(images.shape[1:], int(labels.max()) + 1)
    model.set_weights(weights)
    if named:
        return Extractor("classifier", model, hash_of(weights), accuracy)
    return Extractor("rotations", keras.Model(model.input, model.output["features"]), hash_of(weights))


def cache():
    """The folder where classifiers are saved."""
    usual = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("KGAN_CACHE") or pathlib.Path(usual) / "kgan")


def network(shape, classes):
    """The untrained network, images `(batch, *shape)` in [-1, 1] -> features `(batch, 128)` and logits."""
    seeds = iter(range(4))

    def start():
        return keras.initializers.HeNormal(seed=next(seeds))

    images = keras.Input(shape, dtype="float32")
    # independent of the user's policy and data format
    convolution = functools.partial(
        layers.Conv2D, strides=2, padding="same", activation="relu", dtype="float32", data_format="channels_last"
    )
    x = convolution(32, 5, kernel_initializer=start())(images)
    x = convolution(64, 3, kernel_initializer=start())(x)
    x = layers.Flatten(dtype="float32", data_format="channels_last")(x)
    features = layers.Dense(128, activation="relu", kernel_initializer=start(), dtype="float32")(x)
    logits = layers.Dense(classes, kernel_initializer=start(), dtype="float32")(features)
    return keras.Model(images, {"features": features, "logits": logits}, name="classifier")


def learn(source, target):
    """Train the network on the images and labels in one `.npz` file, and write its weights to another."""
    with np.load(source, allow_pickle=False) as given:
        images, labels = given["images"], given["labels"]
    held_out = np.arange(len(images)) % HELD_OUT == 0
    trained = network(images.shape[1:], int(labels.max()) + 1)
    model = keras.Model(trained.input, trained.output["logits"])
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, STEPS)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    draw = np.random.default_rng(0)
    for _ in range(STEPS):
        batch = draw.choice(np.flatnonzero(~held_out), BATCH)
        model.train_on_batch(pictures.floats(images[batch]), labels[batch])
    _, accuracy = model.evaluate(pictures.floats(images[held_out]), labels[held_out], verbose=0)
    weights = {f"weight_{index}": weight for index, weight in enumerate(trained.get_weights())}
    np.savez(target, accuracy=accuracy, **weights)


class _Stacked(Extractor):
    """Applies a classifier of grey images to each channel; the classes are the digits of a number, the mode."""

    def resize(self, shape):
        resize = super().resize((*shape[:2], 1))
        return "a channel at a time" if resize == "none" else f"a channel at a time, {resize}"

    def __call__(self, images):
        images = images[:]
        if images.shape[-1] != 3:
            raise ValueError(f"Stacked images have three channels. Received: {images.shape[-1]}")
        channels = [super(_Stacked, self).__call__(images[..., [channel]]) for channel in range(3)]
        base = channels[0].logits.shape[1]
        modes = sum(one.modes * base ** (2 - place) for place, one in enumerate(channels))
        return Features(np.concatenate([one.features for one in channels], axis=1), None, modes, base**3)


def stacked(images, labels):
    """For images of three stacked grey images with labels 100 a + 10 b + c: a classifier of the single images.

    Args, Raises: as `classifier`.
    """
    if labels is None or images.shape[-1] != 3:
        received = "no labels" if labels is None else f"{images.shape[-1]} channel{'s' * (images.shape[-1] > 1)}"
        raise ValueError(
            f"The extractor 'stacked' is for images of three channels and their labels. Received: {received}"
        )
    labels = np.asarray(labels)
    channel = np.arange(len(images)) % 3
    digits = labels // 10 ** (2 - channel) % 10
    single = np.take_along_axis(images[:], channel[:, None, None, None], axis=3)
    found = classifier(single, digits)
    return _Stacked(found.name, found.model, found.weights, found.accuracy)


def _small(sides):
    """Height and width, the larger one at most LARGEST."""
    scale = min(1.0, LARGEST / max(sides))
    return tuple(max(1, round(side * scale)) for side in sides)


def _turned(images):
    """Images rotated in turn, and their rotations."""
    height, width = images.shape[1:3]
    quarters = np.arange(len(images)) % 4 if height == width else 2 * (np.arange(len(images)) % 2)
    turned = images.copy()
    for quarter in np.unique(quarters):
        turned[quarters == quarter] = np.rot90(images[quarters == quarter], quarter, axes=(1, 2))
    return turned, np.unique(quarters, return_inverse=True)[1]


def _train(images, labels, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    quiet_cpu = {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    code = "import sys; from kgan.extractors.learned import learn; learn(*sys.argv[1:])"
    with tempfile.TemporaryDirectory() as folder, replace_when_written(path) as temporary:
        source = pathlib.Path(folder) / "images.npz"
        np.savez(source, images=images, labels=labels)
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, str(source), str(temporary)],
            env={**os.environ, **quiet_cpu},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["no message was printed"])[-1]
            raise RuntimeError(f"The classifier whose features the scores use could not be trained: {said}")
