"""Players of every family: shapes at every size, the texts' networks at 28 x 28, clear refusals."""

import inspect
from typing import get_args

import keras
import numpy as np
import pytest

import kgan
from kgan.architectures import dcgan, dense, get, players, r3gan, resnet
from kgan.layers import SelfAttention
from tests.helpers import (
    SMALL_FAMILIES,
    assert_close,
    compiled,
    correlate,
    largest_difference,
    small_gan,
    values,
    wrong,
)


@pytest.mark.parametrize("name", SMALL_FAMILIES)
@pytest.mark.parametrize("side", [8, 28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_shapes(name, side, channels):
    family, shape = get(name), (side, side, channels)
    generator, discriminator = family.generator(shape, latent_dim=5), family.discriminator(shape)
    assert generator.input_shape == (None, 5) and generator.output_shape == (None, *shape)
    assert discriminator.input_shape == (None, *shape) and discriminator.output_shape == (None, 1)


def test_dcgan_at_128_and_oblong():
    assert dcgan.generator((128, 128, 3), filters=8).output_shape == (None, 128, 128, 3)
    assert dcgan.generator((32, 64, 1), filters=8).output_shape == (None, 32, 64, 1)
    bases = {8: 2, 12: 3, 20: 5, 28: 7, 32: 8, 36: 9, 64: 8, 96: 6, 128: 8}
    for side, base in bases.items():
        made = dcgan.generator((side, side, 1), filters=2)
        reshape = next(one for one in made.layers if isinstance(one, keras.layers.Reshape))
        assert reshape.target_shape[:2] == (base, base), side


def test_counts_of_the_texts():
    """Parameters of the tutorials' networks, from their layers by hand."""
    widths = [100, 128, 256, 512, 1024, 784]
    dense_layers = sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))
    assert dense.generator().count_params() == dense_layers + 4 * (256 + 512 + 1024)
    assert dense.discriminator().count_params() == 784 * 512 + 512 + 512 * 256 + 256 + 256 + 1
    first = 100 * 12544 + 4 * 12544
    convolutions = 25 * 256 * 128 + 4 * 128 + 25 * 128 * 64 + 4 * 64 + 25 * 64
    assert dcgan.generator().count_params() == first + convolutions
    assert dcgan.discriminator().count_params() == 25 * 64 + 64 + 25 * 64 * 128 + 128 + 7 * 7 * 128 + 1


