"""The wrapped data keys: one a subject, made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text


def add_wrapped(db: Connection, wrapped: Mapping[str, bytes]) -> None:
    """Keep new wrapped keys; a subject that has one already keeps it."""
    subjects = sorted(wrapped)  # one order for everybody: two writers never wait for each other in a ring
    db.execute(
        text(
            """
            INSERT INTO governance.data_key (subject, wrapped)
            SELECT * FROM unnest(CAST(:subjects AS text[]), CAST(:wrapped AS bytea[]))
            ON CONFLICT (subject) DO NOTHING
            """
        ),
        {"subjects": subjects, "wrapped": [wrapped[subject] for subject in subjects]},
    )


def wrapped_keys(db: Connection, subjects: Sequence[str]) -> dict[str, bytes]:
    """The wrapped keys of those subjects that have one."""
    rows = db.execute(
        text("SELECT subject, wrapped FROM governance.data_key WHERE subject = ANY (:subjects)"),
        {"subjects": list(subjects)},
    )
    return {row.subject: bytes(row.wrapped) for row in rows}
