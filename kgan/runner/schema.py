"""The keys of a recipe, as pydantic models that are made from the signatures of the functions and classes it names.

A recipe names functions and classes, `loss: hinge` or `{name: dcgan, dropout: 0.3}`. Their arguments, with types and
defaults, are read from the code, so that there is no second list to maintain.
"""

import inspect
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationError, create_model, model_validator

from kgan.architectures import players
from kgan.callbacks import CALLBACKS
from kgan.callbacks.of_keras import PLACES
from kgan.conditions import CONDITIONS
from kgan.data import DATASETS, height_and_width
from kgan.data.crop import sizes
from kgan.latents import LATENTS
from kgan.rules import NAMED, Rules
from kgan.runner.complaints import problems_of
from kgan.runner.errors import Problem, RecipeError
from kgan.runner.recipes import IN_NAMES
from kgan.runner.types import OPTIMIZERS, Count, Rate, Strict, named, type_of

# what the data, the condition and the runner say
_shapes = ("image_shape", "given_shape", "factor", "latent_dim", "num_classes", "directory", "path")

Condition = named("condition", CONDITIONS)
Generator = named("architecture", players("generator"), without=_shapes)
Discriminator = named("architecture", players("discriminator"), without=_shapes)
_useless = ("name", "use_ema", "ema_momentum", "ema_overwrite_frequency")  # kgan's `ema` is the generator's alone
Optimizer = named("optimizer", OPTIMIZERS, without=_useless, usual="adam")
_callbacks = {name: cls for name, cls in CALLBACKS.items() if name != "log_file"}  # every run has one
CallbackName = named("callback", _callbacks, without=(*PLACES, "resume", "data"))


def _file_name(text):
    if not re.fullmatch(rf"\w[{IN_NAMES}]{{0,99}}", text):
        raise ValueError("must be a name for a folder: letters, digits, and . _ + - between them, 100 at most")
    return text


class Source(Strict):
    """Keys of any source of data."""

    path: str | None = None  # a file or folder that is read instead of the named data set
    split: str = "train"
    shape: Annotated[list[Count], Field(min_length=1, max_length=3)] | None = None  # of one example in a file of arrays
    limit: Count | None = None  # the number of examples to use, spread evenly over all


class Training(Source):
    """Additional keys of data to train on."""

    batch_size: Count = 64
    validation_split: Rate = 0.0  # a share of the examples that D never trains on, to measure how much it overfits
    validation: str | None = None  # instead of a share the name of a split, such as val
    replacement: bool = False  # each example of a batch is drawn from the whole data set

    @model_validator(mode="after")
    def _validation(self):
        if self.validation is not None and self.validation_split:
            raise ValueError(
                "give one of `validation`, the name of a split, and `validation_split`, a share of the examples"
            )
        if self.validation is not None and self.validation == self.split:
            raise ValueError(f"`validation` must be another split than {self.split}, which is trained on")
        return self


def _size(value):
    both = list(value) if isinstance(value, list | tuple) else [value, value]
    if value is not None and not (len(both) == 2 and all(type(one) is int and 1 <= one <= 16384 for one in both)):
        raise ValueError("must be a number of pixels or [height, width]")
    return value


Size = Annotated[Any, BeforeValidator(_size, json_schema_input_type=Count | tuple[Count, Count] | None)]


def _own(path: str | None = None):
    """A file or a folder."""


SOURCES = {**DATASETS, "own": _own}


def _is_own(source):
    """Whether a source is none of the data sets that have a name."""
    return source.name == "own"


def _needs(*alternatives):
    """A function that adds to a JSON Schema which keys are needed where the data have no name."""

    def add(found):
        if found["properties"]["name"].get("default") == "own":
            found["anyOf"] = [{"required": list(keys)} for keys in alternatives]

    return add


class DomainSource(Source):
    """Keys of one of two domains; those that it does not have are those of the data."""

    model_config = ConfigDict(json_schema_extra=_needs(["path"]))

    split: str | None = None  # type: ignore[assignment]
    size: Size = None
    channels: Literal[1, 3] | None = None

    @model_validator(mode="after")
    def _there(self):
        if _is_own(self) and self.path is None:
            raise ValueError("give the `name` of a data set, or the `path` of a file or folder")
        return self