def test_dcgan_without_the_straight_convolution():
    made = dcgan.generator((32, 32, 3), latent_dim=10, filters=8, kernel_size=4, momentum=0.9, straight=False)
    convolutions = 16 * (16 * 8 + 8 * 3)  # 8 x 8 x 16 -> 16 x 16 x 8 -> 32 x 32 x 3
    assert made.count_params() == 10 * 8 * 8 * 16 + 4 * (8 * 8 * 16 + 8) + convolutions
    norms = [layer for layer in made.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert [norm.momentum for norm in norms] == [0.9, 0.9]
    made = dcgan.generator((32, 32, 3), filters=8, straight=False, attention=16)
    assert [layer for layer in made.layers if isinstance(layer, SelfAttention)][0].input.shape[1] == 16
    with pytest.raises(ValueError, match="a height of the features, 16. Received: 8"):
        dcgan.generator((32, 32, 3), straight=False, attention=8)


def test_layers_of_the_texts():
    norms = [layer for layer in dense.generator().layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert [(norm.momentum, norm.epsilon) for norm in norms] == [(0.1, 0.8)] * 3
    slopes = {layer.negative_slope for layer in dense.generator().layers if isinstance(layer, keras.layers.LeakyReLU)}
    assert slopes == {0.2}
    assert dense.discriminator().layers[-1].activation is keras.activations.sigmoid
    strides = [
        layer.strides[0] for layer in dcgan.generator().layers if isinstance(layer, keras.layers.Conv2DTranspose)
    ]
    assert strides == [1, 2, 2]
    rates = [layer.rate for layer in dcgan.discriminator().layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.3, 0.3]


def convolution(size, before, after, bias=True):
    return size * size * before * after + after * bias


def test_counts_of_the_residual_papers():
    """SNGAN's table 4 (arXiv:1802.05957) and the table of WGAN-GP's appendix (arXiv:1704.00028), layer by layer.

    A 1 x 1 convolution is in the shortcut of each block that changes the size, as in both authors' code.
    """

    def generator(width, places=16, blocks=3, channels=3):
        block = (
            2 * convolution(3, width, width) + convolution(1, width, width) + 2 * 4 * width
        )  # 4 to a normalized channel
        return 129 * places * width + blocks * block + 4 * width + convolution(3, width, channels)

    def discriminator(width):
        first = convolution(3, 3, width) + convolution(3, width, width) + convolution(1, 3, width)
        second = 2 * convolution(3, width, width) + convolution(1, width, width)
        return first + second + 2 * 2 * convolution(3, width, width) + width + 1

    assert resnet.generator().count_params() == generator(256)
    assert resnet.discriminator().count_params() == discriminator(128) == 1_053_825
    assert resnet.generator(filters=128).count_params() == generator(128)
    # 28 x 28 x 1: two blocks in place of three, and a base of 49 places in place of 16
    assert generator(64, places=49, blocks=2, channels=1) == resnet.generator((28, 28, 1), filters=64).count_params()


def test_sizes_of_residual_features():
    """The base and every block, by the layers that resize: 4 -> 32, 7 -> 28; and down to 8 or 7, with two more blocks."""
    for side, sizes in {
        8: [4, 8],
        28: [7, 14, 28],
        32: [4, 8, 16, 32],
        64: [4, 8, 16, 32, 64],
        36: [9, 18, 36],
    }.items():
        made = resnet.generator((side, side, 1), 3, filters=2)
        added = [layer.output.shape[1] for layer in made.layers if isinstance(layer, keras.layers.Add)]
        base = next(layer.output.shape[1] for layer in made.layers if isinstance(layer, keras.layers.Reshape))
        assert [base, *added] == sizes
    for side, sizes in {8: [4, 4, 4], 28: [14, 7, 7, 7], 32: [16, 8, 8, 8], 64: [32, 16, 8, 8, 8]}.items():
        made = resnet.discriminator((side, side, 1), filters=2)
        assert [layer.output.shape[1] for layer in made.layers if isinstance(layer, keras.layers.Add)] == sizes


def test_residual_discriminator_by_hand():
    """At 2 x 2 x 1 with one filter, all 3 x 3 kernels zero but for the middle."""
    made = resnet.discriminator((2, 2, 1), filters=1)
    for variable in made.weights:
        variable.assign(np.zeros(variable.shape))
    convolutions = [layer for layer in made.layers if isinstance(layer, keras.layers.Conv2D)]
    for layer in convolutions:
        kernel = np.zeros(layer.kernel.shape)
        kernel[kernel.shape[0] // 2, kernel.shape[1] // 2] = 2.0 if layer.kernel_size == (3, 3) else 3.0
        layer.kernel.assign(kernel)
    made.layers[-1].kernel.assign([[1.0]])
    x = np.array([1.0, -2.0, 3.0, 4.0])
    # the first block: the average of 3 x, and of 2 relu(2 x); each of the other two: h + 2 relu(2 relu(h))
    h = 3 * x.mean() + (2 * np.maximum(2 * x, 0)).mean()
    h = h + 4 * h
    h = h + 4 * h
    assert values([made(x.reshape(1, 2, 2, 1).astype("float32"))])[0][0, 0] == pytest.approx(h)


def test_pooling():
    """A sum over 4 x 4 places is 16 times the average."""
    summed, averaged = (resnet.discriminator((8, 8, 1), 4, pooling) for pooling in ("sum", "mean"))
    averaged.set_weights(summed.get_weights())
    x = np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype("float32")
    assert_close(values([summed(x)]), values([16 * averaged(x)]), rtol=1e-5, atol=1e-5)


def test_counts_of_r3gan():
    """The authors' setting for CIFAR-10 (arXiv:2501.05441): 768 channels, blocks twice as wide inside in groups of 16."""
    block = 768 * 1536 + 1536 + 9 * 16 * 1536 + 1536 + 1536 * 768
    generator = (
        16 * 768 + 64 * 768 + 4 * 2 * block + 768 * 3
    )  # a basis, its modulation, two blocks in each of four stages
    discriminator = 3 * 768 + 4 * 2 * block + 16 * 768 + 768
    assert r3gan.generator((32, 32, 3), 64, widths=768, blocks=2).count_params() == generator
    assert r3gan.discriminator((32, 32, 3), widths=768, blocks=2).count_params() == discriminator
    # what the paper prints for FFHQ at 256 x 256, in millions
    ffhq = [768, 768, 768, 768, 384, 192, 96]
    assert round(r3gan.generator((256, 256, 3), 64, ffhq, blocks=2).count_params() / 1e6, 3) == 23.058
    assert round(r3gan.discriminator((256, 256, 3), ffhq, blocks=2).count_params() / 1e6, 3) == 23.010
    # where the width changes there is a 1 x 1 convolution: once here, of two changes of size
    blocks = sum(2 * width * 2 * width + 2 * 2 * width + 9 * 16 * 2 * width for width in (32, 32, 16))
    assert r3gan.discriminator(widths=(32, 32, 16)).count_params() == 16 + blocks + 16 * 32 + 49 * 32 + 32


def test_r3gan_starts_as_fixup_says():
    """Its blocks are nothing but their input, so the discriminator is linear; the others' deviations are the formula's."""
    made = r3gan.discriminator((16, 16, 1), widths=64, blocks=2)
    x, y = np.random.default_rng(0).normal(size=(2, 3, 16, 16, 1)).astype("float32")
    assert_close(values([made(x + 2 * y)]), values([made(x) + 2 * made(y)]), rtol=1e-3, atol=1e-4)
    gain = np.sqrt(2 / 1.04) * 6 ** (-1 / 4)  # three stages of two blocks
    kernels = [layer.kernel for layer in made.layers if isinstance(layer, keras.layers.Conv2D)][1:]
    for first, grouped, last in zip(*[iter(values(kernels))] * 3, strict=True):
        assert first.std() == pytest.approx(gain / np.sqrt(64), rel=0.03)
        assert grouped.std() == pytest.approx(gain / np.sqrt(9 * 16), rel=0.03)
        assert not last.any()
    basis, linear = values(r3gan.generator((16, 16, 1), 100, widths=64).trainable_variables[:2])
    assert basis.shape == (4, 4, 64) and basis.std() == pytest.approx(1.0, rel=0.1)
    assert linear.std() == pytest.approx(0.1, rel=0.05)


def test_r3gan_by_hand():
    """A discriminator of two stages of one block with random weights, in plain loops."""
    made = r3gan.discriminator((6, 6, 2), widths=(8, 4), group_width=4)
    rng = np.random.default_rng(0)
    for variable in made.weights:
        variable.assign(rng.normal(0.0, 0.5, variable.shape))
    weights = iter(values(made.weights))
    x = images = rng.normal(size=(6, 6, 2))
    x = x @ next(weights)[0, 0]

    def block(x):
        y = x @ next(weights)[0, 0] + next(weights)
        y = correlate(np.maximum(y, 0.2 * y), next(weights)) + next(weights)
        return x + np.maximum(y, 0.2 * y) @ next(weights)[0, 0]

    x = block(x)
    x = x.reshape(3, 2, 3, 2, 4).mean(axis=(1, 3)) @ next(weights)[0, 0]
    x = block(x)
    score = (x * next(weights)[..., 0]).sum(axis=(0, 1)) @ next(weights)
    assert values([made(images[None].astype("float32"))])[0][0, 0] == pytest.approx(float(score[0]), rel=1e-4)


@pytest.mark.parametrize("name", ["dcgan", "resnet"])
def test_attention(name):
    """At each height that there is, once; nowhere else; and in neither player by default."""
    family = get(name)
    for make, arguments in ((family.generator, {"latent_dim": 4}), (family.discriminator, {})):
        plain = make((28, 28, 1), filters=8, **arguments)
        heights = [7, 14, 28] if (name, make) == ("resnet", family.generator) else [7, 14]
        for height in heights:
            made = make((28, 28, 1), filters=8, attention=height, **arguments)
            [layer] = [layer for layer in made.layers if isinstance(layer, SelfAttention)]
            assert layer.output.shape[1] == height
            assert made.output_shape == plain.output_shape and made.count_params() > plain.count_params()
        assert not any(isinstance(layer, SelfAttention) for layer in plain.layers)
        with pytest.raises(
            ValueError, match="`attention` must be None or a height of the features, .*14.* Received: 9"
        ):
            make((28, 28, 1), filters=8, attention=9, **arguments)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", [name for name in SMALL_FAMILIES if name != "dense"])
def test_a_step(name, images, tmp_path):
    """Both players move, with a penalty and an averaged generator, and are saved."""
    family = get(name)
    gan = compiled(
        small_gan(
            generator=lambda: family.generator((8, 8, 1), 6, **SMALL_FAMILIES[name]),
            discriminator=lambda: family.discriminator((8, 8, 1), **SMALL_FAMILIES[name]),
        ),
        penalties=["r1", "gradient_penalty"],
        ema=0.9,
    )
    before = values(gan.generator.trainable_variables + gan.discriminator.trainable_variables)
    for _ in range(2):  # what is behind a zero moves in the second step
        logs = gan.train_on_batch(images[:4], return_dict=True)
    assert all(np.isfinite(value).all() for value in values(logs.values()))
    after = values(gan.generator.trainable_variables + gan.discriminator.trainable_variables)
    assert all(np.any(a != b) for a, b in zip(before, after, strict=True))
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    assert largest_difference(values(gan.variables), values(again.variables)) == 0.0


@pytest.mark.parametrize("name", SMALL_FAMILIES)
def test_contract(name):
    """Images in [-1, 1]; the same seed makes the same weights, another one others."""
    made = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        made.append(
            get(name).generator((8, 8, 1), 4, **SMALL_FAMILIES[name]).predict(np.ones((2, 4), "float32"), verbose=0)
        )
    assert np.abs(made[0]).max() <= 1.0
    np.testing.assert_array_equal(made[0], made[1])
    assert np.any(made[0] != made[2])


def ways(player):
    parameter = inspect.signature(player).parameters.get("conditioning")
    return [None] if parameter is None else get_args(parameter.annotation)


CONDITIONED = [
    (name, player, way)
    for name in SMALL_FAMILIES
    for player in ("generator", "discriminator")
    for way in ways(getattr(get(name), player))
]


@pytest.mark.parametrize("name, player, way", CONDITIONED)
def test_every_way_of_conditioning(name, player, way):
    """Each player is told the class, and its weights that are for it are trained."""
    arguments = {**SMALL_FAMILIES[name], "num_classes": 3, **({"conditioning": way} if way else {})}
    shape, first = ((8, 8, 1), (4,)) if player == "generator" else ((8, 8, 1), (8, 8, 1))
    make = getattr(get(name), player)
    model = make(shape, 4, **arguments) if player == "generator" else make(shape, **arguments)
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.3, variable.shape))
    inputs = np.repeat(rng.normal(size=(1, *first)).astype("float32"), 3, axis=0)
    if way == "auxiliary":
        score, classes = model.predict(inputs, verbose=0)
        assert score.shape == (3, 1) and classes.shape == (3, 3)
        return
    made = model.predict([inputs, np.arange(3, dtype="int32")], verbose=0)
    assert all(np.abs(made[one] - made[other]).max() > 1e-4 for one, other in ((0, 1), (0, 2), (1, 2)))


def test_a_generator_without_normalization_cannot_be_told_by_it():
    with pytest.raises(ValueError, match="must be 'concatenation' without `normalization`. Received: 'batch_norm'"):
        get("resnet").generator((8, 8, 1), 4, filters=8, normalization=None, num_classes=3)


def test_families_of_two_players():
    """They start from latents alone, and every test above is for each of them; fastgan, whose two maps of logits and sizes
    are its own, has tests/test_fastgan.py."""
    assert players("generator").keys() & players("discriminator").keys() == {*SMALL_FAMILIES, "fastgan"}
    assert "patch" not in players("generator") and "unet" not in players("discriminator")


def test_refusals():
    with pytest.raises(ValueError, match="multiples of 4. Received: 30 x 29; the nearest that fits is 32 x 28"):
        dcgan.generator((30, 29, 1))
    with pytest.raises(ValueError, match="must be \\(height, width, channels\\). Received: \\(2,\\)"):
        dcgan.discriminator((2,))
    with pytest.raises(ValueError, match="multiples of 2. Received: 30 x 29; the nearest that fits is 30 x 28"):
        resnet.generator((30, 29, 1))
    with pytest.raises(ValueError, match="of resnet must be \\(height, width, channels\\). Received: \\(2,\\)"):
        resnet.discriminator((2,))
    with pytest.raises(ValueError, match="of resnet must be \\(height, width, channels\\). Received: 32"):
        resnet.generator(32)
    with pytest.raises(ValueError, match="Unknown pooling of resnet 'max'. Known are: mean, sum"):
        resnet.discriminator((8, 8, 1), pooling="max")
    with pytest.raises(ValueError, match="`normalization` of resnet must be 'batch' or None. Received: 'layer'"):
        resnet.generator((8, 8, 1), normalization="layer")
    with pytest.raises(ValueError, match="`widths` must be one number, or 3, .* Received: 32.0"):
        r3gan.generator((28, 28, 1), widths=32.0)
    with pytest.raises(ValueError, match="`widths` must be one number, or 3, .* Received: \\(32, 32\\)"):
        r3gan.generator((28, 28, 1), widths=(32, 32))
    with pytest.raises(ValueError, match="`group_width` must divide .* \\[20, 20, 20\\]. Received: 16"):
        r3gan.discriminator((28, 28, 1), widths=10)
    with pytest.raises(ValueError, match="Unknown architecture 'dcgna'. Did you mean 'dcgan'"):
        get("dcgna")


def test_numbers_below_one():
    assert "`base` of dcgan must be" in wrong(lambda: dcgan.discriminator((28, 28, 1), base=0))
    assert "`group_width` of r3gan must be" in wrong(lambda: r3gan.generator((28, 28, 1), group_width=0))


def test_a_dcgan_discriminator_goes_down_to_its_base():
    """Also from an odd side, which "same" padding halves up: 28, 14, 7, 4."""
    for side, base, last in ((28, 8, 7), (28, 4, 4), (64, 4, 4), (36, 4, 3)):
        made = dcgan.discriminator((side, side, 1), filters=2, base=base)
        flat = next(one for one in made.layers if isinstance(one, keras.layers.Flatten))
        assert flat.input.shape[1:3] == (last, last), side
