"""Enquire about a customer, keep what came back, and tell what it cost.

An enquiry has three steps, and no transaction is open while a provider thinks: decide and set the money
aside; call; write down how it ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from shouxin.governance import Keyring, normalised
from shouxin.ingestion import consent
from shouxin.ingestion.clear_values import clear_values
from shouxin.ingestion.external import store
from shouxin.ingestion.external.domain import (
    KIND,
    PURPOSE,
    Answer,
    CallFailure,
    CreditData,
    Enquired,
    FailedEnquiry,
    Outcome,
    Product,
    ProductCount,
    Provider,
    ProviderRequest,
    ProviderStatus,
    Subject,
    admit,
    after_failure,
    after_success,
    answer_in,
    budget_allows,
    checked,
    closed_breaker,
    fresh_answer,
    longest,
    month_start,
    payload_of,
    spelled,
    wait_before,
    worst_of,
    worth_retrying,
)
from shouxin.ingestion.service import list_events, record
from shouxin.kernel import Clock, Event, Money, Progress, mint, silent

_STOPS_A_ROUND = {Outcome.BUDGET_SPENT, Outcome.BREAKER_OPEN}


class UnableToFindProduct(LookupError):
    """No provider of the settings sells this; the message lists what is sold."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What enquiries need: who sells, how each provider is reached, and the house's keys and database.

    ``begin`` opens a transaction, ``pause`` waits between attempts, ``jitter`` draws a number from 0 to 1.
    """

    providers: Mapping[str, Provider]
    lines: Mapping[str, CreditData]
    keyring: Keyring
    begin: Callable[[], AbstractContextManager[Connection]]
    clock: Clock
    pause: Callable[[timedelta], None]
    jitter: Callable[[], float]

    @property
    def products(self) -> tuple[Product, ...]:
        """Everything that is sold."""
        return tuple(product for provider in self.providers.values() for product in provider.products)

    def product(self, name: str) -> Product:
        """The product called ``provider/code``, or ``code`` where one provider sells it.

        Raises UnableToFindProduct.
        """
        found = [product for product in self.products if name in {product.name, product.code}]
        if len(found) == 1:
            return found[0]
        sold = ", ".join(product.name for product in self.products) or "nothing"
        raise UnableToFindProduct(
            f"{'several providers sell' if found else 'nobody sells'} {name}; sold: {sold}"
        )


@dataclass(frozen=True, slots=True)
class _Ready:
    """An enquiry that may call: the money is set aside."""

    enquiry_id: str
    request: ProviderRequest
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class _Called:
    """What all attempts of a call gave, the last one last."""

    results: Sequence[Answer | CallFailure]
    latency: timedelta


def enquire(subject: Subject, *, product: Product, desk: Desk) -> Enquired:
    """Ask a provider about a customer who agreed to it, unless a fresh answer is there already.

    Every way it can end is an ``Outcome`` and is kept; an answer also becomes an event of the customer.
    """
    now = desk.clock()
    with desk.begin() as db:
        ready = _open(db, subject, product=product, desk=desk, now=now)
    if isinstance(ready, Enquired):
        return ready
    called = _call(ready.request, product=product, desk=desk)
    with desk.begin() as db:
        return _close(db, subject, ready, called, product=product, desk=desk)


def refresh(
    subjects: Sequence[Subject],
    *,
    products: Iterable[Product],
    desk: Desk,
    progress: Progress = silent,
) -> dict[str, Counter[Outcome]]:
    """Enquire about many customers; returns how the enquiries ended, by product.

    Fresh answers cost nothing, so a round that was interrupted goes on where it ended. A product is left
    when its provider's budget is spent or its breaker is open.
    """
    wanted = list(products)
    counts: dict[str, Counter[Outcome]] = {}
    for number, product in enumerate(wanted):
        ended: Counter[Outcome] = Counter()
        for position, subject in enumerate(subjects, 1):
            outcome = enquire(subject, product=product, desk=desk).outcome
            ended[outcome] += 1
            progress(number * len(subjects) + position, len(wanted) * len(subjects))
            if outcome in _STOPS_A_ROUND:
                break
        counts[product.name] = ended
    return counts


def status(db: Connection, providers: Iterable[Provider], *, now: datetime) -> list[ProviderStatus]:
    """Breaker, money and enquiries of the running month, by provider."""
    since = month_start(now)
    counted = store.product_counts(db, since=since, until=now + timedelta(microseconds=1))
    return [
        ProviderStatus(
            provider,
            store.find_breaker(db, provider.name) or closed_breaker(now),
            _spent(db, provider, now=now),
            [count for count in counted if count.provider == provider.name],
        )
        for provider in providers
    ]


def costs(db: Connection, *, since: datetime, until: datetime) -> list[ProductCount]:
    """Enquiries and their costs by provider and product, asked in ``[since, until)``."""
    return store.product_counts(db, since=since, until=until)


def latest_failures(db: Connection, *, limit: int = 10) -> list[FailedEnquiry]:
    """The newest enquiries that failed, the last one first."""
    return store.list_failed(db, limit=limit)


def _open(
    db: Connection, subject: Subject, *, product: Product, desk: Desk, now: datetime
) -> Enquired | _Ready:
    """Consent, then what is there, then whether a call may go out; the first refusal counts."""
    enquiry_id = mint("enq", now=now)

    def ended(outcome: Outcome, answer: Answer | None = None, event: str | None = None) -> Enquired:
        nothing = Money.zero(product.price.currency)
        end = Enquired(
            enquiry_id, product.provider, product.code, outcome, answer, nothing, nothing, 0, None, event
        )
        store.add_enquiry(db, end, reference=subject.references[0], asked_at=now, now=now)
        return end

    # Nobody may ask others about a person who has not agreed to it (Regulation on the Credit Reporting
    # Industry, art. 18); an answer that is there already is used under the same agreement only.
    if not consent.standing(db, subject.references, purpose=PURPOSE, as_of=now).is_granted:
        return ended(Outcome.NO_CONSENT)
    known = list_events(db, subject.references, as_of=now, kinds=[KIND])
    if fresh := fresh_answer(known, product, now=now):
        return ended(Outcome.CACHED, answer_in(fresh), f"{fresh.source}/{fresh.source_id}")
    field = product.identifier.value
    value = clear_values(db, desk.keyring, subject.references, fields=[field]).get(field)
    if value is None:
        return ended(Outcome.NOTHING_KNOWN)
    refusal = _set_aside(db, enquiry_id, subject, product=product, desk=desk, now=now)
    if refusal is not None:
        return ended(refusal)
    request = ProviderRequest(
        enquiry_id,
        product.code,
        product.identifier,
        product.spelling,
        spelled(normalised(field, value), product.spelling),
        product.timeout,
    )
    return _Ready(enquiry_id, request, now)


def _set_aside(
    db: Connection, enquiry_id: str, subject: Subject, *, product: Product, desk: Desk, now: datetime
) -> Outcome | None:
    """Let the call through the breaker and reserve its price, or say why not. One at a time a provider."""
    provider = desk.providers[product.provider]
    breaker = store.held_breaker(db, provider.name, fallback=closed_breaker(now))
    if store.in_flight(db, product, subject.references, since=now - longest(product)):
        return Outcome.IN_FLIGHT
    admitted = admit(breaker, call=enquiry_id, rules=provider.rules, now=now)
    if admitted is None:
        return Outcome.BREAKER_OPEN
    if not budget_allows(product, budget=provider.monthly_budget, spent=_spent(db, provider, now=now)):
        return Outcome.BUDGET_SPENT
    if admitted != breaker:
        store.set_breaker(db, provider.name, admitted)
    store.add_call(db, enquiry_id, product=product, reference=subject.references[0], now=now)
    return None


def _call(request: ProviderRequest, *, product: Product, desk: Desk) -> _Called:
    """Ask until there is an answer or the retries are used up; nothing of the database is held."""
    started = desk.clock()
    results: list[Answer | CallFailure] = []
    while True:
        result = desk.lines[product.provider].ask(request)
        results.append(result if isinstance(result, CallFailure) else checked(result, product))
        last = results[-1]
        if not isinstance(last, CallFailure) or not worth_retrying(last) or len(results) > product.retries:
            return _Called(results, desk.clock() - started)
        desk.pause(wait_before(len(results) + 1, failure=last, jitter=desk.jitter()))


def _close(
    db: Connection, subject: Subject, ready: _Ready, called: _Called, *, product: Product, desk: Desk
) -> Enquired:
    """Move the breaker, keep the answer as an event, and write the enquiry down."""
    now = desk.clock()
    last = called.results[-1]
    provider = desk.providers[product.provider]
    breaker = store.held_breaker(db, provider.name, fallback=closed_breaker(now))
    answer = None if isinstance(last, CallFailure) else last
    moved = (
        after_success(breaker, call=ready.enquiry_id, now=now)
        if answer
        else after_failure(breaker, call=ready.enquiry_id, rules=provider.rules, now=now)
    )
    if moved != breaker:
        store.set_breaker(db, provider.name, moved)
    cost, disputed = worst_of(called.results, product)
    end = Enquired(
        ready.enquiry_id,
        product.provider,
        product.code,
        _outcome(last),
        answer,
        cost,
        disputed,
        len(called.results),
        called.latency,
        _recorded(db, subject, ready, answer, product=product, now=now) if answer else None,
    )
    store.add_enquiry(db, end, reference=subject.references[0], asked_at=ready.asked_at, now=now)
    return end


def _recorded(
    db: Connection, subject: Subject, ready: _Ready, answer: Answer, *, product: Product, now: datetime
) -> str:
    source, customer_ref = subject.references[0]
    event = Event(
        source=source,
        source_id=f"external/{ready.enquiry_id}",
        kind=KIND,
        version=1,
        customer_ref=customer_ref,
        occurred_at=now,
        received_at=now,
        payload=payload_of(answer, product),
    )
    record(db, [event])
    return f"{source}/{event.source_id}"


def _outcome(result: Answer | CallFailure) -> Outcome:
    if isinstance(result, CallFailure):
        return Outcome(result.kind.value)
    return Outcome.FOUND if result.found else Outcome.UNKNOWN_PERSON


def _spent(db: Connection, provider: Provider, *, now: datetime) -> Money:
    currency = provider.monthly_budget.currency
    return Money(store.spent_minor(db, provider.name, currency=currency, since=month_start(now)), currency)
