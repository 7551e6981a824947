"""The loader, the schema, and the shipped recipes."""

import json
import re

import jsonschema
import keras
import numpy as np
import pytest
import yaml
from rich.console import Console

import kgan
from kgan.runner import auto, loader, recipes, resolved, run, schema
from kgan.runner.errors import RecipeError
from tests.helpers import cases, largest_difference, state
from tests.recipe_helpers import GOOD, check, complaint

DECAY = "{name: cosine_decay, initial_learning_rate: 1e-2, decay_steps: 8}"


def test_defaults_are_those_of_the_code():
    recipe = check(GOOD)
    assert recipe.discriminator.dropout == 0.2 and recipe.discriminator.slope == 0.2
    assert recipe.generator.units == [16] and recipe.generator.momentum == 0.1
    assert recipe.loss.name == "non_saturating" and recipe.schedule.name == "simultaneous"
    assert recipe.optimizers.discriminator.name == "adam" and recipe.optimizers.discriminator.learning_rate == 0.001


def test_a_resolved_recipe_says_the_same():
    recipe = check(GOOD + "schedule: {name: alternating, d_steps: 3}\npenalties: [r1]\n")
    resolved = recipes.dump(recipe.model_dump(mode="json"))
    assert check(resolved).model_dump(mode="json") == recipe.model_dump(mode="json")
    assert "d_steps: 3" in resolved and "weight: 10.0" in resolved


TOOLBOX = """\
data: {name: digits, batch_size: 32}
generator: {name: dense, units: [16]}
discriminator: {name: dense, units: [16], spectral_norm: true, minibatch_std: true}
pack: 2
loss: {name: non_saturating, smoothing: 0.1}
penalties: [{name: r1, every: 4}, {name: r2, every: 4}, {name: dragan, every: 2}, drift]
tricks: [{name: weight_clip, bound: 0.5}, label_flip, {name: instance_noise, std: 0.1, steps: 1000}]
jit_compile: false
steps: 3
"""


@pytest.mark.usefixtures("eagerly")
def test_a_recipe_can_name_the_whole_toolbox(tmp_path):
    path = tmp_path / "toolbox.yaml"
    path.write_text(TOOLBOX)
    given = recipes.read(path)
    directory = run.train(schema.validate(given), given, tmp_path / "run", Console(quiet=True))
    gan = kgan.load(next((directory / "checkpoints").iterdir()))
    clip, flip, noise = gan.rules.tricks
    assert (clip.bound, flip.probability) == (0.5, 0.05)
    assert (noise.std, noise.steps) == (0.1, 1000) and gan.loss.smoothing == 0.1
    assert [(penalty.name, penalty.every) for penalty in gan.rules.penalties] == [
        ("r1", 4),
        ("r2", 4),
        ("dragan", 2),
        ("drift", 1),
    ]
    assert gan.pack == 2 and gan.discriminator.input_shape == (None, 8, 8, 2)
    assert sum("u" in weight.name for weight in gan.discriminator.non_trainable_weights) == 2


@pytest.mark.longer
@pytest.mark.parametrize(
    "generator, discriminator",
    [
        (
            "{name: resnet, filters: 8, attention: 4, normalization: null}",
            "{name: r3gan, widths: [8, 4], group_width: 8}",
        ),
        pytest.param(
            "{name: r3gan, widths: 8, group_width: 8}",
            "{name: resnet, filters: 8, attention: 4, pooling: mean, spectral_norm: true}",
            marks=pytest.mark.slow,
        ),
    ],
)
@pytest.mark.usefixtures("eagerly")
def test_a_recipe_can_name_architectures(generator, discriminator, tmp_path, caplog):
    """And a run that was stopped after one of two epochs ends with the same weights, bit for bit."""
    path = tmp_path / "players.yaml"
    players = f"generator: {generator}\ndiscriminator: {discriminator}\n"
    data = "data: {name: digits, batch_size: 16, limit: 16}\n"
    path.write_text(f"{data}{players}penalties: [r1]\nema: 0.9\njit_compile: false\nepochs: 2\n")
    for name, settings in (("whole", []), ("parts", ["epochs=1"]), ("parts", [])):
        given = recipes.read(path)
        recipes.override(given, settings)
        run.train(schema.validate(given), given, tmp_path / name, Console(quiet=True), resume=True, changed=True)
    assert caplog.text.count("Resuming from") == 1
    whole, parts = (kgan.load(tmp_path / name / "checkpoints" / "epoch-0002") for name in ("whole", "parts"))
    assert int(whole.d_opt.iterations) == 2
    assert largest_difference(state(whole), state(parts)) == 0.0


