"""Two domains without pairs: the condition, its terms, the image pool, and what they are used for."""

import functools

import keras
import numpy as np
import pytest
from keras import layers, ops
from PIL import Image

import kgan
from kgan.architectures import towers as joined
from kgan.callbacks import Checkpoint
from kgan.conditions import Pairs, Unpaired
from kgan.data import Batches
from kgan.players.image_pool import ImagePool
from tests.helpers import KilledError, Steps, in_a_step, largest_difference, patches, state, translator, values

TOLERANCE = 1e-6 if keras.backend.backend() == "torch" else 0.0
RNG = np.random.default_rng(0)
A = RNG.uniform(-1, 1, (15, 8, 8, 1)).astype("float32")
B = RNG.uniform(-1, 1, (15, 8, 8, 3)).astype("float32")


def towers(channels_a=1, channels_b=3, score=lambda scores: scores):
    """The two players of images of 8 x 8; `score` changes a discriminator's output."""
    to_b, to_a = translator(channels_a, channels_b), translator(channels_b, channels_a)
    judges = [keras.Model(model.input, score(model.output)) for model in (patches(channels_b), patches(channels_a))]
    return joined.generator(to_b, to_a), joined.discriminator(*judges)


def unpaired(*channels, **arguments):
    gan = kgan.GAN(*towers(*channels), condition=Unpaired())
    gan.compile(**{"loss": "least_squares", "terms": ["cycle"], **arguments})
    return gan


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def test_what_is_given_and_what_is_real():
    given, real = Unpaired().read((A, B))
    assert given[0] is real[1] is A and given[1] is real[0] is B
    assert kgan.conditions.get("unpaired").towers == 2


def test_terms():
    a, b = A, np.repeat(A, 3, axis=-1)[..., :1] * 0.5

    def generator(given):  # to b: x / 2, to a: x + 1
        return [given[0] / 2.0, given[1] + 1.0]

    given, real = [a, b], [b, a]
    fake = generator(given)
    cycle = np.abs((b + 1.0) / 2.0 - b).mean() + np.abs(a / 2.0 + 1.0 - a).mean()
    assert float(kgan.terms.Cycle(3.0)(generator, given, fake, real)) == pytest.approx(3.0 * cycle, rel=1e-5)
    identity = np.abs(b / 2.0 - b).mean() + np.abs(a + 1.0 - a).mean()
    assert float(kgan.terms.Identity(2.0)(generator, given, fake, real)) == pytest.approx(2.0 * identity, rel=1e-5)


@pytest.mark.parametrize("shapes", [(2, 2, 1), [(2, 2, 1), (3, 3, 2)]])
def test_the_pool_is_that_of_the_paper(shapes):
    """Image by image, in plain Python, over batches of different sizes that cross the moment when the pool is full."""
    pool, domains = ImagePool(5, shapes, seed=3), shapes if isinstance(shapes, list) else [shapes]
    drawn = []
    draws = pool.draw

    def recorded(n):
        drawn.append([numpy(one) for one in draws(n)])
        return tuple(map(ops.convert_to_tensor, drawn[-1]))

    pool.draw = recorded
    kept: list = [[] for _ in domains]
    for number, size in enumerate((2, 4, 3, 7, 1, 6)):
        new = [
            np.random.default_rng([number, len(shape)]).normal(size=(size, *shape)).astype("float32")
            for shape in domains
        ]
        tensors = list(map(ops.convert_to_tensor, new))
        drawn.clear()
        given = tensors if isinstance(shapes, list) else tensors[0]
        seen = in_a_step(functools.partial(pool, given), pool.variables)
        seen = seen if isinstance(shapes, list) else [seen]
        for images, stored, (places, exchanged), found in zip(new, kept, drawn, seen, strict=True):
            expected = []
            for image, place, exchange in zip(images, places, exchanged, strict=True):
                if len(stored) < 5:
                    stored.append(image)
                    expected.append(image)
                elif exchange:
                    expected.append(stored[place])
                    stored[place] = image
                else:
                    expected.append(image)
            np.testing.assert_array_equal(numpy(found), expected)
        for weights, stored in zip(values(pool.kept), kept, strict=True):
            np.testing.assert_array_equal(weights[: len(stored)], stored)
        assert int(pool.count) == min(5, len(kept[0]))


