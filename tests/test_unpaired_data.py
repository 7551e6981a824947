"""Images of two domains without pairs: their order, their folders, and recipes for them."""

import json

import keras
import numpy as np
import pytest
import yaml
from PIL import Image
from rich.console import Console

import kgan
from kgan import backend
from kgan.architectures import towers
from kgan.callbacks import Checkpoint
from kgan.data import Batches, Data, Folder, Unpaired
from kgan.data.domains import load_domains
from kgan.runner import build, display, recipe_data, recipes, run, schema
from kgan.runner.errors import RecipeError
from tests.brought import brings
from tests.helpers import KilledError, Steps, assert_fed_alike, compiled, largest_difference, patches, state, translator
from tests.recipe_helpers import check, complaint

TOLERANCE = 1e-6 if keras.backend.backend() == "torch" else 0.0


def marked(count, channels=1, size=(8, 8)):
    """Images whose pixels say which image and which place they are of."""
    number, row, column = np.meshgrid(np.arange(count), *map(np.arange, size), indexing="ij")
    return np.stack([number, row, column], axis=-1).astype("uint8")[..., :channels]


def numbers(batches):
    """Which images an epoch takes of each set, in its order."""
    both = zip(*(batches[index] for index in range(len(batches))), strict=True)
    return [np.concatenate(parts)[:, 0, 0, 0].tolist() for parts in both]


def two(channels=(1, 3)):
    a, b = channels
    generator = towers.generator(translator(a, b), translator(b, a))
    return kgan.GAN(generator, towers.discriminator(patches(b), patches(a)), condition="unpaired", seed=1)


