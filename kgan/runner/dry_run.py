"""A dry run of a recipe: everything is built and trained for two steps, and nothing is written."""

import sys
import time

import numpy as np
from rich.console import Console

from kgan import backend
from kgan.doctor import before
from kgan.runner import display
from kgan.runner.run import make_objects

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


def try_out(recipe, given, out=None, console=None):
    """Build everything, train for two steps, and print sizes and the expected time; nothing is written.

    Args, Raises: as `train`.
    """
    console = console or Console()
    batches, gan, *_ = make_objects(recipe, given, out, console, steps_at_once=1)
    steps = recipe.steps or recipe.epochs * len(batches)
    told = before.findings(gan, steps, recipe.data.batch_size, batches)
    began = time.monotonic()
    gan.train_on_batch(*batches[0])
    compiled = time.monotonic()
    logs = gan.train_on_batch(*batches[min(1, len(batches) - 1)], return_dict=True)
    done = time.monotonic()
    each, first = done - compiled, compiled - began
    weights = [*gan.variables, *gan.d_opt.variables, *gan.g_opt.variables]
    rows = {
        "generator": f"{gan.generator.count_params():,} parameters",
        "discriminator": f"{gan.discriminator.count_params():,} parameters",
        **({"devices": display.dealt_out(recipe.data.batch_size, gan.pack)} if len(backend.devices()) > 1 else {}),
        "two steps": "  ".join(f"{name} {float(logs[name]):.3f}" for name in ("d_loss", "g_loss")),
        "steps": f"{steps:,}, {len(batches):,} of them an epoch",
        "a checkpoint": _size(sum(int(np.prod(variable.shape)) * 4 for variable in weights)),
        "memory": _memory(),
        "time": f"about {display.duration(first + each * steps)}: {display.duration(first)} to begin with, "
        f"{1000 * each:.3g} ms a step",
    }
    for name, value in rows.items():
        console.print(f"{name:<14} {value}", soft_wrap=True, highlight=False, markup=False)
    for one in told:
        console.print(f"{one.level}: {one.advice}", soft_wrap=True, highlight=False, markup=False)


def _size(count):
    return f"{count / 2**20:,.0f} MiB"


def _memory():
    """The most memory that this process has held at once, in words."""
    if resource is None:
        return "unknown on this system"
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{_size(most if sys.platform == 'darwin' else most * 1024)} so far"
