"""What a notebook shows for a GAN: a small table of both players, the condition, and the arguments of `compile`."""

import jinja2

from kgan.checkpoints import changes
from kgan.conditions import shown

OF_OPTIMIZERS = ("learning_rate", "beta_1", "beta_2")  # the arguments in which optimizers of GANs differ
TABLE = jinja2.Environment(autoescape=True, trim_blocks=True).from_string(
    """\
{% set left = 'style="text-align: left"' | safe %}
<table>
<thead><tr><th></th><th {{ left }}>generator</th><th {{ left }}>discriminator</th></tr></thead>
<tbody>
{% for what, cells in players %}
<tr><th {{ left }}>{{ what }}</th>{% for cell in cells %}<td {{ left }}>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
{% for what, value in rules %}
<tr><th {{ left }}>{{ what }}</th><td {{ left }} colspan="2">{{ value }}</td></tr>
{% endfor %}
</tbody>
</table>
"""
)


def table(gan):
    """Describe a GAN as a table of HTML, in which names of the user are escaped.

    Args:
        gan: `kgan.GAN`, compiled or not.

    Returns:
        A string.
    """
    both = gan.generator, gan.discriminator
    players = [
        ("name", [player.name for player in both]),
        ("input", [_shapes(player, "inputs") for player in both]),
        ("output", [_shapes(player, "outputs") for player in both]),
        ("parameters", [f"{player.count_params():,}" for player in both]),
    ]
    rules = [("condition", changes.in_words(changes.record({"condition": gan.condition})["condition"]))]
    if gan.compiled:
        given = dict(gan.compiled_with)
        players.append(("optimizer", [changes.in_words(given.pop(name), OF_OPTIMIZERS) for name in ("g_opt", "d_opt")]))
        if given["class_loss_weight"] == 1.0:
            del given["class_loss_weight"]  # the default, and most discriminators put out no classes
        rules += [(name.replace("_", " "), _listed(value)) for name, value in given.items() if value not in (None, [])]
    else:
        rules.append(("rules", "not compiled"))
    return TABLE.render(players=players, rules=rules)


def _shapes(player, side):
    """Shapes of a player's `inputs` or `outputs`, which Keras does not know of a subclassed model."""
    return ", ".join(shown(tensor.shape[1:]) for tensor in getattr(player, side, None) or ()) or "?"


def _listed(value):
    """A rule, or several without the brackets of a list."""
    return ", ".join(map(changes.in_words, value)) if isinstance(value, list) else changes.in_words(value)
