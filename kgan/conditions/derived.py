"""Conditions that make what the generator is given from the real image: smaller, without colours, its edges."""

from keras import ops
from keras.saving import register_keras_serializable

from kgan.arguments import Misfit, integer, is_number
from kgan.conditions.images import Derived, ImageCondition, grey


@register_keras_serializable("kgan")
class Downscaled(Derived):
    """Super-resolution: the generator is given the image with its sides divided by a factor, each pixel the mean of those
    that it replaces (SRGAN, Ledig et al., arXiv:1609.04802, uses bicubic interpolation).

    Example:

    >>> float(kgan.conditions.Downscaled(2).given(np.array([[[[0.0], [1.0]], [[0.0], [1.0]]]], "float32"))[0, 0, 0, 0])
    0.5

    Args:
        factor: Integer above 1.
    """

    def __init__(self, factor: int = 4):
        self.factor = integer("factor", factor, at_least=2, of="Downscaled")

    def given(self, images, seeds=None):
        height, width = images.shape[1:3]
        if height % self.factor or width % self.factor:
            raise Misfit(
                f"Downscaled({self.factor}) needs images whose height and width are multiples of {self.factor}. "
                f"Received: {height} x {width}",
                size=[max(1, round(side / self.factor)) * self.factor for side in (height, width)],
            )
        return ops.average_pool(images, self.factor, self.factor, data_format="channels_last")

    def of_picture(self, pixels, opacity, channels):
        return ImageCondition.of_picture(self, pixels, opacity, channels)  # a picture is what is given, not the result

    def get_config(self):
        return {"factor": self.factor}


@register_keras_serializable("kgan")
class Grey(Derived):
    """Colourisation: the generator is given the image in grey, one channel, by ITU-R 601 luma.

    Example:

    >>> round(float(kgan.conditions.Grey().given(np.array([[[[1.0, 0.0, 0.0]]]], "float32"))[0, 0, 0, 0]), 3)
    0.299

    Args:
        keep_brightness: Boolean. Whether the luma y that is given stays, and the output o gives colours alone:
            y + o - luma(o), clipped to [-1, 1]. The discriminator, the terms and `translate` see the result.
    """

    def __init__(self, keep_brightness: bool = False):
        self.keep_brightness = keep_brightness

    def given(self, images, seeds=None):
        return grey(ops.convert_to_tensor(images))

    def completed(self, output, given):
        if not self.keep_brightness:
            return output
        output = ops.convert_to_tensor(output)
        given = ops.cast(given, output.dtype)
        return ops.clip(given + output - grey(output), -1.0, 1.0)

    def get_config(self):
        return {"keep_brightness": self.keep_brightness}


@register_keras_serializable("kgan")
class Edges(Derived):
    """Drawings to images: the generator is given the edges of the image, black (-1) on white (1), one channel.

    An edge is where the magnitude of the Sobel gradient of the grey image is above the threshold. The filters are scaled so
    that a gradient is a difference per pixel: from black to white, -1 to 1, next to each other it is 1.

    Args:
        threshold: Float above 0.
    """

    def __init__(self, threshold: float = 0.2):
        if not is_number(threshold) or threshold <= 0:
            raise ValueError(f"`threshold` of Edges must be a number > 0. Received: {threshold!r}")
        self.threshold = threshold

    def given(self, images, seeds=None):
        images = grey(ops.convert_to_tensor(images))
        images = ops.concatenate([images[:, :1], images, images[:, -1:]], axis=1)  # the border is no edge
        images = ops.concatenate([images[:, :, :1], images, images[:, :, -1:]], axis=2)
        across = (images[:, :, 2:] - images[:, :, :-2]) / 2.0
        down = (images[:, 2:] - images[:, :-2]) / 2.0
        across = (across[:, :-2] + 2.0 * across[:, 1:-1] + across[:, 2:]) / 4.0
        down = (down[:, :, :-2] + 2.0 * down[:, :, 1:-1] + down[:, :, 2:]) / 4.0
        edges = ops.square(across) + ops.square(down) > self.threshold**2
        return 1.0 - 2.0 * ops.cast(edges, images.dtype)

    def get_config(self):
        return {"threshold": self.threshold}
