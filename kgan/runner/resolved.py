"""A recipe with every default filled in: what a run directory keeps, and what says whether two runs are of one recipe."""

import pathlib

from kgan.runner import auto, recipes, schema
from kgan.runner.errors import Problem, RecipeError


def resolved(recipe):
    """The recipe with every default filled in, as plain data, with absolute paths."""

    data = recipe.model_dump(mode="json")
    change_paths(data, lambda path: str(pathlib.Path(path).expanduser().absolute()))
    return data


def change_paths(data, change):
    """Replace each path of a file or folder in a resolved recipe, plain data, by `change(path)`."""
    sources = [data["data"], data["data"].get("a"), data["data"].get("b")]
    named = [(one, "path") for one in sources if one]
    named += [(one, "extractor") for one in data.get("callbacks", ()) if one["name"] == "score"]
    named += [(one, "model") for one in data.get("terms", ()) if "model" in one]
    for one, key in named:
        path = one.get(key)
        if path and (key == "path" or str(path).endswith((".pth", ".keras"))):
            one[key] = change(path)


def differences(recipe, directory):
    """The keys whose values differ in the recipe of a run directory, with the old value and the new one.

    Trackers are not compared, since they change nothing in a training.
    """
    return _differences(_without_trackers(as_now(directory / "resolved.yaml")), _without_trackers(resolved(recipe)))


def _without_trackers(data):
    kept = [one for one in data.get("callbacks", ()) if not (isinstance(one, dict) and one.get("name") == "track")]
    return {**data, "callbacks": kept}


def _differences(before, now):
    before, now = flat(before), flat(now)
    keys = sorted(before.keys() | now.keys())
    pairs = {key: (before.get(key, "not there"), now.get(key, "not there")) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def from_shipped(directory):
    """As `differences`, of a run directory's recipe from the shipped one of its name: its own values come second."""
    own = recipes.read(str(directory / "resolved.yaml")).data
    if own.get("name") not in recipes.shipped():
        return {}
    try:
        shipped = resolved(auto.settle(recipes.read(own["name"])))
    except RecipeError:  # such as one whose data the user must name
        return {}
    return _differences(shipped, own)


def check_same(recipe, directory):
    """Raise RecipeError, with all differences, if a run directory belongs to another recipe."""
    found = differences(recipe, directory)
    if found:
        problems = [Problem((key,), f"was {before}, is now {now}") for key, (before, now) in found.items()]
        hint = Problem((), f"{directory} is a run of another recipe; --allow-changes resumes it anyway")
        raise RecipeError("--resume", [*problems, hint])


def as_now(path):
    """A resolved recipe, with defaults for keys that did not exist when it was written."""
    given = recipes.read(str(path))
    try:
        return resolved(schema.validate(given))
    except RecipeError:  # it has a key that no longer exists, which the comparison will name
        return given.data


def flat(data, path=""):
    """Nested plain data as one dict from paths such as `data.name` to values."""
    if isinstance(data, dict | list) and data:
        items = data.items() if isinstance(data, dict) else enumerate(data)
        return {
            name: one
            for key, value in items
            for name, one in flat(value, f"{path}.{key}" if path else str(key)).items()
        }
    return {path: data}
