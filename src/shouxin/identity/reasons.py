"""Reasons: what an operator writes is kept for ever, so it must not say who the customer is."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from shouxin import ingestion
from shouxin.governance import Keyring
from shouxin.ingestion.domain import present_values
from shouxin.ingestion.erasure.domain import folded_text

# Shorter ones are part of many words: Li of "listed", 明 of 说明.
_TOLD_LENGTH_MIN = 2
_TOLD_LENGTH_MIN_ASCII = 5


def reason_tells(db: Connection, keyring: Keyring, refs: Sequence[tuple[str, str]], reason: str) -> bool:
    """Whether a reason holds a personal value of the customer as it stands now, however it is spelled."""
    facts = present_values(ingestion.personal_facts(db, refs)).values()
    values = ingestion.opened_values(db, keyring, facts).values()
    told = folded_text(reason)
    return any(_is_long(value) and folded_text(value) in told for value in values)


def _is_long(value: str) -> bool:
    return len(value) >= (_TOLD_LENGTH_MIN_ASCII if value.isascii() else _TOLD_LENGTH_MIN)
