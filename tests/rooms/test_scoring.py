"""The artefact, one row, many rows, reasons and the registry."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sqlalchemy

from shouxin.kernel import Approval, canonical_json, content_hash
from shouxin.scoring import (
    Artefact,
    Gate,
    Passed,
    Promotion,
    PromotionRefusal,
    UnableToReadArtefact,
    UnableToScore,
    champion,
    find_model,
    find_report,
    keep_gates,
    list_models,
    pd_at,
    promote,
    reasons,
    register,
    score_columns,
    score_one,
)
from shouxin.scoring.domain.artefact import Trained
from shouxin.scoring.domain.families import Tables, Term
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.scaling import SCALINGS


def artefact(**changes) -> Artefact:
    """Two features and a table of both, small enough to add up by hand."""
    late = Feature(
        name="late_90d",
        type="numeric",
        rows=(60, 30, 0, 10),
        edges=(1.0,),
        pair_edges=(1.0,),
        special=(-9.0,),
        direction=1,
        typical=0.0,
        meaning={"zh": "近90天逾期次数", "en": "late payments in 90 days"},
    )
    channel = Feature(
        name="channel",
        type="category",
        rows=(50, 40, 10, 0),
        categories=(("app", "web"), ("store",)),
        unseen=1,
    )
    body = {
        "format": 2,
        "model": "scorecard",
        "outcome": "defaults",
        "features": (late, channel),
        "body": Tables(
            (
                Term((0,), (-400_000, 900_000, 0, 50_000), 30_000),
                Term((1,), (-100_001, 200_000, 0, 0), 30_000),
                Term((0, 1), (0, 7, 0, 0, 11, 100_001, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0),
            )
        ),
        "intercept": -2_000_000,
        "scaling": SCALINGS["600@50:1/20"],
        "trained": Trained(100, 12, 7, {"shouxin": "0"}),
    }
    return Artefact(**{**body, **changes})


def tampered(change) -> bytes:
    body = json.loads(artefact().to_json())
    body.pop("hash")
    change(body)
    return canonical_json({**body, "hash": content_hash(body)})


def test_an_artefact_reads_back_as_itself():
    document = artefact().to_json()
    assert Artefact.from_json(document) == artefact()
    assert Artefact.from_json(document).to_json() == document
    assert json.loads(document)["hash"] == artefact().hash


def test_a_changed_entry_is_noticed():
    with pytest.raises(UnableToReadArtefact, match="was changed"):
        Artefact.from_json(artefact().to_json().replace(b"-400000", b"-400001"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda b: b["body"]["terms"][0]["scores"].append(0),
            r"5 entries for 4 slots - at `\$.body.terms\[0\]`",
        ),
        (
            lambda b: b["body"]["terms"][0]["scores"].__setitem__(1, 0.5),
            r"Expected `int`, got `float` - at `\$.body.terms",
        ),
        (lambda b: b["body"]["terms"][0]["scores"].__setitem__(1, 10**12), "out of range"),
        (lambda b: b["body"]["terms"][0].update(features=[7]), "names a feature that is not there"),
        (lambda b: b["body"]["terms"].append(b["body"]["terms"][0]), "two terms have the same features"),
        (lambda b: b["features"][0].update(edges=[2.0, 1.0]), r"edges do not rise - at `\$.features\[0\]`"),
        (lambda b: b["features"][0].update(rows=[1]), "1 counts for 4 slots"),
        (lambda b: b["features"][1].update(name="late_90d"), "two features share a name"),
        (lambda b: b["features"][1].update(categories=[["app"], ["app"]]), "a category is in two groups"),
        (lambda b: b["features"][1].update(meaning={"en": "x"}), "meaning has a text in zh and in en"),
        (lambda b: b["scaling"].update(offset=1), "do not follow from points"),
        (lambda b: b.update(extra=1), "unknown field"),
        (lambda b: b.update(format=1), "Invalid enum value 1"),
        (lambda b: b["body"].update(terms=[]), "has no terms"),
        (lambda b: b["body"].update(family="crystal ball"), "Invalid value"),
    ],
)
def test_a_malformed_document_is_refused_with_its_place(change, said):
    with pytest.raises(UnableToReadArtefact, match=said):
        Artefact.from_json(tampered(change))


@pytest.mark.parametrize("document", [b"", b"[]", b"not json", b'{"format":1,"intercept":NaN}', b"\xff"])
def test_what_is_no_artefact_is_refused(document):
    with pytest.raises(UnableToReadArtefact):
        Artefact.from_json(document)


def test_one_row_by_hand():
    score = score_one(artefact(), {"late_90d": 2, "channel": "store"})
    # -2.0 + 0.9 + 0.2 + 0.100001
    assert score.log_odds == -799_999
    assert score.pd == pd_at(-799_999) == 0.310025733
    assert score.reference_log_odds == -1_940_000
    late, channel = score.contributions
    # The odd millionth of the shared table goes to the first feature.
    assert (late.log_odds, channel.log_odds) == (870_000 + 50_001, 170_000 + 50_000)
    assert late.term == "late_90d + late_90d & channel"
    assert score.points == score.reference_points + late.points + channel.points
    assert score.points == SCALINGS["600@50:1/20"].points_at(-799_999)


@pytest.mark.parametrize(
    ("value", "entry"),
    [
        (0.999, -400_000),
        (1.0, 900_000),
        ("1", 900_000),
        (float("inf"), 900_000),
        (float("-inf"), -400_000),
        (None, 0),
        (float("nan"), 0),
        (-9.0, 50_000),
        (-9, 50_000),
    ],
)
def test_a_value_finds_its_slot(value, entry):
    score = score_one(artefact(), {"late_90d": value, "channel": None})
    assert score.log_odds == -2_000_000 + entry
    columns = {"late_90d": np.array([value], dtype=object), "channel": np.array([None], dtype=object)}
    assert score_columns(artefact(), columns).log_odds.tolist() == [score.log_odds]


def test_an_unseen_category_falls_into_the_group_of_the_rare():
    seen, unseen = (score_one(artefact(), {"late_90d": 0, "channel": c}) for c in ("store", "drone"))
    assert unseen.log_odds == seen.log_odds
    assert [r.code for r in reasons(artefact(), unseen)] == ["channel.unseen"]


def test_a_row_that_lacks_a_feature_or_holds_text_is_refused():
    with pytest.raises(UnableToScore, match="lacks 'channel'"):
        score_one(artefact(), {"late_90d": 1})
    with pytest.raises(UnableToScore, match="'late_90d' is a number") as caught:
        score_one(artefact(), {"late_90d": "Zhang San", "channel": "app"})
    assert "Zhang" not in str(caught.value)
    with pytest.raises(UnableToScore, match="lacks 'channel'"):
        score_columns(artefact(), {"late_90d": np.array([1.0])})
    with pytest.raises(UnableToScore, match="'late_90d' is a number"):
        score_one(artefact(), {"late_90d": 10**400, "channel": "app"})
    with pytest.raises(UnableToScore, match="holds text"):
        score_columns(artefact(), {"late_90d": np.array(["x"], dtype=object), "channel": np.array(["app"])})


def test_reasons_are_the_features_that_lowered_the_score_strongest_first():
    first, second = reasons(artefact(), score_one(artefact(), {"late_90d": 3, "channel": "store"}))
    assert (first.code, first.rank, first.value) == ("late_90d.high", 1, 3)
    assert first.text.as_data() == {
        "zh": "近90天逾期次数为 3，高于常见水平",
        "en": "Late payments in 90 days: 3, higher than usual",
    }
    assert (second.code, second.rank) == ("channel.group", 2)
    assert first.points < second.points < 0
    assert first.as_data()["text"]["zh"] == first.text.zh


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3.0, "3"), (1234.5, "1,234.50"), (1 / 3, "0.33"), (0.0123, "0.012"), (12e6, "12,000,000")],
)
def test_a_reason_shows_the_value_that_was_found(value, shown):
    worse = artefact(body=Tables((Term((0,), (900_000, 900_000, 0, 0), 0),)))
    (told,) = reasons(worse, score_one(worse, {"late_90d": value, "channel": "app"}))
    assert told.text.en == f"Late payments in 90 days: {shown}, higher than usual"
    assert told.text.zh == f"近90天逾期次数为 {shown}，高于常见水平"


def test_a_good_customer_has_no_reasons_and_a_limit_is_kept():
    assert reasons(artefact(), score_one(artefact(), {"late_90d": 0, "channel": "app"})) == ()
    assert len(reasons(artefact(), score_one(artefact(), {"late_90d": 3, "channel": "store"}), limit=1)) == 1


def test_missing_and_special_values_are_told_as_such():
    worse = artefact(body=Tables((Term((0,), (-400_000, 0, 500_000, 600_000), 0),)))
    assert (
        reasons(worse, score_one(worse, {"late_90d": None, "channel": "app"}))[0].code == "late_90d.missing"
    )
    found = reasons(worse, score_one(worse, {"late_90d": -9.0, "channel": "app"}))[0]
    assert found.code == "late_90d.special"
    assert (
        reasons(worse, score_one(worse, {"late_90d": float("nan"), "channel": "app"}))[0].as_data()["value"]
        is None
    )


OPEN = [Gate("events", Passed.YES, "600")]


def approval(model_hash: str, now, number: int = 1) -> Approval:
    return Approval(f"apr_{number}", f"model:{model_hash}", "op_maker", "op_checker", "reviewed", now)


def test_a_model_becomes_champion_with_an_approval_for_it(db, now):
    assert champion(db) is None
    first = register(db, artefact(), name="first", report={"auc": 0.8}, now=now)
    assert register(db, artefact(), name="again", report={}, now=now) == first
    assert isinstance(promote(db, first, approval=approval("sha256:other", now), now=now), PromotionRefusal)
    assert champion(db) is None
    assert (
        "has not been through its gates" in promote(db, first, approval=approval(first, now), now=now).reason
    )
    keep_gates(db, first, [Gate("events", Passed.YES, "60"), Gate("calibration", Passed.NO, "0.7")], now=now)
    assert "0.7" in promote(db, first, approval=approval(first, now), now=now).reason
    assert champion(db) is None
    keep_gates(db, first, OPEN, now=now)
    assert promote(db, first, approval=approval(first, now), now=now) == Promotion(first, None)
    assert champion(db) == artefact()
    assert find_report(db, first) == {"auc": 0.8}
    assert (
        promote(db, first, approval=approval(first, now, 2), now=now).reason
        == "the model is champion already"
    )


def test_the_old_champion_retires(db, now):
    other = artefact(intercept=-1_000_000)
    first, second = (register(db, a, name="m", report={}, now=now) for a in (artefact(), other))
    for model_hash in (first, second):
        keep_gates(db, model_hash, OPEN, now=now)
    promote(db, first, approval=approval(first, now), now=now)
    assert promote(db, second, approval=approval(second, now, 2), now=now) == Promotion(second, first)
    assert champion(db) == other
    assert {row.model_hash: row.stage for row in list_models(db)} == {first: "retired", second: "champion"}
    back = promote(db, first, approval=approval(first, now, 3), now=now)
    assert back == Promotion(first, second)
    assert champion(db) == artefact()


def test_an_unknown_model_is_not_promoted(db, now):
    unknown = "sha256:" + "0" * 64
    assert find_model(db, unknown) is None
    assert "registered" in promote(db, unknown, approval=approval(unknown, now), now=now).reason


def test_the_database_itself_refuses_the_same_person_and_any_change(db, now):
    model_hash = register(db, artefact(), name="m", report={}, now=now)
    own = (
        "INSERT INTO scoring.stage (model_hash, stage, approval_id, maker, checker, reason, at)"
        " VALUES (:hash, 'champion', 'a', 'op_1', 'op_1', 'me', :now)"
    )
    for statement in (own, "UPDATE scoring.model SET name = 'x'", "DELETE FROM scoring.stage"):
        nested = db.begin_nested()
        with pytest.raises(sqlalchemy.exc.DBAPIError):
            db.execute(
                sqlalchemy.text(statement), {"hash": model_hash, "now": now} if statement is own else {}
            )
        nested.rollback()
