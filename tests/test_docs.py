"""What the documentation shows is run: docstrings' examples, the pages' own parts, the README's Python, the links."""

import doctest
import importlib
import operator
import pathlib
import pkgutil
import re
import subprocess

import keras
import numpy as np
import pytest
import yaml
from keras import ops

import kgan
from docs import symptoms
from kgan.callbacks import CALLBACKS
from kgan.callbacks.of_keras import OF_KERAS
from kgan.conditions import CONDITIONS
from kgan.latents import LATENTS
from kgan.rules import NAMED
from kgan.runner import recipes, schema
from kgan.runner.errors import RecipeError
from tests import brought
from tests.helpers import compiled, patches, translator

ROOT = pathlib.Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
MODULES = sorted(
    found.name for found in pkgutil.walk_packages(kgan.__path__, "kgan.") if not found.name.startswith("kgan.backend.")
)
PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)]


def test_examples_of_docstrings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for name in MODULES:
        found = doctest.DocTestFinder().find(
            importlib.import_module(name), extraglobs={"kgan": kgan, "keras": keras, "np": np, "ops": ops}
        )
        for test in found:
            runner.run(test)
    assert runner.tries > 20 and runner.failures == 0


def test_what_you_may_bring_is_what_the_tests_show():
    page = (ROOT / "docs" / "own_images.md").read_text("utf-8")
    assert page == brought.between_marks(page, brought.table())
    assert page.count("\n| ") > 5


def test_the_symptoms_are_those_of_the_doctor():
    assert (ROOT / "docs" / "symptoms" / "symptoms.md").read_text("utf-8") == symptoms.text()


def test_the_gallery_shows_every_recipe():
    page = (ROOT / "docs" / "recipes" / "index.md").read_text("utf-8")
    assert sorted(re.findall(r"^```\{grid-item-card\} (\S+)$", page, re.M)) == sorted(recipes.shipped())


def test_every_key_of_a_recipe_and_every_callback_is_explained():
    named = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "recipe_keys.md").read_text("utf-8")))
    known = [CALLBACKS.keys() - OF_KERAS.keys() - {"log_file"}, CONDITIONS.keys() - {"unconditional"}, LATENTS.keys()]
    for names in (schema.Recipe.model_fields.keys(), *known, *(NAMED[key].keys() for key in NAMED if key != "loss")):
        assert not names - named


def test_the_names_that_lead_into_the_reference_of_keras_exist():
    pytest.importorskip("sphinx")
    from docs.conf import KERAS

    for name, page in KERAS.items():
        operator.attrgetter(name.removeprefix("keras."))(keras)
        assert page.endswith("/")


