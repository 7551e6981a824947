"""Measuring: real and generated examples, an extractor, metrics; scores come out."""

import contextlib
import functools
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from threadpoolctl import threadpool_limits

from kgan import extractors, metrics, snapshots
from kgan.names import lookup
from kgan.scores import Score

REAL = 10_000  # real examples, spread evenly over all
LEAST = 20  # fewer examples cannot be halved and still measured
SMALL = 512  # features
POSITIVE, SHARE = (0.0, math.inf), (0.0, 1.0)
HALVES = 10  # of the generated examples, that show how far a score moves by their draw


@dataclass(frozen=True)
class Measure:
    """A metric as it is measured: the names of its values, which way is better, where they can lie, and a function of
    `Features`.

    The function takes those of real and of generated examples, and returns pairs of a value and the metric's own standard
    deviation or `None`, one for each name.
    """

    names: tuple[str, ...]
    better: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]
    arguments: dict[str, Any]
    measure: Callable
    needs: str = "features"


def _frechet(real, generated):
    return [(metrics.frechet_distance(real.features, generated.features), None)]


def _kernel(real, generated, **arguments):
    return [metrics.kernel_distance(real.features, generated.features, **arguments)]


def _inception(real, generated, splits):
    return [metrics.inception_score(generated.logits, splits)]


def _precision_recall(real, generated, k):
    return [
        (value, None)
        for value in metrics.precision_recall(real.features, generated.features, k, known_radii=real.radii(k))
    ]


def _density_coverage(real, generated, k):
    return [
        (value, None)
        for value in metrics.density_coverage(real.features, generated.features, k, known_radii=real.radii(k))
    ]


def _modes(real, generated):
    return [(value, None) for value in metrics.mode_coverage(generated.modes, generated.classes)]


def _gaussians(real, generated, sigmas):
    labels = np.unique(real.modes)
    centres = np.stack([real.features[real.modes == label].mean(0) for label in labels])
    std = float(np.sqrt(((real.features - centres[np.searchsorted(labels, real.modes)]) ** 2).mean()))
    return [(value, None) for value in metrics.gaussian_modes(generated.features, centres, std, sigmas)]


MEASURES = {
    "frechet_distance": Measure(("frechet_distance",), ("min",), (POSITIVE,), {}, _frechet),
    "kernel_distance": Measure(
        ("kernel_distance",), ("min",), ((-math.inf, math.inf),), {"subsets": 100, "subset_size": 1000}, _kernel
    ),
    "inception_score": Measure(
        ("inception_score",), ("max",), ((1.0, math.inf),), {"splits": 10}, _inception, "logits"
    ),
    "precision_recall": Measure(("precision", "recall"), ("max", "max"), (SHARE, SHARE), {"k": 3}, _precision_recall),
    "density_coverage": Measure(
        ("density", "coverage"), ("max", "max"), (POSITIVE, SHARE), {"k": 5}, _density_coverage
    ),
    "mode_coverage": Measure(("modes", "mode_divergence"), ("max", "min"), (POSITIVE, POSITIVE), {}, _modes, "modes"),
    "gaussian_modes": Measure(
        ("modes", "near_a_mode"), ("max", "max"), (POSITIVE, SHARE), {"sigmas": 3.0}, _gaussians, "points"
    ),
}


def _real(features, labels):
    """Features of real examples, that remember their balls."""
    features = extractors.Features(features.features, features.logits, labels)
    features.radii = functools.cache(lambda k: metrics.radii(features.features, k))
    return features


def names_of(metrics, classes=()):
    """The names of these metrics' values in the logs, of each class too, and for each which way is better."""
    found: dict[str, str] = {}
    for measure in (MEASURES[name] for name in np.atleast_1d(metrics)):
        of_classes = classes if measure.needs == "features" else ()
        for name, way in zip(measure.names, measure.better, strict=True):
            found |= {name: way, **{f"{name}_class_{label}": way for label in of_classes}}
    return found


