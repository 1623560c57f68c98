"""Erase what was taken in of some references, and refuse what comes of them afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import pyarrow as pa
from sqlalchemy import Connection, RowMapping

from shouxin.governance import Keyring, erase_subjects, erased_subjects, sealer
from shouxin.governance.domain import SEALED_FIELDS
from shouxin.ingestion import quarantine, store
from shouxin.ingestion.bulk import Screened
from shouxin.ingestion.domain import Fact, Refusal
from shouxin.ingestion.erasure import store as erasure_store
from shouxin.ingestion.erasure.domain import IDENTIFYING_FIELDS, needles, tells
from shouxin.ingestion.opening import opened_values
from shouxin.ingestion.reading import RefusedRow

REASON = "its customer was erased; send nothing personal of them"
_ROWS = 5_000
_Verdict = TypeVar("_Verdict", Fact | Refusal, Fact | Refusal | None)


@dataclass(frozen=True, slots=True)
class ErasedValues:
    """How much went: sealed values, one-time codes, refused rows.

    ``rows_left`` counts refused rows of *other* customers that hold the same phone, e-mail or national id:
    those are theirs, and go with them.
    """

    values: int
    codes: int
    rows: int
    rows_left: int


def erase_references(
    db: Connection, keyring: Keyring, refs: Sequence[tuple[str, str]], *, now: datetime
) -> ErasedValues:
    """Erase everything personal of these references. Raises UnableToErase while somebody writes of them.

    After the commit ``governance.destroy_erased_keys`` makes older copies of the database unreadable, too.
    """
    subjects = [f"{source}:{ref}" for source, ref in refs]
    looked_for = _identifiers(db, keyring, refs)
    found = erasure_store.refused_rows_of(db, refs, subjects=subjects)
    nobodys, left = _rows_that_tell(db, keyring, looked_for, skipped={row["quarantine_no"] for row in found})
    rows = {row["quarantine_no"]: row["subject"] for row in (*found, *nobodys)}
    own = {subject for subject in rows.values() if quarantine.is_own_subject(subject)}
    erase_subjects(db, {*subjects, *own}, now=now)
    erasure_store.empty_rows(db, list(rows))
    return ErasedValues(
        values=erasure_store.remove_personal(db, refs),
        codes=erasure_store.remove_codes(db, refs),
        rows=len(rows),
        rows_left=left,
    )


def refuse_erased(db: Connection, verdicts: Sequence[_Verdict]) -> list[_Verdict]:
    """The same verdicts, but a fact that would seal something of an erased customer is refused."""
    subjects = {_subject(one) for one in verdicts if isinstance(one, Fact) and _would_seal(one)}
    gone = erased_subjects(db, subjects)
    return [
        Refusal("personal", REASON)
        if isinstance(one, Fact) and _would_seal(one) and _subject(one) in gone
        else one
        for one in verdicts
    ]


def without_erased(db: Connection, found: Screened, rows: pa.Table) -> Screened:
    """The same for a chunk of a file; ``rows`` is what it was screened from."""
    gone = erased_subjects(db, {_subject(fact) for _, fact in found.personal if _would_seal(fact)})
    if not gone:
        return found
    erased = {position: fact for position, fact in found.personal if _subject(fact) in gone}
    places = dict(zip(rows.column("position").to_pylist(), rows.column("place").to_pylist(), strict=True))
    positions = found.table.column("position").to_pylist()
    kept = pa.array([row for row, position in enumerate(positions) if position not in erased], pa.int64())
    refused = [
        RefusedRow(places[position], position, "personal", REASON, fact.source, "", fact.customer_ref)
        for position, fact in erased.items()
        if position in set(positions)
    ]
    personal = tuple(item for item in found.personal if item[0] not in erased)
    return replace(found, table=found.table.take(kept), personal=personal, refused=(*found.refused, *refused))


def _identifiers(db: Connection, keyring: Keyring, refs: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Every phone, e-mail and national id that was ever told under these references."""
    facts = [fact for fact in store.personal_facts(db, refs) if fact.field in IDENTIFYING_FIELDS]
    opened = opened_values(db, keyring, facts)
    return needles((fact.field, value) for fact, value in opened.items())


def _rows_that_tell(
    db: Connection, keyring: Keyring, looked_for: frozenset[str], *, skipped: set[int]
) -> tuple[list[RowMapping], int]:
    """Refused rows of nobody we know that hold an identifier, and how many of other customers do."""
    nobodys: list[RowMapping] = []
    left = after = 0
    while looked_for and (rows := erasure_store.refused_rows(db, after=after, limit=_ROWS)):
        after = rows[-1]["quarantine_no"]
        safe = sealer(db, keyring)
        safe.load({row["subject"] for row in rows})
        for row in rows:
            if row["quarantine_no"] in skipped:
                continue
            if tells(quarantine.opened(safe, row), looked_for):
                left += bool(row["of_customer"])
                nobodys += [] if row["of_customer"] else [row]
    return nobodys, left


def _would_seal(fact: Fact) -> bool:
    return not fact.personal.keys().isdisjoint(SEALED_FIELDS)


def _subject(fact: Fact) -> str:
    return f"{fact.source}:{fact.customer_ref}"
