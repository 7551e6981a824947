"""The notebooks of the documentation: their Python files run, and they are made of them. A training in a real kernel."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
DOCS = ROOT / "docs"
SOURCES = sorted((DOCS / "notebooks").glob("*.py"))
MADE = {
    "first_gan": "the same images after loading: True",
    "own_loss_and_architecture": "Pearson",
    "own_pictures": "600 pictures, cropped, Lanczos, 64 x 64 to 32 x 32; skipped: none",
}


@pytest.mark.longer
@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_it_runs_as_a_script(source, tmp_path):
    environment = {**os.environ, "KGAN_NOTEBOOK_EPOCHS": "1", "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, source], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert not run.returncode, run.stderr
    assert MADE[source.stem] in run.stdout


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_it_is_made_of_its_file(source):
    pytest.importorskip("jupytext")
    from docs.make_notebooks import notebook

    assert source.with_suffix(".ipynb").read_text("utf-8") == notebook(source)


def test_the_page_leads_to_each_in_colab():
    page = (DOCS / "notebooks.md").read_text("utf-8")
    places = re.findall(
        r"https://colab\.research\.google\.com/github/([\w.-]+/kgan)/blob/main/docs/notebooks/(\w+)\.ipynb", page
    )
    assert sorted(name for _, name in places) == [source.stem for source in SOURCES] == sorted(MADE)
    installed = [
        name
        for source in SOURCES
        for name in re.findall(r'"git\+https://github\.com/([\w.-]+/kgan)"', source.read_text("utf-8"))
    ]
    (repository,) = re.findall(r'REPOSITORY = "(.*?)"', (DOCS / "make_notebooks.py").read_text("utf-8"))
    assert [name for name, _ in places] == installed == [repository] * len(SOURCES)


def test_another_repository_in_all_addresses(monkeypatch):
    pytest.importorskip("jupytext")
    from docs import make_notebooks

    monkeypatch.setattr(make_notebooks, "REPOSITORY", "them/kgan")
    text = "git+https://github.com/us/kgan and https://colab.research.google.com/github/us/kgan/blob/main/x.ipynb"
    assert make_notebooks.of_repository(text) == text.replace("us/", "them/")


def test_a_training_in_a_kernel(tmp_path):
    """One output that is replaced, with an image and both losses, in a notebook that stays small."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cells = [
        "from tests.helpers import compiled, stripes\ngan = compiled()\ngan",
        "history = gan.fit(stripes(), batch_size=10, epochs=30)",
        "history = gan.fit(stripes(), batch_size=10, verbose=0)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}})
    client.execute()
    table = notebook.cells[0].outputs[-1]["data"]["text/html"]
    assert "<th" in table and "discriminator" in table
    (output,) = notebook.cells[1].outputs
    assert output.output_type == "display_data"
    page, line = output["data"]["text/html"], output["data"]["text/plain"]
    assert '<img alt="generated images" src="data:image/png;base64,' in page
    assert line.startswith("Epoch 30 of 30, step 4 of 4")
    assert re.search(r"Discriminator loss \d+\.\d{3}, .* Generator loss \d+\.\d{3}\.", page)
    assert not notebook.cells[2].outputs
    nbformat.write(notebook, tmp_path / "saved.ipynb")
    assert (tmp_path / "saved.ipynb").stat().st_size < 1_000_000
