"""What the doctor has seen of a training: the values of all visits, what follows from several of them, and the findings."""

import dataclasses
import math

import numpy as np

from kgan.doctor.finding import Finding
from kgan.doctor.rules import RULES

SETTLED = 200  # steps
WINDOW = 8  # visits over which losses may swing


class History:
    """The visits of a training, and the findings so far.

    Args:
        rules: The rules, `kgan.doctor.rules.RULES` by default.
    """

    def __init__(self, rules=RULES):
        self.rules = rules
        self.visits: list[dict] = []
        self.findings: list[Finding] = []

    def add(self, values):
        """Add a visit, a dict of numbers by name with at least `epoch` and `step`; return the new findings.

        Each symptom is found once.
        """
        values = {name: float(value) for name, value in values.items() if not _unknown(value)}
        self.visits.append(values | self.derived(values))
        known = {finding.id for finding in self.findings}
        new = [self._finding(rule) for rule in self.rules if rule.id not in known and self._found(rule)]
        self.findings += new
        return new

    def _found(self, rule):
        known = [visit for visit in self.visits if rule.is_known(visit)]  # some values are measured in some visits only
        last = known[-rule.visits :]
        return len(last) == rule.visits and last[-1] is self.visits[-1] and all(map(rule.holds, last))

    def _finding(self, rule):
        values = self.visits[-1]
        numbers = {name: values[name] for name, *_ in rule.when}
        where = int(values["epoch"]), int(values["step"])
        fields = {field.name: getattr(rule, field.name) for field in dataclasses.fields(rule)}
        kept = {name: fields[name] for name in ("id", "level", "remedies", "source")}
        return Finding(
            **kept, epoch=where[0], step=where[1], numbers=numbers, sentence=rule.sentence.format_map(values)
        )

    def derived(self, values):
        """What follows from a visit and those before it."""
        found = {}

        def series(name):
            return [visit[name] for visit in (*self.visits, values) if name in visit]

        def ratio(name, whole):
            if name in values and whole:
                return values[name] / whole
            return math.nan

        sizes = [series(f"weights_of_{name}") for name in ("generator", "discriminator")]
        if "weights_of_generator" in values and all(size and size[0] > 0 for size in sizes):
            found["growth"] = max(size[-1] / size[0] for size in sizes)
            if found["growth"] > 0 and values["step"] > 1:  # weights that grow as a power of the steps
                found["growth_power"] = math.log(found["growth"]) / math.log(values["step"])
        slopes = series("slope")
        # those of a generator that has hardly begun are of no meaning
        spreads = [one["spread"] for one in (*self.visits, values) if "spread" in one and one["step"] >= SETTLED]
        found["slope_left"] = ratio("slope", max(slopes, default=0.0))
        if "spread" in values and len(spreads) > 1:
            found["spread_best"] = max(spreads[:-1])
            found["spread_left"] = ratio("spread", max(spreads[:-1]))
        found["saturated_more"] = ratio("saturated", max(values.get("saturated_real", 0.0), 0.01))
        found["checkerboard_more"] = ratio("checkerboard", values.get("checkerboard_real"))
        if "d_real_accuracy" in values:
            accuracies = zip(series("d_real_accuracy"), series("d_fake_accuracy"), strict=False)
            found["d_best"] = max((sum(pair) / 2 for pair in accuracies), default=math.nan)
        if "g_loss" in values:
            found["swing"] = swing(series("g_loss")[-WINDOW:])
        if {"real_margin", "val_margin", "fake_margin"} <= values.keys():
            gap = values["real_margin"] - values["fake_margin"]
            found["overfit"] = (values["real_margin"] - values["val_margin"]) / gap if gap > 0 else math.nan
        if {"precision", "recall"} <= values.keys():
            # images of an early state are spread widely, real ones among them: that is no recall to be lost
            scored = [one for one in self.visits if {"precision", "recall"} <= one.keys()]
            alike = [one for one in scored if one["precision"] >= 0.8 * values["precision"]]
            found["recall_lost"] = max((one["recall"] for one in alike), default=0.0) - values["recall"]
        return {name: value for name, value in found.items() if not _unknown(value)}


def swing(losses):
    """How far a loss goes up and down in turn, as a share of its size: 0 where it moves in one direction."""
    if len(losses) < WINDOW:
        return math.nan
    steps = np.diff(losses)
    turns = (np.sign(steps[1:]) != np.sign(steps[:-1])).mean()
    size = np.abs(losses).mean()
    return float(turns * np.abs(steps).mean() / size) if size > 0 else math.nan


def _unknown(value):
    return value is None or not math.isfinite(value)
