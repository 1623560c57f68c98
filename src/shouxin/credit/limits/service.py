"""The verbs of lines: open, read, lock, move the figures, freeze and thaw."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection

from shouxin import identity, ingestion
from shouxin.credit.limits import store
from shouxin.credit.limits.domain import Exposure, Line, LineOpening, LineRefusal, as_one
from shouxin.kernel import OWN_SOURCE, Bilingual, CustomerId, Event, Money


class UnableToOpenLine(RuntimeError):
    """The customer has a line already."""


def open_line(db: Connection, customer_id: CustomerId, *, limit: Money, reason: str, now: datetime) -> Line:
    """Open a line; raises UnableToOpenLine when the customer has one."""
    if open_lines(db, [LineOpening(customer_id, limit, reason)], now=now) == 0:
        raise UnableToOpenLine(f"{customer_id} has a credit line already")
    line = store.line_by_id(db, LineOpening(customer_id, limit, reason).line_id)
    assert line is not None
    return line


def open_lines(db: Connection, openings: Sequence[LineOpening], *, now: datetime) -> int:
    """Open many lines at once; customers who have one keep it. Returns how many are new.

    Tells the event log (``line_opened``), so that a line becomes a fact about its customer.
    """
    new = store.insert_lines(db, openings, now=now)
    opened = [opening for opening in openings if opening.line_id in new]
    if opened:
        ingestion.record(db, [_line_opened(opening, now) for opening in opened])
    return len(new)


def line_of(db: Connection, customer_id: CustomerId) -> Line | None:
    """The line of a customer, if there is one; opened under any name that the customer ever had."""
    return as_one(store.lines_by_customers(db, identity.names_of(db, customer_id)), customer_id)


def locked_line_of(db: Connection, customer_id: CustomerId) -> Line | None:
    """The line of a customer, locked until this transaction ends."""
    names = identity.names_of(db, customer_id)
    # Read after locking: one statement would show a freeze as it was before the wait for the lock.
    store.lock_customers(db, names)
    return as_one(store.lines_by_customers(db, names), customer_id)


def find_line(db: Connection, line_id: str) -> Line | None:
    """A line by its id."""
    return store.line_by_id(db, line_id)


def lock_line(db: Connection, line_id: str) -> Line:
    """The line, locked until this transaction ends: whoever changes a figure holds this lock."""
    found = store.lock(db, line_id)  # then read, as above
    assert found, f"there is no line {line_id}"
    line = store.line_by_id(db, line_id)
    assert line is not None
    return line


def move_figures(
    db: Connection, line: Line, *, held: Money | None = None, outstanding: Money | None = None
) -> None:
    """Add to what is held and owed on a locked line; the database refuses a figure below zero."""
    for amount in (held, outstanding):
        assert amount is None or amount.currency == line.limit.currency
    store.add_to_figures(
        db,
        line.line_id,
        held_minor=held.minor if held else 0,
        outstanding_minor=outstanding.minor if outstanding else 0,
    )


def set_days_past_due(db: Connection, line: Line, *, business_date: date) -> None:
    """Write how late a locked line is after what was paid just now."""
    current = store.line_by_id(db, line.line_id)
    assert current is not None
    if (days := current.late_on(business_date)) != current.days_past_due:
        store.update_days_past_due(db, line.line_id, days)


def freeze(db: Connection, line: Line, *, reason: str, by: str, now: datetime) -> Line | LineRefusal:
    """Stop new checkouts on a line; what is held or owed stays as it is."""
    assert reason.strip(), "a freeze says why"
    current = lock_line(db, line.line_id)
    if current.frozen:
        return LineRefusal("ALREADY_FROZEN", Bilingual("额度已处于冻结状态", "The line is frozen already"))
    store.insert_freeze(db, line.line_id, reason=reason, by=by, now=now)
    return lock_line(db, line.line_id)


def unfreeze(db: Connection, line: Line, *, reason: str, by: str, now: datetime) -> Line | LineRefusal:
    """Let checkouts on a frozen line go on."""
    assert reason.strip(), "lifting a freeze says why"
    lock_line(db, line.line_id)
    if store.insert_unfreeze(db, line.line_id, reason=reason, by=by, now=now) == 0:
        return LineRefusal("NOT_FROZEN", Bilingual("额度未被冻结", "The line is not frozen"))
    return lock_line(db, line.line_id)


def exposures(db: Connection) -> list[Exposure]:
    """Every line and what it means for us today."""
    return store.list_exposures(db)


def _line_opened(opening: LineOpening, now: datetime) -> Event:
    return Event(
        source=OWN_SOURCE,
        source_id=f"{opening.line_id}/opened",
        kind="line_opened",
        version=1,
        customer_ref=opening.customer_id,
        occurred_at=now,
        received_at=now,
        amount=opening.limit,
        payload={"line_id": opening.line_id},
    )
