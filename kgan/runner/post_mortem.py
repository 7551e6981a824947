"""The doctor's findings of a run that has ended, or died: those it has, or what its logs and its last state show."""

import json
import math

import kgan
from kgan.callbacks import Doctor
from kgan.checkpoints import disk
from kgan.doctor import finding
from kgan.doctor.examination import Examination
from kgan.doctor.history import History
from kgan.scores import record


def of_run(run, data, batch_size):
    """The findings of a run, in the order in which they were found.

    Args:
        run: Path of the run directory.
        data: Function without arguments that returns the data that it trained on, `kgan.data.Data`, or `None`.
        batch_size: Integer. The images of a step.

    Returns:
        A list of `Finding`.
    """
    if (run / Doctor.place).exists():
        return finding.read(run / Doctor.place)
    history, found = History(), data()
    steps = 1 if found is None else math.ceil(len(found) / batch_size)
    for values in _epochs(run, steps):
        history.add(values)
    newest, _ = disk.latest(run / "checkpoints")
    if newest is not None:
        known = disk.read_state(newest)
        seen = Examination(kgan.load(newest), found).values()
        for _ in range(max(rule.visits for rule in history.rules)):  # one look is all there is
            history.add({"epoch": known["epoch"], "step": known["step"], **seen})
    return history.findings


def _epochs(run, steps):
    """The logs of each epoch, with the scores that were measured in it."""
    log, scores = run / "log.jsonl", run / "scores.jsonl"
    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []
    found = record.read(scores) if scores.exists() else []
    for row in rows:
        measured = {one.key: one.value for one in found if one.where.get("epoch") == row["epoch"]}
        yield row | measured | {"step": row["epoch"] * steps}
