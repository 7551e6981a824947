"""Scorer: measures scores from real and generated examples, an extractor and metrics."""

import contextlib
import functools
import hashlib
import time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from kgan import backend, environment, extractors, metrics, pictures
from kgan.arguments import lookup
from kgan.data.spread import positions
from kgan.scores.measures import MEASURES, suitable
from kgan.scores.record import Record

REAL = 10_000  # real examples, spread evenly over all
LEAST = 20  # examples, so that their halves can be measured too
SMALL = 512  # features
HALVES = 10  # random halves of the generated examples, for the interval of a score


def _real(features, labels):
    """Features of real examples, which keep the radii of their balls."""
    features = extractors.Features(features.features, features.logits, labels)
    features.radii = functools.cache(lambda k: metrics.radii(features.features, k))
    return features


def check_classes(of_real, labels):
    """Return all classes, as `Scorer.check_classes`, given the labels of the real images too, or `None`."""
    if labels is None:
        raise ValueError("Only images with labels can be scored class by class.")
    classes = np.unique(labels if of_real is None else np.concatenate([labels, of_real]))
    for what, there in (("real", of_real), ("generated", labels)):
        counts = {label: 0 if there is None else int((np.asarray(there) == label).sum()) for label in classes}
        rarest = min(classes, key=lambda label: counts[label])
        if counts[rarest] < LEAST:
            share = "" if there is None else f" of {len(there):,}"
            raise ValueError(
                f"At least {LEAST} {what} images of class {rarest} are needed to score it. "
                f"There are: {counts[rarest]}{share}"
            )
    return classes.tolist()


def _levels(images):
    return images if images.dtype == np.uint8 else pictures.levels(images)


class NotFiniteError(ValueError):
    """Generated examples hold NaN or infinity."""


def _finite(examples):
    if not np.isfinite(examples).all():
        raise NotFiniteError("Generated examples must be finite. Received: NaN or infinity")
    return examples


class Scorer:
    """Scores generated examples against real ones, whose features are computed once.

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
        name: String. The name of the data.
        split: String. The part of the data.
        real: Integer. The number of real images to compare with, spread evenly over all.
        fitted: String. In words, how they were resized to one size, as in `kgan.data.Data`.
        pairs: Whether the generated examples to score belong to the real ones, one by one, so that both are compared.
        to: String. The domain of the images, if there are several.

    Attributes:
        seconds: Float. The time for the extractor and the features of the real images.

    Raises:
        ValueError: if there are fewer than 20 images, or the extractor cannot be used for them.
    """

    def __init__(
        self,
        images,
        labels=None,
        extractor="auto",
        name="the data",
        split="train",
        real=REAL,
        fitted="",
        pairs=False,
        to=None,
    ):
        if len(images) < LEAST:
            raise ValueError(f"At least {LEAST} real images are needed to score others. Received: {len(images)}")
        began = time.monotonic()
        self.pairs: Any = images if pairs else None
        self.extractor = extractors.get(extractor, images, labels)
        chosen = positions(len(images), real)
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
            "to": to,
            "n_real": len(chosen),
            "versions": {package: versions[package] for package in ("kgan", "keras", "numpy", backend.NAME)},
        }

    @property
    def suitable(self):
        """Names of the metrics that are defined for these data."""
        logits, modes = self.real.logits is not None, self.extractor.accuracy is not None
        return suitable(
            len(self.shape) == 1, self.real.modes is not None, logits, modes, self.pairs is not None, self.shape
        )

    def check_metrics(self, names):
        """Return the metrics of these names, as a list.

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
            generated: Array, `kgan.data.Folder` or `kgan.players.samples.Samples` of images, or points; at least 20. A few
                at a time are in memory. Images of another size or number of channels than the real ones are resized by the
                extractor, which the scores record.
            names: Name in `MEASURES`, or several.
            seed: Integer. The seed of the generated examples, if it is known.
            where: Dict. The position in a training, such as `epoch`.
            labels: Integers `(n,)`, the classes of the generated examples. Then each class is also scored separately,
                against the real images of that class.

        Returns:
            A list of `kgan.scores.Record`, those of all images first.

        Raises:
            NotFiniteError: if some of them hold NaN or infinity.
            ValueError: if there are fewer examples, in a class too, or their shape cannot be resized; or if a metric is not
                defined for these data.
        """
        shape = tuple(generated.shape[1:])
        fits = shape == self.shape or (
            len(shape) == len(self.shape) == 3 and self.extractor.sees(shape) == self.extractor.sees(self.shape)
        )
        if not fits or len(generated) < LEAST:
            raise ValueError(
                f"At least {LEAST} generated examples of shape {self.shape}, as the real ones have, are needed. "
                f"Received: an array of shape {tuple(generated.shape)}"
            )
        if self.pairs is not None and (len(generated) != len(self.pairs) or shape != self.shape):
            raise ValueError(
                f"There must be a generated image of shape {self.shape} for each of the {len(self.pairs)} real ones. "
                f"Received: an array of shape {tuple(generated.shape)}"
            )
        about = dict(self._about)
        if shape != self.shape:
            about["resize"] += f"; generated images: {self.extractor.resize(shape)}"
        measures = {name: MEASURES[name].each for name in self.check_metrics(names)}
        of_pairs: dict[str, list] = {name: [] for name, each in measures.items() if each}
        features, at = [], 0
        for part in extractors.chunks(generated):
            features.append(self.extractor(_finite(part)))
            real = _levels(np.asarray(self.pairs[at : at + len(part)])) if of_pairs else None
            for name, values in of_pairs.items():
                values.append(measures[name](real, _levels(part)))
            at += len(part)
        found = extractors.Features.joined(features)
        found.pairs = {name: np.concatenate(values) for name, values in of_pairs.items()}
        if "partner_rank" in measures:
            found.pairs["partner_rank"] = metrics.partner_rank(self.real.features, found.features)
        # for small matrices one thread is faster than several that wait for each other, on a busy machine a hundred times
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
        """Return all classes, as a list, given the labels of the images to generate.

        Raises:
            ValueError: if there are no labels, or too few real or generated images of a class to score it separately.
        """
        return check_classes(self.real.modes, labels)

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
            all_of_them = [(of.pairs[name],) if name in of.pairs else (real, of) for of in (found, *halves)]
            values, *of_halves = [measure.measure(*one, **measure.arguments) for one in all_of_them]
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
