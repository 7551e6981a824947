"""Track: the logs, pictures and findings of a training in a tracker such as TensorBoard or MLflow."""

import json
import logging
import pathlib
from typing import Any

from kgan.arguments import brief
from kgan.callbacks import trackers
from kgan.callbacks.doctor import Doctor
from kgan.callbacks.image_grid import ImageGrid
from kgan.callbacks.periodic import Periodic
from kgan.files import check_folder, replace_when_written

log = logging.getLogger("kgan")


class Track(Periodic):
    """Logs a training in a tracker: its settings once, and at the end of each epoch its logs, pictures and findings.

    The step is the number of steps since the training began. The logs include scores, if a `Score` callback measured some in
    that epoch. The picture is the newest one of an `ImageGrid` among the callbacks of the `fit`, the findings are those of a
    `Doctor` among them; list this callback after them. TensorBoard writes into `tensorboard/` in that folder, MLflow
    into `mlflow/` unless MLFLOW_TRACKING_URI is set, and W&B into `wandb/`, without a network unless WANDB_MODE is set.

    A training that is resumed goes on in the same run of the tracker. Steps that it repeats, since they followed its last
    checkpoint, are not logged again; a small file in the folder says which they are. If a tracker fails, a warning says so
    once, and the training goes on without it.

    Example:

    >>> grid = kgan.callbacks.ImageGrid("runs/mine/samples")
    >>> track = kgan.callbacks.Track("tensorboard", "runs/mine")
    >>> # gan.fit(images, epochs=50, callbacks=[grid, track]), then tensorboard --logdir runs/mine

    Args:
        to: `"tensorboard"`, `"mlflow"`, `"wandb"` or `"trackio"`; or an object with a method `log(values, step)`, of which
            these are used too if it has them: `config(values)`, `image(name, path, step)` with the path of a PNG file, and
            `alert(title, text, level)` with the level `"info"`, `"warning"` or `"error"`.
        directory: The folder of the training.

    Raises:
        ValueError: if `to` is not a tracker.
        ImportError: if its package is not installed.
    """

    place = "."

    def __init__(self, to: Any = "tensorboard", directory: str | pathlib.Path = "."):
        super().__init__()
        self.tracker, self.directory = trackers.get(to), pathlib.Path(directory)
        self._open = self._failed = False
        self._logged = self._nothing()
        self._grids: list[ImageGrid] = []
        self._doctors: list[Doctor] = []

    def take_callbacks(self, callbacks):
        self._grids = [one for one in callbacks if isinstance(one, ImageGrid)]
        self._doctors = [one for one in callbacks if isinstance(one, Doctor)]

    def _nothing(self):
        """What the tracker has of a training that begins."""
        return {"to": self.tracker.name, "run": None, "step": -1, "picture": None, "findings": []}

    def get_state(self):
        return {**super().get_state(), **self._logged}

    def set_state(self, state):
        super().set_state(state)
        then = {name: state.get(name, value) for name, value in self._nothing().items()}
        if then["run"] is None or then["to"] != self.tracker.name:
            self._logged = self._nothing()
        else:
            there = self._read()  # also what was logged after the checkpoint
            self._logged = there if there.get("run") == then["run"] else then

    def on_train_begin(self, logs=None):
        check_folder("directory", self.directory, "Track")
        self._failed = False

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        if not self._open:  # not earlier, since only now is it known whether the training is resumed
            self._try(self._begin)

    def on_epoch_end(self, epoch, logs=None):
        self._try(self._log, {"epoch": epoch + 1, **(logs or {})})

    def on_train_end(self, logs=None):
        if self._open:
            self._open = False
            self._try(self.tracker.close)

    def _try(self, act, *args):
        """Call a function. What fails in it is no reason to end a training."""
        if self._failed:
            return
        try:
            act(*args)
        except Exception as error:  # of the tracker's package, of the network or of the disk
            self._failed = True
            log.warning(f"Nothing more of this training is logged in {self.tracker.name}, which failed: {brief(error)}")

    def _begin(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        before = self._logged["run"]
        self._logged["run"] = self.tracker.open(self.directory, before)
        self._open = True
        if before is None:
            # what there is of the training before it is tracked
            self._logged |= {"picture": self._picture()[1], "findings": [one.id for one in self._findings()]}
            self.tracker.config(self._config())
        self._write()

    def _log(self, values):
        step, before = self._steps, self._logged
        path, picture = self._picture()
        found = [one for one in self._findings() if one.id not in before["findings"]]
        self._logged = {
            **before,
            "step": max(step, before["step"]),
            "picture": picture,
            "findings": before["findings"] + [one.id for one in found],
        }
        self._write()  # first: a process that is killed in between lacks a step, instead of having it twice
        if step > before["step"]:
            if picture not in (None, before["picture"]):
                self.tracker.image(ImageGrid.place, path, step)
            numbers = {name: float(value) for name, value in values.items() if not isinstance(value, str)}
            self.tracker.log(numbers, step)
        for one in found:
            self.tracker.alert(one.id, str(one), one.level)

    def _config(self):
        model = self.model
        return {
            "image_shape": model.image_shape,
            "latent_dim": model.latent_dim,
            "seed": model.seed,
            "loss": type(model.loss).__name__,
            "generator_parameters": model.generator.count_params(),
            "discriminator_parameters": model.discriminator.count_params(),
            **model.optimizer.get_config(),
        }

    def _picture(self):
        """The newest picture: its path, and a list of its name and the time of writing. Both are `None` without one."""
        newest = [grid.written[-1] for grid in self._grids if grid.written]
        found = [(path.stat().st_mtime_ns, path) for path in newest if path.exists()]
        if not found:
            return None, None
        written, path = max(found)
        return path, [path.name, written]

    def _findings(self):
        return [one for doctor in self._doctors for one in doctor.findings]

    @property
    def _path(self):
        return self.directory / f"track-{self.tracker.name}.json"

    def _read(self):
        try:
            return json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):  # it is not there, or damaged
            return {}

    def _write(self):
        with replace_when_written(self._path) as temporary:
            temporary.write_text(json.dumps(self._logged), "utf-8")
