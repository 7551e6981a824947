"""The command line as a person uses it: real processes, real files."""

import json
import os
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan import terms
from kgan.runner import plugins
from tests.brought import brings
from tests.command_line import KGAN, ROOT, call_kgan, run_kgan
from tests.helpers import compiled, small_discriminator, small_gan, small_generator

TINY = ["--set", "epochs=2", "--set", "generator.units=[8]", "--set", "discriminator.units=[8]",
        "--set", "callbacks=[{name: image_grid, rows: 2, columns: 2}, checkpoint, loss_plot]"]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    said = run_kgan("train", "digits", *TINY, cwd=folder)
    assert (
        "digits: 1,797 images of 8 x 8 x 1" in said
        and "digits  epoch 2/2  step 29/29" in said
        and "runs/digits-0001" in said
    )
    at_once = 1 if keras.backend.backend() == "torch" else 20
    assert re.search(rf" on .*, \S+ (on|off), {at_once} steps? at once, 0.11 MiB of data in memory", said)
    return folder / "runs" / "digits-0001"


def test_a_run_leaves_everything(run):
    wanted = {"recipe.yaml", "resolved.yaml", "environment.json", "log.jsonl", "samples", "checkpoints", "losses.png",
              "findings.jsonl", "real.png", "report.html"}  # fmt: skip
    assert wanted | {"generator.keras"} == {path.name for path in run.iterdir()}
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2] and "r1" in rows[0]
    environment = json.loads((run / "environment.json").read_text())
    assert environment["versions"]["keras"] and environment["backend"]
    assert sorted(path.name for path in (run / "samples").iterdir()) == [
        "epoch-0001.png",
        "epoch-0002.png",
        "training.gif",
    ]


@pytest.mark.longer
def test_resolved_yaml_alone_repeats_the_run(run, tmp_path):
    call_kgan("train", run / "resolved.yaml", "--out", tmp_path / "again", cwd=tmp_path)
    for one in ("samples/epoch-0002.png", "resolved.yaml"):
        assert (tmp_path / "again" / one).read_bytes() == (run / one).read_bytes()
    logs = [(folder / "log.jsonl").read_text().splitlines() for folder in (run, tmp_path / "again")]
    for first, second in zip(*logs, strict=True):
        first, second = json.loads(first), json.loads(second)
        del first["seconds"], second["seconds"]
        assert first == second


def test_runs_are_numbered_and_never_overwritten(run, call):
    assert "digits-0002" in call("train", "digits", *TINY, "--set", "epochs=1", cwd=run.parent.parent)
    said = call("train", "digits", *TINY, "--out", run, code=2)
    assert "exists and is not an empty folder" in said


def test_sample(run, tmp_path, call):
    run_kgan("sample", run, "-n", 10, "-o", tmp_path / "x.npy", "--seed", 3, cwd=tmp_path)
    images = np.load(tmp_path / "x.npy", allow_pickle=False)
    assert images.shape == (10, 8, 8, 1) and images.dtype == np.float32 and np.abs(images).max() <= 1
    call("sample", run / "generator.keras", "-n", 10, "-o", "y.npy", "--seed", 3)
    np.testing.assert_array_equal(images, np.load(tmp_path / "y.npy"))


def test_sample_of_a_whole_gan(tmp_path, call):
    gan = compiled(small_gan(latents="uniform"))
    gan.save(tmp_path / "gan.keras")
    call("sample", "gan.keras", "-n", 5, "-o", "x.npy", "--seed", 3)
    np.testing.assert_allclose(np.load("x.npy"), gan.generate(5, seed=3), rtol=1e-4, atol=1e-5)


def saved(shape, path):
    generator, discriminator = (lambda: small_generator(shape)), (lambda: small_discriminator(shape))
    small_gan(generator=generator, discriminator=discriminator).save(path)


