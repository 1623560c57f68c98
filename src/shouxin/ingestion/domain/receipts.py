"""What is answered about a batch: how many rows were read, and what became of every one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shouxin.kernel import Money

REFUSALS_SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one row is not taken: the field (``payload/rating``) and a reason free of what it held."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """A refused row of a batch, by its position (from 0)."""

    position: int
    field: str
    reason: str

    @property
    def pointer(self) -> str:
        """The JSON pointer (RFC 6901) of the field inside its item; empty for the item itself."""
        return f"/{self.field}" if self.field else ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The account of one batch or load: ``read`` is always ``accepted + duplicates + quarantined``."""

    read: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    refusals: tuple[RefusedItem, ...] = ()

    def __post_init__(self) -> None:
        assert self.read == self.accepted + self.duplicates + self.quarantined, self
        assert sum(self.reasons.values()) == self.quarantined, self

    def __add__(self, other: Receipt) -> Receipt:
        return Receipt(
            self.read + other.read,
            self.accepted + other.accepted,
            self.duplicates + other.duplicates,
            self.quarantined + other.quarantined,
            dict(Counter(self.reasons) + Counter(other.reasons)),
            (self.refusals + other.refusals)[:REFUSALS_SHOWN_MAX],
        )

    def as_data(self) -> dict[str, Any]:
        """The five figures that ``shouxin ingest`` prints; the most frequent reason comes first."""
        ranked = sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))
        return {
            "read": self.read,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
            "reasons": dict(ranked),
        }


def receipt_of(*, read: int, accepted: int, refused: Iterable[RefusedItem]) -> Receipt:
    """The receipt of a batch in which everything neither accepted nor refused was known already.

    It names every refused item; receipts that are added up name the first REFUSALS_SHOWN_MAX.
    """
    items = sorted(refused, key=lambda item: item.position)
    reasons = Counter(f"{item.field}: {item.reason}" for item in items)
    duplicates = read - accepted - len(items)
    assert duplicates >= 0, (read, accepted, len(items))
    return Receipt(read, accepted, duplicates, len(items), dict(reasons), tuple(items))


@dataclass(frozen=True, slots=True)
class Fact:
    """A checked event that may still hold clear personal values; it lives in memory only."""

    source: str
    source_id: str
    kind: str
    version: int
    customer_ref: str
    occurred_at: datetime
    received_at: datetime
    order_ref: str | None
    amount: Money | None
    payload: bytes
    personal: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class PersonalFact:
    """A personal value of a customer: its token, and the value sealed for ``source:customer_ref``."""

    source: str
    customer_ref: str
    source_id: str
    field: str
    token: str
    sealed: bytes | None
    verified: bool
    occurred_at: datetime
    received_at: datetime


def present_values(facts: Iterable[PersonalFact]) -> dict[str, PersonalFact]:
    """The last sealed value of each field, by when it happened, then by when we learnt it."""
    ordered = sorted(
        (fact for fact in facts if fact.sealed is not None),
        key=lambda fact: (fact.occurred_at, fact.received_at, fact.source, fact.source_id),
    )
    return {fact.field: fact for fact in ordered}


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A refused row as people see it: where it stood and why; what it held stays sealed."""

    quarantine_no: int
    source: str
    adapter: str
    field: str
    reason: str
    place: str
    received_at: datetime
    released_at: datetime | None
    outcome: str | None = None
    released_by: str | None = None
    why: str | None = None
    repairs: int = 0

    @property
    def state(self) -> str:
        """``open``, or what became of it: accepted, duplicate or discarded."""
        return self.outcome or "open"
