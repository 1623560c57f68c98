"""Counting: one count a source for every load, made from what the load knows anyway."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from shouxin.ingestion.adapting import Interpreted
from shouxin.ingestion.domain import Fact, Refusal
from shouxin.ingestion.domain.normalising import folded
from shouxin.ingestion.domain.quality import Rule, Tally, doubts_about, rule_of
from shouxin.ingestion.domain.quality.counts import FULL_WIDTH_PATTERN, KINDS_WITH_AMOUNT
from shouxin.ingestion.domain.quality.doubts import (
    AMOUNT_ZERO,
    AT_MIDNIGHT,
    CONTACT_MASKED,
    FULL_WIDTH,
    LATE,
    LATE_AFTER,
    MASKED,
)
from shouxin.ingestion.domain.quality.rules import Severity
from shouxin.ingestion.domain.registering import ADAPTER, PERSONAL_FIELDS, Registered
from shouxin.ingestion.quality import store
from shouxin.ingestion.quarantine import stored_source
from shouxin.ingestion.reading import RefusedRow

_DAY_US = 24 * 3600 * 1_000_000
_FLAWED = "flawed "
_BULK_DOUBTS = (LATE, AT_MIDNIGHT, AMOUNT_ZERO, FULL_WIDTH, CONTACT_MASKED)


def count_batch(
    db: Connection,
    verdicts: Sequence[Fact | Refusal],
    *,
    fresh: set[tuple[str, str]],
    refused: Sequence[RefusedRow],
    kept: Mapping[str, int],
    now: datetime,
) -> None:
    """Count a batch of envelopes."""
    tally, passed = Tally(), Counter[str]()
    newest: dict[str, datetime] = {}
    for fact in verdicts:
        if isinstance(fact, Fact):
            passed[fact.source] += 1
            newest[fact.source] = max(newest.get(fact.source, fact.occurred_at), fact.occurred_at)
            if doubts := doubts_about(fact):
                tally.found(fact.source, doubts)
    for source, rows in passed.items():
        tally.passed(source, rows, newest_at=newest[source])
    for source, rows in Counter(source for source, _ in fresh).items():
        tally.accepted(source, rows)
    _refuse(tally, refused, kept)
    store.append_load_counts(db, tally.counts(adapter="envelope"), now=now)


def count_chunk(
    db: Connection,
    chunk: Interpreted,
    *,
    passed: pa.Table,
    added: pa.Table,
    refused: Sequence[RefusedRow],
    kept: Mapping[str, int],
    now: datetime,
) -> None:
    """Count a chunk of a file: rows that ``passed`` the check (EVENT_SCHEMA), the ``added``, the refused."""
    tally = Tally()
    if passed.num_rows:
        pass_many(tally, passed)
    for found in added.column("source").value_counts().to_pylist():
        tally.accepted(found["values"], found["counts"])
    if chunk.repeats:
        tally.passed(chunk.adapter, chunk.repeats)
    _refuse(tally, refused, kept)
    store.append_load_counts(db, tally.counts(adapter=chunk.adapter), now=now)


def count_people(
    db: Connection,
    rows: Sequence[Mapping[str, object]],
    answers: Sequence[Registered],
    *,
    source: str,
    kept: Mapping[str, int],
    now: datetime,
) -> None:
    """Count registrations and what became of each."""
    tally = Tally()
    for row, answer in zip(rows, answers, strict=True):
        if answer.outcome == "refused":
            tally.refused(source, answer.refusals[0].text.en)
            continue
        tally.passed(source)
        if answer.outcome == "accepted":
            tally.accepted(source)
        tally.found(source, _doubts_about_person(row, answer))
    tally.kept(kept)
    store.append_load_counts(db, tally.counts(adapter=ADAPTER), now=now)


def count_malformed(
    db: Connection, refused: Sequence[RefusedRow], *, adapter: str, kept: Mapping[str, int], now: datetime
) -> None:
    """Count rows of a file that were not even rows."""
    tally = Tally()
    _refuse(tally, refused, kept)
    store.append_load_counts(db, tally.counts(adapter=adapter), now=now)


def _refuse(tally: Tally, refused: Sequence[RefusedRow], kept: Mapping[str, int]) -> None:
    for row in refused:
        tally.refused(stored_source(row.source), row.reason)
    tally.kept(kept)


def _doubts_about_person(row: Mapping[str, object], answer: Registered) -> list[Rule]:
    """Each rule once, however many fields it was found in."""
    doubts = {rule.code: rule for rule in (rule_of(doubt.text.en) for doubt in answer.warnings)}
    texts = (row.get(field) for field in PERSONAL_FIELDS)
    if any(isinstance(text, str) and not text.isascii() and _is_typed_wide(text) for text in texts):
        doubts[FULL_WIDTH.code] = FULL_WIDTH
    return list(doubts.values())


def _is_typed_wide(text: str) -> bool:
    """Whether folding makes letters or digits of a text ASCII; Chinese punctuation is no slip of the hand."""
    return sum(c.isascii() and c.isalnum() for c in folded(text)) > sum(
        c.isascii() and c.isalnum() for c in text
    )


def pass_many(tally: Tally, passed: pa.Table) -> None:
    """``doubts_about`` for a table at once, added up by source."""
    flags = _flags(passed)
    columns = {rule.code: flags[rule] for rule in _BULK_DOUBTS}
    for rule in _BULK_DOUBTS:
        if rule.severity is not Severity.NOTES:
            name, found = f"{_FLAWED}{rule.dimension}", flags[rule]
            columns[name] = pc.or_(columns[name], found) if name in columns else found
    table = pa.table({"source": passed.column("source"), "at": passed.column("occurred_at"), **columns})
    for row in _sums_by_source(table, list(columns)):
        tally.passed(row["source"], row["source_count"], newest_at=row["at_max"])
        sums = {name: row[f"{name}_sum"] for name in columns}
        tally.found_many(
            row["source"],
            {name: rows for name, rows in sums.items() if not name.startswith(_FLAWED)},
            {name.removeprefix(_FLAWED): rows for name, rows in sums.items() if name.startswith(_FLAWED)},
        )


def _sums_by_source(table: pa.Table, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Rows, newest time and sums of the columns of each source; nearly all chunks are of one source."""
    sources = table.column("source").unique().to_pylist()
    if len(sources) == 1:
        sums = {f"{name}_sum": pc.sum(table.column(name)).as_py() for name in columns}
        newest = pc.max(table.column("at")).as_py()
        return [{"source": sources[0], "source_count": table.num_rows, "at_max": newest, **sums}]
    summing = [("source", "count"), ("at", "max"), *((name, "sum") for name in columns)]
    rows: list[dict[str, Any]] = table.group_by("source").aggregate(summing).to_pylist()
    return rows


