"""Trackers: programs that keep and show the values of trainings. Each is imported when its run begins."""

import importlib.util
import itertools
import os
import pathlib
import secrets
import time
from typing import Any, ClassVar

from PIL import Image

from kgan.arguments import lookup

PROJECT = "kgan"
LEVELS = {"info": "INFO", "warning": "WARN", "error": "ERROR"}  # of a finding, and as W&B and Trackio say it


class Tracker:
    """What `Track` needs of a tracker. It calls `image` before `log` in a step, and `alert` after it.

    Attributes:
        name: String. The name to print.
    """

    name: str

    def packages(self) -> tuple[str, ...]:
        """Return the names of the packages that must be installed, the tracker's own first."""
        return ()

    def open(self, directory: pathlib.Path, run: str | None) -> str:
        """Begin a run, or go on with the one of an id; return its id.

        Args:
            directory: The folder of the training, which exists.
            run: What this method returned before; `None` begins a new run.
        """
        return run or secrets.token_hex(4)

    def config(self, values: dict[str, Any]) -> None:
        """Log what describes the training, once for each run."""

    def log(self, values: dict[str, float], step: int) -> None:
        """Log numbers by name."""
        raise NotImplementedError(f"{type(self).__name__} does not define `log(values, step)`.")

    def image(self, name: str, path: pathlib.Path, step: int) -> None:
        """Log a picture, a PNG file."""

    def alert(self, title: str, text: str, level: str) -> None:
        """Log a message; `level` is `"info"`, `"warning"` or `"error"`."""

    def close(self) -> None:
        """End the run. It can be opened again."""


class Own(Tracker):
    """The user's object: its method `log(values, step)`, and of the other three those that it has."""

    def __init__(self, to):
        self.name = type(to).__name__
        for verb in ("config", "log", "image", "alert"):
            if callable(getattr(to, verb, None)):
                setattr(self, verb, getattr(to, verb))


class TensorBoard(Tracker):
    """Event files in `tensorboard/`; another training in the same folder has `tensorboard-2/`."""

    name = "tensorboard"

    def packages(self):
        return ("tensorboard",)

    def open(self, directory, run):
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        if run is None:
            names = itertools.chain([self.name], (f"{self.name}-{number}" for number in itertools.count(2)))
            run = next(name for name in names if not (directory / name).exists())
        self.writer, self.event, self.summary, self.step = EventFileWriter(str(directory / run)), Event, Summary, 0
        return run

    def config(self, values):
        rows = [f"| {name} | {value} |" for name, value in values.items()]
        self._add([self._text("config", "\n".join(["| | |", "|---|---|", *rows]))], 0)

    def log(self, values, step):
        self.step = step
        self._add([self.summary.Value(tag=name, simple_value=value) for name, value in values.items()], step)

    def image(self, name, path, step):
        with Image.open(path) as picture:
            width, height = picture.size
        data = self.summary.Image(width=width, height=height, colorspace=3, encoded_image_string=path.read_bytes())
        self._add([self.summary.Value(tag=name, image=data)], step)

    def alert(self, title, text, level):
        self._add([self._text(f"findings/{title}", text)], self.step)

    def close(self):
        self.writer.close()

    def _text(self, tag, text):
        from tensorboard.plugins.text.metadata import create_summary_metadata
        from tensorboard.util.tensor_util import make_tensor_proto

        return self.summary.Value(
            tag=tag, tensor=make_tensor_proto([text]), metadata=create_summary_metadata(tag, description="")
        )

    def _add(self, values, step):
        self.writer.add_event(self.event(wall_time=time.time(), step=step, summary=self.summary(value=values)))
        self.writer.flush()  # a process that is killed has written them all the same


