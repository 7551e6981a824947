"""What the documentation shows is run: docstrings' examples, the pages' own parts, the README's Python, the links."""

import doctest
import importlib
import pathlib
import pkgutil
import re

import keras
import numpy as np
import pytest
from keras import ops

import kgan
from tests.helpers import compiled

ROOT = pathlib.Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
MODULES = sorted(
    found.name for found in pkgutil.walk_packages(kgan.__path__, "kgan.") if not found.name.startswith("kgan.backend.")
)
PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)]


def test_examples_of_docstrings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for name in MODULES:
        found = doctest.DocTestFinder().find(
            importlib.import_module(name), extraglobs={"kgan": kgan, "keras": keras, "np": np, "ops": ops}
        )
        for test in found:
            runner.run(test)
    assert runner.tries > 20 and runner.failures == 0


def example(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_parts_of_ones_own_are_short():
    assert [path.stem for path in EXAMPLES] == ["own_architecture", "own_callback", "own_loss", "own_schedule"]
    assert all(len(path.read_text().splitlines()) < 25 for path in EXAMPLES)


def test_own_loss(tmp_path):
    module = example("own_loss")
    gan = example("own_architecture").make()
    images = np.zeros((32, 8, 8, 1), "float32")
    history = module.train(gan, images, epochs=2).history
    logits = gan.discriminator(images[:1])
    assert float(module.Pearson().real(logits)[0, 0]) == pytest.approx((float(logits[0, 0]) - 1) ** 2 / 2)
    assert np.isfinite(history["d_loss"]).all()
    gan.save(tmp_path / "gan.keras")
    assert type(kgan.load(tmp_path / "gan.keras").loss) is module.Pearson


def test_own_schedule():
    gan = example("own_architecture").make()
    example("own_schedule").train(gan, np.zeros((32, 8, 8, 1), "float32"), epochs=3)
    assert (int(gan.d_opt.iterations), int(gan.g_opt.iterations)) == (3, 6)


def test_own_callback():
    gan = example("own_architecture").make()
    history = example("own_callback").train(gan, np.zeros((32, 8, 8, 1), "float32"), epochs=2).history
    expected = np.std(gan.generate(64, seed=0), axis=(1, 2, 3)).mean()
    assert history["contrast"][-1] == pytest.approx(float(expected), rel=1e-4) and len(history["contrast"]) == 2


def test_own_architecture():
    gan = compiled(example("own_architecture").make())
    gan.fit(np.zeros((16, 8, 8, 1), "float32"), verbose=0)
    assert gan.generate(2, seed=0).shape == (2, 8, 8, 1)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pictures_and_links_are_there(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), f"{page}: {target}"


def test_the_readme_in_python(tmp_path, monkeypatch):
    """Its code as it stands, but for two epochs."""
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert "epochs=400" in code and "every=20" in code
    exec(code.replace("epochs=400", "epochs=2, verbose=0").replace("every=20", "every=1"), {})
    assert (tmp_path / "samples" / "epoch-0002.png").exists()
