"""CycleGAN's generator: its size, PyTorch's network with the same weights; and two models as one of two towers."""

import re

import keras
import numpy as np
import pytest
from keras import layers

from kgan.architectures import patch, resnet_translation, towers, unet
from kgan.arguments import Misfit
from kgan.layers import ReflectionPadding2D
from tests import parameter_counts
from tests.helpers import largest_difference, values
from tests.image_players import applied, images, kinds, randomized, same


def small(shape=(16, 12, 3), given_shape=None, filters=2, blocks=1, **kwargs):
    return resnet_translation.generator(shape, None, given_shape, filters, blocks, **kwargs)


@pytest.mark.parametrize(
    "channels, filters, blocks, count",
    [(3, 64, 9, 11_378_179), (3, 64, 6, 7_837_699), (1, 32, 4, 1_368_449), (1, 16, 3, 269_377)],
)
def test_counts(channels, filters, blocks, count):
    with parameter_counts.zero_weights():
        made = resnet_translation.generator((32, 32, channels), filters=filters, blocks=blocks)
    assert made.count_params() == count


def test_count_of_the_discriminator():
    with parameter_counts.zero_weights():
        made = patch.discriminator((256, 256, 3), given=False, norm="instance")
    assert made.count_params() == 2_764_737 and made.output_shape == (None, 30, 30, 1)


def test_the_paper_is_the_default():
    """c7s1-64, d128, d256, nine R256, u128, u64, c7s1-3, at 256 pixels, all with biases."""
    with parameter_counts.zero_weights():
        made = resnet_translation.generator()
    found = [layer for layer in made.layers if isinstance(layer, layers.Conv2D | layers.Conv2DTranspose)]
    assert [layer.filters for layer in found] == [64, 128, *[256] * 19, 128, 64, 3]
    assert [layer.kernel_size[0] for layer in found] == [7, *[3] * 22, 7]
    assert [layer.strides[0] for layer in found] == [1, 2, 2, *[1] * 18, 2, 2, 1]
    assert all(layer.use_bias for layer in found)
    assert len(kinds(made, layers.GroupNormalization)) == len(found) - 1
    assert [layer.padding for layer in kinds(made, ReflectionPadding2D)] == [3, *[1] * 18, 3]
    assert (made.input_shape, made.output_shape) == ((None, 256, 256, 3), (None, 256, 256, 3))


def test_shapes_and_range():
    made = randomized(small((12, 20, 3), (12, 20, 4)))
    assert (made.input_shape, made.output_shape) == ((None, 12, 20, 4), (None, 12, 20, 3))
    out = applied(made, images(2, 12, 20, 4))
    assert out.shape == (2, 12, 20, 3) and 0.5 < np.abs(out).max() <= 1.0
    made = small((8, 8, 1), norm="batch")
    assert [layer.use_bias for layer in kinds(made, layers.Conv2D)] == [False] * 5 + [True]
    assert [layer.use_bias for layer in kinds(made, layers.Conv2DTranspose)] == [False] * 2


def test_initial_weights():
    made = small(filters=32)
    found = kinds(made, layers.Conv2D) + kinds(made, layers.Conv2DTranspose)
    for kernel in values([layer.kernel for layer in found]):
        assert kernel.std() == pytest.approx(0.02, rel=0.06) and abs(kernel.mean()) < 0.002
    assert not any(bias.any() for bias in values([layer.bias for layer in found]))


@pytest.mark.parametrize(
    "shape, filters, blocks, norm",
    [
        ((24, 32, 3), 64, 9, "instance"),
        ((12, 20, 2), 4, 2, "instance"),  # 3 x 5 after halving
        ((8, 8, 1), 4, 1, "instance"),  # the smallest
        ((20, 12, 3), 3, 2, "batch"),
        ((16, 28, 3), 3, 1, None),
    ],
)
def test_is_the_pytorch_network(shape, filters, blocks, norm):
    players = pytest.importorskip("tests.pytorch_players")
    height, width, channels = shape
    with parameter_counts.zero_weights():
        made = randomized(small(shape, (height, width, 3), filters, blocks, norm=norm))
    weights = players.weights(made, players.resnet_translation_names(blocks, norm))
    network = players.resnet_translation(weights, 3, channels, filters, blocks, norm)
    x = images(2, height, width, 3)
    same(applied(made, x), x, network)
    assert sum(one.numel() for one in network.parameters()) == sum(
        np.prod(one.shape) for one in made.trainable_variables
    )


