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
    metric's own standard deviation, or `None`. A metric that needs pairs instead has a function of real and generated
    images in the same order, which returns values for each pair, `(n, ...)`, and `measure` takes these; or, like
    `partner_rank`, it is computed from the features of both.
    """

    names: tuple[str, ...]
    better: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]
    arguments: dict[str, Any]
    measure: Callable
    needs: str = "features"
    each: Callable | None = None


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


def _mean(values):
    return [(float(values.mean()), None)]


def _ratio(values):
    """The mean of the generated images as a share of that of the real ones."""
    real, generated = values.mean(0)
    return [(float(generated / real) if real else float(generated > 0), None)]


def _of_both(function):
    return lambda real, generated: np.stack([function(real), function(generated)], axis=1)


def _of_pairs(name, better, bounds, each, measure=_mean):
    return Measure((name,), (better,), (bounds,), {}, measure, "pairs", each)


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
    "l1": _of_pairs("l1", "min", SHARE, metrics.l1),
    "psnr": _of_pairs("psnr", "max", (-math.inf, math.inf), metrics.psnr),
    "ssim": _of_pairs("ssim", "max", (-1.0, 1.0), metrics.ssim),
    "partner_rank": Measure(("partner_rank",), ("min",), (SHARE,), {}, _mean, "pairs"),
    "sharpness": _of_pairs("sharpness", "max", POSITIVE, _of_both(metrics.sharpness), _ratio),
    "colorfulness": _of_pairs("colorfulness", "max", POSITIVE, _of_both(metrics.colorfulness), _ratio),
}


def suitable(points, labelled, logits=True, modes=True, pairs=False, shape=None):
    """Return the names of the metrics that are defined for points or images, with or without labels.

    `logits` and `modes` say whether the extractor has them, `pairs` whether each generated image belongs to a real one;
    `shape` is that of an image.
    """
    there = {
        "features": True,
        "logits": logits,
        "modes": not points and labelled and modes,
        "points": points and labelled,
        "pairs": pairs and not points,
    }
    found = [name for name, measure in MEASURES.items() if there[measure.needs]]
    too_small = shape is not None and min(shape[:2]) < 7
    return [name for name in found if not (name == "ssim" and too_small or name == "colorfulness" and _is_grey(shape))]


def _is_grey(shape):
    return shape is not None and shape[-1] < 3


def names_of(metrics, classes=(), domains=()):
    """The names of these metrics' values in the logs, each with the better direction: with classes, those of each class too,
    with domains, those of each domain."""
    found: dict[str, str] = {}
    for measure in (MEASURES[name] for name in np.atleast_1d(metrics)):
        of_classes = classes if measure.needs == "features" else ()
        for name, way in zip(measure.names, measure.better, strict=True):
            if domains:
                found |= {f"{name}_to_{domain}": way for domain in domains}
            else:
                found |= {name: way, **{f"{name}_class_{label}": way for label in of_classes}}
    return found
