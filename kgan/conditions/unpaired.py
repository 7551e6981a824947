"""Two domains without pairs: a generator of two towers, one for each direction."""

import weakref

import keras
from keras.saving import register_keras_serializable

from kgan.backend import operations_before
from kgan.conditions.condition import shown
from kgan.conditions.images import ImageCondition, Pairs, two_of


@register_keras_serializable("kgan")
class Unpaired(ImageCondition):
    """Two domains of images, a and b, that do not belong to each other: CycleGAN (Zhu et al., arXiv:1703.10593).

    A batch is images of both: `fit(a, b)`, or `fit(kgan.data.Unpaired(a, b, batch_size))`. What is given is the list
    `[a, b]`, what is real the list `[b, a]`. The generator is one model of two towers, `[a, b] -> [like b, like a]`, the
    discriminator `[b, a] -> [a score for b, a score for a]`; `kgan.architectures.towers` joins two models so. Losses,
    penalties and terms are sums over both directions, and means over all else.

    Example:

    >>> a, b = np.zeros((2, 8, 8, 1), "uint8"), np.full((2, 8, 8, 3), 255, "uint8")
    >>> given, real = kgan.conditions.Unpaired().read((a, b))
    >>> [one.shape for one in given], [one.shape for one in real]
    ([(2, 8, 8, 1), (2, 8, 8, 3)], [(2, 8, 8, 3), (2, 8, 8, 1)])
    """

    needs_pairs, domains = True, ("b", "a")

    def __init__(self):
        self._ways: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()  # made once for each generator

    def read(self, data):
        a, b = self.select(data)
        return [a, b], [b, a]

    def select(self, element):
        return two_of(element, self._refuse)

    def _refuse(self, received):
        raise ValueError(
            "A GAN with the condition Unpaired trains on images of two domains, fit(a, b), or on "
            f"kgan.data.Unpaired(a, b, batch_size). Received: {received}"
        )

    def shapes_in_data(self, image_shape, given_shape):
        return tuple(given_shape)

    def prepared(self, given, real, seeds):
        return real[::-1]

    def specs(self, generator):
        return [keras.KerasTensor((None, *one.shape[1:])) for one in generator.inputs[-2:]]

    def seen_by(self, player, given, others):
        # a discriminator of two inputs takes the images of both domains, and nothing that is given
        return given if len(player.inputs) - others >= 2 else None

    def draw(self, n, wanted, seeds):
        raise ValueError("A GAN with the condition Unpaired makes images of images: use `translate(images, to='b')`.")

    def player_arguments(self, image_shape=None, given_shape=None):
        return {}

    def check_players(self, generator, discriminator, pack):
        super().check_players(generator, discriminator, pack)
        for name, player, makes in (
            ("generator", generator, "like b, like a"),
            ("discriminator", discriminator, "scores for b, scores for a"),
        ):
            inputs, outputs = (len(getattr(player, part, None) or ()) for part in ("inputs", "outputs"))
            if inputs < 2 or outputs < 2 or outputs % 2:
                takes = "[a, b]" if name == "generator" else "[b, a]"
                raise ValueError(
                    f"With the condition Unpaired the {name} must be a Functional model of two towers, "
                    f"{takes} -> [{makes}]; kgan.architectures.towers.{name} joins two models. "
                    f"Received: model {player.name!r}, with {inputs} inputs and {outputs} outputs."
                )

        made, given = (
            [tuple(one.shape[1:]) for one in several] for several in (generator.outputs, generator.inputs[-2:])
        )
        if made != given[::-1]:
            raise ValueError(
                f"The generator, model {generator.name!r}, must make images of the shapes that it is given, [a, b] -> "
                f"[like b, like a]. Received: {' and '.join(map(shown, given))} -> {' and '.join(map(shown, made))}"
            )

    def one_way(self, generator, to=None):
        if to not in self.domains:
            raise ValueError(
                f"`to` must be the domain of the result, 'a' or 'b', with the condition Unpaired. Received: {to!r}"
            )
        ways = self._ways.setdefault(generator, {})
        if to not in ways:
            inputs, tower = generator.inputs, self.domains.index(to)
            given, made = inputs[-2:][tower], generator.outputs[tower]
            operation, arguments = next(operations_before(made))
            nested = isinstance(operation, keras.Model) and len(operation.outputs) == 1 and arguments[0] is given
            ways[to] = operation if nested else keras.Model([*inputs[:-2], given], made)
        return ways[to], Pairs()