@pytest.mark.parametrize("counts", [(7, 3), (3, 7), (4, 4), (9, 1)])
def test_an_epoch_is_the_longer_set(counts):
    draws = [np.random.default_rng([5, 2]), np.random.default_rng([5, 2, 1])]
    orders = []
    for draw, count in zip(draws, counts, strict=True):
        order = []
        while len(order) < max(counts):
            order += draw.permutation(count).tolist()
        orders.append(order[: max(counts)])
    batches = Unpaired(marked(counts[0]), marked(counts[1], 3), 2, seed=5, epoch=2)
    assert numbers(batches) == orders and len(batches) == batches.steps == -(-max(counts) // 2)
    assert sorted(orders[np.argmax(counts)]) == list(range(max(counts)))
    for order, count in zip(orders, counts, strict=True):
        assert np.ptp(np.bincount(order, minlength=count)) <= 1
    sizes = [tuple(map(len, batches[index])) for index in range(len(batches))]
    assert sizes == [(2, 2)] * (max(counts) // 2) + [(1, 1)] * (max(counts) % 2)
    batches.next_epoch()
    assert batches.epoch == 3 and numbers(batches) != orders or counts == (9, 1)
    batches.seek(2, 1)
    assert numbers(batches) == [order[2:] for order in orders] and len(batches) == batches.steps - 1


def test_neither_order_follows_the_other():
    a, b = numbers(Unpaired(marked(50), marked(50), 50))
    assert a != b and sorted(a) == sorted(b)
    assert numbers(Unpaired(marked(50), marked(50), 50, seed=1))[0] != a


def test_parts_and_mirrors_are_drawn_apart():
    batches = Unpaired(marked(40, 3, (10, 12)), marked(40, 3, (14, 9)), 40, seed=1, flip=True, crop=(7, 8))
    corners, mirrored = [], []
    for side, taken in zip(batches.sides, batches[0], strict=True):
        assert taken.shape == (40, 7, 8, 3)
        number, row, column = np.moveaxis(taken.astype(int), -1, 0)
        np.testing.assert_array_equal(number[:, 0, 0], side.order)
        mirrored.append(np.diff(column, axis=2)[:, 0, 0] < 0)
        corners.append(list(zip(row.min((1, 2)), column.min((1, 2)), strict=True)))
    assert 10 < np.sum(mirrored[0] != mirrored[1]) < 30 and corners[0] != corners[1]
    assert set(corners[0]) <= set(np.ndindex(4, 5)) and set(corners[1]) <= set(np.ndindex(8, 2))


@pytest.mark.parametrize("options", [{}, {"crop": (7, 6), "flip": True}], ids=str)
@pytest.mark.parametrize("counts", [(10, 4), (4, 9)])
def test_the_engine_is_fed_the_same(options, counts):
    batches = Unpaired(marked(counts[0]), marked(counts[1], 3), 4, seed=1, **options)
    assert_fed_alike(batches)


@brings(
    "arrays",
    "`kgan.data.Unpaired(a, b, batch_size)`: two sets of images in any of these forms, for the condition `Unpaired`",
    "of any two numbers; both are shuffled apart",
)
def test_any_form_of_images(tmp_path, monkeypatch):
    a, b = marked(5), marked(3, 3)
    wanted = numbers(Unpaired(a, b, 2))
    np.save(tmp_path / "a.npy", a)
    (tmp_path / "b").mkdir()
    for number, image in enumerate(b):
        Image.fromarray(image).save(tmp_path / "b" / f"{number}.png")
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    forms = [(list(a), Folder(tmp_path / "b")), (Data(a), Data(b)), (mapped, b), (a, Folder(tmp_path / "b", memory=1))]
    for place, (one, other) in enumerate(forms):
        batches = Unpaired(one, other, 2)
        assert numbers(batches) == wanted and batches.in_memory == (place == 1)
        feed, _ = backend.stream(batches)
        assert [int(part[0][0, 0, 0, 0]) for part in feed] == wanted[0][::2]
    cropped = Unpaired(Data(a, crop=(4, 4)), b, 2)
    assert [one.shape[1:] for one in cropped[0]] == [(4, 4, 1), (8, 8, 3)]


def train(folder, data, kill_at=None, epochs=2):
    keras.utils.set_random_seed(3)
    gan = compiled(two(), loss="least_squares", terms=["cycle"], history=4)
    callbacks = [Checkpoint(folder, every="1 step", resume=True), Steps(kill_at)]
    history = gan.fit(data(), epochs=epochs, verbose=0, callbacks=callbacks)
    return gan, history.history


@pytest.mark.longer
@pytest.mark.usefixtures("eagerly")
def test_killed_in_the_middle_of_an_epoch_and_resumed(tmp_path):
    a, b = np.random.default_rng(0).integers(0, 256, (2, 11, 10, 10, 3), "uint8")

    def data():
        return Unpaired(a[..., :1], b[:7], 4, seed=5, flip=True, crop=8)  # three steps an epoch

    straight, history = train(tmp_path / "straight", data)
    for kill_at in (2, 4):  # after one step of the first epoch, and of the second
        with pytest.raises(KilledError):
            train(tmp_path / "killed", data, kill_at)
    resumed, again = train(tmp_path / "killed", data)
    assert int(resumed.d_opt.iterations) == 6
    assert largest_difference(state(straight), state(resumed)) <= TOLERANCE
    for name, values in history.items():
        np.testing.assert_allclose(again[name], values, rtol=0, atol=TOLERANCE)


@pytest.mark.usefixtures("eagerly")
def test_other_data_begin_the_epoch_again(tmp_path, caplog):
    a, b = marked(8), marked(5, 3)
    with pytest.raises(KilledError):
        train(tmp_path, lambda: Unpaired(a, b, 4), 1, epochs=1)
    train(tmp_path, lambda: Unpaired(a, b[:4], 4), epochs=1)
    assert "the data are not the same" not in caplog.text  # nothing was saved yet
    with pytest.raises(KilledError):
        train(tmp_path, lambda: Unpaired(a, b[:4], 4), 2, epochs=2)
    train(tmp_path, lambda: Unpaired(a, b, 4), epochs=2)
    assert "Epoch 2 begins again: the data are not the same" in caplog.text


@pytest.mark.usefixtures("eagerly")
def test_folders_that_do_not_fit_into_memory_and_vanish(tmp_path, caplog):
    for name, channels in (("a", 1), ("b", 3)):
        (tmp_path / name).mkdir()
        for number, image in enumerate(marked(6, channels)):
            Image.fromarray(image.squeeze()).save(tmp_path / name / f"{number}.png")
    a, b = (Folder(tmp_path / name, memory=1) for name in "ab")
    for number in range(6):
        (tmp_path / "b" / f"{number}.png").unlink()
    gan, _ = train(tmp_path / "vanished", lambda: Unpaired(a, b, 3))
    assert int(gan.d_opt.iterations) < 4 and "nor can any other picture in" in b.failure
    assert f"{b.failure} The training was stopped after step" in caplog.text and not (a.keeps_going or b.keeps_going)


@pytest.mark.usefixtures("eagerly")
def test_two_arrays_and_datasets():
    a, b = marked(8), marked(8, 3)
    results = []
    for data in ({"x": a, "y": b}, {"x": Data(a), "y": Data(b)}):
        keras.utils.set_random_seed(2)
        gan = compiled(two())
        gan.fit(**data, batch_size=4, shuffle=False, verbose=0)
        results.append(gan.get_weights())
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        sets = tuple(tf.data.Dataset.from_tensor_slices(one).batch(4) for one in (a, b))
        keras.utils.set_random_seed(2)
        gan = compiled(two())
        gan.fit(tf.data.Dataset.zip(sets), shuffle=False, verbose=0)
        results.append(gan.get_weights())
        with pytest.raises(ValueError, match=r"one dataset of both, tf.data.Dataset.zip\(\(a, b\)\). Received: two"):
            gan.fit(*sets)
    for one in results[1:]:
        for value, other in zip(results[0], one, strict=True):
            np.testing.assert_array_equal(value, other)
    for method in (gan.fit, gan.evaluate):
        with pytest.raises(ValueError, match=r"Received: 8 of a and 5 of b. kgan.data.Unpaired\(a, b, batch_size\)"):
            method(a, b[:5])
    found = gan.evaluate(Unpaired(a, b[:5], 4), verbose=0, return_dict=True)
    history = gan.fit(Unpaired(a, b, 4), validation_data=Unpaired(a, b[:5], 4), verbose=0)
    assert {f"val_{name}" for name in found} <= history.history.keys()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"a": 3}, r"`a` of Unpaired must be images .*, at least one. Received: int"),
        (
            {"b": marked(3)[..., 0]},
            r"`b` of .* Received: shape \(3, 8, 8\). b\[..., None\] gives grey images a last axis",
        ),
        ({"a": marked(3)[:0]}, r"Received: shape \(0, 8, 8, 1\)"),
        (
            {"a": [marked(1)[0], marked(1, 1, (4, 4))[0]]},
            r"`a` of Unpaired must be images of one size. Received: a list of",
        ),
        ({"batch_size": 0}, "`batch_size` of Unpaired must be an integer >= 1. Received: 0"),
        ({"crop": 9}, "`crop` must be at most the size of the images, 8 x 8. Received: 9 x 9"),
    ],
)
def test_mistakes(arguments, message):
    with pytest.raises(ValueError, match=message):
        Unpaired(**{"a": marked(3), "b": marked(3, 3), "batch_size": 2, **arguments})


