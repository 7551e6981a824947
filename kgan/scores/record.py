"""Scores as records: a value with everything it depends on, so that scores under different conditions are not compared."""

import json
import pathlib
from dataclasses import asdict, dataclass, field
from typing import Any

from kgan.files import replace_when_written, shorten

FID_WEIGHTS = "6726825d"  # the first digits of the sha256 of the FID's weight file
# the conditions that must be equal before two scores are compared
COMPARED = (
    "metric",
    "arguments",
    "extractor",
    "weights",
    "resize",
    "data",
    "split",
    "n_real",
    "n_generated",
    "seed",
    "label",
    "to",
    "versions",
)


@dataclass(frozen=True)
class Record:
    """One value, and everything that it depends on.

    Attributes:
        metric: String. What was measured, such as `"frechet_distance"`.
        value: Float.
        interval: Pair of floats, the value minus and plus twice the standard deviation of the metric over ten random
            halves of the generated images, clipped to the metric's range: how much the value varies with the draw of the
            images alone. For such statistics halves vary as much as samples of the full size (delete-half jackknife, Shao
            and Wu, Annals of Statistics 17, 1989).
        std: Float. The metric's own standard deviation over its splits or subsets; `None` if it has none.
        better: `"min"` or `"max"`.
        arguments: Dict. Arguments of the metric, such as `k`.
        extractor: String. Its name.
        weights: String. sha256 of its weights; `None` if it has none.
        resize: String. In words, how the images were resized.
        data: String. sha256 of the real images and their labels.
        name: String. The name of the data, which is not compared: one data set can have two names.
        split: String. Which part of the data.
        n_real, n_generated: Integers. Numbers of images.
        seed: Integer. Seed of the generated images; `None` if kgan did not generate them.
        label: Integer. The class of the real and the generated images; `None` for all classes.
        to: String. The domain of the real and the generated images, for a GAN of two domains; `None` for one.
        versions: Dict of strings. Versions of kgan, Keras, numpy and the engine.
        where: Dict. The position in a training: `epoch`, `step`, `seconds`; not compared.
    """

    metric: str
    value: float
    interval: tuple[float, float]
    std: float | None
    better: str
    arguments: dict[str, Any]
    extractor: str
    weights: str | None
    resize: str
    data: str
    name: str
    split: str
    n_real: int
    n_generated: int
    seed: int | None
    versions: dict[str, str]
    where: dict[str, Any] = field(default_factory=dict)
    label: int | None = None
    to: str | None = None

    @property
    def key(self):
        """The name in the logs: that of the metric, with the domain or the class."""
        of_class = "" if self.label is None else f"_class_{self.label}"
        return f"{self.metric}{'' if self.to is None else f'_to_{self.to}'}{of_class}"

    @property
    def title(self):
        """The name to print before the value: FID, KID and IS only for the FID Inception with its own weights."""
        inception = {"frechet_distance": "FID", "kernel_distance": "KID", "inception_score": "IS"}
        own = self.extractor == "fid_inception" and str(self.weights).startswith(FID_WEIGHTS)
        title = inception[self.metric] if own and self.metric in inception else self.metric.replace("_", " ")
        title = title if self.to is None else f"{title}, to {self.to}"
        return title if self.label is None else f"{title}, class {self.label}"

    @property
    def value_and_interval(self):
        """The value with its interval in brackets, without the name."""
        low, high = self.interval
        return f"{self.value:.4g} ({low:.4g} to {high:.4g})"

    def __str__(self):
        return f"{self.title} {self.value_and_interval}"

    @property
    def seen_with(self):
        """The conditions in words."""
        weights = f" {self.weights[:8]}" if self.weights else ""
        resize = "" if self.resize == "none" else f", resized: {self.resize}"
        return (
            f"{self.n_generated:,} generated and {self.n_real:,} real images of {self.name} ({self.split}), "
            f"seen with {self.extractor}{weights}{resize}"
        )


class UnlikeScoresError(ValueError):
    """Two scores were measured under different conditions."""


def check_alike(one, other):
    """Raise UnlikeScoresError, which names every difference, if two scores cannot be compared."""
    found = []
    for condition in COMPARED:
        here, there = getattr(one, condition), getattr(other, condition)
        if here != there:
            if condition == "data":
                here, there = (f"{score.name} ({score.data[:8]})" for score in (one, other))
            elif condition == "weights":
                here, there = (str(value)[:8] for value in (here, there))
            elif condition in ("versions", "arguments"):
                keys = [key for key in sorted(here.keys() | there.keys()) if here.get(key) != there.get(key)]
                here, there = (
                    ", ".join(f"{key} {values.get(key, 'absent')}" for key in keys) for values in (here, there)
                )
            found.append(f"{condition}: {here} against {there}")
    if found:
        raise UnlikeScoresError(f"These scores were not measured alike and cannot be compared: {'; '.join(found)}.")


def difference(one, other):
    """Return `one.value - other.value` for two scores that were measured under the same conditions.

    Raises:
        UnlikeScoresError: if the conditions differ.
    """
    check_alike(one, other)
    return one.value - other.value


def write(path, scores):
    """Write a file of these scores; an existing file is replaced."""
    with replace_when_written(path) as temporary:
        append(temporary, scores)
        temporary.touch()


def append(path, scores):
    """Add scores to a file as lines of JSON."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        shorten(path, path.read_bytes().rfind(b"\n") + 1)  # an incomplete last line, which a full disk left
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(score)) + "\n" for score in scores)


def read(path):
    """Return the list of the scores in a file.

    Raises:
        ValueError: if a line is not a score.
    """
    found = []
    text = pathlib.Path(path).read_text("utf-8")
    for number, line in enumerate(text[: text.rfind("\n") + 1].splitlines(), 1):  # without an incomplete last line
        try:
            row = json.loads(line)
            found.append(Record(**{**row, "interval": tuple(row["interval"])}))
        except (ValueError, TypeError, KeyError):
            raise ValueError(f"{path}, line {number}, is not a score: {line[:80]}") from None
    return found
