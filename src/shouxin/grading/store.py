"""Grades in and out of PostgreSQL. The assignments are append-only; the standing follows the newest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from shouxin.database import copy_rows
from shouxin.grading.domain import Grade, GradeAssignment, Standing
from shouxin.kernel import CustomerId, canonical_json

_COLUMNS = ("customer_id", "as_of", "pd", "score", "grade", "model_hash", "features_hash", "reasons")
_LIST = ", ".join(_COLUMNS)
_INCOMING = """
    CREATE TEMP TABLE IF NOT EXISTS incoming_grade (
        customer_id text, as_of timestamptz, pd double precision, score integer, grade text,
        model_hash text, features_hash text, reasons jsonb
    ) ON COMMIT DROP;
    TRUNCATE incoming_grade
"""
_ADD = f"""
    INSERT INTO grading.assignment ({_LIST}, assigned_at)
    SELECT {_LIST}, :now FROM incoming_grade ORDER BY customer_id, as_of
    ON CONFLICT (customer_id, as_of, model_hash, features_hash) DO NOTHING
"""
# A grade of an earlier day never replaces a later one; `since` survives while the grade stays.
_STAND = f"""
    INSERT INTO grading.standing AS standing ({_LIST}, since)
    SELECT DISTINCT ON (customer_id) {_LIST}, as_of FROM incoming_grade ORDER BY customer_id, as_of DESC
    ON CONFLICT (customer_id) DO UPDATE SET
        as_of = excluded.as_of, pd = excluded.pd, score = excluded.score, grade = excluded.grade,
        model_hash = excluded.model_hash, features_hash = excluded.features_hash,
        reasons = excluded.reasons,
        since = CASE WHEN standing.grade = excluded.grade THEN standing.since ELSE excluded.as_of END
    WHERE excluded.as_of >= standing.as_of
"""


def add_assignments(db: Connection, rows: Sequence[GradeAssignment], *, now: datetime) -> int:
    """COPY the rows in and bring the standings up to date; returns how many were new."""
    for statement in _INCOMING.split(";"):
        db.execute(text(statement))
    copy_rows(db, "incoming_grade", _COLUMNS, (_row(item) for item in rows))
    added = db.execute(text(_ADD), {"now": now}).rowcount
    db.execute(text(_STAND))
    return added


def find_standing(db: Connection, customer_id: CustomerId) -> Standing | None:
    """The row of one customer."""
    sql = f"SELECT {_LIST}, since FROM grading.standing WHERE customer_id = :customer_id"
    row = db.execute(text(sql), {"customer_id": customer_id}).mappings().first()
    return None if row is None else Standing(**_values(row), since=row["since"])


def list_standing_grades(db: Connection) -> dict[CustomerId, Grade]:
    """The grade of every customer who has one."""
    rows = db.execute(text("SELECT customer_id, grade FROM grading.standing"))
    grades = {grade.value: grade for grade in Grade}
    return {CustomerId(customer_id): grades[grade] for customer_id, grade in rows}


def list_assignments(
    db: Connection, customer_id: CustomerId, *, limit: int, known_at: datetime | None
) -> list[GradeAssignment]:
    """The newest ``limit`` assignments of one customer, oldest first; ``known_at``: made by then."""
    sql = f"""
        SELECT {_LIST} FROM grading.assignment WHERE customer_id = :customer_id
           AND (CAST(:known_at AS timestamptz) IS NULL OR (as_of <= :known_at AND assigned_at <= :known_at))
        ORDER BY as_of DESC, assignment_no DESC LIMIT :limit
    """
    values = {"customer_id": customer_id, "limit": limit, "known_at": known_at}
    rows = db.execute(text(sql), values).mappings().all()
    return [GradeAssignment(**_values(row)) for row in reversed(rows)]


def count_grades(db: Connection) -> dict[Grade, int]:
    """How many customers stand at each grade."""
    rows = db.execute(text("SELECT grade, count(*) FROM grading.standing GROUP BY grade"))
    return {Grade(grade): count for grade, count in rows}


def _row(item: GradeAssignment) -> tuple[Any, ...]:
    reasons = canonical_json(list(item.reasons)).decode()
    return (
        item.customer_id, item.as_of, item.pd, item.score, item.grade.value,
        item.model_hash, item.features_hash, reasons,
    )  # fmt: skip


def _values(row: Any) -> dict[str, Any]:
    values = {name: row[name] for name in _COLUMNS}
    return values | {"grade": Grade(row["grade"]), "reasons": tuple(row["reasons"])}
