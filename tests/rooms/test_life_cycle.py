"""The life of a model: candidate, challenger, champion, retired; gates, drift, feedback and the monitor."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import sqlalchemy

from rooms.test_scoring import OPEN, approval, artefact
from shouxin import scoring
from shouxin.kernel import Bilingual
from shouxin.scoring import Gate, GateFacts, Passed, StageRefusal, Verdict
from shouxin.scoring.domain.artefact import Trained
from shouxin.scoring.domain.drift import WATCH, Bins, counted, psi, shift
from shouxin.scoring.domain.feedback import Feedback, FeedbackKind, UnableToTakeFeedback, corrected
from shouxin.scoring.domain.foretelling import early_ratio, foretold
from shouxin.scoring.domain.gates import open_gates, run_gates, violations
from shouxin.scoring.domain.metrics import Interval, auc
from shouxin.scoring.domain.monitoring import vintage_verdict

ROWS = 4_000


def learnt(seed: int = 3, **said):
    """A scorecard of two features, the rows that it learnt from, and what it says of them."""
    random = np.random.default_rng(seed)
    columns = {
        "late": random.poisson(1.0, ROWS).astype(float),
        "tenure": random.gamma(2.0, 300.0, ROWS),
        "channel": random.choice(np.array(["app", "web", "store"], dtype=object), ROWS),
    }
    risk = -2.4 + 0.8 * columns["late"] - 0.001 * columns["tenure"] + (columns["channel"] == "store")
    y = (random.random(ROWS) < 1 / (1 + np.exp(-risk))).astype(int)
    trained = scoring.train_columns(
        columns,
        y,
        directions={"late": 1, "tenure": -1},
        meanings={name: Bilingual(f"变量{name}", f"the {name}") for name in columns},
        **said,
    )
    return trained, columns, y


# --- stages -------------------------------------------------------------------------------------------------


def test_a_candidate_becomes_challenger_with_one_person_and_a_reason(db, now):
    model_hash = scoring.register(db, artefact(), name="m", report={}, now=now)
    assert "say why" in scoring.challenge(db, model_hash, by="op_1", reason=" ", now=now).reason
    assert (
        scoring.challenge(db, model_hash, by="op_1", reason="better on new months", now=now).maker == "op_1"
    )
    assert [model.hash for model in scoring.challengers(db)] == [model_hash]
    assert scoring.champion(db) is None
    again = scoring.challenge(db, model_hash, by="op_1", reason="again", now=now)
    assert isinstance(again, StageRefusal) and "only a candidate" in again.reason


def test_a_challenger_is_promoted_and_the_life_is_told_in_order(db, now):
    model_hash = scoring.register(db, artefact(), name="m", report={}, now=now)
    scoring.challenge(db, model_hash, by="op_1", reason="watch it", now=now)
    scoring.keep_gates(db, model_hash, OPEN, now=now)
    scoring.promote(db, model_hash, approval=approval(model_hash, now), now=now)
    told = [(step.stage, step.maker, step.checker) for step in scoring.stages_of(db, model_hash)]
    assert told == [
        ("candidate", None, None),
        ("challenger", "op_1", None),
        ("champion", "op_maker", "op_checker"),
    ]


def test_a_champion_is_replaced_and_never_withdrawn(db, now):
    first = scoring.register(db, artefact(), name="m", report={}, now=now)
    second = scoring.register(db, artefact(intercept=-1), name="m", report={}, now=now)
    scoring.keep_gates(db, first, OPEN, now=now)
    scoring.promote(db, first, approval=approval(first, now), now=now)
    assert "replaced" in scoring.withdraw(db, first, by="op_1", reason="tired of it", now=now).reason
    assert scoring.withdraw(db, second, by="op_1", reason="not needed", now=now).stage == "retired"
    assert "registered" in scoring.withdraw(db, "sha256:" + "0" * 64, by="op_1", reason="x", now=now).reason


@pytest.mark.parametrize(
    "row",
    [
        "('{h}', 'champion', NULL, 'a', NULL, 'r')",
        "('{h}', 'champion', 'apr', 'a', 'a', 'r')",
        "('{h}', 'challenger', 'apr', 'a', 'b', 'r')",
        "('{h}', 'challenger', NULL, NULL, NULL, NULL)",
        "('{h}', 'retired', NULL, NULL, NULL, NULL)",
        "('{h}', 'sold', NULL, NULL, NULL, NULL)",
    ],
)
def test_the_database_itself_refuses_a_stage_without_its_people(db, now, row):
    model_hash = scoring.register(db, artefact(), name="m", report={}, now=now)
    statement = (
        "INSERT INTO scoring.stage (model_hash, stage, approval_id, maker, checker, reason, at) VALUES "
    )
    values = row.format(h=model_hash)[:-1] + ", now())"
    with pytest.raises(sqlalchemy.exc.IntegrityError), db.begin_nested():
        db.exec_driver_sql(statement + values)


# --- gates --------------------------------------------------------------------------------------------------


def gates_of(trained, columns, **facts):
    given = GateFacts(columns, facts.get("held_out"), facts.get("difference"), facts.get("score_shift"))
    found = run_gates(trained.artefact, given, leaks=facts.get("leaks", ()))
    return {gate.code: gate for gate in found}


def test_a_sound_model_passes_every_gate_that_can_be_tested():
    trained, columns, y = learnt()
    pd = scoring.score_columns(trained.artefact, columns).pd
    gates = gates_of(trained, columns, held_out=scoring.evaluate(y, pd))
    assert {code for code, gate in gates.items() if gate.passed is Passed.NO} == set()
    assert {code for code, gate in gates.items() if gate.passed is Passed.UNTESTED} == {
        "not_worse",
        "population",
    }
    assert open_gates(list(gates.values()))


def test_no_tested_gate_is_not_an_open_gate():
    assert not open_gates([])
    assert not open_gates([Gate("not_worse", Passed.UNTESTED, "-")])


def test_a_model_that_breaks_its_own_direction_is_caught():
    import msgspec

    trained, columns, _ = learnt()
    place = trained.artefact.names.index("late")
    term = next(t for t in trained.artefact.body.terms if t.features == (place,))
    turned = msgspec.structs.replace(term, scores=tuple(reversed(term.scores)))
    body = msgspec.structs.replace(trained.artefact.body, terms=(turned,))
    broken = msgspec.structs.replace(trained.artefact, body=body)
    assert violations(trained.artefact, columns) == {}
    assert set(violations(broken, columns)) == {"late"}


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"difference": Interval(-0.01, -0.02, 0.0)}, "not_worse"),
        ({"leaks": [{"name": "paid_later", "kept_because": "no reason was given"}]}, "leaks"),
        ({"score_shift": shift(Bins("score", (500, 500, 0), (0.1,)), np.array([900, 100, 0]))}, "population"),
    ],
)
def test_what_is_wrong_shuts_its_gate(facts, code):
    trained, columns, _ = learnt()
    gates = gates_of(trained, columns, **facts)
    assert gates[code].passed is Passed.NO
    assert not open_gates(list(gates.values()))


def test_a_slope_far_from_one_shuts_the_calibration_gate():
    trained, columns, y = learnt()
    pd = scoring.score_columns(trained.artefact, columns).pd
    steep = 1 / (1 + np.exp(-3 * np.log(pd / (1 - pd))))
    gates = gates_of(trained, columns, held_out=scoring.evaluate(y, steep))
    assert gates["calibration"].passed is Passed.NO


def test_few_events_shut_the_gate_of_events():
    import msgspec

    trained, columns, _ = learnt()
    few = msgspec.structs.replace(trained.artefact, trained=Trained(4000, 12, 7, {}))
    found = run_gates(few, GateFacts(columns, None), leaks=())
    assert next(gate for gate in found if gate.code == "events").passed is Passed.NO


# --- drift --------------------------------------------------------------------------------------------------


def test_psi_is_the_textbook_sum():
    then, now = [100, 300, 600], [200, 300, 500]
    by_hand = sum((q - p) * np.log(q / p) for p, q in ((0.1, 0.2), (0.3, 0.3), (0.6, 0.5)))
    assert psi(then, now) == pytest.approx(by_hand)
    assert psi(then, then) == 0.0
    assert np.isfinite(psi([0, 1000], [500, 500]))


def test_a_small_sample_of_the_same_population_is_not_told_as_drift():
    random = np.random.default_rng(5)
    edges = tuple(np.quantile(random.normal(size=50_000), np.arange(1, 10) / 10).tolist())
    bins = Bins("x", tuple(counted(random.normal(size=50_000), edges).tolist()), edges)
    alarms = [shift(bins, counted(random.normal(size=60), edges)) for _ in range(300)]
    plain = sum(found.psi >= WATCH for found in alarms)
    told = sum(found.verdict in {Verdict.WATCH, Verdict.ACT} for found in alarms)
    assert plain > 150, "a fixed threshold cries wolf at sixty rows"
    assert told <= 9
    moved = shift(bins, counted(random.normal(1.0, size=2_000), edges))
    assert moved.verdict is Verdict.ACT and moved.psi > moved.critical


def test_the_baseline_of_a_model_finds_what_moved():
    trained, columns, _ = learnt()
    baseline = scoring.Baseline.from_data(trained.report["baseline"])
    moved = dict(columns) | {"late": columns["late"] + 2.0}
    pd = scoring.score_columns(trained.artefact, moved).pd
    found = {item.name: item for item in scoring.shifts(trained.artefact, baseline, moved, pd)}
    assert found["late"].verdict is Verdict.ACT and found["score"].verdict is Verdict.ACT
    assert found["tenure"].verdict is Verdict.STABLE and found["tenure"].psi == 0.0
    assert found["channel"].verdict is Verdict.STABLE


# --- foretelling --------------------------------------------------------------------------------------------


def test_calibrated_probabilities_foretell_their_own_auc():
    random = np.random.default_rng(2)
    pd = np.round(1 / (1 + np.exp(-random.normal(-2.5, 1.2, 60_000))), 3)
    y = (random.random(60_000) < pd).astype(int)
    promise = foretold(pd)
    assert promise.auc == pytest.approx(auc(y, pd), abs=0.01)
    assert promise.event_rate.low < y.mean() < promise.event_rate.high


def test_foretold_auc_is_the_expected_pairs_counted_one_by_one():
    pd = [0.1, 0.3, 0.3, 0.8]
    pairs = right = 0.0
    for i, p in enumerate(pd):
        for j, q in enumerate(pd):
            if i != j:
                pairs += p * (1 - q)
                right += p * (1 - q) * (1.0 if p > q else 0.5 if p == q else 0.0)
    assert foretold(pd).auc == pytest.approx(right / pairs)


def test_an_early_vintage_is_judged_beyond_chance():
    assert early_ratio(0, 5.0).low == 0.0
    usual, bad = early_ratio(52, 50.0), early_ratio(120, 50.0)
    assert vintage_verdict(usual, 52, None) is Verdict.STABLE
    assert vintage_verdict(bad, 120, None) is Verdict.ACT
    assert vintage_verdict(early_ratio(3, 2.5), 3, None) is Verdict.TOO_FEW


# --- feedback -----------------------------------------------------------------------------------------------


def word(kind, said, now, *, days=10, told=0, customer="cus_1"):
    return Feedback(
        kind, customer, now + timedelta(days=days), said, "why", "op_1", now + timedelta(days=told)
    )


def test_people_correct_the_labels_that_training_reads(now):
    rows = [("cus_1", now, 1), ("cus_1", now - timedelta(days=300), 0), ("cus_2", now, 0)]
    label = FeedbackKind.LABEL
    assert corrected(rows, [], window_days=180) == [1, 0, 0]
    assert corrected(rows, [word(label, "non_event", now)], window_days=180) == [0, 0, 0]
    assert corrected(rows, [word(label, "event", now, customer="cus_2")], window_days=180) == [1, 0, 1]
    assert corrected(rows, [word(FeedbackKind.APPEAL, "upheld", now)], window_days=180) == [None, 0, 0]
    assert corrected(rows, [word(FeedbackKind.APPEAL, "rejected", now)], window_days=180) == [1, 0, 0]
    assert corrected(rows, [word(FeedbackKind.OVERRIDE, "A", now)], window_days=180) == [1, 0, 0]


def test_of_several_words_the_last_counts(now):
    rows = [("cus_1", now, 1)]
    first, then = word(FeedbackKind.APPEAL, "upheld", now), word(FeedbackKind.APPEAL, "rejected", now, told=5)
    assert corrected(rows, [then, first], window_days=180) == [1]
    assert corrected(rows, [first], window_days=180) == [None]


def test_feedback_is_kept_as_it_was_told(db, now):
    scoring.tell(
        db,
        "cus_1",
        kind=FeedbackKind.APPEAL,
        said="upheld",
        as_of=now,
        reason="the bank erred",
        by="op_1",
        now=now,
    )
    found = scoring.list_feedback(db)
    assert [(item.kind, item.said, item.reason, item.by) for item in found] == [
        (FeedbackKind.APPEAL, "upheld", "the bank erred", "op_1")
    ]
    assert scoring.list_feedback(db, until=now - timedelta(seconds=1)) == []
    with pytest.raises(UnableToTakeFeedback, match="upheld or rejected"):
        scoring.tell(
            db, "cus_1", kind=FeedbackKind.APPEAL, said="maybe", as_of=now, reason="x", by="a", now=now
        )
    with pytest.raises(UnableToTakeFeedback, match="say why"):
        scoring.tell(
            db, "cus_1", kind=FeedbackKind.LABEL, said="event", as_of=now, reason=" ", by="a", now=now
        )
