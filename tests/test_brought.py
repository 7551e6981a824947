"""What users give to `fit`: each form trains exactly as the plain array does, or ends in one sentence."""

import itertools
import logging
import re

import h5py
import keras
import numpy as np
import pytest
from keras import layers

import kgan
from kgan import files
from kgan.architectures import dense
from kgan.data import Batches, Data, brought
from kgan.players import check
from tests.brought import brings
from tests.helpers import compiled, largest_difference, small_discriminator, small_gan, state, values

BACKEND = keras.backend.backend()
PIXELS = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1)).astype("uint8")
FLOATS = (PIXELS.astype("float32") - 127.5) / 127.5
NAMES = np.array(["cat", "dog"] * 16)
NUMBERS = np.arange(32) % 2
FOUR = {"verbose": 0, "shuffle": False, "steps_per_epoch": 4}
IN_ORDER = {"batch_size": 8, "shuffle": False, "verbose": 0}


@pytest.fixture(scope="module")
def trained():
    """A function that trains the same GAN from the same state by `fit(gan)`, and returns the state after it.

    TensorFlow would trace the step again for tensors of any rank; what is fitted under one `form` is traced together.
    """
    gan = compiled(small_gan(discriminator=lambda: small_discriminator(rate=0)))
    gan.fit(PIXELS, **IN_ORDER)
    begin = [np.copy(value) for value in values(gan.variables + gan.d_opt.variables + gan.g_opt.variables)]

    functions = {}

    def train(fit, form=None):
        gan.train_function = functions.get(form)
        for variable, value in zip(gan.variables + gan.d_opt.variables + gan.g_opt.variables, begin, strict=True):
            variable.assign(value)
        fit(gan)
        if form:
            functions[form] = gan.train_function
        return state(gan)

    return train


@pytest.fixture(scope="module")
def plain(trained):
    return trained(lambda gan: gan.fit(PIXELS, **IN_ORDER), "arrays")


ARRAYS = {
    "int64": PIXELS.astype("int64"),
    "int32": PIXELS.astype("int32"),
    "no channel axis": PIXELS[..., 0],
    "channels first": np.moveaxis(FLOATS, -1, 1),
    "list": list(PIXELS),
    "list without channels": list(FLOATS[..., 0]),
    "numbers of Python": PIXELS.tolist(),
    "mapping": {"image": PIXELS},
    "pair": (PIXELS, NAMES),
    "data": Data(PIXELS, NUMBERS),
}


@brings("arrays", "uint8 `(n, height, width, channels)`", "scaled to the range of the generator's images")
@brings("arrays", "whole numbers of another type in [0, 255]", "the same")
@brings(
    "arrays", "images without a channel axis, or with the channels first", "trained on, where they fit the generator"
)
@brings("arrays", "a list of arrays, lists of numbers, a mapping with one entry of images", "one array")
@brings("arrays", "`(images, labels)`, `kgan.data.Data`", "images and labels")
@pytest.mark.parametrize("form", ARRAYS)
def test_arrays(trained, plain, form):
    assert largest_difference(trained(lambda gan: gan.fit(ARRAYS[form], **IN_ORDER), "arrays"), plain) < 1e-6


@brings("arrays", "True and False", "white and black")
def test_booleans(trained):
    white = PIXELS > 127
    expected = trained(lambda gan: gan.fit(white.astype("uint8") * 255, **IN_ORDER), "arrays")
    assert largest_difference(trained(lambda gan: gan.fit(white, **IN_ORDER), "arrays"), expected) < 1e-6


@pytest.fixture
def warned(caplog):
    """A function that returns what was logged, sentences that are said once in a process too."""
    files.warn_once.cache_clear()
    caplog.set_level(logging.WARNING, "kgan")
    return lambda: caplog.text


@brings("arrays", "whole numbers 0 and 1, such as masks", "black and white, and a line says so")
@pytest.mark.parametrize("dtype", ["uint8", "int64", "Batches"])
def test_masks(trained, warned, dtype):
    white = PIXELS > 127
    images = Batches(white.astype("uint8"), 8) if dtype == "Batches" else white.astype(dtype)
    if dtype == "Batches":
        assert images.images.max() == 255
    else:
        expected = trained(lambda gan: gan.fit(white, **IN_ORDER), "arrays")
        assert largest_difference(trained(lambda gan: gan.fit(images, **IN_ORDER), "arrays"), expected) < 1e-6
    assert "0 and 1: they become black and white" in warned()


