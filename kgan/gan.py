"""The GAN as a Keras model: two players, a loss, a schedule. What a step does is in `kgan.schedules`."""

import pathlib
import random

import keras
import numpy as np
from keras import ops
from keras.saving import register_keras_serializable

import kgan.architectures  # noqa: F401  so that `load` finds their layers
from kgan import averaging, backend, losses, optimizers, ramps, resuming, schedules, snapshots, training, tricks
from kgan.augment import Augmented
from kgan.augment import get as _augmentation
from kgan.critic import Critic
from kgan.data import Batches
from kgan.labels import check_weight, joined, parts, prepare_labels, to_generate
from kgan.latents import get as _sampler
from kgan.logs import Logs, with_own_callbacks
from kgan.names import integer
from kgan.penalties import collect
from kgan.players import fit_together, model_of
from kgan.saving import Saved, load_model


@register_keras_serializable("kgan")
class GAN(backend.Steps, Saved, keras.Model):
    """A generator and a discriminator that train each other through stock `fit()`.

    Example:

    >>> from kgan.architectures import dense
    >>> gan = kgan.GAN(
    ...     generator=lambda: dense.generator((8, 8, 1), latent_dim=16, units=(32, 64)),
    ...     discriminator=lambda: dense.discriminator((8, 8, 1), units=(32,)),
    ...     latent_dim=16,
    ... )
    >>> gan.compile(
    ...     d_opt=keras.optimizers.Adam(2e-4, beta_1=0.5),
    ...     g_opt=keras.optimizers.Adam(2e-4, beta_1=0.5),
    ...     loss="non_saturating",
    ... )
    >>> images, labels = kgan.data.digits()
    >>> history = gan.fit(images, batch_size=64, epochs=2, verbose=0)
    >>> sorted(history.history)[:3]
    ['d_fake_accuracy', 'd_fake_loss', 'd_loss']
    >>> gan.generate(4, seed=1).shape
    (4, 8, 8, 1)

    Real images are arrays, a `tf.data.Dataset`, a `keras.utils.PyDataset` or a torch `DataLoader`, with or without labels,
    which are ignored. uint8 images are scaled to [-1, 1]; floats must lie there, which is checked on the first batch.

    With `num_classes` it is class-conditional: it trains on pairs of images and labels, whole numbers `(n,)` in
    [0, num_classes), which are checked after the first batch and each epoch, and both players are called with a list,
    `[latents, labels]` and `[images, labels]`. Fakes are made for the labels of the real batch, so that both have the same
    classes, and equal ones meet in a loss of pairs. A discriminator of one input is called with images alone; it must put
    out class logits `(batch, num_classes)` beside its score, whose cross-entropy on real and generated images, with their
    labels, is added to its loss, and that on generated ones to the generator's (Odena et al., arXiv:1610.09585).

    Args:
        generator: `keras.Model`, latents `(batch, latent_dim)` -> images `(batch, height, width, channels)` in [-1, 1] (or
            examples of any other shape), or a function without arguments that returns one.
        discriminator: `keras.Model`, images -> `(batch, 1)`, logits or probabilities, or a function that returns one.
        latent_dim: Integer. Size of a latent vector.
        latents: Name in `kgan.latents`, or a function `(shape, seed) -> tensor` that is called once a draw with a
            `keras.random.SeedGenerator`.
        seed: Integer. Seed of the latents; `None` draws one.
        pack: Integer m. The discriminator sees m images at once, all real or all generated, along the channels: PacGAN
            (arXiv:1712.04086). It is to take images of m times the channels (points of m times the numbers). Where m does
            not divide the batch, its first images are used again.
        num_classes: Integer. Makes the GAN class-conditional.

    Attributes:
        generator, discriminator: The players, plain Keras models.
        ema_generator: The averaged generator, or `None` without `compile(ema=...)`.
        augment: The augmentation, or `None` without `compile(augment=...)`.
        d_opt, g_opt: Their optimizers, once compiled.

    Raises:
        ValueError: if a player is no Keras model, or does not fit `latent_dim`, `num_classes` or the other player; or if
            `pack` images of several classes would be one example.
    """

    def __init__(
        self, generator, discriminator, latent_dim, latents="normal", seed=0, pack=1, num_classes=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.latent_dim = integer("latent_dim", latent_dim, at_least=1)
        self.seed = random.randrange(2**31) if seed is None else integer("seed", seed, at_least=0)
        self.pack = integer("pack", pack, at_least=1)
        self.num_classes = None if num_classes is None else integer("num_classes", num_classes, at_least=1)
        if self.pack > 1 and num_classes is not None:
            raise ValueError(
                "`pack` must be 1 with `num_classes`: the images of a pack would be of several classes. "
                f"Received: pack={pack}"
            )
        self.latents = latents
        self.generator = model_of(generator, "generator")
        self.discriminator = model_of(discriminator, "discriminator")
        self.ema_generator = self.augment = None
        self.image_shape, self.classifies = fit_together(
            self.generator, self.discriminator, latent_dim, pack, num_classes
        )
        self._sample = _sampler(latents)
        self.latent_seeds = keras.random.SeedGenerator(self.seed)
        penalty_seed, self._test_seed = (int(s) >> 1 for s in np.random.SeedSequence(self.seed).generate_state(2))
        self.penalty_seeds = keras.random.SeedGenerator(penalty_seed)
        self.test_seeds = keras.random.SeedGenerator(self._test_seed)
        self.turn = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="turn")
        self.epochs = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="epochs")
        self.built = True

    def compile(
        self,
        d_opt="adam",
        g_opt="adam",
        loss="non_saturating",
        schedule="simultaneous",
        penalties=(),
        ema=None,
        weight_clip=None,
        label_flip=0.0,
        instance_noise=None,
        augment=None,
        class_loss_weight=1.0,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
    ):
        """Configure the game.

        Args:
            d_opt: Keras optimizer of the discriminator, with its own rate, clipping and gradient accumulation. Adam's
                `beta_1` and `beta_2` may be schedules, as `kgan.ramps.Cosine(0.9, 0.99, 10000)`; its momenta are then
                corrected by the betas of the moment, as in R3GAN's code (arXiv:2501.05441).
            g_opt: Keras optimizer of the generator; another instance.
            loss: Name in `kgan.losses`, a `kgan.losses.AdversarialLoss`, or a Keras loss such as
                `keras.losses.BinaryCrossentropy(label_smoothing=0.1)`.
            schedule: Name in `kgan.schedules`, or an object such as `kgan.schedules.Alternating(d_steps=5)`.
            penalties: Names in `kgan.penalties`, or objects such as `kgan.penalties.R1(10.0)`.
            ema: Float between 0 and 1, the decay of an averaged generator kept beside the trained one. Warmed up: after t
                updates it is min(ema, (1 + t) / (10 + t)). Or a schedule, taken as it is. `None` keeps none.
            weight_clip: Positive float c, as 0.01 in the WGAN paper (arXiv:1701.07875): after each of its updates the
                discriminator's trainable variables are clipped to [-c, c]. `None` leaves them alone.
            label_flip: Float below 1. Probability that an example's label, real or fake, is exchanged in the
                discriminator's update. The logs go by the true labels.
            instance_noise: Pair `(std, steps)` of the Gaussian noise on all images that the discriminator sees in training
                (arXiv:1610.04490): its standard deviation falls from std to 0, linearly, in so many of the
                discriminator's updates. `None` adds none.
            augment: Name in `kgan.augment`, or an object such as `kgan.augment.ADA(target=0.6)`: how images are changed,
                real and generated ones, each anew, before the discriminator sees them in training. Penalties see such images
                too; their gradients are by the images before the change, as in StyleGAN2-ADA's and R3GAN's code. `None`
                changes none.
            class_loss_weight: Float. Strength of the cross-entropy of the classes, where the discriminator puts out class
                logits. It is logged without it, and not part of `d_loss` and `g_loss`.
            run_eagerly: As in `keras.Model.compile`.
            steps_per_execution: As in `keras.Model.compile`.
            jit_compile: As in `keras.Model.compile`.

        Raises:
            ValueError: if an argument is none of these, or two of them do not go together.
        """
        if keras.backend.backend() == "torch" and steps_per_execution != 1:
            raise ValueError(
                "`steps_per_execution` must be 1 on the PyTorch backend, where Keras runs one step at a time. "
                f"Received: steps_per_execution={steps_per_execution}"
            )
        if d_opt is g_opt and isinstance(d_opt, keras.Optimizer):
            raise ValueError(
                "`d_opt` and `g_opt` must be two instances, since each player has its own momenta. "
                f"Received the same {type(d_opt).__name__} twice."
            )
        averaging.check(ema)
        given = losses.get(loss)
        schedule = schedules.get(schedule)
        augment = _augmentation(augment, self.image_shape)
        penalties = collect(penalties)
        critic = Critic(self.discriminator, self.pack)
        loss = losses.adversarial(given, critic)
        schedule.check(loss)
        tricks.check(loss, weight_clip, label_flip, instance_noise)
        check_weight(class_loss_weight, self.classifies)
        d_opt = optimizers.prepare(d_opt, "d_opt", self.discriminator)
        g_opt = optimizers.prepare(g_opt, "g_opt", self.generator)

        # nothing is changed before all of it is known to be right
        self.d_opt, self.g_opt = d_opt, g_opt
        self.critic, self.loss, self.schedule, self.penalties = critic, loss, schedule, penalties
        self.weight_clip, self.class_loss_weight = weight_clip, class_loss_weight
        self.d_objective = tricks.Flipped(loss, label_flip, self.penalty_seeds) if label_flip else loss
        if instance_noise is not None:
            std, steps = instance_noise
            critic.noise = tricks.InstanceNoise(std, steps, d_opt, self.penalty_seeds)
        if self.augment is not None:
            self._tracker.untrack(self.augment)
        self.augment = augment
        critic.augment = augment and Augmented(augment, self.image_shape, d_opt, self.penalty_seeds)
        self.has_parts = loss.real is not None and loss.fake is not None
        self.ema = ema
        averaging.prepare(self, ema)
        scheduled = [("", self, g_opt), ("d_opt_", d_opt, d_opt), ("g_opt_", g_opt, g_opt)]
        scheduled += [(f"{penalty.name}_", penalty, d_opt) for penalty in penalties]
        scheduled += [] if augment is None else [("augment_", augment, d_opt)]
        adaptive = {} if augment is None else augment.values()
        values = ramps.values(scheduled) | adaptive
        self.logs = Logs(self.has_parts, penalties, values, self.num_classes, self.classifies)
        super().compile(
            optimizer=None,
            loss=None,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
        )
        self.optimizer = optimizers.Pair(d_opt, g_opt)
        self._given = lambda: {  # what get_compile_config writes
            "d_opt": d_opt,
            "g_opt": g_opt,
            "loss": given,
            "schedule": schedule,
            "penalties": list(penalties),
            "ema": ema,
            "weight_clip": weight_clip,
            "label_flip": label_flip,
            "instance_noise": instance_noise and list(instance_noise),
            "augment": augment,
            "class_loss_weight": class_loss_weight,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }

    def step(self, data):
        """One training step on `data`, images or `(images, labels)`; returns the logs."""
        real = self._real(data)
        self.schedule.step(self, real)
        return self.logs.results(training=True)

    def test(self, data):
        """The step of `evaluate`: inference mode, latents of its own, no penalties, nothing updated."""
        real = self._real(data)
        fake = training.fakes(self, self.draw_latents(real, self.test_seeds), training=False)
        real_logits, fake_logits = self.critic(real, training=False), self.critic(fake, training=False)
        training.report_discriminator(self, real_logits, fake_logits)
        training.report_generator(self, fake_logits, real_logits)
        return self.logs.results(training=False)

    def _real(self, data):
        images, classes, _ = keras.utils.unpack_x_y_sample_weight(data)
        real = training.prepare(images, self.image_shape)
        if "float" in keras.backend.standardize_dtype(images.dtype):
            self.logs.range_of(real)
        if self.num_classes is None:
            return real
        classes = prepare_labels(classes, self.num_classes)
        self.logs.range_of_labels(classes)
        # where a label is too large, engines end in errors of their own, or in NaN, before the range is looked at
        return [real, ops.clip(classes, 0, self.num_classes - 1)]

    def draw_latents(self, real, seeds=None):
        """Latents `(batch, latent_dim)`, as many as there are real images; one draw of the sampler.

        With classes a list of the latents and the labels of the real images.
        """
        images, classes = parts(real)
        latents = self._sample((ops.shape(images)[0], self.latent_dim), seeds or self.latent_seeds)
        return joined(latents, classes)

    def call(self, inputs, training=False):
        """Images of latents, or of `[latents, labels]`; from the averaged generator, where there is one, unless training."""
        generator = self.generator if training or self.ema_generator is None else self.ema_generator
        return generator(inputs, training=training)

    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, *args, **kwargs):
        """Train. See `keras.Model.fit`: `x` holds real images, `y` their labels, which only matter with `num_classes`.

        Raises:
            ValueError: if the images have another shape than the generator's, or lie outside [-1, 1]; with `num_classes`,
                if there are no labels, or they are no whole numbers `(n,)` in [0, num_classes).
        """
        next_epoch: list = []
        own = with_own_callbacks(callbacks, self, next_epoch, x if y is None else (x, y))
        keras_fit = super().fit

        def fit_span(callbacks, epochs, **more):
            feed = x
            if isinstance(x, Batches):
                more["shuffle"] = False  # Keras would take the batches of a PyDataset in an order of its own
                feed, order_changed = backend.stream(x)
                next_epoch[:] = x.next_epoch, order_changed
            return keras_fit(feed, y, batch_size, epochs, verbose, callbacks, *args, **kwargs, **more)

        saver = resuming.saver_among(own)
        if saver is None:
            return fit_span(own, epochs)
        if (
            isinstance(x, np.ndarray)
            and (y is None or (self.num_classes is not None and isinstance(y, np.ndarray)))
            and not args
            and kwargs.keys() <= {"initial_epoch", "validation_data"}
        ):
            # an order that a resume can name
            x = Batches(x, batch_size or 32, seed=self.seed, epoch=int(self.epochs), labels=y)
            batch_size = y = None
        first_epoch = kwargs.pop("initial_epoch", 0)
        run = resuming.Run(self, own, x, verbose, epochs)
        return resuming.train(
            self, saver, run, epochs, first_epoch, lambda first, last: fit_span(run, last, initial_epoch=first)
        )

    def train_on_batch(self, *args, **kwargs):
        """One step. See `keras.Model.train_on_batch`."""
        logs = super().train_on_batch(*args, **kwargs)
        self.logs.check_range()
        return logs

    def evaluate(self, *args, **kwargs):
        """The logs on unseen data, always with the same latents. See `keras.Model.evaluate`."""
        self.test_seeds.state.assign([self._test_seed, 0])
        with backend.undisturbed():
            results = super().evaluate(*args, **kwargs)
        self.logs.check_labels()
        return results

    def generate(self, n, seed=None, batch_size=256, labels=None):
        """Generate images, from the averaged generator where there is one.

        Args:
            n: Integer. How many.
            seed: Integer: the same seed gives the same images. `None` draws one.
            batch_size: Integer. How many are generated at once.
            labels: Integer, the class of all of them; or integers `(n,)`. `None` draws them uniformly, after the latents:
                the same seed gives the same latents, whatever the labels. Only with `num_classes`.

        Returns:
            A float32 array `(n, height, width, channels)` in [-1, 1].

        Raises:
            ValueError: if an argument is none of these.
        """
        n, batch_size = integer("n", n, at_least=0), integer("batch_size", batch_size, at_least=1)
        seeds = keras.random.SeedGenerator(None if seed is None else integer("seed", seed, at_least=0))
        if n == 0:
            return np.zeros((0, *self.image_shape), "float32")
        latents = ops.convert_to_numpy(self._sample((n, self.latent_dim), seeds))
        classes = to_generate(n, labels, self.num_classes, seeds)
        self.sync()
        generator = self.generator if self.ema_generator is None else self.ema_generator
        with backend.undisturbed():
            return generator.predict(joined(latents, classes), batch_size=batch_size, verbose=0).astype("float32")

    def report(self, batch, values):
        """Add `values` to the logs, weighted with the size of `batch`."""
        self.logs.update(values, ops.shape(batch)[0])

    def sync(self):
        """Put the state of a running `fit` into the variables, where the engine (JAX) keeps it elsewhere meanwhile."""
        if hasattr(self, "jax_state_sync"):
            self.jax_state_sync()

    @property
    def metrics(self):
        return self.logs.metrics if self.compiled else []

    @property
    def metrics_names(self):
        """Names of the logs in the order in which `evaluate` returns them."""
        return sorted(self.logs.names) if self.compiled else []


def load(path):
    """Load a GAN that `save` wrote, ready to generate or to go on training where it stopped.

    It is `keras.saving.load_model` in safe mode, with kgan's classes registered. A checkpoint is one more thing that
    it loads.

    Example:

    >>> from kgan.architectures import dense
    >>> gan = kgan.GAN(dense.generator((2,), latent_dim=2), dense.discriminator((2,)), latent_dim=2)
    >>> gan.save("gan.keras")
    >>> again = kgan.load("gan.keras")
    >>> np.array_equal(again.generate(3, seed=1), gan.generate(3, seed=1))
    True

    Args:
        path: Path of a `.keras` file, or of the folder of a checkpoint.

    Returns:
        The `GAN`; or another Keras model, if that is what the file holds.

    Raises:
        ValueError: if it is damaged, or was made of classes that are not registered here.
    """
    if pathlib.Path(path).is_dir():
        return snapshots.load(path)
    return load_model(path)
