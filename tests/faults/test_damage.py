"""Damaged and hostile files: checkpoints, recipes, generators. A clear refusal each, nothing executed, nothing written."""

import json
import pathlib
import shutil
import zipfile

import keras
import numpy as np
import pytest

import kgan
from kgan.callbacks import Checkpoint
from kgan.checkpoints import disk
from kgan.data import Batches
from kgan.files import checksum
from kgan.runner import build, recipes, schema
from kgan.runner.errors import RecipeError
from tests.helpers import compiled, largest_difference, small_discriminator, small_gan, state

MUTATIONS = 200


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with three checkpoints."""
    folder = tmp_path_factory.mktemp("saved")
    keras.utils.set_random_seed(1)
    images = np.random.default_rng(0).uniform(-1, 1, (24, 8, 8, 1)).astype("float32")
    compiled().fit(Batches(images, 8), epochs=3, verbose=0, callbacks=[Checkpoint(folder)])
    return folder


def mutate(path, draw):
    """Damage one file of a checkpoint in one of the ways that disks, copies and strangers have; say how."""
    file = path / draw.choice(["arrays.npz", "state.json", "manifest.json"])
    content = bytearray(file.read_bytes())
    how = draw.choice(["bit", "cut", "zeros", "empty", "gone", "link", "noise", "appended"])
    at = int(draw.integers(len(content)))
    if how == "bit":
        content[at] ^= 1 << int(draw.integers(8))
    elif how == "cut":
        content = content[:at]
    elif how == "zeros":
        content[at : at + 512] = bytes(len(content[at : at + 512]))
    elif how == "empty":
        content = bytearray()
    elif how == "noise":
        content = bytearray(draw.bytes(len(content)))
    elif how == "appended":
        content += draw.bytes(10)
    file.unlink()
    if how == "link":
        file.symlink_to("/etc/passwd")
    elif how != "gone":
        file.write_bytes(content)
    return f"{file.name}: {how} at {at}"


def test_damaged_checkpoints_are_passed_over(saved, tmp_path):
    draw = np.random.default_rng(4)
    damaged = 0
    for number in range(MUTATIONS):
        folder = tmp_path / str(number)
        shutil.copytree(saved, folder)
        before = {path.name: path.read_bytes() for path in (folder / "epoch-0003").iterdir()}
        what = mutate(folder / "epoch-0003", draw)
        if {path.name: path.read_bytes() for path in (folder / "epoch-0003").iterdir() if path.is_file()} == before:
            continue  # zeros where zeros were
        if what.startswith("manifest.json") and says(folder / "epoch-0003") == says(saved / "epoch-0003"):
            continue  # a space, say, became a tab
        newest, passed = disk.latest(folder)
        assert newest == folder / "epoch-0002", what
        assert len(passed) == 1 and "epoch-0003" in passed[0] and "\n" not in passed[0], (what, passed)
        with pytest.raises(ValueError, match="epoch-0003"):
            kgan.load(folder / "epoch-0003")
        damaged += 1
        shutil.rmtree(folder)
    assert damaged > 0.9 * MUTATIONS


def says(path):
    """What the manifest of a checkpoint holds, or `None` where it cannot be read."""
    try:
        return json.loads((path / "manifest.json").read_text())
    except (OSError, ValueError):
        return None


def test_going_on_from_the_one_before_says_so(saved, tmp_path, caplog):
    shutil.copytree(saved, tmp_path / "c")
    (tmp_path / "c" / "epoch-0003" / "arrays.npz").write_bytes(b"broken")
    gan = compiled()
    images = np.random.default_rng(0).uniform(-1, 1, (24, 8, 8, 1)).astype("float32")
    gan.fit(Batches(images, 8), epochs=3, verbose=0, callbacks=[Checkpoint(tmp_path / "c", resume=True)])
    assert (
        "epoch-0003/arrays.npz is not the file that was written" in caplog.text
        and "the one before it is used" in caplog.text
    )
    assert "Resuming from" in caplog.text and "epoch-0002" in caplog.text
    assert largest_difference(state(gan), state(kgan.load(saved / "epoch-0003"))) <= (
        1e-6 if keras.backend.backend() == "torch" else 0.0
    )
    assert kgan.load(tmp_path / "c" / "epoch-0003")  # the broken one was replaced


def test_what_is_being_deleted_is_no_checkpoint(saved, tmp_path, monkeypatch):
    """Killed when only one of its files is gone: it is not there, and its rest is gone with the next start."""
    shutil.copytree(saved, tmp_path / "c")

    def killed(path, **_):
        (path / "state.json").unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(shutil, "rmtree", killed)
        disk.delete(tmp_path / "c" / "epoch-0002")
    assert [path.name for path in disk.all_in(tmp_path / "c")] == ["epoch-0001", "epoch-0003"]
    assert disk.latest(tmp_path / "c") == (tmp_path / "c" / "epoch-0003", [])
    disk.clean(tmp_path / "c")
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == ["epoch-0001", "epoch-0003"]


def test_only_what_kgan_hides_is_cleaned_away(tmp_path):
    for name in (".venv3.12", ".git.bak", ".x.new", ".epoch-0001.old12", ".epoch-0002.new7"):
        (tmp_path / name).mkdir()
    disk.clean(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".git.bak", ".venv3.12", ".x.new"]


def test_a_whole_checkpoint_that_only_lacked_its_name_gets_it(saved, tmp_path):
    """Killed between the last file and the renaming."""
    shutil.copytree(saved / "epoch-0001", tmp_path / "c" / "epoch-0001")
    shutil.copytree(saved / "epoch-0002", tmp_path / "c" / ".epoch-0002.new7")
    shutil.copytree(saved / "epoch-0003", tmp_path / "c" / ".epoch-0003.old7")
    shutil.copytree(saved / "epoch-0001", tmp_path / "c" / ".epoch-0001.new7")
    shutil.copytree(saved / "epoch-0003", tmp_path / "c" / ".epoch-0004.new7")
    (tmp_path / "c" / ".epoch-0004.new7" / "manifest.json").unlink()
    disk.clean(tmp_path / "c")
    assert sorted(path.name for path in (tmp_path / "c").iterdir()) == ["epoch-0001", "epoch-0002"]
    disk.verify(tmp_path / "c" / "epoch-0002")


def test_another_gans_checkpoint_is_refused(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "c")
    other = compiled(small_gan(discriminator=lambda: small_discriminator(batch_norm=False)))
    before = state(other)
    with pytest.raises(ValueError, match="epoch-0003 does not fit this GAN, whose discriminator has other variables"):
        other.fit(
            np.zeros((8, 8, 8, 1), "float32"), verbose=0, epochs=9, callbacks=[Checkpoint(tmp_path / "c", resume=True)]
        )
    assert largest_difference(state(other), before) == 0.0


def seal(path):
    """Give a changed checkpoint a manifest that holds, as a stranger would."""
    manifest = json.loads((path / "manifest.json").read_text())
    for name in manifest["files"]:
        manifest["files"][name] = checksum(path / name)
    (path / "manifest.json").write_text(json.dumps(manifest))


def rewrite(path, change, compression=zipfile.ZIP_STORED):
    """Write the arrays of a checkpoint anew, after `change` of a dict from member names to bytes."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def huge_header(members):
    name = next(iter(members))
    members[name] = members[name].replace(b"'shape': (", b"'shape': (9999999999, ", 1)


