"""What customers agreed to, as of an instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from shouxin.ingestion.consent import store
from shouxin.ingestion.consent.domain import PURPOSES, ConsentStanding, ConsentWord, in_order, standing_of

Reference = tuple[str, str]


def standing(db: Connection, refs: Sequence[Reference], *, purpose: str, as_of: datetime) -> ConsentStanding:
    """What holds for the purpose, for the one customer whose (source, customer_ref) these are.

    A "no" under one reference holds for all of them. ``purpose`` is one of ``PURPOSES``.
    """
    assert purpose in PURPOSES, purpose
    return standing_of(store.words(db, refs, as_of=as_of, purpose=purpose), purpose=purpose, as_of=as_of)


def standings(db: Connection, refs: Sequence[Reference], *, as_of: datetime) -> list[ConsentStanding]:
    """What holds for every purpose, in the order of ``PURPOSES``."""
    said = store.words(db, refs, as_of=as_of, purpose=None)
    return [standing_of(said, purpose=purpose, as_of=as_of) for purpose in PURPOSES]


def allows(db: Connection, source: str, customer_ref: str, *, purpose: str, as_of: datetime) -> bool:
    """Whether this one reference has agreed to the purpose and not taken it back.

    It speaks of what was said under this reference only; of a whole customer asks ``standing``.
    """
    return standing(db, [(source, customer_ref)], purpose=purpose, as_of=as_of).is_granted


def history(db: Connection, refs: Sequence[Reference], *, as_of: datetime) -> list[ConsentWord]:
    """Every word under these references that was known at ``as_of``, the last one first."""
    return in_order(store.words(db, refs, as_of=as_of, purpose=None))[::-1]
