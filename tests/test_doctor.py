"""The doctor: what it measures by hand-computed values, its rules one by one, and that it changes nothing."""

import json
import re

import keras
import numpy as np
import pytest
import yaml

import kgan
from kgan.doctor import BEFORE, RULES, VALUES, Finding, History, Rule, before, finding, history, vitals
from kgan.rules import NAMED

RANDOM = np.random.default_rng(0)


def images(count, side=16, channels=1):
    return np.tanh(RANDOM.normal(size=(count, side, side, channels))).astype("float32")


def test_spread_is_a_share_of_that_of_real_images():
    real = np.array([[0.0, 0.0], [3.0, 4.0]])  # 5 apart
    assert vitals.spread(np.array([[1.0, 0.0], [2.0, 0.0]]), real) == pytest.approx(0.2)
    assert vitals.spread(np.ones((4, 2)), real) == 0.0


def test_spread_compares_images_of_one_class():
    """Two classes far apart do not hide that all images of a class are the same."""
    labels = np.array([0, 0, 1, 1])
    real = np.array([[0.0], [2.0], [10.0], [12.0]])
    fake = np.array([[1.0], [1.0], [11.0], [11.0]])
    assert vitals.spread(fake, real) > 0.5
    assert vitals.spread(fake, real, labels, labels) == 0.0


def test_duplicates_are_nearer_than_any_two_real_images():
    real = np.array([[0.0], [1.0], [2.0], [3.0]])
    fake = np.array([[0.0], [0.1], [5.0], [5.7]])
    assert vitals.duplicates(fake, real) == 0.5  # the first two; half of 1 is the limit
    assert vitals.duplicates(real, real) == 0.0


def test_saturated_and_still_values():
    one = np.array([[[[1.0], [-1.0]], [[0.0], [0.5]]]])
    assert vitals.saturated(one) == 0.5
    assert vitals.still(np.concatenate([one, one])) == 1.0
    other = one.copy()
    other[0, 0, 0, 0] = 0.0
    assert vitals.still(np.concatenate([one, other])) == 0.75


def test_the_energy_of_a_checkerboard():
    rows, columns = np.indices((16, 16))
    board = ((rows + columns) % 2 * 2.0 - 1.0)[None, ..., None]
    wave = np.sin(2 * np.pi * columns / 16)[None, ..., None]
    assert vitals.checkerboard(board) == pytest.approx(1.0)
    assert vitals.checkerboard(wave) == pytest.approx(0.0, abs=1e-12)
    assert vitals.checkerboard(board + wave) == pytest.approx(2 / 3)  # energies 1 and 1/2
    assert np.isnan(vitals.checkerboard(np.zeros((3, 2))))


def test_copies_lie_nearer_to_real_images_than_these_to_each_other():
    seen = np.arange(10.0)[:, None]
    assert vitals.copied(seen[:4] + 0.25, seen[:5], seen) == pytest.approx(0.25)
    assert vitals.copied(seen[:4] + 20.0, seen[:5], seen) > 1


def test_a_loss_that_swings():
    assert history.swing([1.0, 3.0] * 4) == pytest.approx(1.0)  # 2 up and down around 2
    assert history.swing(np.arange(1.0, 9.0)) == 0.0
    assert np.isnan(history.swing([1.0, 3.0]))


def test_a_rule_needs_all_conditions_so_often_one_after_the_other():
    rule = Rule("ill", "error", (("a", ">", 1.0), ("b", "<", 0.0)), 2, "a is {a:.1f}", ("c=1",), "source", after=10)
    seen = History([rule])
    ill = {"epoch": 1, "a": 2.0, "b": -1.0}
    assert not seen.add({**ill, "step": 9})  # too early
    assert not seen.add({**ill, "step": 11})
    assert not seen.add({**ill, "step": 12, "b": 1.0})
    assert not seen.add({**ill, "step": 13})
    [found] = seen.add({**ill, "step": 14, "a": 3.0})
    assert (found.id, found.level, found.epoch, found.step) == ("ill", "error", 1, 14)
    assert found.numbers == {"a": 3.0, "b": -1.0} and found.sentence == "a is 3.0"
    assert not seen.add({**ill, "step": 15})  # said once
    assert seen.findings == [found]


def test_a_generator_that_is_seldom_updated_has_hardly_begun():
    """After 600 steps with five of the critic for each of its own, images that differ little are not yet a collapse."""
    seen = History()
    for step in (300, 400, 600):
        assert not seen.add({"epoch": 1, "step": step, "g_updates": step / 5, "spread": 0.08})
    assert not seen.add({"epoch": 1, "step": 1000, "g_updates": 200, "spread": 0.08})
    assert [one.id for one in seen.add({"epoch": 1, "step": 1300, "g_updates": 260, "spread": 0.08})] == ["collapse"]


def test_a_rule_does_not_apply_where_a_value_is_not_known():
    seen = History([Rule("ill", "info", (("a", ">", 1.0),), 1, "", (), "")])
    assert not seen.add({"epoch": 1, "step": 1})
    assert not seen.add({"epoch": 1, "step": 2, "a": float("nan")})


