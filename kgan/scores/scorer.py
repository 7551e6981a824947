"""Measuring: real and generated examples, an extractor, metrics; scores come out."""

import contextlib
import functools
import hashlib
import time

import numpy as np
from threadpoolctl import threadpool_limits

from kgan import backend, environment, extractors, metrics
from kgan.arguments import lookup
from kgan.scores.measures import MEASURES
from kgan.scores.record import Record

REAL = 10_000  # real examples, spread evenly over all
LEAST = 20  # fewer examples cannot be halved and still measured
SMALL = 512  # features
HALVES = 10  # of the generated examples, that show how far a score moves by their draw


def _real(features, labels):
    """Features of real examples, that remember their balls."""
    features = extractors.Features(features.features, features.logits, labels)
    features.radii = functools.cache(lambda k: metrics.radii(features.features, k))
    return features


class Scorer:
    """Scores generated examples against the same real ones, whose features are taken once.

    Example:

    >>> images, labels = kgan.data.ring(samples=1000)
    >>> scorer = kgan.scores.Scorer(images, labels, name="ring")
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
        for part in extractors.chunks(images, chosen):
            digest.update(np.ascontiguousarray(part).tobytes())
            found.append(self.extractor(part))
        self.real = _real(extractors.Features.joined(found), labels)
        self.seconds = time.monotonic() - began
        if labels is not None:
            digest.update(labels.tobytes())
        versions = environment.versions()
        self._about = {
            "extractor": self.extractor.name,
            "weights": self.extractor.weights,
            "resize": "; ".join(filter(None, [fitted, self.extractor.resize(self.shape)])),
            "data": digest.hexdigest(),
            "name": name,
            "split": split,
            "n_real": len(chosen),
            "versions": {package: versions[package] for package in ("kgan", "keras", "numpy", backend.NAME)},
        }

    @property
    def suitable(self):
        """Names of the metrics that are defined for these data."""
        points = len(self.shape) == 1
        labelled = self.real.modes is not None
        there = {
            "features": True,
            "logits": self.real.logits is not None,
            "modes": not points and labelled and self.extractor.accuracy is not None,
            "points": points and labelled,
        }
        return [name for name, measure in MEASURES.items() if there[measure.needs]]

    def check_metrics(self, names):
        """The metrics of these names, as a list.

        Raises:
            ValueError: if one is unknown, or not defined for these data.
        """
        names = [names] if isinstance(names, str) else list(names)
        for name in names:
            lookup("metric", name, MEASURES)
            if name not in self.suitable:
                raise ValueError(
                    f"The metric {name!r} is not defined for these data and the extractor {self.extractor.name!r}. "
                    f"There are: {', '.join(self.suitable)}."
                )
        return names

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
            A list of `kgan.scores.Record`, those of all images first.

        Raises:
            ValueError: if there are fewer, of a class too, or of a shape that cannot be resized; or a metric is not defined
                for these data.
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
            of_features = [name for name in self.check_metrics(names) if MEASURES[name].needs == "features"]
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
        for name in self.check_metrics(names):
            measure = MEASURES[name]
            values = measure.measure(real, found, **measure.arguments)
            of_halves = [measure.measure(real, half, **measure.arguments) for half in halves]
            for index, (value, std) in enumerate(values):
                noise = 2 * float(np.std([half[index][0] for half in of_halves], ddof=1))
                least, most = measure.bounds[index]
                if measure.names[index] == "modes":
                    most = found.classes or len(np.unique(self.real.modes))
                scores.append(
                    Record(
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
