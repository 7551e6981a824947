"""Sphinx: `sphinx-build -W docs docs/_build`."""

import os
import re

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # kgan is imported for the API reference

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.transforms.post_transforms import SphinxPostTransform

project = "kgan"
author = copyright = "the kgan developers"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
]
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


# Keras' reference, which has no inventory for sphinx.ext.intersphinx: the longest of these that a name begins with
KERAS = {
    "keras.Input": "layers/core_layers/input/",
    "keras.Model": "models/model/",
    "keras.Model.compile": "models/model_training_apis/",
    "keras.Model.evaluate": "models/model_training_apis/",
    "keras.Model.export": "models/model_saving_apis/export/",
    "keras.Model.fit": "models/model_training_apis/",
    "keras.Model.predict": "models/model_training_apis/",
    "keras.Model.save": "models/model_saving_apis/model_saving_and_loading/",
    "keras.Model.save_weights": "models/model_saving_apis/weights_saving_and_loading/",
    "keras.Model.test_on_batch": "models/model_training_apis/",
    "keras.Model.train_on_batch": "models/model_training_apis/",
    "keras.Sequential": "models/sequential/",
    "keras.applications": "applications/",
    "keras.callbacks": "callbacks/",
    "keras.distribution": "distribution/",
    "keras.layers": "layers/",
    "keras.layers.BatchNormalization": "layers/normalization_layers/batch_normalization/",
    "keras.losses": "losses/",
    "keras.metrics": "metrics/",
    "keras.mixed_precision": "mixed_precision/",
    "keras.ops": "ops/",
    "keras.optimizers": "optimizers/",
    "keras.random": "random/",
    "keras.random.SeedGenerator": "random/seed_generator/",
    "keras.saving": "models/model_saving_apis/",
    "keras.saving.load_model": "models/model_saving_apis/model_saving_and_loading/",
    "keras.utils": "utils/",
}


class LinksIntoKeras(SphinxPostTransform):
    """Names of Keras in the text lead to its reference."""

    default_priority = 500

    def run(self):
        for literal in list(self.document.findall(nodes.literal)):
            parts = re.sub(r"\(.*", "", literal.astext()).split(".")
            names = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
            found = next((KERAS[name] for name in names if name in KERAS), None)
            if found and not isinstance(literal.parent, nodes.reference):
                address = f"https://keras.io/api/{found}"
                link = nodes.reference("", "", literal.deepcopy(), refuri=address, internal=False)
                literal.replace_self(link)


def _mathml(as_block):
    """Formulas as MathML, which browsers draw themselves: no script, no network."""

    def visit(translator, node):
        translator.body.append(tex2mathml(node.astext(), as_block=as_block))
        raise nodes.SkipNode

    return visit, None


def setup(app):
    app.add_post_transform(LinksIntoKeras)
    app.add_html_math_renderer("mathml", _mathml(as_block=False), _mathml(as_block=True))
