"""The implementation on PyTorch: autograd, and Python's `if`."""

import contextlib
import datetime
import functools
import os

import keras
import torch
import torch._functorch.config
import torch.distributed
from keras import tree
from keras.src.backend.torch import nn as keras_nn

from kgan.backend import torch_processes as processes
from kgan.backend.keras_internals import layers_in
from kgan.backend.torch_processes import process

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
        processes.average(
            torch.autograd.grad(
                value, [variable.value for variable in group], retain_graph=index < last, allow_unused=True
            )
        )
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
    here = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    return torch.random.fork_rng(here)  # iterating over a DataLoader draws from torch's global generator


def sync(model):
    pass  # `fit` trains the variables themselves


def devices():
    kind, (_, count) = keras.ops.zeros(()).device.type.replace("cuda", "gpu"), process()
    return [kind] if count == 1 else [f"{kind}:{index}" for index in range(count)]


def divisor(pack):
    return process()[1] * pack


@contextlib.contextmanager
def spread(devices):
    launched = int(os.environ.get("WORLD_SIZE", 1))
    if devices is not None and devices != "all" and devices != launched:
        raise ValueError(
            f"On PyTorch there is one process for each device, and here {launched} was started for {devices} devices. Type "
            f"torchrun --nproc-per-node {devices} -m kgan, and then the command. Or set KERAS_BACKEND=jax."
        )
    on_gpu = torch.cuda.is_available()
    if launched > 1 and on_gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    if launched == 1 or torch.distributed.is_initialized():
        yield
        return
    # no time that the first process may take for itself, such as for scores, is too long
    torch.distributed.init_process_group("nccl" if on_gpu else "gloo", timeout=datetime.timedelta(days=1))
    try:
        yield
        processes.share(None)  # no process leaves before the first one has written all
    finally:
        torch.distributed.destroy_process_group()


def by_itself(*models):
    return contextlib.nullcontext()


def on_one_device():
    return contextlib.nullcontext()  # a process computes on one anyway


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


def check_together(model):
    if hasattr(keras.Model, "_initialize_ddp"):
        raise ValueError(
            "This version of Keras wraps a model into DistributedDataParallel by itself, with which the processes of a GAN "
            "would drift apart. Install keras<3.16, or set KERAS_BACKEND=jax."
        )
    if model.jit_compile:
        raise ValueError(
            "`jit_compile` is for one process on PyTorch. Pass jit_compile=False, or set KERAS_BACKEND=jax."
        )


class Steps:
    @functools.wraps(keras.Model.fit)
    def fit(self, *args, **kwargs):
        with images_as_views():
            return super().fit(*args, **kwargs)  # type: ignore[misc]  # keras.Model comes next in the order of classes

    def train_step(self, data):
        with processes.part_of(data, divisor(self.pack)) as own:
            logs = self.step(own)
        if own is data and process()[1] > 1:  # computed whole in each process, on a GPU with other last digits
            processes.begin_together([*self.variables, *self.optimizer.variables])
        return logs

    def test_step(self, data):
        return self.test(data)


def any_size(name):
    """What `torch.export` calls a size that may be any number."""
    return torch.export.Dim(name)
