"""What is published beside the code: one version everywhere, links that lead somewhere, workflows that can be read."""

import configparser
import importlib.util
import pathlib
import re

import pytest
import yaml

import kgan
from tests.command_line import ROOT

pytestmark = pytest.mark.skipif(not (ROOT / "setup.cfg").exists(), reason="needs the repository")
SETTINGS = configparser.ConfigParser()
SETTINGS.read(ROOT / "setup.cfg", "utf-8")


def test_one_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert kgan.__version__ == SETTINGS["metadata"]["version"] == citation["version"]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"## [{kgan.__version__}]" in changes and "## [Unreleased]" in changes
    assert (ROOT / "tests" / "older" / kgan.__version__).is_dir()


def test_one_license():
    license = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in license and "Version 2.0, January 2004" in license
    assert SETTINGS["metadata"]["license"] == "Apache-2.0"


def test_every_package_is_listed():
    there = {"kgan.recipes", *(path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in
             (ROOT / "kgan").rglob("__init__.py"))}  # fmt: skip
    assert set(SETTINGS["options"]["packages"].split()) == there


def test_every_dependency_has_a_lower_bound_and_none_an_upper_one():
    for line in SETTINGS["options"]["install_requires"].split():
        assert re.fullmatch(r"[\w-]+>=[\d.]+", line), line


def test_the_readme_of_the_package_index(monkeypatch):
    """Its links are absolute, and lead to files that are there."""
    pytest.importorskip("setuptools")
    monkeypatch.setattr("setuptools.setup", lambda **given: None)
    spec = importlib.util.spec_from_file_location("setup", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = module.long_description()
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert len(targets) > 30 and all(target.startswith(("https://", "#")) for target in targets)
    source = re.search(r"Source = (.*)", SETTINGS["metadata"]["project_urls"])[1]
    raw = source.replace("github.com", "raw.githubusercontent.com")
    own = [one for one in targets if one.startswith((source, raw))]
    assert len(own) > 30
    for target in own:
        path = target.removeprefix(f"{source}/blob/v{kgan.__version__}/").removeprefix(f"{raw}/v{kgan.__version__}/")
        assert (ROOT / path.partition("#")[0]).exists(), target
    assert "![](https://raw." in text


def test_one_owner():
    """The owner of the repository is named once, however often."""
    owners = set()
    for path in (ROOT, ROOT / "docs", ROOT / ".github", ROOT / ".github" / "ISSUE_TEMPLATE"):
        for file in path.iterdir():
            if file.is_file() and file.suffix in (".md", ".cfg", ".cff", ".yml", ".py"):
                owners |= set(re.findall(r"github(?:usercontent)?\.com/([\w-]+)/kgan\b", file.read_text("utf-8")))
    assert len(owners) == 1


WORKFLOWS = sorted(pathlib.Path(ROOT / ".github").rglob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.name for path in WORKFLOWS])
def test_workflows_and_forms(path):
    """They are YAML, and every action is pinned to a commit."""
    content = yaml.safe_load(path.read_text("utf-8"))
    assert content
    for job in content.get("jobs", {}).values():
        assert job["timeout-minutes"] and job["steps"]
        for step in job["steps"]:
            assert "uses" not in step or re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"])
    if path.parent.name == "ISSUE_TEMPLATE":
        assert {"name", "description", "body"} <= content.keys()
        if path.name != "idea.yml":
            assert "kgan env" in path.read_text("utf-8")


def test_scripts_that_workflows_run():
    for path in (*WORKFLOWS, ROOT / ".ci" / "run"):
        for script in re.findall(r"\.ci/(?:run|package|oldest)", path.read_text("utf-8")):
            assert (ROOT / script).stat().st_mode & 0o111, script
