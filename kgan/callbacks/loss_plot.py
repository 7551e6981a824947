"""LossPlot: both players' curves in one picture."""

import pathlib

from matplotlib.figure import Figure

from kgan.callbacks.periodic import Periodic
from kgan.files import replace_when_written


class LossPlot(Periodic):
    """Draws the losses of both players, and below them the accuracies with the 50 % line of the equilibrium.

    With `fit(validation_data=...)` the accuracy on these images is drawn beside that on the training images: where the two
    differ, the discriminator overfits.

    Args:
        path: The picture, `.png` or `.svg`.
        every: Integer, a number of epochs; or a string such as `"10 epochs"`. It is drawn at the end too.
    """

    place = "losses.png"

    def __init__(self, path: str | pathlib.Path = "losses.png", every: int | str = 1):
        super().__init__(every)
        if self.unit != "epoch":
            raise ValueError(
                f"`every` of LossPlot must count epochs, since it draws one point for each epoch. Received: {every!r}"
            )
        self.path = pathlib.Path(path)
        if self.path.suffix.lower() not in (".png", ".svg", ".pdf", ".jpg"):
            raise ValueError(f"`path` of LossPlot must end in .png or .svg. Received: {str(path)!r}")
        self.epochs: list[int] = []
        self.curves: dict[str, list[float]] = {}

    def get_state(self):
        return {**super().get_state(), "epochs": self.epochs, "curves": self.curves}

    def set_state(self, state):
        super().set_state(state)
        self.epochs = list(state.get("epochs", []))
        self.curves = {name: list(values) for name, values in state.get("curves", {}).items()}

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(epoch + 1)
        for name, value in (logs or {}).items():
            self.curves.setdefault(name, []).append(float(value))
        super().on_epoch_end(epoch, logs)

    def on_train_end(self, logs=None):
        if self.epochs:
            self.act("end")

    def act(self, when):
        figure = Figure(figsize=(8, 6), layout="constrained")
        losses, accuracies = figure.subplots(2, 1, sharex=True)
        for name, label in (("d_loss", "discriminator"), ("g_loss", "generator")):
            losses.plot(self.epochs, self.curves[name], label=label)
        losses.set_ylabel("loss")
        losses.legend()
        shown = {"d_real_accuracy": "D on real", "d_fake_accuracy": "D on fake"}
        if len(self.curves.get("val_d_real_accuracy", ())) == len(self.epochs):
            shown["val_d_real_accuracy"] = "D on real images it never trained with"
        for name, label in shown.items():
            accuracies.plot(self.epochs, [100 * value for value in self.curves[name]], label=label)
        accuracies.axhline(50, color="gray", linestyle="--", linewidth=1, label="equilibrium, 50 %")
        accuracies.set(ylabel="accuracy of D (%)", xlabel="epoch", ylim=(-3, 103))
        accuracies.legend()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replace_when_written(self.path) as temporary:
            figure.savefig(temporary, dpi=100)
