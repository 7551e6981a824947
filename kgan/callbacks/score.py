"""Score: measures the quality of the images during the training."""

import pathlib
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from kgan import examples, latents, pictures, scores
from kgan.arguments import integer, lookup
from kgan.callbacks.measuring import Measuring
from kgan.callbacks.periodic import Periodic
from kgan.scores import LEAST, MEASURES, Scorer, names_of

IMAGES_AT_ONCE = 16  # that are translated


class Score(Periodic, Measuring):
    """Scores generated images against the real ones at every interval, and at the end of the training.

    The images come from the averaged generator if there is one, always from the same latents. Each value is added to the
    logs of the epoch in which it was measured, so that `Checkpoint(monitor="frechet_distance")`, Keras' EarlyStopping and
    the history receive it. It is also added to a file, as a record with an interval and everything that it depends on
    (`kgan.scores`). At the end the curves are drawn beside that file, with the time that the scoring took.

    Features of the real images are computed once, when the training begins. Their extractor is, by default, a small
    classifier of the data set itself, which is trained once and kept (`kgan.extractors.classifier`).

    Example:

    >>> score = kgan.callbacks.Score("frechet_distance", every="5 epochs", samples=2000)
    >>> # gan.fit(images, epochs=50, callbacks=[score]) adds `frechet_distance` to the history

    Args:
        metric: Name in `kgan.scores.MEASURES`, or several.
        every: Integer, a number of epochs; or a string such as `"2 epochs"` or `"500 steps"`.
        samples: Integer. The number of images to generate.
        path: The file, one line of JSON for each score; the curves are in a `.png` file of the same name.
        extractor: `"auto"`, `"classifier"`, `"raw"`, the path of a `.pth` file with the weights of the FID Inception or of a
            `.keras` file, a Keras model or a `kgan.extractors.Extractor`.
        real: Integer. The number of real images to compare with, spread evenly over all.
        seed: Integer. Seed of the latents.
        per_class: Whether each class of a class-conditional GAN is also scored separately, against the real images of that
            class; in the logs as `frechet_distance_class_0`, ...
        data: Real images, or a pair of real images and their labels, to compare with; the training data by default. A
            dataset that shuffles gives other images, and so other scores, in each process. For a generator that is given
            images: real images, or a pair of sources and targets; the validation data of `fit` by default, or else the
            training data. Its images are then also compared with the real ones one by one, by `l1`, `psnr` and `ssim`. For
            two domains: a pair of both, or a `kgan.data.Data` of pairs, whose images are then compared one by one too. Each
            direction has its own scores, in the logs as `frechet_distance_to_a`, ...

    Raises:
        ValueError: if the value of an argument is not valid.
    """

    place = "scores.jsonl"
    path: pathlib.Path

    def __init__(
        self,
        metric: str | Sequence[str] = "frechet_distance",
        every: int | str = "1000 steps",
        samples: int = 2000,
        path: str | pathlib.Path = "scores.jsonl",
        extractor: str = "auto",
        real: int = 10_000,
        seed: int = 0,
        per_class: bool = False,
        data=None,
    ):
        super().__init__(every)
        self.metrics = [metric] if isinstance(metric, str) else list(metric)
        names = [name for one in self.metrics for name in lookup("metric", one, MEASURES).names]
        self.directions = names_of(self.metrics)
        if not self.metrics or len(self.directions) < len(names):
            raise ValueError(f"`metric` of Score must name metrics, each of its values once. Received: {metric!r}")
        self.path, self.extractor = pathlib.Path(path), extractor
        self.samples = integer("samples", samples, at_least=LEAST, of="Score")
        self.real = integer("real", real, at_least=LEAST, of="Score")
        self.seed = integer("seed", seed, at_least=0, of="Score")
        self.per_class = per_class
        self._of_fit: Any = None
        # for each direction, and there is mostly one: the domain of its images, what the generator is given, the Scorer
        self._ways: list[tuple[str | None, Any, Scorer]] = []
        self._made = False
        self.data, self.about = data, {"name": "the data", "split": "train" if data is None else "given"}
        self.scores: list[scores.Record] = []
        self.seconds = 0.0  # spent on scoring
        self._fresh: dict[str, float] = {}
        self._epoch = self._scored = -1

    def set_model(self, model):
        super().set_model(model)
        if self.per_class or model.condition.domains:
            self.directions = names_of(
                self.metrics, model.condition.classes if self.per_class else (), model.condition.domains
            )

    @property
    def scorer(self):
        """The `Scorer`, once the data are known; of the first direction, if there are two."""
        return self._ways[0][2] if self._ways else None

    @scorer.setter
    def scorer(self, scorer):
        self._ways = [] if scorer is None else [(None, None, scorer)]

    def take_data(self, x, validation=None):
        if self.model.condition.gives_images and validation is not None:
            x = validation  # scores of images that were never seen
        if self.data is None and x is not self._of_fit:
            self._of_fit = x
            if self._made:  # it was made for other data
                self.scorer = None

    def make_scorer(self):
        """Compute the features of the real images; `fit` calls this, unless it was called before."""
        if self.scorer is None:
            data = self._of_fit if self.data is None else self.data
            condition = self.model.condition
            if condition.gives_images:
                labels = None
                given, images = examples.pairs_of(data, min(self.samples, self.real), self.model, "Score")
            else:
                given = None
                images, labels = examples.images_of(data, self.real, self.model)
            ways = zip(condition.domains, given, images, strict=True) if condition.domains else [(None, given, images)]
            pairs = examples.belong_together(data) if condition.domains else condition.gives_images
            self._ways = [(to, of_way, self._scorer_of(data, real, labels, pairs, to)) for to, of_way, real in ways]
            self._made = True

    def _scorer_of(self, data, images, labels, pairs, to):
        if isinstance(images, np.ndarray) and images.dtype.kind == "f":
            images = pictures.standard(images, self.model.image_range)
        resized = getattr(data, "fitted", "") or getattr(images, "fitted", "")
        scorer = Scorer(
            images, labels, self.extractor, real=self.real, fitted=resized, pairs=pairs, to=to, **self.about
        )
        scorer.check_metrics(self.metrics)
        return scorer

    def measured_now(self):
        return self._fresh if self._scored == self._steps else {}

    def get_state(self):
        then = {"seconds": time.monotonic() - self._began, "scoring": self.seconds, "fresh": self._fresh}
        return {**super().get_state(), **then, "scored": self._scored}

    def set_state(self, state):
        super().set_state(state)
        there = scores.read(self.path) if self.path.exists() else []
        # later scores will be measured again
        kept = [score for score in there if score.where.get("step", 0) <= self._steps]
        if kept != there:
            scores.write(self.path, kept)
        self.scores = [score for score in kept if score.key in self.directions and "epoch" in score.where]
        self._began = time.monotonic() - state.get("seconds", 0.0)
        self.seconds, self._fresh = state.get("scoring", 0.0), dict(state.get("fresh", {}))
        self._scored = state.get("scored", -1)

    def on_train_begin(self, logs=None):
        condition = self.model.condition
        if not condition.gives_images:
            condition.draw(1, None, latents.seeds(0))  # raises now, not hours later
        if self.per_class:
            condition.check_classes()
        self.make_scorer()
        if self.per_class:
            classes = self.scorer.check_classes(condition.labels_like(self.scorer.real.modes, self.samples))
            self.directions = names_of(self.metrics, classes)
        self._began = time.monotonic()

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        if epoch + 1 == self.params.get("epochs") or self.model.stop_training:
            self.finish()
        if logs is not None:
            logs.update(self._fresh)
        self._fresh = {}

    def on_train_end(self, logs=None):
        self.finish()  # the training may have been stopped in the middle of an epoch
        if self.scores:
            pictures.save_curves(_curves(self.scores), self.path.with_suffix(".png"), self.cost)

    def act(self, when):
        self.make_scorer()
        began = time.monotonic()
        where = {"epoch": self._epoch + 1, "step": self._steps, "seconds": round(began - self._began, 3)}
        labels = self.model.condition.labels_like(self.scorer.real.modes, self.samples)
        found = []
        try:
            for to, given, scorer in self._ways:
                images = self._images(to, given, labels).standard()
                found += scorer(images, self.metrics, self.seed, where, labels if self.per_class else None)
        except scores.NotFiniteError:
            return  # `Checkpoint` or TerminateOnNaN reacts to the losses
        scores.append(self.path, found)
        self.scores += found
        self._fresh = {score.key: score.value for score in found}
        self._scored = self._steps
        self.seconds += time.monotonic() - began

    def _images(self, to, given, labels):
        if to is not None:
            return self.model.translations(given, self.seed, IMAGES_AT_ONCE, to)
        if given is not None:
            return self.model.samples(len(given), self.seed, IMAGES_AT_ONCE, given)
        return self.model.samples(self.samples, seed=self.seed, labels=labels)

    def finish(self):
        if self._scored != self._steps:
            self.act("end")

    def latest(self):
        """The scores measured last."""
        newest = self.scores[-1].where["step"]
        return [score for score in self.scores if score.where["step"] == newest]

    @property
    def cost(self):
        """A sentence about the duration of the scoring."""
        share = self.seconds / max(self.scores[-1].where["seconds"], self.seconds)
        before = f"the real images, before it, took {sum(scorer.seconds for *_, scorer in self._ways):.1f} s"
        return f"scoring took {self.seconds:.1f} s, {share:.1%} of the training; {before}"


def _curves(found):
    """From the name of a metric to its steps, values and intervals."""
    curves: dict[str, list] = {}
    for score in (one for one in found if one.label is None):
        curves.setdefault(score.title, []).append((score.where["step"], score.value, *score.interval))
    return {title: np.array(rows).T for title, rows in curves.items()}