@brings("models", "`kgan sample` of a generator of images with opacity", "PNG files with opacity, grids on white")
def test_sample_of_images_with_opacity(tmp_path, call):
    saved((8, 8, 4), tmp_path / "gan.keras")
    call("sample", "gan.keras", "-n", 3, "-o", "x.npy")
    made = np.load(tmp_path / "x.npy")
    call("sample", "gan.keras", "-n", 3, "-o", "folder/")
    with Image.open(tmp_path / "folder" / "000002.png") as picture:
        assert picture.mode == "RGBA"
        np.testing.assert_array_equal(np.asarray(picture), np.rint(made[2] * 127.5 + 127.5))
    call("sample", "gan.keras", "-n", 4, "-o", "grid.png")
    with Image.open(tmp_path / "grid.png") as picture:
        assert (picture.mode, picture.size) == ("RGB", (70, 70))


@brings(
    "models", "`kgan sample` of a generator of five bands, of series, of tables", "an .npy file; others are refused"
)
@pytest.mark.parametrize("shape", [(8, 8, 5), (20, 3), (7,)])
def test_sample_of_what_cannot_be_drawn(tmp_path, call, shape):
    saved(shape, tmp_path / "gan.keras")
    for out in ("grid.png", "walk.gif", "new/folder/"):
        said = call("sample", "gan.keras", "-n", 3, "-o", out, code=2)
        assert "cannot be written, but an .npy file can. Only images" in said and f"of shape {shape}" in said
    call("sample", "gan.keras", "-n", 3, "-o", "x.npy")
    assert np.load(tmp_path / "x.npy").shape == (3, *shape)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gan.keras", "x.npy"]


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    def __init__(self, units=64, **kwargs):
        super().__init__(**kwargs)
        self.dense, self.shaped = keras.layers.Dense(units, activation="tanh"), keras.layers.Reshape((8, 8, 1))

    def call(self, inputs):
        return self.shaped(self.dense(inputs))

    def get_config(self):
        return {"units": 64}


def test_sample_of_a_subclassed_generator(tmp_path, call):
    gan = small_gan(generator=Subclassed)
    gan.save(tmp_path / "gan.keras")
    call("sample", "gan.keras", "-n", 2, "--seed", 4, "-o", "x.npy")
    np.testing.assert_allclose(np.load(tmp_path / "x.npy"), gan.generate(2, seed=4), atol=1e-6)


def test_sample_as_pictures(run, tmp_path, call):
    call("sample", run, "-n", 9, "-o", "deep/grid.png")
    with Image.open(tmp_path / "deep" / "grid.png") as grid:
        assert grid.size == (104, 104)
    call("sample", run, "-n", 3, "-o", "folder/", "--seed", 3)
    files = sorted((tmp_path / "folder").iterdir())
    assert [file.name for file in files] == ["000000.png", "000001.png", "000002.png"]
    call("sample", run, "-n", 3, "-o", "x.npy", "--seed", 3)
    with Image.open(files[2]) as image:
        np.testing.assert_array_equal(np.asarray(image), np.rint(np.load("x.npy")[2, ..., 0] * 127.5 + 127.5))
    assert "72 frames of 4 images in walk.gif" in call("sample", run, "-n", 4, "-o", "walk.gif")
    with Image.open("walk.gif") as film:
        assert film.n_frames == 72 and film.size == (70, 70)
        frames = [np.asarray(film.convert("L"), "float32") for index in range(72) if film.seek(index) is None]
    steps = [np.abs(a - b).mean() for a, b in zip(frames, frames[1:] + frames[:1], strict=True)]
    assert 0 < max(steps) < 4 * np.median(steps)  # no jump, at the end of the walk neither


def test_a_dry_run_says_what_to_expect_and_writes_nothing(tmp_path, call):
    said = call("train", "digits", "--dry-run", "--out", "here")
    for expected in ("generator      54,720 parameters", "discriminator  49,665 parameters", "11,600, 29 of them an epoch",
                     "d_loss", "MiB so far", "ms a step", "a checkpoint"):  # fmt: skip
        assert expected in said
    assert not list(tmp_path.iterdir())


