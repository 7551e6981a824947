"""The types of a recipe's keys, found in the schema."""

import pathlib
import types
import typing

from pydantic import BaseModel

from kgan.runner.schema import Recipe


def is_text(data, key, model=Recipe):
    """Whether the value at a path of a recipe is text or a path, and whether it may be missing too.

    Args:
        data: The recipe's plain data.
        key: Tuple of keys and indices. What encloses the value is in `data`.
        model: The pydantic model of the recipe.
    """
    possible = set(_types_at(data, key, model))
    none = possible & {type(None)}
    return bool(possible - none) and possible - none <= {str, pathlib.Path}, bool(none)


def _types_at(data, key, model):
    """The types that the schema allows for the value at a path of a recipe."""
    possible = [model]
    for step in key:
        name = data.get("name") if isinstance(data, dict) else None
        possible = [one for kind in _chosen(possible, name) for one in _inside(kind, step)]
        data = data.get(step) if isinstance(data, dict) else data[step]
    return possible


def _chosen(kinds, name):
    """Of the models that a mapping can be, the one with its name, or the usual one without a name; or all of them."""
    named = [kind for kind in kinds if _is_model(kind) and _has_name(kind, name)]
    return named or kinds


def _has_name(model, name):
    field = model.model_fields.get("name")
    return field is not None and (field.default if name is None else name) in typing.get_args(field.annotation)


def _is_model(kind):
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _inside(kind, step):
    """The types of what a value of a type holds at a key or an index."""
    if _is_model(kind):
        return _alternatives(kind.model_fields[step].annotation) if step in kind.model_fields else []
    arguments = typing.get_args(kind)
    if isinstance(step, int):
        return [one for argument in arguments for one in _alternatives(argument)]
    return _alternatives(arguments[1]) if len(arguments) == 2 else []  # the values of a mapping


def _alternatives(annotation):
    """The types in a union, without what is annotated to them."""
    if typing.get_origin(annotation) is typing.Annotated:
        return _alternatives(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return [one for argument in typing.get_args(annotation) for one in _alternatives(argument)]
    return [annotation]
