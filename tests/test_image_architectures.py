"""Players that receive an image: counts, sizes, patches, and the networks of the papers with the same weights."""

import contextlib
import pathlib
import re
import types

import keras
import numpy as np
import pytest
from keras import layers

import kgan
from kgan import backend
from kgan.architectures import patch, resnet_translation, rrdb, srresnet, unet
from kgan.arguments import Misfit
from tests import brought, parameter_counts
from tests.helpers import in_a_step, largest_difference, values
from tests.image_players import applied, images, kinds, randomized, same
from tests.recipe_helpers import GOOD, check, complaint


@pytest.fixture(autouse=True)
def without_random_weights(request):
    """Nearly all tests replace them; on JAX they would take minutes."""
    with contextlib.nullcontext() if "initial" in request.node.name else parameter_counts.zero_weights():
        yield


GENERATORS = {
    "unet": lambda shape=(16, 16, 3), **kwargs: unet.generator(shape, filters=2, **kwargs),
    "resnet_translation": lambda shape=(16, 16, 3), **kwargs: resnet_translation.generator(
        shape, filters=4, blocks=1, **kwargs
    ),
    "srresnet": lambda shape=(16, 16, 3), **kwargs: srresnet.generator(shape, filters=4, blocks=1, **kwargs),
    "rrdb": lambda shape=(16, 16, 3), **kwargs: rrdb.generator(shape, filters=4, growth=2, blocks=1, **kwargs),
}


def test_counts():
    """Those of the authors' code count what is trained, not the moving statistics."""
    assert [trained for trained, *_ in parameter_counts.counts().values()] == [
        54_413_955,
        41_828_995,
        4_168_003,
        2_768_705,
        666_433,
        139_585,
        2_764_737,
        11_378_179,
        7_837_699,
        1_549_462,
        16_697_987,
    ]
    widths = (128 + 256 + 4 * 512) + (4 * 512 + 256 + 128 + 64)  # of U-Net-256: e2 to e7, d1 to d7
    moving = [moving for _, moving, _ in parameter_counts.counts().values()]
    assert moving[0] == 2 * widths and moving[3:] == [2 * (128 + 256 + 512), 2 * 384, 2 * 128, 0, 0, 0, 2 * 33 * 64, 0]


def test_counts_in_the_documentation():
    page = (pathlib.Path(__file__).parent.parent / "docs" / "architectures.md").read_text("utf-8")
    assert page == brought.between_marks(page, parameter_counts.table(), parameter_counts.COMMAND)
    assert "54,413,955" in page


def test_the_code_in_the_documentation():
    text = (pathlib.Path(__file__).parent.parent / "docs" / "architectures.md").read_text("utf-8")
    names = {"keras": keras, "grey": keras.ops.zeros((2, 32, 32, 1)), "pictures": images(2, 12, 20, 3)}
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(code, names)
    assert names["logits"].shape == (2, 14, 14, 1) and names["enlarged"].shape == (2, 48, 80, 3)
    assert names["several"].input_shape == [(None, 8), (None, 32, 32, 3)]
    assert names["both"].output_shape == [(None, 32, 32, 3)] * 2
    assert names["judges"].output_shape == [(None, 14, 14, 1)] * 2