def test_list_show_and_schema(call):
    said = call("list")
    assert all(name in said for name in ("digits", "dense-alternating", "gaussians-ring"))
    shown = call("show", "digits", "--set", "ema=0.5")
    assert "ema: 0.5" in shown and "slope: 0.2" in shown
    assert json.loads(call("schema"))["properties"]["seed"]["default"] == 0
    assert "train" in call("--help")


def test_recipes_are_completed_by_the_shell(tmp_path):
    (tmp_path / "dense-mine.yaml").touch()
    asked = {"_KGAN_COMPLETE": "complete_bash", "COMP_WORDS": "kgan train de", "COMP_CWORD": "2"}
    command = [sys.executable, "-c", "import sys; sys.argv[0] = 'kgan'; from kgan.cli import main; main()"]
    said = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, **asked}).stdout
    assert sorted(said.split()) == ["dense", "dense-alternating", "dense-mine.yaml", "dense-saturating"]


@pytest.mark.slow
def test_a_folder_of_two_hundred_pictures(tmp_path, call):
    """Mixed sizes and modes, broken files among them; one key of the recipe is changed."""
    draw = np.random.default_rng(0)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(200):
        size, mode = draw.integers(20, 90, 2), ("RGB", "L", "RGBA", "P", "CMYK")[index % 5]
        pixels = draw.integers(0, 255, (*size, 4)).astype("uint8")
        ending = "jpg" if mode in ("CMYK", "RGB") else "png"
        Image.fromarray(pixels).convert(mode).save(folder / f"{index:03d}.{ending}")
    for index in range(0, 200, 20):
        path = next(folder.glob(f"{index:03d}.*"))
        path.write_bytes(path.read_bytes()[:150])
    (folder / "readme.txt").write_text("not a picture")
    (folder / "empty.png").touch()
    said = call("train", "dcgan", "--set", "data.path=pictures", "--set", "data.size=16", "--set", "steps=2",
                "--set", "data.batch_size=32", "--set", "generator.filters=4", "--out", "run")  # fmt: skip
    assert "pictures: 190 images of 16 x 16 x 3; skipped 12 files: " in said
    assert "1 empty ('empty.png')" in said and "1 not a picture ('readme.txt')" in said
    environment = json.loads((tmp_path / "run" / "environment.json").read_text())
    assert sum(map(len, environment["data"]["skipped"].values())) == 12
    assert (tmp_path / "run" / "generator.keras").is_file()


def test_no_network_is_no_mistake_of_the_recipe(call, keras_home, tmp_path):
    said = call("train", "dcgan", code=1)
    assert "no network here" in said and "--set data.path=" in said and "kgan train digits" in said
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["train", "digit"], "digit  no such recipe. Did you mean 'digits'?"),
        (["train", "nowhere.yaml"], "nowhere.yaml  cannot be read: No such file"),
        (["train", "."], ".  no such recipe"),
        (
            ["train", "digits", "--set", "discriminator.droput=1"],
            "--set  discriminator.droput: unknown key, did you mean",
        ),
        (
            ["train", "digits", "--set", "discriminator.dropout=5.0"],
            "--set  discriminator.dropout: must be less than 1",
        ),
        (["train", "digits", "--set", "seed"], "--set  'seed' must read key.path=value"),
        (
            ["train", "digits", "--set", "generator=dcgan", "--set", "generator.kernel_size=0"],
            "--set  generator.kernel_size: must be",
        ),
        (["train", "digits", "--set", "data.path=nowhere"], "--set  data.path: there is no file or folder nowhere"),
        (["train", "digits", "--out", "/proc/nothing"], "--out  /proc/nothing cannot be made"),
        (["trian", "digits"], "trian"),
        (["train", "digits", "--epochs", "3"], "No such option"),
        (["sample", "nothing", "-o", "x.npy"], "nothing is not a run directory"),
        (["sample", "nothing", "-n", "0", "-o", "x.npy"], "Invalid value for '-n'"),
    ],
)
def test_mistakes_end_in_a_sentence_and_exit_code_2(tmp_path, call, arguments, expected):
    assert expected in call(*arguments, code=2)
    assert not list(tmp_path.iterdir())


