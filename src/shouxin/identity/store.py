"""Customers, references, verified identifiers and merges: SQL in, values out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from shouxin.identity.domain import Conflict, ConflictRow, Identifier, Merge, ReferenceIdentifier
from shouxin.kernel import CustomerId

Reference = tuple[str, str]


def held_progress(db: Connection) -> int:
    """The last event that was looked at, held so that one batch runs at a time.

    A batch grows the tables it reads: from here on each statement is planned for the tables as they are.
    """
    db.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
    return int(db.scalar(text("SELECT event_no FROM identity.progress FOR UPDATE")))


def set_progress(db: Connection, event_no: int) -> None:
    """Everything up to this event was looked at."""
    db.execute(text("UPDATE identity.progress SET event_no = :event_no"), {"event_no": event_no})


def unlinked(db: Connection, refs: Sequence[Reference]) -> list[Reference]:
    """Those references that lead to nobody yet, in the given order."""
    rows = db.execute(
        text(
            """
            SELECT r.source, r.customer_ref
            FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[]))
                WITH ORDINALITY AS r (source, customer_ref, place)
            LEFT JOIN identity.link l USING (source, customer_ref)
            WHERE l.customer_id IS NULL ORDER BY r.place
            """
        ),
        _columns(refs),
    )
    return [(row.source, row.customer_ref) for row in rows]


def add_customers(db: Connection, refs: Sequence[Reference], ids: Sequence[str], *, now: datetime) -> int:
    """Make a customer for each reference, in order, and link it; returns how many are new."""
    values = {**_columns(refs), "ids": list(ids), "now": now}
    made = db.execute(
        text(
            """
            INSERT INTO identity.customer (customer_id, known_since)
            SELECT id, :now FROM unnest(CAST(:ids AS text[])) WITH ORDINALITY AS n (id, place)
            ORDER BY place ON CONFLICT (customer_id) DO NOTHING
            """
        ),
        values,
    )
    db.execute(
        text(
            """
            INSERT INTO identity.link (source, customer_ref, customer_id, linked_at)
            SELECT source, customer_ref, id, :now
            FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[]), CAST(:ids AS text[]))
                WITH ORDINALITY AS n (source, customer_ref, id, place)
            ORDER BY place ON CONFLICT (source, customer_ref) DO NOTHING
            """
        ),
        values,
    )
    return made.rowcount


def add_identifiers(db: Connection, identifiers: Sequence[ReferenceIdentifier]) -> Counter[str]:
    """Keep verified identifiers; returns the tokens of those that are new, and how often each is."""
    rows = db.execute(
        text(
            """
            INSERT INTO identity.identifier (source, customer_ref, field, token, verified_at)
            SELECT * FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[]), CAST(:fields AS text[]),
                                 CAST(:tokens AS text[]), CAST(:times AS timestamptz[]))
            ON CONFLICT DO NOTHING RETURNING token
            """
        ),
        {
            "sources": [item.source for item in identifiers],
            "refs": [item.customer_ref for item in identifiers],
            "fields": [item.field for item in identifiers],
            "tokens": [item.token for item in identifiers],
            "times": [item.verified_at for item in identifiers],
        },
    )
    return Counter(row.token for row in rows)


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A customer as the matching sees it: how old, and whom it was merged into by an earlier run."""

    customer_id: str
    customer_no: int
    merged_into: str | None


def neighbours(
    db: Connection, tokens: Mapping[str, int], *, customers: Collection[str], shared_max: int
) -> list[Neighbour]:
    """Everybody whom new evidence may make one, or part: the holders of new identifiers and the given
    customers, who shares an identifier, a pair or a ruling with them, and so on. ``tokens`` says how many
    holders of each are new.

    An identifier that more than ``shared_max`` hold leads nowhere, unless it became that by these.
    """
    values = {"shared_max": shared_max, "many": shared_max + 1 + max(tokens.values(), default=0)}
    seeds = db.execute(text(_HOLDERS), {**values, "tokens": list(tokens), "added": list(tokens.values())})
    reached: set[str] = {row.customer_id for row in seeds} | set(customers)
    # A statement a step, not a recursive one: that is planned once, for the first few rows.
    edge = reached
    while edge:
        found = db.execute(text(_TIED), {**values, "customers": list(edge)})
        edge = {row.customer_id for row in found} - reached
        reached |= edge
    rows = db.execute(
        text(
            """
            SELECT customer_id, customer_no, merged_into FROM identity.customer
            WHERE customer_id = ANY (:ids)
            """
        ),
        {"ids": list(reached)},
    )
    return [Neighbour(*row) for row in rows]


# Counted no further than makes a difference: of a service's phone there may be a million.
_HOLDERS_MANY = """(SELECT count(*) FROM (
    SELECT FROM identity.identifier h WHERE h.token = i.token AND h.field = i.field LIMIT :many) AS held)"""


