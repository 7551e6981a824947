"""What a report shows, read from a run directory; also from that of a run that died."""

import dataclasses
import json
import pathlib

from kgan.checkpoints import disk
from kgan.data.spread import spread
from kgan.doctor import finding
from kgan.scores import record

NAME, REAL = "report.html", "real.png"  # files of a run directory: the report, a grid of real images
GRIDS = 25  # pictures on the slider, spread over all


@dataclasses.dataclass
class Contents:
    """A run as its directory tells it.

    Attributes:
        directory: Path of the run directory.
        state: String, such as `"running"`, `"done"` or `"stopped before its end"`.
        findings: List of `kgan.doctor.Finding`; `None` if the doctor did not examine the run.
        grids: Paths of pictures of the same latents, the oldest first.
        real: List of the path of a picture of real images, or an empty list.
        neighbours: Paths of pictures of samples above the training images nearest to them.
        logs: List of dicts, one for each epoch.
        scores: List of `kgan.scores.Record`.
        recipe: The resolved recipe as text.
        changes: Dict from a key of it to the shipped recipe's value and its own.
        environment: Dict, the content of environment.json.
        checkpoints: List of dicts with `name`, `step`, `epoch` and `bytes`.
    """

    directory: pathlib.Path
    state: str
    findings: list | None
    grids: list
    real: list
    neighbours: list
    logs: list
    scores: list
    recipe: str
    changes: dict
    environment: dict
    checkpoints: list

    @property
    def name(self):
        return self.directory.resolve().name  # of `.` too

    @property
    def images_per_epoch(self):
        """The images of an epoch, or `None` if that is not known."""
        shape = self.environment.get("data", {}).get("shape")
        return shape[0] if shape else None


def read(directory, state=None, changes=None):
    """Read a run directory.

    Args:
        directory: Path.
        state: String. What the run does; by default what its files say.
        changes: Dict. How its recipe differs from the shipped one, as in `Contents`.

    Returns:
        `Contents`.
    """
    directory = pathlib.Path(directory)
    recipe = directory / "resolved.yaml"
    text = recipe.read_text("utf-8") if recipe.exists() else ""
    found = directory / "findings.jsonl"
    scores = directory / "scores.jsonl"
    environment = directory / "environment.json"
    return Contents(
        directory,
        state or ("done" if (directory / "generator.keras").exists() else "stopped before its end"),
        finding.read(found) if found.exists() else None,
        spread(sorted((directory / "samples").glob("*.png"), key=_age), GRIDS),
        sorted(directory.glob(REAL)),
        sorted(directory.glob("neighbours*.png")),
        rows(directory / "log.jsonl"),
        record.read(scores) if scores.exists() else [],
        text,
        changes or {},
        json.loads(environment.read_text("utf-8")) if environment.exists() else {},
        [_checkpoint(path) for path in disk.all_in(directory / "checkpoints")],
    )


def rows(path):
    """The lines of a file of JSON, without a last one that is not complete."""
    if not path.exists():
        return []
    text = path.read_text("utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def _age(path):
    return path.stat().st_mtime_ns, path.name


def _checkpoint(path):
    known = disk.read_state(path)
    size = sum(one.stat().st_size for one in path.iterdir() if one.is_file())
    return {"name": path.name, "step": known["step"], "epoch": known["epoch"], "bytes": size}
