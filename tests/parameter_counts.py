"""How many parameters the players that receive an image have: a table of the documentation, written by

python -m tests.parameter_counts docs/architectures.md
"""

import contextlib
import functools
import pathlib
import sys
from unittest import mock

import numpy as np
from keras import initializers, ops

from kgan.architectures import patch, resnet_translation, rrdb, srresnet, unet
from tests.brought import between_marks

COMMAND = "python -m tests.parameter_counts docs/architectures.md"
PLAYERS = {
    "`unet.generator((256, 256, 3))`": unet.generator,
    "`unet.generator((128, 128, 3))`": lambda: unet.generator((128, 128, 3)),
    "`unet.generator((32, 32, 3), filters=32)`": lambda: unet.generator((32, 32, 3), filters=32),
    "`patch.discriminator((256, 256, 3))`": patch.discriminator,
    "`patch.discriminator((256, 256, 3), receptive_field=34)`": lambda: patch.discriminator(receptive_field=34),
    "`patch.discriminator((256, 256, 3), receptive_field=16)`": lambda: patch.discriminator(receptive_field=16),
    '`patch.discriminator((256, 256, 3), given=False, norm="instance")`': lambda: patch.discriminator(
        given=False, norm="instance"
    ),
    "`resnet_translation.generator((256, 256, 3))`": resnet_translation.generator,
    "`resnet_translation.generator((128, 128, 3), blocks=6)`": lambda: resnet_translation.generator(
        (128, 128, 3), blocks=6
    ),
    "`srresnet.generator((96, 96, 3))`": srresnet.generator,
    "`rrdb.generator((128, 128, 3))`": rrdb.generator,
}


@contextlib.contextmanager
def zero_weights():
    """A context in which new weights are 0; random numbers take longer than everything else about a large player."""

    def zeros(self, shape, dtype=None):
        return ops.zeros(shape, dtype=dtype)

    with (
        mock.patch.object(initializers.RandomNormal, "__call__", zeros),
        mock.patch.object(initializers.VarianceScaling, "__call__", zeros),
    ):
        yield


@functools.cache
def counts():
    """For each player the number of its trained parameters, of its moving statistics, and the shape of its output."""
    found = {}
    with zero_weights():
        for label, make in PLAYERS.items():
            player = make()
            trained = sum(int(np.prod(variable.shape)) for variable in player.trainable_variables)
            found[label] = trained, player.count_params() - trained, player.output_shape[1:]
    return found


def table():
    rows = ["| player | output | trained parameters | moving statistics |", "|---|---|---:|---:|"]
    for label, (trained, moving, shape) in counts().items():
        rows.append(f"| {label} | {' x '.join(map(str, shape))} | {trained:,} | {moving:,} |")
    return "\n".join(rows)


if __name__ == "__main__":
    path = pathlib.Path(sys.argv[1])
    path.write_text(between_marks(path.read_text("utf-8"), table(), COMMAND), "utf-8")