@pytest.mark.parametrize(
    "text, value",
    [("1e-3", 1e-3), ("1e3", 1e3), ("no", "no"), ("1:30", "1:30"), ("0x1f", "0x1f"), ("010", 10), ("~", None), ("'1'", "1"),
     (".5", 0.5), ("-.inf", float("-inf")), ("true", True), ("2024-01-01", "2024-01-01"), ("+7", 7), ("1_000", "1_000")],
)  # fmt: skip
def test_scalars_are_read_as_yaml_1_2(text, value):
    read = loader.load(f"x: {text}", "x")[0]["x"]
    assert read == value and type(read) is type(value)


def test_bombs_are_refused():
    aliases = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    for before, name in zip("abcdef", "bcdefg", strict=True):
        aliases += f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
    for bomb in (aliases, "[" * 30 + "]" * 30, "x: &x [*x]", "a: " + "1" * 2_000_000):
        with pytest.raises(RecipeError, match="too large, too deep|not YAML|longer than"):
            loader.load(bomb, "bomb.yaml")


def test_set():
    recipe = check(
        GOOD, ["epochs=7", "discriminator.dropout=0.5", "loss=hinge", "generator.units=[8, 9]", "penalties=[r1]"]
    )
    assert (recipe.epochs, recipe.discriminator.dropout, recipe.loss.name) == (7, 0.5, "hinge")
    assert recipe.generator.units == [8, 9]
    recipe = check(GOOD + "penalties: [r1]\n", ["penalties.0.weight=3", "optimizers.generator.learning_rate=1e-4"])
    assert recipe.penalties[0].weight == 3 and recipe.optimizers.generator.learning_rate == 1e-4
    assert "'epochs' must read key.path=value" in complaint(GOOD, ["epochs"])
    assert "epochs: must be a valid integer, not {'x': 3}" in complaint(GOOD, ["epochs.x=3"])
    assert "has no key 'x' to set" in complaint(GOOD, ["generator.units.x=3"])
    ramp = ["ema.name=linear", "ema.start=0.5", "ema.end=0.9", "ema.steps=4"]
    assert check(GOOD + "ema: 0.9\n", ramp).ema.end == 0.9


@pytest.mark.parametrize("name", recipes.shipped())
def test_shipped_recipes(name):
    given = recipes.read(name)
    assert auto.settle(given).name == name
    assert 15 <= len(given.text.splitlines()) <= 35
    assert given.text.startswith("# ") and recipes.shipped()[name]


def test_the_loader_agrees_with_pyyaml_on_the_shipped_recipes():
    for name in recipes.shipped():
        given = recipes.read(name)
        plain = yaml.safe_load(re.sub(r"(?<=\d)e-", ".0e-", given.text))
        assert {key: given.data[key] for key in plain} == plain


def test_the_json_schema_takes_what_the_checks_take():
    editor = jsonschema.Draft202012Validator(auto.json_schema())
    for name in recipes.shipped():
        text = recipes.read(name).text
        editor.validate(loader.load(text, name)[0])
    editor.validate(check(GOOD + "loss: hinge\n", ["data={path: here, size: [64, 48]}"]).model_dump(mode="json"))
    decaying = check(GOOD, [f"optimizers={{generator: {{name: adam, learning_rate: {DECAY}}}}}"])
    editor.validate(decaying.model_dump(mode="json"))


def test_a_rate_that_decays(tmp_path):
    """By a cosine, one player's: after 4 of 8 steps half of it is left."""
    given = recipes.read("digits")
    settings = ["steps=4", "callbacks=[]", f"optimizers.generator.learning_rate={DECAY}"]
    recipes.override(given, settings)
    directory = run.train(schema.validate(given), given, tmp_path / "run", Console(quiet=True))
    gan = kgan.load(next((directory / "checkpoints").iterdir()))
    rates = [float(keras.ops.convert_to_numpy(optimizer.learning_rate)) for optimizer in (gan.d_opt, gan.g_opt)]
    np.testing.assert_allclose(rates, [1e-3, 5e-3], rtol=1e-5)
    resolved = schema.validate(recipes.read(directory / "resolved.yaml"))
    assert resolved.optimizers.generator == schema.validate(given).optimizers.generator


def test_a_run_older_than_a_key_is_of_the_same_recipe(tmp_path):
    recipe = check(GOOD)
    lines = recipes.dump(resolved.resolved(recipe)).splitlines(keepends=True)
    (tmp_path / "resolved.yaml").write_text("".join(line for line in lines if not line.startswith("pack:")))
    resolved.check_same(recipe, tmp_path)
    with pytest.raises(RecipeError, match="pack: was 1, is now 2"):
        resolved.check_same(check(GOOD + "pack: 2\n"), tmp_path)


