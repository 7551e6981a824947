"""The networks of Pix2Pix, CycleGAN, SRGAN and ESRGAN in plain PyTorch; and which weight of kgan is which.

Weights have the names that they have in the code that each network is known by: pytorch-CycleGAN-and-pix2pix for U-Net,
PatchGAN and CycleGAN's generator, and BasicSR for RRDBNet; SRResNet has no such code, its names are given here. Images
are (batch, channels, height, width).
"""

import torch
from keras import layers
from torch import nn
from torch.nn import functional as F  # noqa: N812


def weights(model, names):
    """A model's weights as tensors by PyTorch's names, for the names of those of its layers that have weights, in order.

    Both kinds of kernels, (height, width, in, out) of convolutions and (height, width, out, in) of transposed ones, become
    PyTorch's by the same change of axes.
    """
    found = {}
    for name, layer in zip(names, [layer for layer in model.layers if layer.weights], strict=True):
        if isinstance(layer, layers.BatchNormalization):
            kinds = ("weight", "bias", "running_mean", "running_var")
        else:
            kinds = ("weight", "bias")[: len(layer.weights)]
        for kind, value in zip(kinds, layer.get_weights(), strict=True):
            if isinstance(layer, layers.PReLU):
                value = value.ravel()
            found[f"{name}.{kind}"] = torch.tensor(value.transpose(3, 2, 0, 1) if value.ndim == 4 else value)
    return found


class Network:
    """Applies layers by their names."""

    def __init__(self, weights, norm=None):
        self.weights, self.norm = weights, norm

    def conv(self, name, x, stride=1, padding=1):
        return F.conv2d(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"), stride, padding)

    def up(self, name, x):
        return F.conv_transpose2d(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"), 2, 1)

    def normalized(self, name, x):
        if self.norm == "instance":
            return F.instance_norm(x, eps=1e-5)
        if self.norm is None:
            return x
        mean, var = (self.weights[f"{name}.running_{kind}"] for kind in ("mean", "var"))
        return F.batch_norm(x, mean, var, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], eps=1e-5)

    def prelu(self, name, x):
        return F.prelu(x, self.weights[f"{name}.weight"])


def _blocks(downs):
    """The names in each block of the U-Net, from the outside: convolution, norm, transposed convolution, norm."""
    yield "model.model.0", None, "model.model.3", None
    block = "model.model.1"
    for _ in range(downs - 2):
        yield tuple(f"{block}.model.{place}" for place in (1, 2, 5, 6))
        block += ".model.3"
    yield f"{block}.model.1", None, f"{block}.model.3", f"{block}.model.4"


def unet_names(downs, norm="batch"):
    blocks = list(_blocks(downs))
    names = [name for conv, down_norm, _, _ in blocks for name in (conv, down_norm)]
    names += [name for _, _, up, up_norm in reversed(blocks) for name in (up, up_norm)]
    norms = {name for _, down_norm, _, up_norm in blocks for name in (down_norm, up_norm)}
    return [name for name in names if name and (norm == "batch" or name not in norms)]


def unet(weights, x, downs, norm="batch"):
    net = Network(weights, norm)
    blocks = list(_blocks(downs))

    def block(level, x):
        conv, down_norm, up, up_norm = blocks[level]
        y = net.conv(conv, F.leaky_relu(x, 0.2) if level else x, stride=2)
        if down_norm:
            y = net.normalized(down_norm, y)
        if level < downs - 1:
            y = block(level + 1, y)
        y = net.up(up, F.relu(y))
        return torch.cat([x, net.normalized(up_norm, y)], 1) if level else torch.tanh(y)

    return block(0, x)


def patch_names(halved, norm="batch"):
    """Names of the patch discriminator; the one with patches of one pixel (halved 0) calls its layers net, not model."""
    root, last = ("model", 2 + 3 * halved) if halved else ("net", 5)
    steps = (0, 1) if norm == "batch" else (0,)
    return [f"{root}.0", *(f"{root}.{place + step}" for place in range(2, last, 3) for step in steps), f"{root}.{last}"]


def patch(weights, x, halved, norm="batch"):
    net = Network(weights, norm)
    if not halved:
        x = F.leaky_relu(net.conv("net.0", x, padding=0), 0.2)
        x = F.leaky_relu(net.normalized("net.3", net.conv("net.2", x, padding=0)), 0.2)
        return net.conv("net.5", x, padding=0)
    x = F.leaky_relu(net.conv("model.0", x, stride=2), 0.2)
    for level in range(1, halved + 1):
        x = net.conv(f"model.{3 * level - 1}", x, stride=2 if level < halved else 1)
        x = F.leaky_relu(net.normalized(f"model.{3 * level}", x), 0.2)
    return net.conv(f"model.{3 * halved + 2}", x)


NORMS = {
    "batch": lambda width: nn.BatchNorm2d(width, eps=1e-5),
    "instance": lambda width: nn.InstanceNorm2d(width, eps=1e-5, affine=False),
    None: lambda width: nn.Identity(),
}


class ResidualBlock(nn.Module):
    def __init__(self, width, norm):
        super().__init__()
        before, after = (
            [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3, bias=norm != "batch"), NORMS[norm](width)]
            for _ in range(2)
        )
        self.conv_block = nn.Sequential(*before, nn.ReLU(), *after)

    def forward(self, x):
        return x + self.conv_block(x)


