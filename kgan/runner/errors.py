"""What is wrong with a recipe or a command line, where, and what was probably meant."""


class Problem:
    """One thing wrong, at `path` (keys from the top) of a recipe, and its line and column, counted from 1, if known."""

    def __init__(self, path, message, place=None):
        self.path, self.message, self.place = tuple(path), message, place

    def __str__(self):
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).lstrip(".")
        return f"{key}: {self.message}" if key else self.message


class RecipeError(ValueError):
    """All that is wrong with a recipe, one line each: `recipe.yaml:12:5  discriminator.droput: unknown key, ...`."""

    def __init__(self, source, problems):
        self.problems = list(problems)
        lines = []
        for problem in sorted(self.problems, key=lambda problem: problem.place or (0, 0)):
            where = ":".join(map(str, (source, *problem.place))) if problem.place else str(source)
            lines.append(f"{where}  {problem}")
        super().__init__("\n".join(lines))