def test_wrong_samples(run, tmp_path, call):
    assert "must end in .npy, .png or .gif, or be a folder. Received: x.txt" in call(
        "sample", run, "-o", "x.txt", code=2
    )
    (tmp_path / "file").write_text("x")
    assert "file is a file" in call("sample", run, "-o", "file", code=2)
    (tmp_path / "broken.keras").write_bytes(b"PK")
    assert "broken.keras does not contain a generator" in call("sample", "broken.keras", "-o", "x.npy", code=2)
    assert not (tmp_path / "x.npy").exists()


@pytest.mark.longer
@pytest.mark.parametrize(
    ("set_before", "used"), [({}, "1"), pytest.param({"TF_ENABLE_ONEDNN_OPTS": "0"}, "0", marks=pytest.mark.slow)]
)
def test_onednn_is_on_unless_it_was_turned_off(tmp_path, set_before, used):
    """A plugin is read when the engine is loaded already, so what it finds is what the engine found."""
    plugin = tmp_path / "mine.py"
    plugin.write_text("import os\nprint('oneDNN', os.environ['TF_ENABLE_ONEDNN_OPTS'])\n")
    without = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    done = subprocess.run(
        [*KGAN, "show", "digits", "--plugin", str(plugin)], env=without | set_before, capture_output=True, text=True
    )
    assert f"oneDNN {used}" in done.stdout


def test_the_doctor_and_the_report_of_a_run(run, tmp_path, call):
    """The run of the fixture had the doctor, which wrote its file also without a finding."""
    assert (run / "findings.jsonl").read_text() == ""
    assert "Nothing found, of" in call("doctor", run)
    assert call("doctor", run, "--json").strip() == "[]"
    said = call("report", run, "-o", tmp_path / "report.html")
    assert re.search(r"report.html: [\d,]+ kB", said)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "The doctor found nothing, of" in page and "generator.units" in page and "epoch-0002" in page


@pytest.mark.longer
def test_the_doctor_afterwards(tmp_path, call):
    """Of a run without it, whose log ends in the middle of a line: it loads the data and the newest checkpoint."""
    sick = "optimizers.discriminator.learning_rate=1e-7", "optimizers.generator.learning_rate=0.01"
    settings = [word for one in ("epochs=20", *sick) for word in ("--set", one)]
    call(
        "train",
        "digits",
        "--no-doctor",
        *TINY[2:6],
        "--set",
        "callbacks=[checkpoint]",
        *settings,
        "--out",
        tmp_path / "sick",
    )
    assert not (tmp_path / "sick" / "findings.jsonl").exists()
    with (tmp_path / "sick" / "log.jsonl").open("a") as file:
        file.write('{"epoch": 21, "d_lo')
    found = json.loads(call("doctor", tmp_path / "sick", "--json"))
    assert "g-wins-with-garbage" in {one["id"] for one in found}


@pytest.mark.longer
def test_plugins(tmp_path):
    """In a process of its own: what a plugin defines is known from then on."""
    own_loss = ROOT / "docs" / "examples" / "own_loss.py"
    said = run_kgan(
        "train", "digits", *TINY, "--plugin", own_loss, "--set", "loss=pearson", "--out", "run", cwd=tmp_path
    )
    assert "Done" in said and "loss: {name: pearson}" in (tmp_path / "run" / "resolved.yaml").read_text()
    (tmp_path / "mine.py").write_text(
        "from kgan.architectures import dense\n"
        "def generator(image_shape, latent_dim, width: int = 8):\n"
        "    return dense.generator(image_shape, latent_dim, [width])\n"
        "def discriminator(image_shape):\n    return dense.discriminator(image_shape, [8])\n"
    )
    shown = run_kgan("show", "digits", "--plugin", "mine.py", "--set", "generator={name: mine}", cwd=tmp_path)
    assert "width: 8" in shown