def test_doubling_by_hand():
    """y_(2i + k - 1) = sum of x_i w_k, for 2n rows and columns: PyTorch's padding 1 and output padding 1."""
    made = randomized(small((12, 20, 1), norm=None))
    [up, *_], [crop, *_] = kinds(made, layers.Conv2DTranspose), kinds(made, layers.Cropping2D)
    x = images(1, 3, 5, 8)
    expected = np.zeros((6 + 3, 10 + 3, 4)) + values([up.bias])[0]
    kernel = values([up.kernel])[0]  # (3, 3, out, in)
    for i in range(3):
        for j in range(5):
            expected[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] += kernel @ x[0, i, j]
    [ours] = values([crop(up(x))])
    np.testing.assert_allclose(ours[0], expected[1:7, 1:11], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "make, text, instead",
    [
        (lambda: small((10, 17, 3)),
         "resnet_translation halves an image twice and reflects the result, so height and width must be multiples of 4 "
         "and at least 8. Received: 10 x 17; the nearest that fits is 8 x 16.", {"size": [8, 16]}),
        (lambda: small((4, 4, 3)), "Received: 4 x 4; the nearest that fits is 8 x 8.", {"size": 8}),
        (lambda: small((16, 16, 3), (16, 8, 3)),
         "`given_shape` of resnet_translation must have the height and width of `image_shape`, 16 x 16. "
         "Received: (16, 8, 3)", {}),
        (lambda: small((16, 16)),
         "`image_shape` of resnet_translation must be (height, width, channels). Received: (16, 16)", {}),
    ],
)  # fmt: skip
def test_sizes_that_do_not_fit(make, text, instead):
    with pytest.raises(Misfit, match=re.escape(text) + "$") as caught:
        make()
    assert caught.value.instead == instead


def test_refused_norm():
    with pytest.raises(
        ValueError, match="`norm` of resnet_translation must be 'batch', 'instance' or None. Received: 1"
    ):
        small(norm=1)


def named(shape=(8, 8, 3)):
    """A player of a user, whose layers have the same names each time."""
    return keras.Sequential([keras.Input(shape, name="x"), layers.Conv2D(3, 3, padding="same", name="y")], name="same")


def judge(shape=(24, 24, 3), **kwargs):
    return patch.discriminator(shape, given=False, receptive_field=16, filters=2, norm="instance", **kwargs)


PAIRS = {
    "resnet": (towers.generator, lambda: small((16, 12, 1), (16, 12, 3)), lambda: small((16, 12, 3), (16, 12, 1))),
    "two families": (towers.generator, lambda: unet.generator((16, 16, 3), filters=2), lambda: small((16, 16, 3))),
    "patch": (towers.discriminator, lambda: judge((24, 32, 3)), lambda: judge((24, 32, 1))),
    "scales": (towers.discriminator, lambda: judge(scales=2), lambda: judge(scales=2)),
    "the same names": (towers.generator, named, named),
}


