"""The types of a recipe's values, made from the signatures of the functions and classes that it names."""

import functools
import inspect
import operator
import pathlib
import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import keras
import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Tag, create_model

from kgan.callbacks.trackers import TRACKERS
from kgan.ramps import RAMPS
from kgan.scores import MEASURES

Integer = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Count = Annotated[int, Field(ge=1, lt=2**31)]
Natural = Annotated[int, Field(ge=0, lt=2**31)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Path = Annotated[pathlib.Path, Field(strict=False)]  # which text may stand for
# arguments that the functions themselves do not check
LIMITED: dict[str, Any] = {
    "attention": Count | None,
    "base": Count,
    "baseline": float | None,
    "batch_size": Count,
    "blocks": Count,
    "class_loss_weight": Annotated[float, Field(ge=0)],
    "clipnorm": Positive | None,
    "clipvalue": Positive | None,
    "columns": Count,
    "cooldown": Natural,
    "decay_steps": Count,
    "dropout": Rate,
    "epsilon": Positive,
    "expansion": Count,
    "filters": Count,
    "first_decay_steps": Count,
    "global_clipnorm": Positive | None,
    "gradient_accumulation_steps": Annotated[int, Field(ge=2, lt=2**31)] | None,
    "group_width": Count,
    "growth": Count,
    "initial_learning_rate": Positive,
    "kernel_size": Count,
    "loss_scale_factor": Positive | None,
    "early_stopping.mode": Literal["auto", "min", "max"],
    "metric": Literal[tuple(MEASURES)] | list[Literal[tuple(MEASURES)]],
    "min_delta": Annotated[float, Field(ge=0)],
    "min_lr": Annotated[float, Field(ge=0)],
    "model": str | None,
    "momentum": Annotated[float, Field(ge=0, le=1)],
    "patience": Natural,
    "reduce_lr_on_plateau.factor": Annotated[float, Field(gt=0, lt=1)],
    "reduce_lr_on_plateau.mode": Literal["auto", "min", "max"],
    "rho": Rate,
    "rows": Count,
    "smoothing": Rate,
    "start_from_epoch": Natural,
    "steps": Count,
    "track.to": Literal[tuple(TRACKERS)],
    "units": Sequence[Count],
    "widths": Count | Sequence[Count],
    "weight_decay": Annotated[float, Field(ge=0)] | None,
}


def type_of(argument, parameter, owner=""):
    """The type of an argument: a type known by its name, its annotation, or the type of its default."""
    if f"{owner}.{argument}" in LIMITED:
        return LIMITED[f"{owner}.{argument}"]
    if argument in LIMITED:
        return LIMITED[argument]
    if parameter.annotation is not parameter.empty:
        if typing.get_origin(parameter.annotation) in (typing.Union, types.UnionType):
            kinds = typing.get_args(parameter.annotation)
            return functools.reduce(operator.or_, (Path if one is pathlib.Path else one for one in kinds))
        return {int: Integer, pathlib.Path: Path}.get(parameter.annotation, parameter.annotation)
    return type(parameter.default) if isinstance(parameter.default, bool | float) else Any


def _signature(thing):
    try:
        return inspect.signature(thing, eval_str=True)  # annotations may be strings
    except NameError:
        return inspect.signature(thing)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def named(kind, things: Mapping[str, Any], without=(), usual=None, base=lambda name: Strict):
    """The type of a value with a name: one model for each name, with the arguments of its signature and its base's keys.

    If the name is missing, it is `usual`.
    """
    models = {}
    for name, thing in things.items():
        fields: dict[str, Any] = {"name": (Literal[name], name if name == usual else ...)}
        for argument, parameter in _signature(thing).parameters.items():
            if argument in without or parameter.kind is parameter.VAR_KEYWORD:
                continue
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[argument] = (type_of(argument, parameter, name), default)
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


def optimizers():
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
    # a mapping is a schedule; errors about a number, or anything else, do not mention schedules
    return Annotated[
        Annotated[number, Tag("number")] | Annotated[named("ramp", schedules, without=("name",)), Tag("ramp")],
        pydantic.Discriminator(lambda value: "ramp" if isinstance(value, dict | BaseModel) else "number"),
    ]


DECAYS = {**_decays(), **RAMPS}
LIMITED |= {
    "beta_1": _or_schedule(Rate),
    "beta_2": _or_schedule(Rate),
    "ema": _or_schedule(Annotated[float, Field(gt=0, lt=1)] | None),
    "learning_rate": _or_schedule(Positive, DECAYS),
    "p": _or_schedule(float),
    "schedule": named("ramp", DECAYS, without=("name",)),
    "strength": _or_schedule(float),
    "weight": _or_schedule(float),
}
OPTIMIZERS = optimizers()


def arguments_of(chosen):
    """The arguments of a value with a name in a checked recipe, by name."""
    return {name: value_of(getattr(chosen, name)) for name in type(chosen).model_fields if name != "name"}


def value_of(argument: Any):
    """A value of a checked recipe, or the object if it names a schedule."""
    is_schedule = isinstance(argument, pydantic.BaseModel) and getattr(argument, "name", None) in DECAYS
    return DECAYS[argument.name](**arguments_of(argument)) if is_schedule else argument