def write(folder, values, mode="L", size=(8, 8)):
    """Grey pictures of these values, by the names of their files."""
    for name, value in values.items():
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full(size, value, "uint8")).convert(mode).save(path)


LAYOUTS = {
    "names for both": ("trainA", "trainB", "testA", "testB"),
    "two folders with splits in them": ("lines/train", "photos/train", "lines/test", "photos/test"),
    "splits with two folders in them": ("train/lines", "train/photos", "test/lines", "test/photos"),
}


def write_two(folder, layout="names for both"):
    for place, name in enumerate(LAYOUTS[layout]):
        count = (5, 3, 2, 2)[place]
        first = "" if place > 1 else "ab"[place]
        values = {f"{first}{number}": 40 * place + number for number in range(count)}
        write(folder / name, values, "RGB" if place % 2 else "L")


def firsts(found):
    return [np.asarray(one.images[:])[:, 0, 0, 0].tolist() for one in (found.a, found.b)]


@brings(
    "pictures",
    "two domains in two folders, `trainA/` and `trainB/`, `A/` and `B/` or others, with `condition: unpaired`",
    "names and numbers of files need not agree; `testA/` and `testB/` are a split",
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_folders_of_two_domains(tmp_path, layout):
    write_two(tmp_path / "x", layout)
    found = load_domains(tmp_path / "x")
    assert firsts(found) == [[0, 1, 2, 3, 4], [40, 41, 42]] and not found.pairs_known
    assert (found.given_shape, found.image_shape, found.count) == ((8, 8, 1), (8, 8, 3), 3)
    test = load_domains(tmp_path / "x", split="test", resize=8, size=4)
    assert firsts(test) == [[80, 81], [120, 121]] and test.pairs_known and test.image_shape == (4, 4, 3)
    assert test.middle().a.images.shape == (2, 4, 4, 1) and "test" in test.origin and ", without " in test.origin
    (tmp_path / "x" / "notes.txt").write_text("beside them")
    assert list(load_domains(tmp_path / "x", limit=2).skipped) in ([], ["beside the two folders"])
    with pytest.raises(ValueError, match=r"has no folder.? .*val.* Folders in it"):
        load_domains(tmp_path / "x", split="val")


def test_two_folders_alone(tmp_path):
    write(tmp_path / "B", {"x": 7, "y": 8}, size=(6, 6))
    write(tmp_path / "A", {"1": 1, "2": 2, "10": 3, "more/4": 4}, size=(10, 10))
    (tmp_path / "A" / "broken.png").write_text("no picture")
    found = load_domains(tmp_path)
    assert firsts(found) == [[1, 2, 3, 4], [7, 8]] and found.names == ("A", "B") and found.origin == ""
    assert found.image_shape == found.given_shape == (10, 10, 1)  # b gets the size of a
    assert found.fitted == "b: cropped, Lanczos, 6 x 6 to 10 x 10" and list(found.skipped) == ["not a picture"]
    both = load_domains(tmp_path, a={"size": 4}, b={"size": 6, "channels": 3})
    assert (both.given_shape, both.image_shape) == ((4, 4, 1), (6, 6, 3))


def test_sixteen_bits_are_scaled_by_one_rule_for_a_domain(tmp_path):
    for folder, value in (("trainA", 60000), ("testA", 600), ("trainB", 400), ("testB", 100)):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.full((8, 8), value, "uint16")).save(tmp_path / folder / "0.png")
    assert firsts(load_domains(tmp_path)) == [[233], [100]]
    assert firsts(load_domains(tmp_path, split="test")) == [[2], [25]]


