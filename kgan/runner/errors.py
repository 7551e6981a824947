"""Errors of a recipe or a command line: the problem, its place, and what was probably meant."""

import json
import shlex


class Problem:
    """One problem, at `path` (keys from the top) of a recipe.

    Its place is the line and column, counted from 1, or `"--set"`, or `None` if nothing is known. `settings` are the
    values that would fit, a dict by their paths.
    """

    def __init__(self, path, message, place=None, settings=None):
        self.path, self.message, self.place, self.settings = tuple(path), message, place, settings or {}

    def __str__(self):
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).lstrip(".")
        said = f"{key}: {self.message}" if key else self.message
        return f"{said.removesuffix('.')}. What fits these data: {options(self.settings)}" if self.settings else said


def options(settings):
    """The options of the command line that change a recipe, as one types them."""
    texts = {
        ".".join(map(str, path)): value if isinstance(value, str) else json.dumps(value)
        for path, value in settings.items()
    }
    return " ".join(f"--set {shlex.quote(f'{path}={text}')}" for path, text in texts.items())


class RecipeError(ValueError):
    """All problems of a recipe, one line each: `recipe.yaml:12:5  discriminator.droput: unknown key, ...`."""

    def __init__(self, source, problems):
        self.problems = list(problems)
        lines: dict[tuple, str] = {}  # what two parts of a recipe say alike is said once
        for problem in sorted(self.problems, key=lambda one: one.place if isinstance(one.place, tuple) else (0, 0)):
            place = problem.place
            where = ":".join(map(str, (source, *place))) if isinstance(place, tuple) else str(place or source)
            alike = str(problem.settings) if problem.settings else problem.path
            lines.setdefault((problem.message, alike), f"{where}  {problem}")
        settings = {path: value for problem in self.problems for path, value in problem.settings.items()}
        if len(settings) > 1:
            lines[()] = f"What fits these data, all at once: {options(settings)}"
        super().__init__("\n".join(lines.values()))

    @classmethod
    def about(cls, option, message):
        """The error of one problem with an option of the command line, or with what it names."""
        return cls(option, [Problem((), message)])


class RunError(Exception):
    """A run had to be stopped; its last good state is kept."""
