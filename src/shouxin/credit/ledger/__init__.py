"""The books: every amount that moves leaves one account and enters another, for ever.

A posting says *from, to, how much*; nothing is changed or taken back, a mistake is answered by another
posting. ``check_ledger`` proves that the books and the running figures of lines, holds and instalments
tell the same story; the database itself refuses to commit a posting that parts a line from its books.
"""

from shouxin.credit.ledger.domain import (
    CASH_RECEIVED,
    SHOP_PAYABLE,
    Entry,
    LedgerCheck,
    LedgerProblem,
    Posting,
    receivable,
)
from shouxin.credit.ledger.service import UnableToBook, balance, check_ledger, keep_day_open, post

__all__ = [
    "CASH_RECEIVED",
    "SHOP_PAYABLE",
    "Entry",
    "LedgerCheck",
    "LedgerProblem",
    "Posting",
    "UnableToBook",
    "balance",
    "check_ledger",
    "keep_day_open",
    "post",
    "receivable",
]
