"""Bulk: the same rules for a hundred thousand rows at a time.

DuckDB types the columns and marks the rows that are *plain*: every rule outside the payload holds
at first sight. Plain rows need only their payload decoded; all others pass the full check of
``domain``, which alone decides and names the reason. Plain is never more generous than the check
(a property test holds the two against each other).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from shouxin.governance.domain import SEALED_FIELDS
from shouxin.ingestion.domain import (
    EARLIEST,
    IDENTITY_SEPARATOR,
    Fact,
    are_payloads,
    check_row,
    missing_proof,
    payload_with_tokens,
    plain_payload,
    read_personal,
)
from shouxin.ingestion.plain_sql import joined_payloads_sql, typed_sql
from shouxin.ingestion.querying import query_table, working_engine
from shouxin.ingestion.reading import RefusedRow

EVENT_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("source_id", pa.string()),
        ("kind", pa.string()),
        ("version", pa.int16()),
        ("customer_ref", pa.string()),
        ("occurred_at", pa.timestamp("us", "UTC")),
        ("received_at", pa.timestamp("us", "UTC")),
        ("order_ref", pa.string()),
        ("amount_minor", pa.int64()),
        ("currency", pa.string()),
        ("payload", pa.string()),
    ]
)
_TIMES = ("occurred_at", "received_at")
_OF_FACTS = ("source", "source_id", "kind", "version", "customer_ref", *_TIMES, "order_ref")
_POSITIONED_SCHEMA = EVENT_SCHEMA.append(pa.field("position", pa.int32()))
Token = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Screened:
    """A chunk after the check: a table of what is taken, facts with clear values, what is refused.

    ``passed`` is the table before rows of one identity were made one.
    """

    table: pa.Table
    passed: pa.Table
    personal: tuple[tuple[int, Fact], ...]
    refused: tuple[RefusedRow, ...]


def screened(rows: pa.Table, *, now: datetime, token: Token) -> Screened:
    """Check canonical rows (text or typed columns, with ``place`` and ``position``).

    ``token`` names personal values; the table that comes back holds tokens only, and of rows with
    one identity the first. Clear values stay in ``personal`` (by position), in memory.
    """
    if not rows.num_rows:
        empty = _POSITIONED_SCHEMA.empty_table()
        return Screened(empty, empty, (), ())
    with working_engine() as engine:
        engine.register("given", rows)
        typed = query_table(engine, typed_sql(rows, now=now)).combine_chunks()
        engine.register("typed", typed)
        joined = query_table(engine, joined_payloads_sql()).to_pylist()
    assert np.array_equal(typed["position"], rows["position"]), "rows keep their order"
    plain = _plain_rows(typed, _decodable_kinds(joined), token=token)
    facts, refused = _checked_rows(rows, np.flatnonzero(~plain.taken).tolist(), now=now)
    table = pa.concat_tables([plain.table, _facts_table(facts, token)])
    personal = [*plain.personal, *((position, fact) for position, fact in facts if fact.personal)]
    return Screened(_first_of_each(table), table, tuple(personal), tuple(refused))


def without_known(found: Screened, known: set[tuple[str, str]]) -> tuple[pa.Table, list[Fact]]:
    """The rows (EVENT_SCHEMA) that the log does not hold yet, and their facts with values to seal."""
    table = found.table
    if known:
        pairs = zip(*identities(table), strict=True)
        rows = [row for row, identity in enumerate(pairs) if identity not in known]
        table = table.take(pa.array(rows, pa.int64()))
    to_seal = [item for item in found.personal if not item[1].personal.keys().isdisjoint(SEALED_FIELDS)]
    kept = np.isin([position for position, _ in to_seal], table["position"])
    return table.drop_columns("position"), [
        fact for (_, fact), is_kept in zip(to_seal, kept, strict=True) if is_kept
    ]


def table_csv(table: pa.Table) -> memoryview:
    """The rows as CSV without a header: nothing for null, ``""`` for an empty text."""
    times = ", ".join(f"CAST(CAST({name} AS TIMESTAMP) AS VARCHAR) || '+00' AS {name}" for name in _TIMES)
    with working_engine() as engine:
        engine.register("given", table)
        # Arrow needs five times as long to spell a time as DuckDB.
        spelled = query_table(engine, f"SELECT * REPLACE ({times}) FROM given")
    buffer = pa.BufferOutputStream()
    pa_csv.write_csv(spelled, buffer, pa_csv.WriteOptions(include_header=False))
    return memoryview(buffer.getvalue())


def identities(table: pa.Table) -> tuple[list[str], list[str]]:
    """The source and the source_id of each row."""
    return table["source"].to_pylist(), table["source_id"].to_pylist()


def joined_identities(table: pa.Table) -> tuple[str, str]:
    """The sources and the source_ids of the rows, each as one text, as the store asks for them."""
    columns = (table[name].combine_chunks() for name in ("source", "source_id"))
    whole = (pa.ListArray.from_arrays([0, table.num_rows], column) for column in columns)
    sources, source_ids = (pc.binary_join(array, IDENTITY_SEPARATOR)[0].as_py() for array in whole)
    return sources, source_ids


@dataclass(frozen=True, slots=True)
class _Plain:
    """The plain rows whose payload is in order, those with values to seal, and a mask of the former."""

    table: pa.Table
    personal: list[tuple[int, Fact]]
    taken: npt.NDArray[np.bool_]


def _decodable_kinds(joined: Iterable[Mapping[str, Any]]) -> list[str]:
    """The kinds whose payloads of this chunk are all in order; the others are looked at one by one."""
    return [row["kind"] for row in joined if are_payloads(row["kind"], row["payloads"], count=row["rows"])]


def _plain_rows(typed: pa.Table, decodable: Sequence[str], *, token: Token) -> _Plain:
    plain = typed["is_plain"].to_numpy()
    sound = pc.is_in(typed["kind"], pa.array(decodable, pa.string())).to_numpy()
    taken = plain & sound & ~typed["is_escaped"].to_numpy()
    spelled: dict[int, str] = {}  # payloads that are stored otherwise than they came, by row
    for row, kind, payload in _cells(typed, plain & ~taken, "kind", "payload"):
        text = plain_payload(kind, payload)
        if text is not None:
            taken[row], spelled[row] = True, text
    to_seal: dict[int, dict[str, str]] = {}
    has_personal = typed["personal"].is_valid().to_numpy()
    for row, kind, payload, personal in _cells(typed, taken & has_personal, "kind", "payload", "personal"):
        text, values = spelled.get(row, payload).encode(), read_personal(kind, personal)
        if values is None or missing_proof(kind, text, values):
            taken[row] = False
            continue
        tokens = {field: token(field, value) for field, value in values.items()}
        spelled[row] = payload_with_tokens(text, tokens).decode()
        if not values.keys().isdisjoint(SEALED_FIELDS):
            to_seal[row] = values
    typed = _with_payloads(typed, spelled)
    table = typed.filter(pa.array(taken)).select(_POSITIONED_SCHEMA.names).cast(_POSITIONED_SCHEMA)
    return _Plain(table, _facts_with_values(typed, to_seal), taken)


def _cells(typed: pa.Table, chosen: npt.NDArray[np.bool_], *names: str) -> Iterator[tuple[Any, ...]]:
    """The number of each chosen row, and its cells."""
    numbers = np.flatnonzero(chosen)
    rows = typed.select(names).take(pa.array(numbers))
    return zip(numbers.tolist(), *(rows[name].to_pylist() for name in names), strict=True)


def _with_payloads(typed: pa.Table, spelled: Mapping[int, str]) -> pa.Table:
    """The rows, some payloads exchanged."""
    changed = np.zeros(typed.num_rows, dtype=bool)
    changed[list(spelled)] = True
    texts = pa.array([spelled[row] for row in sorted(spelled)], pa.string())
    payloads = pc.replace_with_mask(typed["payload"].combine_chunks(), pa.array(changed), texts)
    return typed.set_column(typed.column_names.index("payload"), "payload", payloads)


def _facts_with_values(typed: pa.Table, to_seal: Mapping[int, dict[str, str]]) -> list[tuple[int, Fact]]:
    """The rows that hold something to seal, as facts, by position."""
    rows = typed.take(pa.array(to_seal, pa.int64()))
    named = [_instants(rows[name]) if name in _TIMES else rows[name].to_pylist() for name in _OF_FACTS]
    return [
        # Nothing that is sealed hangs on an amount.
        (
            position,
            Fact(
                **dict(zip(_OF_FACTS, cells, strict=True)),
                amount=None,
                payload=payload.encode(),
                personal=values,
            ),
        )
        for position, payload, values, *cells in zip(
            rows["position"].to_pylist(), rows["payload"].to_pylist(), to_seal.values(), *named, strict=True
        )
    ]


def _instants(column: pa.ChunkedArray) -> list[datetime]:
    """Times of a column; Arrow itself asks a calendar of zones for each of them."""
    return [EARLIEST + timedelta(microseconds=n) for n in column.cast(pa.int64()).to_pylist()]


def _facts_table(facts: Iterable[tuple[int, Fact]], token: Token) -> pa.Table:
    rows = []
    for position, fact in facts:
        tokens = {field: token(field, value) for field, value in fact.personal.items()}
        row = {name: getattr(fact, name, None) for name in EVENT_SCHEMA.names}
        row["payload"] = payload_with_tokens(fact.payload, tokens).decode()
        row["amount_minor"] = None if fact.amount is None else fact.amount.minor
        row["currency"] = None if fact.amount is None else fact.amount.currency
        rows.append(row | {"position": position})
    return pa.Table.from_pylist(rows, schema=_POSITIONED_SCHEMA)


def _checked_rows(
    rows: pa.Table, numbers: Sequence[int], *, now: datetime
) -> tuple[list[tuple[int, Fact]], list[RefusedRow]]:
    """The full check, row by row: facts by position, and refusals."""
    facts, refused = [], []
    for row in rows.take(pa.array(numbers, pa.int64())).to_pylist():
        place, position = row.pop("place"), row.pop("position")
        verdict = check_row(row, now=now)
        if isinstance(verdict, Fact):
            facts.append((position, verdict))
            continue
        source, reference = row.get("source"), row.get("customer_ref")
        refused.append(
            RefusedRow(
                place,
                position,
                verdict.field,
                verdict.reason,
                source if isinstance(source, str) else "",
                json.dumps(row, default=_spelled),
                reference if isinstance(reference, str) else None,
            )
        )
    return facts, refused


def _spelled(value: Any) -> str:
    """A cell of a typed file that JSON has no word for."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _first_of_each(table: pa.Table) -> pa.Table:
    """Of rows with one identity, the one that stood first."""
    names = table["source_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    repeated = np.bincount(names)[names] > 1  # of these alone the source is looked at
    if not repeated.any():
        return table
    first: set[tuple[str, str]] = set()
    rows = np.flatnonzero(repeated)
    rows = rows[np.argsort(table["position"].to_numpy()[rows])]
    kept = ~repeated
    for row, source, source_id in zip(rows.tolist(), *identities(table.take(pa.array(rows))), strict=True):
        kept[row] = (source, source_id) not in first
        first.add((source, source_id))
    return table.filter(pa.array(kept))
