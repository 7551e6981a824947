"""The page in which a generator runs: its pixels are those of Python, in Chromium."""

import importlib.util
import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from kgan.latents import get, seeds
from kgan.view import graph, write
from tests.command_line import call_kgan
from tests.exported import made
from tests.helpers import wrong

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tf2onnx") is None or importlib.util.find_spec("onnxruntime") is None,
    reason="needs kgan[onnx]",
)
# asks the page for the images of its first latents, and presses what can be pressed
LOOK = """<script>
const at = id => document.getElementById(id), found = { images: [] };
for (let i = 0; i < 6; i++)
  found.images.push(Array.from(generate(start.slice(i * about.latents, (i + 1) * about.latents), i % 3)));
const before = at("image").toDataURL();
at("walk").value = 1; at("walk").dispatchEvent(new Event("input"));
found.walked = at("image").toDataURL() !== before;
at("class").value = 2; at("class").dispatchEvent(new Event("input"));
found.name = at("name").textContent;
at("new").click();
found.seed = at("seed").value;
shown.cells[5].click();
found.chosen = at("grid").children[5].className;
found.wide = document.documentElement.scrollWidth > innerWidth;
found.grid = grid().toDataURL().length;
document.body.append("FO" + "UND" + JSON.stringify(found) + "END");
</script>"""
NAMES = ["a <b>", "b & c", "c"]


def looked_at(path, folder, width=1000):
    """What the page found in itself, and what the browser said; it asks for nothing from outside."""
    path.write_text(path.read_text("utf-8").replace("</body>", f"{LOOK}</body>"), "utf-8")
    requests = folder / "requests.json"
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900", "--dump-dom"]
    command += ["--enable-logging=stderr", f"--log-net-log={requests}", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run([*command, path.as_uri()], capture_output=True, text=True, timeout=120)
    assert "CONSOLE" not in done.stderr, re.findall("CONSOLE.*", done.stderr)
    asked = set(re.findall(r'"url":"https?://([^/:"]+)', requests.read_text("utf-8")))
    assert all(host.endswith((".google.com", ".gvt1.com")) for host in asked), asked  # which the browser asks by itself
    return json.loads(re.search(r"FOUND(.*?)END", done.stdout)[1])


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs Chromium")
@pytest.mark.parametrize(
    "name",
    [
        "dcgan with classes",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in (
                "dense", "dcgan", "resnet", "r3gan", "compact", "resnet with attention", "dense with classes",
                "resnet with classes", "r3gan with classes",
            )
        ),
    ],
)  # fmt: skip
def test_pixels(name, tmp_path):
    gan, path = made(name), tmp_path / "view.html"
    count = 3 if "classes" in name else 0
    write(gan.generator, gan.condition, 8, gan.latents, path, "a <title>", NAMES[:count])
    found = looked_at(path, tmp_path, width=400)
    latents = np.asarray(get(gan.latents)((16, 8), seeds(0)))[:6]
    inputs = [latents, np.arange(6) % 3] if count else latents
    expected = np.rint((gan.generator.predict(inputs, verbose=0) + 1) * 127.5)
    images = np.array(found["images"]).reshape(6, 16, 16, 4)
    assert np.mean(images[..., :3] == expected) >= 0.999 and np.abs(images[..., :3] - expected).max() <= 1
    assert np.all(images[..., 3] == 255)
    assert found["walked"] and found["seed"] == "1" and found["chosen"] == "to" and not found["wide"]
    assert found["grid"] > 1000
    if count:
        assert found["name"] == NAMES[2]


def test_what_a_page_cannot_show(tmp_path):
    gan = made("unet")
    said = wrong(lambda: write(gan.generator, gan.condition, None, "normal", tmp_path / "x.html", "x"))
    assert "with Pairs" in said and not (tmp_path / "x.html").exists()


def test_operator_that_the_page_lacks(monkeypatch, tmp_path):
    gan = made("dense")
    monkeypatch.setattr(graph, "operators", lambda: {"Add"})
    said = wrong(lambda: write(gan.generator, gan.condition, 8, "normal", tmp_path / "x.html", "x"))
    assert "The page cannot compute" in said and "Tanh" in said and not (tmp_path / "x.html").exists()


@pytest.mark.parametrize(
    "node, said",
    [
        ({"op": "Resize", "inputs": ["x"], "attributes": {"mode": "cubic"}}, "Resize with mode=cubic"),
        ({"op": "MaxPool", "inputs": ["x"], "attributes": {"ceil_mode": 1, "kernel_shape": [2, 2]}}, "ceil_mode=1"),
        ({"op": "Conv", "inputs": ["x", "w"], "attributes": {"kernel_shape": [3]}}, "Conv over 1 axes"),
        ({"op": "Pad", "inputs": ["x", "p", "", "a"], "attributes": {}}, "Pad with axes"),
    ],
    ids=["cubic", "ceil", "series", "axes"],
)
def test_attributes_that_the_page_lacks(node, said):
    assert said in wrong(lambda: graph._check(node))
    graph._check({"op": "Resize", "inputs": ["x"], "attributes": {"mode": "linear"}})


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
def test_nearest_pixels_as_tensorflow_takes_them():
    """Four pixels doubled, by TensorFlow's rule and by half pixels rounded down, computed by hand."""
    script = (
        graph.ENGINE.read_text("utf-8")
        + """
    const x = { shape: [1, 1, 1, 4], data: Float32Array.of(0, 1, 2, 3) };
    const sizes = { shape: [4], data: Int32Array.of(1, 1, 1, 8) };
    for (const kind of ["tf_half_pixel_for_nn", "half_pixel"]) {
      const made = resize([x, , , sizes], { nearest_mode: "floor", coordinate_transformation_mode: kind });
      console.log(Array.from(made.data).join(""));
    }
    """
    )
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True)
    assert done.stdout.split() == ["00112233", "00011223"], done.stderr


def test_command_line(tmp_path):
    call_kgan("train", "digits", "--set", "epochs=1", "--out", "run", cwd=tmp_path)
    assert "view.html: " in call_kgan("view", "run", cwd=tmp_path)
    assert "<title>run</title>" in (tmp_path / "run" / "view.html").read_text("utf-8")
    assert "there is no folder" in call_kgan("view", "run", "-o", "x/y.html", cwd=tmp_path, code=2)
