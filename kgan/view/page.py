"""The page: the generator as a graph of operators, a few lines of JavaScript that compute it, and what one plays with."""

import base64
import json
import pathlib
import tempfile

import jinja2
import markupsafe
from keras import ops

from kgan import exports
from kgan.files import replace_when_written
from kgan.latents import LATENTS
from kgan.latents import seeds as seeds_of
from kgan.view import graph

HERE = pathlib.Path(__file__).parent
SIDE = 4  # images in a row, and rows
MOST = 40_000_000  # bytes of weights


def write(generator, condition, latent_dim, latents, path, title, names=(), plugins=()):
    """Write a page in which a generator runs, completely or not at all.

    Seed 0 shows the images that `kgan sample RUN --seed 0` makes; of a class-conditional generator each class's own.

    Args:
        generator: `keras.Model`, of images.
        condition: `kgan.conditions.Condition`: none, or classes.
        latent_dim: Integer.
        latents: Their distribution, a name in `kgan.latents`.
        path: Path of the file.
        title: Text.
        names: Names of the classes.
        plugins: As in `kgan.export`.

    Raises:
        ValueError: if it is given images, makes none, is too large, or consists of operators that the page lacks.
        kgan.exports.ExportError: if it cannot be converted.
    """
    shape = tuple(generator.outputs[0].shape[1:])
    given = condition.specs(generator) is not None and not len(condition.classes)
    if given or len(shape) != 3 or shape[-1] not in (1, 3, 4):
        raise ValueError(
            "A page shows generators that make images, of 1, 3 or 4 channels, from latents and classes. "
            f"Received: one that makes {shape}" + (f", with {type(condition).__name__}" if given else "")
        )
    if latents not in LATENTS:
        raise ValueError(f"A page draws latents that are {', '.join(LATENTS)}. Received: {latents!r}")
    exports.check_installed("onnx")
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "generator.onnx"
        exports.convert_to(
            generator, condition, latent_dim, "onnx", file, pathlib.Path(folder), batch=1, plugins=plugins
        )
        operators, constants = graph.read(file)
    if len(constants) > MOST:
        raise ValueError(
            f"The page would have {len(constants) / 1e6:.0f} MB of weights, more than {MOST / 1e6:.0f} MB: "
            "`kgan export` writes files for programs that are made for such networks."
        )
    count = len(condition.classes)
    about = {
        "image": shape,
        "latents": latent_dim,
        "drawn": latents,
        "classes": list(names) or [str(number) for number in range(count)],
        "shown": SIDE * SIDE,
    }
    drawn = ops.convert_to_numpy(LATENTS[latents]((SIDE * SIDE, latent_dim), seeds_of(0)))
    loader = jinja2.FileSystemLoader(HERE)
    template = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True).get_template("page.html")
    text = template.render(
        title=title,
        subtitle=f"Images of {shape[0]} x {shape[1]} pixels, from {latent_dim} numbers"
        + (f" and one of {count} classes." if count else "."),
        columns=SIDE,
        ratio=f"{shape[1]} / {shape[0]}",
        about=_json(about),
        graph=_json(operators),
        latents=_base64(drawn.astype("<f4").tobytes()),
        constants=_base64(constants),
        engine=markupsafe.Markup(graph.ENGINE.read_text("utf-8")),
        page=markupsafe.Markup((HERE / "page.js").read_text("utf-8")),
    )
    with replace_when_written(path) as temporary:
        temporary.write_text(text, "utf-8")


def _json(value):
    """JSON that may stand in a page: nothing in it ends the script element."""
    return markupsafe.Markup(json.dumps(value, separators=(",", ":")).replace("<", "\\u003c"))


def _base64(data):
    return markupsafe.Markup(base64.b64encode(data).decode())
