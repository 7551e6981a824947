"""What a recipe may say, as pydantic models that are made from the signatures of the things it names.

A recipe names things, `loss: hinge` or `{name: dcgan, dropout: 0.3}`. The arguments that a name takes, their types and their
defaults are those of the function or class in the code: there is no second list to keep.
"""

import functools
import inspect
import operator
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import keras
import pydantic
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Tag,
    ValidationError,
    create_model,
    model_validator,
)

from kgan.architectures import ARCHITECTURES
from kgan.callbacks import CALLBACKS
from kgan.conditions import CONDITIONS
from kgan.data import DATASETS
from kgan.latents import LATENTS
from kgan.ramps import RAMPS
from kgan.rules import NAMED, Rules
from kgan.runner.complaints import problems_of
from kgan.runner.errors import Problem, RecipeError
from kgan.scores import MEASURES

Integer = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Count = Annotated[int, Field(ge=1, lt=2**31)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
# arguments that are taken without a look at them where they go
_LIMITED: dict[str, Any] = {
    "attention": Count | None,
    "batch_size": Count,
    "blocks": Count,
    "bound": Positive,
    "class_loss_weight": Annotated[float, Field(ge=0)],
    "clipnorm": Positive | None,
    "clipvalue": Positive | None,
    "columns": Count,
    "decay_steps": Count,
    "dropout": Rate,
    "epsilon": Positive,
    "expansion": Count,
    "filters": Count,
    "first_decay_steps": Count,
    "global_clipnorm": Positive | None,
    "gradient_accumulation_steps": Annotated[int, Field(ge=2, lt=2**31)] | None,
    "group_width": Count,
    "initial_learning_rate": Positive,
    "kernel_size": Count,
    "loss_scale_factor": Positive | None,
    "metric": Literal[tuple(MEASURES)] | list[Literal[tuple(MEASURES)]],
    "momentum": Annotated[float, Field(ge=0, le=1)],
    "n": Count,
    "rho": Rate,
    "rows": Count,
    "probability": Rate,
    "smoothing": Rate,
    "std": Positive,
    "steps": Count,
    "units": Sequence[Count],
    "widths": Count | Sequence[Count],
    "weight_decay": Annotated[float, Field(ge=0)] | None,
}


def _type(argument, parameter):
    """What an argument may be: what is known of its name, its annotation, or the type of its default."""
    if argument in _LIMITED:
        return _LIMITED[argument]
    if parameter.annotation is not parameter.empty:
        return Integer if parameter.annotation is int else parameter.annotation
    return type(parameter.default) if isinstance(parameter.default, bool | float) else Any


def _file_name(text):
    if not re.fullmatch(r"\w[\w.+ -]{0,99}", text):
        raise ValueError("must be a name for a folder: letters, digits, and . _ + - between them, 100 at most")
    return text


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


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
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[argument] = (_type(argument, parameter), default)
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


def _decays():
    """Keras' learning-rate schedules, `CosineDecay` as `cosine_decay`."""
    schedules = keras.optimizers.schedules
    classes = {name: getattr(schedules, name) for name in dir(schedules) if name.endswith(("Decay", "Restarts"))}
    return {re.sub(r"\B([A-Z])", r"_\1", name).lower(): cls for name, cls in classes.items()}


def _or_schedule(number, schedules=RAMPS):
    # a mapping is a schedule; what a number, or anything else, must be is said without one
    return Annotated[
        Annotated[number, Tag("number")] | Annotated[_named("ramp", schedules, without=("name",)), Tag("ramp")],
        pydantic.Discriminator(lambda value: "ramp" if isinstance(value, dict | BaseModel) else "number"),
    ]


DECAYS = {**_decays(), **RAMPS}
_LIMITED |= {
    "beta_1": _or_schedule(Rate),
    "beta_2": _or_schedule(Rate),
    "ema": _or_schedule(Annotated[float, Field(gt=0, lt=1)] | None),
    "learning_rate": _or_schedule(Positive, DECAYS),
    "p": _or_schedule(float),
    "strength": _or_schedule(float),
    "weight": _or_schedule(float),
}
OPTIMIZERS = _optimizers()
_shapes = ("image_shape", "latent_dim", "num_classes", "directory", "path")
_generators = {name: module.generator for name, module in ARCHITECTURES.items()}
_discriminators = {name: module.discriminator for name, module in ARCHITECTURES.items()}

Condition = _named("condition", CONDITIONS)
Generator = _named("architecture", _generators, without=_shapes)
Discriminator = _named("architecture", _discriminators, without=_shapes)
_useless = ("name", "use_ema", "ema_momentum", "ema_overwrite_frequency")  # kgan's `ema` is the generator's alone
Optimizer = _named("optimizer", OPTIMIZERS, without=_useless, usual="adam")
_callbacks = {name: cls for name, cls in CALLBACKS.items() if name != "log_file"}  # every run has one
CallbackName = _named("callback", _callbacks, without=(*_shapes, "resume", "data"))


class Source(Strict):
    """What is said of any data."""

    path: str | None = None  # of a file or folder that is read instead of what the name stands for
    split: str = "train"
    batch_size: Count = 64
    limit: Count | None = None  # so many examples, spread evenly over all
    validation_split: Rate = 0.0  # a share of them that D never trains on, to see how far it overfits
    replacement: bool = False  # every example of a batch is drawn from all


def _size(value):
    both = list(value) if isinstance(value, list | tuple) else [value, value]
    if value is not None and not (len(both) == 2 and all(type(one) is int and 1 <= one <= 16384 for one in both)):
        raise ValueError("must be a number of pixels or [height, width]")
    return value


class Images(Source):
    """What is said of images besides."""

    size: Annotated[Any, BeforeValidator(_size, json_schema_input_type=Count | tuple[Count, Count] | None)] = None
    channels: Literal[1, 3] | None = None
    flip: bool = False  # half of the images are mirrored left to right


def _own(path: str):
    """A file or a folder."""


Data = _named(
    "data",
    {**DATASETS, "own": _own},
    usual="own",
    base=lambda name: Source if name in ("grid", "ring") else Images,
)


class Optimizers(Strict):
    discriminator: Optimizer = Field(default="adam", validate_default=True)
    generator: Optimizer = Field(default="adam", validate_default=True)


class Players(Strict):
    """Data and players. Every key but `data` and the players has a default."""

    name: Annotated[str, AfterValidator(_file_name)]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    latent_dim: Count = 100
    latents: Literal[tuple(sorted(LATENTS))] = "normal"  # type: ignore[valid-type]
    data: Data
    generator: Generator
    discriminator: Discriminator
    pack: Count = 1  # so many images at once for the discriminator
    num_classes: Count | None = None  # class-conditional: the short form of condition: {name: classes, n: ...}
    condition: Condition | None = None


def _rule(argument, parameter):
    """The type and the default of an argument of `compile` as a key of a recipe."""
    if argument not in NAMED:
        return _type(argument, parameter), parameter.default
    if parameter.default == ():
        return list[_named(argument, NAMED[argument])], []
    if parameter.default is None:
        return _named(argument, NAMED[argument]) | None, None
    return _named(argument, NAMED[argument], usual=parameter.default), Field(parameter.default, validate_default=True)


# `optimizers` is a key of its own, and the runner chooses how many steps are executed at once
_elsewhere = ("d_opt", "g_opt", "run_eagerly", "steps_per_execution")
RULES = {
    argument: _rule(argument, parameter)
    for argument, parameter in inspect.signature(Rules).parameters.items()
    if argument not in _elsewhere
}


class Recipe(create_model("Rules", __base__=Players, **RULES)):  # type: ignore[call-overload]
    """A whole run. Every key but `data`, the players and the length has a default."""

    optimizers: Optimizers = Field(default={}, validate_default=True)  # type: ignore[assignment]
    epochs: Count | None = None
    steps: Count | None = None
    callbacks: list[CallbackName] = []

    @model_validator(mode="after")
    def _length(self):
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give the length of the run once, as `epochs` or as `steps`")
        return self


def validate(given):
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
        raise RecipeError(given.source, problems_of(error, given, Recipe)) from None


def json_schema():
    """The JSON Schema of recipes, which editors complete and check YAML with (draft 2020-12)."""
    found = Recipe.model_json_schema()
    found["required"] = [key for key in found["required"] if key != "name"]  # the file's, by default
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": "kgan recipe"}
