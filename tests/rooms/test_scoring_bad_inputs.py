"""Bad input, learner by learner: each ends in a clear message or in the policy that was declared.

Every learner is trained once, on a table with gaps, infinities, special codes, an empty column and a
constant one; what a shop may send to be scored is then tried on that model.
"""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from shouxin.entrypoints.cli.train import train as train_command
from shouxin.features.sequences import SequenceField, SequenceLayout
from shouxin.scoring import (
    Artefact,
    GateFacts,
    Passed,
    UnableToScore,
    UnableToTrain,
    learners,
    pd_of_columns,
    reasons,
    run_gates,
    score_columns,
    score_one,
    train_columns,
)

LAYOUT = SequenceLayout("sha256:bad", (SequenceField("mood", 3),), 6)
ROWS = 500
QUICK = {
    "epochs": 12, "rate": 1e-2, "pretraining_epochs": 1, "width": 8, "depth": 1, "size": 4, "members": 2,
    "steps": 1, "bags": 1, "trees": 8, "learning_rate": 0.3,
}  # fmt: skip
STACKS = {"blend", "stack"}
LEARNERS = learners()
every_learner = pytest.mark.parametrize("name", LEARNERS)


def shop():
    """Customers with gaps, a special code and infinities; the outcome of each."""
    rng = np.random.default_rng(11)
    late = rng.poisson(1.0, ROWS).astype(float)
    spent = rng.normal(size=ROWS)
    channel = rng.choice(np.array(["app", "web", "store"], dtype=object), ROWS, p=(0.5, 0.3, 0.2))
    moods = [rng.integers(0, 3, rng.integers(1, 7)).tolist() for _ in range(ROWS)]
    odds = 0.9 * late - 0.8 * spent + 1.6 * (channel == "web") + 0.8 * np.array([m[-1] for m in moods]) - 2.2
    y = (rng.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    late[rng.random(ROWS) < 0.1] = -9
    late[rng.random(ROWS) < 0.1] = np.nan
    spent[:2] = np.inf, -np.inf
    channel[rng.random(ROWS) < 0.1] = None
    recent = np.array([LAYOUT.text([(mood,) for mood in row]) for row in moods], dtype=object)
    recent[:25] = None
    return {"late": late, "spent": spent, "channel": channel, "recent": recent}, y


COLUMNS, Y = shop()
USELESS = {
    "empty": np.full(ROWS, np.nan),
    "blank": np.full(ROWS, None),
    "same": np.full(ROWS, 5.0),
    "word": np.full(ROWS, "yes", dtype=object),
    "endless": np.where(np.arange(ROWS) % 2, math.inf, math.nan),
}


def trained(name, columns=COLUMNS, y=Y, *, keep=None):
    """A learner on few rows, with few and small settings; skipped aloud where its extra is not installed."""
    space = LEARNERS[name].space
    settings = {key: value for key, value in QUICK.items() if key in space}
    if name in STACKS:
        settings = {"members": "lightgbm+xgboost"}
    try:
        return train_columns(
            columns, y, model=name, special=(-9,), settings=settings, layouts=(LAYOUT,), keep=keep or {}
        )
    except UnableToTrain as error:
        if "pip install" in str(error):
            pytest.skip(str(error))
        raise


@pytest.fixture(scope="module", params=LEARNERS)
def model(request):
    return trained(request.param, {**COLUMNS, **USELESS})


@pytest.fixture
def artefact(model):
    return model.artefact


def row(artefact, **changes):
    """A whole row of the model's features, some of them changed."""
    usual = {"late": 1.0, "spent": 0.0, "channel": "app", "recent": LAYOUT.text([(1,), (0,)])}
    return {name: changes.get(name, usual[name]) for name in artefact.names}


def scored_twice(artefact, values):
    """The score of one row, after checking that a column of it says the same and that it adds up."""
    one = score_one(artefact, values)
    columns = {name: np.array([value, value], dtype=object) for name, value in values.items()}
    many = score_columns(artefact, columns)
    assert (one.log_odds, one.points, one.pd) == (many.log_odds[1], many.points[1], many.pd[1])
    assert pd_of_columns(artefact, columns)[1] == one.pd
    assert one.log_odds == one.reference_log_odds + sum(item.log_odds for item in one.contributions)
    assert one.points == one.reference_points + sum(item.points for item in one.contributions)
    assert 0 < one.pd < 1
    told = reasons(artefact, one)
    assert all(reason.text.zh and reason.text.en for reason in told)
    assert told or one.log_odds <= one.reference_log_odds
    return one


def test_columns_without_a_word_are_dropped_with_a_reason(model):
    told = {entry["name"]: entry["reason"] for entry in model.report["dropped"]}
    assert told["empty"] == told["blank"] == "no value in any row"
    assert told["same"] == told["word"] == "the same value in every row"
    assert told["endless"] == "infinite wherever there is a value"
    assert not set(USELESS) & set(model.artefact.names)


def test_infinities_and_gaps_in_training_leave_a_model_that_scores(artefact):
    scored = score_columns(artefact, COLUMNS)
    assert ((scored.pd > 0) & (scored.pd < 1)).all()
    assert (scored.contributions.sum(axis=1) + scored.reference_log_odds == scored.log_odds).all()
    assert (scored.feature_points.sum(axis=1) + scored.reference_points == scored.points).all()
    assert len(np.unique(scored.log_odds)) > 1


def test_the_document_read_again_scores_alike(artefact):
    again = Artefact.from_json(artefact.to_json())
    assert again == artefact and again.hash == artefact.hash
    assert (score_columns(again, COLUMNS).log_odds == score_columns(artefact, COLUMNS).log_odds).all()


def test_nan_and_none_are_missing(artefact):
    for feature in artefact.names:
        scores = [
            scored_twice(artefact, row(artefact, **{feature: value}))
            for value in (None, math.nan, np.float64("nan"))
        ]
        assert len({one.log_odds for one in scores}) == 1
        told = [reason for reason in reasons(artefact, scores[1]) if reason.feature == feature]
        assert all(reason.code == f"{feature}.missing" for reason in told)


def test_a_row_of_nothing_is_scored(artefact):
    scored_twice(artefact, dict.fromkeys(artefact.names))
    scored_twice(artefact, dict.fromkeys(artefact.names, math.nan))


@pytest.mark.parametrize(("wild", "furthest"), [(math.inf, 1e6), (-math.inf, -1e6), (1e308, 1e6)])
def test_an_infinity_scores_as_the_furthest_value(artefact, wild, furthest):
    for feature in {"late", "spent"} & set(artefact.names):
        one = scored_twice(artefact, row(artefact, **{feature: wild}))
        assert one.log_odds == score_one(artefact, row(artefact, **{feature: furthest})).log_odds


def test_an_unseen_category_is_scored_and_every_unseen_one_alike(artefact):
    if "channel" not in artefact.names:
        return
    strange = [
        scored_twice(artefact, row(artefact, channel=word)) for word in ("moon", "", "APP", "小程序", 7.0)
    ]
    assert len({one.log_odds for one in strange}) == 1
    for reason in reasons(artefact, strange[0]):
        assert reason.feature != "channel" or reason.code == "channel.unseen"


def test_a_special_code_is_a_code_and_no_number(artefact):
    if "late" not in artefact.names:
        return
    one = scored_twice(artefact, row(artefact, late=-9.0))
    assert one.log_odds == scored_twice(artefact, row(artefact, late=-9)).log_odds
    for reason in reasons(artefact, one):
        assert reason.feature != "late" or reason.code == "late.special"


def test_a_number_written_as_a_text_is_that_number(artefact):
    for feature in {"late", "spent"} & set(artefact.names):
        plain = scored_twice(artefact, row(artefact, **{feature: 2.0}))
        assert scored_twice(artefact, row(artefact, **{feature: "2"})).log_odds == plain.log_odds
        gap = scored_twice(artefact, row(artefact, **{feature: None}))
        nan = scored_twice(artefact, row(artefact, **{feature: "nan"}))
        assert nan.log_odds == gap.log_odds
        assert {r.code for r in reasons(artefact, nan)} == {r.code for r in reasons(artefact, gap)}


@pytest.mark.parametrize("wrong", ["many", "1,5", [1.0], {"a": 1}])
def test_what_is_no_number_is_refused_by_the_name_of_the_feature(artefact, wrong):
    for feature in {"late", "spent"} & set(artefact.names):
        column = np.empty(1, dtype=object)
        column[0] = wrong
        whole = {name: np.array([value], dtype=object) for name, value in row(artefact).items()}
        with pytest.raises(UnableToScore, match=f"'{feature}' is a number to the model"):
            score_one(artefact, row(artefact, **{feature: wrong}))
        with pytest.raises(UnableToScore, match=f"'{feature}' is a number to the model"):
            score_columns(artefact, {**whole, feature: column})


@pytest.mark.parametrize("wrong", [["app"], {"a": 1}, 10**400])
def test_what_is_no_category_is_refused_by_the_name_of_the_feature(artefact, wrong):
    if "channel" not in artefact.names:
        return
    column = np.empty(1, dtype=object)
    column[0] = wrong
    whole = {name: np.array([value], dtype=object) for name, value in row(artefact).items()}
    with pytest.raises(UnableToScore, match="'channel' is a category to the model"):
        score_one(artefact, row(artefact, channel=wrong))
    with pytest.raises(UnableToScore, match="'channel' is a category to the model"):
        score_columns(artefact, {**whole, "channel": column})


@pytest.mark.parametrize("wrong", [5.0, "yesterday", LAYOUT.prefix + "?", ["a"]])
def test_what_is_no_sequence_is_refused_by_the_name_of_the_feature(artefact, wrong):
    if "recent" not in artefact.names:
        return
    with pytest.raises(UnableToScore, match="'recent': "):
        score_one(artefact, row(artefact, recent=wrong))


def test_a_lacking_feature_is_named(artefact):
    for name in artefact.names:
        values = row(artefact)
        del values[name]
        with pytest.raises(UnableToScore, match=f"the row lacks '{name}'"):
            score_one(artefact, values)
        with pytest.raises(UnableToScore, match=f"the table lacks '{name}'"):
            score_columns(artefact, {each: np.array([value], dtype=object) for each, value in values.items()})


def test_no_rows_give_no_scores(artefact):
    nothing = {name: COLUMNS[name][:0] for name in artefact.names}
    assert len(score_columns(artefact, nothing)) == 0
    assert len(pd_of_columns(artefact, nothing)) == 0


def test_the_riskiest_row_has_reasons_and_it_tells_them_by_strength(artefact):
    riskiest = int(score_columns(artefact, COLUMNS).log_odds.argmax())
    one = scored_twice(artefact, {name: COLUMNS[name][riskiest] for name in artefact.names})
    told = reasons(artefact, one)
    assert 1 <= len(told) <= 4
    assert [reason.rank for reason in told] == list(range(1, len(told) + 1))
    assert {reason.feature for reason in told} <= set(artefact.names)


def test_half_the_slope_is_half_the_log_odds(artefact):
    half = artefact.body.scaled(500_000)
    assert half.problem(artefact.features) is None
    scorers = artefact.scorer, half.scorer(artefact.features)
    columns = [COLUMNS[name] for name in artefact.names]
    whole, halved = (s.reference + s.deltas_of_rows(s.prepared(columns)).sum(axis=0) for s in scorers)
    assert np.abs(halved - whole / 2).max() <= 200  # a rounding a table or a leaf


def test_the_gates_of_parity_and_reasons_stay_open(artefact):
    odd = {
        "late": np.array([math.nan, math.inf, -9.0, -math.inf, 1.0]),
        "spent": np.array([0.0, -math.inf, math.nan, math.inf, -9.0]),
        "channel": np.array([None, "moon", math.nan, "", "app"], dtype=object),
        "recent": np.array([None, LAYOUT.text([]), LAYOUT.text([(2,)] * 6), math.nan, None], dtype=object),
    }
    for columns in (COLUMNS, odd):
        facts = GateFacts({name: columns[name] for name in artefact.names}, None)
        gates = {gate.code: gate for gate in run_gates(artefact, facts, leaks=())}
        assert gates["parity"].passed is gates["reasons"].passed is Passed.YES


LEAKING = {**COLUMNS, "after": Y * 3.0}


@every_learner
@pytest.mark.parametrize(
    ("columns", "y", "said"),
    [
        (LEAKING, Y, "leak: 'after' .* tells the target all by itself"),
        ({**COLUMNS, "after": np.where(Y == 1, math.nan, 4.0)}, Y, "leak: 'after'"),
        ({**COLUMNS, "after": np.where(Y == 1, "x", "y").astype(object)}, Y, "leak: 'after'"),
        (COLUMNS, np.zeros(ROWS), "0 events and 500 non-events; at least 20 of each are needed"),
        (COLUMNS, np.ones(ROWS), "500 events and 0 non-events; at least 20 of each are needed"),
        (COLUMNS, np.arange(ROWS) < 19, "19 events and 481 non-events; at least 20 of each are needed"),
        (USELESS, Y, "no column can be learnt from: 'empty': no value in any row"),
        ({}, Y, "no column can be learnt from: there is none beside the target"),
    ],
    ids=[
        "leak",
        "leak by gaps",
        "leak in words",
        "no events",
        "only events",
        "few events",
        "useless",
        "nothing",
    ],
)
def test_what_can_not_be_learnt_from_is_said(name, columns, y, said):
    with pytest.raises(UnableToTrain, match=said):
        trained(name, columns, y)


@every_learner
def test_a_leak_stays_only_with_a_reason(name):
    kept = trained(name, LEAKING, keep={"after": "known at the till"})
    assert kept.report["leaks"][0]["kept_because"] == "known at the till"
    assert "after" in kept.artefact.names
    pd = score_columns(kept.artefact, LEAKING).pd
    assert pd[Y == 1].mean() > pd[Y == 0].mean()
    scored_twice(kept.artefact, {name: LEAKING[name][5] for name in kept.artefact.names})


@every_learner
def test_columns_that_foretell_nothing_give_a_model_or_a_clear_no(name):
    rng = np.random.default_rng(2)
    noise = {
        "coin": rng.integers(0, 2, ROWS).astype(float),
        "recent": rng.permutation(COLUMNS["recent"]),
        "gap": np.where(rng.random(ROWS) < 0.98, math.nan, 1.0),
    }
    try:
        artefact = trained(name, noise, rng.permutation(Y)).artefact
    except UnableToTrain as error:
        assert re.search("(found|learnt) nothing .*: more rows", str(error))
        return
    scored_twice(artefact, dict.fromkeys(artefact.names))
    assert np.isfinite(score_columns(artefact, noise).pd).all()


@every_learner
def test_hardly_enough_events_give_a_model_or_a_clear_no(name):
    try:
        artefact = trained(
            name, COLUMNS, np.isin(np.arange(ROWS), np.argsort(-Y, kind="stable")[:20])
        ).artefact
    except UnableToTrain as error:
        assert re.search("(found|learnt) nothing .*: more rows", str(error))
        return
    scored_twice(artefact, dict.fromkeys(artefact.names))
    assert np.isfinite(score_columns(artefact, COLUMNS).pd).all()


app = typer.Typer()
app.command()(train_command)
FILES = {
    "nothing in it": ("", "table.csv is empty"),
    "no rows": ("late,bad\n", "table.csv has no rows"),
    "no target": (lambda i: f"{i % 7},{i % 3}", "there is no column 'bad'"),
    "a constant target": (
        lambda i: (i % 7, 0),
        "the target 'bad' is 0 in every row; both outcomes must occur",
    ),
    "an empty target": (lambda i: (i % 7, ""), "the target 'bad' is empty in every row"),
    "one word as target": (lambda i: (i % 7, "late"), "the target 'bad' has the same value in every row"),
    "two unclear words": (lambda i: (i % 7, "ab"[i % 2]), "does not say which is the event; write 1"),
    "three outcomes": (lambda i: (i % 7, i % 3), "the target 'bad' has 3 different values; it must be 1"),
    "few events": (lambda i: (i % 7, int(i < 30)), "at least 20 of each are needed"),
    "a leak": (lambda i: (i % 2 * 5, i % 2), "leak: 'late' (AUC 1.000) tells the target all by itself"),
    "an empty column": (lambda i: ("", i % 2), "no column can be learnt from: 'late': no value in any row"),
    "a constant column": (lambda i: (4, i % 2), "'late': the same value in every row"),
    "a running number": (lambda i: (i, i % 2), "'late': a running number of the rows, or a name of each"),
    "names": (lambda i: (f"n{i}", i % 2), "'late': 300 different texts: names or dates, not categories"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_bad_file_ends_in_one_clear_line(kind, tmp_path):
    cell, said = FILES[kind]
    table, out = tmp_path / "table.csv", tmp_path / "out"
    if callable(cell):
        head = "late,worse" if kind == "no target" else "late,bad"
        lines = (cell(i) for i in range(300))
        cell = "\n".join([head, *(t if isinstance(t, str) else f"{t[0]},{t[1]}" for t in lines)])
    table.write_text(cell)
    ended = CliRunner().invoke(app, ["--csv", str(table), "--target", "bad", "--out", str(out), "--json"])
    (line,) = [line for line in ended.stderr.splitlines() if line.strip()]
    assert ended.exit_code == 1 and ended.stdout == ""
    assert line.startswith("shouxin: ") and said in line
    assert not out.exists()


def test_a_leak_kept_with_a_reason_is_trained_and_told(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["late,seen,bad", *(f"{i % 2 * 5},{i % 7},{i % 2}" for i in range(300))]))
    told = ["--csv", str(table), "--target", "bad", "--out", str(tmp_path / "out"), "--json"]
    ended = CliRunner().invoke(app, [*told, "--keep", "late=asked at the till"])
    assert ended.exit_code == 0, ended.stderr
    found = json.loads(ended.stdout, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert found["leaks"] == [{"name": "late", "auc": 1.0, "kept_because": "asked at the till"}]
    for name in ("model.json", "report.json"):
        text = (tmp_path / "out" / name).read_text()
        json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