def test_all_paths_of_a_resolved_recipe():
    """Those of data, of networks that scores look through, and of a perceptual term."""
    data = {"path": None, "a": {"path": "x/a"}, "b": {"name": "mnist"}}
    recipe = {"data": data, "terms": [{"name": "perceptual", "model": "x/m.keras"}, {"name": "l1"}]}
    recipe["callbacks"] = [
        {"name": "score", "extractor": "raw"},
        {"name": "score", "extractor": "x/i.pth"},
        {"name": "track"},
    ]
    resolved.change_paths(recipe, str.upper)
    assert [data["a"]["path"], recipe["terms"][0]["model"]] == ["X/A", "X/M.KERAS"]
    assert [one.get("extractor") for one in recipe["callbacks"]] == ["raw", "X/I.PTH", None]


def test_the_length_is_given_once():
    assert check(GOOD, ["steps=5"]).epochs is None
    assert check(GOOD.replace("epochs", "steps"), ["epochs=5"]).steps is None


def test_what_was_set_is_blamed_on_the_command_line():
    assert complaint(GOOD, ["discriminator.dropout=x"]).startswith(
        "--set  discriminator.dropout: must be a valid number"
    )
    assert complaint(GOOD, ["discriminator={name: dense, droput: 1}"]).startswith(
        "--set  discriminator.droput: unknown"
    )
    assert complaint(GOOD, ["ema.name=linear"]).startswith("--set  ema.start: missing")


# one of each family of networks, data, schedules and conditions; the others differ in values that other tests see
FAMILIES = ["acgan", "combined", "cyclegan", "dcgan-periods", "digits", "gaussians-ring", "inpainting", "mnist", "outlines",
            "pacgan", "pictures", "pix2pix", "r3gan", "stacked-mnist", "super-resolution", "wgan-gp"]  # fmt: skip


@pytest.mark.longer
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", cases(FAMILIES, [name for name in recipes.shipped() if name not in FAMILIES]))
def test_every_shipped_recipe_trains(name, tmp_path):
    """Two steps of it, on noise of its data's shape where that is a download."""
    given = recipes.read(name)
    settings = ["steps=2", "jit_compile=false"]
    source = given.data["data"].get("name")
    if source not in ("digits", "grid", "ring"):
        grey = source in ("mnist", "fashion_mnist", "stacked_mnist") or name == "outlines"
        shape = (28, 28) if grey else (32, 32, 3)
        noise = np.random.default_rng(0).integers(0, 255, (20, *shape), "uint8")
        np.savez(tmp_path / "noise.npz", images=noise, labels=np.arange(20) % 10, a=noise[..., :1], b=noise)
        places = ("data.a", "data.b") if name == "outlines" else ("data",)
        settings += [f"{place}.path={tmp_path / 'noise.npz'}" for place in places] + ["data.batch_size=10"]
        settings += ["data.samples=200"] if name in ("pacgan", "stacked-mnist") else []
        if "validation" in given.data["data"]:
            settings += ["data.validation=null"]
        if name == "super-resolution":
            settings += ["generator.blocks=1", "generator.filters=8"]
        if name == "cyclegan":
            small = ["size=32", "resize=36", "channels=3"]
            settings += [f"data.{one}" for one in small] + ["generator.filters=4", "generator.blocks=1"]
            settings += ["discriminator.filters=4", "discriminator.receptive_field=34"]
        if name == "pix2pix":
            settings += ["data.size=32", "data.resize=36", "data.direction=a_to_b", "generator.filters=4"]
        # a classifier of noise would have to be trained first
        for place, one in enumerate(given.data["callbacks"]):
            if one["name"] == "score":
                few = ("samples=20", "extractor=raw", "metric=precision_recall")
                settings += [f"callbacks.{place}.{setting}" for setting in few]
    recipes.override(given, settings)
    directory = run.train(auto.settle(given), given, tmp_path / "run", Console(quiet=True))
    logs = [json.loads(line) for line in (directory / "log.jsonl").read_text().splitlines()]
    assert np.isfinite(logs[-1]["d_loss"]) and (directory / "generator.keras").is_file()
    about = json.loads((directory / "environment.json").read_text())["data"]
    shape = about.get("b", about)["shape"]  # of two domains the second
    assert shape[1:] in ([28, 28, 1], [28, 28, 3], [32, 32, 3], [36, 36, 3], [8, 8, 1], [2])


def test_a_run_of_steps_ends_at_that_step(tmp_path):
    """Also in the middle of an epoch, of which Keras runs several steps at once."""
    given = recipes.read("digits")
    recipes.override(
        given, ["steps=33", "callbacks=[{name: checkpoint, every: 1 epoch}, {name: image_grid, every: 4 steps}]"]
    )
    directory = run.train(schema.validate(given), given, tmp_path / "run", Console(quiet=True))
    gan = kgan.load(directory / "checkpoints" / "step-000033")
    assert int(gan.d_opt.iterations) == 33
    # four steps at once, but for the last one of an epoch of 29; the second epoch is counted from there
    steps = [int(path.stem.split("-")[1]) for path in sorted((directory / "samples").glob("*.png"))]
    assert steps == [4, 8, 12, 16, 20, 24, 28, 33]
