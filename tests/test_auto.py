"""Keys that a recipe leaves to the data."""

import jsonschema
import numpy as np
import pytest
from PIL import Image

from kgan.runner import auto, loader, recipes
from kgan.runner.errors import RecipeError
from tests.command_line import call_kgan

FACTS = auto.Facts(count=3419, side=64, classes=0, accelerator=False, batch=32)
TEXT = """\
data: {path: pictures, size: auto, batch_size: auto, flip: auto}
generator: {name: dcgan, filters: {name: auto}}
discriminator: {name: dcgan, filters: auto}
penalties: [drift, {name: r1, weight: auto}]
augment: auto
ema: auto
num_classes: auto
optimizers:
  generator: {learning_rate: {name: linear, start: 1e-3, end: 1e-4, steps: auto}}
steps: auto
callbacks: [{name: score, extractor: auto}]
"""


def settle(text, settings=(), directory=None):
    data, places = loader.load(text, "recipe.yaml")
    given = recipes.Given(text, {"name": "recipe", **data}, places, "recipe.yaml")
    recipes.override(given, settings)
    return auto.settle(given, directory), given


def pictures(folder, sizes, classes=("",)):
    """Folders of pictures of noise, `sizes` of (width, height)."""
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number, (width, height) in enumerate(sizes):
            noise = rng.integers(0, 255, (height, width, 3), "uint8")
            Image.fromarray(noise).save(folder / name / f"{number}.png")
    return folder


@pytest.mark.parametrize(
    "side, accelerator, expected",
    [(8, False, 32), (32, False, 32), (51, False, 32), (52, False, 64), (1080, False, 64), (64, True, 64), (103, True, 128),
     (102, True, 64), (4000, True, 256)],
)  # fmt: skip
def test_size(side, accelerator, expected):
    assert auto.size(auto.Facts(100, side, 0, accelerator)) == expected


def test_the_median_of_two_sizes(tmp_path):
    folder = pictures(tmp_path / "mine", [(300, 301), (310, 303)])
    assert auto._of_folder(folder) == (2, 302, 0)
    assert type(auto._of_folder(folder)[1]) is int


@pytest.mark.parametrize(
    "count, side, accelerator, expected",
    [(3419, 64, False, 16), (3419, 64, True, 32), (3419, 256, True, 16), (30, 64, False, 8), (1, 64, True, 1)],
)
def test_batch_size(count, side, accelerator, expected):
    assert auto.batch_size(auto.Facts(count, side, 0, accelerator)) == expected


def test_the_weight_of_r1_follows_pixels_and_batch():
    weights = [auto.r1_weight(auto.Facts(100, side, 0, False, batch)) for side, batch in ((32, 32), (64, 32), (64, 16))]
    assert weights == [1.0, 4.0, 8.0]


@pytest.mark.parametrize("count, accelerator, expected", [(300, False, True), (3419, False, False), (3419, True, True)])
def test_few_pictures_are_augmented(count, accelerator, expected):
    assert (auto.augment(auto.Facts(count, 64, 0, accelerator)) == {"name": "ada"}) is expected
    assert auto.augment(auto.Facts(60_000, 64, 0, accelerator)) is None


def test_the_half_life_of_the_average():
    """After 10,000 images the weight of what was there is a half, in batches of any size."""
    for batch in (4, 16, 64):
        decay = auto.ema(auto.Facts(100, 64, 0, False, batch))
        np.testing.assert_allclose(decay ** (10_000 / batch), 0.5, rtol=0.02)


def test_a_rule_uses_what_the_recipe_says_itself(tmp_path):
    folder = pictures(tmp_path / "mine", [(70, 100)] * 12)
    checked, given = settle(TEXT, [f"data.path={folder}", "data.batch_size=4", "data.size=32", "epochs=7"])
    assert (checked.data.batch_size, checked.data.size, checked.epochs, checked.steps) == (4, 32, 7, None)
    assert checked.penalties[1].weight == auto.r1_weight(auto.replace(FACTS, side=32, batch=4))
    assert checked.optimizers.generator.learning_rate.steps == 7 * 12 // 4
    assert ("data", "size") not in given.chosen and given.chosen["ema",] == checked.ema


