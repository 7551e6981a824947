"""Metrics against the reference packages on the same features, and against answers by hand."""

import contextlib
import io
import warnings

import numpy as np
import pytest

from kgan import data, metrics
from tests import references

draw = np.random.default_rng(0)


def some(n, d, shift=0.0):
    mixed = draw.normal(size=(n, d)) @ (draw.normal(size=(d, d)) / np.sqrt(d))
    return np.maximum(mixed + shift, 0.0)  # as after a ReLU


SETS = {
    "2000 x 64": (some(2000, 64), some(1500, 64, 0.1)),
    "500 x 128": (some(500, 128), some(400, 128, 0.1)),
    "singular, 40 x 64": (some(40, 64), some(40, 64, 0.1)),
}
SETS |= {f"identical, {name}": (real, real.copy()) for name, (real, _) in SETS.items()}
SETS |= {
    f"collapsed, {name}": (real, np.repeat(generated[:1], len(generated), axis=0))
    for name, (real, generated) in list(SETS.items())[:3]
}
on_all = pytest.mark.parametrize("name", SETS)


@on_all
def test_frechet_distance_is_that_of_torch_fidelity(name):
    torch, fidelity = pytest.importorskip("torch"), references.torch_fidelity()
    real, generated = SETS[name]
    of = [fidelity.metric_fid.fid_features_to_statistics(torch.from_numpy(one)) for one in (generated, real)]
    expected = fidelity.metric_fid.fid_statistics_to_metric(*of, verbose=False)["frechet_inception_distance"]
    np.testing.assert_allclose(metrics.frechet_distance(real, generated), expected, rtol=1e-6, atol=1e-6)


def test_frechet_distance_is_that_of_torchmetrics():
    torch = pytest.importorskip("torch")
    references.torch_fidelity()  # which torchmetrics imports
    image = pytest.importorskip("torchmetrics.image.fid")
    real, generated = SETS["2000 x 64"]

    class Same(torch.nn.Module):
        num_features = real.shape[1]

        def forward(self, features):
            return features

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        measure = image.FrechetInceptionDistance(feature=Same(), normalize=True).set_dtype(torch.float64)
        measure.inception.num_features = real.shape[1]
        measure.update(torch.from_numpy(real), real=True)
        measure.update(torch.from_numpy(generated), real=False)
        expected = float(measure.compute())
    assert metrics.frechet_distance(real, generated) == pytest.approx(expected, rel=1e-6)


@on_all
@pytest.mark.parametrize("subsets, size", [(100, 300), (20, 30), (1, None)])
def test_kernel_distance_is_that_of_torch_fidelity(name, subsets, size):
    torch, fidelity = pytest.importorskip("torch"), references.torch_fidelity()
    real, generated = SETS[name]
    size = min(size or 10**9, len(real), len(generated))
    found = fidelity.metric_kid.kid_features_to_metric(
        torch.from_numpy(generated),
        torch.from_numpy(real),
        kid_subsets=subsets,
        kid_subset_size=size,
        rng_seed=2020,
        verbose=False,
    )
    expected = found["kernel_inception_distance_mean"], found["kernel_inception_distance_std"]
    np.testing.assert_allclose(metrics.kernel_distance(real, generated, subsets, size), expected, rtol=1e-6, atol=1e-9)


@on_all
def test_inception_score_is_that_of_torch_fidelity(name):
    torch, fidelity = pytest.importorskip("torch"), references.torch_fidelity()
    logits = 5 * SETS[name][1]
    found = fidelity.metric_isc.isc_features_to_metric(torch.from_numpy(logits), shuffle=False)
    expected = found["inception_score_mean"], found["inception_score_std"]
    np.testing.assert_allclose(metrics.inception_score(logits), expected, rtol=1e-6, atol=1e-9)


@on_all
def test_precision_and_recall_are_those_of_torch_fidelity(name):
    torch, fidelity = pytest.importorskip("torch"), references.torch_fidelity()
    real, generated = SETS[name]
    found = fidelity.metric_prc.prc_features_to_metric(
        torch.from_numpy(generated), torch.from_numpy(real), verbose=False
    )
    precision, recall = metrics.precision_recall(real, generated)
    assert round(precision * len(generated)) == round(found["precision"] * len(generated))
    assert round(recall * len(real)) == round(found["recall"] * len(real))


