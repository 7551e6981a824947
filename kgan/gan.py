"""The GAN as a Keras model: two players, a loss, a schedule. What a step does is in `kgan.schedules`."""

import inspect
import pathlib
import random

import keras
import numpy as np
from keras import ops
from keras.saving import register_keras_serializable

import kgan.architectures  # noqa: F401  so that `load` finds their layers
from kgan import augment, backend, conditions, objective, ramps, tricks
from kgan.arguments import integer
from kgan.checkpoints import changes, resume, state
from kgan.checkpoints.keras_file import KerasFile, load_model
from kgan.checkpoints.progress import Progress
from kgan.conditions import Batch, each, leaves, scaled, takes_given
from kgan.data import Batches, brought
from kgan.data.ordered import Ordered
from kgan.fit import check_any, check_results, filters_restored, plain_errors, unweighted, with_live, with_own_callbacks
from kgan.generating import Generating
from kgan.latents import get as _sampler
from kgan.logs import Logs
from kgan.players import average, check, optimizer
from kgan.players.activation import image_range
from kgan.players.check import fit_together, model_of
from kgan.players.critic import Critic
from kgan.players.image_pool import ImagePool
from kgan.rules import Rules, takes_arguments_of
from kgan.summary_html import table
from kgan.together import reading_own_part
from kgan.training import add_terms, fakes