OWN_PLAYERS = """
import keras
from keras import layers

class Unknown(layers.Layer):
    def call(self, inputs):
        return inputs

def generator(image_shape, latent_dim):
    return keras.Sequential([keras.Input((latent_dim,)), layers.Dense(64), Unknown(), layers.Reshape(image_shape)])

def discriminator(image_shape):
    convolution = layers.Conv2D(2, 3, padding="same", name="wide")
    return keras.Sequential([keras.Input(image_shape), convolution, layers.Flatten(), layers.Dense(1)])
"""


@pytest.mark.longer
def test_a_generator_that_could_not_be_loaded_is_refused_before_the_training(tmp_path, monkeypatch):
    """And players of a plugin have their channels last, whatever keras.json says."""
    (tmp_path / "keras.json").write_text('{"image_data_format": "channels_first"}')
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "mine.py").write_text(OWN_PLAYERS)
    own = ["--plugin", "mine.py", "--set", "generator={name: mine}", "--set", "discriminator={name: mine}"]
    said = run_kgan("train", "digits", *own, "--out", "run", cwd=tmp_path, code=2)
    assert "generator: The model cannot be saved" in said and "the class 'Unknown', which is not registered" in said
    assert "has them first" not in said and not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "code, expected",
    [
        (
            "x = 1",
            "defines no loss, schedule, penalty, term, trick, condition, augmentation, callback or architecture, and",
        ),
        ("from kgan.losses import Hinge", "and registers nothing with Keras"),
        ("import nowhere", "cannot be run: ModuleNotFoundError: No module named 'nowhere'"),
        ("import kgan\nclass Hinge(kgan.losses.AdversarialLoss):\n    pass", "the name hinge is taken already"),
        (None, "there is no file mine.py"),
    ],
)
def test_wrong_plugins(tmp_path, call, code, expected):
    if code:
        (tmp_path / "mine.py").write_text(code)
    assert expected in call("train", "digits", "--plugin", "mine.py", code=2)
    assert not (tmp_path / "runs").exists()


OWN = """
import keras, kgan

@keras.saving.register_keras_serializable("mine")
class Doubled(keras.layers.Layer):
    pass
"""
OWN_TERM = """
class AlwaysOne(kgan.terms.Term):
    def __call__(self, given, made, real):
        return keras.ops.ones_like(made[:, 0, 0, 0])
"""


def test_a_plugin_of_layers_alone_of_terms_and_one_that_is_loaded_again(tmp_path):
    (tmp_path / "mine.py").write_text(OWN)
    plugins.load(tmp_path / "mine.py")
    (tmp_path / "mine.py").write_text(OWN + OWN_TERM)
    try:
        for _ in range(2):
            plugins.load(tmp_path / "mine.py")
            assert terms.TERMS["always_one"].__name__ == "AlwaysOne"
        (tmp_path / "mine.py").write_text(OWN)
        plugins.load(tmp_path / "mine.py")
        assert "always_one" not in terms.TERMS
    finally:
        terms.TERMS.pop("always_one", None)


def test_an_engine_that_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "pytorch")
    said = run_kgan("env", cwd=tmp_path, code=2)
    assert said.startswith("KERAS_BACKEND  pytorch cannot be used: ") and "tensorflow, jax or torch" in said


@pytest.mark.parametrize("nonfinite", ["stop", "raise"])
def test_numbers_that_are_none_end_the_run(tmp_path, call, nonfinite):
    callbacks = f"callbacks=[{{name: checkpoint, every: 5 steps, nonfinite: {nonfinite}}}]"
    said = call("train", "digits", *TINY[2:6], "--set", "epochs=2", "--set", callbacks, "--out", "run",
                "--set", "optimizers.generator.learning_rate=1e38", code=1)  # fmt: skip
    assert ("nothing had been saved yet" in said) == (nonfinite == "stop")
    assert nonfinite == "stop" or "is not finite in epoch 1" in said
    assert not (tmp_path / "run" / "generator.keras").exists() and not list(
        (tmp_path / "run" / "checkpoints").iterdir()
    )


def test_version(call):
    assert call("--version") == f"kgan {kgan.__version__}\n"
