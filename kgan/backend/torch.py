"""The implementation on PyTorch: autograd, and Python's `if`."""

import contextlib
import functools

import keras
import torch
import torch._functorch.config
from keras import tree
from keras.src.backend.torch import nn as keras_nn

from kgan.backend.keras_internals import layers_in

TITLE, COMPILER = "PyTorch", "torch.compile"
EXPORT_FORMAT = "torch"
ONE_STEP_AT_ONCE, GROUPS_ONE_BY_ONE = True, False
SHAPE_ERRORS = ()
# for torch.compile: two gradients are computed from one forward pass, so the first must not free its buffers
torch._functorch.config.donated_buffer = False


def gradients(losses, groups):
    values, extra = losses()
    last = len(groups) - 1
    return extra, [
        torch.autograd.grad(value, [variable.value for variable in group], retain_graph=index < last, allow_unused=True)
        for index, (value, group) in enumerate(zip(values, groups, strict=True))
    ]


def apply(optimizer, grads, variables):
    with torch.no_grad():
        optimizer.apply(list(grads), variables)


def input_gradient(function, x):
    x = tree.map_structure(lambda one: one.detach().requires_grad_(True), x)
    total = sum(one.sum() for one in tree.flatten(function(x)))
    return tree.pack_sequence_as(x, torch.autograd.grad(total, tree.flatten(x), create_graph=True))


def when(condition, then, otherwise):
    return then() if condition else otherwise()


def lay_out(variables):
    # PyTorch convolves images whose channels are last with kernels (out, height, width, in), and Keras' are (height, width,
    # in, out): in this order in memory none is copied in each call, which takes a fourth of the time of a large U-Net
    for variable in variables:
        if len(variable.shape) == 4:
            kernel = variable.value.data
            variable.value.data = kernel.permute(3, 0, 1, 2).contiguous().permute(1, 2, 3, 0)


def pin_seeds(model):
    # Keras draws dropout from torch's global generator unless the layer has a seed; from here on it uses its own
    # seed state, which is saved with the model
    for layer in layers_in(model):
        for seeds in layer._seed_generators:
            if seeds._initial_seed is None:
                seeds._initial_seed = int(seeds.state[0])


def stream(batches):
    return batches, lambda: None


def with_shape(tensor, shape):
    return tensor  # the engine knows all shapes


def undisturbed():
    return torch.random.fork_rng()  # iterating over a DataLoader draws from torch's global generator


def sync(model):
    pass  # `fit` trains the variables themselves


def devices():
    return [keras.ops.zeros(()).device.type.replace("cuda", "gpu")]


@contextlib.contextmanager
def images_as_views():
    """A context in which Keras' convolutions and poolings read images where they lie.

    Elsewhere Keras copies an image before each convolution into the order (channels, height, width), and back into its own
    order, in which PyTorch then convolves it: a tenth of a step of CycleGAN. The values are the same.
    """
    copied = getattr(keras_nn, "_transpose_spatial_inputs", None)
    if copied is None:  # in a version of Keras that does it another way
        yield
        return
    keras_nn._transpose_spatial_inputs = lambda images: torch.movedim(images, -1, 1)
    try:
        yield
    finally:
        keras_nn._transpose_spatial_inputs = copied


class Steps:
    @functools.wraps(keras.Model.fit)
    def fit(self, *args, **kwargs):
        with images_as_views():
            return super().fit(*args, **kwargs)  # type: ignore[misc]  # keras.Model comes next in the order of classes

    def train_step(self, data):
        return self.step(data)

    def test_step(self, data):
        return self.test(data)