_HOLDERS = f"""
    SELECT DISTINCT l.customer_id
    FROM unnest(CAST(:tokens AS text[]), CAST(:added AS bigint[])) AS given (token, added)
    JOIN identity.identifier i USING (token) JOIN identity.link l USING (source, customer_ref)
    WHERE i.field = 'national_id' OR {_HOLDERS_MANY} - given.added <= :shared_max"""
_TIED = f"""
    WITH asked AS MATERIALIZED (
        SELECT customer_id, customer_no
        FROM unnest(CAST(:customers AS text[])) AS a (customer_id) JOIN identity.customer USING (customer_id)
    )
    SELECT other.customer_id
    FROM asked JOIN identity.link l USING (customer_id)
    JOIN identity.identifier i USING (source, customer_ref)
    JOIN identity.identifier j ON j.token = i.token AND j.field = i.field
    JOIN identity.link other ON other.source = j.source AND other.customer_ref = j.customer_ref
    WHERE i.field = 'national_id' OR {_HOLDERS_MANY} <= :shared_max
    UNION SELECT o.customer_id
    FROM asked JOIN identity.match_pair p ON p.one_no = asked.customer_no
    JOIN identity.customer o ON o.customer_no = p.other_no
    UNION SELECT o.customer_id
    FROM asked JOIN identity.match_pair p ON p.other_no = asked.customer_no
    JOIN identity.customer o ON o.customer_no = p.one_no
    UNION SELECT unnest(r.customer_ids || r.other_ids) FROM identity.ruling r
    WHERE r.customer_ids && CAST(:customers AS text[]) OR r.other_ids && CAST(:customers AS text[])"""


def identifiers_of(db: Connection, customers: Sequence[str]) -> list[Identifier]:
    """What these customers have verified, that all its holders are among them."""
    rows = db.execute(
        text(
            """
            WITH seen AS MATERIALIZED (
                SELECT unnest(CAST(:customers AS text[])) AS customer_id
            ), held AS MATERIALIZED (
                SELECT DISTINCT i.field, i.token, customer_id
                FROM seen JOIN identity.link l USING (customer_id)
                JOIN identity.identifier i USING (source, customer_ref)
            ), elsewhere AS MATERIALIZED (
                SELECT i.field, i.token
                FROM (SELECT DISTINCT field, token FROM held) AS h
                JOIN identity.identifier i USING (field, token)
                   JOIN identity.link l USING (source, customer_ref)
                   LEFT JOIN seen USING (customer_id)
                WHERE seen.customer_id IS NULL
            )
            SELECT field, token, customer_id FROM held
            WHERE (field, token) NOT IN (SELECT field, token FROM elsewhere)
            """
        ),
        {"customers": list(customers)},
    )
    return [Identifier(row.field, row.token, row.customer_id) for row in rows]


def add_merges(db: Connection, merges: Sequence[Merge], *, now: datetime) -> list[str]:
    """Keep what proved merges; returns the customers that had been merged, and parted, before."""
    rows = db.execute(
        text(
            """
            INSERT INTO identity.merge (absorbed_id, customer_id, field, token, merged_at)
            SELECT absorbed, kept, field, token, :now
            FROM unnest(CAST(:absorbed AS text[]), CAST(:kept AS text[]), CAST(:fields AS text[]),
                        CAST(:tokens AS text[])) AS m (absorbed, kept, field, token)
            ON CONFLICT (absorbed_id) DO NOTHING RETURNING absorbed_id
            """
        ),
        {
            "absorbed": [merge.absorbed_id for merge in merges],
            "kept": [merge.customer_id for merge in merges],
            "fields": [merge.field for merge in merges],
            "tokens": [merge.token for merge in merges],
            "now": now,
        },
    )
    added = {row.absorbed_id for row in rows}
    return [merge.absorbed_id for merge in merges if merge.absorbed_id not in added]


def point(db: Connection, kept: Mapping[str, str | None], *, now: datetime) -> None:
    """Each of these customers leads to the one beside it from now on; None: it stands by itself.

    The history keeps it, so that whom a customer led to is known of every day.
    """
    values = {"customers": list(kept), "kept": list(kept.values()), "now": now}
    db.execute(
        text(
            """
            UPDATE identity.customer c SET merged_into = m.kept
            FROM unnest(CAST(:customers AS text[]), CAST(:kept AS text[])) AS m (customer_id, kept)
            WHERE c.customer_id = m.customer_id
            """
        ),
        values,
    )
    db.execute(
        text(
            """
            INSERT INTO identity.membership (customer_id, merged_into, since)
            SELECT customer_id, kept, :now
            FROM unnest(CAST(:customers AS text[]), CAST(:kept AS text[])) AS m (customer_id, kept)
            """
        ),
        values,
    )


