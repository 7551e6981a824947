"""Augmentations against numpy and scipy, image by image, with the same random numbers; and what a GAN makes of them."""

import json
import math

import jsonschema
import keras
import numpy as np
import pytest
from keras import ops
from rich.console import Console
from scipy.ndimage import map_coordinates

import kgan
from kgan import backend
from kgan.augment import ADA, Augmentation, DiffAugment, Transforms
from kgan.augment.places import interpolate
from kgan.runner import recipes, run, schema
from tests.helpers import (
    LATENT_DIM,
    cases,
    compiled,
    in_a_step,
    largest_difference,
    small_discriminator,
    small_gan,
    softplus,
    state,
    values,
)
from tests.recipe_helpers import GOOD, check

SHAPES = [(12, 8, 8, 1), (12, 7, 10, 3), (12, 9, 6, 2)]


def pictures(shape):
    return np.tanh(np.random.default_rng(0).normal(size=shape)).astype("float32")


def augmented(augment, images, seed=5):
    return values([augment(ops.convert_to_tensor(images), seeds=keras.random.SeedGenerator(seed))])[0]


def draws(batch, uniform, normal=0, seed=5):
    seeds = keras.random.SeedGenerator(seed)
    u = keras.random.uniform((batch, uniform), seed=seeds)
    return values([u, keras.random.normal((batch, normal), seed=seeds)]) if normal else values([u])[0]


def diff_augmented(image, u, policy, strength):
    """One image, by the formulas of arXiv:2006.10738."""
    height, width, _ = image.shape
    image = image.astype("float64")
    for name in policy:
        if name == "color":
            image = image + strength * (u[0] - 0.5)
            grey = image.mean(-1, keepdims=True)
            image = grey + (image - grey) * (1 + strength * (2 * u[1] - 1))
            image = image.mean() + (image - image.mean()) * (1 + strength * (u[2] - 0.5))
        if name == "translation":
            moved = np.zeros_like(image)
            limits = [int(strength * size / 8 + 0.5) for size in (height, width)]
            down, right = (int(u[3 + i] * (2 * limit + 1)) - limit for i, limit in enumerate(limits))
            for y in range(height):
                for x in range(width):
                    if 0 <= y + down < height and 0 <= x + right < width:
                        moved[y, x] = image[y + down, x + right]
            image = moved
        if name == "cutout":
            image = image.copy()
            firsts, lengths = [], [int(strength * size / 2 + 0.5) for size in (height, width)]
            for i, (size, length) in enumerate(zip((height, width), lengths, strict=True)):
                firsts.append(int(u[5 + i] * (size + 1 - length % 2)) - length // 2)
            for y in range(max(firsts[0], 0), min(firsts[0] + lengths[0], height)):
                for x in range(max(firsts[1], 0), min(firsts[1] + lengths[1], width)):
                    image[y, x] = 0
    return image


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "policy, strength",
    [(("color",), 1.0), (("translation",), 1.0), (("cutout",), 1.0), (("color", "translation", "cutout"), 0.6)],
)
def test_diff_augment_by_hand(shape, policy, strength):
    images, u = pictures(shape), draws(shape[0], 7)
    expected = [diff_augmented(image, one, policy, strength) for image, one in zip(images, u, strict=True)]
    result = augmented(DiffAugment(policy, strength), images)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)
    assert np.abs(expected - images).max() > 0.1


def affine(a=1.0, b=0.0, x=0.0, c=0.0, d=1.0, y=0.0):
    return np.array([[a, b, x], [c, d, y], [0, 0, 1]], "float64")


def turn(angle):
    """Clockwise on the screen, where y points down."""
    return affine(math.cos(angle), -math.sin(angle), 0, math.sin(angle), math.cos(angle), 0)


