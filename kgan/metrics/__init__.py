"""Metrics on features, and on pairs of images, with the same values as the reference packages."""

from kgan.metrics.frechet import frechet_distance
from kgan.metrics.inception_score import inception_score
from kgan.metrics.kernel import kernel_distance
from kgan.metrics.modes import gaussian_modes, mode_coverage
from kgan.metrics.neighbours import density_coverage, nearest, precision_recall, radii
from kgan.metrics.pairs import colorfulness, l1, partner_rank, psnr, sharpness, ssim

__all__ = [
    "colorfulness",
    "density_coverage",
    "frechet_distance",
    "gaussian_modes",
    "inception_score",
    "kernel_distance",
    "l1",
    "mode_coverage",
    "nearest",
    "partner_rank",
    "precision_recall",
    "psnr",
    "radii",
    "sharpness",
    "ssim",
]
