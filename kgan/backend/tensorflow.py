"""The implementation on TensorFlow: gradient tapes and `tf.cond`."""

import contextlib
import os

import keras
import numpy as np
import tensorflow as tf

TITLE, COMPILER = "TensorFlow", "XLA"
EXPORT_FORMAT = "tf_saved_model"
ONE_STEP_AT_ONCE, GROUPS_ONE_BY_ONE = False, True
SHAPE_ERRORS = (tf.errors.InvalidArgumentError,)


def gradients(losses, groups):
    with tf.GradientTape(persistent=len(groups) > 1, watch_accessed_variables=False) as tape:
        tape.watch([variable.value for group in groups for variable in group])
        values, extra = losses()
    return extra, [
        tape.gradient(value, [variable.value for variable in group])
        for value, group in zip(values, groups, strict=True)
    ]


def apply(optimizer, grads, variables):
    optimizer.apply(grads, variables)


def input_gradient(function, x):
    with _exact_moments(), tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        total = tf.add_n([tf.reduce_sum(one) for one in keras.tree.flatten(function(x))])
    return tape.gradient(total, x)


@contextlib.contextmanager
def _exact_moments():
    """Let normalization layers, which call `tf.nn.moments`, be differentiated twice.

    That function computes the variance around a mean through which no gradient flows. The first derivative is the same, but
    the second is not: with BatchNormalization a penalty's gradient would be wrong by a fifth and more.
    """

    def moments(x, axes, keepdims=False, **kwargs):
        mean = tf.reduce_mean(x, axes, keepdims=True)
        variance = tf.reduce_mean(tf.square(x - mean), axes, keepdims=keepdims)
        return (mean if keepdims else tf.squeeze(mean, axes)), variance

    kept, tf.nn.moments = tf.nn.moments, moments
    try:
        yield
    finally:
        tf.nn.moments = kept


def when(condition, then, otherwise):
    def branch(update):
        def run():
            result = update()
            return tf.constant(0) if result is None else result  # a branch of a tf.cond must return a tensor

        return run

    return tf.cond(tf.cast(condition, "bool"), branch(then), branch(otherwise))


def lay_out(variables):
    pass  # its convolutions read kernels as they are


def pin_seeds(model):
    pass  # Keras draws from the layers' own seeds


def stream(batches):
    # not through Python, as Keras does for a PyDataset: a Python generator makes each dense step 15 % slower
    if not batches.in_memory:
        return batches, lambda: None
    if batches.sides:
        return _side_by_side(*map(stream, batches.sides))
    images, labels, given = (
        None if one is None else tf.constant(one) for one in (batches.images, batches.labels, batches.given)
    )
    # the positions of each epoch's images, -1 - position for a mirrored image
    order = tf.Variable(_choices(batches), shape=[None])  # the rest of an epoch is shorter than the next one
    corners = None if batches.crop is None else tf.Variable(_corners(batches), shape=[None, 2])
    even = len(batches.order) % batches.batch_size == 0  # then the batch size is static, and steps are faster

    def one_epoch(_):
        drawn = order if corners is None else (order, corners)
        return tf.data.Dataset.from_tensor_slices(drawn).batch(batches.batch_size, drop_remainder=even)

    def take(chosen, corners=None):
        mirrored = chosen < 0
        if batches.flip:
            chosen = tf.where(mirrored, -1 - chosen, chosen)

        def of(images):
            taken = tf.gather(images, chosen)
            if corners is not None:
                taken = _parts(taken, corners, batches.crop)
            return tf.where(mirrored[:, None, None, None], taken[:, :, ::-1], taken) if batches.flip else taken

        if given is not None:
            return of(given), of(images)
        return (of(images),) if labels is None else (of(images), tf.gather(labels, chosen))

    dataset = tf.data.Dataset.range(1).flat_map(one_epoch).map(take)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(2)
    # no tuning: at the end of an epoch the pipeline may wait for the tuner, which sleeps 10 ms, 20, ... up to a minute
    options = tf.data.Options()
    options.autotune.enabled = False

    def order_changed():
        order.assign(_choices(batches))
        if corners is not None:
            corners.assign(_corners(batches))

    return dataset.with_options(options), order_changed


def _side_by_side(*streams):
    """Several streams of images as one, whose elements have one part of each."""
    datasets, changes = zip(*streams, strict=True)

    def all_changed():
        for order_changed in changes:
            order_changed()

    return tf.data.Dataset.zip(datasets).map(lambda *sides: tuple(images for (images,) in sides)), all_changed


def _choices(batches):
    order = batches.order if batches.mirrored is None else np.where(batches.mirrored, -1 - batches.order, batches.order)
    return order[batches.first * batches.batch_size :]


def _corners(batches):
    return batches.corners[batches.first * batches.batch_size :]


def _parts(images, corners, size):
    """Parts of images, as `kgan.data.crop.parts` takes them."""
    for axis, length in enumerate(size):
        images = tf.gather(images, corners[:, axis, None] + range(length), axis=axis + 1, batch_dims=1)
    return images


def with_shape(tensor, shape):
    return tf.ensure_shape(tensor, shape)


def undisturbed():
    return contextlib.nullcontext()


def sync(model):
    pass  # `fit` trains the variables themselves


def devices():
    return keras.distribution.list_devices()[:1]


def divisor(pack):
    return 1


def spread(devices):
    if devices not in (None, 1):
        raise ValueError(
            f"On TensorFlow kgan trains on one device. Received: {devices} devices. KERAS_BACKEND=jax trains on several."
        )
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise ValueError(
            f"torchrun started {os.environ['WORLD_SIZE']} processes, and the engine is TensorFlow, which trains in one. "
            "KERAS_BACKEND=torch trains in all of them."
        )
    return contextlib.nullcontext()


def by_itself(*models):
    return contextlib.nullcontext()


def on_one_device():
    return contextlib.nullcontext()


class Steps:
    def train_step(self, data):
        return self.step(data)

    def test_step(self, data):
        return self.test(data)
