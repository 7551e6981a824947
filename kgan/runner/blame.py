"""Turn errors of the objects that a recipe or a command line names into problems at a place in it."""

import contextlib
import re

from kgan.arguments import Misfit
from kgan.runner.complaints import nearest_place
from kgan.runner.errors import Problem, RecipeError


class Blame:
    """Within `blame(*path)` an error becomes a problem at that path of the recipe; all problems are raised together."""

    def __init__(self, given):
        self.given, self.problems = given, []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if self.problems and kind is None:
            raise RecipeError(self.given.source, self.problems) from None

    @contextlib.contextmanager
    def __call__(self, *path, keys=None):
        """The context; `keys` are the paths of those arguments of a `Misfit` that are not below `path`, `None` for none."""
        try:
            yield
        except (ConnectionError, KeyboardInterrupt):
            raise
        except Exception as error:  # Keras and the engines raise many kinds of errors for arguments that are not valid
            message = " ".join(str(error).split())
            instead = error.instead if isinstance(error, Misfit) else {}
            paths = {name: (keys or {}).get(name, (*path, name)) for name in instead}
            settings = {at: instead[name] for name, at in paths.items() if at is not None}
            argument = re.match(r"`(\w+)`", message)
            if argument and argument[1] in self._keys(path):
                path = (*path, argument[1])
            self.problems.append(Problem(path, message[:500], nearest_place(path, self.given.places), settings))

    def _keys(self, path):
        here = self.given.data
        for step in path:
            here = here[step] if isinstance(here, list) or (isinstance(here, dict) and step in here) else {}
        return here if isinstance(here, dict) else {}


@contextlib.contextmanager
def blamed(option):
    """A context in which an error becomes a RecipeError about that option of the command line."""
    try:
        yield
    except (ValueError, ImportError, RuntimeError) as error:
        if isinstance(error, RecipeError):
            raise
        raise RecipeError.about(option, " ".join(str(error).split())) from None
