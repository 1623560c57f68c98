"""Encoded records, their keys, and the pairs that weigh enough: SQL in, values out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from shouxin.identity.domain import Encoded

Reference = tuple[str, str]
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stored:
    """A customer's number, id, and of how many values their record was made (0: none is kept)."""

    customer_no: int
    customer_id: str
    facts: int


def stored(db: Connection, refs: Sequence[Reference]) -> dict[Reference, Stored]:
    """The customer of each reference that has one of its own, and what is kept of it."""
    rows = db.execute(
        text(
            """
            SELECT r.source, r.customer_ref, c.customer_no, c.customer_id, coalesce(m.facts, 0) AS facts
            FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[])) AS r (source, customer_ref)
            -- Lateral: steps through an index a row, whatever the planner knows of the tables.
            CROSS JOIN LATERAL (SELECT customer_id FROM identity.link l WHERE l.source = r.source
                AND l.customer_ref = r.customer_ref OFFSET 0) AS l
            CROSS JOIN LATERAL (SELECT customer_no, customer_id FROM identity.customer c
                WHERE c.customer_id = l.customer_id OFFSET 0) AS c
            LEFT JOIN LATERAL (SELECT facts FROM identity.match_record m
                WHERE m.customer_no = c.customer_no OFFSET 0) AS m ON true
            """
        ),
        {"sources": [source for source, _ in refs], "refs": [ref for _, ref in refs]},
    )
    return {(row.source, row.customer_ref): Stored(*row[2:]) for row in rows}


def put_records(db: Connection, records: Mapping[int, Encoded], *, facts: Mapping[int, int]) -> None:
    """Keep these records, by customer's number, instead of what was kept of them."""
    db.execute(
        text(
            """
            INSERT INTO identity.match_record (customer_no, facts, fields, codes)
            SELECT no, facts, fields, CAST(codes AS bigint[])
            FROM unnest(CAST(:nos AS bigint[]), CAST(:facts AS int[]), CAST(:fields AS int[]),
                        CAST(:codes AS text[])) AS n (no, facts, fields, codes)
            ON CONFLICT (customer_no) DO UPDATE
            SET facts = excluded.facts, fields = excluded.fields, codes = excluded.codes
            """
        ),
        {
            "nos": list(records),
            "facts": [facts[no] for no in records],
            "fields": [record.fields for record in records.values()],
            "codes": [f"{{{','.join(map(str, sorted(r.codes)))}}}" for r in records.values()],
        },
    )
    _forget(db, ["match_key"], list(records))
    db.execute(
        text(
            """
            INSERT INTO identity.match_key (key, customer_no)
            SELECT * FROM unnest(CAST(:keys AS bigint[]), CAST(:nos AS bigint[]))
            """
        ),
        _by_key(records),
    )


def candidates(
    db: Connection, records: Mapping[int, Encoded], *, shared_max: int
) -> Iterator[tuple[int, int, str, Encoded]]:
    """(given number, another's number, id and record) of all who share a key that tells something.

    A key tells nothing when more than ``shared_max`` records share it. One statement, however many are given.
    """
    rows = db.execute(
        text(
            """
            WITH found AS (
                SELECT DISTINCT given.no, shared.customer_no
                FROM unnest(CAST(:keys AS bigint[]), CAST(:nos AS bigint[])) AS given (key, no)
                CROSS JOIN LATERAL (
                    SELECT customer_no, count(*) OVER () AS holders FROM (
                        SELECT k.customer_no FROM identity.match_key k WHERE k.key = given.key LIMIT :many
                    ) AS few
                ) AS shared
                WHERE shared.holders < :many AND shared.customer_no <> given.no
            )
            SELECT found.no, r.customer_no, r.customer_id, r.fields, r.codes
            FROM found CROSS JOIN LATERAL (
                -- Lateral: steps through an index a record, whatever the planner knows of the tables.
                SELECT * FROM identity.match_record m JOIN identity.customer c USING (customer_no)
                WHERE m.customer_no = found.customer_no OFFSET 0
            ) AS r
            """
        ),
        {**_by_key(records), "many": shared_max + 1},
    )
    for no, other, customer_id, fields, codes in rows:
        yield no, other, customer_id, Encoded(fields, frozenset(codes))


