"""Errors of a recipe or a command line: the problem, its place, and what was probably meant."""


class Problem:
    """One problem, at `path` (keys from the top) of a recipe.

    Its place is the line and column, counted from 1, or `"--set"`, or `None` if nothing is known.
    """

    def __init__(self, path, message, place=None):
        self.path, self.message, self.place = tuple(path), message, place

    def __str__(self):
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).lstrip(".")
        return f"{key}: {self.message}" if key else self.message


class RecipeError(ValueError):
    """All problems of a recipe, one line each: `recipe.yaml:12:5  discriminator.droput: unknown key, ...`."""

    def __init__(self, source, problems):
        self.problems = list(problems)
        lines = []
        for problem in sorted(self.problems, key=lambda one: one.place if isinstance(one.place, tuple) else (0, 0)):
            place = problem.place
            where = ":".join(map(str, (source, *place))) if isinstance(place, tuple) else str(place or source)
            lines.append(f"{where}  {problem}")
        super().__init__("\n".join(lines))


class RunError(Exception):
    """A run had to be stopped; its last good state is kept."""