def test_output_shapes():
    shapes = [shape for *_, shape in parameter_counts.counts().values()]
    assert shapes[:4] == [(256, 256, 3), (128, 128, 3), (32, 32, 3), (30, 30, 1)]
    made = unet.generator((16, 32, 3), given_shape=(16, 32, 4), filters=2)
    assert made.input_shape == (None, 16, 32, 4) and made.output_shape == (None, 16, 32, 3)
    made = patch.discriminator((24, 32, 3), (24, 32, 1), filters=2)
    assert made.input_shape == [(None, 24, 32, 3), (None, 24, 32, 1)] and made.output_shape == (None, 1, 2, 1)
    assert [tensor.name for tensor in made.inputs] == ["image", "given"]
    made = patch.discriminator((24, 32, 3), (6, 8, 3), given=False, filters=2)
    assert made.input_shape == (None, 24, 32, 3)
    made = patch.discriminator((48, 64, 3), given=False, filters=2, receptive_field=34, scales=3)
    assert made.input_shape == (None, 48, 64, 3)
    assert made.output_shape == [(None, 10, 14, 1), (None, 4, 6, 1), (None, 1, 2, 1)]
    for factor in (1, 2, 8):
        made = srresnet.generator((16, 32, 3), factor=factor, filters=4, blocks=1)
        assert made.input_shape == (None, 16 // factor, 32 // factor, 3) and made.output_shape == (None, 16, 32, 3)
    for family in (srresnet, rrdb):
        made = family.generator((16, 32, 3), given_shape=(8, 16, 1), filters=4, blocks=1)
        assert made.input_shape == (None, 8, 16, 1) and made.output_shape == (None, 16, 32, 3)


def test_how_often_the_unet_halves():
    """To one pixel, an odd height or width, or eight times; the widths are at most 8 times the first."""
    for side, halvings in {256: 8, 512: 8, 96: 5, 28: 2, 4: 2}.items():
        made = unet.generator((side, side, 1), filters=1)
        convolutions = kinds(made, layers.Conv2D)
        assert [layer.filters for layer in convolutions] == [1, 2, 4, 8, 8, 8, 8, 8][:halvings]
        assert convolutions[-1].output.shape[1] == side >> halvings
    assert len(kinds(unet.generator((256, 128, 1), filters=1), layers.Conv2D)) == 7
    assert len(kinds(unet.generator((64, 64, 1), filters=1, downs=3), layers.Conv2D)) == 3


def test_where_the_unet_has_dropout():
    """After the first three blocks of the decoder, between the norm and the concatenation; fewer if it is shallow."""
    for downs, count in {2: 1, 5: 1, 6: 2, 8: 3}.items():
        made = unet.generator((2**downs, 2**downs, 1), filters=1, dropout=0.25, downs=downs)
        found = kinds(made, layers.Dropout)
        assert [layer.rate for layer in found] == [0.25] * count
        assert [layer.output.shape[1] for layer in found] == [2 << block for block in range(count)]
        joined = {id(tensor) for layer in kinds(made, layers.Concatenate) for tensor in layer.input}
        normal = {id(layer.output) for layer in kinds(made, layers.BatchNormalization)}
        assert all(id(layer.output) in joined and id(layer.input) in normal for layer in found)
    assert not kinds(unet.generator((16, 16, 1), filters=1, dropout=0.0), layers.Dropout)


def test_initial_weights():
    made = unet.generator((16, 16, 3), filters=32)
    kernels = [layer.kernel for layer in kinds(made, layers.Conv2D)]
    kernels += [layer.kernel for layer in kinds(made, layers.Conv2DTranspose)]
    enlarging = srresnet.generator((16, 16, 3), blocks=1)
    kernels += [layer.kernel for layer in kinds(enlarging, layers.Conv2D)]
    assert all(kernel.std() == pytest.approx(0.02, rel=0.06) for kernel in values(kernels))
    scales = np.concatenate(values([layer.gamma for layer in kinds(made, layers.BatchNormalization)]))
    assert scales.mean() == pytest.approx(1.0, abs=0.01) and scales.std() == pytest.approx(0.02, rel=0.2)
    assert [(norm.momentum, norm.epsilon) for norm in kinds(made, layers.BatchNormalization)[:1]] == [(0.9, 1e-5)]
    slopes = [layer.alpha for layer in kinds(enlarging, layers.PReLU)]
    assert [slope.tolist() for slope in values(slopes)] == [[[[0.25]]]] * 4
    first, *dense, last = values([layer.kernel for layer in kinds(rrdb.generator(blocks=1), layers.Conv2D)])
    for kernel in dense[:15]:
        assert kernel.std() == pytest.approx(0.1 * np.sqrt(2 / np.prod(kernel.shape[:3])), rel=0.05)
    for kernel in (first, *dense[15:], last):
        limit = np.prod(kernel.shape[:3]) ** -0.5
        assert 0.99 * limit < np.abs(kernel).max() <= limit


@pytest.mark.parametrize("downs, norm", [(3, "batch"), (5, "batch"), (2, "instance"), (4, "instance"), (3, None)])
def test_unet_is_the_pytorch_network(downs, norm):
    players = pytest.importorskip("tests.pytorch_players")
    made = randomized(unet.generator((64, 32, 3), given_shape=(64, 32, 2), filters=2, downs=downs, norm=norm))
    weights = players.weights(made, players.unet_names(downs, norm))
    x = images(2, 64, 32, 2)
    same(applied(made, x), x, lambda x: players.unet(weights, x, downs, norm))
    biased = [layer.use_bias for layer in (*kinds(made, layers.Conv2D), *kinds(made, layers.Conv2DTranspose))]
    assert biased == [norm != "batch"] * (2 * downs - 1) + [True]


@pytest.mark.parametrize(
    "field, norm", [*((field, "batch") for field in patch.FIELDS), (1, "instance"), (34, "instance"), (16, None)]
)
def test_patch_is_the_pytorch_network(field, norm):
    """For sizes that are odd before and after halving too, where padding differs between Keras and PyTorch."""
    players = pytest.importorskip("tests.pytorch_players")
    halved = patch.FIELDS[field]
    height, width = (3 << halved) + 1, (3 << halved) + 7
    made = randomized(patch.discriminator((height, width, 3), (height, width, 1), True, field, 2, norm))
    weights = players.weights(made, players.patch_names(halved, norm))
    x, given = images(2, height, width, 3), images(2, height, width, 1)
    same(applied(made, x, given), np.concatenate([x, given], -1), lambda x: players.patch(weights, x, halved, norm))
    first, *inside, last = [layer.use_bias for layer in kinds(made, layers.Conv2D)]
    assert (first, set(inside), last) == (True, {norm != "batch"}, halved > 0 or norm != "batch")


@pytest.mark.parametrize("norm, doublings", [("batch", 2), ("instance", 1), (None, 0)])
def test_srresnet_is_the_pytorch_network(norm, doublings):
    players = pytest.importorskip("tests.pytorch_players")
    made = randomized(srresnet.generator((24, 16, 3), factor=2**doublings, filters=4, blocks=2, norm=norm))
    weights = players.weights(made, players.srresnet_names(2, doublings, norm))
    x = images(2, 24 >> doublings, 16 >> doublings, 3)
    same(applied(made, x), x, lambda x: players.srresnet(weights, x, 2, doublings, norm))


def test_rrdb_is_the_pytorch_network():
    players = pytest.importorskip("tests.pytorch_players")
    made = randomized(rrdb.generator((24, 16, 3), filters=4, growth=3, blocks=2, activation=None))
    weights = players.weights(made, players.rrdb_names(2, doublings=2))
    x = images(2, 6, 4, 3)
    same(applied(made, x), x, lambda x: players.rrdb(weights, x, 2, doublings=2))


@pytest.mark.parametrize("field, halved", patch.FIELDS.items())
def test_receptive_field(field, halved):
    """The pixels that a logit depends on, by its gradient, are a square of the promised size at the promised place."""
    side = 11 << halved
    made = patch.discriminator((side, side, 1), given=False, receptive_field=field, filters=1, norm=None)
    for variable in made.weights:
        variable.assign(np.full(variable.shape, 0.2))  # no two paths may cancel
    x = np.ones((1, side, side, 1), "float32")

    def slope():
        return backend.input_gradient(lambda images: made(images)[:, 4, 4, 0], keras.ops.convert_to_tensor(x))

    seen = values([in_a_step(slope, made.variables)])[0][0, :, :, 0] != 0
    rows, columns = np.nonzero(seen.any(1))[0], np.nonzero(seen.any(0))[0]
    start = 4 * 2**halved - (3 * 2**halved - 1) if halved else 4  # padding of one pixel in each layer
    assert seen.sum() == field**2 and (rows[0], columns[0]) == (start, start) and len(rows) == len(columns) == field


def test_scales():
    """Each map is that of a discriminator of its own, of the averaged image."""
    made = randomized(patch.discriminator((24, 24, 2), given=False, receptive_field=16, filters=2, scales=3))
    x = images(1, 24, 24, 2)
    smaller = [x, *(x.reshape(1, 24 // k, k, 24 // k, k, 2).mean((2, 4)) for k in (2, 4))]
    for scale, (seen, logits) in enumerate(zip(smaller, applied(made, x), strict=True)):
        one = patch.discriminator(seen.shape[1:], given=False, receptive_field=16, filters=2)
        path, tensor = [], made.outputs[scale]
        while tensor.shape[-1] != 2 or not isinstance(tensor._keras_history.operation, layers.InputLayer):
            operation = tensor._keras_history.operation
            path.insert(0, operation)
            tensor = operation.input
        weights = [weight for layer in path for weight in layer.get_weights()]
        one.set_weights(weights)
        np.testing.assert_allclose(logits, applied(one, seen), rtol=1e-4, atol=1e-5)
    assert len({id(variable) for variable in made.variables}) == 3 * len(one.variables)


@pytest.mark.parametrize("name", GENERATORS)
def test_latents(name):
    """A generator with latents is one that is given further channels, each with one value everywhere."""
    with_latents = randomized(GENERATORS[name](latent_dim=2))
    channels = with_latents.inputs[1].shape[-1]
    small = (*with_latents.inputs[1].shape[1:3], channels + 2)
    with_channels = GENERATORS[name](given_shape=small)
    with_channels.set_weights(with_latents.get_weights())
    latents, given = np.array([[0.5, -2.0], [1.5, 0.3]], "float32"), images(2, *small[:2], channels)
    everywhere = latents[:, None, None, :] * np.ones((1, *small[:2], 1), "float32")
    assert [tensor.name for tensor in with_latents.inputs] == ["latents", "given"]
    expected = applied(with_channels, np.concatenate([given, everywhere], -1))
    np.testing.assert_allclose(applied(with_latents, latents, given), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "name, arguments", [*((name, {}) for name in GENERATORS), ("unet", {"latent_dim": 2, "norm": "instance"})]
)
def test_another_size(name, arguments):
    """The layers on inputs of any size are those of a generator that was made for that size."""
    made = randomized(GENERATORS[name](**arguments))
    inputs = [keras.Input(tensor.shape[1:] if tensor.name == "latents" else (None, None, 3)) for tensor in made.inputs]
    any_size = keras.models.clone_model(made, input_tensors=inputs if len(inputs) > 1 else inputs[0])
    assert any_size.output_shape == (None, None, None, 3)
    any_size.set_weights(made.get_weights())
    extra = {"downs": 4} if name == "unet" else {}
    larger = GENERATORS[name]((32, 48, 3), **arguments, **extra)
    larger.set_weights(made.get_weights())
    x = [images(2, *tensor.shape[1:]) for tensor in larger.inputs]
    np.testing.assert_allclose(applied(any_size, *x), applied(larger, *x), rtol=1e-4, atol=1e-5)
    if backend.NAME == "tensorflow":  # a graph in which the sizes are not known
        import tensorflow as tf

        specs = [tf.TensorSpec(tensor.shape) for tensor in any_size.inputs]
        graph = tf.function(lambda *x: any_size(x if len(x) > 1 else x[0], training=False), input_signature=specs)
        np.testing.assert_allclose(graph(*x), applied(larger, *x), rtol=1e-4, atol=1e-5)


MADE = {
    **GENERATORS,
    "with latents": lambda: GENERATORS["unet"](latent_dim=2, norm="instance"),
    "patch": lambda: patch.discriminator((16, 16, 3), receptive_field=16, filters=2),
    "scales": lambda: patch.discriminator((16, 16, 3), given=False, receptive_field=16, filters=2, scales=2, norm=None),
}


@pytest.mark.parametrize("name", MADE)
def test_saved(name, tmp_path):
    made = randomized(MADE[name]())
    made.save(tmp_path / "player.keras")
    again = keras.saving.load_model(tmp_path / "player.keras")
    assert largest_difference(made.get_weights(), again.get_weights()) == 0.0
    x = [images(2, *tensor.shape[1:]) for tensor in made.inputs]
    ours, theirs = applied(made, *x), applied(again, *x)
    np.testing.assert_array_equal(*((one[-1] if isinstance(one, list) else one) for one in (ours, theirs)))


@pytest.mark.parametrize("name", ["unet", "resnet_translation", "srresnet", "rrdb", "patch"])
def test_all_weights_are_trained(name):
    """Each has a gradient; and the layers have their channels last, whatever keras.json says."""
    keras.config.set_image_data_format("channels_first")
    try:
        made = MADE[name]()
    finally:
        keras.config.set_image_data_format("channels_last")
    randomized(made)
    x = [keras.ops.convert_to_tensor(images(2, *tensor.shape[1:])) for tensor in made.inputs]
    variables = made.trainable_variables

    def losses():
        loss = keras.ops.mean(keras.ops.square(made(x if len(x) > 1 else x[0], training=True) - 0.5))
        return [loss], loss

    _, [slopes] = in_a_step(lambda: backend.gradients(losses, [variables]), made.variables)
    for variable, slope in zip(variables, values(slopes), strict=True):
        # the mean of a bias that a normalization follows is subtracted again
        assert np.isfinite(slope).all() and (np.any(slope != 0) or variable.name == "bias"), variable.path


def test_tanh_or_not():
    assert [make().layers[-1].activation for make in GENERATORS.values()] == [keras.activations.tanh] * 4
    assert GENERATORS["rrdb"](activation=None).layers[-1].activation is keras.activations.linear
    assert patch.discriminator((8, 8, 1), receptive_field=16).layers[-1].activation is keras.activations.linear


@pytest.mark.parametrize(
    "make, text, instead",
    [
        (lambda: unet.generator((30, 29, 1)),
         "unet halves an image at least twice, so height and width must be multiples of 4. Received: 30 x 29; "
         "the nearest that fits is 32 x 28.", {"size": [32, 28]}),
        (lambda: unet.generator((40, 28, 1), downs=3),
         "`downs` of unet is 3, so height and width must be multiples of 8. Received: 40 x 28; "
         "the nearest that fits is 40 x 32.", {"size": [40, 32]}),
        (lambda: unet.generator((32, 32, 3), given_shape=(16, 32, 1)),
         "`given_shape` of unet must have the height and width of `image_shape`, 32 x 32. Received: (16, 32, 1)", {}),
        (lambda: unet.generator((2,)), "`image_shape` of unet must be (height, width, channels). Received: (2,)", {}),
        (lambda: unet.generator((8, 8, 1), given_shape=3),
         "`given_shape` of unet must be (height, width, channels). Received: 3", {}),
        (lambda: patch.discriminator((8, 8, 1), (8, 4, 1), receptive_field=16),
         "`given_shape` of patch must have the height and width of `image_shape`, 8 x 8. Received: (8, 4, 1)",
         {"given": False}),
        (lambda: patch.discriminator((30, 16, 1)),
         "`receptive_field` of patch is 70, which needs images of at least 24 x 24. Received: 30 x 16; "
         "the largest that fits is 34.", {"receptive_field": 34}),
        (lambda: patch.discriminator((16, 16, 1), scales=2),
         "`receptive_field` of patch is 70, which with 2 scales needs images of at least 48 x 48. Received: 16 x 16; "
         "the largest that fits is 16.", {"receptive_field": 16}),
        (lambda: patch.discriminator((3, 3, 1), scales=3),
         "`receptive_field` of patch is 70, which with 3 scales needs images of at least 96 x 96. Received: 3 x 3.",
         {"scales": 1}),
        (lambda: srresnet.generator((30, 32, 3)),
         "`factor` of srresnet is 4, so height and width must be multiples of 4. Received: 30 x 32; "
         "the nearest that fits is 32 x 32.", {"size": 32}),
        (lambda: rrdb.generator((28, 28, 3), given_shape=(9, 7, 1)),
         "`given_shape` of rrdb must be that of an image of 28 x 28, divided by a power of 2. Received: (9, 7, 1); "
         "the nearest that fits is (7, 7, 1).", {}),
        (lambda: rrdb.generator((28, 28, 3), given_shape=(56, 56, 1)),
         "`given_shape` of rrdb must be that of an image of 28 x 28, divided by a power of 2. Received: (56, 56, 1); "
         "the nearest that fits is (28, 28, 1).", {}),
        (lambda: patch.discriminator((2,)), "`image_shape` of patch must be (height, width, channels). Received: (2,)", {}),
    ],
)  # fmt: skip
def test_sizes_that_do_not_fit(make, text, instead):
    with pytest.raises(Misfit, match=re.escape(text) + "$") as caught:
        make()
    assert caught.value.instead == instead


@pytest.mark.parametrize(
    "make, text",
    [
        (lambda: unet.generator(norm="layer"), "`norm` of unet must be 'batch', 'instance' or None. Received: 'layer'"),
        (lambda: patch.discriminator(norm="layer"), "`norm` of patch must be 'batch', 'instance' or None."),
        (lambda: srresnet.generator(norm="layer"), "`norm` of srresnet must be 'batch', 'instance' or None."),
        (lambda: unet.generator(downs=1), "`downs` of unet must be an integer >= 2. Received: 1"),
        (lambda: unet.generator(latent_dim=0), "`latent_dim` must be an integer >= 1. Received: 0"),
        (lambda: patch.discriminator(receptive_field=64),
         "`receptive_field` of patch must be one of 1, 16, 34, 70, 142, 286. Received: 64"),
        (lambda: patch.discriminator(scales=4), "`scales` of patch must be 1, 2 or 3. Received: 4"),
        (lambda: srresnet.generator(factor=3), "`factor` of srresnet must be a power of 2. Received: 3"),
        (lambda: rrdb.generator(factor=0), "`factor` of rrdb must be an integer >= 1. Received: 0"),
    ],
)  # fmt: skip
def test_refusals(make, text):
    with pytest.raises(ValueError, match=re.escape(text)):
        make()


def test_in_a_recipe():
    """A family without one of the players is not among its names, and sizes are not among the keys."""
    text = GOOD.replace("{name: dense, units: [16]}", "{name: unet, downs: 3, norm: null}")
    text = text.replace("  name: dense\n  dropout: 0.2\n", "  name: patch\n  receptive_field: 16\n  given: false\n")
    recipe = check(text)
    assert (recipe.generator.name, recipe.generator.downs, recipe.generator.norm) == ("unet", 3, None)
    assert (recipe.discriminator.receptive_field, recipe.discriminator.given) == (16, False)
    assert (
        complaint(GOOD.replace("{name: dense, units: [16]}", "{name: patch}"))
        .splitlines()[0]
        .endswith(
            'generator.name: unknown name "patch"; known are compact, dcgan, dense, fastgan, r3gan, resnet, '
            "resnet_translation, rrdb, srresnet, unet"
        )
    )
    assert 'unknown name "srresnet"; known are dcgan, dense, fastgan, patch, r3gan, resnet' in complaint(
        text.replace("name: patch", "name: srresnet")
    ).replace(', did you mean "resnet"?', "; known are dcgan, dense, fastgan, patch, r3gan, resnet")
    for key in ("given_shape: [8, 8, 1]", "factor: 2"):
        assert f"generator.{key.split(':')[0]}: unknown key" in complaint(text.replace("downs: 3", key))


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="other engines read kernels as they are")
def test_kernels_lie_in_memory_as_convolutions_read_them(tmp_path):
    """Also after steps, a checkpoint and an assignment; the values are the same."""
    gan = kgan.GAN(unet.generator((16, 16, 1), filters=4), patch.discriminator((16, 16, 1), filters=4, receptive_field=16),
                   condition=kgan.conditions.Pairs())  # fmt: skip
    before = [keras.ops.convert_to_numpy(one) for one in gan.weights]
    gan.compile(terms=["l1"])
    after = [keras.ops.convert_to_numpy(one) for one in gan.weights]
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 1)).astype("float32")
    gan.fit(images, images, verbose=0)
    gan.save(tmp_path / "gan.keras")
    for one in (gan, kgan.load(tmp_path / "gan.keras")):
        one.generator.weights[0].assign(np.ones(one.generator.weights[0].shape))
        kernels = [v for v in (*one.variables, *one.g_opt.variables) if len(v.shape) == 4]
        assert len(kernels) > 20
        for kernel in kernels:
            assert kernel.value.permute(3, 2, 0, 1).is_contiguous(memory_format=torch_channels_last())


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="other engines do not copy images")
@pytest.mark.parametrize("fails", [False, True])
def test_convolutions_in_fit_read_images_where_they_lie(fails):
    """And elsewhere Keras does as before, also after an error."""
    from keras.src.backend.torch import nn

    before, seen = nn._transpose_spatial_inputs, []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            images = keras.ops.ones((2, 5, 7, 3))
            turned = nn._transpose_spatial_inputs(images)
            seen.append((tuple(turned.shape), turned.data_ptr() == images.data_ptr()))
            if fails:
                raise RuntimeError("stop")

    gan = kgan.GAN(unet.generator((16, 16, 1), filters=4), patch.discriminator((16, 16, 1), filters=4, receptive_field=16),
                   condition=kgan.conditions.Pairs())  # fmt: skip
    gan.compile(terms=["l1"])
    images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 1)).astype("float32")
    with pytest.raises(RuntimeError) if fails else contextlib.nullcontext():
        gan.fit(images, images, verbose=0, callbacks=[Look()])
    assert seen == [((2, 3, 5, 7), True)]
    assert nn._transpose_spatial_inputs is before


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="other engines do not copy images")
def test_a_keras_that_copies_in_another_way_is_left_alone(monkeypatch):
    from kgan.backend import torch as engine

    other = types.SimpleNamespace()
    monkeypatch.setattr(engine, "keras_nn", other)
    with engine.images_as_views():
        assert not vars(other)
    assert not vars(other)


def torch_channels_last():
    import torch

    return torch.channels_last
