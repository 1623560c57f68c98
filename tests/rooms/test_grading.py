"""Grades in the database: assigned in bulk, never changed, the standing follows the newest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shouxin import grading
from shouxin.grading import Grade, GradeAssignment, Standing, grade_of
from shouxin.grading.domain import standing_from
from shouxin.kernel import CustomerId

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
REASON = {
    "code": "late_repayments_180d.high",
    "rank": 1,
    "text": {"zh": "近180天逾期还款次数偏高", "en": "Late"},
    "points": -38,
    "feature": "late_repayments_180d",
    "value": 2.0,
}


def assignment(customer="cus_1", *, pd=0.02, as_of=MARCH, model="sha256:m"):
    return GradeAssignment(CustomerId(customer), as_of, pd, 640, grade_of(pd), model, "sha256:f", (REASON,))


def test_a_grade_is_kept_with_all_that_it_came_from(db, now):
    assert grading.assign(db, [assignment()], now=now) == 1
    expected = Standing(
        CustomerId("cus_1"), Grade.B, 0.02, 640, MARCH, "sha256:m", "sha256:f", (REASON,), MARCH
    )
    assert grading.standing(db, CustomerId("cus_1")) == expected
    assert grading.history(db, CustomerId("cus_1")) == [assignment()]
    assert grading.standing(db, CustomerId("cus_2")) is None


def test_the_same_assignment_again_adds_nothing(db, now):
    rows = [assignment("cus_1"), assignment("cus_2")]
    assert grading.assign(db, rows, now=now) == 2
    assert grading.assign(db, rows, now=now + timedelta(hours=1)) == 0
    assert len(grading.history(db, CustomerId("cus_1"))) == 1
    assert grading.assign(db, [], now=now) == 0


def test_the_standing_follows_the_latest_day_and_remembers_since_when(db, now):
    april, may = MARCH + timedelta(days=31), MARCH + timedelta(days=61)
    rows = [assignment(pd=0.02), assignment(pd=0.03, as_of=april), assignment(pd=0.2, as_of=may)]
    for row in rows[:2]:
        grading.assign(db, [row], now=now)
    kept = grading.standing(db, CustomerId("cus_1"))
    assert (kept.grade, kept.pd, kept.as_of, kept.since) == (Grade.B, 0.03, april, MARCH)
    grading.assign(db, [rows[2]], now=now)
    fallen = grading.standing(db, CustomerId("cus_1"))
    assert (fallen.grade, fallen.since) == (Grade.D, may)
    assert grading.history(db, CustomerId("cus_1")) == rows
    assert grading.history(db, CustomerId("cus_1"), limit=1) == rows[2:]


def test_the_history_that_was_known_at_an_instant_needs_both_times(db, now):
    april = MARCH + timedelta(days=31)
    grading.assign(db, [assignment(pd=0.02)], now=MARCH)
    grading.assign(db, [assignment(pd=0.2, as_of=april)], now=april + timedelta(days=5))
    for days, grades in ((-1, []), (0, ["B"]), (31, ["B"]), (36, ["B", "D"])):
        known = grading.history(db, CustomerId("cus_1"), known_at=MARCH + timedelta(days=days))
        assert [one.grade.value for one in known] == grades
        standing = standing_from(known)
        assert (standing.grade.value if standing else None) == (grades[-1] if grades else None)


def test_a_grade_of_an_earlier_day_does_not_replace_a_later_one(db, now):
    grading.assign(db, [assignment(pd=0.2)], now=now)
    grading.assign(db, [assignment(pd=0.001, as_of=MARCH - timedelta(days=9))], now=now)
    assert grading.standing(db, CustomerId("cus_1")).grade is Grade.D


def test_the_latest_of_one_batch_is_the_standing(db, now):
    rows = [assignment(pd=0.2), assignment(pd=0.001, as_of=MARCH - timedelta(days=9))]
    assert grading.assign(db, rows, now=now) == 2
    assert grading.standing(db, CustomerId("cus_1")).grade is Grade.D


def test_the_distribution_names_every_grade(db, now):
    rows = [assignment(f"cus_{i}", pd=pd) for i, pd in enumerate((0.001, 0.001, 0.012, 0.5))]
    grading.assign(db, rows, now=now)
    assert grading.distribution(db) == {"S": 2, "A": 1, "B": 0, "C": 0, "D": 1}
    assert grading.standings(db) == {"cus_0": "S", "cus_1": "S", "cus_2": "A", "cus_3": "D"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE grading.assignment SET grade = 'S'",
        "DELETE FROM grading.assignment",
        "DELETE FROM grading.standing",
        "UPDATE grading.standing SET customer_id = 'cus_9'",
    ],
)
def test_the_application_can_not_rewrite_a_grade(db, now, statement):
    grading.assign(db, [assignment()], now=now)
    with pytest.raises(DBAPIError, match="permission denied"), db.begin_nested():
        db.execute(text(statement))


def test_the_database_knows_what_a_grade_is(db, now):
    odd = sqlalchemy.text(
        "INSERT INTO grading.standing VALUES ('cus_1', :at, 0.1, 1, 'E', 'm', 'f', '[]', :at)"
    )
    with pytest.raises(DBAPIError, match="check constraint"), db.begin_nested():
        db.execute(odd, {"at": now})
