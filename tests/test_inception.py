"""The FID Inception, against torch-fidelity's with the same random weights. The real ones are 90 MB to download."""

import random
import sys

import keras
import numpy as np
import pytest
from keras import ops

from kgan.backend import pth
from kgan.extractors.inception import inception, resize
from tests.references import torch_fidelity


@pytest.fixture(scope="module")
def reference():
    """torch-fidelity's network, with random weights that neither let the signal fade nor grow."""
    torch = pytest.importorskip("torch")
    networks = torch_fidelity().feature_extractor_inceptionv3

    class Untrained(networks.FeatureExtractorInceptionV3):
        def load_state_dict(self, state):
            pass

    init = torch.nn.init
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        patch.setattr(networks, "load_state_dict_from_url", lambda *args, **kwargs: {})
        torch.manual_seed(0)
        network = Untrained("untrained", ["2048", "logits_unbiased"])
        for module in network.modules():
            if isinstance(module, networks.BasicConv2d):
                init.kaiming_normal_(module.conv.weight, nonlinearity="relu")
                init.normal_(module.bn.bias, 0.0, 0.1)
                init.normal_(module.bn.running_mean, 0.0, 0.1)
                init.uniform_(module.bn.weight, 0.7, 1.3)
                init.uniform_(module.bn.running_var, 0.7, 1.3)
    return network


@pytest.fixture(scope="module")
def weights(reference, tmp_path_factory):
    import torch

    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(reference.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def model(weights):
    """Made under settings that it must not take over."""
    policy, data_format, drawn = keras.config.dtype_policy(), keras.config.image_data_format(), random.getstate()
    try:
        keras.config.set_dtype_policy("mixed_float16")
        keras.config.set_image_data_format("channels_first")
        made = inception(weights)
    finally:
        keras.config.set_dtype_policy(policy)
        keras.config.set_image_data_format(data_format)
    assert random.getstate() == drawn
    return made


def pictures(*shape):
    """Two uint8 images of noise, a bright one and a dark one."""
    noise = np.random.default_rng(0).integers(0, 256, (2, *shape, 3))
    return (noise * np.array([1.0, 0.3])[:, None, None, None]).astype("uint8")


def channels_first(images):
    import torch

    return torch.from_numpy(images).permute(0, 3, 1, 2)


# all three on one model: on TensorFlow `predict` traces the second size with unknown sides
@pytest.mark.parametrize("shape", [(28, 28), (64, 48), (299, 299)])
def test_features_and_logits_are_those_of_torch_fidelity(model, reference, shape):
    images = pictures(*shape)
    wanted = dict(zip(["features", "logits"], reference(channels_first(images)), strict=True))
    found = model.predict(images, verbose=0)
    assert found.keys() == wanted.keys()
    for name, array in found.items():
        expected = wanted[name].numpy()
        assert array.dtype == "float32"
        scale = np.abs(expected).mean()
        assert np.abs(expected[0] - expected[1]).mean() > 0.05 * scale  # the two images are told apart
        np.testing.assert_allclose(array, expected, rtol=0, atol=2e-5 * scale)


@pytest.mark.parametrize("shape", [(28, 28), (64, 48), (299, 299), (350, 301)])
def test_resize_is_that_of_tensorflow_1(shape):
    images = pictures(*shape).astype("float32")
    module = torch_fidelity().interpolate_compat_tensorflow
    wanted = module.interpolate_bilinear_2d_like_tensorflow1x(channels_first(images), (299, 299), align_corners=False)
    found = ops.convert_to_numpy(resize(ops.convert_to_tensor(images)))
    np.testing.assert_allclose(found, wanted.permute(0, 2, 3, 1).numpy(), rtol=0, atol=1e-4)


def test_floats_of_0_to_255_are_images_too_and_logits_can_be_left_out(model, weights):
    images = pictures(28, 28)
    without = inception(weights, logits=False)
    assert without.name == "fid_inception" and not without.trainable_variables
    found = without.predict(images.astype("float32"), verbose=0)
    assert list(found) == ["features"]
    np.testing.assert_allclose(found["features"], model.predict(images, verbose=0)["features"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("zipped", [True, False])
def test_state_dicts_are_read_in_both_of_pytorchs_formats(tmp_path, zipped):
    torch = pytest.importorskip("torch")
    state = {"fc.weight": torch.arange(6.0).reshape(2, 3), "count": torch.tensor(3)}
    torch.save(state, tmp_path / "state.pth", _use_new_zipfile_serialization=zipped)
    found = pth.read(tmp_path / "state.pth")
    assert list(found) == ["fc.weight", "count"] and found["count"] == 3
    np.testing.assert_array_equal(found["fc.weight"], [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize(
    "shapes, text",
    [
        ({"fc.bias": (1008,)}, r"with fc.weight of shape \(1008, 2048\). Received: none"),
        ({"fc.weight": (1000, 2048)}, r"with fc.weight of shape \(1008, 2048\). Received: \(1000, 2048\)"),
        ({"fc.weight": (1008, 2048)}, r"with Conv2d_1a_3x3.conv.weight of shape \(32, 3, 3, 3\). Received: none"),
    ],
)
def test_weights_of_another_network_are_refused(tmp_path, shapes, text):
    torch = pytest.importorskip("torch")
    torch.save({name: torch.zeros(shape) for name, shape in shapes.items()}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=f"other.pth must hold the weights of the FID Inception, {text}$"):
        inception(tmp_path / "other.pth")


@pytest.mark.parametrize("content", ["text", "no tensors", "cut short"])
def test_files_that_are_no_state_dicts_are_refused(tmp_path, content):
    torch = pytest.importorskip("torch")
    path = tmp_path / "wrong.pth"
    torch.save({"epoch": 3, "state": {}} if content == "no tensors" else {"a": torch.zeros(1000)}, path)
    path.write_bytes({"text": b"<html>", "cut short": path.read_bytes()[:2000]}.get(content, path.read_bytes()))
    with pytest.raises(ValueError, match=r"^`path` must be a PyTorch state dict, .* by name. Received: .*wrong.pth$"):
        pth.read(path)


def test_a_file_that_is_not_there_is_called_so(tmp_path):
    pytest.importorskip("torch")
    with pytest.raises(FileNotFoundError, match=r"nowhere.pth"):
        pth.read(tmp_path / "nowhere.pth")


def test_without_pytorch_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"^PyTorch is needed to read weights.pth: pip install 'kgan\[torch\]'$"):
        pth.read("weights.pth")
