"""Finds recipes: the shipped ones by name, others by path; this loads no framework."""

import importlib.resources
import os
import pathlib
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

import yaml

from kgan.arguments import nearest
from kgan.runner import loader
from kgan.runner.errors import Problem, RecipeError

IN_NAMES = r"\w.+ -"  # the characters that a recipe's name may contain, as part of a regular expression


@dataclass
class Given:
    """A recipe as it was read.

    Attributes:
        text: String.
        data: Plain data.
        places: The (line, column) of every path.
        source: String. Its name in error messages.
        chosen: The values that were chosen for keys that it leaves to the data, by path.
    """

    text: str
    data: Any
    places: dict
    source: str
    chosen: dict = field(default_factory=dict)


def shipped():
    """Dict from the names of the shipped recipes to the text of their first comment."""
    folder = importlib.resources.files("kgan.recipes")
    found = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            first = file.read_text("utf-8").splitlines()[0]
            found[file.name.removesuffix(".yaml")] = first.removeprefix("#").strip() if first.startswith("#") else ""
    return found


def runs_in(path):
    """The run directories at a path: the path itself, or those in it."""
    path = pathlib.Path(path)
    if (path / "resolved.yaml").is_file():
        return [path]
    return sorted(folder.parent for folder in path.glob("*/resolved.yaml"))


def read(name):
    """Read a recipe as plain data.

    Args:
        name: Name of a shipped recipe, or path of a YAML file.

    Returns:
        A `Given`; if its data have no `name`, it is the name of the file, without what a folder's name must not contain.

    Raises:
        RecipeError: if there is no such recipe, or it cannot be read.
    """
    path = pathlib.Path(name)
    if path.suffix in (".yaml", ".yml") or os.path.isfile(name):
        try:
            text, source = path.read_bytes().decode("utf-8"), str(name)
        except OSError as error:
            raise RecipeError.about(name, f"cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise RecipeError.about(name, "not a text file in UTF-8") from None
        default = name_from(path.stem)
    else:
        known = shipped()
        if name not in known:
            hint = "Or give the path of a .yaml file."
            raise RecipeError.about(name, f"no such recipe. {nearest(name, known)} {hint}")
        text = (importlib.resources.files("kgan.recipes") / f"{name}.yaml").read_text("utf-8")
        source, default = f"{name}.yaml", name
    data, places = loader.load(text, source)
    if isinstance(data, dict):
        data = {"name": default, **data}
    return Given(text, data, places, source)


def name_from(stem):
    """A valid name of a recipe like that of a file without its ending: `resolved-1` for `resolved (1)`."""
    composed = unicodedata.normalize("NFC", stem)  # macOS writes an umlaut as two characters
    plain = re.sub(rf"\s*[^{IN_NAMES}]+\s*", "-", composed)
    return re.sub(r"^\W+", "", plain)[:100].rstrip("-. ") or "recipe"


def override(given, settings):
    """Put `key.path=value` settings from the command line into a recipe, in place.

    The value of a key whose type is text or a path is taken as it was typed; `null` is no value, if the key may have none.
    All other values are read as YAML.

    Args:
        given: `Given`. The place of the new values is `"--set"`.
        settings: Strings.

    Raises:
        RecipeError: if a setting has no `=`, or its path does not exist.
    """
    from kgan.runner.key_types import is_text  # here, since the schema loads a framework

    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals:
            raise RecipeError.about("--set", f"{setting!r} must read key.path=value")
        within, key = _reach(given.data, path.split("."))
        text, optional = is_text(given.data, key)
        is_typed = text and not (optional and value == "null")
        within[key[-1]] = value if is_typed else loader.load(value, f"--set {path}")[0]
        given.places = {at: place for at, place in given.places.items() if at[: len(key)] != key} | {key: "--set"}
        if key in (("epochs",), ("steps",)):  # only one of the two may define the length
            given.data.pop("steps" if key == ("epochs",) else "epochs", None)


def _reach(data, steps):
    """Return the mapping or list that holds the value at a path, and the path, with the indices of lists as integers.

    Missing mappings are created.
    """
    key: list[str | int] = []
    for index, name in enumerate(steps):
        step = int(name) if isinstance(data, list) and name.isdecimal() else name
        if not (isinstance(data, dict) or (isinstance(step, int) and step < len(data))):
            raise RecipeError("--set", [Problem(key, f"has no key {name!r} to set")])
        key.append(step)
        if index < len(steps) - 1:
            inner = data[step] if isinstance(data, list) else data.get(step)
            if not isinstance(inner, dict | list):
                # loss: hinge, and --set loss.smoothing=0.1; ema: 0.9, and --set ema.name=linear
                inner = data[step] = {"name": inner} if isinstance(inner, str) and inner else {}
            data = inner
    return data, tuple(key)


def dump(data):
    """Plain data as YAML text."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Quotes strings that the loader would not read as strings, and writes floats such that it reads floats."""


def _string(dumper, text):
    # only between double quotes are all line breaks and control characters written as escapes
    style = None if text.isprintable() and loader.scalar(text) == text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _string)


def _float(dumper, value):
    text = repr(value) if "." in repr(value) else repr(value).replace("e", ".0e")  # 1e-07 is a string to PyYAML
    special = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
    return dumper.represent_scalar("tag:yaml.org,2002:float", special.get(text, text))


_Dumper.add_representer(float, _float)
_Dumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign,assignment]
