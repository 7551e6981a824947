"""A wrong recipe ends in its file, line, column and key, what was expected, and exit code 2; nothing is written."""

import jsonschema
import numpy as np
import pytest

from kgan.runner import auto, loader

GOOD = """\
latent_dim: 8
data: {name: digits, batch_size: 32}
generator:
  name: dense
  units: [16]
discriminator:
  name: dense
  units: [16]
  dropout: 0.2
loss: non_saturating
schedule: {name: alternating, d_steps: 2}
penalties: [{name: r1, weight: 1}]
optimizers:
  discriminator: {name: adam, learning_rate: 1e-3}
  generator: {name: adam, learning_rate: 1e-3}
epochs: 1
callbacks:
  - {name: image_grid, every: 1 epoch}
"""

# what to write in the place of what, and what is said of it; an editor that has the JSON schema says so too
OF_FORM = [
    ("latent_dim: 8", "latent_dim: eight", "1:1  latent_dim: must be a valid integer, not 'eight'"),
    ("latent_dim: 8", "latent_dim: 0", "1:1  latent_dim: must be greater than or equal to 1, not 0"),
    ("latent_dim: 8", "latent_dim: 8.5", "1:1  latent_dim: must be a valid integer"),
    ("latent_dim: 8", "latents: gauss", "1:1  latents: must be 'normal', 'sphere' or 'uniform', not 'gauss'"),
    ("latent_dim: 8", "seed: " + "9" * 5000, "1:1  seed: must be a valid integer"),
    ("latent_dim: 8", "jit_compile: {a: 1}", "1:1  jit_compile: must be"),
    ("data: {name: digits, batch_size: 32}\n", "", "data: missing"),
    ("name: digits, ", "", '2:1  data: must have a `name`, the `path` of a file or folder, or two domains'),
    ("name: digits", "name: digits, flip: maybe", "2:22  data.flip: must be a valid boolean, not 'maybe'"),
    ("name: digits", "name: digits, size: [8]  ", "2:22  data.size"),
    ("name: digits", "name: digits, size: big", "2:22  data.size: must be a number of pixels or [height, width]"),
    ("name: digits", "name: digits, channels: 4", "2:22  data.channels: must be 1 or 3, not 4"),
    ("name: digits", "name: digits, resize: big", "2:22  data.resize: must be a number of pixels or [height, width]"),
    ("name: digits", "name: digits, direction: ab", "2:22  data.direction: must be 'a_to_b' or 'b_to_a', not 'ab'"),
    ("name: digits", "name: digits, kind: maps", "2:22  data.kind: must be 'images' or 'labels', not 'maps'"),
    ("name: digits", "name: digits, validation: 0.1", "2:22  data.validation: must be a valid string, not 0.1"),
    ("digits", "digit", '2:8  data.name: unknown name "digit", did you mean "digits"?'),
    ("batch_size: 32", "batch_size: 0", "2:22  data.batch_size: must be greater than or equal to 1"),
    ("batch_size: 32", "batchsize: 32", '2:22  data.batchsize: unknown key, did you mean "batch_size"?'),
    ("batch_size: 32", "batch_size: 99999999999999999999", "2:22  data.batch_size: must be less than"),
    ("name: dense\n  units: [16]\ndisc", "name: dnse\n  units: [16]\ndisc", '4:3  generator.name: unknown name "dnse"'),
    ("name: dense\n  units: [16]\ndisc", "name: dcgan\n  filters: -1\ndisc", "5:3  generator.filters: must be greater"),
    ("units: [16]\ndisc", "units: [0]\ndisc", "5:11  generator.units[0]: must be greater than or equal to 1"),
    ("units: [16]\ndisc", "units: 16\ndisc", "5:3  generator.units: "),
    ("units: [16]\ndisc", "units: [a]\ndisc", "generator.units[0]: must be a valid integer, not 'a'"),
    ("units: [16]\ndisc", "units: [99999999999999]\ndisc", "5:11  generator.units[0]: must be less than"),
    ("name: dense\n  units: [16]\n  dropout", "name: dnse\n  units: [16]\n  dropout",
     '7:3  discriminator.name: unknown name "dnse", did you mean "dense"?'),
    ("dropout", "droput", '9:3  discriminator.droput: unknown key, did you mean "dropout"?'),
    ("dropout: 0.2", "dropout: 1.5", "9:3  discriminator.dropout: must be less than 1, not 1.5"),
    ("dropout: 0.2", "dropout: a lot", "9:3  discriminator.dropout: must be a valid number, not 'a lot'"),
    ("loss: non_saturating", "loss: hing", '10:1  loss: unknown name "hing", did you mean "hinge"?'),
    ("non_saturating", "nonsaturating", '10:1  loss: unknown name "nonsaturating", did you mean "non_saturating"?'),
    ("d_steps: 2", "k: 2", "11:31  schedule.k: unknown key"),
    ("name: r1", "name: r3", '12:14  penalties[0].name: unknown name "r3"; known are dragan, drift, gradient_penalty'),
    ("weight: 1}", "weight: {name: linear, start: 1, end: 2, steps: 0}}", "penalties[0].weight.steps: must be greater than"),
    ("weight: 1}", "weight: {name: cosine, start: 1, steps: 4}}", "penalties[0].weight.end: missing"),
    ("weight: 1}", "weight: {name: cosin, start: 1}}", 'weight.name: unknown name "cosin", did you mean'),
    ("optimizers:", "optimizers: null\nx:", "optimizers: must be a mapping"),
    ("learning_rate: 1e-3}\n  gen", "lr: 1e-3}\n  gen", '14:31  optimizers.discriminator.lr: unknown key'),
    ("learning_rate: 1e-3}\n  gen", "learning_rate: -1}\n  gen", "14:31  optimizers.discriminator.learning_rate: must be"),
    ("learning_rate: 1e-3}\n  gen", "clipnorm: x}\n  gen", "14:31  optimizers.discriminator.clipnorm: must be"),
    ("learning_rate: 1e-3}\n  gen", "epsilon: -1}\n  gen", "14:31  optimizers.discriminator.epsilon: must be"),
    ("learning_rate: 1e-3}\n  gen", "use_ema: true}\n  gen", "14:31  optimizers.discriminator.use_ema: unknown key"),
    ("rate: 1e-3}\n  gen", "rate: {name: cosne}}\n  gen", 'learning_rate.name: unknown name "cosne", did you mean'),
    ("rate: 1e-3}\n  gen", "rate: {decay_steps: 9}}\n  gen", "14:31  optimizers.discriminator.learning_rate: must be a"),
    ("rate: 1e-3}", "rate: {name: cosine_decay, initial_learning_rate: 1, decay_steps: 0}}", "decay_steps: must be greater"),
    ("rate: 1e-3}\n  gen", "rate: {name: inverse_time_decay, initial_learning_rate: 0}}\n  gen", "rate: must be greater"),
    ("generator: {name: adam, learning_rate: 1e-3}", "generator: {name: adam, lr: 1}",
     "15:27  optimizers.generator.lr: unknown key"),
    ("epochs: 1", "epoch: 1", '16:1  epoch: unknown key, did you mean "epochs"?'),
    ("epochs: 1", "epochs: 1\nema: 1.5", "17:1  ema: must be less than 1, not 1.5"),
    ("epochs: 1", "epochs: 1\njit_compile: perhaps", "17:1  jit_compile: "),
    ("epochs: 1", "epochs: 1\naugment: {name: ada, policy: color}", "17:22  augment.policy: must be a list, not 'color'"),
    ("epochs: 1", "epochs: 0", "16:1  epochs: must be greater than or equal to 1, not 0"),
    ("epochs: 1", "epochs: 1\ntricks: [weight_clp]", '17:10  tricks[0]: unknown name "weight_clp", did you mean'),
    ("epochs: 1", "epochs: 1\naugment: diff",
     '17:1  augment: unknown name "diff"; known are ada, diff_augment, transforms'),
    ("epochs: 1", "epochs: 1\naugment: {name: diff_augment, policy: [colour]}",
     "augment.policy[0]: must be 'color', 'translation' or 'cutout', not 'colour'"),
    ("epochs: 1", "epochs: 1\naugment: {name: ada, p: 0.5}", "17:22  augment.p: unknown key"),
    ("epochs: 1", "epochs: 1\naugment: {name: transforms, p: often}", "augment.p: must be a valid number, not 'often'"),
    ("epochs: 1", "epochs: 1\nema: {name: linear, start: low, end: 1, steps: 4}",
     "ema.start: must be a valid number, not 'low'"),
    ("epochs: 1", "epochs: 1\nema: {name: linear, start: 0, end: 1, steps: 4, step: 2}",
     "ema.step: unknown key, did you mean"),
    ("epochs: 1", "epochs: 1\nema: {name: cosine_decay}",
     'ema.name: unknown name "cosine_decay", did you mean "cosine"?'),
    ("image_grid", "imagegrid", '18:6  callbacks[0].name: unknown name "imagegrid", did you mean "image_grid"?'),
    ("image_grid", "log_file", "18:6  callbacks[0].name: unknown name"),
    ("every: 1 epoch", "rows: many", "18:24  callbacks[0].rows: must be a valid integer, not 'many'"),
    ("every: 1 epoch", "rows: 0", "18:24  callbacks[0].rows: must be greater than or equal to 1"),
    ("every: 1 epoch", "colums: 3", '18:24  callbacks[0].colums: unknown key, did you mean "columns"?'),
    ("every: 1 epoch", "evry: 2", "18:24  callbacks[0].evry: unknown key, did you mean"),
    (GOOD, "just a sentence", "1:1  a recipe is a mapping of keys"),
    (GOOD, "", "1:1  a recipe is a mapping of keys"),
    (GOOD, "- 1\n", "1:1  a recipe is a mapping of keys"),
]  # fmt: skip