@on_all
def test_precision_recall_density_coverage_are_those_of_prdc(name):
    prdc = pytest.importorskip("prdc")
    real, generated = SETS[name]
    with contextlib.redirect_stdout(io.StringIO()):
        found = prdc.compute_prdc(real, generated, nearest_k=5)
    expected = [found[key] for key in ("precision", "recall", "density", "coverage")]
    measured = [
        *metrics.precision_recall(real, generated, k=5, strict=True),
        *metrics.density_coverage(real, generated, k=5),
    ]
    np.testing.assert_allclose(measured, expected, rtol=1e-12)


def test_collapsed_duplicates_lie_on_balls_of_radius_zero():
    same = np.repeat(some(1, 16), 50, axis=0)
    strict = *metrics.precision_recall(same, same, 5, True), *metrics.density_coverage(same, same, 5, True)
    loose = *metrics.precision_recall(same, same, 5, False), *metrics.density_coverage(same, same, 5, False)
    assert strict == (0, 0, 0, 0)
    assert loose == (1, 1, 10, 1)  # each lies in all 50 balls, 10 k


def test_balls_do_not_depend_on_how_the_distances_are_cut_into_blocks(monkeypatch):
    real, generated = (one[:120] for one in SETS["500 x 128"])
    whole = metrics.precision_recall(real, generated), metrics.density_coverage(real, generated)
    monkeypatch.setattr("kgan.metrics.distances.BLOCK", 7)
    assert (metrics.precision_recall(real, generated), metrics.density_coverage(real, generated)) == whole
    known = metrics.radii(real, 3), metrics.radii(real, 5)
    assert metrics.precision_recall(real, generated, known_radii=known[0]) == whole[0]
    assert metrics.density_coverage(real, generated, known_radii=known[1]) == whole[1]
    index, distance = metrics.nearest(generated[:20], real)
    all_distances = np.linalg.norm(generated[:20, None] - real[None], axis=2)
    assert (index == all_distances.argmin(1)).all()
    np.testing.assert_allclose(distance, all_distances.min(1), rtol=1e-9)


def lattice(seed, n):
    """Points whose distances often are equal, and many of which are there twice."""
    return np.random.default_rng(seed).integers(0, 4, size=(n, 4)).astype("float64")


def nearly_equal(seed, n):
    """Points around one in the middle, from which float32 cannot tell which is nearest."""
    draw = np.random.default_rng(seed).normal(size=(n, 300))
    draw *= (1 + 1e-9 * np.arange(n)[:, None]) / np.linalg.norm(draw, axis=1, keepdims=True)
    return np.concatenate([np.zeros((1, 300)), draw])


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
@pytest.mark.parametrize("make", [lattice, nearly_equal])
def test_what_float32_cannot_tell_is_decided_in_float64(make, scale, strict, monkeypatch):
    monkeypatch.setattr("kgan.metrics.distances.BLOCK", 50)
    real, generated = make(0, 120), make(1, 110)
    within, between = (((real[:, None] - other) ** 2).sum(-1) for other in (real, generated))
    np.fill_diagonal(within, np.inf)
    radii = np.sort(within, axis=1)[:, 2]
    # equal but for rounding, in an order that does not matter here, is equal
    inside = between < radii[:, None] * (1 - 1e-12) if strict else between <= radii[:, None] * (1 + 1e-12)
    density, coverage = metrics.density_coverage(scale * real, scale * generated, k=3, strict=strict)
    assert (density, coverage) == (inside.sum(0).mean() / 3, inside.any(1).mean())
    precision, _ = metrics.precision_recall(scale * real, scale * generated, k=3, strict=strict)
    assert precision == inside.any(0).mean()
    np.testing.assert_allclose(metrics.radii(scale * real, 3), scale * np.sqrt(radii), rtol=1e-12)


def test_a_point_far_away_changes_nothing_for_the_others():
    draw = np.random.default_rng(1)
    real, generated = draw.normal(size=(200, 2)), draw.normal(2.0, 1.0, size=(200, 2))
    generated[0] = 1e7
    between = np.linalg.norm(real[:, None] - generated[None], axis=2)
    within = np.sort(np.linalg.norm(real[:, None] - real[None], axis=2), axis=1)[:, 3]
    precision, _ = metrics.precision_recall(real, generated)
    assert precision == pytest.approx((between <= within[:, None]).any(0).mean(), abs=1e-12)


