"""The wrapped data keys: one a subject, made once, wrapped anew when its slot turns, gone when erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """The data key of a subject, wrapped under a generation of its slot; None once it is erased."""

    slot: int
    generation: int | None
    wrapped: bytes | None


class UnableToErase(RuntimeError):
    """Values of the subject are being written by somebody else at this moment."""


def add_wrapped(db: Connection, wrapped: Mapping[str, WrappedKey]) -> None:
    """Keep new wrapped keys; a subject that has one already, or had one, keeps what it has."""
    subjects = sorted(wrapped)  # one order for everybody: two writers never wait for each other in a ring
    db.execute(
        text(
            """
            INSERT INTO governance.data_key (subject, slot, generation, wrapped)
            SELECT * FROM unnest(CAST(:subjects AS text[]), CAST(:slots AS smallint[]),
                                 CAST(:generations AS int[]), CAST(:wrapped AS bytea[]))
            ON CONFLICT (subject) DO NOTHING
            """
        ),
        {
            "subjects": subjects,
            "slots": [wrapped[subject].slot for subject in subjects],
            "generations": [wrapped[subject].generation for subject in subjects],
            "wrapped": [wrapped[subject].wrapped for subject in subjects],
        },
    )


def wrapped_keys(db: Connection, subjects: Sequence[str]) -> dict[str, WrappedKey]:
    """The keys of those subjects that have one, or had one."""
    return _keys(db, f"{_SELECT} WHERE subject = ANY (:subjects)", subjects)


def held_keys(db: Connection, subjects: Sequence[str]) -> dict[str, WrappedKey]:
    """The same, and nobody erases one of them until this transaction ends; wrapping anew goes on."""
    return _keys(db, f"{_SELECT} WHERE subject = ANY (:subjects) FOR KEY SHARE", subjects)


def keys_to_erase(db: Connection, subjects: Sequence[str]) -> dict[str, WrappedKey]:
    """The same, for this transaction alone. Raises UnableToErase when somebody seals for one of them now."""
    try:
        return _keys(db, f"{_SELECT} WHERE subject = ANY (:subjects) FOR UPDATE NOWAIT", subjects)
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise UnableToErase("values of this customer are being written now; run it again") from None
        raise


def erase(
    db: Connection, subjects: Sequence[str], *, slots: Sequence[int], generations: Sequence[int | None],
    now: datetime,
) -> None:  # fmt: skip
    """Leave an empty row for each subject, so that nobody makes a key for it again."""
    db.execute(
        text(
            """
            INSERT INTO governance.data_key AS kept (subject, slot, generation, erased_at)
            SELECT subject, slot, generation, :now
            FROM unnest(CAST(:subjects AS text[]), CAST(:slots AS smallint[]), CAST(:generations AS int[]))
                AS gone (subject, slot, generation)
            ON CONFLICT (subject) DO UPDATE
                SET wrapped = NULL, generation = EXCLUDED.generation, erased_at = EXCLUDED.erased_at
                WHERE kept.erased_at IS NULL
            """
        ),
        {"subjects": list(subjects), "slots": list(slots), "generations": list(generations), "now": now},
    )


def erased(db: Connection, subjects: Sequence[str]) -> set[str]:
    """Those of the subjects that were erased."""
    rows = db.execute(
        text("SELECT subject FROM governance.data_key WHERE subject = ANY (:subjects) AND wrapped IS NULL"),
        {"subjects": list(subjects)},
    )
    return set(rows.scalars())


def keys_of_slot(db: Connection, slot: int) -> dict[str, WrappedKey]:
    """Every key that lies in a slot; the caller holds the slot."""
    rows = db.execute(text(f"{_SELECT} WHERE slot = :slot AND wrapped IS NOT NULL"), {"slot": slot})
    return {row.subject: WrappedKey(row.slot, row.generation, bytes(row.wrapped)) for row in rows}


def replace_wrapped(db: Connection, wrapped: Mapping[str, bytes], *, generation: int) -> None:
    """The same data keys, wrapped anew."""
    db.execute(
        text(
            """
            UPDATE governance.data_key d SET wrapped = n.wrapped, generation = :generation
            FROM unnest(CAST(:subjects AS text[]), CAST(:wrapped AS bytea[])) AS n (subject, wrapped)
            WHERE d.subject = n.subject AND d.wrapped IS NOT NULL
            """
        ),
        {"subjects": list(wrapped), "wrapped": list(wrapped.values()), "generation": generation},
    )


@dataclass(frozen=True, slots=True)
class KeyCounts:
    """How many subjects have a key, how many were erased, and of both those under the master key itself."""

    subjects: int
    erased: int
    under_master: int
    erased_under_master: int


def counts(db: Connection) -> KeyCounts:
    """Counted now."""
    row = db.execute(
        text(
            """
            SELECT count(wrapped), count(erased_at),
                   count(wrapped) FILTER (WHERE generation = 0),
                   count(erased_at) FILTER (WHERE generation = 0)
            FROM governance.data_key
            """
        )
    ).one()
    return KeyCounts(*row)


def forget_master(db: Connection) -> None:
    """What was erased under a master key that is gone opens nowhere any more."""
    db.execute(
        text("UPDATE governance.data_key SET generation = NULL WHERE wrapped IS NULL AND generation = 0")
    )


_SELECT = "SELECT subject, slot, generation, wrapped FROM governance.data_key"


def _keys(db: Connection, statement: str, subjects: Sequence[str]) -> dict[str, WrappedKey]:
    rows = db.execute(text(statement), {"subjects": list(subjects)})
    return {
        row.subject: WrappedKey(row.slot, row.generation, None if row.wrapped is None else bytes(row.wrapped))
        for row in rows
    }