def transformed(image, u, z, p, policy):
    """One image, the transformations multiplied in the order of arXiv:2006.06676, appendix B, and inverted as one."""
    height, width, channels = image.shape
    G = affine()
    if "blit" in policy:
        if u[0] < p:
            G = affine(a=1 - 2 * int(2 * u[1])) @ G
        if u[2] < p:
            G = turn(math.pi / 2 * int(4 * u[3])) @ G
        if u[4] < p:
            x, y = (round(0.125 * (2 * one - 1) * size) for one, size in ((u[5], width), (u[6], height)))
            G = affine(x=x, y=y) @ G
    if "geometric" in policy:
        once = 1 - math.sqrt(1 - p)
        if u[7] < p:
            G = affine(a=2 ** (0.2 * z[0]), d=2 ** (0.2 * z[0])) @ G
        if u[8] < once:
            G = turn(math.pi * (2 * u[9] - 1)) @ G
        if u[10] < p:
            G = affine(a=2 ** (0.2 * z[1]), d=2 ** (-0.2 * z[1])) @ G
        if u[11] < once:
            G = turn(math.pi * (2 * u[12] - 1)) @ G
        if u[13] < p:
            G = affine(x=0.125 * z[2] * width, y=0.125 * z[3] * height) @ G
    centre = affine(x=(width - 1) / 2, y=(height - 1) / 2)
    back = centre @ np.linalg.inv(G) @ np.linalg.inv(centre)
    y, x = np.mgrid[:height, :width]
    columns, rows, _ = np.einsum("ij,jhw->ihw", back, np.stack([x, y, np.ones_like(x)]))
    image = np.stack(
        [
            map_coordinates(image[..., i].astype("float64"), [rows, columns], order=1, mode="mirror")
            for i in range(channels)
        ],
        axis=-1,
    )
    if "color" not in policy:
        return image
    C, shift = np.eye(channels), np.zeros(channels)  # color <- C color + shift
    v = np.ones(channels) / math.sqrt(channels)
    if u[14] < p:
        shift = shift + 0.2 * z[4]
    if u[15] < p:
        C, shift = C * 2 ** (0.5 * z[5]), shift * 2 ** (0.5 * z[5])
    if u[16] < p and int(2 * u[17]):
        flip = np.eye(channels) - 2 * np.outer(v, v)
        C, shift = flip @ C, flip @ shift
    if channels == 3 and u[18] < p:
        angle = math.pi * (2 * u[19] - 1)
        cross = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
        hue = math.cos(angle) * np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * np.outer(v, v)
        C, shift = hue @ C, hue @ shift
    if u[20] < p:
        saturation = np.outer(v, v) + 2 ** z[6] * (np.eye(channels) - np.outer(v, v))
        C, shift = saturation @ C, saturation @ shift
    return image @ C.T + shift


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "policy, p", [(("blit",), 1.0), (("geometric",), 1.0), (("color",), 1.0), (("blit", "geometric", "color"), 0.5)]
)
def test_transforms_by_hand(shape, policy, p):
    images = pictures(shape)
    u, z = draws(shape[0], 21, 7)
    expected = [transformed(*one, p, policy) for one in zip(images, u, z, strict=True)]
    np.testing.assert_allclose(augmented(Transforms(p, policy), images), expected, rtol=1e-5, atol=2e-5)


def test_quarter_turns_and_mirrors_move_whole_pixels():
    """Whatever is drawn, a blitted image is one of the eight that mirroring and turning make, moved by whole pixels."""
    inner = np.zeros((40, 9, 9, 1), "float32")
    inner[:, 3:6, 3:6, 0] = np.arange(9).reshape(3, 3)
    seen = set()
    for image in augmented(Transforms(1.0, ("blit",)), inner):
        np.testing.assert_allclose(image, np.round(image), atol=1e-4)
        rows, columns = np.nonzero(np.round(image[..., 0]).sum(1))[0], np.nonzero(np.round(image[..., 0]).sum(0))[0]
        patch = np.round(image[rows[0] : rows[0] + 3, columns[0] : columns[0] + 3, 0])
        seen.add(patch.tobytes())
        square = np.arange(9).reshape(3, 3)
        assert any(np.array_equal(patch, np.rot90(one, k)) for one in (square, square[:, ::-1]) for k in range(4))
    assert len(seen) > 4


