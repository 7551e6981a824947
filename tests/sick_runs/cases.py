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


def at_1000(first, then):
    """A learning rate that changes after a thousand steps."""
    return f"{{name: piecewise_constant_decay, boundaries: [1000], values: [{first:f}, {then:f}]}}"


CASES = {
    "not-finite": Case("digits", (*steps(300), f"{D}=1e30"), 300),
    "exploding": Case("digits", (*steps(300), f"{D}=0.1", f"{G}=0.1"), 200),
    "d-wins": Case("digits", (*steps(1500), "penalties=[]", f"{D}=0.01", f"{G}=1e-5"), 1500),
    "g-gradient-vanishes": Case("digits", (*steps(600), "loss=minimax", "penalties=[]", f"{D}=0.01", f"{G}=1e-5"), 600),
    "d-overfits": Case("digits", (*steps(3000), "penalties=[]", "data.validation_split=0.8"), 3000),
    "collapse": Case("digits", (*steps(1500), "generator.units=[1]", f"{G}=0.02", f"{D}=1e-5"), 1500),
    "sudden-collapse": Case(
        "digits", (*steps(2500), "penalties=[]", f"{G}={at_1000(0.001, 0.02)}", f"{D}={at_1000(0.001, 1e-5)}"), 2500
    ),
    "duplicates": Case("digits", (*steps(600), "latent_dim=1"), 600),
    "memorises": Case("digits", (*steps(6000), "penalties=[]", "data.limit=40", "data.batch_size=32"), 6000),
    "dead-generator": Case("digits", (*steps(400), "generator={name: players}"), 400),
    "d-does-not-learn": Case("digits", (*steps(900), f"{D}=1e-7"), 900),
    "g-wins-with-garbage": Case("digits", (*steps(1200), f"{D}=1e-6", f"{G}=0.005"), 1200),
    "saturated": Case("digits", (*steps(600), "data={path: {grey}, batch_size: 64}", f"{G}=0.05"), 600),
    "ema-lags": Case("digits", (*steps(600), "ema={name: constant, value: 0.9999}"), 600),
    "augmentation-leaks": Case("digits", (*steps(1500), "augment={name: ada, target: -1.0, length: 5000}"), 1500),
    "bound-broken": Case(
        "digits",
        (*steps(800), "loss=wasserstein", "penalties=[]", "tricks=[{name: weight_clip, bound: 0.0001}]", f"{D}=0.05"),
        800,
    ),
    "checkerboard": Case(
        "digits",
        (
            *steps(900),
            "data={path: {smooth}, batch_size: 32}",
            "generator={name: dcgan, filters: 4, kernel_size: 3}",
            "discriminator={name: dcgan, filters: 4}",
        ),
        900,
    ),
    "class-ignored": Case(
        "digits",
        (
            *steps(1500),
            "num_classes=10",
            "generator.conditioning=batch_norm",
            "discriminator.conditioning=auxiliary",
            "class_loss_weight=0",
        ),
        1500,
    ),
    "mode-drop": Case(
        "digits",
        (
            *steps(5000),
            f"{D}={{name: piecewise_constant_decay, boundaries: [2500], values: [0.001, 0.00003]}}",
            "callbacks=[{name: score, metric: precision_recall, every: 400 steps, samples: 1000}]",
        ),
        5000,
    ),
    "oscillates": Case("digits", (*steps(2500), "loss=wasserstein", "penalties=[]"), 2500),
}

# what each shipped recipe needs to be trained for a short time, and the symptoms that it shows on purpose; those that are
# not here need pictures of a kind that is not at hand, or hours
HEALTHY = {
    "digits": Recipe(steps(3000)),
    "gaussians-ring": Recipe(steps(3000)),
    "gaussians-grid": Recipe(steps(3000)),
    "dense": Recipe(steps(2000)),
    "dense-alternating": Recipe(steps(2000)),
    "dense-saturating": Recipe(steps(2000), ("d-wins", "g-gradient-vanishes", "collapse")),
    "combined": Recipe(steps(600)),
    "dcgan": Recipe(steps(400)),
    "dcgan-periods": Recipe(steps(400), ("oscillates", "d-wins", "g-wins-with-garbage")),
    "mnist": Recipe(steps(1000)),
    "fashion": Recipe(steps(1000)),
    "cifar10": Recipe(steps(600)),
    "lsgan": Recipe(steps(400)),
    "wgan": Recipe(steps(600)),
    "wgan-gp": Recipe(steps(300)),
    "dragan": Recipe(steps(400)),
    "cgan": Recipe(steps(1500)),
    "acgan": Recipe(steps(300)),
    "projection": Recipe(steps(300)),
    "hinge-sngan": Recipe(steps(400)),
    "relativistic": Recipe(steps(400)),
    "r3gan": Recipe(steps(200)),
    "pacgan": Recipe(steps(400)),
    "stacked-mnist": Recipe(steps(400), ("mode-drop",)),
    "colorize": Recipe(("data.validation=null", *steps(300))),
    "inpainting": Recipe(("data.validation=null", *steps(300))),
    "super-resolution": Recipe(("data.validation=null", *steps(300))),
    "outlines": Recipe(steps(200)),
}