def test_draws_of_the_pool():
    pool = ImagePool(50, (1,), seed=0)
    places, exchanged = (numpy(one) for one in pool.draw(5000))
    assert places.min() == 0 and places.max() == 49 and abs(exchanged.mean() - 0.5) < 0.03


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize(
    "schedule",
    ["alternating", *(pytest.param(one, marks=pytest.mark.longer) for one in ("simultaneous", "combined", "periods"))],
)
def test_it_trains_under_every_schedule(schedule):
    gan = unpaired(1, 1, schedule=schedule, history=4, terms=["cycle", "identity"], ema=0.9, tricks=["instance_noise"])
    logs = gan.fit(A[:7], A[6::-1], batch_size=4, epochs=2, verbose=0).history
    assert all(np.isfinite(logged).all() for logged in logs.values())
    assert {"cycle", "identity", "d_real_loss", "g_accuracy"} <= logs.keys()
    assert gan.evaluate(A[:7], A[6::-1], verbose=0, return_dict=True)["cycle"] > 0 and int(gan.image_pool.count) == 4


def linear_critics():
    """D(x) = 3 sum of b, and 2 sum of a: the norms of their gradients are 3 and 2 times the root of the number of values."""
    a, b = keras.Input((8, 8, 1)), keras.Input((8, 8, 3))

    def of(x, slope):
        x = layers.Flatten()(x)
        return layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(slope))(x)

    return keras.Model([b, a], [of(b, 3.0), of(a, 2.0)])


def test_penalties_are_sums_over_both_domains():
    gan = kgan.GAN(towers()[0], linear_critics(), condition=Unpaired())
    gan.compile(d_opt=keras.optimizers.SGD(0.0), penalties=["r1", "r2", "gradient_penalty", "dragan", "drift"])
    logs = gan.train_on_batch(A, B, return_dict=True)
    norms = np.array([3.0 * np.sqrt(192), 2.0 * np.sqrt(64)])
    drift = (3.0 * B.sum((1, 2, 3))) ** 2, (2.0 * A.sum((1, 2, 3))) ** 2
    expected = {
        "r1": 5.0 * (norms**2).sum(),
        "r2": 5.0 * (norms**2).sum(),
        "gradient_penalty": 10.0 * ((norms - 1) ** 2).sum(),
        "dragan": 10.0 * ((norms - 1) ** 2).sum(),
        "drift": 1e-3 * (drift[0].mean() + drift[1].mean()),
    }
    for name, value in expected.items():
        assert float(logs[name]) == pytest.approx(value, rel=1e-4), name


def test_losses_are_sums_over_both_domains():
    gan = kgan.GAN(towers()[0], linear_critics(), condition=Unpaired())
    gan.compile(d_opt=keras.optimizers.SGD(0.0), loss="least_squares")
    logs = gan.train_on_batch(A, B, return_dict=True)
    on_b, on_a = 3.0 * B.sum((1, 2, 3)), 2.0 * A.sum((1, 2, 3))
    assert float(logs["d_real_loss"]) == pytest.approx((((on_b - 1) ** 2 + (on_a - 1) ** 2) / 2).mean(), rel=1e-4)
    assert float(logs["d_real_accuracy"]) == pytest.approx(((on_b > 0.5).mean() + (on_a > 0.5).mean()) / 2)


def test_scores_of_several_scales_belong_to_their_domain():
    """Two scores for each domain: drift is of the sum of both, for each domain apart."""

    def judge(channels, slopes):
        x = keras.Input((8, 8, channels))
        flat = layers.Flatten()(x)
        heads = [layers.Dense(1, use_bias=False, kernel_initializer=constant(one))(flat) for one in slopes]
        return keras.Model(x, heads)

    constant = keras.initializers.Constant
    gan = kgan.GAN(towers()[0], joined.discriminator(judge(3, (0.1, 0.2)), judge(1, (0.3, 0.5))), condition=Unpaired())
    gan.compile(d_opt=keras.optimizers.SGD(0.0), loss="least_squares", penalties=["drift", "r1"])
    logs = gan.train_on_batch(A, B, return_dict=True)
    of_b, of_a = B.sum((1, 2, 3)), A.sum((1, 2, 3))
    assert float(logs["drift"]) == pytest.approx(
        1e-3 * (((0.3 * of_b) ** 2).mean() + ((0.8 * of_a) ** 2).mean()), rel=1e-4
    )
    assert float(logs["r1"]) == pytest.approx(5.0 * (0.3**2 * 192 + 0.8**2 * 64), rel=1e-4)
    real = [(slope * one - 1) ** 2 / 2 for one, slopes in ((of_b, (0.1, 0.2)), (of_a, (0.3, 0.5))) for slope in slopes]
    assert float(logs["d_real_loss"]) == pytest.approx(np.sum(real, axis=0).mean(), rel=1e-4)


