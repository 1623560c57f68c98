"""What is done after midnight, as plain functions that the worker, the demo and tests call alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta

from shouxin import credit, decisions, early_warning, features, grading, identity, ingestion, reporting
from shouxin.entrypoints.house import House
from shouxin.entrypoints.providers import opened_desk
from shouxin.ingestion import external
from shouxin.ingestion.external import Outcome, Subject

Progress = Callable[[int, int], None]
# Of a day's decisions so many of the sample are computed anew.
SKEW_DECISIONS_MAX = 500


def business_today(now: datetime) -> date:
    """The calendar day in the shop's zone."""
    return now.astimezone(credit.BUSINESS_ZONE).date()


def close_days(house: House) -> int:
    """Close every business day that is over, one transaction a day; returns how many."""
    closed = 0
    now = house.clock()
    while True:
        with house.database.begin() as db:
            day = credit.current_business_date(db)
            if day >= business_today(now):
                return closed
            credit.close_day(db, business_date=day, now=now)
            reporting.record_day(db, day=day, now=now)
        closed += 1


def grade_everyone(house: House, *, as_of: datetime | None = None, progress: Progress | None = None) -> int:
    """Unify, export the history and grade every customer with the champion, as of now; returns how many."""
    now = house.clock()
    with house.database.begin() as db:
        identity.unify(db, keyring=house.keyring, now=now)
        ingestion.export_history(db, house.home.history)
        return grading.grade_everyone(
            db, house.home.history, identity.links(db), as_of=as_of or now, now=now, progress=progress
        )


def refresh_external(house: House) -> dict[str, Counter[Outcome]]:
    """Buy anew what is no longer fresh of customers with a line, within the budget; nothing without settings.

    Returns how the enquiries ended by product. Only products that the settings call nightly are bought.
    """
    with opened_desk(house) as desk:
        nightly = [product for product in desk.products if product.nightly] if desk else []
        if desk is None or not nightly:
            return {}
        with house.database.begin() as db:
            identity.unify(db, keyring=house.keyring, now=house.clock())
            subjects = [
                Subject(tuple(identity.references_of(db, exposure.customer_id)))
                for exposure in credit.exposures(db)
            ]
        return external.refresh(subjects, products=nightly, desk=desk)


def watch_everyone(house: House, *, as_of: datetime | None = None) -> int:
    """Measure every customer against the indicators, as of now; returns how many alerts are new."""
    now = as_of or house.clock()
    with house.database.begin() as db:
        ingestion.export_history(db, house.home.history)
        links = identity.links(db)
        count = early_warning.watch_history(db, house.home.history, links, as_of=now, now=now)
    return count.alerts_new


def absorb_events(house: House, *, progress: Progress | None = None) -> features.AbsorbCount:
    """Bring what is kept of each reference up to the event log. Raises UnableToSettle."""
    return features.absorb_log(house.database.begin, progress=progress)


def check_skew(
    house: House,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = SKEW_DECISIONS_MAX,
    progress: Progress | None = None,
) -> features.SkewReport:
    """Compute what the newest decisions read anew from the history and keep how far the two are apart.

    Of the decisions in ``[since, until)``; the last day, if nothing is said.
    """
    now = house.clock()
    until = until or now
    since = since or until - timedelta(days=1)
    with house.database.begin() as db:
        served = decisions.served_values(db, since=since, until=until, limit=limit)
        ingestion.export_history(db, house.home.history)
        return features.check_skew(
            db, house.home.history, served, since=since, until=until, now=now, progress=progress
        )
