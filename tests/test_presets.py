"""Model cards and presets: what is written, that nothing private is in it, and that nothing that was changed is loaded."""

import json
import os
import shutil

import numpy as np
import pytest
import yaml

import kgan
from kgan.report import contents
from kgan.report.card import _public
from kgan.runner import preset_files, presets, sampling
from kgan.runner.errors import RecipeError
from tests.command_line import call_kgan, run_kgan
from tests.helpers import wrong


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on images of one's own, of two classes, in a folder whose path is nobody's business."""
    folder = tmp_path_factory.mktemp("private")
    random = np.random.default_rng(0)
    np.savez(folder / "mine.npz", images=random.integers(0, 256, (64, 8, 8, 1), "uint8"), labels=["cat", "dog"] * 32)
    words = ["data.path=mine.npz", "num_classes=2", "epochs=2", "latents=uniform"]
    score = "{name: score, metric: frechet_distance, every: 1 epoch, samples: 50, extractor: raw}"
    words += [f"callbacks=[{{name: image_grid, every: 1 epoch}}, {score}]"]
    settings = [word for one in words for word in ("--set", one)]
    call_kgan("train", "digits", *settings, "--out", folder / "pets", cwd=folder)
    return folder / "pets"


@pytest.fixture
def preset(run, tmp_path):
    presets.push(run, tmp_path / "preset", license="cc-by-4.0", data_license="Pictures of my own pets.")
    return tmp_path / "preset"


def test_a_preset_makes_the_images_of_its_run(run, preset):
    gan, whole = kgan.from_preset(preset), kgan.load(run / "generator.keras")
    assert gan.classes == ["cat", "dog"] and gan.latents == "uniform" and gan.latent_dim == 32
    images = gan.generate(5, seed=3, labels=[0, 1, 1, 0, 1])
    latents = np.asarray(kgan.latents.get("uniform")((5, 32), kgan.latents.seeds(3)))
    expected = whole.predict([latents, np.array([0, 1, 1, 0, 1])], verbose=0)
    np.testing.assert_allclose(images, expected, atol=1e-6)
    assert gan.generate_grid(2, 3, seed=0).shape == (6, 8, 8, 1)


def test_verbs_take_it(preset, tmp_path):
    call_kgan("sample", preset, "-n", 4, "--label", "dog", "-o", "x.npy", cwd=tmp_path)
    assert np.load(tmp_path / "x.npy").shape == (4, 8, 8, 1)
    assert "arrays of weights" in call_kgan("export", preset, "--to", "npz", "-o", "weights", cwd=tmp_path)


def test_the_card(run, preset):
    text = (preset / "README.md").read_text("utf-8")
    front = yaml.safe_load(text.split("---\n")[1])
    assert front["license"] == "cc-by-4.0" and front["pipeline_tag"] == "unconditional-image-generation"
    [measured] = front["model-index"][0]["results"][0]["metrics"]
    last = contents.read(run).scores[-1]
    assert measured["type"] == "frechet_distance" and measured["value"] == last.value
    for said in (
        "2 classes (cat, dog)",
        "Pictures of my own pets.",
        "128 images seen",
        "kgan sample preset",
        "symptoms",
    ):
        assert said in text
    assert "(samples.png)" in text and (preset / "samples.png").is_file()


def test_nothing_private_is_in_it(run, preset):
    for path in preset.iterdir():
        assert str(run.parent).encode() not in path.read_bytes(), path
        assert str(preset.parent).encode() not in path.read_bytes(), path
    assert yaml.safe_load((preset / "resolved.yaml").read_text())["data"]["path"] == "mine.npz"


def test_one_flipped_byte_is_refused(preset, tmp_path):
    for path in sorted(preset.iterdir()):
        if path.name != "preset.json":
            before = path.read_bytes()
            changed = bytearray(before)
            changed[len(changed) // 2] ^= 1
            path.write_bytes(changed)
            said = call_kgan("sample", preset, "-o", "x.png", cwd=tmp_path, code=2)
            assert f"{path} is damaged or was changed" in said and not (tmp_path / "x.png").exists()
            path.write_bytes(before)
    (preset / "samples.png").unlink()
    assert "samples.png is missing" in wrong(lambda: kgan.from_preset(preset))


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda index: {**index, "preset": 2}, "is of a later version of kgan"),
        (lambda index: {**index, "files": {}}, "lists other files than those of a preset"),
        (lambda index: {**index, "files": {**index["files"], "../x": {"bytes": 1, "sha256": "0" * 64}}}, "other files"),
        (lambda index: [], "cannot be read"),
        (lambda index: {**index, "classes": 5}, "cannot be read"),
        (lambda index: {**index, "classes": [1, 2]}, "other files"),
        (lambda index: {**index, "files": {"generator.keras": {"bytes": 2**40, "sha256": "0" * 64}}}, "other files"),
    ],
    ids=["later", "empty", "outside", "list", "classes", "numbers", "huge"],
)
def test_the_index_of_a_stranger(preset, change, said):
    index = json.loads((preset / "preset.json").read_text())
    (preset / "preset.json").write_text(json.dumps(change(index)))
    assert said in wrong(lambda: kgan.from_preset(preset))


def test_every_preset_that_kgan_brings():
    there = sorted(path.parent for path in preset_files.SHIPPED.glob("*/preset.json"))
    assert [path.name for path in there] == ["digits"]
    for path in there:
        preset_files.check(path)
        assert sum(one.stat().st_size for one in path.iterdir()) < 400_000


def test_digits_without_training(tmp_path):
    """The shipped preset makes digits: a classifier of scikit-learn recognizes them, all ten of them."""
    from sklearn.datasets import load_digits
    from sklearn.neighbors import KNeighborsClassifier

    run_kgan("sample", "digits", "-n", 200, "-o", "x.npy", cwd=tmp_path)
    images = (np.load(tmp_path / "x.npy") + 1) * 8
    digits = load_digits()
    judge = KNeighborsClassifier(5).fit(digits.data, digits.target)
    assert len(set(judge.predict(images.reshape(200, 64)))) == 10
    near = judge.kneighbors(images.reshape(200, 64))[0].mean()
    assert near < 1.5 * judge.kneighbors(digits.data[:200], 6)[0][:, 1:].mean()


def test_a_name_that_is_none(tmp_path):
    said = call_kgan("sample", "digit", cwd=tmp_path, code=2)
    assert "digit is not a run directory" in said and "nor a preset. Did you mean 'digits'?" in said


def test_a_run_that_has_not_ended(run, tmp_path):
    unfinished = tmp_path / "unfinished"
    shutil.copytree(run, unfinished)
    (unfinished / "generator.keras").unlink()
    assert "has ended" in call_kgan("push", unfinished, "x", cwd=tmp_path, code=2)
    assert not (tmp_path / "x").exists()


def test_a_card_in_the_run_directory(run, tmp_path):
    shutil.copytree(run, tmp_path / "pets")
    call_kgan("card", "pets", cwd=tmp_path)
    text = (tmp_path / "pets" / "README.md").read_text("utf-8")
    assert "![Generated images](samples/epoch-0002.png)" in text and "kgan sample pets -n 64" in text
    assert "None was given: ask the author" in text
    assert "is not a run directory" in call_kgan("card", "nowhere", cwd=tmp_path, code=2)


@pytest.fixture
def hub(preset, tmp_path, monkeypatch):
    """The cache of the Hub's client, with the preset as it would have been fetched; there is no network."""
    pytest.importorskip("huggingface_hub")
    from huggingface_hub import constants

    repository = tmp_path / "hub" / "models--owner--pets"
    revision = "0" * 40
    shutil.copytree(preset, repository / "snapshots" / revision)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(revision)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return repository / "snapshots" / revision


