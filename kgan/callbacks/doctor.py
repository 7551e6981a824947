"""Doctor: examines the GAN in the course of its training, and says what goes wrong and what to try."""

import json
import logging
import math
import pathlib
from typing import Any

from kgan.arguments import brief
from kgan.callbacks.periodic import Periodic
from kgan.doctor import History, finding
from kgan.doctor.examination import Examination
from kgan.files import replace_when_written
from kgan.logs import means_between

log = logging.getLogger("kgan")

SCORES = "precision", "recall"
BEGIN, GROWTH = 50, 1.3  # steps: the first visit, and each later one after 1.3 times as many


class Doctor(Periodic):
    """Looks for the symptoms of `kgan.doctor.RULES`, and says each once, with what to try.

    The first visit is after 50 steps, each later one after 1.3 times as many, and one at once where a loss is not finite.
    It compares a few generated images with real ones, and reads the losses, the weights, and precision and recall where
    they are measured. It changes nothing: a training with it gives the same weights as without it.

    Example:

    >>> doctor = kgan.callbacks.Doctor("findings.jsonl")
    >>> # gan.fit(images, epochs=50, callbacks=[doctor])

    Args:
        path: The file, one line of JSON for each finding; `None` writes none.

    Attributes:
        findings: The list of `kgan.doctor.Finding` so far.
    """

    place = "findings.jsonl"

    def __init__(self, path: str | pathlib.Path | None = "findings.jsonl"):
        super().__init__(f"{BEGIN} steps")
        self.path = None if path is None else pathlib.Path(path)
        self.history = History()
        self._epoch = 0
        self._of_fit: Any = (None, None)
        self._examination: Any = None
        self._ended = False
        self._sums: dict = {}

    @property
    def findings(self):
        return self.history.findings

    def take_data(self, x, validation=None):
        self._of_fit = x, validation

    def get_state(self):
        found = [one.record() for one in self.findings]
        return {**super().get_state(), "visits": self.history.visits, "findings": found}

    def set_state(self, state):
        super().set_state(state)
        known = [finding.of_record(one) for one in state.get("findings", ())]
        # a training that goes back because of what is not finite does not forget it
        known += [one for one in self.findings if one.id == "not-finite" and one not in known]
        self.history = History()
        self.history.visits, self.history.findings = list(state.get("visits", ())), known
        self._write()

    def on_train_begin(self, logs=None):
        self._ended = False
        self._safely(self._begin)

    def _begin(self):
        self._examination = Examination(self.model, *self._of_fit)
        self._write()

    def on_train_batch_begin(self, batch, logs=None):
        if not self._steps and not self.history.visits:
            self._safely(self._visit)  # how large the weights and gradients are before the training

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        self._epoch, self._sums = epoch, {}

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        if not _finite(logs) and not any(one.id == "not-finite" for one in self.findings):
            self._safely(self._visit)

    def on_epoch_end(self, epoch, logs=None):
        scores = {name: logs[name] for name in SCORES if name in (logs or {})}
        if scores:
            self._safely(self._add, {"epoch": epoch + 1, "step": self._steps, **scores})
        super().on_epoch_end(epoch, logs)

    def act(self, when):
        looked = [visit["step"] for visit in self.history.visits if "finite" in visit]
        if not looked or self._steps >= GROWTH * looked[-1]:
            self._safely(self._visit)

    def _safely(self, act, *args):
        """Call a function. What fails in it, such as a user's own network, is no reason to end a training."""
        if self._ended:
            return
        try:
            act(*args)
        except Exception as error:
            self._ended = True
            log.warning(f"The doctor cannot examine this training: {brief(error)}")

    def _visit(self):
        self.model.sync()
        losses = self._losses()
        values = {"epoch": self._epoch + 1, "step": self._steps, **losses, **self._examination.values()}
        self._add(values if _finite(losses) else {**values, "finite": 0.0})

    def _add(self, values):
        found = self.history.add(values)
        for one in found:
            log.warning(str(one))
        if found:
            self._write()

    def _losses(self):
        """The means of the logs since the visit before, or since the epoch's beginning."""
        before, self._sums = self._sums, self.model.logs.totals()
        return means_between(before, self._sums)

    def _write(self):
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with replace_when_written(self.path) as temporary:
                temporary.write_text("".join(json.dumps(one.record()) + "\n" for one in self.findings), "utf-8")


def _finite(logs):
    """Whether both losses are finite, where they are known."""
    return all(math.isfinite(logs[name]) for name in ("d_loss", "g_loss") if name in (logs or {}))
