"""What trainings on several devices send each other, and what more devices would do on paper: tables of docs/devices.md.

python -m docs.communication
"""

import math
import pathlib

from keras import layers

from kgan.architectures import r3gan
from kgan.backend import layers_in
from kgan.runner import auto, build, recipes
from kgan.runner.blame import Blame
from kgan.runner.recipe_players import make_players
from tests.parameter_counts import zero_weights

HERE = pathlib.Path(__file__).parent / "devices"
# of a real image, and of what the generator is given
SHAPES: dict = {
    "dense": ((28, 28, 1), None),
    "dcgan": ((28, 28, 1), None),
    "mnist": ((28, 28, 1), None),
    "cifar10": ((32, 32, 3), None),
    "r3gan": ((32, 32, 3), None),
    "pix2pix": ((256, 256, 3), (256, 256, 3)),
    "cyclegan": ((256, 256, 3), (256, 256, 3)),
}
DEVICES = (1, 8, 64, 1000)

# R3GAN for 256 x 256 pixels
WIDTHS, BLOCKS, LATENTS, BATCH = (768, 768, 768, 768, 384, 192, 96), 2, 64, 256
# NVIDIA's data sheet of the H100 SXM: dense bfloat16, NVLink in one direction; and InfiniBand NDR, one link for each device
PEAK, NVLINK, NETWORK, IN_A_MACHINE = 989e12, 450e9, 50e9, 8  # operations a second, twice bytes a second, devices
USED = 0.3  # the share of the peak that these convolutions are taken to reach
CALLS = 0.004  # seconds that a step of some thousand small operations takes with hardly any images
LATENCY = 20e-6  # seconds of a message, of which a tree of n devices needs 2 log2 n in turn


def operations(model):
    """Additions and multiplications of one call for one image, of convolutions and dense layers."""
    return sum(
        2 * math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
        for layer in layers_in(model)
        if isinstance(layer, layers.Conv2D | layers.Dense)
    )


def gradient_bytes(model):
    return 4 * sum(math.prod(variable.shape) for variable in model.trainable_variables)


def in_a_ring(count, devices):
    """The bytes that each of some devices sends to add up so many bytes."""
    return 2 * (devices - 1) / devices * count


def communication():
    """What each device sends in a step of the shipped recipes, which update each player once, `combined` D twice."""
    rows = ["| recipe | weights of G and D | in a step, 2 devices | 64 devices |", "|---|---:|---:|---:|"]
    for name, shapes in SHAPES.items():
        given = recipes.read(name)
        recipe = auto.settle(given)
        with zero_weights(), Blame(given) as blame:
            players = make_players(recipe, *shapes, build.condition_of(recipe), blame, True)
        count = sum(map(gradient_bytes, players.values()))
        sent = [f"{in_a_ring(count, devices) / 1e6:,.1f} MB" for devices in (2, 64)]
        rows.append(f"| `{name}` | {count // 4:,} | {' | '.join(sent)} |")
    return "\n".join(rows) + "\n"


def on_paper():
    arguments = {"widths": WIDTHS, "blocks": BLOCKS}
    with zero_weights():
        generator = r3gan.generator((256, 256, 3), latent_dim=LATENTS, **arguments)
        discriminator = r3gan.discriminator((256, 256, 3), **arguments)
    g, d = operations(generator), operations(discriminator)
    # of an image, with a backward pass as twice a forward pass. D: a fake, two verdicts and their gradients, and R1 and R2,
    # each a verdict, its gradient with respect to the image, and the gradient of these. G: a fake, two verdicts, gradients
    # through the one on the fake and G
    of_image = (g + 2 * d + 4 * d + 2 * 6 * d) + (g + 2 * d + 2 * d + 2 * g)
    sizes = [gradient_bytes(one) for one in (generator, discriminator)]
    said = (
        f"Widths {', '.join(map(str, WIDTHS))} with {BLOCKS} blocks each: {sizes[0] / 4e6:.0f} and {sizes[1] / 4e6:.0f} "
        f"million weights, {g / 1e9:.0f} and {d / 1e9:.0f} billion operations for an image; {of_image / 1e12:.1f} trillion "
        "in a step, for each image of the batch, with R1 and R2.\n\n"
    )
    rows = [
        "| devices | batch | images on each | arithmetic | communication | images/s | of n times one |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    alone = None
    for devices in DEVICES:
        batch = max(BATCH, devices)
        each = math.ceil(batch / devices)
        arithmetic = max(CALLS, each * of_image / (PEAK * USED))
        talk = sum(map(lambda size: communicated(size, devices), sizes))
        speed = batch / (arithmetic + talk)
        alone = alone or speed
        rows.append(
            f"| {devices:,} | {batch:,} | {each} | {1000 * arithmetic:,.1f} ms | {1000 * talk:,.1f} ms | {speed:,.0f} | "
            f"{speed / alone / devices:.0%} |"
        )
    return said + "\n".join(rows) + "\n"


def communicated(count, devices):
    """Seconds in which so many bytes are added up: within each machine, and a part by each device between machines."""
    if devices == 1:
        return 0.0
    machines = math.ceil(devices / IN_A_MACHINE)
    within = in_a_ring(count, min(devices, IN_A_MACHINE)) / NVLINK
    between = in_a_ring(count / IN_A_MACHINE, machines) / NETWORK if machines > 1 else 0.0
    return within + between + 2 * math.log2(devices) * LATENCY


if __name__ == "__main__":
    (HERE / "communication.md").write_text(communication(), "utf-8")
    (HERE / "on_paper.md").write_text(on_paper(), "utf-8")