class Scorer:
    """Scores generated examples against the same real ones, whose features are taken once.

    Example:

    >>> images, labels = kgan.data.ring(samples=1000)
    >>> scorer = kgan.scoring.Scorer(images, labels, name="ring")
    >>> [score] = scorer(images[::2], "frechet_distance")
    >>> score.value < 0.001
    True

    Args:
        images: Array, or `kgan.data.Folder`, of real images `(n, height, width, channels)`, or points `(n, d)`.
        labels: Integers `(n,)`, the class of each; or `None`.
        extractor: As in `kgan.extractors.get`.
        name: String. What the data are called.
        split: String. Which part of them this is.
        real: Integer. So many are compared with, spread evenly over all.
        fitted: String. In words, how they came to their one size, as in `kgan.data.Data`.

    Attributes:
        seconds: Float. How long it took to prepare the extractor and the features of the real images.

    Raises:
        ValueError: if there are fewer than 20 images, or the extractor does not suit them.
    """

    def __init__(self, images, labels=None, extractor="auto", name="the data", split="train", real=REAL, fitted=""):
        if len(images) < LEAST:
            raise ValueError(f"At least {LEAST} real images are needed to score others. Received: {len(images)}")
        began = time.monotonic()
        self.extractor = extractors.get(extractor, images, labels)
        chosen = np.linspace(0, len(images) - 1, min(len(images), real)).astype(int)
        labels = None if labels is None else np.ascontiguousarray(np.asarray(labels)[chosen])
        self._classes: dict[int, extractors.Features] = {}
        self.shape = tuple(images.shape[1:])
        digest = hashlib.sha256(f"{(len(chosen), *self.shape)}{images.dtype}".encode())
        found = []
        for part in extractors.parts(images, chosen):
            digest.update(np.ascontiguousarray(part).tobytes())
            found.append(self.extractor(part))
        self.real = _real(extractors.Features.joined(found), labels)
        self.seconds = time.monotonic() - began
        if labels is not None:
            digest.update(labels.tobytes())
        backend = keras.backend.backend()
        versions = snapshots.versions()
        self._about = {
            "extractor": self.extractor.name,
            "weights": self.extractor.weights,
            "resize": "; ".join(filter(None, [fitted, self.extractor.resize(self.shape)])),
            "data": digest.hexdigest(),
            "name": name,
            "split": split,
            "n_real": len(chosen),
            "versions": {package: versions[package] for package in ("kgan", "keras", "numpy", backend)},
        }

    @property
    def suitable(self):
        """Names of the metrics that mean something here."""
        points = len(self.shape) == 1
        labelled = self.real.modes is not None
        there = {
            "features": True,
            "logits": self.real.logits is not None,
            "modes": not points and labelled and self.extractor.accuracy is not None,
            "points": points and labelled,
        }
        return [name for name, measure in MEASURES.items() if there[measure.needs]]

    def check(self, names):
        """The metrics of these names, as a list.

        Raises:
            ValueError: if one is unknown, or means nothing here.
        """
        names = [names] if isinstance(names, str) else list(names)
        for name in names:
            lookup("metric", name, MEASURES)
            if name not in self.suitable:
                raise ValueError(
                    f"The metric {name!r} means nothing for these data and the extractor {self.extractor.name!r}. "
                    f"There are: {', '.join(self.suitable)}."
                )
        return names

    def labels_for(self, n):
        """Labels `(n,)` for a class-conditional generator: the classes in the shares that the real images have."""
        if self.real.modes is None:
            return None
        return np.sort(self.real.modes)[np.linspace(0, len(self.real.modes) - 1, n).astype(int)].astype("int32")

    def __call__(self, generated, names, seed=None, where=None, labels=None):
        """Score generated examples.

        Args:
            generated: Array or `kgan.data.Folder` of images, or points; at least 20. Images of another size or number of
                channels than the real ones are resized by the extractor, and the scores say so.
            names: Name in `MEASURES`, or several.
            seed: Integer. What they were made with, if that is known.
            where: Dict. Where in a training, such as `epoch`.
            labels: Integers `(n,)`, what they were made for: then each class is scored against the real images of that class
                alone, too.

        Returns:
            A list of `kgan.scores.Score`, those of all images first.

        Raises:
            ValueError: if there are fewer, of a class too, or of a shape that cannot be resized; or a metric means nothing.
        """
        shape = tuple(generated.shape[1:])
        fits = shape == self.shape or (
            len(shape) == len(self.shape) == 3 and self.extractor.sees(shape) == self.extractor.sees(self.shape)
        )
        if not fits or len(generated) < LEAST:
            raise ValueError(
                f"At least {LEAST} generated examples of the real ones' shape {self.shape} can be scored. "
                f"Received: an array of shape {tuple(generated.shape)}"
            )
        about = dict(self._about)
        if shape != self.shape:
            about["resize"] += f"; generated images: {self.extractor.resize(shape)}"
        found = self.extractor(generated)
        # threads that wait for each other take longer over small matrices than one, on a busy machine a hundred times
        few = found.features.shape[1] <= SMALL
        with threadpool_limits(1, "blas") if few else contextlib.nullcontext():
            measured = self._scores(self.real, found, names, seed, where, about)
            of_features = [name for name in self.check(names) if MEASURES[name].needs == "features"]
            for label in [] if labels is None else self.check_classes(labels):
                real, made = self._of_class(label), found[np.asarray(labels) == label]
                of_class = {**about, "n_real": len(real), "label": label}
                measured += self._scores(real, made, of_features, seed, where, of_class)
        return measured

    def check_classes(self, labels):
        """All classes, as a list, given the labels of images that are to be generated.

        Raises:
            ValueError: if there are no labels, or too few images of a class, real or generated, to score it by itself.
        """
        if labels is None:
            raise ValueError("Only images with labels can be scored class by class.")
        classes = np.unique(labels if self.real.modes is None else np.concatenate([labels, self.real.modes]))
        for what, there in (("real", self.real.modes), ("generated", labels)):
            counts = {label: 0 if there is None else int((np.asarray(there) == label).sum()) for label in classes}
            rarest = min(classes, key=lambda label: counts[label])
            if counts[rarest] < LEAST:
                share = "" if there is None else f" of {len(there):,}"
                raise ValueError(
                    f"At least {LEAST} {what} images of class {rarest} are needed to score it. "
                    f"There are: {counts[rarest]}{share}"
                )
        return classes.tolist()

    def _of_class(self, label):
        """Features of the real images of one class."""
        if label not in self._classes:
            chosen = self.real.modes == label
            self._classes[label] = _real(self.real[chosen], self.real.modes[chosen])
        return self._classes[label]

    def _scores(self, real, found, names, seed, where, about):
        draw = np.random.default_rng(0)
        halves = [found[draw.permutation(len(found))[: len(found) // 2]] for _ in range(HALVES)]
        scores = []
        for name in self.check(names):
            measure = MEASURES[name]
            values = measure.measure(real, found, **measure.arguments)
            of_halves = [measure.measure(real, half, **measure.arguments) for half in halves]
            for index, (value, std) in enumerate(values):
                noise = 2 * float(np.std([half[index][0] for half in of_halves], ddof=1))
                least, most = measure.bounds[index]
                if measure.names[index] == "modes":
                    most = found.classes or len(np.unique(self.real.modes))
                scores.append(
                    Score(
                        metric=measure.names[index],
                        value=value,
                        interval=(max(value - noise, min(least, value)), min(value + noise, max(most, value))),
                        std=std,
                        better=measure.better[index],
                        arguments=measure.arguments,
                        n_generated=len(found),
                        seed=seed,
                        where=where or {},
                        **about,
                    )
                )
        return scores