@pytest.mark.parametrize("std", [1e-4, 1e-6, 1e-9])
def test_equal_distances_are_equal_however_small_beside_the_others(std, monkeypatch):
    """Copies of points in tight groups: each lies just on the balls whose radius is its distance."""
    monkeypatch.setattr("kgan.metrics.distances.BLOCK", 75)
    real, _ = data.ring(samples=300, std=std)

    def by_hand(real, generated):
        within, between = (((real[:, None] - others) ** 2).sum(-1) for others in (real, generated))
        radii = np.sort(within, axis=1)[:, 5]  # the first is the row itself
        inside = between < radii[:, None] * (1 - 1e-12)
        return inside.sum() / len(generated) / 5, inside.any(1).mean()

    assert metrics.density_coverage(real, real.copy()) == by_hand(real, real)
    far = np.concatenate([real, [[1e6, 0.0]]])  # nor does one point far away change the others
    assert metrics.density_coverage(far, real) == by_hand(far, real)


def test_large_subsets_are_held_block_by_block(monkeypatch):
    real, generated = (np.random.default_rng(seed).normal(size=(60, 5)) for seed in (0, 1))
    whole = metrics.kernel_distance(real, generated, subsets=3, subset_size=20)
    monkeypatch.setattr("kgan.metrics.kernel.LARGEST", 10)
    monkeypatch.setattr("kgan.metrics.kernel.BLOCK", 7)
    assert metrics.kernel_distance(real, generated, subsets=3, subset_size=20) == pytest.approx(whole, rel=1e-12)


def test_answers_by_hand():
    # one dimension: means 0 and 2, variances 2 and 8 (ddof 1): 4 + 2 + 8 - 2 sqrt(16)
    assert metrics.frechet_distance(np.array([[-1.0], [1.0]]), np.array([[0.0], [4.0]])) == pytest.approx(6.0)
    # kernel (x y + 1)^3 of {0, 1} and {1, 2}: k(0, 1) = 1; k(1, 2) = 27; over all pairs 1 + 1 + 8 + 27
    mean, std = metrics.kernel_distance(np.array([[0.0], [1.0]]), np.array([[1.0], [2.0]]), subsets=1, subset_size=2)
    assert (mean, std) == (pytest.approx(1 + 27 - 2 * 37 / 4), 0.0)
    # two splits: one class alone scores 1, two classes surely 2
    logits = np.array([[99.0, 0.0], [99.0, 0.0], [99.0, 0.0], [0.0, 99.0]])
    assert metrics.inception_score(logits, splits=2) == (pytest.approx(1.5), pytest.approx(0.5))
    assert metrics.mode_coverage(np.repeat(np.arange(1000), 26), 1000) == (1000, 0.0)
    assert metrics.mode_coverage(np.array([7] * 5), 1000) == (1, pytest.approx(np.log(1000)))
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    points = np.array([[0.0, 2.9], [0.0, 3.1], [10.0, 0.0], [13.0, 0.0]])
    assert metrics.gaussian_modes(points, centres, std=1.0) == (2, 0.75)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda a: metrics.frechet_distance(a, a[:, :1]), "features of one extractor, of the same length"),
        (lambda a: metrics.frechet_distance(a, a[:1]), "`generated` must be an array of numbers"),
        (lambda a: metrics.frechet_distance(a[0], a), "`real` must be an array of numbers"),
        (lambda a: metrics.frechet_distance(a, a * np.nan), "`generated` must hold finite numbers"),
        (lambda a: metrics.kernel_distance(a, a, subsets=0), "`subsets` must be an integer >= 1"),
        (lambda a: metrics.kernel_distance(a, a, subset_size=1), "`subset_size` must be at least 2"),
        (lambda a: metrics.inception_score(a, splits=7), "`splits` must be at most 6"),
        (lambda a: metrics.precision_recall(a, a, k=6), "`k` must be at most 5"),
        (lambda a: metrics.density_coverage(a, a, k=True), "`k` must be an integer >= 1"),
        (lambda a: metrics.mode_coverage(np.array([3]), 3), "`modes` must be integers"),
        (lambda a: metrics.gaussian_modes(a, a, std=0.0), "`std` must be above 0"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call(np.arange(12.0).reshape(6, 2))