@register_keras_serializable("kgan")
class GAN(backend.Steps, Generating, KerasFile, keras.Model):
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

    Real images are arrays, lists of arrays, h5py data sets, `kgan.data.Data` and `kgan.data.Folder`, a `tf.data.Dataset`, a
    `keras.utils.PyDataset`, a torch `DataLoader` or a Python generator, with or without labels, which are ignored. Whole
    numbers in [0, 255] are scaled to the range of the generator's images; floats must lie in that range, which is checked
    during the training.

    A condition adds an input. With `num_classes` the data are pairs of images and labels: the generator is called with
    `[latents, labels]`, the discriminator with `[images, labels]`. Fakes are made for the labels of the real batch, so that
    both have the same classes, and a paired loss compares images of the same class. See `kgan.conditions.Classes`.

    Args:
        generator: `keras.Model`, latents `(batch, latent_dim)` -> images `(batch, height, width, channels)` (or examples of
            any other shape), or a function without arguments that returns one. The range of its images is [0, 1] if it ends
            in a sigmoid, and [-1, 1] otherwise.
        discriminator: `keras.Model`, images -> `(batch, 1)`, logits or probabilities, or a function that returns one.
        latent_dim: Integer. Size of a latent vector.
        latents: Name in `kgan.latents`, or a function `(shape, seed) -> tensor` that is called once for each draw,
            with a `keras.random.SeedGenerator` as `seed`.
        seed: Integer. Seed of the latents; `None` draws a random seed.
        pack: Integer m. The discriminator sees m images at once, all real or all generated, along the channels: PacGAN
            (arXiv:1712.04086). It must take images of m times the channels (points of m times the numbers). Where m does
            not divide the batch, its first images are used again.
        num_classes: Integer. Makes the GAN class-conditional: the short form of `condition=kgan.conditions.Classes(n)`.
        condition: `kgan.conditions.Condition`, or a name in `kgan.conditions`: what images depend on besides latents. `None`
            makes an unconditional GAN.

    Attributes:
        generator, discriminator: The players, plain Keras models.
        ema_generator: The averaged generator, or `None` without `compile(ema=...)`.
        image_pool: The images generated before that the discriminator sees again, or `None` without `compile(history=...)`.
        augment: The augmentation, or `None` without `compile(augment=...)`.
        d_opt, g_opt: Their optimizers, once compiled.
        rules: The arguments of `compile`, a `kgan.rules.Rules`.
        compiled_with: The same as plain data, as they were then: a callback may change a learning rate later.
        image_range: Pair of floats, the range of the generator's images.

    Raises:
        ValueError: if a player is not a Keras model, or does not fit `latent_dim`, the condition or the other player; or if
            `pack` is not 1 although there are classes.
    """

    def __init__(
        self,
        generator,
        discriminator,
        latent_dim=None,
        latents="normal",
        seed=0,
        pack=1,
        num_classes=None,
        condition=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.seed = backend.share(random.randrange(2**31)) if seed is None else integer("seed", seed, at_least=0)
        self.pack = integer("pack", pack, at_least=1)
        self.condition = conditions.get(condition, num_classes)
        if latent_dim is not None and self.condition.towers > 1 and len(getattr(generator, "inputs", ())) == 2:
            raise ValueError(
                f"`latent_dim` must be None for a generator of two towers without latents. Received: {latent_dim!r}"
            )
        none = latent_dim is None and self.condition.gives_images
        self.latent_dim = None if none else integer("latent_dim", latent_dim, at_least=1)
        self.latents = latents
        self._make_generator = None if isinstance(generator, keras.Model) else generator
        self.generator = model_of(generator, "generator")
        self.discriminator = model_of(discriminator, "discriminator")
        self.image_shape, outputs, self._scores = fit_together(
            self.generator, self.discriminator, self.latent_dim, self.condition, self.pack
        )
        self.image_range = image_range(self.generator)
        specs = self.condition.specs(self.generator) if self.condition.gives_images else None
        self.given_shape = None if specs is None else each(lambda one: tuple(one.shape[1:]), specs)
        self._shapes_in_data = self.condition.shapes_in_data(self.image_shape, self.given_shape)
        self._other_logs = self.condition.log_names(outputs - self._scores + 1)
        self._sample = _sampler(latents)
        self.latent_seeds = keras.random.SeedGenerator(self.seed)
        drawn = (int(state) >> 1 for state in np.random.SeedSequence(self.seed).generate_state(3))
        penalty_seed, self._test_seed, self._history_seed = drawn
        self.penalty_seeds = keras.random.SeedGenerator(penalty_seed)
        self.test_seeds = keras.random.SeedGenerator(self._test_seed)
        self.turn = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="turn")
        self.epochs = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="epochs")
        self._beside: dict = {}  # models and layers that `compile` adds and removes: Keras drops what leaves a dict
        self.built = True

    @takes_arguments_of(Rules)
    def compile(self, *args, **kwargs):
        rules = Rules(*args, **kwargs)
        augmentation = augment.get(rules.augment, self.image_shape)
        critic = Critic(self.discriminator, self.condition, self.pack, self._scores)
        loss = objective.adversarial(rules.loss, critic)
        rules.check_loss(loss)
        rules.check_terms(self.condition, self.image_shape)
        if rules.class_loss_weight != 1.0 and not self._other_logs:
            raise ValueError(
                "`class_loss_weight` is for a discriminator that outputs class logits besides its score. "
                f"Received: {rules.class_loss_weight!r}, and a discriminator that does not."
            )
        d_opt = rules.d_opt = optimizer.for_player(rules.d_opt, "d_opt", self.discriminator)
        g_opt = rules.g_opt = optimizer.for_player(rules.g_opt, "g_opt", self.generator)
        pool = self._pool_of(rules.history)
        averaged = None if rules.ema is None else self.ema_generator or self._copy_of_generator()

        # change the model only after all arguments are known to be valid
        self.rules, self.loss, self.critic = rules, loss, critic
        self.d_opt, self.g_opt = d_opt, g_opt
        self.d_objective = tricks.loss_under(rules.tricks, loss, self.penalty_seeds)
        critic.tricks = tuple(self._seen_under(trick) for trick in rules.tricks)
        self._beside.pop("augment", None)
        if augmentation is not None:
            self._beside["augment"] = augmentation
            critic.augment = augment.Augmented(augmentation, self.image_shape, d_opt, self.penalty_seeds)
        for name in [name for name in self._beside if name.endswith("_network")]:
            del self._beside[name]
        self._beside |= {f"{term.name}_network": term.network for term in rules.terms if term.network is not None}
        self._beside.pop("image_pool", None)
        if pool is not None:
            self._beside["image_pool"] = pool
        self._beside.pop("ema_generator", None)
        if averaged is not None:
            self._beside["ema_generator"] = averaged
        self.logs = Logs(
            loss,
            self.condition,
            self.image_range,
            self._other_logs,
            rules.penalties,
            rules.terms,
            self._values_to_log(),
        )
        super().compile(
            optimizer=None,
            loss=None,
            run_eagerly=rules.run_eagerly,
            steps_per_execution=rules.steps_per_execution,
            jit_compile=rules.jit_compile,
        )
        self.optimizer = optimizer.OptimizerPair(d_opt, g_opt)
        backend.lay_out([*self.generator.variables, *self.discriminator.variables, *d_opt.variables, *g_opt.variables])
        self.compiled_with = changes.record({**rules.get_config(), "augment": augmentation})
        self._trainable_parts = [optimizer.trainable_parts(player) for player in (self.discriminator, self.generator)]

    def _copy_of_generator(self):
        return average.copy_of(self.generator, self._make_generator, self.latent_dim, self.condition)

    def _pool_of(self, size):
        if size is None:
            return None
        if takes_given(self.discriminator) and self.condition.towers == 1:
            raise ValueError(
                "`history` is for a discriminator that sees images alone: those that were generated before do not belong "
                f"to what is given now. Received: history={size!r} and model {self.discriminator.name!r}, which takes both."
            )
        if self._other_logs:
            raise ValueError(
                "`history` is for a discriminator that outputs scores alone: images that were generated before have other "
                f"classes than those given now. Received: history={size!r}, and class logits besides the score."
            )
        before = self.image_pool
        same = before is not None and before.size == size
        return before if same else ImagePool(size, self.image_shape, self._history_seed)

    def check_trainable(self):
        """Raise ValueError if `trainable` of a player or of a part of it has changed since `compile`."""
        for name, player, parts in zip(
            optimizer.PLAYERS, (self.discriminator, self.generator), self._trainable_parts, strict=True
        ):
            optimizer.check_trainable(name, player, parts)

    def _seen_under(self, trick):
        return lambda images: trick.change_images(images, self.d_opt.iterations, self.penalty_seeds)

    def _values_to_log(self):
        """What is logged by its value at the end of a step, not as a mean: schedules, and what an augmentation adapts."""
        rules = self.rules
        scheduled = [("", rules, self.g_opt), ("d_opt_", self.d_opt, self.d_opt), ("g_opt_", self.g_opt, self.g_opt)]
        scheduled += [(f"{penalty.name}_", penalty, self.d_opt) for penalty in rules.penalties]
        scheduled += [(f"{term.name}_", term, self.g_opt) for term in rules.terms]
        if self.augment is None:
            return ramps.values(scheduled)
        return ramps.values([*scheduled, ("augment_", self.augment, self.d_opt)]) | self.augment.values()

    @property
    def augment(self):
        return self._beside.get("augment")

    @property
    def image_pool(self):
        return self._beside.get("image_pool")

    @property
    def ema_generator(self):
        return self._beside.get("ema_generator")

    @property
    def sampling_generator(self):
        """The averaged generator if there is one, the trained generator otherwise."""
        return self.generator if self.ema_generator is None else self.ema_generator

    def step(self, data):
        """One training step on `data`, as the condition reads it; returns the logs."""
        self.rules.schedule.step(self, self._read(data))
        return self.logs.results(training=True)

    def test(self, data):
        """The step of `evaluate`: inference mode, latents of its own, no penalties, nothing updated."""
        batch = self._read(data, self.test_seeds)
        latents = self.draw_latents(batch, self.test_seeds)
        fake = fakes(self, batch.given, latents, training=False)
        verdicts = [self.critic(images, batch.given, training=False) for images in (batch.real, fake)]
        add_terms(self, batch, fake, latents, training=False)
        self.logs.discriminator(*verdicts)
        self.logs.generator(*verdicts)
        return self.logs.results(training=False)

    def _read(self, data, seeds=None):
        given, images = self.condition.read(data)
        images = each(brought.fitted, images, self.image_shape)
        for one in leaves(images):
            self.logs.watch(check.watched(one))
        self.logs.watch(self.condition.watch(data))
        if self.condition.gives_images and given is not None and self.condition.towers == 1:
            given = brought.fitted(given, self.given_shape, "The images given", "generator's input")
        real = each(lambda one: scaled(one, self.image_range), images)
        return Batch(self.condition.prepared(given, real, seeds or self.penalty_seeds), real)

    def draw_latents(self, batch, seeds=None):
        """Latents `(batch, latent_dim)`, one vector for each real image, from one draw of the sampler; `None` without."""
        if self.latent_dim is None:
            return None
        return self._sample((ops.shape(leaves(batch.real)[0])[0], self.latent_dim), seeds or self.latent_seeds)

    def call(self, inputs, training=False):
        """Generate images of latents, or of `[latents, labels]`; in inference the averaged generator is used, if any."""
        return (self.generator if training else self.sampling_generator)(inputs, training=training)

    @unweighted
    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, *args, **kwargs):
        """Train. See `keras.Model.fit`: `x` holds real images, `y` their labels, which only a condition reads.

        In Jupyter and Colab, `kgan.callbacks.Live` takes the place of Keras' progress bar, unless `verbose` is given.

        Raises:
            ValueError: if there are no images, they do not have the shape of the generator's, or lie outside [-1, 1]; with
                `num_classes`, if there are no labels, or they are not integers `(n,)` in [0, num_classes).
        """
        check_any(x, "fit")
        batch_size = batch_size if batch_size is None else integer("batch_size", batch_size, at_least=1)
        check_any(kwargs.get("validation_data"), "fit")
        next_epoch: list = []
        validated = bool(args or kwargs.get("validation_data") is not None or kwargs.get("validation_split"))
        # scores may need labels that the training ignores
        data = x if y is None else (x, y), kwargs.get("validation_data")
        callbacks, verbose = with_live(callbacks, verbose if backend.is_first() else 0)
        own = with_own_callbacks(callbacks, self, next_epoch, data, validated)
        x, y = self.as_read(x, y)
        if kwargs.get("validation_data") is not None:
            kwargs["validation_data"] = self._validation(
                kwargs["validation_data"], kwargs.get("validation_batch_size") or batch_size
            )
        keras_fit = super().fit

        def fit_span(callbacks, epochs, **more):
            feed = x
            if isinstance(x, Ordered):
                more["shuffle"] = False  # Keras would shuffle the batches of a PyDataset again
                feed, order_changed = backend.stream(x)
                next_epoch[:] = x.next_epoch, order_changed
            # by name, as what wraps `keras.Model.fit` expects, such as MLflow's autolog
            named = {"x": feed, "y": y, "batch_size": batch_size, "epochs": epochs, "verbose": verbose}
            others = dict(zip(list(inspect.signature(keras_fit).parameters)[6:], args, strict=False))
            with plain_errors(self.image_shape, x):
                try:
                    return keras_fit(**named, callbacks=callbacks, **{**others, **kwargs, **more})
                except BaseException:
                    self.sync()  # JAX has taken the variables' values, and a later `fit` begins with them
                    raise

        if isinstance(x, Ordered) and kwargs.get("validation_split"):
            raise ValueError(
                f"`validation_split` is for arrays. Received: {type(x).__name__}; give `validation_data`, another one."
            )
        saver = resume.saver_among(own)
        own_order = not args and kwargs.keys() <= {"initial_epoch", "validation_data"}
        with filters_restored(own):
            order = {}
            if brought.is_on_demand(x):
                order["shuffle"] = bool(kwargs.pop("shuffle", True))
                if share := kwargs.pop("validation_split", 0.0):
                    (x, y), held_out = brought.split(x, y, share)
                    if kwargs.get("validation_data") is None:
                        kwargs["validation_data"] = self._batches(held_out[0], held_out[1], batch_size)
            together = backend.process()[1] > 1
            if brought.is_on_demand(x) or (
                (saver is not None or together)
                and isinstance(x, np.ndarray)
                and (y is None or isinstance(y, np.ndarray))
                and own_order
            ):
                # Batches, because a resumed training can find its place in their order
                x = self._batches(x, y, batch_size, seed=self.seed, epoch=int(self.epochs), **order)
                batch_size = y = None
            with reading_own_part(self, x):
                if saver is None:
                    return fit_span(own, epochs)
                first_epoch = kwargs.pop("initial_epoch", 0)
                progress = Progress(self, own, x, verbose, epochs)
                return resume.train(
                    self,
                    saver,
                    progress,
                    epochs,
                    first_epoch,
                    lambda first, last: fit_span(progress, last, initial_epoch=first),
                )

    def as_read(self, x, y=None):
        """Images and labels, or sources and targets, in any of the forms that users bring, as Keras reads them."""
        x, y = brought.arrays(x, y, self._shapes_in_data, self.condition.select)
        if self.condition.needs_pairs and y is None and (isinstance(x, np.ndarray) or brought.is_on_demand(x)):
            self.condition.select(x)  # raises before the training
        if self.condition.towers > 1:
            brought.check_lengths(x, y)
            brought.check_domains(x, self._shapes_in_data)
        return brought.dataset(x, self.condition.select, self._shapes_in_data), self.condition.labels(y)

    def _validation(self, data, batch_size=None):
        x, y = self.as_read(*data[:2]) if isinstance(data, tuple) else self.as_read(data)
        if isinstance(x, np.ndarray) and x.dtype.kind == "f" and x.ndim == 4 and not self.condition.needs_pairs:
            check.check_range("floats", x.min(initial=0.0), x.max(initial=0.0), self.image_range)
        if brought.is_on_demand(x):
            return self._batches(x, y, batch_size)
        return x if y is None else (x, y)

    def _batches(self, x, y, batch_size=None, **order):
        """Images, and labels or targets, as `Batches`."""
        pairs = {"given": x} if self.condition.needs_pairs else {"labels": y}
        return Batches(y if self.condition.needs_pairs else x, batch_size or 32, **pairs, **order)

    @unweighted
    def train_on_batch(self, x, y=None, *args, **kwargs):
        """One step. See `keras.Model.train_on_batch`."""
        if self.compiled:
            self.check_trainable()
        logs = super().train_on_batch(*self.as_read(x, y), *args, **kwargs)
        self.logs.check_ranges()
        return logs

    @unweighted
    def test_on_batch(self, x, y=None, *args, **kwargs):
        """The logs of one batch. See `keras.Model.test_on_batch`."""
        return super().test_on_batch(*self.as_read(x, y), *args, **kwargs)

    @unweighted
    def evaluate(self, x=None, y=None, batch_size=None, *args, **kwargs):
        """Return the logs on unseen data, always with the same latents. See `keras.Model.evaluate`."""
        check_any(x, "evaluate")
        batch_size = batch_size if batch_size is None else integer("batch_size", batch_size, at_least=1)
        self.test_seeds.state.assign([self._test_seed, 0])
        x, y = self.as_read(x, y)
        if brought.is_on_demand(x):
            x, y, batch_size = self._batches(x, y, batch_size), None, None
        with backend.undisturbed():
            results = super().evaluate(x, y, batch_size, *args, **kwargs)
        check_results(results)
        self.logs.check_ranges()
        return results

    def sync(self):
        """Copy the state of a running `fit` into the variables: JAX keeps it elsewhere during training."""
        backend.sync(self)

    def _repr_html_(self):
        return table(self)

    @property
    def metrics(self):
        return self.logs.metrics if self.compiled else []

    @property
    def metrics_names(self):
        """Names of the logs in the order in which `evaluate` returns them."""
        return sorted(self.logs.names) if self.compiled else []


def load(path):
    """Load a GAN that `save` wrote; it can generate images, or continue its training.

    This is `keras.saving.load_model` in safe mode, with kgan's classes registered. It also loads checkpoints.

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
        ValueError: if the file is damaged, or contains classes that are not registered.
    """
    if pathlib.Path(path).is_dir():
        return state.load(path)
    return load_model(path)
