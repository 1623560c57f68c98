"""The verbs of the ledger: post, read a balance, prove the books."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection

from shouxin.credit.ledger import store
from shouxin.credit.ledger.domain import Entry, LedgerCheck
from shouxin.kernel import Money


class UnableToBook(RuntimeError):
    """The books of that day are closed."""


def keep_day_open(db: Connection, business_date: date) -> None:
    """Hold the business date until this transaction ends; raises UnableToBook for a day that is closed.

    Asked for before any line is locked: closing the day takes the date first and the lines after it.
    """
    open_day = store.held_business_date(db)
    if business_date < open_day:
        raise UnableToBook(f"{business_date} is closed; the business date is {open_day}")


def post(db: Connection, entry: Entry, *, now: datetime) -> int:
    """Write an entry; its reference can be posted once (the database refuses a second)."""
    return store.insert_entry(db, entry, now=now)


def balance(db: Connection, account: str, *, currency: str) -> Money:
    """What entered the account less what left it."""
    return Money(store.account_minor(db, account, currency), currency)


def check_ledger(db: Connection) -> LedgerCheck:
    """Prove the books: postings against lines, holds, plans, instalments and repayments."""
    entries, postings, lines = store.counts(db)
    return LedgerCheck(entries, postings, lines, store.find_problems(db))
