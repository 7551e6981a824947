"""Finding recipes: the shipped ones by name, others by path; no framework is loaded for that."""

import importlib.resources
import pathlib

import yaml

from kgan.names import nearest
from kgan.runner import loader
from kgan.runner.errors import Problem, RecipeError


def shipped():
    """Dict from the names of the shipped recipes to what their first comment says."""
    folder = importlib.resources.files("kgan.recipes")
    found = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            first = file.read_text("utf-8").splitlines()[0]
            found[file.name.removesuffix(".yaml")] = first.removeprefix("#").strip() if first.startswith("#") else ""
    return found


def read(name):
    """Read a recipe as plain data.

    Args:
        name: Name of a shipped recipe, or path of a YAML file.

    Returns:
        Its text; the data, with `name` filled in; the places of its keys; and what to call it in errors.

    Raises:
        RecipeError: if there is no such recipe, or it cannot be read.
    """
    path = pathlib.Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        try:
            text, source = path.read_text("utf-8"), str(name)
        except OSError as error:
            raise RecipeError(name, [Problem((), f"cannot be read: {error.strerror}")]) from None
        except UnicodeDecodeError:
            raise RecipeError(name, [Problem((), "not a text file in UTF-8")]) from None
        default = path.stem
    else:
        known = shipped()
        if name not in known:
            hint = "Or give the path of a .yaml file."
            raise RecipeError(name, [Problem((), f"no such recipe. {nearest(name, known)} {hint}")])
        text = (importlib.resources.files("kgan.recipes") / f"{name}.yaml").read_text("utf-8")
        source, default = f"{name}.yaml", name
    data, places = loader.load(text, source)
    if isinstance(data, dict):
        data = {"name": default, **data}
    return text, data, places, source


def override(data, settings):
    """Put `key.path=value` settings from the command line into a recipe's data, in place.

    Raises:
        RecipeError: if a setting has no `=` or its path leads nowhere.
    """
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals:
            raise RecipeError("--set", [Problem((), f"{setting!r} must read key.path=value")])
        here, steps = data, path.split(".")
        for index, step in enumerate(steps):
            last = index == len(steps) - 1
            if isinstance(here, list) and step.isdecimal() and int(step) < len(here):
                step = int(step)
            elif not isinstance(here, dict):
                raise RecipeError("--set", [Problem(steps[:index], f"has no key {step!r} to set")])
            if last:
                here[step] = loader.load(value, f"--set {path}")[0]
            else:
                inner = here[step] if isinstance(here, list) else here.setdefault(step, {})
                if isinstance(inner, str):
                    inner = here[step] = {"name": inner}  # loss: hinge  ->  --set loss.name=...
                here = inner


def dump(data):
    """Plain data as YAML text."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Quotes strings that the loader would read as something else, and writes floats that it reads as floats."""


def _string(dumper, text):
    style = None if loader.scalar(text) == text and isinstance(loader.scalar(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _string)


def _float(dumper, value):
    text = repr(value) if "." in repr(value) else repr(value).replace("e", ".0e")  # 1e-07 is a string to PyYAML
    special = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
    return dumper.represent_scalar("tag:yaml.org,2002:float", special.get(text, text))


_Dumper.add_representer(float, _float)
_Dumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign,assignment]
