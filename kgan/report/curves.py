"""The curves of a report, as SVG that is readable on light and on dark paper."""

import io
import re

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from kgan.data.spread import positions

POINTS = 500  # of a line: more are not seen, and make the file large
GREY = "#808080"
COLOURS = ("#3b82c4", "#e07b39", "#4b9d57", "#b5509c", "#8c6bb1", "#c0a030")
LOSSES = {"d_loss": "discriminator", "g_loss": "generator"}
ACCURACIES = {"d_real_accuracy": "D on real images", "d_fake_accuracy": "D on generated images"}
UNSEEN = {"val_d_real_accuracy": "D on real images that it never saw"}


def all_curves(contents):
    """Pairs of a title and SVG: losses, accuracies, what else is logged, scores."""
    logs, per_epoch = contents.logs, contents.images_per_epoch
    if not logs:
        return []
    known = {*LOSSES, *ACCURACIES, *UNSEEN, "epoch", "seconds"}
    score_names = {score.key for score in contents.scores}
    names = {name for row in logs for name in row} - known - score_names
    rates = sorted(name for name in names if name.endswith("learning_rate"))
    others = sorted(name for name in names if not name.startswith("val_") and name not in rates)
    others = [name for name in others if name not in ("d_real_loss", "d_fake_loss", "g_accuracy")]
    drawn = [("Losses", _lines(logs, LOSSES, per_epoch))]
    drawn.append(("Accuracy of the discriminator", _lines(logs, ACCURACIES | UNSEEN, per_epoch, percent=True)))
    if others:
        drawn.append(("Penalties, terms and schedules", _lines(logs, {name: name for name in others}, per_epoch)))
    if rates:
        drawn.append(("Learning rates", _lines(logs, {name: name for name in rates}, per_epoch)))
    by_title: dict = {}
    for score in contents.scores:
        if score.label is None and "step" in score.where:
            by_title.setdefault(score.title, []).append((score.where["step"], score.value, *score.interval))
    drawn += [(title, _band(title, np.array(rows).T)) for title, rows in by_title.items() if len(rows) > 1]
    return drawn


def _axes(label):
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    figure.patch.set_alpha(0.0)
    axes = figure.subplots()
    axes.patch.set_alpha(0.0)
    axes.tick_params(colors=GREY)
    for side in axes.spines.values():
        side.set_color(GREY)
    axes.grid(color=GREY, alpha=0.25)
    axes.set_ylabel(label, color=GREY)
    return figure, axes


def _lines(logs, names, per_epoch, percent=False):
    figure, axes = _axes("%" if percent else "")
    chosen = positions(len(logs), POINTS)
    shown = [logs[index] for index in chosen]
    for (name, label), colour in zip(names.items(), COLOURS * 4, strict=False):
        rows = [(row["epoch"], row[name]) for row in shown if row.get(name) is not None]
        if rows:
            epochs, values = zip(*rows, strict=True)
            axes.plot(epochs, np.multiply(values, 100.0 if percent else 1.0), color=colour, label=label, linewidth=1.2)
    if percent:
        axes.axhline(50, color=GREY, linestyle="--", linewidth=1)
        axes.set_ylim(-3, 103)
    axes.set_xlabel("epoch", color=GREY)
    if per_epoch:
        above = axes.secondary_xaxis("top", functions=(lambda e: e * per_epoch / 1e3, lambda k: k * 1e3 / per_epoch))
        above.set_xlabel("thousand images seen", color=GREY)
        above.tick_params(colors=GREY)
    axes.legend(frameon=False, labelcolor=GREY, fontsize="small")
    return _svg(figure)


def _band(title, columns):
    figure, axes = _axes(title)
    steps, values, low, high = columns
    axes.fill_between(steps, low, high, color=COLOURS[0], alpha=0.25, linewidth=0)
    axes.plot(steps, values, marker=".", color=COLOURS[0])
    axes.set_xlabel("step", color=GREY)
    return _svg(figure)


def _svg(figure):
    """SVG to be put into a page: text stays text, ids do not change from time to time, and nothing is of today."""
    file = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "kgan", "path.simplify_threshold": 0.5}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    opening, rest = file.getvalue().split("<svg", 1)[1].split(">", 1)
    return "<svg" + re.sub(r' (?:width|height)="[^"]*"', "", opening) + ">" + rest