def put_pairs(db: Connection, customers: Sequence[int], pairs: Mapping[Pair, int]) -> list[int]:
    """Keep these pairs of the given customers, not those of before; returns who was in those."""
    gone = db.execute(
        text(
            """
            DELETE FROM identity.match_pair
            WHERE one_no = ANY (CAST(:nos AS bigint[])) OR other_no = ANY (CAST(:nos AS bigint[]))
            RETURNING one_no, other_no
            """
        ),
        {"nos": list(customers)},
    ).all()
    db.execute(
        text(
            """
            INSERT INTO identity.match_pair (one_no, other_no, micro_bits)
            SELECT * FROM unnest(CAST(:ones AS bigint[]), CAST(:others AS bigint[]), CAST(:bits AS int[]))
            """
        ),
        {
            "ones": [one for one, _ in pairs],
            "others": [other for _, other in pairs],
            "bits": list(pairs.values()),
        },
    )
    return [no for row in gone for no in row]


def drop_crowded_pairs(db: Connection, customers: Sequence[int], *, shared_max: int) -> list[int]:
    """Forget pairs held by nothing but keys that these customers made too common; returns who was in them."""
    values = {"nos": list(customers), "most": shared_max, "many": shared_max + 1}
    crowded = list(db.execute(text(_CROWDED), values).scalars())
    if not crowded:
        return []
    gone = db.execute(text(_DROP_CROWDED), {**values, "keys": crowded}).all()
    return [no for row in gone for no in row]


# Keys that were told apart by few before the given customers came, and are shared by too many since.
_CROWDED = """
    WITH given AS MATERIALIZED (
        SELECT key, count(*) AS added FROM identity.match_key
        WHERE customer_no = ANY (CAST(:nos AS bigint[])) GROUP BY key
    )
    SELECT key FROM given CROSS JOIN LATERAL (
        SELECT count(*) AS held FROM (
            SELECT FROM identity.match_key h WHERE h.key = given.key LIMIT :many + given.added
        ) AS few
    ) AS counted
    WHERE held > :most AND held - added <= :most"""
_DROP_CROWDED = """
    WITH suspect AS MATERIALIZED (
        SELECT DISTINCT p.one_no, p.other_no
        FROM identity.match_key one JOIN identity.match_pair p ON p.one_no = one.customer_no
        JOIN identity.match_key other ON other.customer_no = p.other_no AND other.key = one.key
        WHERE one.key = ANY (CAST(:keys AS bigint[]))
    )
    DELETE FROM identity.match_pair p USING suspect s
    WHERE p.one_no = s.one_no AND p.other_no = s.other_no AND NOT EXISTS (
        SELECT FROM identity.match_key a JOIN identity.match_key b USING (key)
        WHERE a.customer_no = s.one_no AND b.customer_no = s.other_no AND (
            SELECT count(*) FROM (SELECT FROM identity.match_key h WHERE h.key = a.key LIMIT :many) AS held
        ) <= :most)
    RETURNING p.one_no, p.other_no"""


def ids_of(db: Connection, customer_nos: Iterable[int]) -> dict[int, str]:
    """The ids of customers by number."""
    rows = db.execute(
        text("SELECT customer_no, customer_id FROM identity.customer WHERE customer_no = ANY (:nos)"),
        {"nos": list(customer_nos)},
    )
    return {row.customer_no: row.customer_id for row in rows}


def pairs_of(db: Connection, customer_ids: Sequence[str]) -> list[tuple[str, str, int]]:
    """(customer, customer, micro-bits) of the pairs among these customers."""
    rows = db.execute(
        text(
            """
            WITH asked AS MATERIALIZED (
                SELECT customer_no, customer_id FROM identity.customer WHERE customer_id = ANY (:ids)
            )
            SELECT a.customer_id, b.customer_id, p.micro_bits
            FROM asked a JOIN identity.match_pair p ON p.one_no = a.customer_no
            JOIN asked b ON b.customer_no = p.other_no
            """
        ),
        {"ids": list(customer_ids)},
    )
    return [(one, other, micro_bits) for one, other, micro_bits in rows]


