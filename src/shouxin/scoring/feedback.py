"""Feedback told and read: labels, overrides and appeals come back as data that training respects."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from shouxin.scoring import store
from shouxin.scoring.domain.feedback import Feedback, FeedbackKind, check_feedback


def tell(
    db: Connection,
    customer_id: str,
    *,
    kind: FeedbackKind,
    said: str,
    as_of: datetime,
    reason: str,
    by: str,
    now: datetime,
    decision_id: str | None = None,
) -> Feedback:
    """Keep one word about a customer for ever. Raises UnableToTakeFeedback."""
    check_feedback(kind, said, reason)
    word = Feedback(kind, customer_id, as_of, said, reason.strip(), by, now, decision_id)
    store.add_feedback(db, word)
    return word


def list_feedback(
    db: Connection, *, until: datetime | None = None, limit: int | None = None
) -> list[Feedback]:
    """Every word told by ``until`` (default: all), the newest first."""
    return store.load_feedback(db, until=until, limit=limit)
