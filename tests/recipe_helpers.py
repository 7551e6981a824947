"""A small recipe, and checking the texts of others."""

import pytest

from kgan.runner import loader, recipes, schema
from kgan.runner.errors import RecipeError

GOOD = """\
data: {name: digits, batch_size: 32}
generator: {name: dense, units: [16]}
discriminator:
  name: dense
  dropout: 0.2
epochs: 2
"""


def check(text, settings=()):
    """The recipe that a text and some `--set` are."""
    data, places = loader.load(text, "recipe.yaml")
    given = recipes.Given(text, {"name": "recipe", **data}, places, "recipe.yaml")
    recipes.override(given, settings)
    return schema.validate(given)


def complaint(text, settings=()):
    """What is said of a text that is not a recipe."""
    with pytest.raises(RecipeError) as caught:
        check(text, settings)
    return str(caught.value)
