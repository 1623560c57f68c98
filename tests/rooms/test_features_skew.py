"""The skew monitor tells a definition that went wrong from facts that were not the same."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import timedelta

import pytest

from rooms.test_features_history import AS_OF
from shouxin.features import skew
from shouxin.features.skew import Cause, Known, ServedValues, SkewReport, Witness
from shouxin.features.skew.domain import report_from

# The checkout saw 10 facts; 8 lay there for certain, and nothing numbered beyond 50 was seen.
WITNESS = Witness(seen=10, settled=8, position=50)
SERVED = ServedValues("dec_1", "cus_1", AS_OF, "sha256:x", {"a": 1.0, "b": None, "c": 2.0}, WITNESS)


@pytest.mark.parametrize(
    ("total", "settled", "position", "cause"),
    [
        (10, 8, 10, Cause.UNEXPLAINED),  # the very same facts
        (12, 8, 10, Cause.ARRIVED_LATER),  # two came afterwards
        (12, 8, 11, Cause.BEING_STORED),  # one of them had its number already, and was not to be seen yet
        (12, 11, 12, Cause.UNEXPLAINED),  # eleven lay there for certain: one was lost
        (9, 8, 9, Cause.UNEXPLAINED),  # one was counted twice
    ],
)
def test_why_a_value_differs_follows_from_what_was_seen(total, settled, position, cause):
    assert skew.cause_of(WITNESS, Known(total, settled, position), regrouped=False) is cause
    assert skew.cause_of(WITNESS, Known(total, settled, position), regrouped=True) is Cause.REGROUPED


def test_a_difference_is_to_the_last_bit_and_a_missing_value_is_infinitely_far():
    nearly = math.nextafter(1.0, 2.0)
    assert skew.differences(SERVED, {"a": 1.0, "b": None, "c": 2.0}) == {}
    assert skew.differences(SERVED, {"a": nearly, "b": 0.0, "c": None}) == {
        "a": nearly - 1.0,
        "b": math.inf,
        "c": math.inf,
    }


def report(*compared):
    return SkewReport(
        AS_OF, AS_OF - timedelta(days=1), AS_OF, "sha256:x", len(compared), 0, skew.gathered(compared)
    )


def test_the_report_counts_by_feature_and_cause_and_only_the_unexplained_is_bad():
    second = replace(SERVED, decision_id="dec_2")
    good = report((SERVED, {}, Cause.UNEXPLAINED), (second, {"a": 3.0}, Cause.ARRIVED_LATER))
    assert (good.compared, good.unequal, good.unexplained, good.is_good) == (6, 1, 0, True)
    bad = report(
        (SERVED, {"a": 1.0, "c": math.inf}, Cause.UNEXPLAINED), (second, {"a": 3.0}, Cause.ARRIVED_LATER)
    )
    assert (bad.unequal, bad.unexplained, bad.is_good) == (3, 2, False)
    first = bad.as_data()["features"][0]
    assert first == {
        "feature": "a",
        "compared": 2,
        "unequal": 2,
        "share": 1.0,
        "largest": 3.0,
        "causes": {"arrived_later": 1, "unexplained": 1},
        "examples": ["dec_1", "dec_2"],
    }
    assert report_from(json.loads(json.dumps(bad.as_data(), allow_nan=False))).as_data() == bad.as_data()


def test_a_run_is_kept_and_the_newest_is_found(db):
    assert skew.latest_run(db) is None
    older, newer = report((SERVED, {}, Cause.UNEXPLAINED)), report((SERVED, {"c": 1.0}, Cause.UNEXPLAINED))
    skew.insert_run(db, older)
    skew.insert_run(db, replace(newer, checked_at=AS_OF + timedelta(hours=1)))
    skew.insert_run(db, older)
    found = skew.latest_run(db)
    assert found is not None and found.unexplained == 1 and found.checked_at > AS_OF


def test_one_decision_in_eight_writes_down_what_it_saw():
    sampled = sum(skew.is_sampled(f"dec_{number}") for number in range(8_000))
    assert 800 <= sampled <= 1_200
    facts = {"feature.a": 1.0, **WITNESS.as_facts()}
    assert Witness.from_facts(facts) == WITNESS
    assert Witness.from_facts({"feature.a": 1.0}) is None