def test_sigmoids_of_both_towers_are_left_out():
    generator, discriminator = towers(score=layers.Activation("sigmoid", name="probability"))
    logged = []
    for score in (ops.copy, ops.sigmoid):
        keras.utils.set_random_seed(1)
        gan = kgan.GAN(*towers(score=score), condition=Unpaired())
        gan.compile(loss="non_saturating")
        logged.append(float(gan.train_on_batch(A, B, return_dict=True)["d_loss"]))
    assert logged[0] == pytest.approx(logged[1], rel=1e-6)
    assert kgan.GAN(generator, discriminator, condition=Unpaired()).discriminator is discriminator


def test_translate_to_either_domain():
    gan = unpaired()
    to_b, to_a = gan.generator.predict_on_batch([A, B])
    np.testing.assert_allclose(gan.translate(A, to="b"), to_b, atol=1e-6)
    np.testing.assert_allclose(gan.translate(B, to="a"), to_a, atol=1e-6)
    np.testing.assert_allclose(gan.translate(A[..., 0], to="b"), to_b, atol=1e-6)
    with pytest.raises(ValueError, match="`to` must be the domain of the result, 'a' or 'b'.* Received: None"):
        gan.translate(A)
    with pytest.raises(ValueError, match=r"generator's input, \(batch, 8, 8, 1\). Received: an array of shape"):
        gan.translate(B, to="b")
    pairs = kgan.GAN(translator(1, 3), patches(3), condition=Pairs())
    with pytest.raises(ValueError, match="`to` is for a GAN of two domains.*to='b' and the condition Pairs"):
        pairs.translate(A, to="b")


@pytest.mark.usefixtures("eagerly")
def test_saved_and_gone_on_with(tmp_path):
    gan = unpaired(history=4, ema=0.9)
    gan.fit(A[:8], B[:8], batch_size=4, verbose=0)
    gan.save(tmp_path / "gan.keras")
    again = kgan.load(tmp_path / "gan.keras")
    for one in (gan, again):
        one.fit(A[:8], B[:8], batch_size=4, verbose=0, shuffle=False)
    assert largest_difference(state(gan), state(again)) <= TOLERANCE
    assert any(np.abs(kept).max() > 0 for kept in values(again.image_pool.kept))
    np.testing.assert_array_equal(gan.translate(A, to="b"), again.translate(A, to="b"))


@pytest.mark.usefixtures("eagerly")
def test_the_middle_of_a_grid_is_what_the_outer_ones_become(tmp_path):
    """a, like b, and back; b, like a, and back."""
    gan = unpaired()
    gan.fit(A, B, verbose=0, callbacks=[kgan.callbacks.ImageGrid(tmp_path, rows=1, columns=6)])
    picture = np.asarray(Image.open(tmp_path / "epoch-0001.png"))

    def cell(column):
        return picture[2:34, 2 + 34 * column : 34 + 34 * column][::4, ::4] / 127.5 - 1

    to_b = gan.translate(A[:1], to="b")
    to_a = gan.translate(B[:1], to="a")
    for column, expected in enumerate(
        (A[:1], to_b, gan.translate(to_b, to="a"), B[:1], to_a, gan.translate(to_a, to="b"))
    ):
        np.testing.assert_allclose(cell(column), np.broadcast_to(expected[0], (8, 8, 3)), atol=0.01)


def train(folder, kill_at=None):
    keras.utils.set_random_seed(3)
    gan = unpaired(history=6, ema=0.9)
    callbacks = [Checkpoint(folder, every="2 steps", resume=True), Steps(kill_at)]
    history = gan.fit(Batches(B, 4, seed=5, given=A), epochs=2, verbose=0, callbacks=callbacks)
    return gan, history.history


@pytest.mark.longer
@pytest.mark.usefixtures("eagerly")
def test_killed_with_a_full_pool_and_resumed(tmp_path):
    straight, history = train(tmp_path / "straight")
    for kill_at in (3, 4):
        with pytest.raises(KilledError):
            train(tmp_path / "killed", kill_at)
    resumed, again = train(tmp_path / "killed")
    assert int(resumed.image_pool.count) == 6
    assert largest_difference(state(straight), state(resumed)) <= TOLERANCE
    for name, logged in history.items():
        np.testing.assert_allclose(again[name], logged, rtol=0, atol=TOLERANCE)


def test_a_pool_without_two_domains():
    gan = kgan.GAN(lambda: layers_of(keras.Input((4,)), A.shape[1:]), patches(1), latent_dim=4)
    gan.compile(history=5, run_eagerly=True)
    gan.fit(A, batch_size=4, verbose=0)
    assert int(gan.image_pool.count) == 5 and np.abs(values(gan.image_pool.kept)[0]).max() > 0
    gan.compile()
    assert gan.image_pool is None


