"""Several processes that train one GAN on PyTorch, such as those that torchrun starts: each computes a part of every batch.

The training is that of one process. All processes draw the random numbers of the whole batch, and each takes those of its
part. Gradients are averaged over the processes; what a layer or a loss computes of a whole batch, such as the statistics of
BatchNormalization, is computed over all of them, and its gradient flows to all of them. A batch that cannot be divided
evenly is computed whole in each process.

`torch.nn.parallel.DistributedDataParallel` is not used: it averages gradients in hooks of `loss.backward()`, and a step of
two players calls `torch.autograd.grad`, which does not run them.
"""

import contextlib

import torch
import torch.distributed
from keras import ops, tree
from keras.src.backend.torch import nn as keras_nn
from keras.src.backend.torch import random as keras_random

from kgan.backend.alone import lost

distributed = torch.distributed


def process():
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


@contextlib.contextmanager
def connected():
    """A context for what all processes do together, in which the loss of one of them becomes a sentence."""
    try:
        yield
    except RuntimeError as error:
        raise lost(error) from None


def add_up(tensor):
    """Replace a tensor by its sum over all processes."""
    with connected():
        distributed.all_reduce(tensor)


class Here:
    """The part of the current batch that this process computes: its number, and how many there are."""

    index, count = 0, 1


HERE = Here()


class SumOfAll(torch.autograd.Function):
    """The sum of a tensor over all processes; its gradient is a sum too, since each process' loss depends on each tensor."""

    @staticmethod
    def forward(context, tensor):
        total = tensor.detach().clone(memory_format=torch.contiguous_format)
        add_up(total)
        return total

    @staticmethod
    def backward(context, gradient):
        return SumOfAll.apply(gradient)


def parts():
    return HERE.count


def whole(tensor):
    if HERE.count == 1:
        return tensor
    n = len(tensor)
    rows = [tensor.new_zeros((n * places, *tensor.shape[1:])) for places in (HERE.index, HERE.count - 1 - HERE.index)]
    return SumOfAll.apply(torch.cat([rows[0], tensor, rows[1]]))


def part(tensor):
    n = len(tensor) // HERE.count
    return tensor[HERE.index * n : (HERE.index + 1) * n]


def in_all_parts(scalars):
    if HERE.count == 1:
        return [scalars]
    return list(whole(torch.stack(scalars)[None].detach()))


def places(n):
    return ops.arange(n) + HERE.index * n


def average(gradients):
    """The mean over all processes of each gradient, in one message."""
    index, count = process()
    found = [gradient for gradient in gradients if gradient is not None]
    if count == 1 or not found:
        return gradients
    flat = torch.cat([gradient.reshape(-1) for gradient in found])
    add_up(flat)
    pieces = iter((flat / count).split([gradient.numel() for gradient in found]))
    return [
        None if gradient is None else next(pieces).view(gradient.shape).to(gradient.dtype) for gradient in gradients
    ]


@contextlib.contextmanager
def part_of(batch, divisor):
    """A context in which a step computes this process' part of a batch; yields that part, or the batch itself.

    Args:
        batch: Tensors of the whole batch, nested as in Keras.
        divisor: Integer. The number of processes, or a multiple of it so that packs of examples are not separated.
    """
    index, count = process()
    rows = len(next(one for one in tree.flatten(batch) if one is not None))
    if count == 1 or rows % divisor:
        yield batch
        return
    HERE.index, HERE.count = index, count
    # as many numbers are drawn for the examples, or for packs of them
    sizes = {rows // count, rows // divisor}
    try:
        with _replaced(keras_nn, {"moments": _moments}), _replaced(keras_random, _draws(sizes)):
            yield tree.map_structure(lambda one: None if one is None else part(one), batch)
    finally:
        HERE.index, HERE.count = 0, 1


@contextlib.contextmanager
def _replaced(module, functions):
    """A context in which functions of a module are replaced by others, each of which is made from the one before."""
    before = {name: getattr(module, name) for name in functions}
    try:
        for name, replace in functions.items():
            setattr(module, name, replace(before[name]))
        yield
    finally:
        for name, function in before.items():
            setattr(module, name, function)


def _moments(of_part):
    """Mean and variance over the whole batch, from those of parts of one size: E x and E x^2 are means of theirs."""

    def moments(x, axes, keepdims=False, synchronized=False):
        mean, variance = of_part(x, axes, keepdims)
        if 0 not in tree.flatten(axes):
            return mean, variance
        both = torch.stack([mean, variance + mean.square()])
        mean, square = (SumOfAll.apply(both) / HERE.count).unbind()
        return mean, square - mean.square()

    return moments


def _draws(sizes):
    """From the names of Keras' random functions to what makes them draw the numbers of the whole batch."""

    def of_shape(draw):
        def drawn(shape, *args, **kwargs):
            shape = tuple(shape)
            if not shape or shape[0] not in sizes:
                return draw(shape, *args, **kwargs)
            return part(draw((shape[0] * HERE.count, *shape[1:]), *args, **kwargs))

        return drawn

    def dropout(drop):
        def dropped(inputs, rate, noise_shape=None, seed=None):
            if inputs.shape[0] not in sizes:
                return drop(inputs, rate, noise_shape, seed)
            if noise_shape is not None and noise_shape[0] in sizes:
                noise_shape = (noise_shape[0] * HERE.count, *noise_shape[1:])
            ones = torch.ones(
                (inputs.shape[0] * HERE.count, *inputs.shape[1:]), dtype=inputs.dtype, device=inputs.device
            )
            return inputs * part(drop(ones, rate, noise_shape, seed))

        return dropped

    def refused(draw):
        def refuse(*args, **kwargs):
            raise NotImplementedError(
                f"keras.random.{draw.__name__} would draw the same numbers in each of {HERE.count} processes, for "
                "different parts of a batch. On PyTorch kgan trains in several processes with keras.random.normal, uniform, "
                "randint, truncated_normal and dropout. KERAS_BACKEND=jax has no such limit."
            )

        return refuse

    return {
        **dict.fromkeys(("normal", "uniform", "randint", "truncated_normal"), of_shape),
        "dropout": dropout,
        **dict.fromkeys(("beta", "binomial", "categorical", "gamma", "shuffle"), refused),
    }


def begin_together(variables):
    """Give variables the values that they have in the first process."""
    if process()[1] == 1:
        return
    for variable in variables:
        tensor = variable.value.detach().contiguous()
        with connected():
            distributed.broadcast(tensor, 0)
        with torch.no_grad():
            variable.value.copy_(tensor)


def share(value):
    if process()[1] == 1:
        return value
    box = [value]
    with connected():
        distributed.broadcast_object_list(box, 0)
    return box[0]


def largest(numbers):
    if process()[1] == 1:
        return numbers
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    found = torch.tensor(numbers, dtype=torch.int64, device=device)
    with connected():
        distributed.all_reduce(found, distributed.ReduceOp.MAX)
        return found.tolist()
