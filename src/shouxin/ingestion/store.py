"""SQL of the event log: append, find, count; and into the quarantine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.errors import LockNotAvailable, UniqueViolation
from sqlalchemy import Connection, RowMapping, text
from sqlalchemy.exc import DBAPIError

from shouxin.database import copy_rows, copying
from shouxin.ingestion.domain import IDENTITY_SEPARATOR, Fact, PersonalFact
from shouxin.kernel import Event, Money

EVENT_COLUMNS = (
    "source",
    "source_id",
    "kind",
    "version",
    "customer_ref",
    "occurred_at",
    "received_at",
    "order_ref",
    "amount_minor",
    "currency",
    "payload",
)
_PERSONAL_COLUMNS = (
    "source",
    "customer_ref",
    "source_id",
    "field",
    "token",
    "sealed",
    "verified",
    "occurred_at",
    "received_at",
)
# Writers share this lock until they commit; a reader that holds it alone knows that no smaller
# event number can still appear.
_WRITERS_LOCK = 727003
_QUARANTINE_LOCK = 727006
_COPY_BYTES = 1 << 20
_COLUMNS_SQL = ", ".join(EVENT_COLUMNS)
_PERSONAL_SQL = ", ".join(_PERSONAL_COLUMNS)


class UnableToSettle(RuntimeError):
    """Somebody has been writing to the log for longer than the caller wants to wait."""


def append_facts(db: Connection, facts: Sequence[Fact]) -> set[tuple[str, str]]:
    """Add a small batch in one statement; returns the (source, source_id) that were new."""
    if not facts:
        return set()
    _announce_writing(db)
    arrays: dict[str, list[Any]] = {
        "source": [fact.source for fact in facts],
        "source_id": [fact.source_id for fact in facts],
        "kind": [fact.kind for fact in facts],
        "version": [fact.version for fact in facts],
        "customer_ref": [fact.customer_ref for fact in facts],
        "occurred_at": [fact.occurred_at for fact in facts],
        "received_at": [fact.received_at for fact in facts],
        "order_ref": [fact.order_ref for fact in facts],
        "amount_minor": [None if fact.amount is None else fact.amount.minor for fact in facts],
        "currency": [None if fact.amount is None else fact.amount.currency for fact in facts],
        "payload": [fact.payload.decode() for fact in facts],
    }
    rows = db.execute(
        text(
            f"""
            INSERT INTO ingestion.event ({_COLUMNS_SQL})
            SELECT {_COLUMNS_SQL.replace("payload", "payload::jsonb")}
            FROM unnest(CAST(:source AS text[]), CAST(:source_id AS text[]), CAST(:kind AS text[]),
                        CAST(:version AS smallint[]), CAST(:customer_ref AS text[]),
                        CAST(:occurred_at AS timestamptz[]), CAST(:received_at AS timestamptz[]),
                        CAST(:order_ref AS text[]), CAST(:amount_minor AS bigint[]),
                        CAST(:currency AS text[]), CAST(:payload AS text[])) AS new ({_COLUMNS_SQL})
            -- In one order for everybody: two batches that share events never wait for each other in a ring.
            ORDER BY occurred_at, source, source_id
            ON CONFLICT (source, source_id) DO NOTHING
            RETURNING source, source_id
            """
        ),
        arrays,
    )
    return {(row.source, row.source_id) for row in rows}


def append_personal(db: Connection, facts: Iterable[PersonalFact]) -> None:
    """Add sealed values of events that are stored."""
    rows = (tuple(getattr(fact, column) for column in _PERSONAL_COLUMNS) for fact in facts)
    copy_rows(db, "ingestion.personal", _PERSONAL_COLUMNS, rows)


def append_many(db: Connection, csv: memoryview, personal: Iterable[PersonalFact]) -> bool:
    """COPY many new events, given as CSV in the order of EVENT_COLUMNS, and their sealed values.

    False, and nothing is added, when another transaction stored one of them in the meantime.
    """
    _announce_writing(db)
    statement = f"COPY ingestion.event ({_COLUMNS_SQL}) FROM STDIN (FORMAT csv)"
    with db.begin_nested() as savepoint:
        try:
            with copying(db, statement) as copy:
                for start in range(0, len(csv), _COPY_BYTES):
                    copy.write(csv[start : start + _COPY_BYTES])
        except UniqueViolation:
            savepoint.rollback()
            return False
        append_personal(db, personal)
    return True


def known_identities(db: Connection, *, sources: str, source_ids: str) -> set[tuple[str, str]]:
    """Those (source, source_id) that the log holds already.

    They are given side by side as two texts, parted by a character that no reference can hold: a hundred
    thousand names are spelled and read many times quicker so than as an array.
    """
    rows = db.execute(
        text(
            """
            SELECT source, source_id
            FROM ROWS FROM (string_to_table(:sources, :parted_by), string_to_table(:ids, :parted_by))
                 AS new (source, source_id)
            JOIN ingestion.event USING (source, source_id)
            """
        ),
        {"sources": sources, "ids": source_ids, "parted_by": IDENTITY_SEPARATOR},
    )
    return {(row.source, row.source_id) for row in rows}


def list_events(
    db: Connection,
    refs: Sequence[tuple[str, str]],
    *,
    as_of: datetime,
    since: datetime | None,
    kinds: Sequence[str] | None,
    limit: int | None,
) -> list[Event]:
    """Events of some references that had happened and were known at ``as_of``, oldest first."""
    unique = list(dict.fromkeys(refs))
    conditions = ["e.occurred_at <= :as_of", "e.received_at <= :as_of"]
    conditions += ["e.occurred_at > :since"] if since is not None else []
    conditions += ["e.kind = ANY(CAST(:kinds AS text[]))"] if kinds is not None else []
    rows = db.execute(
        text(
            f"""
            SELECT e.*
            FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[])) AS r (source, customer_ref)
            JOIN ingestion.event e ON e.source = r.source AND e.customer_ref = r.customer_ref
            WHERE {" AND ".join(conditions)}
            ORDER BY e.occurred_at DESC, e.event_no DESC LIMIT CAST(:limit AS bigint)
            """
        ),
        {
            **_columns(unique),
            "as_of": as_of,
            "since": since,
            "kinds": None if kinds is None else list(kinds),
            "limit": limit,
        },
    )
    return [_event(row) for row in reversed(rows.mappings().all())]


def event_count(db: Connection) -> int:
    """How many events the log holds."""
    return int(db.scalar(text("SELECT count(*) FROM ingestion.event")))


def references_between(db: Connection, *, after_event_no: int, last_event_no: int) -> list[tuple[str, str]]:
    """References in events of these numbers, in the order of their first one."""
    rows = db.execute(
        text(
            """
            SELECT source, customer_ref FROM ingestion.event
            WHERE event_no > :after AND event_no <= :last
            GROUP BY source, customer_ref ORDER BY min(event_no)
            """
        ),
        {"after": after_event_no, "last": last_event_no},
    )
    return [(row.source, row.customer_ref) for row in rows]


def events_after(
    db: Connection,
    positions: Mapping[tuple[str, str], int],
    *,
    kinds: Sequence[str],
    last_event_no: int | None,
) -> list[Event]:
    """Events of each reference beyond its own number, by number."""
    rows = db.execute(
        text(
            """
            SELECT e.*
            FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[]), CAST(:after AS bigint[]))
                 AS r (source, customer_ref, after)
            -- One look into the index for each reference, whatever the planner believes of their number.
            CROSS JOIN LATERAL (
                SELECT * FROM ingestion.event o
                WHERE o.source = r.source AND o.customer_ref = r.customer_ref AND o.event_no > r.after
                  AND (CAST(:last AS bigint) IS NULL OR o.event_no <= :last)
                ORDER BY o.source, o.customer_ref, o.event_no
            ) AS e
            WHERE e.kind = ANY(CAST(:kinds AS text[]))
            ORDER BY e.event_no
            """
        ),
        {
            **_columns(list(positions)),
            "after": list(positions.values()),
            "last": last_event_no,
            "kinds": list(kinds),
        },
    )
    return [_event(row) for row in rows.mappings()]


def count_events(
    db: Connection,
    refs: Sequence[tuple[str, str]],
    *,
    as_of: datetime,
    kinds: Sequence[str],
    last_event_no: int | None,
) -> int:
    """How many events of some references were known at ``as_of``, of these kinds and up to a number."""
    return int(
        db.scalar(
            text(
                """
                SELECT count(*)
                FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[])) AS r (source, customer_ref)
                JOIN ingestion.event e USING (source, customer_ref)
                WHERE e.occurred_at <= :as_of AND e.received_at <= :as_of
                  AND e.kind = ANY(CAST(:kinds AS text[]))
                  AND (CAST(:last AS bigint) IS NULL OR e.event_no <= :last)
                """
            ),
            {**_columns(refs), "as_of": as_of, "kinds": list(kinds), "last": last_event_no},
        )
    )


def last_event_no(db: Connection) -> int:
    """The greatest event number that can be seen just now; a smaller one may still appear."""
    return int(db.scalar(text("SELECT coalesce(max(event_no), 0) FROM ingestion.event")))


def personal_facts(db: Connection, refs: Sequence[tuple[str, str]]) -> list[PersonalFact]:
    """Personal values of some references, in the order in which they came."""
    rows = db.execute(
        text(
            f"""
            SELECT {", ".join(f"p.{name}" for name in _PERSONAL_COLUMNS)}
            FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[])) AS r (source, customer_ref)
            JOIN ingestion.personal p ON p.source = r.source AND p.customer_ref = r.customer_ref
            ORDER BY p.personal_no
            """
        ),
        _columns(list(dict.fromkeys(refs))),
    )
    return [PersonalFact(*row) for row in rows]


def settled_event_no(db: Connection, *, patience_ms: int = 0) -> int:
    """The greatest event number below which nothing can still appear: waits for writers to commit.

    The lock is taken in a savepoint and given back with it, so writers go on at once. Who waits keeps new
    writers waiting, too: with ``patience_ms`` above 0 not for longer. Raises UnableToSettle then.
    """
    try:
        return _settled(db, patience_ms=patience_ms)
    except DBAPIError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise UnableToSettle(
                "events are being written just now; this goes on when that is done"
            ) from error
        raise


def _settled(db: Connection, *, patience_ms: int) -> int:
    with db.begin_nested() as savepoint:
        db.execute(text("SELECT set_config('lock_timeout', :ms, true)"), {"ms": f"{patience_ms}ms"})
        db.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITERS_LOCK})
        last = last_event_no(db)
        savepoint.rollback()
    return last


def source_id_of(db: Connection, event_no: int) -> str | None:
    """The identity of the event with this number, ``source/source_id``."""
    found: str | None = db.scalar(
        text("SELECT source || '/' || source_id FROM ingestion.event WHERE event_no = :no"), {"no": event_no}
    )
    return found


def append_quarantined(db: Connection, rows: Sequence[dict[str, Any]]) -> Counter[str]:
    """Keep refused rows; a row that is kept already (same source and fingerprint) adds nothing.

    Returns how many were new, by source.
    """
    columns = (
        "source",
        "fingerprint",
        "adapter",
        "field",
        "reason",
        "place",
        "subject",
        "customer_ref",
        "sealed",
        "received_at",
    )
    # One writer a source: two who keep the same rows in another order would wait for each other in a ring.
    db.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(s, :seed)) FROM unnest(CAST(:s AS text[])) AS s"),
        {"seed": _QUARANTINE_LOCK, "s": sorted({row["source"] for row in rows})},
    )
    # A table of this session with the columns of the real one; the number comes later.
    db.execute(
        text(
            "CREATE TEMP TABLE IF NOT EXISTS staged_quarantine (LIKE ingestion.quarantine) ON COMMIT DROP; "
            "ALTER TABLE pg_temp.staged_quarantine ALTER COLUMN quarantine_no DROP NOT NULL; "
            "TRUNCATE pg_temp.staged_quarantine"
        )
    )
    copy_rows(db, "pg_temp.staged_quarantine", columns, (tuple(row[c] for c in columns) for row in rows))
    names = ", ".join(columns)
    added = db.execute(
        text(
            f"INSERT INTO ingestion.quarantine ({names}) SELECT {names} FROM pg_temp.staged_quarantine "
            "ON CONFLICT (source, fingerprint) DO NOTHING RETURNING source"
        )
    )
    return Counter(row.source for row in added)


def _columns(refs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    return {"sources": [source for source, _ in refs], "refs": [ref for _, ref in refs]}


def _announce_writing(db: Connection) -> None:
    db.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": _WRITERS_LOCK})


def _event(row: RowMapping) -> Event:
    amount = None if row["amount_minor"] is None else Money(row["amount_minor"], row["currency"])
    return Event(
        row["source"],
        row["source_id"],
        row["kind"],
        row["version"],
        row["customer_ref"],
        row["occurred_at"],
        row["received_at"],
        amount,
        row["order_ref"],
        row["payload"],
    )