class MLflow(Tracker):
    """The server that MLFLOW_TRACKING_URI names, or else a data base in `mlflow/`."""

    name = "mlflow"

    @property
    def _local(self):
        return "MLFLOW_TRACKING_URI" not in os.environ

    def packages(self):
        return ("mlflow", "sqlalchemy") if self._local else ("mlflow",)

    def open(self, directory, run):
        import mlflow

        uri = artifacts = None
        if self._local:
            folder = directory.absolute() / "mlflow"
            folder.mkdir(exist_ok=True)
            uri, artifacts = f"sqlite:///{folder.as_posix()}/mlflow.db", (folder / "artifacts").as_uri()
        self.client, self.entities = mlflow.MlflowClient(uri), mlflow.entities
        if run is None:
            name = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
            there = self.client.get_experiment_by_name(name)
            experiment = there.experiment_id if there else self.client.create_experiment(name, artifacts)
            run = self.client.create_run(experiment, run_name=directory.resolve().name).info.run_id
        else:
            self.client.update_run(run, status="RUNNING")
        self.run = run
        return run

    def config(self, values):
        rows = [self.entities.Param(name, str(value)[:6000]) for name, value in values.items()]
        self.client.log_batch(self.run, params=rows)

    def log(self, values, step):
        now = int(1000 * time.time())
        rows = [self.entities.Metric(name, value, now, step) for name, value in values.items()]
        self.client.log_batch(self.run, metrics=rows)

    def image(self, name, path, step):
        with Image.open(path) as picture:
            self.client.log_image(self.run, picture, key=name, step=step, synchronous=True)

    def alert(self, title, text, level):
        self.client.set_tag(self.run, f"finding.{title}", text)

    def close(self):
        self.client.set_terminated(self.run)


class WandB(Tracker):
    """Weights & Biases, without a network unless WANDB_MODE says otherwise; its files are in `wandb/`."""

    name = "wandb"
    active: ClassVar[dict[str, Any]] = {}  # W&B's runs of this process by their ids: one cannot be opened twice

    def packages(self):
        return ("wandb",)

    def open(self, directory, run):
        import wandb

        if run in self.active:
            self.active.pop(run).finish()  # of a training that was interrupted
        self.picture = wandb.Image
        self.run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            name=directory.resolve().name,
            dir=directory,
            id=run or secrets.token_hex(4),
            mode=None if "WANDB_MODE" in os.environ else "offline",
            resume="allow",
            reinit="create_new",  # beside a run that the user has begun
            settings=wandb.Settings(console="off"),
        )
        self.active[self.run.id] = self.run
        return self.run.id

    def config(self, values):
        self.run.config.update(values)

    def log(self, values, step):
        self.run.log(values, step=step, commit=True)

    def image(self, name, path, step):
        self.run.log({name: self.picture(str(path))}, step=step, commit=False)

    def alert(self, title, text, level):
        self.run.alert(title, text, LEVELS[level])

    def close(self):
        self.active.pop(self.run.id).finish()


class Trackio(Tracker):
    """Trackio's own folder, or wherever its environment variables say."""

    name = "trackio"

    def packages(self):
        return ("trackio",)

    def open(self, directory, run):
        import trackio

        config = {}
        if run is None:
            run = f"{directory.resolve().name}-{secrets.token_hex(2)}"
        else:  # Trackio would forget its settings
            before = next((one.config for one in trackio.Api().runs(PROJECT) if one.name == run), None) or {}
            config = {name: value for name, value in before.items() if not name.startswith("_")}
        self.run = trackio.init(project=PROJECT, name=run, resume="allow", config=config, embed=False)
        self.picture, self.level = trackio.Image, trackio.AlertLevel
        return run

    def config(self, values):
        self.run.config |= values

    def log(self, values, step):
        self.run.log(values, step)

    def image(self, name, path, step):
        self.run.log({name: self.picture(str(path))}, step)

    def alert(self, title, text, level):
        self.run.alert(title, text, self.level[LEVELS[level]])

    def close(self):
        self.run.finish()


TRACKERS: dict[str, type[Tracker]] = {kind.name: kind for kind in (TensorBoard, MLflow, WandB, Trackio)}


def get(to: Any) -> Tracker:
    """Return the tracker of that name, or one that calls the methods of the user's object; nothing is imported.

    Raises:
        ValueError: if it is neither.
        ImportError: if a package that the tracker needs is not installed.
    """
    if not isinstance(to, str):
        if not callable(getattr(to, "log", None)):
            raise ValueError(
                f"`to` of Track must be one of {', '.join(map(repr, TRACKERS))}, or an object with a method "
                f"`log(values, step)`. Received: {to!r}"
            )
        return Own(to)
    tracker = lookup("tracker for `to`", to, TRACKERS)()
    for package in tracker.packages():
        found = importlib.util.find_spec(package)
        if found is None or found.origin is None:  # `wandb/` in this folder, with files of runs, is no package
            raise ImportError(f"`to` of Track is {to!r}, which needs the package {package}: pip install {to}")
    return tracker
