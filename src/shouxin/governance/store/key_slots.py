"""Slots as the database knows them: which generation of each wraps, and which wait to be turned."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, text


def generations(db: Connection) -> dict[int, int]:
    """Slot -> the generation that wraps."""
    return _found(db, "SELECT slot, generation FROM governance.key_slot ORDER BY slot", None)


def shared_generations(db: Connection, slots: Iterable[int]) -> dict[int, int]:
    """The same of some slots; none of them turns until this transaction ends, and others may share them."""
    statement = """
        SELECT slot, generation FROM governance.key_slot WHERE slot = ANY (:slots) ORDER BY slot FOR SHARE
    """
    return _found(db, statement, sorted(set(slots)))


def held_generation(db: Connection, slot: int) -> int:
    """The generation of a slot, for this transaction alone: nobody puts a key in until it ends."""
    statement = text("SELECT generation FROM governance.key_slot WHERE slot = :slot FOR UPDATE")
    return int(db.scalar(statement, {"slot": slot}))


def set_generation(db: Connection, slot: int, generation: int) -> None:
    """From now on this generation wraps."""
    db.execute(
        text("UPDATE governance.key_slot SET generation = :generation WHERE slot = :slot"),
        {"slot": slot, "generation": generation},
    )


def commit_durably(db: Connection) -> None:
    """This transaction is on the disk when its commit returns: a key is destroyed on the strength of it."""
    db.execute(text("SET LOCAL synchronous_commit = on"))


def unturned(db: Connection) -> list[int]:
    """Slots in which somebody was erased and whose wrapping key is still the one of that time."""
    rows = db.execute(
        text(
            """
            SELECT DISTINCT s.slot FROM governance.data_key d JOIN governance.key_slot s USING (slot)
            WHERE d.wrapped IS NULL AND d.generation >= s.generation ORDER BY s.slot
            """
        )
    )
    return list(rows.scalars())


def _found(db: Connection, statement: str, slots: list[int] | None) -> dict[int, int]:
    rows = db.execute(text(statement), {} if slots is None else {"slots": slots})
    return {row.slot: row.generation for row in rows}
