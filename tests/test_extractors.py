"""What turns images into features: trained once, named by its weights, the same from memory and from files."""

import keras
import numpy as np
import pytest

from kgan import data, extractors
from kgan.extractors import learned


@pytest.fixture(scope="module")
def eyes(digits):
    return extractors.classifier(*digits)


def test_the_classifier_knows_the_digits(digits, eyes):
    images, labels = digits
    assert eyes.name == "classifier" and eyes.accuracy > 0.95 and len(eyes.weights) == 64
    seen = eyes(images)
    assert seen.features.shape == (1797, 128) and seen.logits.shape == (1797, 10)
    assert (seen.modes == labels).mean() > 0.97
    assert (seen.modes == seen.logits.argmax(1)).all()


def test_it_is_trained_once_and_leaves_random_states_alone(digits, eyes, monkeypatch):
    def refuse(*args):
        raise AssertionError("trained again")

    monkeypatch.setattr(learned, "_train", refuse)
    images, labels = digits

    def drawn(between=lambda: None):
        keras.utils.set_random_seed(3)
        between()
        return np.random.random(), keras.ops.convert_to_numpy(keras.random.normal((2,))).tolist()

    assert drawn(lambda: extractors.classifier(images, labels)(images[:5])) == drawn()
    assert extractors.classifier(images, labels).weights == eyes.weights
    with pytest.raises(AssertionError, match="trained again"):
        extractors.classifier(images[1:], labels[1:])  # other data


def test_what_it_learns_is_a_function_of_the_data(tmp_path, monkeypatch):
    monkeypatch.setattr(learned, "STEPS", 30)
    images = np.random.default_rng(0).integers(0, 256, (200, 8, 8, 1), "uint8")
    labels = (images.mean((1, 2, 3)) > 127).astype("int64")
    np.savez(tmp_path / "in.npz", images=images, labels=labels)
    for name in ("one.npz", "two.npz"):
        learned.learn(str(tmp_path / "in.npz"), str(tmp_path / name))
    with np.load(tmp_path / "one.npz") as one, np.load(tmp_path / "two.npz") as two:
        assert one.files == two.files and all((one[name] == two[name]).all() for name in one.files)


def test_floats_are_seen_as_the_picture_that_would_be_saved(digits, eyes):
    images = digits[0][:50]
    floats = images / np.float32(127.5) - 1
    np.testing.assert_array_equal(eyes(images).features, eyes(floats).features)
    np.testing.assert_array_equal(eyes(images).features, eyes(floats * 0.9995).features)


def test_resizes_are_said(eyes):
    model = keras.Sequential([keras.Input((4, 6, 3)), keras.layers.Flatten()])
    small = extractors.of_model(model, "flat")
    assert small.resize((8, 8, 1)) == "bilinear, antialiased, 8 x 8 to 4 x 6, grey three times"
    assert small.resize((4, 6, 3)) == eyes.resize((8, 8, 1)) == "none"
    checks = (np.indices((8, 12)).sum(0) % 2 * 255).astype("uint8")[None, ..., None]
    np.testing.assert_allclose(small(checks).features[0].reshape(4, 6, 3)[1:-1, 1:-1], 0.0, atol=0.01)  # antialiased
    red = np.zeros((1, 4, 4, 3), "uint8")
    red[..., 0] = 255
    grey = extractors.of_model(keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()]))
    assert grey.resize((4, 4, 3)) == "grey by ITU-R 601"
    np.testing.assert_allclose(grey(red).features, 76 / 127.5 - 1, rtol=1e-6)  # 0.299 * 255


def test_any_keras_model(tmp_path):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(5, 3)], name="eyes")
    images = np.random.default_rng(0).integers(0, 256, (7, 8, 8, 1), "uint8")
    found = extractors.get(model, images)
    assert found.name == "eyes" and found(images).features.shape == (7, 5)  # the mean over all places
    maps = keras.ops.convert_to_numpy(model(images / np.float32(127.5) - 1))
    np.testing.assert_allclose(found(images).features, maps.mean((1, 2)), atol=1e-6)
    model.save(tmp_path / "eyes.keras")
    assert extractors.get(str(tmp_path / "eyes.keras"), images).weights == found.weights
    model.layers[0].bias.assign(np.ones(5))
    assert extractors.of_model(model).weights != found.weights


def test_a_model_of_other_things_is_refused():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)], name="latents")
    with pytest.raises(ValueError, match=r"must take images .* Received: 'latents', which takes \(None, 5\)"):
        extractors.of_model(model)


def test_a_model_that_puts_out_no_features_is_refused():
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, {"maps": keras.layers.Conv2D(5, 3)(inputs)}, name="maps")
    with pytest.raises(
        ValueError, match=r"or a dict of `features` .* 'maps', which outputs \{'maps': \(None, 6, 6, 5\)"
    ):
        extractors.of_model(model)


