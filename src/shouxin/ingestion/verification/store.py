"""Codes that were sent and registers that were asked: SQL in, values out."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from shouxin.ingestion.verification.domain import SentCode

_LOCK = 727014


def lock(db: Connection, token: str) -> None:
    """One sending to an address at a time, so that two at once do not both pass the limit."""
    db.execute(text("SELECT pg_advisory_xact_lock(:lock, hashtext(:token))"), {"lock": _LOCK, "token": token})


def sendings(db: Connection, token: str, *, since: datetime) -> list[datetime]:
    """When codes were sent to an address, after an instant."""
    found = db.execute(
        text("SELECT sent_at FROM ingestion.verification_code WHERE token = :token AND sent_at > :since"),
        {"token": token, "since": since},
    )
    return list(found.scalars())


def add_code(db: Connection, code: SentCode, *, now: datetime) -> None:
    """Keep what was sent."""
    db.execute(
        text(
            """
            INSERT INTO ingestion.verification_code
                (verification_id, source, customer_ref, field, token, code_hash, sent_at, expires_at)
            VALUES (:verification_id, :source, :customer_ref, :field, :token, :code_hash, :now, :expires_at)
            """
        ),
        {
            "verification_id": code.verification_id,
            "source": code.source,
            "customer_ref": code.customer_ref,
            "field": code.field,
            "token": code.token,
            "code_hash": code.code_hash,
            "now": now,
            "expires_at": code.expires_at,
        },
    )


def held_code(db: Connection, verification_id: str, *, source: str) -> SentCode | None:
    """The code of a verification, held until the transaction ends: tries are counted one by one."""
    row = db.execute(
        text(
            """
            SELECT verification_id, source, customer_ref, field, token, code_hash, expires_at, attempts,
                   closed_at
            FROM ingestion.verification_code
            WHERE verification_id = :verification_id AND source = :source FOR UPDATE
            """
        ),
        {"verification_id": verification_id, "source": source},
    ).one_or_none()
    return None if row is None else SentCode(*row)


def close_others(db: Connection, code: SentCode, *, now: datetime) -> None:
    """A new code to an address ends the earlier ones of the same customer."""
    db.execute(
        text(
            """
            UPDATE ingestion.verification_code SET closed_at = :now
            WHERE token = :token AND source = :source AND customer_ref = :customer_ref AND closed_at IS NULL
            """
        ),
        {"token": code.token, "source": code.source, "customer_ref": code.customer_ref, "now": now},
    )


def count_attempt(db: Connection, verification_id: str, *, closed_at: datetime | None) -> None:
    """One more try; ``closed_at`` when it was the last one, right or wrong."""
    db.execute(
        text(
            """
            UPDATE ingestion.verification_code
            SET attempts = attempts + 1, closed_at = coalesce(closed_at, :closed_at)
            WHERE verification_id = :verification_id
            """
        ),
        {"verification_id": verification_id, "closed_at": closed_at},
    )


def real_name_checks(db: Connection, *, source: str, customer_ref: str, now: datetime) -> int:
    """How often a register was asked about a reference within a day."""
    return int(
        db.scalar(
            text(
                """
                SELECT count(*) FROM ingestion.real_name_check
                WHERE source = :source AND customer_ref = :customer_ref AND asked_at > :since
                """
            ),
            {"source": source, "customer_ref": customer_ref, "since": now - timedelta(days=1)},
        )
    )


def add_real_name_check(
    db: Connection, *, source: str, customer_ref: str, provider: str, answer: str, now: datetime
) -> None:
    """Keep that a register was asked, and what it said."""
    db.execute(
        text(
            """
            INSERT INTO ingestion.real_name_check (source, customer_ref, provider, answer, asked_at)
            VALUES (:source, :customer_ref, :provider, :answer, :now)
            """
        ),
        {"source": source, "customer_ref": customer_ref, "provider": provider, "answer": answer, "now": now},
    )


def spend_challenge(db: Connection, challenge_hash: str, *, now: datetime) -> bool:
    """Use a challenge up; False when it was used before. Those of yesterday are forgotten."""
    db.execute(
        text("DELETE FROM ingestion.challenge_spent WHERE spent_at < :then"),
        {"then": now - timedelta(days=1)},
    )
    done = db.execute(
        text(
            """
            INSERT INTO ingestion.challenge_spent (challenge_hash, spent_at) VALUES (:hash, :now)
            ON CONFLICT DO NOTHING
            """
        ),
        {"hash": challenge_hash, "now": now},
    )
    return done.rowcount == 1