def test_a_rule_passes_over_visits_without_its_values():
    """Scores are measured in some epochs, images in others."""
    seen = History([Rule("ill", "info", (("a", ">", 1.0),), 2, "", (), "")])
    assert not seen.add({"epoch": 1, "step": 1, "a": 2.0})
    assert not seen.add({"epoch": 1, "step": 2, "b": 0.0})
    [found] = seen.add({"epoch": 1, "step": 3, "a": 2.0})
    assert found.step == 3
    assert not History([Rule("ill", "info", (("a", ">", 1.0),), 1, "", (), "")]).add({"epoch": 1, "step": 1, "b": 2.0})


def test_recall_that_falls_while_precision_holds():
    seen = History()
    # the first is of images that are spread widely, and counts for nothing
    for step, precision, recall in ((0, 0.1, 0.9), (1, 0.6, 0.5), (2, 0.62, 0.6), (3, 0.64, 0.48)):
        assert not seen.add({"epoch": step, "step": step, "precision": precision, "recall": recall})
        assert not seen.add({"epoch": step, "step": step, "spread": 0.9})
    [found] = seen.add({"epoch": 4, "step": 4, "precision": 0.66, "recall": 0.45})
    assert found.id == "mode-drop" and found.numbers["recall_lost"] == pytest.approx(0.15)
    assert seen.add({"epoch": 5, "step": 5, "precision": 0.0, "recall": 0.5}) == []


def test_what_follows_from_several_visits():
    seen = History()
    for step, slope, spread in ((100, 2.0, 2.0), (200, 4.0, 1.0), (300, 3.0, 0.8)):  # 2.0 is of a beginning
        seen.add({"epoch": 1, "step": step, "slope": slope, "spread": spread})
    seen.add(
        {
            "epoch": 1,
            "step": 400,
            "slope": 0.3,
            "spread": 0.2,
            "real_margin": 3.0,
            "fake_margin": -1.0,
            "val_margin": 1.0,
        }
    )
    last = seen.visits[-1]
    assert last["slope_left"] == pytest.approx(0.075)  # of 4
    assert last["spread_best"] == 1.0 and last["spread_left"] == pytest.approx(0.2)
    assert last["overfit"] == 0.5


def test_the_rules_are_whole():
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert {rule.id for rule in BEFORE} <= set(ids)
    for rule in (*RULES, *BEFORE):
        assert rule.level in finding.LEVELS and rule.visits > 0 and rule.remedies and rule.source
        assert all(name in VALUES for name, *_ in rule.when)
        named = {name.split(":")[0] for name in re.findall(r"{(\w+)", rule.sentence)}
        assert rule.sentence.format_map(dict.fromkeys(named, 1.0)).endswith(".")
        for remedy in rule.remedies:
            key, _, value = remedy.partition("=")
            things = yaml.safe_load(value) if key in NAMED else None
            for one in things if isinstance(things, list) else [things]:
                assert one is None or (one if isinstance(one, str) else one["name"]) in NAMED[key], remedy


def test_findings_as_lines_of_json(tmp_path):
    one = Finding("ill", "error", 1, 2, {"a": 3.0}, "It is ill.", ("c=1",), "source")
    (tmp_path / "findings.jsonl").write_text(json.dumps(one.record()) + "\n")
    assert json.loads((tmp_path / "findings.jsonl").read_text())["try"] == ["c=1"]
    [again] = finding.read(tmp_path / "findings.jsonl")
    assert str(again) == str(one) == "error: ill, epoch 1, step 2. It is ill. Try: c=1."
    assert finding.read(tmp_path / "none.jsonl") == []


def gan(seed=0, rate=1e-3, **rules):
    dense = kgan.architectures.dense
    keras.utils.set_random_seed(seed)
    made = kgan.GAN(
        generator=lambda: dense.generator((8, 8, 1), latent_dim=8, units=(32,)),
        discriminator=lambda: dense.discriminator((8, 8, 1), units=(32,)),
        latent_dim=8,
        seed=seed,
    )
    d_opt, g_opt = (keras.optimizers.Adam(rate, beta_1=0.5) for _ in range(2))
    made.compile(d_opt=d_opt, g_opt=g_opt, loss="non_saturating", **rules)
    return made