def test_files_and_sources_of_their_own(tmp_path):
    np.savez(tmp_path / "both.npz", a=marked(4), b=marked(3, 3, (6, 6)), a_test=marked(2), b_test=marked(2, 3))
    found = load_domains(tmp_path / "both.npz", limit=3)
    assert (found.a.images.shape, found.b.images.shape) == ((3, 8, 8, 1), (3, 8, 8, 3)) and found.names == ("a", "b")
    assert load_domains(tmp_path / "both.npz", split="test").count == 2
    write(tmp_path / "own", {"0": 1, "1": 2}, "RGB", (20, 20))
    found = load_domains(a={"name": "digits", "limit": 9}, b={"path": str(tmp_path / "own")}, resize=8, size=6)
    assert (found.a.images.shape, found.b.images.shape) == ((9, 8, 8, 1), (2, 8, 8, 3))
    assert found.image_shape == (6, 6, 3) and found.names == ("digits", str(tmp_path / "own"))
    np.save(tmp_path / "one.npy", marked(3))
    found = load_domains(a={"path": str(tmp_path / "own")}, b={"path": str(tmp_path / "one.npy")})
    assert found.b.images.shape == (3, 20, 20, 1)  # that of a
    for arguments, said in (
        ({"a": {"name": "digits"}}, "Two domains of pictures are two folders.* Received: no source of b"),
        (
            {"a": {"name": "ring"}, "b": {"name": "digits"}},
            r"Domain a must be images. Received: examples of shape \(2,\)",
        ),
        ({"path": tmp_path / "own"}, "Two domains of pictures are two folders.* Received: .*own, with no folder in it"),
        ({"path": tmp_path / "one.npy"}, "must hold pairs of images|two arrays called"),
    ):
        with pytest.raises(ValueError, match=said):
            load_domains(**arguments)


RECIPE = """\
condition: unpaired
data: {path: PATH, size: 8, flip: true, batch_size: 2}
generator: {name: resnet_translation, filters: 2, blocks: 1}
discriminator: {name: patch, receptive_field: 16, filters: 2, norm: null}
loss: least_squares
history: 3
terms: [{name: cycle, weight: 5}]
jit_compile: false
steps: 2
"""
PLAYERS = {"generator": {"name": "unet", "filters": 2}, "discriminator": {"name": "patch", "receptive_field": 1}}


def made(tmp_path, settings=(), text=RECIPE):
    path = tmp_path / "recipe.yaml"
    path.write_text(text.replace("PATH", str(tmp_path / "x")))
    given = recipes.read(path)
    recipes.override(given, settings)
    return schema.validate(given), given