def member_as_of(db: Connection, customer_id: str, *, as_of: datetime) -> str:
    """Whom a customer led to at an instant: itself, where no history says otherwise."""
    found: str | None = db.scalar(
        text(
            """
            SELECT merged_into FROM identity.membership
            WHERE customer_id = :id AND since <= :as_of ORDER BY since DESC, membership_no DESC LIMIT 1
            """
        ),
        {"id": customer_id, "as_of": as_of},
    )
    return found or customer_id


def memberships(db: Connection, customer_ids: Sequence[str]) -> list[tuple[str, str | None, datetime]]:
    """(customer, whom it led to from then on or None, since when) of every change, the oldest first.

    Of these customers and of all who ever led to one of them, where they went afterwards too.
    """
    rows = db.execute(
        text(
            """
            SELECT customer_id, merged_into, since FROM identity.membership
            WHERE customer_id = ANY (:ids) OR customer_id IN (
                SELECT customer_id FROM identity.membership WHERE merged_into = ANY (:ids))
            ORDER BY since, membership_no
            """
        ),
        {"ids": list(customer_ids)},
    )
    return [(row.customer_id, row.merged_into, row.since) for row in rows]


def own_ids(db: Connection, customer_id: str) -> list[str]:
    """The ids of all customers who lead to this one today, it among them, the eldest first."""
    rows = db.execute(
        text(
            """
            SELECT customer_id FROM identity.customer
            WHERE coalesce(merged_into, customer_id) = :id ORDER BY customer_no
            """
        ),
        {"id": customer_id},
    )
    return [row.customer_id for row in rows]


def own_id(db: Connection, source: str, customer_ref: str) -> str | None:
    """The customer that a reference had of its own, whatever it was merged into."""
    found: str | None = db.scalar(
        text("SELECT customer_id FROM identity.link WHERE source = :source AND customer_ref = :customer_ref"),
        {"source": source, "customer_ref": customer_ref},
    )
    return found


def add_conflicts(db: Connection, conflicts: Sequence[Conflict], *, now: datetime) -> None:
    """Keep conflicts that are not known yet."""
    for conflict in conflicts:
        db.execute(
            text(
                """
                INSERT INTO identity.conflict (field, token, customer_ids, found_at)
                VALUES (:field, :token, :customer_ids, :now) ON CONFLICT DO NOTHING
                """
            ),
            {
                "field": conflict.field,
                "token": conflict.token,
                "customer_ids": list(conflict.customer_ids),
                "now": now,
            },
        )


def conflicts(db: Connection, *, limit: int) -> list[ConflictRow]:
    """Conflicts, newest first."""
    rows = db.execute(
        text(
            """
            SELECT field, token, customer_ids, found_at FROM identity.conflict
            ORDER BY found_at DESC, field, token LIMIT :limit
            """
        ),
        {"limit": limit},
    )
    return [
        ConflictRow(row.field, row.token, tuple(CustomerId(i) for i in row.customer_ids), row.found_at)
        for row in rows
    ]


def customer_of(db: Connection, source: str, customer_ref: str) -> CustomerId | None:
    """Whom a reference leads to today."""
    found: str | None = db.scalar(
        text(
            """
            SELECT customer_id FROM identity.member
            WHERE source = :source AND customer_ref = :customer_ref LIMIT 1
            """
        ),
        {"source": source, "customer_ref": customer_ref},
    )
    return CustomerId(found) if found is not None else None


def members(db: Connection, customer_ids: Sequence[str]) -> list[tuple[str, str, str]]:
    """``(customer_id asked for, source, customer_ref)`` of some customers, the oldest reference first."""
    rows = db.execute(
        text(
            """
            SELECT asked.customer_id, m.source, m.customer_ref
            FROM identity.customer asked
            JOIN identity.customer c
              ON coalesce(c.merged_into, c.customer_id) = coalesce(asked.merged_into, asked.customer_id)
            -- Lateral: one step through an index a customer, whatever the planner knows of the tables.
            CROSS JOIN LATERAL (
                SELECT l.source, l.customer_ref, l.link_no FROM identity.link l
                WHERE l.customer_id = c.customer_id
                UNION ALL SELECT 'credit', c.customer_id, NULL
            ) AS m
            WHERE asked.customer_id = ANY (:ids)
            ORDER BY asked.customer_id, m.link_no NULLS LAST, m.customer_ref
            """
        ),
        {"ids": list(customer_ids)},
    )
    return [(row.customer_id, row.source, row.customer_ref) for row in rows]


def all_members(db: Connection) -> list[tuple[str, str, str]]:
    """``(source, customer_ref, customer_id)`` of every reference."""
    rows = db.execute(
        text("SELECT source, customer_ref, customer_id FROM identity.member ORDER BY source, customer_ref")
    )
    return [(row.source, row.customer_ref, row.customer_id) for row in rows]


def _columns(refs: Sequence[Reference]) -> dict[str, list[str]]:
    return {"sources": [source for source, _ in refs], "refs": [ref for _, ref in refs]}
