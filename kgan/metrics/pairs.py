"""How much generated images differ from the real ones that they belong to, and how sharp and colourful they are.

Each function takes two arrays of images `(n, height, width, channels)`, uint8 or floats in [-1, 1], the real ones and the
generated ones in the same order, and returns a value for each pair or for each image.
"""

import numpy as np
from scipy import ndimage
from scipy.spatial import distance

from kgan.pictures import LUMA

WINDOW = 7  # pixels, the side of the window of SSIM
ROWS = 256  # distances to all real images are computed for so many generated ones at once


def l1(real, generated):
    """The mean absolute difference of each pair as a share of the range from black to white, `(n,)`.

    Example:

    >>> kgan.metrics.l1(np.zeros((1, 2, 2, 1), "uint8"), np.full((1, 2, 2, 1), 51, "uint8")).tolist()
    [0.2]
    """
    real, generated = _both(real, generated)
    return np.abs(real - generated).mean((1, 2, 3))


def psnr(real, generated):
    """The peak signal-to-noise ratio of each pair in dB, `(n,)`: 10 log10(range^2 / mean squared error), as
    `skimage.metrics.peak_signal_noise_ratio`. Equal images have infinity.

    Example:

    >>> kgan.metrics.psnr(np.zeros((1, 2, 2, 1)), np.full((1, 2, 2, 1), 0.2)).tolist()
    [20.0]
    """
    real, generated = _both(real, generated)
    with np.errstate(divide="ignore"):
        return -10.0 * np.log10(np.square(real - generated).mean((1, 2, 3)))


def ssim(real, generated):
    """The structural similarity of each pair, `(n,)`, at most 1 (Wang et al., IEEE Trans. Image Processing 13, 2004).

    Of the values as they are, 0 to 255 or -1 to 1, whose similarities differ: kgan's scores are those of uint8 images. With
    the defaults of `skimage.metrics.structural_similarity`: a uniform window of 7 x 7, sample covariances, the mean
    over channels and over all positions where the whole window lies in the image.

    Raises:
        ValueError: if the images are smaller than the window.
    """
    real, generated = _both(real, generated, _as_they_are)
    if min(real.shape[1:3]) < WINDOW:
        raise ValueError(
            f"SSIM needs images of at least {WINDOW} x {WINDOW} pixels. Received: {real.shape[1]} x {real.shape[2]}"
        )

    def around(values):
        return ndimage.uniform_filter(values, (1, WINDOW, WINDOW, 1))

    of_sample = WINDOW**2 / (WINDOW**2 - 1)
    mean, other = around(real), around(generated)
    variance, other_variance, covariance = (
        of_sample * (around(one * two) - one_mean * two_mean)
        for one, two, one_mean, two_mean in (
            (real, real, mean, mean),
            (generated, generated, other, other),
            (real, generated, mean, other),
        )
    )
    c1, c2 = 0.01**2, 0.03**2
    found = (2 * mean * other + c1) * (2 * covariance + c2)
    found /= (mean**2 + other**2 + c1) * (variance + other_variance + c2)
    border = WINDOW // 2
    return found[:, border:-border, border:-border].mean((1, 2, 3))


def partner_rank(real, generated):
    """How many of the other real images lie nearer to each generated one than the real one that it belongs to, `(n,)`: a
    share, 0 if its true partner is the nearest of all. At random it would be 0.5 on average.

    Example:

    >>> real, generated = np.array([[0.0], [1.0], [5.0]]), np.array([[0.2], [4.0], [4.0]])
    >>> kgan.metrics.partner_rank(real, generated).tolist()
    [0.0, 0.5, 0.0]

    Args:
        real, generated: Features, arrays `(n, d)`, in the same order.

    Raises:
        ValueError: if their numbers differ, or there is one pair alone.
    """
    real, generated = (np.asarray(one, "float64") for one in (real, generated))
    if len(real) != len(generated) or len(real) < 2:
        raise ValueError(
            "`partner_rank` needs a generated image for each real one, at least two. "
            f"Received: {len(real)} real and {len(generated)} generated"
        )
    nearer = []
    for begin in range(0, len(real), ROWS):
        distances = distance.cdist(generated[begin : begin + ROWS], real)
        own = np.diagonal(distances, begin)
        nearer.append((distances < own[:, None]).sum(axis=1))
    return np.concatenate(nearer) / (len(real) - 1)


def sharpness(images):
    """The variance of the Laplacian of each image in grey, `(n,)`: small for blurred images, large for noise."""
    grey = _grey(_unit(images))
    laplacian = (
        grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4 * grey[:, 1:-1, 1:-1]
    )
    return laplacian.var((1, 2))


def colorfulness(images):
    """The colourfulness of each image, `(n,)`, 0 for grey ones (Hasler and Suesstrunk, Human Vision and Electronic Imaging
    VIII, 2003).

    With rg = R - G and yb = (R + G) / 2 - B it is the length of their standard deviations, and 0.3 times the length of their
    means. Colours go from 0 to 1.
    """
    images = _unit(images)
    if images.shape[-1] < 3:
        return np.zeros(len(images))
    red, green, blue = images[..., 0], images[..., 1], images[..., 2]
    opponents = np.stack([red - green, (red + green) / 2 - blue])
    return np.linalg.norm(opponents.std((2, 3)), axis=0) + 0.3 * np.linalg.norm(opponents.mean((2, 3)), axis=0)


def _grey(images):
    return images[..., 0] if images.shape[-1] < 3 else images[..., :3] @ LUMA


def _unit(images):
    """Images as float64 in [0, 1]."""
    is_float = np.asarray(images).dtype != np.uint8
    return _as_they_are(images) + (0.5 if is_float else 0.0)


def _as_they_are(images):
    """Images as float64 whose range, from black to white, is 1."""
    images = np.asarray(images)
    if images.ndim != 4:
        raise ValueError(f"Images must be (n, height, width, channels). Received: an array of shape {images.shape}")
    return images.astype("float64") / (255.0 if images.dtype == np.uint8 else 2.0)


def _both(real, generated, scaled=None):
    real, generated = map(scaled or _unit, (real, generated))
    if real.shape != generated.shape:
        raise ValueError(
            f"Real and generated images must have the same shape. Received: {real.shape} and {generated.shape}"
        )
    return real, generated
