"""The metrics: the names of their values, the better direction, the possible range, and what they need."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kgan import metrics

POSITIVE, SHARE = (0.0, math.inf), (0.0, 1.0)


@dataclass(frozen=True)
class Measure:
    """A metric: the names of its values, the better direction, the possible range, and a function of `Features`.

    The function takes the features of real and of generated examples. For each name it returns a pair of the value and the
    metric's own standard deviation, or `None`.
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


def suitable(points, labelled, logits=True, modes=True):
    """Return the names of the metrics that are defined for points or images, with or without labels.

    `logits` and `modes` say whether the extractor has them.
    """
    there = {
        "features": True,
        "logits": logits,
        "modes": not points and labelled and modes,
        "points": points and labelled,
    }
    return [name for name, measure in MEASURES.items() if there[measure.needs]]


def names_of(metrics, classes=()):
    """The names of these metrics' values in the logs, including those of classes, each with the better direction."""
    found: dict[str, str] = {}
    for measure in (MEASURES[name] for name in np.atleast_1d(metrics)):
        of_classes = classes if measure.needs == "features" else ()
        for name, way in zip(measure.names, measure.better, strict=True):
            found |= {name: way, **{f"{name}_class_{label}": way for label in of_classes}}
    return found
