"""Postings, entries and the names of accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from shouxin.kernel import Money

# What we owe the shop for the orders that we paid on a customer's behalf: its balance is negative.
SHOP_PAYABLE = "payable:shop"
# What customers have paid us.
CASH_RECEIVED = "cash:received"
ACCOUNT_KINDS = frozenset({"payable", "cash", "receivable"})


def receivable(line_id: str) -> str:
    """The account of what is owed to us on a line."""
    return f"receivable:{line_id}"


@dataclass(frozen=True, slots=True)
class Posting:
    """``amount`` leaves ``source`` and enters ``destination``."""

    source: str
    destination: str
    amount: Money

    def __post_init__(self) -> None:
        assert self.amount.minor > 0, "an amount moves forward; the other way is another posting"
        assert self.source != self.destination, self.source
        assert {self.source.partition(":")[0], self.destination.partition(":")[0]} <= ACCOUNT_KINDS


@dataclass(frozen=True, slots=True)
class Entry:
    """Postings that belong together; ``reference`` names what they are for and is posted once."""

    kind: str
    reference: str
    business_date: date
    postings: tuple[Posting, ...]

    def __post_init__(self) -> None:
        assert self.postings, "an entry moves something"


@dataclass(frozen=True, slots=True)
class LedgerProblem:
    """Two figures that should be one, in minor units; ``invariant`` names the rule they break."""

    invariant: str
    subject: str
    expected: int
    found: int


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """What a proof of the books looked at and what it found; the first hundred problems."""

    entries: int
    postings: int
    lines: int
    problems: tuple[LedgerProblem, ...]

    @property
    def balanced(self) -> bool:
        """Whether every invariant holds."""
        return not self.problems


def balances(postings: Iterable[Posting]) -> Mapping[str, int]:
    """The balance of every account in minor units: what entered less what left. They add up to zero."""
    totals: dict[str, int] = {}
    for posting in postings:
        totals[posting.source] = totals.get(posting.source, 0) - posting.amount.minor
        totals[posting.destination] = totals.get(posting.destination, 0) + posting.amount.minor
    return totals
