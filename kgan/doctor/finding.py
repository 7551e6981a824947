"""A finding of the doctor: a symptom, the numbers that show it, and what to try."""

import dataclasses
import json

LEVELS = ("info", "warning", "error")


@dataclasses.dataclass(frozen=True)
class Finding:
    """What the doctor found.

    Attributes:
        id: The symptom, such as `"collapse"`.
        level: `"info"`, `"warning"` or `"error"`.
        epoch, step: When it was found, counted from 1; 0 before the training.
        numbers: Dict of the numbers that show it.
        sentence: What it means.
        remedies: What to try: keys of a recipe, in the form of `--set`, such as `"penalties=[r1]"`.
        source: Where the rule comes from.
    """

    id: str
    level: str
    epoch: int
    step: int
    numbers: dict
    sentence: str
    remedies: tuple[str, ...]
    source: str

    def record(self):
        """As a dict for JSON, in which the remedies are under `try`."""
        fields = dataclasses.asdict(self)
        return {("try" if name == "remedies" else name): value for name, value in fields.items()}

    @property
    def advice(self):
        """What it means, and what to try."""
        return f"{self.sentence} Try: {'; '.join(self.remedies)}." if self.remedies else self.sentence

    def __str__(self):
        return f"{self.level}: {self.id}, epoch {self.epoch}, step {self.step}. {self.advice}"


def of_record(row):
    """The finding that `record` made a dict of."""
    others = {name: value for name, value in row.items() if name != "try"}
    return Finding(**others, remedies=tuple(row["try"]))


def read(path):
    """The findings of a file of JSON lines; none if there is no such file."""
    if not path.exists():
        return []
    return [of_record(json.loads(line)) for line in path.read_text("utf-8").splitlines()]