def pickled(members):
    members[next(iter(members))] = (
        b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(128) + b"\x80\x04."
    )


def bomb(members):
    members[next(iter(members))] = bytes(50_000_000)


def outside(members):
    members["../../outside.npy"] = members.pop(next(iter(members)))


@pytest.mark.parametrize("change", [huge_header, pickled, bomb, outside], ids=lambda change: change.__name__)
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def test_hostile_arrays(saved, tmp_path, change, compression):
    path = tmp_path / "a" / "b" / "c"
    shutil.copytree(saved / "epoch-0003", path)
    rewrite(path / "arrays.npz", change, compression)
    seal(path)
    with pytest.raises(ValueError, match="arrays.npz"):
        kgan.load(path)
    assert not list(tmp_path.rglob("outside*"))


def test_hostile_states(saved, tmp_path):
    """A configuration with a lambda, with a function of Python's, or nested without end."""
    for number, harm in enumerate(
        (
            {"class_name": "__lambda__", "config": {"value": "4wAAAAA="}},
            {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
            {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"},
        )
    ):
        path = tmp_path / str(number)
        shutil.copytree(saved / "epoch-0003", path)
        whole = json.loads((path / "state.json").read_text())
        whole["gan"]["config"]["latents"] = harm
        (path / "state.json").write_text(json.dumps(whole))
        seal(path)
        with pytest.raises((ValueError, TypeError)):
            kgan.load(path)
    (path / "state.json").write_text("[" * 200_000 + "]" * 200_000)
    seal(path)
    with pytest.raises(ValueError, match="state.json cannot be read"):
        kgan.load(path)


def test_generators_of_strangers(tmp_path):
    """Lambda layers are refused, on the command line as in Python."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "generator.keras")
    with pytest.raises((ValueError, TypeError), match="[Ll]ambda"):
        kgan.load(tmp_path / "generator.keras")
    from kgan.runner import sampling

    with pytest.raises(RecipeError, match="does not contain a generator that can be loaded"):
        sampling.write(tmp_path / "generator.keras", 1, 0, tmp_path / "x.npy")
    assert not (tmp_path / "x.npy").exists()


def test_archives_that_unfold_without_end_or_lead_elsewhere(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "good.keras")
    assert kgan.load(tmp_path / "good.keras").count_params() == 3
    for name, content in (("assets/zeros", bytes(300_000_000)), ("../outside", b"x"), ("/tmp/outside", b"x")):
        path = tmp_path / "bad.keras"
        shutil.copy(tmp_path / "good.keras", path)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        with pytest.raises(ValueError, match="far more than a model file|outside of the archive"):
            kgan.load(path)


PIECES = ["!!python/object/apply:os.system ['touch CANARY']", "&a [*a]", "{", "}", "[", "]", ": ", "- ", "\t", "\x00",
"'", '"', "!!binary x",
          "<<: *x", "../../etc/passwd", "1e999", "-1", "null", "9" * 400, "\ufeff", "%YAML 9.9\n", "---\n", "? ", "|",
          "name", "dense", "🙂"]  # fmt: skip


def test_mutated_recipes(tmp_path, monkeypatch):
    """Each is a recipe still, or refused in lines that name it; none makes a file."""
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(5)
    originals = [recipes.read(name).text for name in recipes.shipped()]
    refused = 0
    for _ in range(MUTATIONS):
        text = originals[draw.integers(len(originals))]
        for _ in range(int(draw.integers(1, 4))):
            at, length = int(draw.integers(len(text))), int(draw.integers(0, 12))
            text = text[:at] + str(draw.choice(PIECES)) + text[at + length :]
        pathlib.Path("recipe.yaml").write_text(text, "utf-8")
        try:
            given = recipes.read("recipe.yaml")
            build.build_rules(schema.validate(given), given)
        except RecipeError as error:
            refused += 1
            assert all(line.startswith("recipe.yaml") for line in str(error).splitlines()), str(error)
        assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]
    assert refused > 0.8 * MUTATIONS