def test_the_weights_are_the_same_with_and_without_it(tmp_path):
    real, _ = kgan.data.digits()
    weights = []
    for callbacks in ([], [kgan.callbacks.Doctor(tmp_path / "findings.jsonl")]):
        one = gan(ema=0.99, penalties=["r1"])
        one.fit(real[:640], batch_size=32, epochs=10, verbose=0, callbacks=callbacks)
        weights.append([*one.get_weights(), *(np.asarray(v) for v in one.d_opt.variables)])
    [doctor] = callbacks
    assert len(doctor.history.visits) >= 3
    assert {"spread", "slope", "growth", "d_loss", "behind", "copied"} <= doctor.history.visits[-1].keys()
    for first, second in zip(*weights, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_rate_that_is_too_high_is_found(tmp_path, caplog):
    doctor = kgan.callbacks.Doctor(tmp_path / "findings.jsonl")
    real, _ = kgan.data.digits()
    gan(rate=0.2).fit(real, batch_size=64, epochs=20, verbose=0, callbacks=[doctor])
    assert "exploding" in {one.id for one in doctor.findings}
    assert finding.read(tmp_path / "findings.jsonl") == doctor.findings
    assert "exploding" in caplog.text


def test_a_run_says_what_it_found_and_goes_on_after_a_resume(tmp_path):
    """A training in two parts, of which the second knows the visits of the first."""
    real, _ = kgan.data.digits()
    parts = []
    for epochs in (6, 12):
        doctor = kgan.callbacks.Doctor(tmp_path / "findings.jsonl")
        saver = kgan.callbacks.Checkpoint(tmp_path / "checkpoints", every=6, resume=True)
        one = gan()
        one.fit(real[:640], batch_size=32, epochs=epochs, verbose=0, callbacks=[doctor, saver])
        parts.append(doctor.history.visits)
    whole = kgan.callbacks.Doctor(None)
    saver = kgan.callbacks.Checkpoint(
        tmp_path / "of the whole", every=6
    )  # with one the order of the data is kgan's own
    gan().fit(real[:640], batch_size=32, epochs=12, verbose=0, callbacks=[whole, saver])
    assert parts[1][: len(parts[0])] == parts[0]
    assert [visit["step"] for visit in parts[1]] == [visit["step"] for visit in whole.history.visits]
    assert parts[1][-1]["growth"] == pytest.approx(whole.history.visits[-1]["growth"])


def test_what_cannot_be_examined_does_not_end_a_training(monkeypatch, caplog):
    def broken(self):
        raise RuntimeError("of a network\nthat is mine")

    monkeypatch.setattr("kgan.doctor.examination.Examination.values", broken)
    real, _ = kgan.data.digits()
    gan().fit(real[:64], batch_size=32, epochs=1, verbose=0, callbacks=[kgan.callbacks.Doctor(None)])
    assert "cannot examine this training: RuntimeError: of a network that is mine" in caplog.text


def told(one, steps=1000, batch_size=32, data=None):
    return {found.id: found for found in before.findings(one, steps, batch_size, data)}


def test_what_can_be_told_before_a_training():
    real, _ = kgan.data.digits()
    assert not told(gan(penalties=["r1"], ema=0.999), data=real)
    assert told(gan(rate=0.1))["exploding"].level == "warning"
    slow = kgan.ramps.Linear(0.9999, 0.9999, 10)
    assert told(gan(ema=slow))["ema-lags"].numbers == {"ema_reach": pytest.approx(50.0, rel=1e-2)}  # 5 / 1e-4 / 1000
    assert not told(gan(ema=slow), steps=60_000)
    assert told(gan(), batch_size=3).keys() == {"mode-drop"}
    # 64 pixels in batches of 32 are a sixteenth of what R1 of 1 is usual for
    strong, weak = (gan(penalties=[kgan.penalties.R1(weight)]) for weight in (100.0, 1e-4))
    assert told(strong)["d-does-not-learn"].numbers == {"r1_ratio": pytest.approx(1600.0)}
    assert told(weak)["d-wins"].numbers == {"r1_ratio": pytest.approx(1.6e-3)}
    halves = (real.astype("float32") + 1) / 2 if real.min() < 0 else real.astype("float32") / real.max()
    assert told(gan(), data=halves)["wrong-range"].level == "warning"


def test_kernels_that_their_stride_does_not_divide():
    dcgan = kgan.architectures.dcgan
    for size, ids in ((5, {"checkerboard"}), (4, set())):
        one = kgan.GAN(
            dcgan.generator((8, 8, 1), 4, filters=4, kernel_size=size), dcgan.discriminator((8, 8, 1), filters=4), 4
        )
        one.compile("adam", "adam")
        assert told(one).keys() == ids


def test_a_loss_that_is_not_finite_is_found_at_once(tmp_path):
    real, _ = kgan.data.digits()
    one = gan(rate=1e38, penalties=["r1"])
    doctor = kgan.callbacks.Doctor(tmp_path / "findings.jsonl")
    saver = kgan.callbacks.Checkpoint(tmp_path / "checkpoints")
    one.fit(real[:320], batch_size=32, epochs=3, verbose=0, callbacks=[saver, doctor])
    [found] = [one for one in finding.read(tmp_path / "findings.jsonl") if one.id == "not-finite"]
    assert 0 < found.step <= 10 and "infinite" in str(found)


def test_precision_and_recall_of_a_training_are_read(tmp_path):
    real, _ = kgan.data.digits()
    doctor = kgan.callbacks.Doctor(None)
    score = kgan.callbacks.Score("precision_recall", every=1, samples=60, extractor="raw", path=tmp_path / "s.jsonl")
    gan().fit(real[:96], batch_size=32, epochs=2, verbose=0, callbacks=[score, doctor])
    measured = [visit["recall"] for visit in doctor.history.visits if "recall" in visit]
    assert len(measured) == 2 and all(0 <= value <= 1 for value in measured)
