"""Memory: how much there is, and that many pictures and many calls need no more of it than few."""

import gc
import os
import signal
import tracemalloc

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan import environment, latents
from kgan.extractors import extractor
from kgan.runner import sampling
from tests.helpers import compiled, small_discriminator, small_gan, small_generator

SHAPE = (32, 32, 3)
MANY = 1500  # images of 12 kB each as floats: 18 MB


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A GAN of small networks and larger images, and the file of its generator."""
    gan = small_gan(generator=small_generator(SHAPE), discriminator=small_discriminator(SHAPE))
    path = tmp_path_factory.mktemp("large") / "generator.keras"
    gan.generator.save(path)
    return gan, path


@pytest.mark.parametrize(
    "files, limit",
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "5000000\n"}, 5_000_000),
        (
            {
                "proc/self/cgroup": "0::/work.slice/job.scope\n",
                "sys/fs/cgroup/work.slice/memory.max": "3000000\n",
                "sys/fs/cgroup/work.slice/job.scope/memory.max": "max\n",
            },
            3_000_000,
        ),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/memory.max": "9000000\n",
                "sys/fs/cgroup/a/b/memory.max": "7000000\n",
            },
            7_000_000,
        ),
        ({"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, None),
        (
            {
                "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "6000000\n",  # the path is the host's
            },
            6_000_000,
        ),
        (
            {
                "proc/self/cgroup": "4:memory:/batch\n",
                "sys/fs/cgroup/memory/batch/memory.limit_in_bytes": "2000000\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            },
            2_000_000,
        ),
    ],
    ids=["no groups", "container", "parent", "own", "max", "version 1, container", "version 1"],
)
def test_the_limit_of_a_container_counts(tmp_path, files, limit):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert environment.memory_limit(tmp_path) == (limit or physical)


def test_a_machine_that_does_not_say_how_much_memory_it_has(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sysconf")
    assert environment.memory_limit(tmp_path) == 2**32


def test_a_folder_is_kept_in_memory_if_the_container_has_room(tmp_path, monkeypatch):
    for index in range(4):
        Image.fromarray(np.full((8, 8), index, "uint8")).save(tmp_path / f"{index}.png")
    for room, kept in ((4 * 64 * 8, True), (4 * 64 * 8 - 1, False)):
        monkeypatch.setattr(environment, "memory_limit", lambda room=room: room)
        assert (kgan.data.Folder(tmp_path).in_memory is not None) == kept


@pytest.mark.parametrize("n, batch_size", [(1, 256), (300, 256), (7, 3)])
def test_images_are_those_of_the_whole_array(large, n, batch_size):
    gan, _ = large
    noise = latents.normal((n, gan.latent_dim), keras.random.SeedGenerator(5))
    whole = gan.generator.predict(keras.ops.convert_to_numpy(noise), batch_size=batch_size, verbose=0)
    np.testing.assert_array_equal(gan.generate(n, seed=5, batch_size=batch_size), whole)
    samples = gan.samples(n, seed=5, batch_size=batch_size)
    assert samples.shape == whole.shape and max(len(part) for part in samples.parts()) <= batch_size
    np.testing.assert_array_equal(np.concatenate(list(samples.parts())), whole)
    np.testing.assert_allclose(samples[np.array([n - 1])], whole[-1:], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["x.npy", "folder"])
def test_many_samples_need_the_memory_of_few(large, tmp_path, name):
    gan, path = large
    asked = []

    def progress(parts, total):
        asked.append(total)
        return parts

    sampling.write(path, 1, 0, tmp_path / "one.npy")  # loads what is loaded once
    tracemalloc.start()
    sampling.write(path, MANY, 3, tmp_path / name, progress=progress)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < MANY * np.prod(SHAPE) * 4  # the size of the whole array
    assert asked == [6]  # batches of 256
    whole = gan.generate(MANY, seed=3)
    if name == "x.npy":
        np.testing.assert_array_equal(np.load(tmp_path / name), whole)
        np.save(tmp_path / "numpy.npy", whole)
        assert (tmp_path / name).read_bytes() == (tmp_path / "numpy.npy").read_bytes()
    else:
        assert len(list((tmp_path / name).iterdir())) == MANY
        with Image.open(tmp_path / name / "001499.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), kgan.pictures.pixels(whole[-1:])[0])


@pytest.mark.parametrize("name", ["x.npy", "folder", "film.gif"])
@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGTERM])
def test_nothing_half_written_stays(large, tmp_path, name, number):
    def progress(parts, total):
        for index, part in enumerate(parts):
            yield part
            if index == 1 and number is None:
                raise OSError("the disk is full")
            if index == 1:
                os.kill(os.getpid(), number)

    with pytest.raises(OSError if number is None else SystemExit) as caught:
        sampling.write(large[1], 9 if name == "film.gif" else 600, 0, tmp_path / name, progress=progress)
    assert number is None or caught.value.code == 128 + number
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_keeps_its_other_files(large, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    sampling.write(large[1], 2, 0, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000.png", "000001.png", "mine.txt"]
    assert not list(tmp_path.parent.glob(f".{tmp_path.name}*"))


def test_scores_look_at_a_few_images_at_a_time(large, monkeypatch):
    gan, _ = large
    monkeypatch.setattr(extractor, "AT_ONCE", 256)
    seen = []
    found = extractor.Extractor.__call__

    def watched(self, images):
        seen.append(len(images))
        return found(self, images)

    monkeypatch.setattr(extractor.Extractor, "__call__", watched)
    means = kgan.extractors.of_model(keras.Sequential([keras.Input(SHAPE), keras.layers.AveragePooling2D(16)]))
    real = np.random.default_rng(0).integers(0, 256, (40, *SHAPE), "uint8")
    scorer = kgan.scores.Scorer(real, extractor=means)
    [lazy] = scorer(gan.samples(600, seed=1), "frechet_distance")
    assert seen == [40, 256, 256, 88]
    [whole] = scorer(gan.generate(600, seed=1), "frechet_distance")
    assert lazy.value == whole.value and lazy.n_generated == 600
    with pytest.raises(
        kgan.scores.NotFiniteError, match="Generated examples must be finite. Received: NaN or infinity"
    ):
        scorer(np.full((20, *SHAPE), np.nan, "float32"), "frechet_distance")


def test_many_calls_keep_nothing(images, monkeypatch):
    gan = compiled()

    def kept():
        gc.collect()
        kinds = (keras.Variable, keras.Layer, keras.Optimizer, keras.callbacks.Callback, keras.random.SeedGenerator)
        return sum(issubclass(type(one), kinds) for one in gc.get_objects())

    def use():
        gan.generate(3, seed=1)
        gan.generate(2)
        gan.generate_grid(1, 2, seed=1)
        gan.fit(images, batch_size=20, verbose=0)
        gan.evaluate(images, verbose=0)

    use()
    before, made = kept(), []
    build = keras.Variable.__init__
    monkeypatch.setattr(keras.Variable, "__init__", lambda *args, **kwargs: made.append(1) or build(*args, **kwargs))
    for _ in range(3):
        use()
    assert kept() == before
    # TensorFlow never frees all memory of a variable: 35 kB for each that was ever made
    assert not made