def train_recipe(tmp_path, settings=(), name="run", **more):
    with (tmp_path / "said.txt").open("a") as file:
        console = Console(file=file, width=200)
        return run.train(*made(tmp_path, settings), tmp_path / name, console, **more)


@pytest.mark.longer
@pytest.mark.usefixtures("eagerly")
def test_a_recipe(tmp_path):
    write_two(tmp_path / "x")
    settings = ["data.size=16", "data.resize=20", "data.validation=test"]
    directory = train_recipe(tmp_path, settings)
    said = (tmp_path / "said.txt").read_text()
    assert "x: 5 images of a, 16 x 16 x 1 (trainA), and 3 of b, 16 x 16 x 3 (trainB); from trainA/ and trainB/" in said
    assert (
        "random parts of 20 x 20" in said
        and "they are true pairs, which scores compare and the training does not use" in said.split("x, test: ")[1]
    )
    known = json.loads((directory / "environment.json").read_text())
    assert known["data"]["a"]["shape"] == [5, 20, 20, 1] and known["data"]["b"]["shape"] == [3, 20, 20, 3]
    assert known["held_out"]["pairs_known"] and not known["data"]["pairs_known"]
    logs = [json.loads(line) for line in (directory / "log.jsonl").read_text().splitlines()]
    assert np.isfinite([logs[-1][name] for name in ("cycle", "val_cycle", "d_loss")]).all()
    gan = kgan.load(next((directory / "checkpoints").iterdir()))
    assert gan.translate(marked(2, 1, (16, 16)), to="b").shape == (2, 16, 16, 3)
    assert gan.discriminator.input_shape == [(None, 16, 16, 3), (None, 16, 16, 1)]
    resolved = yaml.safe_load((directory / "resolved.yaml").read_text())
    assert resolved["data"]["path"] == str(tmp_path / "x") and resolved["latent_dim"] is None
    train_recipe(tmp_path, [*settings, "steps=4"], resume=True, changed=True)
    assert json.loads((directory / "log.jsonl").read_text().splitlines()[-1])["epoch"] == 2


@pytest.mark.usefixtures("eagerly")
def test_a_recipe_with_a_source_for_each_domain(tmp_path):
    write(tmp_path / "x", {str(number): number for number in range(6)}, "RGB")
    settings = ["data.path=null", "data.a={name: digits, limit: 10}", f"data.b={{path: {tmp_path / 'x'}}}"]
    directory = train_recipe(tmp_path, [*settings, "data.validation_split=0.34", "data.size=16"])
    known = json.loads((directory / "environment.json").read_text())
    assert [known["held_out"][side]["shape"][0] for side in "ab"] == [3, 2]
    assert (
        "digits and x: 10 images of a, 16 x 16 x 1 (digits), and 6 of b, 16 x 16 x 3 ("
        in (tmp_path / "said.txt").read_text()
    )


def test_towers_of_a_recipe(tmp_path):
    write_two(tmp_path / "x")
    recipe, given = made(tmp_path, ["data.size=64", f"generator={json.dumps(PLAYERS['generator'])}",
                                    f"discriminator={json.dumps(PLAYERS['discriminator'])}"])  # fmt: skip
    found = recipe_data.load_data(recipe, given)
    batches, gan = build.build(recipe, given, build.build_rules(recipe, given), found)
    assert gan.generator.input_shape == [(None, 64, 64, 1), (None, 64, 64, 3)]
    assert gan.generator.output_shape == [(None, 64, 64, 3), (None, 64, 64, 1)]
    assert gan.discriminator.input_shape == [(None, 64, 64, 3), (None, 64, 64, 1)]
    assert batches.steps == 3 and batches.seed == recipe.seed and batches.flip
    to_b, to_a = (gan.generator.get_layer(name) for name in ("to_b", "to_a"))
    alike = [
        (one, other)
        for one, other in zip(to_b.trainable_weights, to_a.trainable_weights, strict=True)
        if one.shape == other.shape and np.asarray(one.numpy()).std()
    ]
    assert len(alike) > 3 and not any(np.array_equal(one.numpy(), other.numpy()) for one, other in alike)
    with pytest.raises(RecipeError, match="generator.* dcgan cannot be given images. Those that can are"):
        recipe, given = made(tmp_path, ["generator=dcgan"])
        build.build(recipe, given, build.build_rules(recipe, given), recipe_data.load_data(recipe, given))