def test_what_is_chosen_for_a_folder(tmp_path):
    folder = pictures(tmp_path / "mine", [(1170, 2532), (70, 60), (80, 90), (1000, 90), (300, 64)], ("cats", "dogs"))
    (folder / "cats" / "notes.txt").write_text("not a picture")
    checked, given = settle(TEXT, [f"data.path={folder}"])
    assert (checked.data.size, checked.num_classes) == (64, 2)  # 80 is in the middle of 60, 64, 80, 90, 1170
    assert checked.data.flip is False and "data.flip=true" in auto.line(given.chosen)
    assert checked.steps == checked.optimizers.generator.learning_rate.steps
    assert checked.callbacks[0].extractor == "auto"  # a name of its own, and no key that is left to the data
    alone, _ = settle(TEXT, [f"data.path={pictures(tmp_path / 'flat', [(40, 40)] * 3)}"])
    assert (alone.data.size, alone.num_classes) == (32, None)


def test_an_array_and_a_named_data_set(tmp_path):
    np.savez(tmp_path / "x.npz", images=np.zeros((50, 32, 48, 3), "uint8"), labels=np.arange(50) % 5)
    checked, _ = settle(TEXT, [f"data.path={tmp_path / 'x.npz'}"])
    assert (checked.data.size, checked.data.batch_size, checked.num_classes) == (32, 13, 5)
    digits, _ = settle(TEXT.replace("path: pictures, ", "name: digits, "))
    assert (digits.data.size, digits.num_classes) == (32, 10)


def test_what_cannot_be_auto_is_said():
    with pytest.raises(RecipeError, match=r"recipe.yaml:4:\d+  penalties\[0\].*cannot be auto; .* are data.size"):
        settle(TEXT.replace("[drift,", "[{name: auto},"))
    with pytest.raises(RecipeError, match="latent_dim: .*not 'auto'"):
        settle(TEXT + "latent_dim: auto\n")
    with pytest.raises(RecipeError, match="loss: unknown name"):  # although keys are left open, all others are checked
        settle(TEXT + "loss: hnge\n")


@pytest.mark.parametrize(
    "wrong",
    ["data: {path: x, size: [64, x]}", "data: {path: x, batch_size: 0}", "data: 3", "", "data: {path: x, size: 0}"],
)
def test_what_else_is_wrong_is_said_and_no_traceback(wrong):
    rest = TEXT.split("\n", 1)[1]
    with pytest.raises(RecipeError, match="data"):
        settle(f"{wrong}\n{rest}")


def test_resuming_the_run_of_another_recipe(tmp_path):
    """It has no such keys; the rules choose, and the check of the recipe says what differs."""
    (tmp_path / "resolved.yaml").write_text("generator: {name: dense}\npenalties: []\nema: 0.5\n")
    checked, _ = settle(TEXT, directory=tmp_path)
    assert checked.ema == 0.5 and checked.generator.filters == auto.g_filters(FACTS)


def test_the_schema_takes_auto_where_there_is_a_rule():
    editor = jsonschema.Draft202012Validator(auto.json_schema())
    editor.validate(loader.load(TEXT, "recipe.yaml")[0])
    for wrong in ("latent_dim: auto", "seed: {name: auto}", "loss: auto"):
        assert not editor.is_valid(loader.load(f"{TEXT}{wrong}\n", "recipe.yaml")[0]), wrong


@pytest.mark.usefixtures("eagerly")
def test_a_resumed_run_keeps_what_was_chosen(tmp_path, caplog):
    """Although there are more and larger pictures by then; the line says once what was chosen."""
    folder = pictures(tmp_path / "mine", [(36, 36)] * 40)
    settings = ["steps=2", "latent_dim=4", "generator.filters=4", "discriminator.filters=4", "jit_compile=false"]
    arguments = [word for one in [f"data.path={folder}", *settings, "callbacks=[]"] for word in ("--set", one)]
    said = call_kgan("train", "pictures", "--out", "mine-run", *arguments, cwd=tmp_path)
    assert "chosen: size 32, batch_size 10" in said and "filters" not in said
    before = (tmp_path / "mine-run" / "resolved.yaml").read_text()
    assert "size: 32" in before and "auto" not in before.replace("jit_compile: auto", "")
    pictures(folder, [(90, 90)] * 60)
    arguments[arguments.index("steps=2")] = "steps=3"
    said = call_kgan("train", "pictures", "--out", "mine-run", *arguments, "--resume", "--allow-changes", cwd=tmp_path)
    assert "Resuming from" in caplog.text and "chosen" not in said
    after = (tmp_path / "mine-run" / "resolved.yaml").read_text()
    assert before.replace("steps: 2\n", "steps: 3\n") == after
    shown = " ".join(
        call_kgan("show", "pictures", "--set", f"data.path={folder}", cwd=tmp_path).split()
    )  # wrapped anywhere
    assert "size: 64," in shown and "batch_size: 15" in shown