# what an editor cannot see
OF_SENSE = [
    ("latent_dim: 8", "name: ../x", "1:1  name: must be a name for a folder"),
    ("latent_dim: 8", 'name: "a\\0b"', "1:1  name: must be a name for a folder"),
    ("latent_dim: 8", "seed: !!str 3", "1:7  seed: tags"),
    ("latent_dim: 8", "pack: 33", "1:1  pack: `pack` must be at most the batch size, 32. Received: 33"),
    ("name: digits", "path: nowhere/at/all", "2:8  data.path: there is no file or folder nowhere/at/all"),
    ("name: digits", "name: ring, modes: 0", "2:20  data.modes: `modes` of ring must be above 0"),
    ("digits", "digits, direction: b_to_a", "2:22  data.direction: is for pairs of images; set `condition: pairs`, or"),
    ("digits", "digits, kind: labels", "2:22  data.kind: is for pairs of images; set `condition: pairs`, or leave `kind`"),
    ("digits", "digits, resize: 9", "2:1  data: `resize` must be at least `size`, which is that of the random part"),
    ("digits", "digits, resize: [9, 8], size: 9", "Received: `resize` 9 x 8, `size` 9 x 9"),
    ("digits", "digits, validation: train", "2:1  data: `validation` must be another split than train, which is"),
    ("digits", "digits, validation: val, validation_split: 0.1", "2:1  data: give one of `validation`, the name of a split"),
    ("digits", "digits, validation: val", "2:22  data.validation: `split` of digits must be 'train': it is not"),
    ("batch_size: 32", "batch_size: 32, split: test", "2:38  data.split: `split` of digits must be 'train'"),
    ("units: [16]\ndisc", "conditioning: batch_norm\ndisc", "5:3  generator.conditioning: `conditioning` batch_norm needs"),
    ("dropout: 0.2", "dropout: 0.2\n  dropout: 0.3", "10:3  discriminator.dropout: given twice"),
    ("dropout: 0.2", "activation: sigmod", "6:1  discriminator: "),
    ("loss: non_saturating", "loss: relativistic\nschedule: combined\n_", "11:1  schedule: "),
    ("d_steps: 2", "d_steps: 0", "11:31  schedule.d_steps: `d_steps` of Alternating must be an integer >= 1"),
    ("weight: 1", "weight: -1", "12:24  penalties[0].weight: `weight` of R1 must be a number >= 0. Received: -1"),
    ("weight: 1}", "weight: 1}, r1", "12:36  penalties[1]: r1 is listed twice"),
    ("weight: 1}", "weight: 1}, {name: r1}", "12:36  penalties[1]: r1 is listed twice"),
    ("learning_rate: 1e-3}\n  gen", "learning_rate: .inf}\n  gen", "14:31  optimizers.discriminator.learning_rate: must"),
    ("rate: 1e-3}\n  gen", "rate: cosine_decay}\n  gen", "learning_rate: must be a valid number, not 'cosine_decay'"),
    (
        "rate: 1e-3}\n  gen", "rate: {name: linear, start: -1, end: 1, steps: 9}}\n  gen",
        "14:31  optimizers.discriminator.learning_rate: `learning_rate` of adam must stay >= 0, and not be 0 throughout.",
    ),
    (
        "rate: 1e-3}\n  gen", "rate: 1e-3, beta_1: {name: linear, start: 0, end: 1, steps: 9}}\n  gen",
        "14:52  optimizers.discriminator.beta_1: `beta_1` of adam must stay in [0, 1)",
    ),
    ("epochs: 1", "epochs: 1\nsteps: 3", "give the length of the run once, as `epochs` or as `steps`"),
    ("epochs: 1", "epochs: 1\n\tseed: 3", "17:1  not YAML"),
    ("epochs: 1", "epochs: !!python/name:os.system", "16:9  epochs: tags (words with a `!`) are not allowed"),
    ("epochs: 1", "epochs: 1\nepochs: 3", "17:1  epochs: given twice"),
    ("epochs: 1", "epochs: 1\nseed: !!python/object:os.system 3", "17:7  seed: tags (words with a `!`) are not allowed"),
    ("epochs: 1", "epochs: 1\nseed: [1", "not YAML"),
    ("image_grid, every: 1 epoch", "checkpoint, monitor: dloss", "18:24  callbacks[0].monitor: `monitor` of Checkpoint"),
    ("every: 1 epoch", "every: sometimes", "18:24  callbacks[0].every: `every` of ImageGrid must be a number of epochs"),
    ("every: 1 epoch}", "every: 1 epoch}\n  - image_grid", "19:5  callbacks[1]: image_grid is listed twice"),
    ("epochs: 1", "epochs: 1\ntricks: [{name: instance_noise, std: 0}]", "17:33  tricks[0].std: `std` of InstanceNoise"),
    ("epochs: 1", "epochs: 1\nnum_classes: 10\ncondition: {name: classes, n: 10}", "18:1  condition: `num_classes` is"),
    ("epochs: 1", "epochs: 1\ntricks: [label_flip, label_flip]", "17:22  tricks[1]: label_flip is listed twice"),
]  # fmt: skip
CASES = OF_FORM + OF_SENSE


