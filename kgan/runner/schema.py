"""What a recipe may say, as pydantic models that are made from the signatures of the things it names.

A recipe names things, `loss: hinge` or `{name: dcgan, dropout: 0.3}`. The arguments that a name takes, their types and their
defaults are those of the function or class in the code: there is no second list to keep.
"""

import functools
import inspect
import operator
import re
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import keras
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model, model_validator

from kgan.architectures import ARCHITECTURES
from kgan.callbacks import CALLBACKS
from kgan.data import DATASETS
from kgan.latents import LATENTS
from kgan.losses import LOSSES
from kgan.names import closest
from kgan.penalties import PENALTIES
from kgan.runner.errors import Problem, RecipeError
from kgan.schedules import SCHEDULES

Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(ge=0, lt=1)]
# arguments of Keras that it takes without a look at them
_LIMITED: dict[str, Any] = {
    "learning_rate": Annotated[float, Field(gt=0)],
    "beta_1": Rate,
    "beta_2": Rate,
    "rho": Rate,
    "dropout": Rate,
}


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def _named(kind, things: Mapping[str, Any], without=(), usual=None, base=lambda name: Strict):
    """The type of a named thing: one model for each name, with the arguments of its signature and the keys of its base.

    Without a name it is the `usual` one.
    """
    models = {}
    for name, thing in things.items():
        fields: dict[str, Any] = {"name": (Literal[name], name if name == usual else ...)}
        for argument, parameter in inspect.signature(thing).parameters.items():
            if argument in without or parameter.kind is parameter.VAR_KEYWORD:
                continue
            annotation = Any if parameter.annotation is parameter.empty else parameter.annotation
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[argument] = (_LIMITED.get(argument, annotation), default)
        models[name] = create_model(f"{kind}_{name}", __base__=base(name), **fields)

    def spelled_out(value):
        if isinstance(value, str):
            return {"name": value}
        return {"name": usual, **value} if usual and isinstance(value, dict) else value

    one_of = functools.reduce(operator.or_, models.values())
    names_alone = Literal[tuple(models)]
    return Annotated[
        one_of,
        Field(discriminator="name"),
        BeforeValidator(spelled_out, json_schema_input_type=names_alone | one_of),
    ]


def _optimizers():
    classes = {name: getattr(keras.optimizers, name) for name in dir(keras.optimizers)}
    return {
        name.lower(): cls
        for name, cls in classes.items()
        if isinstance(cls, type)
        and issubclass(cls, keras.Optimizer)
        and name not in ("Optimizer", "LossScaleOptimizer", "MultiOptimizer")
    }


OPTIMIZERS = _optimizers()
_shapes = ("image_shape", "latent_dim", "directory", "path")
_generators = {name: module.generator for name, module in ARCHITECTURES.items()}
_discriminators = {name: module.discriminator for name, module in ARCHITECTURES.items()}

Loss = _named("loss", LOSSES, usual="non_saturating")
Schedule = _named("schedule", SCHEDULES, usual="simultaneous")
PenaltyName = _named("penalty", PENALTIES)
Generator = _named("architecture", _generators, without=_shapes)
Discriminator = _named("architecture", _discriminators, without=_shapes)
Optimizer = _named("optimizer", OPTIMIZERS, without=("name",), usual="adam")
CallbackName = _named("callback", CALLBACKS, without=(*_shapes, "resume"))


class Points(Strict):
    """What is said of any data."""

    batch_size: Count = 64
    limit: Count | None = None  # so many examples, spread evenly over all
    replacement: bool = False  # every example of a batch is drawn from all


def _size(value):
    both = value if isinstance(value, list) else [value, value]
    if value is not None and not (len(both) == 2 and all(type(one) is int and one >= 1 for one in both)):
        raise ValueError(f"must be a number of pixels or [height, width], not {_shown(value)}")
    return value


class Images(Points):
    """What is said of images besides."""

    path: str | None = None  # of a file or folder that is read instead of what the name stands for
    size: Annotated[Any, BeforeValidator(_size, json_schema_input_type=Count | list[Count] | None)] = None
    channels: Literal[1, 3] | None = None
    flip: bool = False  # half of the images are mirrored left to right


def _own(path: str, split: str = "train"):
    """A file or a folder."""


Data = _named(
    "data",
    {**DATASETS, "own": _own},
    usual="own",
    base=lambda name: Points if name in ("grid", "ring") else Images,
)


class Optimizers(Strict):
    discriminator: Optimizer = Field(default="adam", validate_default=True)
    generator: Optimizer = Field(default="adam", validate_default=True)


