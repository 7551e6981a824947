"""The players that a recipe names, made for the shapes of its data."""

import inspect

from kgan import architectures
from kgan.architectures import towers
from kgan.arguments import Misfit
from kgan.runner.types import arguments_of

SIZE = ("data", "size")


def make_players(recipe, shape, given_shape, condition, blame, can_resize):
    """Return those players that can be made for examples of that shape, by name.

    For two domains each of them is one model of two towers, whose weights are initialized one after the other.
    """
    players = {}
    of_one = condition.towers == 1
    ways = [(shape, given_shape)] if of_one else [(shape, given_shape), (given_shape, shape)]
    for name in ("generator", "discriminator"):
        chosen = getattr(recipe, name)
        with blame(name, keys={"size": SIZE if can_resize else None, "name": (name,)}):
            make = getattr(architectures.get(chosen.name), name)
            made = []
            for real, given in ways:
                wanted = condition.player_arguments(real, given) if of_one else _of_tower(name, given)
                arguments = {**_conditional(chosen.name, name, make, wanted), **arguments_of(chosen)}
                if name == "generator":
                    made.append(make(real, recipe.latent_dim, **arguments))
                else:
                    if not of_one and "given" in arguments:
                        arguments["given"] = False
                    made.append(make((*real[:-1], recipe.pack * real[-1]), **arguments))
            players[name] = made[0] if of_one else getattr(towers, name)(*made)
    return players


def _of_tower(name, given_shape):
    """The arguments of a tower: a generator is given an image of the other domain, a discriminator sees none."""
    return {"given_shape": given_shape} if name == "generator" else {}


def _conditional(name, role, player, arguments):
    """Those of a condition's arguments that a player's function takes."""
    taken = inspect.signature(player).parameters.keys()
    for argument in arguments.keys() - taken:
        if argument == "num_classes":
            raise ValueError(f"{name} cannot be conditioned on classes: its function does not take `{argument}`")
        if role == "generator":
            made = architectures.players(role).items()
            made = [other for other, make in made if "given_shape" in inspect.signature(make).parameters]
            raise Misfit(f"{name} cannot be given images. Those that can are {', '.join(made)}", name=made[-1])
    if role == "generator" and "given_shape" in taken and "given_shape" not in arguments:
        raise ValueError(f"{name} is given images, which needs a `condition` such as pairs, or downscaled")
    return {argument: value for argument, value in arguments.items() if argument in taken}
