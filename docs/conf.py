"""Sphinx: `sphinx-build -W docs docs/_build`."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # kgan is imported for the API reference

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

project = "kgan"
author = copyright = "the kgan developers"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx_copybutton"]
exclude_patterns = ["_build", "recipes/*/facts.md", "faults.md", "symptoms", "notebooks", "devices", "sharing"]
html_theme = "furo"
html_title = "kgan"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_extra_path = ["llms.txt"]
html_math_renderer = "mathml"
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "none"


def _mathml(as_block):
    """Formulas as MathML, which browsers draw themselves: no script, no network."""

    def visit(translator, node):
        translator.body.append(tex2mathml(node.astext(), as_block=as_block))
        raise nodes.SkipNode

    return visit, None


def setup(app):
    app.add_html_math_renderer("mathml", _mathml(as_block=False), _mathml(as_block=True))
