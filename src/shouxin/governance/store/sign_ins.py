"""Sign-in guards and sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from shouxin.governance.domain.access import Guard
from shouxin.governance.domain.people import Operator
from shouxin.governance.store.operators import operator_of


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as stored, with its operator as they are now."""

    operator: Operator
    signed_in_at: datetime
    last_seen_at: datetime


def held_guard(db: Connection, name_token: str) -> Guard:
    """The guard of a name, held until the transaction ends: guesses at once still count one by one."""
    row = db.execute(
        text(
            """
            INSERT INTO governance.sign_in_guard (name_token, failures) VALUES (:name_token, 0)
            ON CONFLICT (name_token) DO UPDATE SET failures = sign_in_guard.failures
            RETURNING failures, last_failed_at, locked_until
            """
        ),
        {"name_token": name_token},
    ).one()
    return Guard(row.failures, row.last_failed_at, row.locked_until)


def set_guard(db: Connection, name_token: str, guard: Guard) -> None:
    """Keep how a name stands now."""
    db.execute(
        text(
            """
            UPDATE governance.sign_in_guard
            SET failures = :failures, last_failed_at = :last_failed_at, locked_until = :locked_until
            WHERE name_token = :name_token
            """
        ),
        {
            "name_token": name_token,
            "failures": guard.failures,
            "last_failed_at": guard.last_failed_at,
            "locked_until": guard.locked_until,
        },
    )


def add_session(db: Connection, *, token_hash: str, operator_id: str, now: datetime) -> None:
    """Keep a new session."""
    db.execute(
        text(
            """
            INSERT INTO governance.session (token_hash, operator_id, signed_in_at, last_seen_at)
            VALUES (:token_hash, :operator_id, :now, :now)
            """
        ),
        {"token_hash": token_hash, "operator_id": operator_id, "now": now},
    )


def session(db: Connection, token_hash: str) -> SessionRow | None:
    """The session of this token, ended or not."""
    row = db.execute(
        text(
            """
            SELECT s.signed_in_at, s.last_seen_at,
                   o.operator_id, o.name, o.display_name, o.roles, o.language
            FROM governance.session s JOIN governance.operator o USING (operator_id)
            WHERE s.token_hash = :token_hash
            """
        ),
        {"token_hash": token_hash},
    ).one_or_none()
    return SessionRow(operator_of(row), row.signed_in_at, row.last_seen_at) if row else None


def touch_session(db: Connection, token_hash: str, *, now: datetime) -> None:
    """Somebody used the session."""
    db.execute(
        text("UPDATE governance.session SET last_seen_at = :now WHERE token_hash = :token_hash"),
        {"now": now, "token_hash": token_hash},
    )


def remove_session(db: Connection, token_hash: str) -> str | None:
    """End a session; returns whose it was."""
    operator_id: str | None = db.scalar(
        text("DELETE FROM governance.session WHERE token_hash = :token_hash RETURNING operator_id"),
        {"token_hash": token_hash},
    )
    return operator_id


def remove_sessions_of(db: Connection, operator_id: str) -> None:
    """End all sessions of an operator."""
    db.execute(
        text("DELETE FROM governance.session WHERE operator_id = :operator_id"),
        {"operator_id": operator_id},
    )


def remove_ended(db: Connection, *, seen_before: datetime, signed_in_before: datetime) -> None:
    """Forget sessions that have ended by themselves."""
    db.execute(
        text(
            """
            DELETE FROM governance.session
            WHERE last_seen_at < :seen_before OR signed_in_at < :signed_in_before
            """
        ),
        {"seen_before": seen_before, "signed_in_before": signed_in_before},
    )
