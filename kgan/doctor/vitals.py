"""What the doctor measures of a few generated images beside real ones, and of the discriminator's scores of both.

Images are arrays `(n, height, width, channels)`, or examples `(n, ...)` of any shape, floats in [-1, 1]. Each function
returns a number; NaN where it cannot be told.
"""

import numpy as np
from scipy.spatial import distance

EDGE = 0.99  # a value beyond it, of a range of [-1, 1], is at the end of the range
STILL = 1e-3  # a pixel whose standard deviation is below it is the same in all images


def flat(images):
    """Images as rows of numbers."""
    return np.asarray(images, "float64").reshape(len(images), -1)


def mean_distance(images, labels=None):
    """The mean Euclidean distance of two images, of the same class where there are labels."""
    groups = [images] if labels is None else [images[labels == label] for label in np.unique(labels)]
    pairs = np.concatenate([distance.pdist(flat(group)) for group in groups if len(group) > 1] or [[]])
    return float(pairs.mean()) if len(pairs) else float("nan")


def spread(fake, real, fake_labels=None, real_labels=None):
    """The mean distance of two generated images, as a share of that of two real ones: 0 if all are the same."""
    return mean_distance(fake, fake_labels) / mean_distance(real, real_labels)


def duplicates(fake, real):
    """The share of the generated images to which another one is nearer than half the smallest distance of real ones.

    As many real images are compared. Where a support of N images is drawn from evenly, some pair of s images is the same
    once s is about the square root of N (Arora and Zhang, arXiv:1706.08224).
    """
    real = real[: len(fake)]
    between = distance.squareform(distance.pdist(flat(fake)))
    np.fill_diagonal(between, np.inf)
    apart = distance.pdist(flat(real))
    apart = apart[apart > 0]  # a data set may hold an image twice
    return float((between.min(1) < apart.min() / 2).mean()) if len(apart) else float("nan")


def saturated(images):
    """The share of the values that lie at an end of the range."""
    return float((np.abs(images) > EDGE).mean())


def still(images):
    """The share of the values of an image that are the same in all images."""
    return float((flat(images).std(0) < STILL).mean())


def checkerboard(images):
    """The share of the energy of an image's details that alternates from pixel to pixel, along either axis.

    The details are the image less its mean over the channels' frames; their energy is that of the two-dimensional Fourier
    transform. Transposed convolutions whose kernel is not a multiple of the stride leave such a pattern (Odena et al.,
    https://distill.pub/2016/deconv-checkerboard).
    """
    images = np.asarray(images, "float64")
    if images.ndim != 4 or min(images.shape[1:3]) < 8:
        return float("nan")
    energy = np.square(np.abs(np.fft.fft2(images, axes=(1, 2)))).mean((0, 3))
    energy[0, 0] = 0.0
    rows, columns = (side // 2 for side in energy.shape)
    alternating = energy[rows].sum() + energy[:, columns].sum() - energy[rows, columns]
    return float(alternating / max(energy.sum(), np.finfo("float64").tiny))


def copied(fake, real, seen):
    """How near generated images are to the training images, against how near real ones are to each other.

    The median distance of a generated image to its nearest of `seen`, as a share of the median distance of a real image to
    its nearest other one: near 0 if the images are copies.

    Args:
        fake: Generated images.
        real: Some of the real images.
        seen: More of the real images, `real` among them.
    """
    to_fake = distance.cdist(flat(fake), flat(seen)).min(1)
    to_real = np.sort(distance.cdist(flat(real), flat(seen)), 1)[:, 1]  # the nearest one is the image itself
    middle = np.median(to_real)
    return float(np.median(to_fake) / middle) if middle > 0 else float("nan")


def class_gap(one, other, latents_apart):
    """How far images of the same latents and of two classes are apart, against those of other latents and one class."""
    gap = np.linalg.norm(flat(one) - flat(other), axis=1).mean()
    return float(gap / latents_apart) if latents_apart > 0 else float("nan")
