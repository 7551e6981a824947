"""What `compile` takes: one object that checks it, is saved, and is the source of a recipe's keys."""

import dataclasses
import inspect

import keras
import pytest

import kgan
from kgan.rules import NAMED, Rules
from kgan.runner.schema import RULE_FIELDS, Recipe
from tests.helpers import compiled, small_gan

FIELDS = [field.name for field in dataclasses.fields(Rules)]


def test_compile_has_the_signature_and_the_documentation_of_the_rules():
    assert list(inspect.signature(kgan.GAN.compile).parameters) == ["self", *FIELDS]
    assert list(inspect.signature(small_gan().compile).parameters) == FIELDS
    assert all(f"        {name}: " in kgan.GAN.compile.__doc__ for name in FIELDS)


def test_everything_given_is_saved_and_loaded(images, tmp_path):
    given = {
        "d_opt": keras.optimizers.SGD(0.1),
        "g_opt": keras.optimizers.RMSprop(0.2),
        "loss": kgan.losses.NonSaturating(smoothing=0.1),
        "schedule": kgan.schedules.Alternating(d_steps=2),
        "penalties": [kgan.penalties.R1(3.0, every=2)],
        "terms": [kgan.terms.TotalVariation(2.0, every=3)],
        "ema": 0.75,
        "history": 3,
        "tricks": [kgan.tricks.WeightClip(0.5)],
        "augment": kgan.augment.DiffAugment(policy=("cutout",)),
        "class_loss_weight": 1.0,
        "run_eagerly": True,
        "steps_per_execution": 1,
        "jit_compile": False,
    }
    assert given.keys() == set(FIELDS)
    gan = compiled(**given)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    assert again.get_compile_config() == gan.get_compile_config()
    config = again.get_compile_config()
    assert list(config) == FIELDS
    assert config["penalties"][0]["config"] == {"weight": 3.0, "every": 2}
    assert config["terms"][0]["config"] == {"weight": 2.0, "every": 3}
    assert config["schedule"]["config"] == {"d_steps": 2, "reuse_latents": False}
    assert (config["ema"], config["history"], config["run_eagerly"]) == (0.75, 3, True)
    assert config["tricks"][0]["config"] == {"bound": 0.5}


def test_the_keys_of_a_recipe_are_the_arguments_of_compile():
    elsewhere = {"d_opt", "g_opt", "run_eagerly", "steps_per_execution"}
    assert RULE_FIELDS.keys() == set(FIELDS) - elsewhere
    assert RULE_FIELDS.keys() <= Recipe.model_fields.keys()
    assert NAMED.keys() <= RULE_FIELDS.keys()


@pytest.mark.parametrize(
    "argument, message",
    [
        ("optimizer", "`compile` has no argument 'optimizer'. Give `d_opt` and `g_opt`"),
        ("metrics", "`compile` has no argument 'metrics'. Losses and accuracies of both players are always logged"),
        ("penaltys", "`compile` has no argument 'penaltys'. Did you mean 'penalties'?"),
    ],
)
def test_an_argument_that_there_is_not(argument, message):
    with pytest.raises(TypeError, match=message.replace("?", r"\?")):
        small_gan().compile(**{argument: "adam"})


def test_a_failed_compile_changes_nothing():
    gan = compiled(ema=0.9)
    before = gan.rules, gan.loss, gan.d_opt, gan.ema_generator
    for wrong in ({"loss": "hing"}, {"ema": 2}, {"tricks": ["label_flip"], "loss": "relativistic"}, {"d_opt": "adm"}):
        with pytest.raises(ValueError):
            gan.compile(**wrong)
    assert all(
        one is other for one, other in zip(before, (gan.rules, gan.loss, gan.d_opt, gan.ema_generator), strict=True)
    )


def test_compiled_again_without_them_average_and_augmentation_are_forgotten(images):
    gan = compiled(ema=0.9, augment="ada")
    with_both = len(gan.variables)
    gan.fit(images, batch_size=20, verbose=0)
    gan.compile("adam", "adam")
    assert gan.ema_generator is None and gan.augment is None
    assert len(gan.variables) == with_both - len(gan.generator.variables) - 2
    assert "ada_p" not in gan.fit(images, batch_size=20, verbose=0).history
