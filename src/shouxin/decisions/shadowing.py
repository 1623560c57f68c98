"""Shadow: what a challenger would have said of the decisions that the champion made.

A decision keeps every feature that it was made with, so the challenger is asked afterwards, off the path of
the checkout: a shadow costs the waiting customer nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from shouxin import scoring
from shouxin.decisions import store
from shouxin.decisions.domain import FEATURE_PREFIX, DecisionRecord

_AT_ONCE = 2_000
_OVERLAP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Shadowed:
    """How many decisions a challenger has spoken of now; ``unread`` lack a feature that it reads."""

    model_hash: str
    scored: int
    unread: int


def shadow(db: Connection, *, now: datetime) -> list[Shadowed]:
    """Let every challenger speak of each decision made since it last did; running it again adds nothing."""
    return [_shadowed(db, challenger, now=now) for challenger in scoring.challengers(db)]


def _shadowed(db: Connection, challenger: scoring.Artefact, *, now: datetime) -> Shadowed:
    scored = unread = 0
    after = scoring.shadowed_until(db, challenger.hash)
    started = next(
        step.at for step in reversed(scoring.stages_of(db, challenger.hash)) if step.stage == "challenger"
    )
    # One that was made earlier may have been committed later: the last hour is read again.
    place = (max(started, after - _OVERLAP) if after else started, "")
    while True:
        batch = store.list_after(db, place, limit=_AT_ONCE)
        if not batch:
            return Shadowed(challenger.hash, scored, unread)
        rows = [row for record in batch if (row := _row(challenger, record)) is not None]
        unread += len(batch) - len(rows)
        scored += scoring.keep_shadow(db, challenger.hash, rows, now=now)
        place = (batch[-1].created_at, batch[-1].decision_id)


def _row(challenger: scoring.Artefact, record: DecisionRecord) -> Mapping[str, Any] | None:
    values = {
        name.removeprefix(FEATURE_PREFIX): value
        for name, value in record.facts.items()
        if name.startswith(FEATURE_PREFIX)
    }
    try:
        score = scoring.score_one(challenger, values)
    except scoring.UnableToScore:
        return None
    return {
        "decision_id": record.decision_id,
        "points": score.points,
        "pd": score.pd,
        "decided_at": record.created_at.isoformat(),
    }