def spoil(right, wrong):
    assert right in GOOD
    return GOOD.replace(right, wrong, 1).replace("\n_\nschedule: {name: alternating, d_steps: 2}", "")


@pytest.fixture
def complain(tmp_path, call):
    """What `kgan train recipe.yaml` says of a text, which it must refuse."""

    def run(text):
        (tmp_path / "recipe.yaml").write_text(text)
        said = call("train", "recipe.yaml", code=2)
        assert [path.name for path in tmp_path.iterdir() if path.suffix != ".npy"] == ["recipe.yaml"]
        return said

    return run


@pytest.mark.parametrize("right, wrong, expected", CASES, ids=[wrong[:30] for _, wrong, _ in CASES])
def test_wrong_recipe(complain, right, wrong, expected):
    text = spoil(right, wrong)
    place = "recipe.yaml:" if expected[0].isdigit() else ""
    assert place + expected in complain(text)


def test_an_editor_refuses_it_too():
    editor = jsonschema.Draft202012Validator(auto.json_schema())
    editor.validate(loader.load(GOOD, "recipe.yaml")[0])
    for right, wrong, expected in OF_FORM:
        assert not editor.is_valid(loader.load(spoil(right, wrong), "recipe.yaml")[0]), expected


def test_all_that_is_wrong_is_said_at_once(complain):
    text = GOOD.replace("dropout", "droput").replace("epochs: 1", "epochs: one").replace("r1", "r2x")
    lines = complain(text).splitlines()
    assert [line.split("  ")[0] for line in lines] == ["recipe.yaml:9:3", "recipe.yaml:12:14", "recipe.yaml:16:1"]
    text = GOOD.replace("d_steps: 2", "d_steps: 0").replace("weight: 1", "weight: -1").replace("1 epoch", "never")
    lines = complain(text).splitlines()
    assert [line.split(" ")[2] for line in lines] == [
        "schedule.d_steps:",
        "penalties[0].weight:",
        "callbacks[0].every:",
    ]


def test_players_that_do_not_fit_the_images_name_the_player(complain, tmp_path):
    np.save(tmp_path / "odd.npy", np.zeros((5, 30, 30), "uint8"))
    text = GOOD.replace("name: digits", "path: odd.npy").replace("name: dense\n  units: [16]", "name: dcgan", 1)
    assert "recipe.yaml:3:1  generator: dcgan halves an image at least twice" in complain(text)
    assert "the nearest that fits is 32 x 32" in complain(text)
