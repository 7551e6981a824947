"""The trainings: what is broken in each, which symptom it must show, and within how many steps."""

import pathlib
from typing import NamedTuple

PLUGIN = pathlib.Path(__file__).with_name("players.py")
D, G = "optimizers.discriminator.learning_rate", "optimizers.generator.learning_rate"


class Case(NamedTuple):
    """A sick run.

    Attributes:
        recipe: The recipe that is broken.
        settings: What breaks it, as `--set`.
        steps: Integer. The symptom must be found within so many.
    """

    recipe: str
    settings: tuple[str, ...]
    steps: int


class Recipe(NamedTuple):
    """A shipped recipe, trained for a short time.

    Attributes:
        settings: Its length, and where its data are.
        expected: The symptoms that it shows on purpose.
    """

    settings: tuple[str, ...]
    expected: tuple[str, ...] = ()


def steps(count):
    return "epochs=null", f"steps={count}"


CASES = {
    "not-finite": Case("digits", (*steps(300), f"{D}=1e30"), 300),
    "exploding": Case("digits", (*steps(300), f"{D}=0.1", f"{G}=0.1"), 200),
    "d-wins": Case("digits", (*steps(1200), "penalties=[]", f"{D}=0.01", f"{G}=1e-5"), 1200),
    "g-gradient-vanishes": Case("digits", (*steps(600), "loss=minimax", "penalties=[]", f"{D}=0.01", f"{G}=1e-5"), 600),
    "d-overfits": Case("digits", (*steps(3000), "penalties=[]", "data.validation_split=0.8"), 3000),
    "collapse": Case("digits", (*steps(1500), "generator.units=[1]", f"{G}=0.02", f"{D}=1e-5"), 1500),
    "sudden-collapse": Case(
        "digits",
        (*steps(2500), f"{G}={{name: piecewise_constant_decay, boundaries: [1000], values: [0.001, 1.0]}}"),
        2500,
    ),  # fmt: skip
    "duplicates": Case("digits", (*steps(600), "latent_dim=1"), 600),
    "memorises": Case("digits", (*steps(6000), "penalties=[]", "data.limit=40", "data.batch_size=32"), 6000),
    "dead-generator": Case("digits", (*steps(400), "generator={name: players}"), 400),
    "d-does-not-learn": Case("digits", (*steps(900), f"{D}=1e-7"), 900),
    "g-wins-with-garbage": Case("digits", (*steps(1200), f"{D}=1e-6", f"{G}=0.005"), 1200),
    "saturated": Case("digits", (*steps(600), "data={path: {grey}, batch_size: 64}", f"{G}=0.05"), 600),
    "ema-lags": Case("digits", (*steps(600), "ema={name: constant, value: 0.9999}"), 600),
    "augmentation-leaks": Case("digits", (*steps(1500), "augment={name: ada, target: 0.0, length: 5000}"), 1500),
    "bound-broken": Case(
        "digits", (*steps(600), "loss=wasserstein", "penalties=[]", "tricks=[{name: weight_clip, bound: 0.0001}]"), 600
    ),
}

HEALTHY = {
    "digits": Recipe(steps(3000)),
    "gaussians-ring": Recipe(steps(3000)),
    "gaussians-grid": Recipe(steps(3000)),
}
