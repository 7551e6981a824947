"""Scores: what they are measured with, when they may be compared, and which fault each metric sees."""

import dataclasses
import functools
import json
import pathlib

import keras
import numpy as np
import pytest

import kgan
from kgan import data, scores
from kgan.callbacks import Checkpoint, Score
from tests import spoilt
from tests.helpers import KilledError, Steps, compiled, largest_difference, reusable, state


@pytest.fixture(scope="module")
def scorer(digits):
    return scores.Scorer(*digits, name="digits")


def values(scorer, images):
    """Without their intervals, which would take longest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kgan.scores.scorer.HALVES", 2)
        return {score.metric: score.value for score in scorer(images, scorer.suitable)}


def test_a_record_says_everything_it_depends_on(scorer, digits, tmp_path):
    [score] = scorer(digits[0][:500], "frechet_distance", seed=3, where={"step": 7})
    scores.append(tmp_path / "scores.jsonl", [score])
    row = json.loads((tmp_path / "scores.jsonl").read_text())
    assert {"metric", "value", "interval", "extractor", "weights", "resize", "split", "seed", "versions"} <= row.keys()
    assert (row["n_real"], row["n_generated"], row["seed"], row["where"]) == (1797, 500, 3, {"step": 7})
    assert row["versions"].keys() == {"kgan", "keras", "numpy", keras.backend.backend()}
    assert row["interval"][0] < row["value"] < row["interval"][1]
    assert scores.read(tmp_path / "scores.jsonl") == [score]
    with (tmp_path / "scores.jsonl").open("a") as file:
        file.write('{"metric": "frechet')  # the disk was full
    scores.append(tmp_path / "scores.jsonl", [score])
    assert scores.read(tmp_path / "scores.jsonl")[-2:] == [score, score]
    (tmp_path / "scores.jsonl").write_text("{}\n")
    with pytest.raises(ValueError, match="scores.jsonl, line 1, is not a score"):
        scores.read(tmp_path / "scores.jsonl")


@pytest.mark.parametrize(
    "change, said",
    [
        ({"n_generated": 400}, "n_generated: 500 against 400"),
        ({"extractor": "raw"}, "extractor: classifier against raw"),
        ({"weights": "abc"}, "weights: .{8} against abc"),
        ({"data": "f" * 64, "name": "mnist"}, r"data: digits \(.{8}\) against mnist \(ffffffff\)"),
        ({"seed": 1}, "seed: 0 against 1"),
        ({"split": "test"}, "split: train against test"),
        ({"resize": "half"}, "resize: none against half"),
        ({"metric": "recall"}, "metric: frechet_distance against recall"),
        ({"arguments": {"k": 5}}, "arguments: k absent against k 5"),
        ({"versions": {}}, "versions: .*keras 3.* against .*keras absent"),
    ],
)
def test_unlike_scores_are_not_compared(scorer, digits, change, said):
    [score] = scorer(digits[0][:500], "frechet_distance", seed=0)
    other = dataclasses.replace(score, **change)
    with pytest.raises(scores.UnlikeScoresError, match=said):
        scores.difference(score, other)
    assert scores.difference(score, dataclasses.replace(score, value=1.0, where={"epoch": 3})) == score.value - 1.0


def test_only_the_fid_inception_gives_a_fid(scorer, digits):
    [score] = scorer(digits[0][:40], "frechet_distance")
    assert score.title == "frechet distance" and str(score).startswith("frechet distance ")
    assert dataclasses.replace(score, extractor="fid_inception", weights="6726825d00").title == "FID"
    assert dataclasses.replace(score, extractor="fid_inception", weights="0").title == "frechet distance"
    assert dataclasses.replace(score, extractor="inception_v3").title == "frechet distance"
    assert "40 generated and 1,797 real images of digits (train), seen with classifier " in score.seen_with


def test_the_interval_is_as_wide_as_samples_differ(digits):
    """Twice the standard deviation between independent samples, within the error of estimating it."""
    draw = np.random.default_rng(0)
    points = draw.normal(size=(5000, 4))
    scorer = scores.Scorer(points, name="normal")
    found = [scorer(draw.normal(0.3, 1.0, size=(400, 4)), "frechet_distance")[0] for _ in range(40)]
    spread = np.std([score.value for score in found], ddof=1)
    widths = [score.interval[1] - score.value for score in found]
    assert 0.75 < np.mean(widths) / (2 * spread) < 1.33


@pytest.fixture(scope="module")
def courses(digits, scorer):
    """From a fault to all metrics at each of its steps, measured when it is first asked for."""
    faults = spoilt.digits(*digits)
    return functools.cache(lambda fault: [values(scorer, images) for images in faults[fault]])


SEES = {  # the metrics that must get worse at every step
    "noise": ["frechet_distance", "kernel_distance", "precision", "density", "coverage"],
    "blur": ["frechet_distance", "kernel_distance"],
    "missing classes": ["frechet_distance", "kernel_distance", "inception_score", "recall", "coverage", "modes"],
    "copies of one image": ["frechet_distance", "kernel_distance", "inception_score", "recall", "coverage"],
}


@pytest.mark.longer
@pytest.mark.parametrize("fault", SEES)
def test_a_spoilt_generator_scores_worse(fault, courses):
    better = {name: way for one in scores.MEASURES.values() for name, way in zip(one.names, one.better, strict=True)}
    for metric in SEES[fault]:
        course = [row[metric] if better[metric] == "min" else -row[metric] for row in courses(fault)]
        assert course == sorted(course) and course[0] < course[-1], (metric, course)


def test_the_table_in_the_docs_says_what_its_numbers_say():
    better = {name: way for one in scores.MEASURES.values() for name, way in zip(one.names, one.better, strict=True)}
    table = pathlib.Path(__file__).parent.parent / "docs" / "what_metrics_see.md"
    seen: dict[str, list[str]] = {}
    for line in table.read_text().splitlines():
        name, *cells = [cell.strip() for cell in line.split("|")[1:-1]] or [""]
        if cells and cells[-1] == "sees it":
            seen[name], fault = [], name
        elif cells and name.strip("-"):
            metric = name.replace(" ", "_")
            course = [float(cell) * (1 if better[metric] == "min" else -1) for cell in cells[:-1]]
            sees = course == sorted(course) and course[0] < course[-1]
            assert cells[-1] == ("**yes**" if sees else "no"), line
            seen[fault] += [metric] * sees
    assert all(set(SEES[fault]) <= set(seen[fault]) for fault in SEES)


def test_what_no_metric_of_one_kind_sees(courses):
    """Precision does not see lost classes: that is why recall stands beside it."""
    assert min(row["precision"] for row in courses("missing classes")) > 0.95


def test_modes_are_counted_among_the_classes_that_there_are(digits, scorer):
    """Labels need not begin at 0, and not all classes need be among the real images compared with."""
    images, labels = digits
    odd = labels % 2 == 1
    few = scores.Scorer(images[odd], labels[odd] * 10 - 7, scorer.extractor, real=20)
    modes, divergence = few(images[odd], "mode_coverage")
    assert 5 <= modes.value <= 7 and divergence.value == pytest.approx(np.log(2), abs=0.1)  # half of ten classes


def test_points_have_modes():
    points, labels = data.ring(samples=4000)
    scorer = scores.Scorer(points, labels, name="ring")
    assert scorer.suitable[-1] == "gaussian_modes"
    modes, near = scorer(points[labels < 5], "gaussian_modes")
    assert (modes.value, modes.interval) == (5, (5, 5)) and near.value == pytest.approx(0.989, abs=0.005)


def test_intervals_stay_where_a_metric_can_lie(digits):
    images = digits[0]
    scorer = scores.Scorer(images, digits[1], extractor="raw")
    for score in scorer(images[:200], ["frechet_distance", "precision_recall", "density_coverage"]):
        assert 0 <= score.interval[0] <= score.value <= score.interval[1]
        assert score.metric in ("frechet_distance", "density") or score.interval[1] <= 1
    [precision, _] = scorer(images[:200], "precision_recall")
    assert precision.value == 1 == precision.interval[1]


def test_images_of_another_size_are_resized_and_the_score_says_so(scorer, digits):
    large = digits[0].repeat(2, axis=1).repeat(2, axis=2).repeat(3, axis=3)
    [score] = scorer(large, "frechet_distance")
    assert score.resize == "none; generated images: bilinear, antialiased, 16 x 16 to 8 x 8, grey by ITU-R 601"
    [same] = scorer(digits[0], "frechet_distance")
    assert same.resize == "none" and same.value < 1 < score.value
    with pytest.raises(scores.UnlikeScoresError, match="resize: none against none; generated images: bilinear"):
        scores.difference(same, score)
    with pytest.raises(ValueError, match="as the real ones have, are needed"):
        scores.Scorer(digits[0], extractor="raw")(large, "frechet_distance")


def test_raw_values_are_those_of_a_picture(digits):
    floats = digits[0][:100] / np.float32(127.5) - 1
    scorer = scores.Scorer(digits[0], extractor="raw")
    exact, moved = (scorer(images, "frechet_distance")[0].value for images in (floats, np.clip(floats + 0.001, -1, 1)))
    assert exact == moved


def test_wrong_scores(scorer, digits):
    with pytest.raises(ValueError, match="Unknown metric 'precison'. Did you mean 'precision_recall'"):
        scorer(digits[0], "precison")
    with pytest.raises(
        ValueError, match="'gaussian_modes' is not defined for these data and the extractor 'classifier'"
    ):
        scorer(digits[0], "gaussian_modes")
    with pytest.raises(ValueError, match="At least 20 generated examples of shape"):
        scorer(digits[0][:19], "frechet_distance")
    for wrong in (digits[0][:50].astype("float32"), digits[0][:50].astype("int64"), np.full((50, 8, 8, 1), np.nan)):
        with pytest.raises(
            ValueError, match=r"must be uint8 in \[0, 255\] or finite floats in \[-1, 1\]|must be finite"
        ):
            scorer(wrong, "frechet_distance")
    with pytest.raises(ValueError, match="At least 20 real images are needed"):
        scores.Scorer(digits[0][:5])


def new():
    keras.utils.set_random_seed(7)
    return compiled(ema=0.9)


used_again = reusable(new)


def fit(callbacks, images, epochs=4, make=used_again, **kwargs):
    gan = make()
    return gan, gan.fit(images, batch_size=100, epochs=epochs, verbose=0, callbacks=callbacks, **kwargs)


@pytest.fixture(scope="module")
def few(digits):
    return digits[0][:400] / np.float32(127.5) - 1


def raw(path, **kwargs):
    return Score(path=path / "scores.jsonl", extractor="raw", samples=50, **kwargs)


def test_scores_enter_the_logs_the_file_and_the_picture(few, tmp_path):
    score = raw(tmp_path, metric=["frechet_distance", "precision_recall"], every=2)
    keeper = Checkpoint(tmp_path / "checkpoints", every=99, keep=1, monitor="frechet_distance")
    stopper = keras.callbacks.EarlyStopping("frechet_distance", mode="min", patience=99)
    gan, history = fit([stopper, keeper, score], few)  # a warning, of EarlyStopping between scores, would be an error
    rows = scores.read(tmp_path / "scores.jsonl")
    assert [(row.metric, row.where["epoch"], row.where["step"]) for row in rows] == [
        (metric, epoch, 4 * epoch) for epoch in (2, 4) for metric in ("frechet_distance", "precision", "recall")
    ]
    distances = [row.value for row in rows if row.metric == "frechet_distance"]
    assert history.history["frechet_distance"] == distances
    assert stopper.best == keeper.best == min(distances)
    assert (tmp_path / "checkpoints" / f"epoch-{2 + 2 * distances.index(min(distances)):04d}").is_dir()
    assert (tmp_path / "scores.png").stat().st_size > 1000
    expected = scores.Scorer(few, extractor="raw")(gan.generate(50, seed=0), "frechet_distance")[0]
    assert distances[-1] == expected.value  # of the averaged generator


def test_scoring_leaves_the_training_as_it_is(few, tmp_path):
    with_scores, _ = fit([raw(tmp_path, every="3 steps")], few, make=new)
    without, _ = fit([], few, make=new)
    assert largest_difference(state(with_scores), state(without)) == 0.0


def test_a_short_training_is_scored_at_its_end(few, tmp_path):
    score = raw(tmp_path)  # every 1000 steps
    _, history = fit([score], few)
    assert len(history.history["frechet_distance"]) == 1 and score.latest()[0].where["step"] == 16


def test_the_best_checkpoint_is_that_of_the_scored_step(few, tmp_path):
    score = raw(tmp_path, every="3 steps")
    keeper = Checkpoint(tmp_path / "checkpoints", every=99, keep=1, monitor="frechet_distance", mode="max")
    _, history = fit([keeper, score], few)  # four steps an epoch
    by_step = {one.where["step"]: one.value for one in scores.read(score.path)}
    best = max(by_step, key=by_step.get)
    assert keeper.best == by_step[best] and keeper.best_name == (
        f"step-{best:06d}" if best % 4 else f"epoch-{best // 4:04d}"
    )
    again = kgan.load(tmp_path / "checkpoints" / keeper.best_name)
    assert scores.Scorer(few, extractor="raw")(again.generate(50, seed=0), "frechet_distance")[0].value == keeper.best


@pytest.mark.longer
def test_a_score_at_the_end_of_a_training_that_is_stopped_reaches_the_logs(few, tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    keeper = Checkpoint(tmp_path / "checkpoints", every=99, keep=1, monitor="frechet_distance")
    _, history = fit([Stop(), raw(tmp_path), keeper], few, make=new)
    [score] = scores.read(tmp_path / "scores.jsonl")
    assert history.history["frechet_distance"] == [score.value] and score.where["step"] == 2
    assert (keeper.best, keeper.best_name) == (score.value, "step-000002") and remembered(keeper)["best"] == keeper.best
    # and what was saved goes on as if it had never been stopped
    again = Checkpoint(tmp_path / "checkpoints", every=99, monitor="frechet_distance", resume=True)
    gone_on, history = fit([raw(tmp_path), again, rest := Steps()], few, make=new)
    assert rest.done == 14
    whole, expected = fit([raw(tmp_path / "whole"), Checkpoint(tmp_path / "whole", every=99)], few, make=new)
    assert largest_difference(state(gone_on), state(whole)) == 0.0
    assert history.history["d_loss"] == expected.history["d_loss"] and history.epoch == [0, 1, 2, 3]


def remembered(keeper, name=None):
    """What a checkpoint says of the Checkpoint that wrote it; the best one by default."""
    state = json.loads((keeper.directory / (name or keeper.best_name) / "state.json").read_text())
    [own] = [one["state"] for one in state["callbacks"] if one["class"] == "Checkpoint"]
    return own


def test_each_checkpoint_knows_the_best_until_then(few, tmp_path):
    """So that a training that is killed right after it goes on with that one."""
    score = raw(tmp_path, every="3 steps")
    keeper = Checkpoint(tmp_path / "checkpoints", every="3 steps", keep=None, monitor="frechet_distance")
    fit([keeper, score], few)
    by_step = {one.where["step"]: one.value for one in scores.read(score.path)}
    for step in (3, 6, 9, 15):
        best = min(value for at, value in by_step.items() if at <= step)
        assert remembered(keeper, f"step-{step:06d}")["best"] == best


def test_steps_are_counted_from_the_beginning(few, tmp_path):
    fit([raw(tmp_path, every=1)], few, initial_epoch=2)
    assert [one.where["step"] for one in scores.read(tmp_path / "scores.jsonl")] == [12, 16]


def test_two_scores_cannot_write_one_file(few, tmp_path):
    with pytest.raises(ValueError, match="Two callbacks write their scores to .*; give each a `path` of its own"):
        fit([raw(tmp_path), raw(tmp_path, every=1)], few)


@pytest.mark.longer
def test_scores_go_on_where_a_training_goes_on(few, tmp_path):
    def train(folder, steps):
        score = raw(tmp_path / folder, every="3 steps")
        saver = Checkpoint(tmp_path / folder / "checkpoints", every="8 steps", resume=True)
        _, history = fit([score, saver, steps], few)
        found = scores.read(tmp_path / folder / "scores.jsonl")
        return history.history["frechet_distance"], [(one.where["step"], one.value) for one in found]

    whole = train("whole", Steps())
    with pytest.raises(KilledError):
        train("parts", Steps(kill_at=11))  # step 9 was scored after the checkpoint of step 8
    assert [one.where["step"] for one in scores.read(tmp_path / "parts" / "scores.jsonl")] == [3, 6, 9]
    assert train("parts", rest := Steps()) == whole and rest.done == 8
    assert [step for step, _ in whole[1]] == [3, 6, 9, 12, 15, 16]


@pytest.mark.longer
@pytest.mark.parametrize("kind", ["array", "pair", "batches", "dataset", "of its own"])
def test_real_images_come_from_what_fit_was_given(kind, few, digits, tmp_path):
    labels = digits[1][:400]
    feed = {
        "array": few,
        "pair": few,
        "batches": data.Batches(few, 100, labels=labels),
        "dataset": data.Batches(few, 100),
        "of its own": few[:100],
    }[kind]
    if kind == "dataset":

        class Plain(keras.utils.PyDataset):
            def __len__(self):
                return 4

            def __getitem__(self, index):
                return few[100 * index : 100 * index + 100], labels[100 * index : 100 * index + 100]

        feed = Plain()
    score = raw(tmp_path, every=1, data=few[:100] if kind == "of its own" else None)
    gan = compiled()
    arguments = {"batch_size": 100} if isinstance(feed, np.ndarray) else {}
    gan.fit(feed, labels if kind == "pair" else None, epochs=1, verbose=0, callbacks=[score], **arguments)
    found = scores.read(tmp_path / "scores.jsonl")[0]
    expected = few[:100] if kind == "of its own" else few
    assert (found.n_real, score.scorer.real.features.shape) == (len(expected), (len(expected), 64))
    assert np.allclose(np.sort(score.scorer.real.features.sum(1)), np.sort(expected.sum((1, 2, 3))), atol=0.3)
    assert (score.scorer.real.modes is None) == (kind in ("array", "of its own"))


def test_a_generator_of_no_numbers_is_not_scored(few, tmp_path):
    """What becomes of the training is Checkpoint's matter."""
    keras.utils.set_random_seed(7)
    gan = compiled()
    gan.generator.layers[0].kernel.assign(np.full(gan.generator.layers[0].kernel.shape, np.nan))
    saver = Checkpoint(tmp_path / "checkpoints", nonfinite="raise")
    with pytest.raises(FloatingPointError, match="is not finite"):
        gan.fit(few, batch_size=100, epochs=1, verbose=0, callbacks=[raw(tmp_path, every="1 steps"), saver])
    assert not (tmp_path / "scores.jsonl").exists()


