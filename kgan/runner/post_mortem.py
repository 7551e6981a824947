"""The doctor's findings of a run that has ended, or died: those it has, or what its logs and its last state show."""

import kgan
from kgan.callbacks import Doctor
from kgan.checkpoints import disk
from kgan.doctor import finding
from kgan.doctor.examination import Examination
from kgan.doctor.history import History
from kgan.report.contents import rows
from kgan.runner.blame import blamed
from kgan.scores import record


def of_run(run, batches):
    """The findings of a run, in the order in which they were found.

    Args:
        run: Path of the run directory.
        batches: Function without arguments that returns the data that it trained on, as batches.

    Returns:
        A list of `Finding`.

    Raises:
        RecipeError: if the newest checkpoint cannot be loaded.
    """
    if (run / Doctor.place).exists():
        return finding.read(run / Doctor.place)
    history, data = History(), batches()
    for values in _epochs(run, len(data)):
        history.add(values)
    newest, _ = disk.latest(run / "checkpoints")
    if newest is not None:
        known = disk.read_state(newest)
        with blamed("RUN"):
            gan = kgan.load(newest)
        seen = Examination(gan, data).values()
        for _ in range(max(rule.visits for rule in history.rules)):  # one look is all there is
            history.add({"epoch": known["epoch"], "step": known["step"], **seen})
    return history.findings


def _epochs(run, steps):
    """The logs of each epoch, with the scores that were measured in it."""
    scores = run / "scores.jsonl"
    found = record.read(scores) if scores.exists() else []
    for row in rows(run / "log.jsonl"):
        measured = {one.key: one.value for one in found if one.where.get("epoch") == row["epoch"]}
        yield row | measured | {"step": row["epoch"] * steps}
