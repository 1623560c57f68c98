"""The door: facts are let in, lose a field or are refused, as the policy of their source says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from shouxin.ingestion.consent import store
from shouxin.ingestion.consent.domain import (
    WORD_KINDS,
    ConsentPolicy,
    ConsentWord,
    LeftOut,
    needs_of,
    read_policy,
    said_by,
    screened,
)
from shouxin.ingestion.domain import IDENTITY_SEPARATOR, Fact, Refusal, check_row
from shouxin.ingestion.reading import RefusedRow
from shouxin.ingestion.store import known_identities

Other = TypeVar("Other")
Reference = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ScreenedRows:
    """Canonical rows that may go on, and rows that are refused for want of consent."""

    rows: pa.Table
    refused: tuple[RefusedRow, ...] = ()


def screen(
    db: Connection, verdicts: Sequence[Fact | Other], *, now: datetime
) -> list[Fact | Other | Refusal]:
    """Each fact as it may be kept, or the refusal of it; what is no fact stays as it is.

    Sources without a policy cost one look at a small table. Words among the facts themselves count as
    soon as they are learnt.
    """
    facts = [verdict for verdict in verdicts if isinstance(verdict, Fact)]
    policies = _policies(db, {fact.source for fact in facts})
    if not policies:
        return list(verdicts)
    governed = [fact for fact in facts if fact.source in policies]
    asking = [fact for fact in governed if needs_of(fact, policies[fact.source])]
    if not asking:
        return list(verdicts)
    words = _words(db, governed, asking)
    left_out = Counter[LeftOut]()
    judged: list[Fact | Other | Refusal] = []
    for verdict in verdicts:
        found: Fact | Other | Refusal = verdict
        if isinstance(verdict, Fact) and verdict.source in policies:
            found, gone = screened(verdict, policies[verdict.source], words)
            left_out.update(gone)
        judged.append(found)
    if left_out:
        store.add_left_out(db, left_out, now=now)
    return judged


def screen_rows(db: Connection, rows: pa.Table, *, now: datetime) -> ScreenedRows:
    """The same for a chunk of canonical rows, before the bulk check.

    A row that the check would refuse is left for it to refuse. Sources without a policy cost one look at
    a small table a chunk.
    """
    sources = pc.unique(rows.column("source")).to_pylist() if rows.num_rows else []
    policies = _policies(db, {source for source in sources if isinstance(source, str)})
    if not policies:
        return ScreenedRows(rows)
    numbers = _concerned(rows, policies)
    given = rows.take(pa.array(numbers, pa.int64())).to_pylist()
    verdicts = screen(db, [_checked(row, now=now) for row in given], now=now)
    refused: dict[int, RefusedRow] = {}
    personal: dict[int, str] = {}
    for number, row, verdict in zip(numbers, given, verdicts, strict=True):
        if isinstance(verdict, Refusal):
            refused[number] = _refused(row, verdict)
        elif isinstance(verdict, Fact) and row.get("personal"):
            personal[number] = json.dumps(verdict.personal, ensure_ascii=False)
    return ScreenedRows(_changed(rows, personal, gone=refused.keys()), tuple(refused.values()))


def _policies(db: Connection, sources: set[str]) -> dict[str, ConsentPolicy]:
    """The policies among these sources that ask for something."""
    found = store.policies(db, sources=sorted(sources)) if sources else []
    read = {row.source: read_policy(row.body) for row in found}
    return {source: policy for source, policy in read.items() if policy.asks_for_something}


def _words(
    db: Connection, governed: Sequence[Fact], asking: Sequence[Fact]
) -> dict[Reference, list[ConsentWord]]:
    """What the log and the facts themselves say, by reference.

    Of facts with one identity the first counts, and none that the log holds already: it may say
    something else there.
    """
    first: dict[Reference, Fact] = {}
    for fact in governed:
        first.setdefault((fact.source, fact.source_id), fact)
    new = {identity: word for identity, fact in first.items() if (word := said_by(fact)) is not None}
    sources, source_ids = (IDENTITY_SEPARATOR.join(identity[part] for identity in new) for part in (0, 1))
    known = known_identities(db, sources=sources, source_ids=source_ids) if new else set()
    latest = max(max(fact.received_at, fact.occurred_at) for fact in asking)
    refs = sorted({(fact.source, fact.customer_ref) for fact in asking})
    words: dict[Reference, list[ConsentWord]] = {}
    told = [word for identity, word in new.items() if identity not in known]
    for word in [*store.words(db, refs, as_of=latest, purpose=None), *told]:
        words.setdefault((word.source, word.customer_ref), []).append(word)
    return words


def _concerned(rows: pa.Table, policies: Mapping[str, ConsentPolicy]) -> list[int]:
    """The rows of sources with a policy that may need consent, or that are words."""
    held = set(rows.column_names)
    columns = [
        rows.column(name).to_pylist() if name in held else [None] * rows.num_rows
        for name in ("source", "kind", "personal")
    ]
    return [
        number
        for number, (source, kind, personal) in enumerate(zip(*columns, strict=True))
        if (policy := policies.get(source)) is not None
        and (kind in WORD_KINDS or kind in policy.kinds or (personal and policy.fields))
    ]


def _checked(row: Mapping[str, Any], *, now: datetime) -> Fact | None:
    verdict = check_row(row, now=now)
    return verdict if isinstance(verdict, Fact) else None


def _refused(row: Mapping[str, Any], verdict: Refusal) -> RefusedRow:
    raw = {name: value for name, value in row.items() if name not in {"place", "position"}}
    return RefusedRow(
        row["place"],
        row["position"],
        verdict.field,
        verdict.reason,
        row["source"],
        json.dumps(
            raw, default=lambda value: value.isoformat() if hasattr(value, "isoformat") else str(value)
        ),
        str(row["customer_ref"]),
    )


def _changed(rows: pa.Table, personal: Mapping[int, str], *, gone: Any) -> pa.Table:
    """The rows without those that are gone, and with other personal values where there are such."""
    if personal:
        values = rows.column("personal").to_pylist()
        for number, told in personal.items():
            values[number] = told
        rows = rows.set_column(rows.column_names.index("personal"), "personal", pa.array(values, pa.string()))
    if not gone:
        return rows
    return rows.take(pa.array([n for n in range(rows.num_rows) if n not in gone], pa.int64()))
