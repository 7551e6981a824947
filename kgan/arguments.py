"""Checks of arguments: names, with a suggestion for a misspelled one; numbers; objects that are saved as their arguments."""

import difflib
import math
import numbers
from collections.abc import Collection, Mapping
from typing import Any


class Misfit(ValueError):  # noqa: N818
    """Arguments that do not fit the data; `instead` holds the arguments that would, by name."""

    def __init__(self, message: str, **instead: Any):
        super().__init__(message)
        self.instead = instead


def closest(name: Any, known: Collection[str]) -> str | None:
    """Return the known name that is closest to a misspelled one, or `None`."""
    return next(iter(difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)), None)


def nearest(name: Any, known: Collection[str]) -> str:
    """Return a sentence with the closest known name, or with all known names."""
    match = closest(name, known)
    return f"Did you mean {match!r}?" if match else f"Known are: {', '.join(sorted(known))}."


def is_number(value: Any) -> bool:
    """Whether it is a finite real number of Python or numpy, and not a bool."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def integer(name: str, value: Any, at_least: int, of: str | None = None) -> int:
    """Return `value` as an `int`; `name` and `of` are the argument and its owner in the error message.

    Raises:
        ValueError: if it is not an integer, or is below `at_least`.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < at_least:
        owner = f" of {of}" if of else ""
        raise ValueError(f"`{name}`{owner} must be an integer >= {at_least}. Received: {value!r}")
    return int(value)


def lookup(kind: str, name: Any, known: Mapping[str, Any]) -> Any:
    """Return `known[name]`; `kind` is the kind of thing in the error message.

    Raises:
        ValueError: if there is no such name.
    """
    if isinstance(name, str) and name in known:
        return known[name]
    raise ValueError(f"Unknown {kind} {name!r}. {nearest(name, known)}")


def chosen(kind: str, identifier: Any, known: Mapping[str, Any], base: type, said: str) -> Any:
    """Return the object itself, or the one of that name with its defaults.

    Args:
        kind: What the thing is in the error message about an unknown name.
        identifier: A name in `known`, or a `base`.
        known: The classes by name.
        base: The class of all such objects.
        said: What is valid, the first sentence of the error message.

    Raises:
        ValueError: if `identifier` is neither a known name nor a `base`.
    """
    if isinstance(identifier, str):
        return lookup(kind, identifier, known)()
    if isinstance(identifier, base):
        return identifier
    raise ValueError(f"{said} Received: {identifier!r}")


class Configured:
    """An object that is saved as its constructor's arguments, like Keras' own objects."""

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor, by name."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]):
        return cls(**config)


def brief(error: Exception) -> str:
    """An error in one line of at most 200 characters, with its class."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
