"""Event: a fact about a customer, with the instant it happened and the instant we learnt it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shouxin.kernel.money import Money

# The source of what our own credit room reports; it calls a customer by the customer's own id.
OWN_SOURCE = "credit"


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. ``(source, source_id)`` names it for ever; ``received_at`` is never before our knowing it.

    ``amount`` and ``order_ref`` are lifted out of the payload because nearly every reader wants them;
    ``payload`` holds the rest, free of clear personal data.
    """

    source: str
    source_id: str
    kind: str
    version: int
    customer_ref: str
    occurred_at: datetime
    received_at: datetime
    amount: Money | None = None
    order_ref: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.occurred_at.tzinfo is not None and self.received_at.tzinfo is not None

    def known_at(self, as_of: datetime) -> bool:
        """Whether a reader standing at ``as_of`` may see this: it had happened and we had learnt it."""
        return self.occurred_at <= as_of and self.received_at <= as_of
