"""What is asked and what comes back: requests, answers, failures, and when an answer still serves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from shouxin.ingestion.external.domain.products import Charging, Identifier, Product, Spelling
from shouxin.kernel import Event, Money

KIND = "external_score_received"
_NUMBERS = ("score", "open_loans", "overdue_loans", "court_records")
# A provider may say that its answer lasts; nothing is believed for longer than a year.
VALID_DAYS_MAX = 365


class FailureKind(StrEnum):
    """How a call failed."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    DROPPED = "dropped"
    SERVER_ERROR = "server_error"
    THROTTLED = "throttled"
    MALFORMED = "malformed"
    REJECTED = "rejected"


# A wrong key or an unknown product is not mended by asking again.
_NEVER_AGAIN = {FailureKind.REJECTED}
# What never reached the provider is not charged; of the rest the provider may think otherwise.
_NOT_CHARGED = {FailureKind.UNREACHABLE, FailureKind.THROTTLED, FailureKind.REJECTED}


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """What is sent, and nothing more. The value is personal: it is not shown and not kept."""

    request_id: str
    product: str
    identifier: Identifier
    spelling: Spelling
    value: str = field(repr=False)
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider knows about a person; ``found`` is false for one it does not know."""

    found: bool
    score: int | None = None
    band: str | None = None
    open_loans: int | None = None
    overdue_loans: int | None = None
    court_records: int | None = None
    valid_days: int | None = None


@dataclass(frozen=True, slots=True)
class CallFailure:
    """A call without an answer; ``retry_after`` where the provider said how long to wait."""

    kind: FailureKind
    retry_after: timedelta | None = None


class CreditData(Protocol):
    """A provider that can be asked. It answers or tells how it failed; it never raises for either."""

    def ask(self, request: ProviderRequest) -> Answer | CallFailure:
        """One attempt, over within ``request.timeout``."""


def spelled(value: str, spelling: Spelling) -> str:
    """The normal form of an identifier as the provider wants it."""
    return value if spelling is Spelling.CLEAR else hashlib.sha256(value.encode()).hexdigest()


def checked(answer: Answer, product: Product) -> Answer | CallFailure:
    """The answer, unless it says what this product can not say."""
    malformed = CallFailure(FailureKind.MALFORMED)
    numbers = [getattr(answer, name) for name in _NUMBERS]
    if any(number is not None and not 0 <= number <= 10_000 for number in numbers):
        return malformed
    if answer.valid_days is not None and not 1 <= answer.valid_days <= 3_650:
        return malformed
    if not answer.found:
        return malformed if any(number is not None for number in numbers) else answer
    if product.scale is not None and not (
        answer.score is not None and product.scale[0] <= answer.score <= product.scale[1]
    ):
        return malformed
    return answer if any(number is not None for number in numbers) or answer.band else malformed


def payload_of(answer: Answer, product: Product) -> dict[str, Any]:
    """The answer as the payload of its event; ``valid_days`` says for how long it is a feature."""
    valid = min(answer.valid_days or product.freshness.days or 1, VALID_DAYS_MAX)
    told = {name: getattr(answer, name) for name in (*_NUMBERS, "band")}
    return {
        "provider": product.provider,
        "product": product.code,
        "outcome": "found" if answer.found else "unknown_person",
        **{name: value for name, value in told.items() if value is not None},
        "valid_days": valid,
    }


def answer_in(event: Event) -> Answer:
    """The answer that an event of this kind holds."""
    payload = event.payload
    told = {name: payload.get(name) for name in (*_NUMBERS, "band", "valid_days")}
    return Answer(payload["outcome"] == "found", **told)


def fresh_answer(events: Iterable[Event], product: Product, *, now: datetime) -> Event | None:
    """The newest answer of a product that still serves: younger than the product's freshness, and than
    the days the provider gave it."""
    own = [
        event
        for event in events
        if event.known_at(now)
        and (event.payload.get("provider"), event.payload.get("product")) == (product.provider, product.code)
    ]
    newest = max(own, key=lambda event: (event.occurred_at, event.source_id), default=None)
    if newest is None or now >= newest.occurred_at + _lasts(newest, product):
        return None
    return newest


def _lasts(event: Event, product: Product) -> timedelta:
    days = event.payload.get("valid_days")
    return product.freshness if days is None else min(product.freshness, timedelta(days=days))


def cost_of(result: Answer | CallFailure, product: Product) -> tuple[Money, Money]:
    """(what is owed for sure, what the provider may ask for besides): a lost answer may be on its invoice."""
    nothing = Money.zero(product.price.currency)
    if isinstance(result, CallFailure):
        return nothing, nothing if result.kind in _NOT_CHARGED else product.price
    owed = result.found or product.charging is Charging.ANSWERED
    return (product.price if owed else nothing), nothing


def worst_of(results: Iterable[Answer | CallFailure], product: Product) -> tuple[Money, Money]:
    """Costs of the attempts of one enquiry, which share a request id and so are charged once."""
    seen = list(results)
    last = seen[-1]
    owed, _ = cost_of(last, product)
    nothing = Money.zero(product.price.currency)
    if not isinstance(last, CallFailure):
        return owed, nothing
    return owed, max((cost_of(result, product)[1] for result in seen), default=nothing)


def worth_retrying(failure: CallFailure) -> bool:
    """Whether the same call may succeed a moment later."""
    return failure.kind not in _NEVER_AGAIN
