"""The page that `Live` shows: one element of HTML that holds its pictures."""

import base64
import io

import jinja2
from matplotlib import rc_context
from matplotlib.figure import Figure
from PIL import Image

SIDE, BYTES = 480, 150_000  # of the picture, at most; a larger file is compressed with loss
GREY = "#808080"  # readable on light and on dark paper
LOSSES = {"d_loss": ("discriminator", "#3b82c4"), "g_loss": ("generator", "#e07b39")}
LEVELS = {"error": "#d0453a", "warning": "#d08a2e", "info": "#3b82c4"}
# each element has its own style, since sites that show saved notebooks drop style sheets
PAGE = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
    """\
<div style="font: 14px/1.5 system-ui, sans-serif; max-width: 880px">
<div><b>{{ place }}</b> &middot; {{ pace }}</div>
{% if share is not none %}
<progress value="{{ share }}" max="1" style="width: 100%; height: 10px"></progress>
{% endif %}
<div>{{ losses }}</div>
<div style="display: flex; flex-wrap: wrap; gap: 16px; align-items: flex-start; margin: 8px 0">
<img alt="curves of both losses" src="{{ curves }}" style="flex: 1 1 320px; max-width: 480px; min-width: 0">
{% if picture %}
<figure style="margin: 0"><img alt="generated images" src="{{ picture }}" style="max-width: 100%">
<figcaption style="color: #808080; font-size: 12px">{{ caption }}</figcaption></figure>
{% endif %}
</div>
{% for finding in findings %}
<div style="border-left: 4px solid {{ levels[finding.level] }}; padding: 0 8px; margin: 4px 0"><b>{{ finding.id }}</b>
({{ finding.level }}, epoch {{ finding.epoch }}, step {{ finding.step }}). {{ finding.sentence }}
{% if finding.remedies %}
Try {% for one in finding.remedies %}<code>{{ one }}</code>{{ ", " if not loop.last }}{% endfor %}.
{% endif %}
</div>
{% endfor %}
</div>
"""
)


def page(rows, **shown):
    """Return the page as a string.

    Args:
        rows: List of dicts with `step` and the losses at that step.
        **shown: What the template asks for: `place`, `pace`, `share`, `losses`, `picture`, `caption` and `findings`.
    """
    return PAGE.render(curves=curves(rows), levels=LEVELS, **shown)


def curves(rows):
    """The losses at some steps as the address of a picture, SVG."""
    figure = Figure(
        figsize=(6, 3.2)
    )  # with margins of its own, since matplotlib takes longer to find some than to draw
    axes = figure.add_axes((0.12, 0.16, 0.86, 0.74))
    for patch in (figure.patch, axes.patch):
        patch.set_alpha(0.0)
    for name, (label, colour) in LOSSES.items():
        axes.plot([row["step"] for row in rows], [row[name] for row in rows], color=colour, label=label, linewidth=1.5)
    axes.tick_params(colors=GREY)
    if not rows:
        axes.set(xticks=(), yticks=())
    axes.spines[:].set_color(GREY)
    axes.grid(color=GREY, alpha=0.25)
    axes.set_xlabel("step", color=GREY)
    axes.set_ylabel("loss", color=GREY)
    axes.legend(frameon=False, labelcolor=GREY, loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=2)
    file = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "kgan"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return _encoded(file.getvalue(), "svg+xml")


def address(path):
    """The address of a picture that is made as small as it is needed."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "png")
    if file.tell() <= BYTES:
        return _encoded(file.getvalue(), "png")
    file = io.BytesIO()
    image.save(file, "webp", quality=80)
    return _encoded(file.getvalue(), "webp")


def _encoded(content, kind):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
