"""All metadata is in setup.cfg but the long description: the package index shows no files of the repository, so the links of
README.md are made absolute, to the files of this version.
"""

import configparser
import pathlib
import re

import setuptools

HERE = pathlib.Path(__file__).parent


def long_description():
    settings = configparser.ConfigParser()
    settings.read(HERE / "setup.cfg", "utf-8")
    source = re.search(r"^Source = (.*)$", settings["metadata"]["project_urls"], re.MULTILINE)[1]
    tag = f"v{settings['metadata']['version']}"
    raw = source.replace("https://github.com/", "https://raw.githubusercontent.com/")
    text = (HERE / "README.md").read_text("utf-8")
    text = re.sub(r"(!\[[^\]]*\]\()(?!https?:)", rf"\g<1>{raw}/{tag}/", text)
    return re.sub(r"(\[[^\]]*\]\()(?!https?:|#)", rf"\g<1>{source}/blob/{tag}/", text)


setuptools.setup(long_description=long_description())