@brings("datasets", "batches of whole numbers 0 and 1", "a warning that they are nearly black, with what mends it")
@pytest.mark.parametrize("form", ["generator", "mapped", "tf.data"])
def test_streams_of_masks(trained, warned, tmp_path, form):
    masks = (PIXELS > 127).astype("int64" if form == "tf.data" else "uint8")
    if form == "tf.data":
        source = pytest.importorskip("tensorflow").data.Dataset.from_tensor_slices(masks).batch(8)
    elif form == "mapped":
        source = Batches(on_disk("mapped", tmp_path, masks), 8)
    else:
        source = iter(np.split(masks, 4))
    trained(lambda gan: gan.fit(source, **FOUR))
    assert "all of them are nearly black. x.astype(bool)" in warned()


@brings("arrays", "`None`, a path, names, a number", "one sentence that says what is expected, or reads the path")
def test_what_holds_no_images(tmp_path):
    gan = compiled()
    for given in (None, 3, ["a.png", "b.png"]):
        with pytest.raises(ValueError, match="`x` must be images: an array .*, a kgan.data.Folder.path. of pictures"):
            gan.fit(given, verbose=0)
    with pytest.raises(
        ValueError, match=re.escape("must be images. kgan.data.Folder('pics/') reads them. Received: the")
    ):
        gan.fit("pics/", verbose=0)
    (tmp_path / "a.npz").touch()
    with pytest.raises(ValueError, match=re.escape("kgan.data.load(path=...).images reads them")):
        gan.evaluate(tmp_path / "a.npz", verbose=0)


@brings("arrays", "flattened images, `(n, 64)`, for images of 8 x 8", "one sentence with the `reshape` that mends it")
def test_flattened_images():
    said = "Received: (batch, 64). They look like flattened images: x.reshape(-1, 8, 8, 1) gives them that shape."
    with pytest.raises(ValueError, match=re.escape(said)):
        compiled().train_on_batch(FLOATS.reshape(32, 64))


DEEP = {
    "uint16": (PIXELS.astype("uint16") * 257, "from 0 to 65535. np.rint(x * (255 / 65535)).astype('uint8')"),
    "12 bits": (PIXELS.astype("int32") * 16, "from 0 to 4080. np.rint(x * (255 / 4095)).astype('uint8')"),
    "int8": ((PIXELS - 128.0).astype("int8"), "from -128 to 127. np.rint((x + 128) * (255 / 255)).astype('uint8')"),
}


@brings("arrays", "whole numbers outside of [0, 255]", "one sentence with the expression that scales them")
@pytest.mark.parametrize("form", DEEP)
def test_more_than_8_bits(trained, form):
    images, said = DEEP[form]
    with pytest.raises(ValueError, match=re.escape(said)):
        trained(lambda gan: gan.fit(images, **IN_ORDER))
    low, high = float(images.min()), float(images.max())
    with pytest.raises(ValueError, match=re.escape(said.split(". ")[1])):
        check.check_range("whole numbers", low, high, (-1, 1))


@brings("arrays", "an array of objects, each an image", "one array")
def test_images_as_objects():
    objects = np.empty(32, object)
    objects[:] = list(PIXELS)
    for given in (objects, PIXELS.astype(object)):
        found, _ = brought.arrays(given, shapes=((8, 8, 1), ()))
        np.testing.assert_array_equal(found, PIXELS)


@brings("arrays", "labels for a GAN without classes, names too", "ignored; scores use numbers among them")
def test_names_as_labels_are_ignored(trained, plain):
    assert largest_difference(trained(lambda gan: gan.fit(PIXELS, NAMES, **IN_ORDER), "arrays"), plain) < 1e-6


def batches_of(element):
    return (element(slice(begin, begin + 8)) for begin in range(0, 32, 8))