@pytest.mark.parametrize("case", PAIRS)
def test_towers(case, tmp_path):
    """They are the two models, side by side, also after they were saved; those given keep their names."""
    join, *makes = PAIRS[case]
    first, second = (make() for make in makes)
    names = [first.name, second.name]
    made = join(first, second)
    randomized(first)
    for variable in randomized(second).weights:
        variable.assign(1.1 * variable)  # not those of the first one
    assert len(made.variables) == len(first.variables) + len(second.variables)
    assert [first.name, second.name] == names
    x = [images(2, *one.inputs[0].shape[1:]) for one in (first, second)]
    expected = [*listed(applied(first, x[0])), *listed(applied(second, x[1]))]
    made.save(tmp_path / "towers.keras")
    again = keras.saving.load_model(tmp_path / "towers.keras")
    assert largest_difference(made.get_weights(), again.get_weights()) == 0.0
    assert [layer.name for layer in again.layers] == [layer.name for layer in made.layers]
    for model in (made, again):
        for ours, theirs in zip(applied(model, *x), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
        paths = {variable.path for variable in model.variables}
        assert case == "the same names" or len(paths) == len(made.variables)


def listed(outputs):
    return outputs if isinstance(outputs, list) else [outputs]


def test_names_of_towers():
    """Inputs of generators are a and b, those of discriminators b and a."""
    made = towers.generator(small(), small())
    assert [one.name for one in made.inputs] == ["a", "b"] and made.output_names == ["to_b", "to_a"]
    made = towers.discriminator(judge(), judge())
    assert [one.name for one in made.inputs] == ["b", "a"] and made.output_names == ["is_b", "is_a"]
    assert [one.shape for one in made.outputs] == [(None, 10, 10, 1)] * 2


def test_towers_are_trained_together():
    """A step of an optimizer changes the weights of both models, which those of the towers are."""
    to_b, to_a = small((8, 8, 1)), small((8, 8, 1))
    made = towers.generator(to_b, to_a)
    before = values(to_b.trainable_variables + to_a.trainable_variables)
    made.compile("sgd", ["mae", "mae"])
    x = images(2, 8, 8, 1)
    made.train_on_batch([x, x], [x, x])
    after = values(to_b.trainable_variables + to_a.trainable_variables)
    kernels = [np.any(a != b) for a, b in zip(before, after, strict=True) if a.ndim == 4]
    assert len(kernels) == 16 and all(kernels)


class Opaque(keras.Model):
    def call(self, images):
        return images


def twice():
    model = small()
    return keras.Model(model.inputs, model.outputs * 2, name="twice")


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda: towers.generator(small(), Opaque(name="mine")),
         "`to_a` must be a Functional or Sequential model with one input and one output. Received: <Opaque name=mine"),
        (lambda: towers.generator(3, small()),
         "`to_b` must be a Functional or Sequential model with one input and one output. Received: 3"),
        (lambda: towers.generator(twice(), small()), "one output. Received: model 'twice', inputs: 1, outputs: 2"),
        (lambda: towers.discriminator(patch.discriminator((24, 24, 3), filters=2), judge()),
         "`is_b` must be a Functional or Sequential model with one input. "
         "Received: model 'discriminator', inputs: 2, outputs: 1"),
        (lambda: towers.generator(*[small()] * 2),
         "`to_b` and `to_a` must not share weights, since Keras could not load the saved model. "
         "Received: two models with 16 variables in common"),
        (lambda: towers.discriminator(*[judge()] * 2), "`is_b` and `is_a` must not share weights"),
        (lambda: towers.generator(small((16, 12, 1), (16, 12, 3)), small()),
         "The images of `to_b` must have the shape that `to_a` is given, and the reverse. "
         "Received: `to_b` (16, 12, 3) -> (16, 12, 1), `to_a` (16, 12, 3) -> (16, 12, 3)"),
        (lambda: towers.generator(small((16, 12, 1)), small((16, 12, 3), (16, 12, 1))), "and the reverse. Received: "),
        (lambda: towers.generator(keras.Sequential([small(), layers.Flatten(), layers.Dense(16)]), small()),
         "Received: `to_b` (16, 12, 3) -> (16,), `to_a` (16, 12, 3) -> (16, 12, 3)"),
        (lambda: towers.discriminator(judge(scales=2), judge()),
         "`is_b` and `is_a` must have the same number of outputs. Received: 2 and 1"),
    ],
)  # fmt: skip
def test_towers_that_do_not_fit(make, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        make()


def test_towers_of_any_size():
    any_size = [keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(3, 1)]) for _ in range(2)]
    assert towers.generator(*any_size).output_shape == [(None, None, None, 3)] * 2
    assert towers.generator(small(), any_size[1]).output_shape == [(None, 16, 12, 3), (None, None, None, 3)]
