"""What users may bring, and what happens to it: a table of the documentation that the tests themselves write.

A test says in its decorator which row of the table it shows. The table is written by

    python -m tests.brought docs/own_images.md
"""

import importlib
import pathlib
import re
import sys

KINDS = ("pictures", "pairs", "files of arrays", "arrays", "datasets", "models")
COMMAND = "python -m tests.brought docs/own_images.md"
TESTS = pathlib.Path(__file__).parent
_rows: dict[tuple[str, str], list[str]] = {}  # by the module and the name of the test


def brings(kind, form, what_happens):
    """Mark a test as the proof of one row: what is brought, a phrase, and what happens to it, a phrase."""
    assert kind in KINDS and "|" not in form + what_happens

    def mark(test):
        # a test may show several rows; the uppermost decorator is called last
        _rows.setdefault((test.__module__, test.__name__), []).insert(0, f"| {kind} | {form} | {what_happens} |")
        return test

    return mark


def table():
    """The rows of all tests as a table of Markdown, by kind, each kind in the order of the tests."""
    for path in sorted(TESTS.glob("test_*.py")):
        if "@brings(" in path.read_text("utf-8"):
            importlib.import_module(f"tests.{path.stem}")
    rows = [row for _, some in sorted(_rows.items(), key=lambda item: item[0][0]) for row in some]
    rows = [row for kind in KINDS for row in rows if row.startswith(f"| {kind} |")]
    return "\n".join(["| kind | what you bring | what happens |", "|---|---|---|", *rows])


def between_marks(page, content, command=COMMAND):
    """A page whose part between the mark with the command that writes it and the next `<!-- end -->` is replaced."""
    begin, end = f"<!-- {command} -->", "<!-- end -->"
    return re.sub(f"(?s){begin}.*?{end}", lambda _: f"{begin}\n{content}\n{end}", page)


if __name__ == "__main__":
    from tests.brought import table as of_tests  # the tests import this module under its name

    path = pathlib.Path(sys.argv[1])
    path.write_text(between_marks(path.read_text("utf-8"), of_tests()), "utf-8")
