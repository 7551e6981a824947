"""The user's own code: the only way in which a run executes code that is not part of kgan, and only on request."""

import importlib.util
import inspect
import pathlib
import re
import types

import keras

from kgan import architectures, augment, callbacks, conditions, losses, penalties, schedules, terms, tricks
from kgan.runner.errors import RecipeError

_KINDS = (
    (losses.AdversarialLoss, losses.LOSSES),
    (schedules.Schedule, schedules.SCHEDULES),
    (penalties.Penalty, penalties.PENALTIES),
    (terms.Term, terms.TERMS),
    (tricks.Trick, tricks.TRICKS),
    (conditions.Condition, conditions.CONDITIONS),
    (augment.Augmentation, augment.AUGMENTATIONS),
    (keras.callbacks.Callback, callbacks.CALLBACKS),
)
_named: dict[pathlib.Path, list] = {}  # names that each file gave, and their dicts


def load(path):
    """Run a Python file, so that recipes can name what it defines.

    A loss, schedule, penalty, term, trick, condition, augmentation or Keras callback has the name of its class in snake
    case, `my_loss` for `MyLoss`. Functions `generator` and `discriminator`, with `image_shape` among their arguments, are
    an architecture with the name of the file. A file may also do nothing but register layers of its own with Keras, which a
    saved generator has. A file that is loaded again replaces what it defined before.

    Raises:
        RecipeError: if the file does not exist or cannot be run, or defines none of these or a name that kgan uses.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise RecipeError.about("--plugin", f"there is no file {path}")
    if path.suffix != ".py" or not path.is_file():
        raise RecipeError.about("--plugin", f"{path} is not a Python file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    try:
        spec.loader.exec_module(module)  # type: ignore[union-attr]
    except Exception as error:  # any error of the user's code
        said = f"{path} cannot be run: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        raise RecipeError.about("--plugin", said) from None
    found = list(_parts(module, path.stem))
    if not found and not any(_is_registered(thing, module) for thing in vars(module).values()):
        said = (
            f"{path} defines no loss, schedule, penalty, term, trick, condition, augmentation, callback or architecture"
        )
        raise RecipeError.about("--plugin", f"{said}, and registers nothing with Keras")
    for name, known in _named.pop(path.resolve(), ()):
        del known[name]
    for name, _, known in found:
        if name in known:
            raise RecipeError.about("--plugin", f"{path}: the name {name} is taken already")
    for name, thing, known in found:
        known[name] = thing
    _named[path.resolve()] = [(name, known) for name, _, known in found]


def _is_registered(thing, module):
    """Whether it is a class or function of this module that `register_keras_serializable` has made known to Keras."""
    own = getattr(thing, "__module__", None) == module.__name__
    return own and callable(thing) and keras.saving.get_registered_name(thing) != thing.__name__


def _parts(module, stem):
    for name, thing in vars(module).items():
        if inspect.isclass(thing) and thing.__module__ == module.__name__:
            for base, known in _KINDS:
                if issubclass(thing, base):
                    yield re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower(), thing, known
    players = getattr(module, "generator", None), getattr(module, "discriminator", None)
    if all(isinstance(player, types.FunctionType) for player in players):
        yield stem, module, architectures.ARCHITECTURES