class Recipe(Strict):
    """A whole run. Every key but `data`, the players and the length has a default."""

    name: str
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    latent_dim: Count = 100
    latents: Literal[tuple(sorted(LATENTS))] = "normal"  # type: ignore[valid-type]
    data: Data
    generator: Generator
    discriminator: Discriminator
    loss: Loss = Field(default="non_saturating", validate_default=True)
    schedule: Schedule = Field(default="simultaneous", validate_default=True)
    penalties: list[PenaltyName] = []
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    optimizers: Optimizers = Field(default={}, validate_default=True)  # type: ignore[assignment]
    epochs: Count | None = None
    steps: Count | None = None
    callbacks: list[CallbackName] = []
    jit_compile: bool | Literal["auto"] = "auto"  # XLA, as in keras.Model.compile

    @model_validator(mode="after")
    def _length(self):
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give the length of the run once, as `epochs` or as `steps`")
        return self


def check(given):
    """Return the `Recipe` that a `Given` describes.

    Raises:
        RecipeError: with everything that is wrong.
    """
    if not isinstance(given.data, dict):
        problem = Problem((), "a recipe is a mapping of keys such as `data` and `generator`", (1, 1))
        raise RecipeError(given.source, [problem])
    try:
        return Recipe.model_validate(given.data)
    except ValidationError as error:
        raise RecipeError(given.source, _problems(error, given.data, given.places)) from None


def json_schema():
    """The JSON Schema of recipes, which editors complete and check YAML with (draft 2020-12)."""
    found = Recipe.model_json_schema()
    found["required"] = [key for key in found["required"] if key != "name"]  # the file's, by default
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "kgan recipe", **found}


def _problems(error, raw, places):
    """One problem for each path; what several types have to say of a value is joined."""
    found: dict[tuple, list[str]] = {}
    hints: dict[tuple, str] = {}
    for one in error.errors():
        path = _path(one["loc"], raw)
        if one["type"] == "union_tag_invalid" and isinstance(_value(raw, path), dict):
            path = (*path, "name")
        message, hints[path] = _message(one, path, raw)
        found.setdefault(path, []).append(message)
    for path, messages in found.items():
        message = ", or ".join(dict.fromkeys(messages))
        if messages[0].startswith("must be"):
            message += f", not {_shown(_value(raw, path))}"
        yield Problem(path, message + hints[path], nearest_place(path, places))


def nearest_place(path, places):
    """Where the value at a path stands, or what is around it."""
    while path not in places and path:
        path = path[:-1]
    return places.get(path)


def _message(error, path, raw):
    """What is wrong, and what was probably meant."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return "unknown key", _meant(path[-1], _known_keys(path[:-1], raw))
    if kind == "missing":
        return "missing", "; data has a name, or the path of a file or folder" if path == ("data", "path") else ""
    if kind == "union_tag_invalid":
        return f'unknown name "{context["tag"]}"', _meant(context["tag"], _quoted(context["expected_tags"]))
    if kind == "value_error":
        return str(context["error"]), ""
    if kind in ("union_tag_not_found", "model_type", "model_attributes_type"):
        return "must be a name, or a mapping with a `name`", ""
    if kind == "literal_error":
        hint = _meant(error["input"], _quoted(context["expected"]))
        return f"must be {context['expected']}", hint if "did you mean" in hint else ""
    return error["msg"].replace("Input should", "must").replace("a valid dictionary", "a mapping"), ""


def _quoted(text):
    """The names in pydantic's `'a', 'b' or 'c'`."""
    return re.findall(r"'([^']*)'", text)


def _meant(given, known):
    match = closest(given, known)
    return f', did you mean "{match}"?' if match else f"; known are {', '.join(sorted(known))}"


def _shown(value):
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _value(raw, path):
    for step in path:
        raw = raw[step]
    return raw


def _path(location, raw):
    """pydantic's location without what it puts between the keys: names of chosen models, and of types of a union."""
    path: list[str | int] = []
    here = raw
    for index, step in enumerate(location):
        last = index == len(location) - 1
        if isinstance(here, dict):
            if step not in here and path and (not last or here.get("name") == step):
                continue
            here = here.get(step)
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            continue
        path.append(step)
    return tuple(path)


def _known_keys(path, raw):
    """The keys that the mapping at `path` may have."""
    model, here = Recipe, raw
    for step in path:
        here = here[step]
        if isinstance(step, int):
            continue
        annotation = model.model_fields[step].annotation
        model = _model_for(annotation, here)
    return [name for name in model.model_fields]


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
