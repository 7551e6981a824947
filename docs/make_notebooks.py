"""Makes the notebooks of the files in docs/notebooks, which are plain Python: `python -m docs.make_notebooks`."""

import pathlib
import re

import jupytext

DOCS = pathlib.Path(__file__).parent
REPOSITORY = "OWNER/kgan"  # on GitHub, where Colab reads the notebooks and installs kgan from


def notebook(path):
    """The notebook of a file of cells, as text; the same file always gives the same one."""
    cells = jupytext.read(path)
    for number, cell in enumerate(cells.cells):
        cell["id"] = f"{path.stem.replace('_', '-')}-{number}"  # jupytext draws one
    cells.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return jupytext.writes(cells, fmt="ipynb")


def of_repository(text):
    """A text in which the addresses of notebooks and of the package are those of `REPOSITORY`."""
    return re.sub(r"(github(?:\.com)?/)[\w.-]+/kgan\b", rf"\g<1>{REPOSITORY}", text)


def main():
    sources = sorted((DOCS / "notebooks").glob("*.py"))
    for path in (DOCS / "notebooks.md", *sources):
        path.write_text(of_repository(path.read_text("utf-8")), "utf-8")
    for path in sources:
        path.with_suffix(".ipynb").write_text(notebook(path), "utf-8")


if __name__ == "__main__":
    main()
