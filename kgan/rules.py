"""The arguments of `compile`: they are checked here, saved with the GAN, and define the keys of a recipe."""

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

import keras
from keras.optimizers.schedules import LearningRateSchedule

from kgan import augment, backend, losses, penalties, ramps, schedules, terms, tricks
from kgan.arguments import integer, is_number, nearest
from kgan.conditions import Classes, Unconditional, shown
from kgan.players.average import check_decay

# what Keras' `compile` takes and this one does not
OF_KERAS = {
    "optimizer": "Give `d_opt` and `g_opt`, an optimizer for each player.",
    "metrics": "Losses and accuracies of both players are always logged, and kgan.callbacks.Score adds scores.",
}
# the objects that a name can stand for, by argument
NAMED: dict[str, dict[str, Any]] = {
    "loss": losses.LOSSES,
    "schedule": schedules.SCHEDULES,
    "penalties": penalties.PENALTIES,
    "terms": terms.TERMS,
    "tricks": tricks.TRICKS,
    "augment": augment.AUGMENTATIONS,
}


@dataclasses.dataclass(eq=False)
class Rules:
    """How the players are trained.

    `compile` also decides what is trained: the variables that are trainable then. After a change of `trainable` in a player
    call it again, with new optimizers, as in Keras; `fit` and `train_on_batch` refuse to go on otherwise.

    Args:
        d_opt: Keras optimizer of the discriminator, with its own learning rate, clipping and gradient accumulation. Adam's
            `beta_1` and `beta_2` may be schedules, such as `kgan.ramps.Cosine(0.9, 0.99, 10000)`; its momenta are then
            corrected by the current betas, as in R3GAN's code (arXiv:2501.05441).
        g_opt: Keras optimizer of the generator, an instance of its own.
        loss: Name in `kgan.losses`, a `kgan.losses.AdversarialLoss`, or a Keras loss such as
            `keras.losses.BinaryCrossentropy(label_smoothing=0.1)`.
        schedule: Name in `kgan.schedules`, or an object such as `kgan.schedules.Alternating(d_steps=5)`.
        penalties: Names in `kgan.penalties`, or objects such as `kgan.penalties.R1(10.0)`.
        terms: Names in `kgan.terms`, or objects such as `kgan.terms.L1(100.0)`: what is added to the generator's loss. The
            log `g_loss` does not contain them.
        ema: Float between 0 and 1, the decay of an averaged generator that is kept beside the trained one. It is warmed
            up: after t updates the decay is min(ema, (1 + t) / (10 + t)). A schedule is used without warm-up. `None` keeps
            no average. A subclassed generator without a config must be given to `GAN` as a function, which is called again.
        history: Integer n. In its own updates the discriminator sees, in place of half of the new images, some of the last n
            that were generated before (arXiv:1612.07828): the image pool of CycleGAN, which has 50. `None` keeps none.
        tricks: Names in `kgan.tricks`, or objects such as `kgan.tricks.WeightClip(0.01)`.
        augment: Name in `kgan.augment`, or an object such as `kgan.augment.ADA(target=0.6)`: random changes of
            the real and generated images before the discriminator sees them in training. Penalties are computed on changed
            images too; their gradients are with respect to the images before the change, as in StyleGAN2-ADA's and R3GAN's
            code. `None` changes no image.
        class_loss_weight: Float. Weight of the cross-entropy of the classes, if the discriminator outputs class logits. The
            cross-entropy is logged without the weight, and the logs `d_loss` and `g_loss` do not contain it.
        run_eagerly: As in `keras.Model.compile`.
        steps_per_execution: As in `keras.Model.compile`.
        jit_compile: As in `keras.Model.compile`.

    Raises:
        TypeError: if an argument is unknown.
        ValueError: if the value of an argument is not valid, or two values contradict each other.
    """

    d_opt: Any = "adam"
    g_opt: Any = "adam"
    loss: Any = "non_saturating"
    schedule: Any = "simultaneous"
    penalties: Any = ()
    terms: Any = ()
    ema: float | LearningRateSchedule | None = None
    history: int | None = None
    tricks: Any = ()
    augment: Any = None
    class_loss_weight: float = 1.0
    run_eagerly: bool = False
    steps_per_execution: int = 1
    jit_compile: bool | Literal["auto"] = "auto"

    def __post_init__(self):
        if backend.ONE_STEP_AT_ONCE and self.steps_per_execution != 1:
            raise ValueError(
                f"`steps_per_execution` must be 1 on the {backend.TITLE} backend, where Keras runs one step at a time. "
                f"Received: steps_per_execution={self.steps_per_execution}"
            )
        if self.d_opt is self.g_opt and isinstance(self.d_opt, keras.Optimizer):
            raise ValueError(
                "`d_opt` and `g_opt` must be two instances, since each player has its own momenta. "
                f"Received the same {type(self.d_opt).__name__} twice."
            )
        check_decay(self.ema)
        if not is_number(self.class_loss_weight) or self.class_loss_weight < 0:
            raise ValueError(
                f"`class_loss_weight` must be a number >= 0. Received: {ramps.shown(self.class_loss_weight)}"
            )
        if self.history is not None:
            integer("history", self.history, at_least=1)
        self.loss = losses.get(self.loss)
        self.schedule = schedules.get(self.schedule)
        self.penalties = _several("penalties", self.penalties, penalties.get, lambda penalty: penalty.name)
        self.terms = _several("terms", self.terms, terms.get, lambda term: term.name)
        self.tricks = _several("tricks", self.tricks, tricks.get, lambda trick: type(trick).__name__)

    def check_loss(self, loss):
        """Raise ValueError if the schedule or a trick does not suit the loss, an `AdversarialLoss`."""
        self.schedule.check_loss(loss)
        for trick in self.tricks:
            trick.check_loss(loss)

    def check_terms(self, condition, image_shape):
        """Raise ValueError if a term cannot be computed under this condition, or for images of that shape."""
        for term in self.terms:
            if term.compares and isinstance(condition, Unconditional | Classes):
                raise ValueError(
                    f"The term {term.name!r} compares each generated image with a real one. They belong together only under "
                    "a condition such as kgan.conditions.Pairs() or Downscaled(4). "
                    f"Received: the condition {type(condition).__name__}"
                )
            if term.domains > condition.towers:
                raise ValueError(
                    f"The term {term.name!r} is for a GAN of two domains, with the condition kgan.conditions.Unpaired(). "
                    f"Received: the condition {type(condition).__name__}"
                )
            if isinstance(term, terms.Identity) and len(set(image_shape)) > 1:
                raise ValueError(
                    "The term 'identity' gives each generator images of the domain that it generates, so images of both "
                    f"domains must have one shape. Received: {' and '.join(map(shown, image_shape))}"
                )
            if term.compares and term.domains == 1 and condition.towers > 1:
                raise ValueError(
                    f"The term {term.name!r} compares each generated image with the real one that belongs to it. With the "
                    f"condition {type(condition).__name__} images do not belong together: use kgan.terms.Cycle() instead."
                )
            if isinstance(term, terms.Perceptual) and term.network is None:
                raise ValueError(
                    "The term 'perceptual' needs the network whose features it compares: "
                    "kgan.terms.Perceptual(model=kgan.extractors.classifier(images)), or any Keras model."
                )

    def get_config(self):
        """The arguments, by name."""
        found = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def _several(argument, given, get, name_of):
    """Return one name or object, several of them, or `None` as a tuple of objects, each with its own name."""
    several = isinstance(given, list | tuple)
    found = () if given is None else tuple(get(one) for one in (given if several else (given,)))
    names = [name_of(one) for one in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"`{argument}` must differ from each other. Received {name!r} twice.")
    return found


Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")


def takes_arguments_of(
    rules: Callable[Arguments, Any],
) -> Callable[[Callable[..., Result]], Callable[Concatenate[Any, Arguments], Result]]:
    """Give a method the signature and the documentation of the class whose arguments it takes."""
    arguments = inspect.signature(rules).parameters

    def decorate(method):
        def checked(self, *args, **kwargs):
            for name in kwargs.keys() - arguments.keys():
                raise TypeError(
                    f"`{method.__name__}` has no argument {name!r}. {OF_KERAS.get(name) or nearest(name, arguments)}"
                )
            return method(self, *args, **kwargs)

        checked.__name__, checked.__qualname__, checked.__doc__ = method.__name__, method.__qualname__, rules.__doc__
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        checked.__signature__ = inspect.Signature([own, *arguments.values()])  # type: ignore[attr-defined]
        return checked

    return decorate