def layers_of(latents, shape):
    x = layers.Dense(int(np.prod(shape)), activation="tanh")(latents)
    return keras.Model(latents, layers.Reshape(shape)(x))


def classifying():
    """An auxiliary classifier GAN of four classes."""
    latents, labels, images = keras.Input((4,)), keras.Input((), dtype="int32"), keras.Input((8, 8, 3))
    z = layers.Concatenate()([latents, layers.Embedding(4, 4)(labels)])
    made = layers.Reshape((8, 8, 3))(layers.Dense(192, activation="tanh")(z))
    features = layers.Flatten()(images)
    judge = keras.Model(images, [layers.Dense(1)(features), layers.Dense(4)(features)])
    return kgan.GAN(keras.Model([latents, labels], made), judge, latent_dim=4, num_classes=4)


def test_a_refused_training_leaves_the_gan_as_it_was():
    gan = unpaired()
    with pytest.raises(ValueError, match="trains on images of two domains"):
        gan.fit(A, verbose=0)
    assert gan.translate(A, to="b").shape == (15, 8, 8, 3)
    assert np.isfinite(gan.fit(A, B, verbose=0).history["cycle"]).all()


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of tf.data")
@pytest.mark.usefixtures("eagerly")
def test_an_endless_dataset_of_both():
    import tensorflow as tf

    both = [tf.data.Dataset.from_tensor_slices(images).repeat().batch(4) for images in (A[:7], B)]
    gan = unpaired()
    gan.fit(tf.data.Dataset.zip(tuple(both)), steps_per_epoch=3, verbose=0, shuffle=False)
    assert int(gan.d_opt.iterations) == 3


def twice(generator):
    """Its first output enlarged."""
    to_b, to_a = generator.outputs
    return keras.Model(generator.inputs, [layers.UpSampling2D()(to_b), to_a])


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda: kgan.GAN(translator(1, 1), patches(1), condition=Unpaired()),
            r"the generator must be a Functional model of two towers, \[a, b\] -> \[like b, like a\].*1 inputs and 1 out",
        ),
        (
            lambda: kgan.GAN(towers()[0], patches(3, 1), condition=Unpaired()),
            r"the discriminator must be a Functional model of two towers, \[b, a\]",
        ),
        (
            lambda: kgan.GAN(*towers(), condition=Unpaired(), pack=2),
            "`pack` must be 1 with the condition Unpaired",
        ),
        (
            lambda: kgan.GAN(twice(towers()[0]), towers()[1], condition=Unpaired()),
            r"\[like b, like a\]. Received: \(batch, 8, 8, 1\) and .* -> \(batch, 16, 16, 3\) and \(batch, 8, 8, 1\)",
        ),
        (
            lambda: unpaired(terms=["l1"]),
            "term 'l1' compares each generated image with the real one that belongs to it",
        ),
        (
            lambda: unpaired(terms=["identity"]),
            r"must have one shape. Received: \(batch, 8, 8, 3\) and \(batch, 8, 8, 1\)",
        ),
        (lambda: unpaired().generate(4), r"makes images of images: use `translate\(images, to='b'\)`"),
        (lambda: unpaired(augment="ada"), "`augment` is for images of one domain"),
        (lambda: unpaired(history=0), "`history` must be an integer >= 1. Received: 0"),
        (
            lambda: unpaired().fit(kgan.data.Unpaired(B, A, 4), verbose=0),
            r"Images of a must have the shape \(batch, 8, 8, 1\). Received: \(batch, 8, 8, 3\). a and b are exchanged",
        ),
        (
            lambda: unpaired().fit(kgan.data.Unpaired(A, B, 4), verbose=0, validation_split=0.3),
            "`validation_split` is for arrays. Received: Unpaired; give `validation_data`, another",
        ),
        (lambda: unpaired().fit(kgan.data.Unpaired(A, B, 4), B, verbose=0), "holds images of both domains"),
        (lambda: unpaired().fit(A, B[:0], verbose=0), "at least one image. Received: none of b"),
        (
            lambda: kgan.GAN(*towers(), latent_dim=4, condition=Unpaired()),
            "`latent_dim` must be None for a generator of two",
        ),
        (lambda: classifying().compile(history=3), "`history` is for a discriminator that outputs scores alone"),
        (lambda: unpaired().fit(A, verbose=0), r"trains on images of two domains, fit\(a, b\)"),
        (
            lambda: kgan.GAN(translator(1, 3), patches(3, 1), condition=Pairs()).compile(history=3),
            "`history` is for a discriminator that sees images alone",
        ),
        (
            lambda: kgan.GAN(translator(1, 3), patches(3), condition=Pairs()).compile(terms=["cycle"]),
            "The term 'cycle' is for a GAN of two domains",
        ),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
