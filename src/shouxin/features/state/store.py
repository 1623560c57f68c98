"""States as rows: SQL in, values out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from shouxin.features.state.domain import Reference

_GIVEN = "unnest(CAST(:sources AS text[]), CAST(:refs AS text[])) AS r (source, customer_ref)"


@dataclass(frozen=True, slots=True)
class StoredState:
    """A row: the facts of a reference up to ``position``, written under one layout."""

    reference: Reference
    layout_hash: str
    position: int
    facts: bytes


def states_of(db: Connection, refs: Sequence[Reference], *, layout_hash: str) -> list[StoredState]:
    """The states of some references that were written under this layout."""
    rows = db.execute(
        text(
            f"""
            SELECT s.* FROM {_GIVEN} JOIN features.state s USING (source, customer_ref)
            WHERE s.layout_hash = :layout_hash
            """
        ),
        {**_columns(refs), "layout_hash": layout_hash},
    )
    return [
        StoredState((row.source, row.customer_ref), row.layout_hash, row.position, bytes(row.facts))
        for row in rows
    ]


def positions_of(db: Connection, refs: Sequence[Reference], *, layout_hash: str) -> dict[Reference, int]:
    """How far the states of some references go that were written under this layout."""
    rows = db.execute(
        text(
            f"""
            SELECT s.source, s.customer_ref, s.position
            FROM {_GIVEN} JOIN features.state s USING (source, customer_ref)
            WHERE s.layout_hash = :layout_hash
            """
        ),
        {**_columns(refs), "layout_hash": layout_hash},
    )
    return {(row.source, row.customer_ref): row.position for row in rows}


def put_states(db: Connection, states: Sequence[StoredState]) -> None:
    """Keep these rows, but never in place of one of the same layout that goes further."""
    db.execute(
        text(
            """
            INSERT INTO features.state AS kept (source, customer_ref, layout_hash, position, facts)
            SELECT * FROM unnest(CAST(:sources AS text[]), CAST(:refs AS text[]), CAST(:hashes AS text[]),
                                 CAST(:positions AS bigint[]), CAST(:facts AS bytea[]))
            -- In one order for everybody, so that two who write the same rows never wait in a ring.
            ORDER BY 1, 2
            ON CONFLICT (source, customer_ref) DO UPDATE
            SET layout_hash = excluded.layout_hash, position = excluded.position, facts = excluded.facts
            WHERE kept.layout_hash <> excluded.layout_hash OR kept.position < excluded.position
            """
        ),
        {
            **_columns([state.reference for state in states]),
            "hashes": [state.layout_hash for state in states],
            "positions": [state.position for state in states],
            "facts": [state.facts for state in states],
        },
    )


def remove_states(db: Connection, refs: Sequence[Reference]) -> int:
    """Remove the states of some references; returns how many there were."""
    return db.execute(
        text(
            f"""
            DELETE FROM features.state s USING {_GIVEN}
            WHERE s.source = r.source AND s.customer_ref = r.customer_ref
            """
        ),
        _columns(refs),
    ).rowcount


def progress_of(db: Connection, layout_hash: str) -> int:
    """Up to which event number every reference was looked at under this layout."""
    statement = text("SELECT position FROM features.state_progress WHERE layout_hash = :hash")
    return int(db.scalar(statement, {"hash": layout_hash}) or 0)


def move_progress(db: Connection, layout_hash: str, *, position: int) -> None:
    """Every reference was looked at up to ``position``; never backwards."""
    db.execute(
        text(
            """
            INSERT INTO features.state_progress AS kept (layout_hash, position) VALUES (:hash, :position)
            ON CONFLICT (layout_hash) DO UPDATE SET position = greatest(kept.position, excluded.position)
            """
        ),
        {"hash": layout_hash, "position": position},
    )


def count_states(db: Connection, *, layout_hash: str) -> tuple[int, int]:
    """How many states there are under this layout, and under any other."""
    row = db.execute(
        text(
            "SELECT count(*) FILTER (WHERE layout_hash = :hash) AS ours, "
            "count(*) FILTER (WHERE layout_hash <> :hash) AS others FROM features.state"
        ),
        {"hash": layout_hash},
    ).one()
    return row.ours, row.others


def _columns(refs: Sequence[Reference]) -> dict[str, list[str]]:
    return {"sources": [source for source, _ in refs], "refs": [ref for _, ref in refs]}