def test_without_labels_it_learns_how_images_are_turned(digits, quick_classifier):
    eyes = extractors.get("auto", digits[0])
    assert eyes.name == "rotations" and eyes.accuracy is None
    seen = eyes(digits[0][:10])
    assert seen.features.shape == (10, 128) and seen.logits is None and seen.modes is None


def test_points_are_their_own_features():
    points = data.ring(samples=40)[0]
    eyes = extractors.get("auto", points)
    assert eyes.name == "raw" and eyes.weights is None
    np.testing.assert_array_equal(eyes(points).features, points)


@pytest.mark.longer
def test_stacked_digits_are_read_channel_by_channel(digits, quick_classifier):
    quick_classifier(400)
    images, labels = digits
    draw = np.random.default_rng(0)
    chosen = draw.integers(len(images), size=(3000, 3))
    stacked = np.stack([images[chosen[:, place], :, :, 0] for place in range(3)], axis=-1)
    numbers = labels[chosen] @ [100, 10, 1]
    found = extractors.stacked(stacked, numbers)
    seen = found(stacked[:500])
    assert seen.features.shape == (500, 384) and found.resize((8, 8, 3)) == "a channel at a time"
    assert found.resize((16, 16, 3)) == "a channel at a time, bilinear, antialiased, 16 x 16 to 8 x 8"
    assert (seen.modes == numbers[:500]).mean() > 0.9


def test_models_of_other_layers_have_another_hash():
    def made(layer, name):
        return extractors.of_model(keras.Sequential([keras.Input((8, 8, 1)), layer, keras.layers.Flatten()], name=name))

    pool, same = (keras.layers.AveragePooling2D(2) for _ in range(2))
    other = keras.layers.MaxPooling2D(2)
    relu, tanh = (keras.layers.Activation(name, name=name) for name in ("relu", "tanh"))
    assert made(relu, "eyes").weights != made(tanh, "eyes").weights

    def of_two(name):
        inputs = keras.Input((8, 8, 1))
        features = keras.ops.relu(keras.layers.Flatten()(inputs)) + 1.0
        model = keras.Model(inputs, {"features": features, "logits": features * 2.0}, name=name)
        model.trainable = name == "one"
        return extractors.of_model(model)

    assert of_two("one").weights == of_two("other").weights
    assert made(pool, "eyes").weights == made(same, "other_eyes").weights != made(other, "eyes").weights


def test_images_are_seen_a_part_at_a_time(digits, monkeypatch):
    eyes = extractors.raw()
    expected = eyes(digits[0][:100]).features
    monkeypatch.setattr("kgan.extractors.extractor.BYTES", 64 * 7)
    assert max(map(len, extractors.chunks(digits[0]))) == 7
    np.testing.assert_array_equal(eyes(digits[0][:100]).features, expected)
    np.testing.assert_array_equal(eyes(keras.ops.convert_to_tensor(digits[0][:100])).features, expected)


def test_a_thousand_classes_of_larger_pictures_are_no_digits(monkeypatch):
    for name in ("stacked", "classifier"):
        monkeypatch.setattr(f"kgan.extractors.choice.{name}", lambda images, labels, name=name: name)
    for side, expected in ((28, "stacked"), (29, "classifier")):
        assert extractors.get("auto", np.zeros((1000, side, side, 3), "uint8"), np.arange(1000)) == expected


def test_stacked_asks_for_three_channels_and_labels(digits):
    with pytest.raises(
        ValueError, match="'stacked' is for images of three channels and their labels. Received: 1 channel"
    ):
        extractors.get("stacked", *digits)
    with pytest.raises(ValueError, match="Received: no labels"):
        extractors.get("stacked", digits[0].repeat(3, axis=-1))


@pytest.mark.parametrize(
    "identifier, message",
    [
        ("inception", "`extractor` must be 'auto', 'raw'"),
        ("no.pth", "the path of a .pth file"),
        ("classifier", "For points"),
    ],
)
def test_unknown_extractors(identifier, message):
    with pytest.raises(ValueError, match=message):
        extractors.get(identifier, np.zeros((30, 2)))


def test_labels_must_fit(digits):
    with pytest.raises(ValueError, match="There must be a label for each image. Received: 3 labels, 1797 images."):
        extractors.classifier(digits[0], np.zeros(3, int))


def test_a_classifier_that_cannot_be_trained_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("KGAN_CACHE", str(tmp_path))
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(RuntimeError, match="could not be trained: no message was printed"):
        extractors.classifier(np.zeros((30, 8, 8, 1), "uint8"))
    assert not list(tmp_path.iterdir())
