"""What `fit` and `evaluate` receive as data, validation data and callbacks: every form trains, or ends in one sentence."""

import keras
import numpy as np
import pytest

import kgan
from kgan.architectures import dense
from kgan.data import Batches
from tests.helpers import compiled, reusable, values

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (20, 8, 8, 1), "uint8")
LABELS = np.arange(20) % 3
FLOATS = (IMAGES / 127.5 - 1).astype("float32")


@reusable
def conditional():
    players = dense.generator((8, 8, 1), 6, (8,), num_classes=3), dense.discriminator((8, 8, 1), (8,), num_classes=3)
    return compiled(kgan.GAN(*players, latent_dim=6, num_classes=3))


plain = reusable(compiled)


def trained(make, *data, **arguments):
    gan = make()
    history = gan.fit(*data, **{"batch_size": 5, "shuffle": False, "verbose": 0, **arguments})
    return values(gan.weights), history.history


def assert_alike(one, other):
    for first, second in zip(one[0], other[0], strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)
    for name in one[1].keys() & other[1].keys():
        np.testing.assert_allclose(one[1][name], other[1][name], atol=1e-5)


def memmap(tmp_path, array, name="x.npy"):
    np.save(tmp_path / name, array)
    return np.load(tmp_path / name, mmap_mode="r")


@pytest.mark.longer
@pytest.mark.parametrize(
    "validation", [lambda: kgan.data.Data(IMAGES, LABELS), lambda: {"image": IMAGES, "label": LABELS}]
)
def test_validation_data_keep_their_labels(validation):
    data = IMAGES, LABELS
    expected = trained(conditional, *data, validation_data=data)
    assert_alike(trained(conditional, *data, validation_data=validation()), expected)


@pytest.mark.longer
def test_validation_data_may_be_a_list_of_images():
    expected = trained(plain, IMAGES, validation_data=(IMAGES, None))
    assert_alike(trained(plain, IMAGES, validation_data=list(IMAGES)), expected)
    assert_alike(trained(plain, IMAGES, validation_data=list(IMAGES[:3])), trained(plain, IMAGES))


@pytest.mark.parametrize(
    "validation, message",
    [
        (IMAGES.astype("float32"), r"Images must be floats in \[-1, 1\], .* Received: floats from 0 to 255"),
        (np.zeros((5, 9, 9, 1), "uint8"), r"must have the generator's shape .* Received: \(batch, 9, 9, 1\)"),
    ],
)
def test_wrong_validation_data_are_noticed_before_the_training(validation, message):
    gan, before = plain(), None
    before = values(gan.weights)
    with pytest.raises(ValueError, match=message):
        gan.fit(IMAGES, validation_data=validation, verbose=0)
    for one, other in zip(before, values(gan.weights), strict=True):
        np.testing.assert_array_equal(one, other)


def test_evaluate_checks_the_range():
    with pytest.raises(ValueError, match=r"Images must be floats in \[-1, 1\]"):
        plain().evaluate(IMAGES.astype("float32"), verbose=0)


@pytest.mark.longer
def test_images_read_on_demand_in_their_own_order_and_split(tmp_path):
    mapped = memmap(tmp_path, IMAGES)
    assert_alike(trained(plain, mapped), trained(plain, IMAGES))
    held_out = trained(plain, mapped, validation_split=0.25)
    assert_alike(held_out, trained(plain, IMAGES, validation_split=0.25))
    assert "val_d_loss" in held_out[1]
    batches = Batches(IMAGES, 5, shuffle=False)
    batches.next_epoch()
    np.testing.assert_array_equal(batches[1][0], IMAGES[5:10])
    assert batches.identity()["shuffle"] is False and "shuffle" not in Batches(IMAGES, 5).identity()


def test_labels_of_h5py(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"], file["y"] = IMAGES, LABELS
        assert_alike(trained(conditional, file["x"], file["y"]), trained(conditional, IMAGES, LABELS))
        trained(conditional, file["x"], file["y"], shuffle=True, validation_data=(file["x"], file["y"]))


@pytest.mark.parametrize("mapped", [False, True])
def test_the_byte_order_of_another_machine(tmp_path, mapped):
    images, labels = FLOATS.astype(">f4"), LABELS.astype(">i4")
    data = (memmap(tmp_path, images) if mapped else images), labels
    assert_alike(trained(conditional, *data), trained(conditional, FLOATS, LABELS))


@pytest.mark.longer
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of tf.data")
def test_datasets_of_tensorflow():
    import tensorflow as tf

    def dataset(*parts):
        return tf.data.Dataset.from_tensor_slices(parts if len(parts) > 1 else parts[0]).batch(5)

    def fit(make, data, **more):
        return trained(make, data, batch_size=None, **more)

    expected = fit(conditional, dataset(IMAGES, LABELS))
    assert_alike(fit(conditional, dataset(IMAGES, {"label": LABELS})), expected)
    assert_alike(fit(conditional, dataset((IMAGES,), LABELS)), expected)
    assert_alike(fit(plain, iter(dataset(IMAGES)), steps_per_epoch=4), fit(plain, dataset(IMAGES)))
    for wrong in (tf.RaggedTensor.from_tensor(FLOATS), tf.sparse.from_dense(FLOATS)):
        for data in (wrong, tf.data.Dataset.from_tensor_slices(wrong).batch(5)):
            with pytest.raises(ValueError, match="dense"):
                plain().fit(data, verbose=0)


class Changing(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return IMAGES[:5] if index == 0 else np.zeros((5, 9, 9, 1), "uint8")


def batches_of_names():
    yield IMAGES[:5], LABELS[:5].astype(str)


@pytest.mark.parametrize(
    "make, data, message",
    [
        (plain, Changing, r"must have the generator's shape .* Received: \(batch, 9, 9, 1\)"),
        (conditional, batches_of_names, "Labels must be integers. Received: text"),
        (plain, lambda: batches_of_names, r"Received: the function batches_of_names; call it: batches_of_names\(\)"),
    ],
)
def test_data_that_cannot_be_used(make, data, message):
    with pytest.raises(ValueError, match=message):
        make().fit(data(), steps_per_epoch=2, shuffle=False, verbose=0)


def test_single_images_of_pytorch_need_a_loader():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.zeros((4, 8, 8, 1)))
    with pytest.raises(ValueError, match=r"TensorDataset of PyTorch holds single images. .*DataLoader\(x, 64\)"):
        plain().fit(data, verbose=0)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"callbacks": [keras.callbacks.EarlyStopping]}, r"must be objects such as EarlyStopping\(\)"),
        ({"callbacks": "early"}, "`callbacks` must be objects"),
        ({"batch_size": 0}, "`batch_size` must be an integer >= 1. Received: 0"),
        ({"batch_size": "5"}, "`batch_size` must be an integer >= 1. Received: '5'"),
    ],
)
def test_mistyped_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        plain().fit(IMAGES, verbose=0, **arguments)


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for callback in (kgan.callbacks.ImageGrid(tmp_path / "file"), kgan.callbacks.Checkpoint(tmp_path / "file" / "in")):
        with pytest.raises(ValueError, match="`directory` of .* must be a folder, and .*file is a file"):
            plain().fit(IMAGES, verbose=0, callbacks=[callback])
    with pytest.raises(ValueError, match="`path` of LossPlot must end in .png or .svg. Received: 'curves.foo'"):
        kgan.callbacks.LossPlot("curves.foo")


def test_data_with_other_labels():
    expected = trained(conditional, IMAGES, LABELS)
    assert_alike(trained(conditional, kgan.data.Data(IMAGES), LABELS), expected)
