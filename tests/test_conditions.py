"""What images depend on besides latents: the contract of every condition, and the two ways to ask for classes."""

import keras
import numpy as np
import pytest

import kgan
from kgan.architectures import dense
from kgan.conditions import CONDITIONS, Batch, Classes, Condition, Unconditional, together
from kgan.runner import build, recipe_data, schema
from kgan.runner.recipes import read
from tests.helpers import compiled, largest_difference, small_gan, state

MADE = {"classes": lambda: Classes(3), "unconditional": Unconditional}
IMAGES = np.full((6, 4, 4, 1), 255, "uint8")
LABELS = np.arange(6) % 3


@pytest.mark.parametrize("name", [name for name, kind in CONDITIONS.items() if not kind.gives_images])
def test_contract(name):
    condition = MADE[name]()
    assert type(condition) is CONDITIONS[name] and isinstance(condition, Condition)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(condition))
    assert type(again) is type(condition) and again.get_config() == condition.get_config()
    given, real = condition.read((IMAGES, LABELS))
    assert real is IMAGES and condition.select([IMAGES, LABELS])[0] is IMAGES
    specs = condition.specs(None)
    drawn = condition.draw(6, None, keras.random.SeedGenerator(0))
    if specs is None:
        assert given is None and drawn is None
    else:
        assert given.shape[1:] == drawn.shape[1:] == specs.shape[1:]
        assert keras.backend.standardize_dtype(given.dtype) == str(drawn.dtype) == specs.dtype
    columns, which, labels = condition.layout(6, columns=2)
    assert columns == 2 and len(which) == 6 and (labels is None or len(labels) == 6)
    assert condition.watch((IMAGES, LABELS)).keys() <= set(condition.watched)


def test_classes_in_a_grid():
    columns, which, labels = Classes(3).layout(8)
    assert (columns, which.tolist(), labels.tolist()) == (3, [0, 1, 2, 0, 1, 2, 0, 1], [0, 0, 0, 1, 1, 1, 2, 2])
    _, which, labels = Classes(3).layout(8, columns=2)
    assert (which.tolist(), labels.tolist()) == ([0, 1] * 4, [0, 0, 1, 1, 2, 2, 0, 0])


def test_labels_like_those_of_the_real_images():
    real = np.array([0, 0, 0, 1, 2, 2])
    assert Classes(3).labels_like(real, 6).tolist() == [0, 0, 0, 1, 2, 2]
    assert Classes(3).labels_like(None, 6) is None and Unconditional().labels_like(real, 6) is None


def test_together():
    assert together(1, None) == 1 and together(None, 2) == 2 and together(1, 2) == [1, 2]


def class_gan(**arguments):
    keras.utils.set_random_seed(1)
    players = (
        dense.generator((8, 8, 1), 6, units=(8,), num_classes=3),
        dense.discriminator((8, 8, 1), (8,), num_classes=3),
    )
    return compiled(kgan.GAN(*players, latent_dim=6, **arguments))


def test_num_classes_is_the_short_form(images):
    short, long = class_gan(num_classes=3), class_gan(condition=Classes(3))
    for gan in (short, long):
        gan.fit(images, np.arange(40) % 3, batch_size=8, shuffle=False, verbose=0)
    assert largest_difference(state(short), state(long)) == 0.0


class Scalar(Condition):
    def read(self, data):
        return data

    def specs(self, generator):
        return keras.KerasTensor((None, 1))


def two_inputs():
    inputs = [keras.Input((6,)), keras.Input((1,))]
    images = keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64)(keras.layers.Concatenate()(inputs)))
    return keras.Model(inputs, images, name="two")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_classes": 3, "condition": Classes(3)}, "`num_classes` is the short form of .* give one of the two."),
        ({"condition": "clases"}, "Unknown condition 'clases'. Did you mean 'classes'?"),
        ({"condition": "classes"}, "`condition` 'classes' needs arguments: give the object, kgan.conditions.Classes"),
        ({"condition": 3}, "`condition` must be None, a name of kgan.conditions or an object such as .* Received: 3"),
        ({"generator": two_inputs}, "The generator, model 'two', takes 2 inputs, and the GAN has no condition"),
        (
            {"condition": Scalar()},
            r"With the condition Scalar the generator must take \[latents, given\]. Received: model",
        ),
        ({"num_classes": 0}, "`num_classes` must be an integer >= 1. Received: 0"),
    ],
)
def test_wrong_conditions(arguments, message):
    with pytest.raises(ValueError, match=message):
        small_gan(**arguments)


RECIPE = """\
data: {name: digits, batch_size: 32, limit: 100}
generator: {name: dense, units: [8]}
discriminator: {name: dense, units: [8]}
epochs: 1
condition: {name: classes, n: 10}
"""


def test_a_recipe_names_a_condition(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    given = read(path)
    recipe = schema.validate(given)
    found = recipe_data.load_data(recipe, given)
    batches, gan = build.build(recipe, given, build.build_rules(recipe, given), found)
    assert gan.condition.n == 10
    assert np.isfinite(gan.fit(batches, verbose=0).history["d_loss"]).all()


def test_a_recipe_gives_classes_once(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE + "num_classes: 10\n")
    given = read(path)
    with pytest.raises(ValueError, match="recipe.yaml:5:1  condition: `num_classes` is the short form of"):
        build.build_rules(schema.validate(given), given)


def test_a_batch_is_a_pair():
    given, real = Batch(LABELS, IMAGES)
    assert given is LABELS and real is IMAGES


def test_the_range_of_images_is_checked_once_and_labels_after_every_epoch(images):
    late = images.copy()
    late[-1, 0, 0, 0] = 2.0  # in the last batch
    compiled().fit(late, batch_size=8, shuffle=False, verbose=0)
    with pytest.raises(ValueError, match=r"Images must be floats in \[-1, 1\].* Received: floats from -0.99.* to 2"):
        compiled().fit(late[::-1], batch_size=8, shuffle=False, verbose=0)
    with pytest.raises(ValueError, match=r"Labels must lie in \[0, 2\].* Received: labels from 0 to 3"):
        labels = np.where(np.arange(40) == 39, 3, 0)
        class_gan(num_classes=3).fit(images, labels, batch_size=8, shuffle=False, verbose=0)


class Silent(Unconditional):
    """It does not define what to generate."""

    draw = Condition.draw


@pytest.mark.parametrize("kind", ["image_grid", "score"])
def test_what_cannot_be_generated_is_refused_before_training(kind, images, tmp_path):
    callback = kgan.callbacks.CALLBACKS[kind](
        **{"image_grid": {"directory": tmp_path}, "score": {"extractor": "raw"}}[kind]
    )
    gan = compiled(small_gan(condition=Silent()))
    with pytest.raises(
        ValueError,
        match="Silent does not define `draw`, so .* for each of the 1 images. Received: None",
    ):
        gan.fit(images, batch_size=20, verbose=0, callbacks=[callback])
    assert int(gan.d_opt.iterations) == 0