class Dicts(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        part = slice(8 * index, 8 * index + 8)
        return {"pixels": PIXELS[part], "name": NAMES[part]}


STREAMS = {
    "generator": lambda: batches_of(lambda part: FLOATS[part]),
    "generator of pairs": lambda: batches_of(lambda part: [PIXELS[part], NAMES[part]]),
    "generator of mappings": lambda: batches_of(lambda part: {"image": PIXELS[part], "name": NAMES[part]}),
    "generator of lists": lambda: batches_of(lambda part: list(FLOATS[part])),
    "generator of lists and labels": lambda: batches_of(lambda part: (list(PIXELS[part]), NUMBERS[part].tolist())),
    "iterator": lambda: map(lambda one: (one,), np.split(PIXELS, 4)),
    "dataset of Python": lambda: Dicts(),
}


@brings(
    "datasets",
    "a Python generator of batches, arrays or lists of images",
    "trained on; give `steps_per_epoch` if it has no end",
)
@brings(
    "datasets",
    "batches that are mappings with one entry of images",
    "that entry is trained on; `label` or `labels` are labels",
)
@pytest.mark.parametrize("form", STREAMS)
def test_streams(trained, plain, form):
    assert largest_difference(trained(lambda gan: gan.fit(STREAMS[form](), **FOUR)), plain) < 1e-6


def of_tensorflow(form):
    tf = pytest.importorskip("tensorflow")
    slices = {
        "mappings": {"image": PIXELS, "id": NAMES},
        "pairs": (PIXELS, NAMES),
        "without channels": FLOATS[..., 0],
        "int64": PIXELS.astype("int64"),
    }
    if form in slices:
        return tf.data.Dataset.from_tensor_slices(slices[form]).batch(8)
    shape = {"rank": None, "size": (None, None, None, 1)}[form.removeprefix("unknown ")]
    signature = tf.TensorSpec(shape, "uint8")
    return tf.data.Dataset.from_generator(lambda: batches_of(lambda part: PIXELS[part]), output_signature=signature)


@brings("datasets", "`tf.data.Dataset`, also without a known rank or size", "trained on, on all engines")
@pytest.mark.parametrize("form", ["mappings", "pairs", "without channels", "int64", "unknown rank", "unknown size"])
def test_datasets_of_tensorflow(trained, plain, form):
    assert largest_difference(trained(lambda gan: gan.fit(of_tensorflow(form), **FOUR)), plain) < 1e-6


@brings(
    "datasets",
    "a torch `DataLoader`, also of mappings, with names or with the channels first",
    "trained on, on all engines",
)
@pytest.mark.parametrize("form", ["images", "mappings", "pairs"])
def test_data_loaders(trained, plain, form):
    torch = pytest.importorskip("torch")
    first = np.moveaxis(FLOATS, -1, 1)
    rows = {
        "images": list(FLOATS),
        "mappings": [{"image": one, "name": str(name)} for one, name in zip(PIXELS, NAMES, strict=True)],
        "pairs": list(zip(first, map(str, NAMES), strict=True)),
    }[form]
    loader = torch.utils.data.DataLoader(rows, batch_size=8)
    assert largest_difference(trained(lambda gan: gan.fit(loader, verbose=0, shuffle=False)), plain) < 1e-6
    assert loader.collate_fn is torch.utils.data.default_collate  # it was not changed


@brings("datasets", "a dataset that is not batched, images of another shape", "one sentence")
def test_other_shapes_end_in_a_sentence(trained):
    tf = pytest.importorskip("tensorflow")
    single = tf.data.Dataset.from_tensor_slices(PIXELS)
    with pytest.raises(ValueError, match=r"\(batch, 8, 1\). They look like single images; .* `dataset.batch\(64\)`"):
        trained(lambda gan: gan.fit(single, verbose=0, shuffle=False))
    with pytest.raises(ValueError, match="must have one size. Received: 2 of them, of shapes .8, 8, 1. and .9, 8, 1."):
        trained(lambda gan: gan.fit([PIXELS[0], np.zeros((9, 8, 1), "uint8")], verbose=0, shuffle=False))
    with pytest.raises(ValueError, match="must have one entry of images. Received: 2 of them, and the keys 'a', 'b'"):
        trained(lambda gan: gan.fit({"a": PIXELS, "b": PIXELS}, verbose=0, shuffle=False))
    with pytest.raises(ValueError, match="Labels must be integers. Received: <U3. np.unique"):
        conditional().fit(PIXELS, NAMES, verbose=0, shuffle=False)
    if BACKEND == "tensorflow":
        wide = tf.data.Dataset.from_generator(
            lambda: iter([np.zeros((4, 8, 9, 1), "uint8")]), output_signature=tf.TensorSpec(None, "uint8")
        )
        with pytest.raises(ValueError, match=r"shape \(batch, 8, 8, 1\). Received: \(4, 8, 9, 1\)"):
            trained(lambda gan: gan.fit(wide, verbose=0, shuffle=False))


def conditional():
    shape = (8, 8, 1)
    players = (dense.generator(shape, 4, (8,), num_classes=2), dense.discriminator(shape, (8,), num_classes=2))
    return compiled(kgan.GAN(*players, latent_dim=4, num_classes=2))


def test_labels_in_all_forms():
    forms = [
        (PIXELS, NUMBERS.tolist()),
        (Data(PIXELS, NUMBERS), None),
        (({"label": NUMBERS[part], "image": PIXELS[part]} for part in (slice(8), slice(8, 16))), None),
        (itertools.repeat((PIXELS[:8], NUMBERS[:8]), 2), None),
    ]
    gan = conditional()
    for x, y in forms:
        assert np.isfinite(gan.fit(x, y, verbose=0, shuffle=False, steps_per_epoch=2).history["g_loss"]).all()


def on_disk(kind, tmp_path, pixels=PIXELS):
    if kind == "h5py":
        file = h5py.File(tmp_path / "images.h5", "w")
        return file.create_dataset("images", data=pixels)
    np.save(tmp_path / "images.npy", pixels)
    return np.load(tmp_path / "images.npy", mmap_mode="r")


@pytest.mark.longer
@brings("arrays", "h5py data sets, memory-mapped arrays, `kgan.data.Folder`", "read batch by batch")
@pytest.mark.parametrize("kind", ["h5py", "mapped"])
def test_arrays_on_a_disk(trained, tmp_path, kind):
    images = on_disk(kind, tmp_path)
    batches = Batches(images, 8, seed=0, replacement=True)
    assert all(
        np.array_equal(batches[index][0], PIXELS[batches.order[8 * index : 8 * index + 8]]) for index in range(4)
    )
    expected = trained(lambda gan: gan.fit(Batches(PIXELS, 8, seed=gan.seed, epoch=1), verbose=0))
    for some in (images, images[:32] if kind == "mapped" else images):
        assert (
            largest_difference(trained(lambda gan, some=some: gan.fit(some, batch_size=8, verbose=0)), expected) < 1e-6
        )


def resident():
    """The memory of this process that is in RAM, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_a_mapped_array_stays_on_the_disk(tmp_path):
    images = np.lib.format.open_memmap(tmp_path / "images.npy", "w+", "uint8", (300, 1024, 1024, 1))  # 300 MB
    images[:] = 1
    images.flush()
    del images
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    batches = Batches(images, 10)
    if BACKEND == "tensorflow":
        assert kgan.backend.stream(batches)[0] is batches  # not a copy in memory
    before = resident()
    assert sum(int(batches[index][0][0, 0, 0, 0]) for index in range(30)) == 30
    assert resident() - before < 150e6


@brings(
    "arrays", "floats in the range of the generator's images: [-1, 1], or [0, 1] if it ends in a sigmoid", "as they are"
)
@brings(
    "arrays",
    "floats in [0, 1] for a generator that ends in tanh",
    "trained on with a warning that half of the range is not used",
)
def test_floats_from_0_to_1(trained, caplog):
    def warned(images):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "kgan"):
            trained(lambda gan: gan.fit(images, **IN_ORDER))
        return "half of it is not used. 2 * x - 1 scales the images" in caplog.text

    assert warned((FLOATS + 1) / 2)
    assert not warned(FLOATS) and not warned(PIXELS)


def with_sigmoid():
    stack = [keras.Input((6,)), layers.Dense(64), layers.Reshape((8, 8, 1)), layers.Activation("sigmoid")]
    return compiled(small_gan(generator=keras.Sequential(stack), discriminator=lambda: small_discriminator(rate=0)))


def test_a_generator_that_ends_in_a_sigmoid(tmp_path, caplog):
    """Its images, and the real ones, lie in [0, 1]; pictures and scores show them as they are."""
    gan = with_sigmoid()
    assert gan.image_range == (0.0, 1.0)
    begin = gan.get_weights()
    grid = kgan.callbacks.ImageGrid(tmp_path, rows=1, columns=1, gif=False)
    score = kgan.callbacks.Score("frechet_distance", every=1, samples=20, path=tmp_path / "s.jsonl", extractor="raw")
    with caplog.at_level(logging.WARNING, "kgan"):
        gan.fit(PIXELS / np.float32(255), **IN_ORDER, callbacks=[grid, score])
    assert "half of it" not in caplog.text
    from PIL import Image

    [image] = gan.generate_grid(1, 1, seed=0)
    drawn = np.asarray(Image.open(tmp_path / "epoch-0001.png"))[2:-2, 2:-2][::4, ::4]
    assert np.abs(drawn - 255 * image[..., 0]).max() < 1
    [record] = kgan.scores.Scorer(PIXELS, extractor="raw")(2 * gan.generate(20, seed=0) - 1, "frechet_distance")
    assert record.value == pytest.approx(score.scores[-1].value, rel=1e-4)

    of_floats = gan.get_weights()
    again = with_sigmoid()
    again.set_weights(begin)
    again.fit(PIXELS, **IN_ORDER)
    assert all(
        np.allclose(one, other, atol=1e-3) for one, other in zip(of_floats[:6], again.get_weights()[:6], strict=True)
    )
    with pytest.raises(ValueError, match=r"floats in \[0, 1\], the range .* \(x \+ 1\) / 2 scales them"):
        again.fit(FLOATS, **IN_ORDER)


@brings(
    "arrays", "NaN or infinity in an image", "one sentence that says so, within a second of training or after the epoch"
)
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_late_image_that_is_not_finite(trained, wrong):
    late = FLOATS.copy()
    late[27, 3, 4, 0] = wrong
    with pytest.raises(ValueError, match="Images must be finite. Received: (NaN|infinity)"):
        trained(lambda gan: gan.fit(late, **IN_ORDER))


def test_with_checkpoints_it_is_the_data_that_are_named(trained, tmp_path):
    late = FLOATS.copy()
    late[27, 3, 4, 0] = np.nan
    with pytest.raises(ValueError, match="Images must be finite. Received: NaN"):
        trained(lambda gan: gan.fit(late, batch_size=8, verbose=0, callbacks=[kgan.callbacks.Checkpoint(tmp_path)]))


@brings(
    "arrays", "a table of whole numbers that are not uint8", "one sentence: cast numbers to float32, pixels to uint8"
)
def test_a_table_of_whole_numbers_is_ambiguous():
    gan = compiled(kgan.GAN(dense.generator((7,), 4, (8,)), dense.discriminator((7,), (8,)), latent_dim=4))
    table = np.arange(70, dtype="int32").reshape(10, 7)
    with pytest.raises(ValueError, match="A table of int32 may hold .* Cast numbers to float32, pixels to uint8"):
        gan.fit(table, verbose=0, shuffle=False)
    assert np.isfinite(gan.fit(table.astype("float32"), verbose=0, shuffle=False).history["d_loss"]).all()


FILES = {
    "colour image": ((256, 200, 3), "uint8", [256, 200, 3], (1, 256, 200, 3)),
    "series": ((50, 128, 3), "float32", [128, 3], (50, 128, 3)),
    "grey images of width 3": ((50, 128, 3), "uint8", [128, 3, 1], (50, 128, 3, 1)),
    "table": ((50, 12), "int64", [12], (50, 12)),
    "flattened images": ((50, 12), "uint8", [2, 2, 3], (50, 2, 2, 3)),
    "bands": ((5, 8, 8, 5), "uint8", [8, 8, 5], (5, 8, 8, 5)),
}


@brings(
    "files of arrays",
    "`(n, height, width, channels)`, `(n, channels, height, width)`, grey `(n, height, width)`",
    "images",
)
@brings("files of arrays", "a table of floats", "points, or rows of numbers")
@brings(
    "files of arrays",
    "one colour image, series, tables of whole numbers, more than four channels",
    "one sentence; `data.shape`, the shape of one example, settles it",
)
@pytest.mark.parametrize("form", FILES)
def test_files_whose_shape_may_mean_several_things(tmp_path, form):
    there, dtype, one, expected = FILES[form]
    array = (np.arange(np.prod(there)) % 200).reshape(there).astype(dtype)
    array = array / 200 - 0.5 if dtype == "float32" else array
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(ValueError, match=r"Give the shape of one( example)?: `shape` |give the shape of one: `shape` "):
        kgan.data.load(path=tmp_path / "a.npy")
    found = kgan.data.load(path=tmp_path / "a.npy", shape=one).images
    assert found.shape == expected and np.allclose(found.reshape(-1), array.reshape(-1))
    assert found.dtype == ("uint8" if len(one) == 3 else "float32")


def test_files_with_channels_first_and_with_transparency(tmp_path):
    first = np.arange(2 * 3 * 8 * 9, dtype="uint8").reshape(2, 3, 8, 9)
    np.save(tmp_path / "a.npy", first)
    assert np.array_equal(kgan.data.load(path=tmp_path / "a.npy").images, np.moveaxis(first, 1, -1))
    clear = np.zeros((2, 8, 8, 4), "uint8")
    np.save(tmp_path / "a.npy", clear)
    with pytest.raises(ValueError, match="1 or 3 channels, .* `channels` 1 or 3 puts the images on white; `shape`"):
        kgan.data.load(path=tmp_path / "a.npy")
    assert kgan.data.load(path=tmp_path / "a.npy", channels=3).images.min() == 255
    assert kgan.data.load(path=tmp_path / "a.npy", shape=(8, 8, 4)).images.shape == (2, 8, 8, 4)
    with pytest.raises(ValueError, match="does not hold examples of shape .4, 4, 4.. Received: an array of shape"):
        kgan.data.load(path=tmp_path / "a.npy", shape=(4, 4, 4))
    with pytest.raises(ValueError, match="`shape` is for a file of arrays"):
        kgan.data.load("digits", shape=(8, 8, 1))
