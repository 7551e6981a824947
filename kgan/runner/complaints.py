"""Translates pydantic's errors about a recipe into problems in the recipe's own words, at places in its file."""

import json
import re
import typing

from pydantic import BaseModel

from kgan.arguments import closest
from kgan.runner.errors import Problem


def problems_of(error, given, model):
    """Yield a `Problem` for each path in pydantic's error; messages of several types about one value are joined.

    Args:
        error: `pydantic.ValidationError`.
        given: `Given`, the recipe that was checked.
        model: The pydantic model that it was checked with.
    """
    raw = given.data
    found: dict[tuple, list[str]] = {}
    hints: dict[tuple, str] = {}
    for one in error.errors():
        path = _path(one, raw)
        if one["type"] == "union_tag_invalid" and isinstance(_value(raw, path), dict):
            path = (*path, "name")
        message, hints[path] = _message(one, path, raw, model)
        found.setdefault(path, []).append(message)
    for path, messages in found.items():
        message = ", or ".join(dict.fromkeys(messages))
        if messages[0].startswith("must be"):
            message += f", not {_shown(_value(raw, path))}"
        yield Problem(path, message + hints[path], nearest_place(path, given.places))


def nearest_place(path, places):
    """The place of the value at a path, or of what encloses it; `"--set"`, if a part of it was set on the command line."""
    while path:
        if any(place == "--set" and at[: len(path)] == path for at, place in places.items()):
            return "--set"
        if path in places:
            return places[path]
        path = path[:-1]
    return places.get(path)


def _message(error, path, raw, model):
    """The message, and a hint at what was probably meant."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown key", _meant(path[-1], _known_keys(path[:-1], raw, model))
    if kind == "missing":
        return "missing", ""
    if kind == "union_tag_invalid":
        return f'unknown name "{context["tag"]}"', _meant(context["tag"], _quoted(context["expected_tags"]))
    if kind == "value_error":
        return str(context["error"]), ""
    if kind in ("union_tag_not_found", "model_attributes_type"):
        return "must be a name, or a mapping with a `name`", ""
    if kind == "literal_error":
        hint = _meant(error["input"], _quoted(context["expected"]))
        return f"must be {context['expected']}", hint if "did you mean" in hint else ""
    if kind == "sequence_str":
        return "must be a list", ""
    return re.sub(
        r"a valid dictionary or instance of \w+", "a mapping", error["msg"].replace("Input should", "must")
    ), ""


def _quoted(text):
    """The names in pydantic's `'a', 'b' or 'c'`."""
    return re.findall(r"'([^']*)'", text)


def _meant(given, known):
    match = closest(given, known)
    return f', did you mean "{match}"?' if match else f"; known are {', '.join(sorted(known))}"


def _shown(value):
    text = json.dumps(value, ensure_ascii=False) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _value(raw, path):
    for step in path:
        raw = raw[step]
    return raw


def _path(error, raw):
    """pydantic's location without what it adds between the keys: names of chosen models, and of types of a union."""
    path: list[str | int] = []
    here = raw
    for index, step in enumerate(error["loc"]):
        if step in here if isinstance(here, dict) else isinstance(here, list) and step in range(len(here)):
            here = here[step]
        elif not (isinstance(here, dict) and error["type"] == "missing" and index == len(error["loc"]) - 1):
            continue
        path.append(step)
    return tuple(path)


def _known_keys(path, raw, model):
    """The keys that the mapping at `path` may have."""
    annotation, here = None, raw
    for step in path:
        here = here[step]
        if isinstance(step, str):
            annotation = model.model_fields[step].annotation
        model = _model_for(annotation, here)
    return list(model.model_fields)


def _model_for(annotation, value):
    """The pydantic model inside an annotation that a value is checked against."""
    name = value.get("name") if isinstance(value, dict) else None
    found = []
    todo = [annotation]
    while todo:
        one = todo.pop()
        if isinstance(one, type) and issubclass(one, BaseModel):
            found.append(one)
        todo.extend(typing.get_args(one))
    for model in found:
        field = model.model_fields.get("name")
        if field and name in typing.get_args(field.annotation):
            return model
    return found[0]