def _flags(passed: pa.Table) -> dict[Rule, pa.ChunkedArray]:
    """For each doubt, which rows have it."""
    moment = passed.column("occurred_at").cast(pa.int64())
    waited = pc.subtract(passed.column("received_at").cast(pa.int64()), moment)
    # Whole days by division: Arrow has no remainder.
    whole_days = pc.multiply(pc.divide(moment, _DAY_US), _DAY_US)
    has_amount = pc.is_in(passed.column("kind"), value_set=pa.array(KINDS_WITH_AMOUNT))
    is_zero = pc.fill_null(pc.equal(passed.column("amount_minor"), 0), fill_value=False)
    return {
        LATE: pc.greater(waited, int(LATE_AFTER.total_seconds()) * 1_000_000),
        AT_MIDNIGHT: pc.equal(moment, whole_days),
        AMOUNT_ZERO: pc.and_(has_amount, is_zero),
        FULL_WIDTH: pc.or_(*(_wide(passed.column(name)) for name in ("customer_ref", "source_id"))),
        CONTACT_MASKED: _masked(passed.column("payload")),
    }


def _masked(payloads: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which payloads were masked; where the letters stand nowhere at all, no row is looked at."""
    texts = [chunk.buffers()[2] for chunk in payloads.chunks]
    if any(text is not None and MASKED.encode() in text.to_pybytes() for text in texts):
        return pc.match_substring(payloads, MASKED)
    return pc.is_null(payloads)


def _wide(references: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which references hold full-width letters; nearly all tables hold none at all."""
    is_plain = pc.string_is_ascii(references)
    if pc.all(is_plain).as_py():
        return pc.invert(is_plain)
    return pc.match_substring_regex(references, FULL_WIDTH_PATTERN)