def example(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "examples" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_parts_of_ones_own_are_short():
    parts = ("architecture", "callback", "condition", "loss", "penalty", "schedule", "trick")
    assert [path.stem for path in EXAMPLES] == [*(f"own_{part}" for part in parts), "without_adversary"]
    assert all(len(path.read_text().splitlines()) < 25 for path in EXAMPLES)


def test_own_loss(tmp_path):
    module = example("own_loss")
    gan = example("own_architecture").make()
    images = np.zeros((32, 8, 8, 1), "float32")
    history = module.train(gan, images, epochs=2).history
    logits = gan.discriminator(images[:1])
    assert float(module.Pearson().real(logits)[0, 0]) == pytest.approx((float(logits[0, 0]) - 1) ** 2 / 2)
    assert np.isfinite(history["d_loss"]).all()
    gan.save(tmp_path / "gan.keras")
    assert type(kgan.load(tmp_path / "gan.keras").loss) is module.Pearson


def test_terms_without_the_adversary_are_a_plain_training():
    """The generator's weights are those that Keras' own training with the mean absolute error makes."""
    draw = np.random.default_rng(0)
    given, real = (draw.uniform(-1, 1, (8, 8, 8, 1)).astype("float32") for _ in range(2))
    gan = kgan.GAN(translator(1, 1), patches(1, 1), condition="pairs")
    plain = keras.models.clone_model(gan.generator)
    plain.set_weights(gan.generator.get_weights())
    loss = example("without_adversary").WithoutAdversary()
    compiled(gan, d_opt=keras.optimizers.SGD(0.1), g_opt=keras.optimizers.SGD(0.1), loss=loss, terms=["l1"])
    before = gan.discriminator.get_weights()
    gan.fit(given, real, batch_size=8, epochs=3, verbose=0)
    plain.compile(keras.optimizers.SGD(0.1), "mean_absolute_error")
    plain.fit(given, real, batch_size=8, epochs=3, verbose=0)
    for ours, theirs in zip(gan.generator.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    assert any(
        np.abs(one - other).max() > 1e-3 for one, other in zip(gan.discriminator.get_weights(), before, strict=True)
    )


def test_own_schedule():
    gan = example("own_architecture").make()
    example("own_schedule").train(gan, np.zeros((32, 8, 8, 1), "float32"), epochs=3)
    assert (int(gan.d_opt.iterations), int(gan.g_opt.iterations)) == (3, 6)


def test_own_condition(tmp_path):
    condition = example("own_condition").Attributes(3)
    latents, images, attributes = (keras.Input(shape) for shape in ((4,), (8, 8, 1), (3,)))
    dense = keras.layers.Dense(64, "tanh")(keras.layers.Concatenate()([latents, attributes]))
    generator = keras.Model([latents, attributes], keras.layers.Reshape((8, 8, 1))(dense))
    features = keras.layers.Concatenate()([keras.layers.Flatten()(images), attributes])
    discriminator = keras.Model([images, attributes], keras.layers.Dense(1)(features))
    gan = compiled(kgan.GAN(generator, discriminator, 4, condition=condition), ema=0.9)
    given = np.random.default_rng(0).integers(0, 2, (32, 3))
    history = gan.fit(np.zeros((32, 8, 8, 1), "float32"), given, batch_size=16, verbose=0).history
    assert np.isfinite(history["d_loss"]).all()
    again = gan.generate(2, seed=1, labels=given[:2])
    latents = ops.convert_to_numpy(keras.random.normal((2, 4), seed=keras.random.SeedGenerator(1)))
    expected = gan.ema_generator.predict([latents, given[:2]], verbose=0)
    np.testing.assert_allclose(again, expected, atol=1e-6)
    with pytest.raises(ValueError, match="Attributes does not define `draw`, so images can be"):
        gan.generate(2)
    gan.save(tmp_path / "gan.keras")
    assert kgan.load(tmp_path / "gan.keras").condition.n == 3


def test_own_penalty():
    penalty = example("own_penalty").Lipschitz(10.0)
    assert float(penalty(lambda x: 3.0 * x, None, ops.ones((4, 1)), None)) == pytest.approx(10.0 * 4.0)
    assert float(penalty(lambda x: 0.5 * x, None, ops.ones((4, 1)), None)) == 0.0
    gan = compiled(example("own_architecture").make(), penalties=[penalty])
    assert "lipschitz" in gan.fit(np.zeros((16, 8, 8, 1), "float32"), verbose=0).history


def test_own_trick():
    trick = example("own_trick").FadingBlur(steps=10)
    image = np.zeros((1, 5, 5, 1), "float32")
    image[0, 2, 2, 0] = 9.0
    for updates, centre in ((0, 1.0), (5, 5.0), (10, 9.0), (20, 9.0)):
        seen = ops.convert_to_numpy(trick.change_images(ops.convert_to_tensor(image), updates, None))
        assert seen[0, 2, 2, 0] == pytest.approx(centre)
    gan = compiled(example("own_architecture").make(), tricks=[trick])
    gan.fit(np.zeros((16, 8, 8, 1), "float32"), verbose=0)
    assert gan.get_compile_config()["tricks"][0]["config"] == {"steps": 10}


def test_own_callback():
    gan = example("own_architecture").make()
    history = example("own_callback").train(gan, np.zeros((32, 8, 8, 1), "float32"), epochs=2).history
    expected = np.std(gan.generate(64, seed=0), axis=(1, 2, 3)).mean()
    assert history["contrast"][-1] == pytest.approx(float(expected), rel=1e-4) and len(history["contrast"]) == 2


def test_own_architecture():
    gan = compiled(example("own_architecture").make())
    gan.fit(np.zeros((16, 8, 8, 1), "float32"), verbose=0)
    assert gan.generate(2, seed=0).shape == (2, 8, 8, 1)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pictures_and_links_are_there(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), f"{page}: {target}"


def test_the_readme_in_python(tmp_path, monkeypatch):
    """Its code as it stands, but for two epochs."""
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert "epochs=400" in code and "every=20" in code
    exec(code.replace("epochs=400", "epochs=2, verbose=0").replace("every=20", "every=1"), {})
    assert (tmp_path / "samples" / "epoch-0002.png").exists()


def test_the_scripts_for_several_machines_can_be_read():
    folder = ROOT / "docs" / "devices"
    for script in sorted(folder.glob("*.sh")):
        assert not subprocess.run(["bash", "-n", script], capture_output=True).stderr, script
        assert "kgan train" in script.read_text()
    [job_set] = yaml.safe_load_all((folder / "jobset.yaml").read_text())
    [job] = job_set["spec"]["replicatedJobs"]
    [container] = job["template"]["spec"]["template"]["spec"]["containers"]
    given = {one["name"]: one.get("value") for one in container["env"]}
    assert given["KERAS_DISTRIBUTION_NUM_PROCESSES"] == str(job["template"]["spec"]["completions"])
    # a pod is called <job set>-<job>-<its number>-<number in the job>, in the domain of the job set
    name = f"{job_set['metadata']['name']}-{job['name']}-0-0.{job_set['metadata']['name']}"
    assert given["KERAS_DISTRIBUTION_JOB_ADDRESSES"].split(":")[0] == name
    compile((folder / "with_ray.py").read_text(), "with_ray.py", "exec")


def keys_named(page):
    """What the right column of the tables of docs/coming_from.md has: settings as they follow --set."""
    for line in page.splitlines():
        cells = line.strip("| ").split(" | ")
        if len(cells) == 2:  # of Python, what begins with kgan is not meant
            yield from (one for one in re.findall(r"`([a-z_.]+=[^`]+)`", cells[1]) if "kgan." not in one)


def test_keys_that_users_of_others_are_told_are_keys():
    """Each is accepted by one of the recipes that the page names."""
    told = sorted(set(keys_named((ROOT / "docs" / "coming_from.md").read_text("utf-8"))))
    assert len(told) > 20
    for setting in told:
        refused = []
        for name in ("pix2pix", "cyclegan", "wgan", "mnist"):
            given = recipes.read(name)
            try:
                recipes.override(given, [setting.replace("auto", "10")])  # which a folder of pictures settles
                schema.validate(given)
                break
            except RecipeError as error:
                refused.append(str(error))
        else:
            pytest.fail(f"{setting}: {refused}")
