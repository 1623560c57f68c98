"""The live period: customers come to the checkout call, plans begin, some repay, days are closed.

One day is one transaction. After an interruption the period goes on at the business date.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from shouxin import cases, credit, early_warning, identity, ingestion, reporting, simulation
from shouxin.early_warning import AlertFilter
from shouxin.entrypoints.demo import people
from shouxin.entrypoints.demo.journal import Count
from shouxin.entrypoints.demo.scene import Chain
from shouxin.entrypoints.jobs.nightly import business_today, watch_everyone
from shouxin.kernel import Event

_SHIPS_AFTER = timedelta(hours=6)
# A shop tells of an order once it has the answer: the decision did not know of it.
_TOLD_AFTER = timedelta(seconds=1)
# Instalments are paid in the afternoon.
_REPAID_BEFORE_MIDNIGHT = timedelta(hours=8)
_VOIDS_EVERY = 25
_WATCH_DAYS = 30
_RECORDED_WEEKDAY = 6  # the trend has a point for every Sunday
_CASES = 12
_CLOSED_CASES = 4


def end_of(day: date) -> datetime:
    """The last second of a business day."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=credit.BUSINESS_ZONE)


@dataclass(slots=True)
class _Repaying:
    """Which instalments are paid on which day, as far as the shop's customers will."""

    due: dict[date, list[tuple[credit.Plan, int]]]

    def learn(self, plan: credit.Plan, pays: tuple[int | None, ...]) -> None:
        """Note when this plan's instalments will be paid."""
        for instalment, late in zip(plan.instalments, pays, strict=False):
            if late is not None and not instalment.paid_on:
                self.due[instalment.due_on + timedelta(days=late)].append((plan, instalment.number))


def live_through(chain: Chain) -> Count:
    """Live until the settings' day; returns how many checkouts were decided."""
    intents = list(simulation.read_checkouts(chain.shop / "live/checkouts.parquet"))
    by_day: dict[date, list[simulation.CheckoutIntent]] = defaultdict(list)
    for intent in intents:
        by_day[business_today(intent.at)].append(intent)
    repaying = _Repaying(defaultdict(list))
    with chain.house.database.begin() as db:
        start = credit.current_business_date(db)
        _remember(db, repaying, intents, before=start)
    last = chain.settings.today
    with chain.bar("living through the days") as progress:
        day = start
        while day < last:
            _live_one_day(chain, day, by_day[day], repaying)
            day += timedelta(days=1)
            progress(len(by_day) - (last - day).days, len(by_day))
    return len(intents)


def _live_one_day(
    chain: Chain, day: date, intents: list[simulation.CheckoutIntent], repaying: _Repaying
) -> None:
    # In the order of time: what is recorded with an instant must not come after a decision later than it.
    repaid_at = end_of(day) - _REPAID_BEFORE_MIDNIGHT
    with chain.house.database.begin() as db:
        for intent in (one for one in intents if one.at <= repaid_at):
            _buy(chain, db, intent, day, repaying)
        for plan, number in repaying.due.pop(day, []):
            instalment = plan.instalments[number - 1]
            credit.repay(
                db,
                plan.plan_id,
                amount=instalment.amount,
                now=repaid_at,
                business_date=day,
                reference=f"{plan.plan_id}/{number}",
            )
        for intent in (one for one in intents if one.at > repaid_at):
            _buy(chain, db, intent, day, repaying)
        credit.expire_holds(db, now=end_of(day))
        credit.close_day(db, business_date=day, now=end_of(day))
        identity.unify(db, keyring=chain.house.keyring, now=end_of(day))
        if day.weekday() == _RECORDED_WEEKDAY or day == chain.settings.today - timedelta(days=1):
            reporting.record_day(db, day=day, now=end_of(day))
    if (chain.settings.today - day).days % _WATCH_DAYS == 0:
        watch_everyone(chain.house, as_of=end_of(day))


def _buy(
    chain: Chain, db: Connection, intent: simulation.CheckoutIntent, day: date, repaying: _Repaying
) -> None:
    plan = _check_out(db, intent, day, ships=day < chain.settings.today - timedelta(days=2))
    if plan is not None:
        repaying.learn(plan, intent.pays)


def _check_out(
    db: Connection, intent: simulation.CheckoutIntent, day: date, *, ships: bool
) -> credit.Plan | None:
    """Ask, and when the answer is yes ship (or, now and then, think better of it)."""
    request = credit.CheckoutRequest(
        customer_ref=intent.customer_ref,
        order_id=intent.order_ref,
        amount=intent.amount,
        plan=intent.plan,
        source=intent.source,
    )
    answer = credit.decide(db, request, now=intent.at, business_date=day)
    if answer.hold_id is None:
        return None
    ingestion.record(db, [_order(intent)])
    if not ships:
        return None
    if int(intent.order_ref[-4:], 36) % _VOIDS_EVERY == 0:
        credit.void(db, answer.hold_id, now=intent.at + _SHIPS_AFTER)
        return None
    plan = credit.capture(db, answer.hold_id, now=intent.at + _SHIPS_AFTER, business_date=day)
    assert isinstance(plan, credit.Plan), plan
    return plan


def _order(intent: simulation.CheckoutIntent) -> Event:
    """The order that the shop tells of once its customer has credit for it."""
    payload = {"items": intent.items, "payment_method": "credit", "category": intent.category}
    return Event(
        source=intent.source,
        source_id=f"{intent.order_ref}/placed",
        kind="order_placed",
        version=1,
        customer_ref=intent.customer_ref,
        occurred_at=intent.at,
        received_at=intent.at + _TOLD_AFTER,
        amount=intent.amount,
        order_ref=intent.order_ref,
        payload=payload | {"merchant_ref": intent.merchant_ref, "channel": intent.channel},
    )


def _remember(
    db: Connection, repaying: _Repaying, intents: list[simulation.CheckoutIntent], *, before: date
) -> None:
    """Take up the plans of days that were lived through before an interruption."""
    for intent in intents:
        if business_today(intent.at) >= before:
            return
        customer_id = identity.find_customer(db, source=intent.source, customer_ref=intent.customer_ref)
        if customer_id is None:
            continue
        for plan in credit.plans_of(db, customer_id):
            if plan.order_ref == intent.order_ref:
                repaying.learn(plan, intent.pays)


def open_cases(chain: Chain) -> Count:
    """The reviewer takes up the most urgent alerts as cases and closes some of them."""
    now = chain.house.clock()
    with chain.house.database.begin() as db:
        reviewer = people.operator_named(db, "maria.gomez").name
        urgent = early_warning.list_alerts(db, AlertFilter(per_page=_CASES, order="priority")).rows
        for number, alert in enumerate(urgent):
            case = cases.open_case(
                db,
                customer_id=alert.customer_id,
                origin=f"alert:{alert.alert_no}",
                title=alert.title.en,
                opened_by=reviewer,
                now=now,
                severity=alert.severity,
            )
            cases.assign(db, case.row.case_no, assignee=reviewer, by=reviewer, now=now)
            if number < _CLOSED_CASES:
                note = "Called the customer; the reason of the delay is understood."
                cases.add_note(db, case.row.case_no, note=note, by=reviewer, now=now)
                cases.close(
                    db,
                    case.row.case_no,
                    outcome=cases.CaseOutcome.VALUABLE_ALERT,
                    reason="the customer was reached and pays",
                    by=reviewer,
                    now=now,
                )
    return len(urgent)