def test_interpolation_of_one_pixel():
    images = ops.convert_to_tensor(np.full((2, 1, 1, 1), 3.0, "float32"))
    places = ops.convert_to_tensor(np.array([[[-2.7]], [[0.4]]], "float32"))
    np.testing.assert_allclose(values([interpolate(images, places, places)])[0], 3.0, rtol=1e-6)


@pytest.mark.parametrize("augment", [lambda: DiffAugment(strength=0.0), lambda: Transforms(p=0.0), ADA])
def test_nothing_at_strength_zero(augment):
    images = pictures((6, 7, 10, 3))
    np.testing.assert_allclose(augmented(augment(), images), images, rtol=1e-5, atol=1e-6)


AUGMENTATIONS = {"diff_augment": DiffAugment, "transforms": lambda: Transforms(p=0.7)}


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_gradients_are_differences(name):
    augment, images = AUGMENTATIONS[name](), pictures((3, 4, 5, 3))
    weights = ops.convert_to_tensor(np.random.default_rng(1).normal(size=images.shape).astype("float32"))

    def total(x):
        return ops.sum(weights * augment(x, seeds=keras.random.SeedGenerator(5)), axis=(1, 2, 3))

    found = values([in_a_step(lambda: backend.input_gradient(total, ops.convert_to_tensor(images)))])[0]
    for index in [*np.ndindex(images.shape)][::7]:
        sides = []
        for move in (0.5, -0.5):  # all of it is linear in an image
            moved = images.copy()
            moved[index] += move
            sides.append(values([total(ops.convert_to_tensor(moved))])[0].sum(dtype="float64"))
        assert found[index] == pytest.approx(sides[0] - sides[1], abs=2e-4)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_penalties_look_through_it(name):
    """R1 of a linear discriminator, ||A^T k||^2 / 2 of the linear map A, and its gradient by k, A A^T k."""
    augment, image = AUGMENTATIONS[name](), pictures((1, 3, 3, 1))
    start = values([augment(ops.zeros((1, 3, 3, 1)), seeds=keras.random.SeedGenerator(5))])[0].ravel()
    A = np.stack(
        [
            values([augment(ops.reshape(one, (1, 3, 3, 1)), seeds=keras.random.SeedGenerator(5))])[0].ravel() - start
            for one in ops.convert_to_tensor(np.eye(9, dtype="float32"))
        ],
        axis=1,
    )
    model = keras.Sequential([keras.Input((3, 3, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    k = values([model.layers[-1].kernel])[0][:, 0]

    def losses():
        def critic(x):
            return model(augment(x, seeds=keras.random.SeedGenerator(5)))

        value = kgan.penalties.R1(1.0)(critic, ops.convert_to_tensor(image), None, None)
        return [value], value

    value, ((by_k,),) = in_a_step(lambda: backend.gradients(losses, [[model.layers[-1].kernel]]))
    assert float(values([value])[0]) == pytest.approx(((A.T @ k) ** 2).sum() / 2, rel=1e-4)
    np.testing.assert_allclose(values([by_k])[0][:, 0], A @ A.T @ k, rtol=1e-4, atol=1e-5)


def test_the_controller_by_hand():
    ada = ADA(target=0.5, interval=2, length=100)
    steps = [
        ([[1.0], [2.0], [3.0], [-1.0]], 4, 0.0),
        ([[1.0], [2.0], [3.0], [4.0]], 4, 0.08),  # r = 0.75 above the target, of 8 images
        ([[-1.0]] * 4, 4, 0.08),
        ([[1.0]] * 4, 4, 0.0),  # r = 0 below
        ([[1.0]], 20, 0.0),
        ([[-5.0]], 4, 0.24),  # r = (20 - 4) / 24, each batch with the weight of its images
        ([[-1.0]], 30, 0.24),
        ([[-1.0]], 30, 0.0),  # not below zero
        ([[9.0]], 60, 0.0),
        ([[9.0]], 60, 1.0),  # not above one
        ([[9.0], [9.0], [9.0], [-9.0]], 5, 1.0),
        ([[9.0], [9.0], [9.0], [-9.0]], 5, 1.0),
        ([[1.0], [0.0]], 5, 1.0),
        ([[1.0], [0.0]], 5, 1.0),  # r is the target
    ]
    for margins, count, expected in steps:
        ada.adapt(ops.convert_to_tensor(margins), count)
        assert float(values([ada.p])[0]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("augment", ["diff_augment", "ada"])
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="takes a minute to compile")
def test_players_may_compute_in_half_precision(augment, images):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        gan = compiled(augment=augment)
    finally:
        keras.config.set_dtype_policy("float32")
    logs = gan.train_on_batch(images, return_dict=True)
    assert np.isfinite([float(logs["d_loss"]), float(logs["g_loss"])]).all()


def still():
    """Optimizers that leave the players where they are."""
    return {name: keras.optimizers.SGD(0.0) for name in ("d_opt", "g_opt")}


def test_real_and_fake_are_augmented_each_anew(images):
    """The losses of a step, with the numbers drawn again: for D(real), D(fake), and D(fake) of the generator's update."""
    gan = compiled(
        small_gan(discriminator=lambda: small_discriminator(rate=0.0, batch_norm=False)),
        **still(),
        schedule="alternating",
        augment=DiffAugment(),
    )
    seeds = {}
    for name in ("penalty_seeds", "latent_seeds"):
        seeds[name] = keras.random.SeedGenerator(0)
        seeds[name].state.assign(values([getattr(gan, name).state])[0])
    logs = gan.train_on_batch(images, return_dict=True)

    def logits(seen):
        return values([gan.discriminator(gan.augment(seen, seeds=seeds["penalty_seeds"]))])[0]

    def fake():
        return gan.generator(keras.random.normal((40, LATENT_DIM), seed=seeds["latent_seeds"]), training=True)

    expected = {
        "d_real_loss": softplus(-logits(ops.convert_to_tensor(images))).mean(),
        "d_fake_loss": softplus(logits(fake())).mean(),
        "g_loss": softplus(-logits(fake())).mean(),
    }
    assert {name: float(logs[name]) for name in expected} == pytest.approx(expected, rel=1e-4)


def test_evaluation_and_generation_see_nothing_of_it(images):
    gans = []
    for augment in (None, ADA()):
        keras.utils.set_random_seed(1)
        gans.append(compiled(augment=augment))
    gans[1].augment.p.assign(1.0)
    plain, other = (gan.evaluate(images, verbose=0, return_dict=True) for gan in gans)
    assert plain == other and "ada_p" not in other
    np.testing.assert_array_equal(*(gan.generate(3, seed=1) for gan in gans))
    one, two = (values([gans[1].critic(ops.convert_to_tensor(images)).logits])[0] for _ in range(2))
    assert np.any(one != two)


@keras.saving.register_keras_serializable("tests")
class Numbered(Augmentation):
    """Adds its number to each image."""

    def call(self, images, seeds):
        return images + ops.arange(ops.shape(images)[0], dtype=images.dtype)[:, None, None, None]


def test_images_are_augmented_before_they_are_packed():
    gan = compiled(small_gan(discriminator=lambda: small_discriminator((8, 8, 2)), pack=2), augment=Numbered())
    packed = gan.critic.pack(ops.convert_to_tensor(pictures((5, 8, 8, 1))))
    added = values([gan.critic._augmented(packed)])[0] - values([packed])[0]
    np.testing.assert_allclose(added[:, 0, 0], [[0, 1], [2, 3], [4, 5]], atol=1e-6)
    np.testing.assert_allclose(added, np.broadcast_to(added[:, :1, :1], added.shape), atol=1e-6)


@pytest.mark.longer
@pytest.mark.parametrize("schedule", ["simultaneous", "alternating", "combined", "periods"])
def test_p_follows_the_discriminator(images, schedule):
    """Of three batches, two change p; the logs say so."""
    gan = compiled(**still(), schedule=schedule, augment=ADA(-1.0, 2, 160, policy=("color",)))
    history = gan.fit(images, batch_size=16, shuffle=False, verbose=0).history  # 16, 16, 8 images
    assert history["ada_p"] == [pytest.approx(0.2)]
    np.testing.assert_array_equal(values([gan.augment.seen])[0][1:], [8, 1])


@pytest.mark.parametrize("schedule", cases(["alternating"], ["simultaneous"]))
@pytest.mark.usefixtures("eagerly")
def test_p_under_a_loss_of_pairs_is_of_pairs(images, schedule):
    """Such a loss does not see a constant added to all scores, so neither does p."""
    found = []
    for offset in (100.0, -100.0):
        keras.utils.set_random_seed(1)
        gan = compiled(loss="relativistic", schedule=schedule, augment=ADA(0.9, 1, 160))
        gan.discriminator.layers[-1].bias.assign([offset])
        gan.augment.p.assign(0.5)
        logged = gan.fit(images, batch_size=len(images), shuffle=False, verbose=0).history
        found.append((logged["ada_p"][0], *values([gan.augment.p])))
    assert found[0] == found[1] and found[0][1] != 0.5


@pytest.mark.usefixtures("eagerly")
def test_it_is_saved_and_goes_on(images, tmp_path):
    gan = compiled(augment=ADA(-1.0, 2, 160, policy=("color",)), penalties=["r1"])
    gan.fit(images, batch_size=16, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    assert again.get_compile_config() == gan.get_compile_config()
    assert largest_difference(state(gan), state(again)) == 0 and float(values([again.augment.p])[0]) > 0
    for one in (gan, again):
        one.fit(images, batch_size=16, shuffle=False, verbose=0)
    assert largest_difference(state(gan), state(again)) <= (1e-6 if keras.backend.backend() == "torch" else 0)


@pytest.mark.usefixtures("eagerly")
def test_each_gan_has_its_own(images):
    ada = ADA(target=-1.0, interval=1, length=160)
    one, other = compiled(augment=ada), compiled(augment=ada)
    one.fit(images, verbose=0)
    assert float(values([one.augment.p])[0]) > 0 and float(values([other.augment.p])[0]) == 0
    with_it = len(one.variables)
    compiled(one)
    assert one.augment is None and len(one.variables) == with_it - 2
    assert "ada_p" not in one.fit(images, verbose=0).history


def test_a_scheduled_strength(images):
    gan = compiled(augment=DiffAugment(strength=kgan.ramps.Linear(0.0, 1.0, 4)))
    logs = [gan.train_on_batch(images, return_dict=True) for _ in range(5)]
    assert [float(log["augment_strength"]) for log in logs] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    half = DiffAugment(strength=0.5)
    gan.d_opt.iterations.assign(2)
    seeds = keras.random.SeedGenerator(0)
    seeds.state.assign(values([gan.penalty_seeds.state])[0])
    seen = values([gan.critic.augment(ops.convert_to_tensor(images))])[0]
    np.testing.assert_allclose(seen, values([half(ops.convert_to_tensor(images), seeds=seeds)])[0], atol=1e-6)


RECIPE = """\
data: {name: digits, batch_size: 64}
generator: {name: dense, units: [8]}
discriminator: {name: dense, units: [8]}
augment: {name: ada, target: -1, interval: 1, length: 1280, policy: [blit, color]}
steps: 2
"""


def test_a_recipe(tmp_path):
    path = tmp_path / "ada.yaml"
    path.write_text(RECIPE)
    given = recipes.read(path)
    recipe = schema.validate(given)
    jsonschema.Draft202012Validator(schema.json_schema()).validate(recipe.model_dump(mode="json"))
    directory = run.train(recipe, given, tmp_path / "run", Console(quiet=True))
    [row] = [json.loads(line) for line in (directory / "log.jsonl").read_text().splitlines()]
    assert row["ada_p"] == pytest.approx(0.1)
    gan = kgan.load(next((directory / "checkpoints").iterdir()))
    assert gan.augment.get_config() == {"target": -1, "interval": 1, "length": 1280, "policy": ["blit", "color"]}
    assert float(values([gan.augment.p])[0]) == pytest.approx(0.1)
    assert check(recipes.dump(recipe.model_dump(mode="json"))).model_dump() == recipe.model_dump()


def test_recipes_with_schedules_of_it():
    strength = "{name: linear, start: 0, end: 1, steps: 9}"
    recipe = check(GOOD + f"augment: {{name: diff_augment, policy: [cutout], strength: {strength}}}\n")
    assert recipe.augment.strength.name == "linear" and list(recipe.augment.policy) == ["cutout"]
    assert check(GOOD + "augment: {name: transforms, p: 0.3}\n").augment.p == 0.3


@pytest.mark.parametrize(
    "make, expected",
    [
        (
            lambda: DiffAugment(policy=["color", "colour"]),
            "`policy` of DiffAugment must be a list of some of 'color', 'translation', 'cutout', each once. "
            "Received: ['color', 'colour']",
        ),
        (
            lambda: ADA(policy=["blit", "blit"]),
            "`policy` of ADA must be a list of some of 'blit', 'geometric', 'color', each once. "
            "Received: ['blit', 'blit']",
        ),
        (lambda: DiffAugment(strength=1.5), "`strength` of DiffAugment must be in [0, 1]. Received: 1.5"),
        (
            lambda: Transforms(p=kgan.ramps.Linear(0.0, 2.0, 5)),
            "`p` of Transforms must be in [0, 1]. Received: Linear(start=0.0, end=2.0, steps=5)",
        ),
        (lambda: ADA(target=2), "`target` of ADA must be in [-1, 1]. Received: 2"),
        (lambda: ADA(interval=0), "`interval` of ADA must be an integer >= 1. Received: 0"),
        (lambda: ADA(length=1e5), "`length` of ADA must be an integer >= 1. Received: 100000.0"),
        (lambda: compiled(augment="adda"), "Unknown augmentation 'adda'. Did you mean 'ada'?"),
        (
            lambda: compiled(augment=3),
            "`augment` must be a name of kgan.augment, an object such as kgan.augment.DiffAugment(), or None. Received: 3",
        ),
        (
            lambda: compiled(
                kgan.GAN(
                    kgan.architectures.dense.generator((2,), 3),
                    kgan.architectures.dense.discriminator((2,)),
                    latent_dim=3,
                ),
                augment="ada",
            ),
            "`augment` is for images of shape (batch, height, width, channels). "
            "Received: a generator that makes examples of shape (batch, 2)",
        ),
    ],
)
def test_wrong_augmentations(make, expected):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == expected


class Forgetful(Augmentation):
    def __init__(self, amount=0.1):
        super().__init__()
        self.amount = amount


def test_an_augmentation_that_forgets_its_arguments():
    with pytest.raises(ValueError, match="^Forgetful must define `get_config`, which returns the arguments"):
        compiled(augment=Forgetful(0.5))


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="it has no float64 by default")
def test_transforms_of_images_in_double_precision():
    images = ops.convert_to_tensor(pictures((3, 6, 6, 3)).astype("float64"))
    changed = values([Transforms(1.0)(images, seeds=keras.random.SeedGenerator(5))])[0]
    assert changed.dtype == "float64" and np.isfinite(changed).all()


def test_an_augmentation_without_a_call():
    with pytest.raises(NotImplementedError, match=r"Half does not define `call\(images, seeds\)`"):
        augmented(type("Half", (Augmentation,), {})(), pictures((2, 4, 4, 1)))
