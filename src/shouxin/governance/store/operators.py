"""Operators, their invitations and their credentials."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from shouxin.governance.domain.people import Operator, Role

_COLUMNS = "o.operator_id, o.name, o.display_name, o.roles, o.language"


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation as stored."""

    token_hash: str
    operator: Operator
    expires_at: datetime
    totp_sealed: bytes | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Credential:
    """What an operator signs in with, as stored."""

    password_hash: str = field(repr=False)
    totp_sealed: bytes = field(repr=False)
    totp_step_used: int


def add_operator(db: Connection, operator: Operator, *, now: datetime) -> bool:
    """Keep a new operator; False when the name is taken."""
    result = db.execute(
        text(
            """
            INSERT INTO governance.operator (operator_id, name, display_name, roles, language, invited_at)
            VALUES (:operator_id, :name, :display_name, :roles, :language, :now)
            ON CONFLICT (name) DO NOTHING
            """
        ),
        {
            "operator_id": operator.operator_id,
            "name": operator.name,
            "display_name": operator.display_name,
            "roles": sorted(operator.roles),
            "language": operator.language,
            "now": now,
        },
    )
    return result.rowcount == 1


def operator_by_id(db: Connection, operator_id: str) -> Operator | None:
    """The operator of this id."""
    query = text(f"SELECT {_COLUMNS} FROM governance.operator o WHERE operator_id = :operator_id")
    row = db.execute(query, {"operator_id": operator_id}).one_or_none()
    return operator_of(row) if row else None


def operator_by_name(db: Connection, name: str) -> Operator | None:
    """The operator who signs in under this name."""
    query = text(f"SELECT {_COLUMNS} FROM governance.operator o WHERE name = :name")
    row = db.execute(query, {"name": name}).one_or_none()
    return operator_of(row) if row else None


def all_operators(db: Connection) -> list[tuple[Operator, bool]]:
    """Every operator by name, and whether they have set their credentials."""
    rows = db.execute(
        text(
            f"""
            SELECT {_COLUMNS}, c.operator_id IS NOT NULL AS ready
            FROM governance.operator o LEFT JOIN governance.credential c USING (operator_id)
            ORDER BY o.name
            """
        )
    )
    return [(operator_of(row), row.ready) for row in rows]


def add_invitation(
    db: Connection, operator_id: str, *, token_hash: str, now: datetime, expires_at: datetime
) -> None:
    """Keep a new invitation, and close those that the operator still had."""
    values = {"operator_id": operator_id, "token_hash": token_hash, "now": now, "expires_at": expires_at}
    db.execute(
        text(
            """
            UPDATE governance.invitation SET closed_at = :now, totp_sealed = NULL
            WHERE operator_id = :operator_id AND closed_at IS NULL
            """
        ),
        values,
    )
    db.execute(
        text(
            """
            INSERT INTO governance.invitation (token_hash, operator_id, invited_at, expires_at)
            VALUES (:token_hash, :operator_id, :now, :expires_at)
            """
        ),
        values,
    )


def invitation(db: Connection, token_hash: str) -> InvitationRow | None:
    """The invitation of this token, held until the transaction ends so that it is used once."""
    row = db.execute(
        text(
            f"""
            SELECT {_COLUMNS}, i.token_hash, i.expires_at, i.totp_sealed, i.closed_at
            FROM governance.invitation i JOIN governance.operator o USING (operator_id)
            WHERE i.token_hash = :token_hash FOR UPDATE OF i
            """
        ),
        {"token_hash": token_hash},
    ).one_or_none()
    if row is None:
        return None
    sealed = bytes(row.totp_sealed) if row.totp_sealed is not None else None
    return InvitationRow(row.token_hash, operator_of(row), row.expires_at, sealed, row.closed_at)


def keep_totp(db: Connection, token_hash: str, *, totp_sealed: bytes) -> None:
    """Keep the code secret that was shown for this invitation."""
    db.execute(
        text("UPDATE governance.invitation SET totp_sealed = :sealed WHERE token_hash = :token_hash"),
        {"sealed": totp_sealed, "token_hash": token_hash},
    )


def close_invitation(db: Connection, token_hash: str, *, now: datetime) -> None:
    """The invitation is used; its code secret lives on with the credential only."""
    db.execute(
        text(
            """
            UPDATE governance.invitation SET closed_at = :now, totp_sealed = NULL
            WHERE token_hash = :token_hash
            """
        ),
        {"now": now, "token_hash": token_hash},
    )


def set_credential(db: Connection, operator_id: str, credential: Credential, *, now: datetime) -> None:
    """Set what the operator signs in with, in place of what was."""
    db.execute(
        text(
            """
            INSERT INTO governance.credential (
                operator_id, password_hash, totp_sealed, totp_step_used, set_at)
            VALUES (:operator_id, :password_hash, :totp_sealed, :step, :now)
            ON CONFLICT (operator_id) DO UPDATE SET
                password_hash = EXCLUDED.password_hash, totp_sealed = EXCLUDED.totp_sealed,
                totp_step_used = EXCLUDED.totp_step_used, set_at = EXCLUDED.set_at
            """
        ),
        {
            "operator_id": operator_id,
            "password_hash": credential.password_hash,
            "totp_sealed": credential.totp_sealed,
            "step": credential.totp_step_used,
            "now": now,
        },
    )


def sign_in_facts(db: Connection, name: str) -> tuple[Operator, Credential] | None:
    """Who signs in under this name and with what: one query, whether somebody does or not."""
    row = db.execute(
        text(
            f"""
            SELECT {_COLUMNS}, c.password_hash, c.totp_sealed, c.totp_step_used
            FROM governance.operator o JOIN governance.credential c USING (operator_id)
            WHERE o.name = :name
            """
        ),
        {"name": name},
    ).one_or_none()
    if row is None:
        return None
    return operator_of(row), Credential(row.password_hash, bytes(row.totp_sealed), row.totp_step_used)


def use_step(db: Connection, operator_id: str, *, step: int) -> bool:
    """Mark a code as used; False when it, or a later one, was used already."""
    result = db.execute(
        text(
            """
            UPDATE governance.credential SET totp_step_used = :step
            WHERE operator_id = :operator_id AND totp_step_used < :step
            """
        ),
        {"operator_id": operator_id, "step": step},
    )
    return result.rowcount == 1


def operator_of(row: Row[Any]) -> Operator:
    """The operator in a joined row."""
    roles = frozenset(Role(role) for role in row.roles)
    return Operator(row.operator_id, row.name, row.display_name, roles, row.language)
