"""`--set`: text as it was typed, all else as YAML; and recipes whose files have any name."""

import pathlib
import random

import pydantic
import pytest
import yaml

from kgan.callbacks import ImageGrid
from kgan.callbacks.periodic import Periodic
from kgan.runner import build, key_types, loader, recipes, types
from kgan.runner.errors import RecipeError
from tests.brought import brings
from tests.recipe_helpers import GOOD, check, complaint

TEXTS = [
    "pictures #1/", "[old] cats", "cats: and dogs", "~", "1e3", "*.d", "yes", "0123", "trailing  ", " leading", "", "a=b",
    "{a}", "- a", "!x", "&a", "'quoted'", '"', "2020-01-01", ".inf", "null ", "a\tb", "a\nb", "\x85", "caf\udce9", "日本",
]  # fmt: skip


@brings(
    "pictures", "a folder with any name, such as `pictures #1/` or `[old] cats`", "`--set data.path=` takes it as typed"
)
@pytest.mark.parametrize("text", TEXTS)
def test_text_is_taken_as_it_was_typed(text):
    callbacks = "callbacks: [{name: score, metric: frechet_distance}, {name: checkpoint}]\n"
    keys = ["data.path", "data.split", "callbacks.0.extractor", "callbacks.1.monitor"]
    recipe = check(GOOD + callbacks, [f"{key}={text}" for key in keys])
    assert [recipe.data.path, recipe.data.split] == [text, text]
    assert [recipe.callbacks[0].extractor, recipe.callbacks[1].monitor] == [text, text]
    data = recipe.model_dump(mode="json")
    dumped = recipes.dump(data)
    dumped.encode()
    assert check(dumped).model_dump(mode="json") == data  # with the same text


def test_null_is_no_value_where_the_key_may_have_none():
    path = "data: {name: digits, path: mnist.npz}"
    assert check(GOOD.replace("data: {name: digits, batch_size: 32}", path), ["data.path=null"]).data.path is None
    assert check(GOOD, ["data.split=null"]).data.split == "null"  # the name of a folder


def test_what_is_not_text_is_yaml():
    checkpoint = GOOD + "callbacks: [{name: checkpoint}]\n"
    every = [check(checkpoint, [f"callbacks.0.every={one}"]).callbacks[0].every for one in ("5", "5 steps # five")]
    assert every == [5, "5 steps"]
    assert check(GOOD, ["loss=hinge # sharp", "data={path: '[old]'}", "ema=~"]).model_dump()["data"]["path"] == "[old]"
    assert "data.limit: must be a valid integer, not 'many'" in complaint(GOOD, ["data.limit=many"])
    assert "discriminator.droput: unknown key" in complaint(GOOD, ["discriminator.droput=0.1"])


class Notes(Periodic):
    """A callback as a plugin may define it."""

    place = "notes.txt"

    def __init__(
        self,
        folder: pathlib.Path = pathlib.Path(),
        also: "pathlib.Path | None" = None,
        names: list[str] = [],  # noqa: B006
        table: dict[str, str] | None = None,
        every: int | str = 1,
    ):
        super().__init__(every)


def test_keys_of_plugins():
    callback = types.named("callback", {"notes": Notes, "image_grid": ImageGrid}, usual="notes")
    model = pydantic.create_model("Few", __base__=types.Strict, callbacks=(list[callback], []))
    data = {"callbacks": [{"folder": "[a] #1", "also": "~", "names": ["a"], "table": {"a": "yes"}}]}
    kinds = {
        path: key_types.is_text(data, ("callbacks", 0, *path), model)
        for path in (
            ("folder",),
            ("also",),
            ("names",),
            ("names", 0),
            ("table", "a"),
            ("every",),
            ("rows",),
        )
    }
    text, text_or_none, other = (True, False), (True, True), False
    assert list(kinds.values())[:2] == [text, text_or_none]
    assert [kind[0] for kind in kinds.values()][2:] == [other, True, True, other, other]
    [checked] = model.model_validate(data).callbacks
    assert (checked.folder, checked.also) == (pathlib.Path("[a] #1"), pathlib.Path("~"))


@pytest.mark.parametrize(
    "file, name",
    [
        ("resolved (1)", "resolved-1"),
        ("my recipe!", "my recipe"),
        ("a\u0308", "ä"),
        ("..x", "x"),
        ("(", "recipe"),
        ("a" * 150, "a" * 100),
    ],
)
def test_a_recipe_has_a_name_whatever_its_file_has(tmp_path, call, file, name):
    (tmp_path / f"{file}.yaml").write_text(GOOD)
    given = recipes.read(str(tmp_path / f"{file}.yaml"))
    assert given.data["name"] == name == check(GOOD, [f"name={name}"]).name
    if file == "resolved (1)":
        said = call("show", f"{file}.yaml", "--set", "data.path=pictures #1/")
        shown = yaml.safe_load(said)
        assert shown["name"] == "resolved-1" and shown["data"]["path"] == "pictures #1/"
    assert "must be a name for a folder" in complaint(GOOD, ["name=resolved (1)"])


def test_any_text_that_is_written_is_read_again():
    draw = random.Random(1)
    characters = [*" \t\n#:[]{}&*!|>'\"%@`,-?~=0123eE.nul\\/ä\x85\u2028\xa0\ufeff\x00\x1b\r\udce9"]
    for length in (3, 30, 300):
        for _ in range(100):
            text = "".join(draw.choices(characters, k=length))
            data = {"a": {"path": text}, "b": [text, {"c": text}]}
            assert loader.load(recipes.dump(data), "x")[0] == data


def test_a_folder_that_is_not_there_is_named_as_typed():
    recipe = check(GOOD, ["data.path=pictures #1/"])
    with pytest.raises(RecipeError, match="there is no file or folder pictures #1/"):
        build.build_rules(recipe, recipes.Given("", {}, {}, "x"))
