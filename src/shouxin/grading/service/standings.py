"""Who stands where: assign grades and look them up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from shouxin.grading import store
from shouxin.grading.domain import Grade, GradeAssignment, Standing
from shouxin.kernel import CustomerId

_HISTORY_MAX = 500


def assign(db: Connection, rows: Sequence[GradeAssignment], *, now: datetime) -> int:
    """Save grades; returns how many were new.

    The same customer, day, model and features again add nothing. A customer's standing follows the
    assignment with the latest ``as_of``.
    """
    return store.add_assignments(db, rows, now=now) if rows else 0


def standing(db: Connection, customer_id: CustomerId) -> Standing | None:
    """The grade that a customer has now, or None before the first."""
    return store.find_standing(db, customer_id)


def standings(db: Connection) -> dict[CustomerId, Grade]:
    """The grade that each customer has now."""
    return store.list_standing_grades(db)


def history(
    db: Connection, customer_id: CustomerId, *, limit: int = _HISTORY_MAX, known_at: datetime | None = None
) -> list[GradeAssignment]:
    """The customer's newest assignments, oldest first; ``known_at``: only those that were made by then."""
    return store.list_assignments(db, customer_id, limit=limit, known_at=known_at)


def distribution(db: Connection) -> dict[Grade, int]:
    """How many customers stand at each grade, best grade first; a grade without customers is 0."""
    return dict.fromkeys(Grade, 0) | store.count_grades(db)