class ResnetTranslation(nn.Module):
    """CycleGAN's generator, a list of layers as in section 7.2 of the paper."""

    def __init__(self, given, channels, filters, blocks, norm="instance"):
        super().__init__()
        bias = norm != "batch"
        narrow, middle, wide = filters, 2 * filters, 4 * filters
        steps = [nn.ReflectionPad2d(3), nn.Conv2d(given, narrow, 7, bias=bias), NORMS[norm](narrow), nn.ReLU()]
        for before, after in ((narrow, middle), (middle, wide)):
            steps += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=bias), NORMS[norm](after), nn.ReLU()]
        steps += [ResidualBlock(wide, norm) for _ in range(blocks)]
        for before, after in ((wide, middle), (middle, narrow)):
            up = nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1, bias=bias)
            steps += [up, NORMS[norm](after), nn.ReLU()]
        self.model = nn.Sequential(*steps, nn.ReflectionPad2d(3), nn.Conv2d(narrow, channels, 7), nn.Tanh())


def resnet_translation_names(blocks, norm="instance"):
    """Its layers that have weights in order: `model.1`, `model.2`, ... with the blocks at `model.10` and after it."""
    convolutions = [f"model.{place}" for place in (1, 4, 7)]
    convolutions += [f"model.{10 + block}.conv_block.{place}" for block in range(blocks) for place in (1, 5)]
    convolutions += [f"model.{10 + blocks + place}" for place in (0, 3)]
    norms = {name: f"{name.rpartition('.')[0]}.{int(name.rpartition('.')[2]) + 1}" for name in convolutions}
    names = [one for name in convolutions for one in ((name, norms[name]) if norm == "batch" else (name,))]
    return [*names, f"model.{10 + blocks + 7}"]


def resnet_translation(weights, given, channels, filters, blocks, norm="instance"):
    """The network in inference mode; all of its weights are among those given, and it has no others."""
    network = ResnetTranslation(given, channels, filters, blocks, norm)
    missing, unexpected = network.load_state_dict(weights, strict=False)
    if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
        raise KeyError(f"missing: {missing}; unexpected: {unexpected}")
    return network.eval().model


def srresnet_names(blocks, doublings, norm="batch"):
    names = ["first", "first_prelu"]
    for block in range(blocks):
        names += [f"{block}.{part}" for part in ("conv1", "norm1", "prelu", "conv2", "norm2")]
    names += ["after", "after_norm", *(f"up{k}{part}" for k in range(doublings) for part in ("", "_prelu")), "last"]
    return [name for name in names if norm == "batch" or "norm" not in name]


def srresnet(weights, x, blocks, doublings, norm="batch"):
    net = Network(weights, norm)
    x = start = net.prelu("first_prelu", net.conv("first", x, padding=4))
    for block in range(blocks):
        y = net.prelu(f"{block}.prelu", net.normalized(f"{block}.norm1", net.conv(f"{block}.conv1", x)))
        x = x + net.normalized(f"{block}.norm2", net.conv(f"{block}.conv2", y))
    x = start + net.normalized("after_norm", net.conv("after", x))
    for k in range(doublings):
        x = net.prelu(f"up{k}_prelu", F.pixel_shuffle(net.conv(f"up{k}", x), 2))
    return torch.tanh(net.conv("last", x, padding=4))


def rrdb_names(blocks, doublings):
    dense = [f"body.{block}.rdb{k}.conv{c}" for block in range(blocks) for k in (1, 2, 3) for c in range(1, 6)]
    ups = [f"conv_up{k + 1}" for k in range(doublings)]
    return ["conv_first", *dense, "conv_body", *ups, "conv_hr", "conv_last"]


def rrdb(weights, x, blocks, doublings):
    net = Network(weights)

    def dense(name, x):
        features = [x]
        for c in range(1, 5):
            features.append(F.leaky_relu(net.conv(f"{name}.conv{c}", torch.cat(features, 1)), 0.2))
        return x + 0.2 * net.conv(f"{name}.conv5", torch.cat(features, 1))

    x = start = net.conv("conv_first", x)
    for block in range(blocks):
        y = x
        for k in (1, 2, 3):
            y = dense(f"body.{block}.rdb{k}", y)
        x = x + 0.2 * y
    x = start + net.conv("conv_body", x)
    for k in range(doublings):
        x = F.leaky_relu(net.conv(f"conv_up{k + 1}", F.interpolate(x, scale_factor=2, mode="nearest")), 0.2)
    return net.conv("conv_last", F.leaky_relu(net.conv("conv_hr", x), 0.2))