def test_a_stream_is_not_eaten(few, tmp_path):
    gan = compiled()
    with pytest.raises(ValueError, match="Score needs real images that can be read twice"):
        gan.fit(
            ((few[:100],) for _ in range(4)), steps_per_epoch=4, shuffle=False, verbose=0, callbacks=[raw(tmp_path)]
        )


def test_the_best_precision_is_the_highest(few, tmp_path):
    keeper = Checkpoint(tmp_path / "checkpoints", every=99, keep=1, monitor="precision")
    _, history = fit([keeper, raw(tmp_path, metric="precision_recall", every=1)], few)
    assert keeper.best == max(history.history["precision"])


@pytest.mark.longer
def test_scores_of_a_class_are_watched_too(digits, tmp_path):
    images, labels = digits[0][:400] / np.float32(127.5) - 1, digits[1][:400]
    gan = kgan.GAN(
        kgan.architectures.dense.generator((8, 8, 1), 8, units=[16], num_classes=10),
        kgan.architectures.dense.discriminator((8, 8, 1), units=[16], num_classes=10),
        latent_dim=8,
        num_classes=10,
    )
    gan.compile("adam", "adam")
    score = raw(tmp_path, metric="precision_recall", every=2, per_class=True)
    score.samples = 300
    keeper = Checkpoint(tmp_path / "checkpoints", every=99, keep=1, monitor="precision_class_3")
    history = gan.fit(images, labels, batch_size=100, epochs=4, verbose=0, callbacks=[score, keeper]).history
    assert keeper.best == max(history["precision_class_3"]) and len(history["recall_class_9"]) == 2
    few = Score(path=tmp_path / "few.jsonl", extractor="raw", samples=50, per_class=True)
    with pytest.raises(ValueError, match="At least 20 generated images of class 5 are needed .* There are: 4 of 50"):
        gan.fit(images, labels, batch_size=100, verbose=0, callbacks=[few])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"metric": "fid"}, "Unknown metric 'fid'"),
        ({"metric": []}, "`metric` of Score must name metrics"),
        ({"metric": ["mode_coverage", "gaussian_modes"]}, "each of its values once"),
        ({"samples": 3}, "`samples` of Score must be an integer >= 20"),
        ({"every": "often"}, "`every` of Score must be"),
        ({"seed": -1}, "`seed` of Score must be an integer >= 0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Score(**arguments)
