"""Imports run one way, and frameworks are imported in one place."""

import ast
import configparser
import pathlib
import subprocess
import sys

import pytest

import kgan

ROOT = pathlib.Path(kgan.__file__).parent
# each may import those before it, not those beside it
LAYERS = [
    {"arguments", "files", "presets"},
    {"backend"},
    {"environment", "latents", "pictures", "ramps"},
    {"conditions", "layers", "losses"},
    {"objective"},
    {"architectures", "augment", "data", "penalties", "tricks"},
    {"metrics", "players"},
    {"checkpoints", "logs", "training"},
    {"extractors", "schedules"},
    {"terms"},
    {"rules", "scores"},
    {"examples"},
    {"doctor"},
    {"callbacks", "report"},
    {"monitors"},
    {"together"},
    {"fit", "generating", "summary_html"},
    {"gan"},
    {"exports"},
    {"view"},
    {"runner"},
    {"compare"},
    {"cli"},
    {"__main__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules():
    for path in sorted(ROOT.rglob("*.py")):
        part = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if part != "__init__":
            yield part, path


def test_every_module_has_its_layer():
    assert {part for part, _ in modules()} == set(LEVEL)


def test_nothing_imports_upward_or_sideways():
    wrong = []
    for part, path in modules():
        for name in imports(path):
            steps = name.split(".")
            if steps[0] == "kgan" and len(steps) > 1 and steps[1] in LEVEL:
                other = steps[1]
                if other != part and LEVEL[other] >= LEVEL[part]:
                    wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_frameworks_are_imported_in_backend_only():
    frameworks = {"tensorflow", "jax", "torch"}
    wrong = [
        str(path.relative_to(ROOT))
        for part, path in modules()
        if part != "backend" and frameworks & {name.split(".")[0] for name in imports(path)}
    ]
    assert not wrong


def test_no_file_of_tests_is_imported():
    """What several of them need is in a module of helpers, fixtures in conftest.py."""
    files = [path for folder in ("tests", "docs") for path in sorted((ROOT.parent / folder).rglob("*.py"))]
    tests = {path.stem for path in files if path.stem.startswith("test_")}
    wrong = [
        f"{path.relative_to(ROOT.parent)} imports {name}"
        for path in files
        for name in imports(path)
        if tests & set(name.split("."))
    ]
    assert len(tests) > 30 and not wrong


def test_the_plain_loops_import_nothing_of_kgan():
    """Nor anything of the tests, which do."""
    found = {name.split(".")[0] for name in imports(ROOT.parent / "tests" / "plain_loops.py")}
    assert found == {"keras", "tensorflow"}


def test_the_engine_and_the_inside_of_keras_are_asked_for_in_backend_only():
    wrong = [
        f"{path.relative_to(ROOT)}: {node.attr}"
        for part, path in modules()
        if part != "backend"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("keras.src", "keras.backend.backend", "keras.config.backend")
    ]
    wrong += [
        f"{path.relative_to(ROOT)}: {name}"
        for part, path in modules()
        if part != "backend"
        for name in imports(path)
        if name.startswith("keras.src") or name == "keras.backend.backend"
    ]
    assert not wrong


def test_importing_kgan_and_listing_recipes_loads_no_framework():
    code = (
        "import sys, kgan, kgan.cli, kgan.runner.recipes; kgan.runner.recipes.shipped();"
        "print([name for name in ('keras', 'tensorflow', 'jax', 'torch') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


def test_the_api_is_sorted_and_there():
    assert kgan.__all__ == sorted(kgan.__all__)
    assert all(getattr(kgan, name) for name in kgan.__all__)
    assert set(kgan.__all__) <= set(dir(kgan))
    with pytest.raises(AttributeError, match="module 'kgan' has no attribute 'nothing'"):
        kgan.nothing  # noqa: B018


def test_every_package_is_installed():
    """An editable installation finds what a wheel would not hold."""
    config = configparser.ConfigParser()
    config.read(ROOT.parent / "setup.cfg")
    folders = {".".join(path.parent.relative_to(ROOT.parent).parts) for path in ROOT.rglob("__init__.py")}
    assert set(config["options"]["packages"].split()) == folders | {"kgan.recipes"}