Domain = named("domain", SOURCES, usual="own", base=lambda name: DomainSource)


class Images(Training):
    """Additional keys of images."""

    model_config = ConfigDict(json_schema_extra=_needs(["path"], ["a", "b"]))

    size: Size = None
    channels: Literal[1, 3] | None = None
    flip: bool = False  # each image is mirrored left to right with probability 1/2
    resize: Size = None
    direction: Literal["a_to_b", "b_to_a"] = "a_to_b"  # of pairs
    kind: Literal["images", "labels"] = "images"  # what the sources of pairs are
    a: Domain | None = None  # of two domains without pairs, where they are not in one folder or file
    b: Domain | None = None

    @model_validator(mode="after")
    def _resize(self):
        if self.resize is not None:
            sizes(height_and_width(self.size), height_and_width(self.resize))
        return self

    @model_validator(mode="after")
    def _one_source(self):
        if (self.a is None) != (self.b is None):
            raise ValueError("give both domains, `a` and `b`")
        if self.a is not None and (not _is_own(self) or self.path is not None):
            raise ValueError("give `a` and `b`, or one source of both, but not all of these")
        if self.a is None and _is_own(self) and self.path is None:
            raise ValueError("must have a `name`, the `path` of a file or folder, or two domains, `a` and `b`")
        return self


Data = named(
    "data",
    SOURCES,
    usual="own",
    base=lambda name: Training if name in ("grid", "ring") else Images,
)


class Optimizers(Strict):
    discriminator: Optimizer = Field(default="adam", validate_default=True)
    generator: Optimizer = Field(default="adam", validate_default=True)


class Players(Strict):
    """Data and players. Every key but `data` and the players has a default."""

    name: Annotated[str, AfterValidator(_file_name)]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    latent_dim: Count | None = 100  # none if the condition gives images, unless it is set
    latents: Literal[tuple(sorted(LATENTS))] = "normal"  # type: ignore[valid-type]
    data: Data
    generator: Generator
    discriminator: Discriminator
    pack: Count = 1  # the number of images that the discriminator sees at once
    num_classes: Count | None = None  # class-conditional: the short form of condition: {name: classes, n: ...}
    condition: Condition | None = None


def _rule(argument, parameter):
    """The type and the default of an argument of `compile` as a key of a recipe."""
    if argument not in NAMED:
        return type_of(argument, parameter), parameter.default
    if parameter.default == ():
        return list[named(argument, NAMED[argument])], []
    if parameter.default is None:
        return named(argument, NAMED[argument]) | None, None
    return named(argument, NAMED[argument], usual=parameter.default), Field(parameter.default, validate_default=True)


# `optimizers` is a separate key, and the runner chooses how many steps are executed at once
_elsewhere = ("d_opt", "g_opt", "run_eagerly", "steps_per_execution")
RULE_FIELDS = {
    argument: _rule(argument, parameter)
    for argument, parameter in inspect.signature(Rules).parameters.items()
    if argument not in _elsewhere
}


class Recipe(create_model("RecipeRules", __base__=Players, **RULE_FIELDS)):  # type: ignore[call-overload]
    """A whole run. Every key but `data`, the players and the length has a default."""

    optimizers: Optimizers = Field(default={}, validate_default=True)  # type: ignore[assignment]
    epochs: Count | None = None
    steps: Count | None = None
    callbacks: list[CallbackName] = []

    @model_validator(mode="after")
    def _latents(self):
        given = self.condition is not None and getattr(CONDITIONS[self.condition.name], "gives_images")  # noqa: B009
        if given and "latent_dim" not in self.model_fields_set:
            self.latent_dim = None
        elif self.latent_dim is None and not given:
            raise ValueError("`latent_dim` can be null only with a `condition` that gives images, such as pairs")
        return self

    @model_validator(mode="after")
    def _length(self):
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give the length of the run once, as `epochs` or as `steps`")
        return self


def validate(given):
    """Return the `Recipe` that a `Given` describes.

    Raises:
        RecipeError: with all problems of the recipe.
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
    found["required"] = [key for key in found["required"] if key != "name"]  # by default, the name of the file
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": "kgan recipe"}
