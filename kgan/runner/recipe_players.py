"""The players that a recipe names, made for the shapes of its data."""

import inspect

from kgan import architectures
from kgan.arguments import Misfit
from kgan.runner.types import arguments_of

SIZE = ("data", "size")


def make_players(recipe, shape, given_shape, condition, blame, can_resize):
    """Return those players that can be made for examples of that shape, by name."""
    players = {}
    for name, shape_seen, arguments in (
        ("generator", shape, (recipe.latent_dim,)),
        ("discriminator", (*shape[:-1], recipe.pack * shape[-1]), ()),
    ):
        chosen = getattr(recipe, name)
        with blame(name, keys={"size": SIZE if can_resize else None, "name": (name,)}):
            make = getattr(architectures.get(chosen.name), name)
            conditional = _conditional(chosen.name, name, make, condition.player_arguments(shape, given_shape))
            players[name] = make(shape_seen, *arguments, **conditional, **arguments_of(chosen))
    return players


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
