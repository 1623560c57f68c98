"""Opening what a customer last told: for doors that must send a code or ask a register, never for a page."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from shouxin.governance import Keyring, UnableToOpen
from shouxin.governance.domain import SEALED_FIELDS
from shouxin.ingestion.domain import present_values
from shouxin.ingestion.opening import opened_values
from shouxin.ingestion.service import personal_facts


def clear_values(
    db: Connection,
    keyring: Keyring,
    references: Sequence[tuple[str, str]],
    *,
    fields: Sequence[str] = SEALED_FIELDS,
) -> dict[str, str]:
    """The last clear value of each of these fields; nothing of somebody who was erased."""
    last = present_values(fact for fact in personal_facts(db, references) if fact.field in fields)
    try:
        return {fact.field: value for fact, value in opened_values(db, keyring, last.values()).items()}
    except UnableToOpen:
        return {}