def test_from_the_hub(hub):
    assert kgan.from_preset("hf://owner/pets").generate(2, seed=0).shape == (2, 8, 8, 1)
    (hub / "resolved.yaml").write_text("latent_dim: 3")
    assert "is damaged or was changed" in wrong(lambda: kgan.from_preset("hf://owner/pets"))


def test_not_on_the_hub(hub):
    said = wrong(lambda: kgan.from_preset("hf://owner/others"))
    assert "hf://owner/others cannot be fetched, and no copy of it is on this machine" in said
    assert "which is hf://owner/name" in wrong(lambda: kgan.from_preset("hf://pets"))


def test_without_the_client_of_the_hub(monkeypatch):
    monkeypatch.setattr(preset_files.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RecipeError, match=r"pip install 'kgan\[hub\]'"):
        presets.find("hf://owner/name")


def test_a_checkpoint_beside_a_preset_is_not_loaded(preset, tmp_path):
    images = kgan.from_preset(preset).generate(2, seed=0, labels=[0, 1])
    shutil.copytree(kept(tmp_path), preset / "checkpoints")
    os.utime(preset / "generator.keras", (0, 0))
    assert np.array_equal(kgan.from_preset(preset).generate(2, seed=0, labels=[0, 1]), images)


def test_a_run_that_was_resumed_since_its_end_is_not_pushed(run, tmp_path):
    older = tmp_path / "older"
    shutil.copytree(run, older)
    shutil.copytree(kept(tmp_path), older / "checkpoints", dirs_exist_ok=True)
    os.utime(older / "generator.keras", (0, 0))
    assert "older than a checkpoint" in call_kgan("push", older, "x", cwd=tmp_path, code=2)


def kept(folder):
    """A folder with a checkpoint."""
    words = ["epochs=1", "generator.units=[8]", "callbacks=[{name: checkpoint, every: 1 epoch}]"]
    call_kgan("train", "digits", *(word for one in words for word in ("--set", one)), "--out", "saved", cwd=folder)
    return folder / "saved" / "checkpoints"


def test_a_second_push_keeps_other_files(run, preset):
    (preset / ".gitattributes").write_text("mine")
    presets.push(run, preset)
    assert (preset / ".gitattributes").read_text() == "mine"
    assert "None was given" in (preset / "README.md").read_text("utf-8")


def test_a_card_does_not_break_a_preset(preset):
    assert "whose checksums it would break" in call_kgan("card", preset, cwd=preset.parent, code=2)


def test_commands_in_cards_have_no_folders():
    words = [
        "train",
        "digits",
        "--set",
        "data.path=C:\\Users\\alice\\photos",
        "--out",
        "/home/alice/runs/x",
        "--set",
        "a=b",
    ]
    made = ["train", "digits", "--set", "data.path=photos", "--out", "x", "--set", "a=b"]
    assert _public(words) == made


def test_classes_as_names_of_files():
    assert sampling._in_a_name("x/../../evil:1 cat") == "x_.._.._evil_1 cat"