def records_of(db: Connection, customer_ids: Sequence[str]) -> dict[str, Encoded]:
    """The encoded records of customers who have one."""
    rows = db.execute(
        text(
            """
            SELECT c.customer_id, m.fields, m.codes
            FROM identity.customer c JOIN identity.match_record m USING (customer_no)
            WHERE c.customer_id = ANY (:ids)
            """
        ),
        {"ids": list(customer_ids)},
    )
    return {one: Encoded(fields, frozenset(codes)) for one, fields, codes in rows}


def some_records(db: Connection, *, limit: int) -> list[Encoded]:
    """At most so many encoded records with their keys, spread over all: every n-th."""
    rows = db.execute(
        text(
            """
            WITH chosen AS (
                SELECT customer_no, fields, codes FROM (
                    SELECT *, row_number() OVER (ORDER BY customer_no) AS place, count(*) OVER () AS total
                    FROM identity.match_record
                ) AS n WHERE place % greatest(1, total / :limit) = 0 LIMIT :limit
            )
            SELECT fields, codes,
                   ARRAY(SELECT key FROM identity.match_key k WHERE k.customer_no = c.customer_no)
            FROM chosen c ORDER BY customer_no
            """
        ),
        {"limit": limit},
    )
    return [Encoded(fields, frozenset(codes), frozenset(keys)) for fields, codes, keys in rows]


def all_numbers(db: Connection) -> list[int]:
    """The numbers of all customers with a record, ascending."""
    rows = db.execute(text("SELECT customer_no FROM identity.match_record ORDER BY customer_no"))
    return [row.customer_no for row in rows]


def records_by_number(db: Connection, customer_nos: Sequence[int]) -> dict[int, Encoded]:
    """Encoded records with their keys."""
    rows = db.execute(
        text(
            """
            SELECT m.customer_no, m.fields, m.codes, ARRAY(
                SELECT key FROM identity.match_key k WHERE k.customer_no = m.customer_no) AS keys
            FROM identity.match_record m WHERE m.customer_no = ANY (:nos)
            """
        ),
        {"nos": list(customer_nos)},
    )
    return {no: Encoded(fields, frozenset(codes), frozenset(keys)) for no, fields, codes, keys in rows}


def add_model(
    db: Connection, content: Mapping[str, Any], *, model_hash: str, records: int, by: str, now: datetime
) -> None:
    """Keep a model; the last one kept is in use."""
    db.execute(
        text(
            """
            INSERT INTO identity.match_model (model_hash, content, records, trained_by, trained_at)
            VALUES (:hash, CAST(:content AS jsonb), :records, :by, :now)
            """
        ),
        {"hash": model_hash, "content": json.dumps(content), "records": records, "by": by, "now": now},
    )


def last_model(db: Connection) -> dict[str, Any] | None:
    """The content of the model that was kept last."""
    found: dict[str, Any] | None = db.scalar(
        text("SELECT content FROM identity.match_model ORDER BY model_no DESC LIMIT 1")
    )
    return found


def forget_matching(db: Connection, refs: Sequence[Reference]) -> int:
    """Remove all that is kept to compare these references by; returns of how many there was something."""
    kept = stored(db, refs)
    nos = [one.customer_no for one in kept.values()]
    _forget(db, ["match_record", "match_key"], nos)
    put_pairs(db, nos, {})
    db.execute(
        text("DELETE FROM identity.possible_match WHERE one_id = ANY (:ids) OR other_id = ANY (:ids)"),
        {"ids": [one.customer_id for one in kept.values()]},
    )
    return sum(one.facts > 0 for one in kept.values())


def _forget(db: Connection, tables: Iterable[str], customer_nos: Sequence[int]) -> None:
    for table in tables:
        db.execute(
            text(f"DELETE FROM identity.{table} WHERE customer_no = ANY (CAST(:nos AS bigint[]))"),
            {"nos": list(customer_nos)},
        )


def _by_key(records: Mapping[int, Encoded]) -> dict[str, list[int]]:
    return {
        "keys": [key for record in records.values() for key in sorted(record.keys)],
        "nos": [no for no, record in records.items() for _ in record.keys],
    }
