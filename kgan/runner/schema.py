"""What a recipe may say, as pydantic models that are made from the signatures of the things it names.

A recipe names things, `loss: hinge` or `{name: dcgan, dropout: 0.3}`. The arguments that a name takes, their types and their
defaults are those of the function or class in the code: there is no second list to keep.
"""

import functools
import inspect
import operator
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
from kgan.names import nearest
from kgan.penalties import PENALTIES
from kgan.runner.errors import Problem, RecipeError
from kgan.schedules import SCHEDULES

Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def _named(kind, things: Mapping[str, Any], without=(), usual=None):
    """The type of a named thing: one model for each name, with the arguments of its signature.

    Without a name it is the `usual` one.
    """
    models = {}
    for name, thing in things.items():
        fields: dict[str, Any] = {"name": (Literal[name], ...)}
        for argument, parameter in inspect.signature(thing).parameters.items():
            if argument in without or parameter.kind is parameter.VAR_KEYWORD:
                continue
            annotation = Any if parameter.annotation is parameter.empty else parameter.annotation
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[argument] = (annotation, default)
        models[name] = create_model(f"{kind}_{name}", __base__=Strict, **fields)

    def spelled_out(value):
        if isinstance(value, str):
            return {"name": value}
        return {"name": usual, **value} if usual and isinstance(value, dict) else value

    one_of = functools.reduce(operator.or_, models.values())
    return Annotated[one_of, Field(discriminator="name"), BeforeValidator(spelled_out)]


def _optimizers():
    classes = {name: getattr(keras.optimizers, name) for name in dir(keras.optimizers)}
    return {
        name.lower(): cls
        for name, cls in classes.items()
        if isinstance(cls, type)
        and issubclass(cls, keras.Optimizer)
        and name not in ("Optimizer", "LossScaleOptimizer")
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
CallbackName = _named("callback", CALLBACKS, without=_shapes)


class Data(Strict):
    name: Literal[tuple(sorted(DATASETS))]  # type: ignore[valid-type]
    batch_size: Count = 64


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


def check(raw, source, places):
    """Return the `Recipe` that plain data describes.

    Args:
        raw: The data.
        source: What to call it in errors.
        places: Dict from paths to (line, column), as the loader returns it.

    Raises:
        RecipeError: with everything that is wrong.
    """
    if not isinstance(raw, dict):
        raise RecipeError(source, [Problem((), "a recipe is a mapping of keys such as `data` and `generator`")])
    try:
        return Recipe.model_validate(raw)
    except ValidationError as error:
        raise RecipeError(source, [_problem(one, raw, places) for one in error.errors()]) from None


def _problem(error, raw, places):
    path = _path(error["loc"], raw)
    if error["type"] == "extra_forbidden":
        message = f"unknown key. {nearest(path[-1], _known_keys(path[:-1], raw))}"
    elif error["type"] == "missing":
        message = "missing"
    elif error["type"] == "union_tag_invalid":
        tag, expected = error["ctx"]["tag"], error["ctx"]["expected_tags"].replace("'", "").split(", ")
        message = f"unknown name {tag!r}. {nearest(tag, expected)}"
    elif error["type"] == "union_tag_not_found":
        message = "must be a name, or a mapping with a `name`"
    elif error["type"] == "value_error":
        message = str(error["ctx"]["error"])
    else:
        message = f"{error['msg'].replace('Input should', 'must')}, not {error['input']!r}"
    at = path
    while at not in places and at:
        at = at[:-1]
    return Problem(path, message, places.get(at))


def _path(location, raw):
    """pydantic's location without the names of chosen models that it puts between the keys."""
    path, here = [], raw
    for step in location:
        if isinstance(here, dict) and step not in here and here.get("name") == step or here == step:
            continue
        path.append(step)
        if isinstance(here, dict):
            here = here.get(step)
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            here = None
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