def test_a_rate_that_is_constant_and_then_falls():
    recipe = check(recipes.read("cyclegan").text)
    rate = recipe.optimizers.generator.learning_rate
    assert recipe.steps == rate.begin + rate.steps and (rate.start, rate.end) == (2e-4, 0.0)


@pytest.mark.parametrize(
    "text, said",
    [
        ("{a: digits}", "data: give both domains, `a` and `b`"),
        ("{path: x, a: digits, b: mnist}", "data: give `a` and `b`, or one source of both"),
        ("{a: digits, b: {size: 8}}", "data.b: give the `name` of a data set, or the `path` of a file or folder"),
        ("{a: digits, b: {name: mnist, flip: true}}", "data.b.flip: unknown key"),
    ],
)
def test_keys_that_do_not_fit(text, said):
    assert said in complaint(RECIPE.replace("{path: PATH, size: 8, flip: true, batch_size: 2}", text))


@pytest.mark.parametrize(
    "settings, said",
    [
        (["condition=pairs", "data={a: digits, b: digits}"], "data.a: is one of two domains without pairs; set"),
        (["data.replacement=true"], "data.replacement: is not for images of two domains"),
        (["data={a: digits, b: {path: nowhere}}"], "data.b.path: there is no file or folder nowhere"),
        (["data.direction=b_to_a"], "data.direction: is for pairs of images"),
    ],
)
def test_recipes_that_do_not_fit(tmp_path, settings, said):
    (tmp_path / "x").mkdir()
    recipe, given = made(tmp_path, settings)
    with pytest.raises(RecipeError) as caught:
        build.build_rules(recipe, given)
    assert said in str(caught.value)


def test_data_that_are_none_of_two_domains(tmp_path):
    for data, said in (("{name: digits}", "Received: digits"), ("{path: PATH, shape: [8, 8, 1]}", "`shape` is for")):
        write(tmp_path / "x" / "A", {"0": 1})
        write(tmp_path / "x" / "B", {"0": 1})
        text = RECIPE.replace("{path: PATH, size: 8, flip: true, batch_size: 2}", data)
        recipe, given = made(tmp_path, text=text)
        with pytest.raises(RecipeError, match=said):
            recipe_data.load_data(recipe, given)


def test_what_is_said_of_few(tmp_path):
    write(tmp_path / "x" / "A", {"0": 1})
    write(tmp_path / "x" / "B", {"0": 1})
    recipe, given = made(tmp_path)
    found = recipe_data.load_data(recipe, given)
    assert "1 image of a, 8 x 8 x 1 (A), and 1 of b, 8 x 8 x 1 (B)" in display.data_line(recipe, found)


def test_an_order_of_batches_is_that_of_before():
    np.testing.assert_array_equal(
        Unpaired(marked(9), marked(4), 3, seed=2).sides[0].order, Batches(marked(9), 3, 2).order
    )


def test_outlined_digits_are_of_other_digits_but_for_the_test(tmp_path):
    digits = np.zeros((6, 7, 7), "uint8")
    digits[np.arange(6), 3, np.arange(6) // 2 + 2] = 100 + np.arange(6)
    np.savez(tmp_path / "mnist.npz", x_train=digits, y_train=np.arange(6), x_test=digits[:2], y_test=np.arange(2))
    side = {"name": "outlined_digits", "path": tmp_path / "mnist.npz"}
    for split, filled, outlined, known in (("train", [0, 1, 2], [3, 4, 5], False), ("test", [0, 1], [0, 1], True)):
        found = load_domains(a={**side, "outlined": False}, b=side, split=split)
        assert found.pairs_known is known and found.names == ("outlined_digits",) * 2
        np.testing.assert_array_equal(found.a.images[..., 0], digits[filled])
        for image, number in zip(found.b.images[..., 0], outlined, strict=True):
            column = number // 2 + 2
            ring = np.zeros((7, 7), "uint8")
            ring[2:5, column - 1 : column + 2] = 100 + number
            ring[3, column] = 0
            np.testing.assert_array_equal(image, ring)
    given = recipes.read("outlines")
    recipes.override(given, [f"data.{one}.path={tmp_path / 'mnist.npz'}" for one in "ab"])
    recipe = schema.validate(given)
    line = display.data_line(recipe, recipe_data.load_data(recipe, given))
    assert line.startswith(
        "outlined_digits: 3 images of a, 7 x 7 x 1 (outlined_digits), and 3 of b, 7 x 7 x 1 (outlined_"
    )
