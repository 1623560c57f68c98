"""What is done after midnight, as plain functions that the worker, the demo and tests call alike."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from shouxin import (
    credit,
    decisions,
    early_warning,
    features,
    grading,
    identity,
    ingestion,
    reporting,
    scoring,
)
from shouxin.entrypoints.house import House
from shouxin.entrypoints.linked_history import linked_history
from shouxin.entrypoints.providers import opened_desk
from shouxin.features import shopwide
from shouxin.features.shopwide import KeptNight
from shouxin.ingestion import external
from shouxin.ingestion.external import Outcome, Subject
from shouxin.kernel import Progress, silent

# Of a day's decisions so many of the sample are computed anew.
SKEW_DECISIONS_MAX = 500
# Who asks for a challenger that the schedule trained.
RETRAINING = "schedule"
# A quarter without a new model is long in a shop; within a month of one, a new one would learn the same.
RETRAIN_AGE, RETRAIN_REST = timedelta(days=90), timedelta(days=28)


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


def grade_everyone(house: House, *, as_of: datetime | None = None, progress: Progress = silent) -> int:
    """Unify, export the history and grade every customer with the champion, as of now; returns how many."""
    now = house.clock()
    with house.database.begin() as db:
        links = linked_history(house, db, now=now)
        return grading.grade_everyone(
            db, house.home.history, links, as_of=as_of or now, now=now, progress=progress
        )


def keep_shopwide(house: House, *, night: datetime | None = None, progress: Progress = silent) -> KeptNight:
    """Unify, export the history and keep the shop-wide features of a midnight, by default the last one."""
    now = house.clock()
    with house.database.begin() as db:
        return shopwide.keep_night(
            db,
            house.home.history,
            linked_history(house, db, now=now),
            night=night or shopwide.last_midnight(now),
            now=now,
            progress=progress,
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


def shadow_challengers(house: House) -> list[decisions.Shadowed]:
    """Let every challenger speak of the decisions since it last did."""
    with house.database.begin() as db:
        return decisions.shadow(db, now=house.clock())


def monitor_models(house: House, *, as_of: datetime | None = None) -> list[scoring.MonitoringRun]:
    """Look at the champion and at every challenger, as of now, in the history as it was last exported.

    A model that can not be monitored, as it was registered without a baseline, is left out.
    """
    now = as_of or house.clock()
    looks = []
    with house.database.begin() as db:
        links = identity.links(db)
        champion = scoring.champion(db)
        for artefact in ([champion] if champion else []) + scoring.challengers(db):
            with contextlib.suppress(scoring.UnableToMonitor):
                looks.append(
                    scoring.monitor(
                        db,
                        artefact,
                        history=house.home.history,
                        links=links,
                        outcome=features.OUTCOMES[artefact.outcome],
                        as_of=now,
                        now=now,
                    )
                )
    return looks


def retrain_when_due(house: House, *, as_of: datetime | None = None) -> grading.Candidate | None:
    """Train a candidate where the champion has drifted or grown old; None where it is not due.

    One that passes its gates becomes a challenger. Nothing is promoted: that takes two people.
    """
    now = as_of or house.clock()
    with house.database.begin() as db:
        why, champion = retraining_reason(db, now=now), scoring.champion(db)
        if why is None or champion is None:
            return None
        candidate = grading.train_candidate(
            db,
            house.home.history,
            identity.links(db),
            as_of=now,
            outcome=features.OUTCOMES[champion.outcome],
            model=champion.model,
            now=now,
        )
        if candidate.passed:
            scoring.challenge(db, candidate.artefact.hash, by=RETRAINING, reason=why, now=now)
    return candidate


def retraining_reason(db: Connection, *, now: datetime) -> str | None:
    """Why the champion should be trained anew now; None where it need not be."""
    champion = scoring.champion(db)
    if champion is None or champion.outcome not in features.OUTCOMES:
        return None
    models = scoring.list_models(db)
    newest = max(row.registered_at for row in models if row.outcome == champion.outcome)
    if now - newest < RETRAIN_REST:
        return None
    looks = scoring.latest_monitoring(db, champion.hash)
    if looks and looks[0]["verdict"] == scoring.Verdict.ACT:
        return f"the monitor calls for action at {looks[0]['as_of'][:10]}"
    age = now - newest
    return f"the newest model is {age.days} days old" if age >= RETRAIN_AGE else None


def watch_everyone(house: House, *, as_of: datetime | None = None) -> int:
    """Measure every customer against the indicators, as of now; returns how many alerts are new."""
    now = as_of or house.clock()
    with house.database.begin() as db:
        ingestion.export_history(db, house.home.history)
        links = identity.links(db)
        count = early_warning.watch_history(db, house.home.history, links, as_of=now, now=now)
    return count.alerts_new


def absorb_events(house: House, *, progress: Progress = silent) -> features.AbsorbCount:
    """Bring what is kept of each reference up to the event log. Raises UnableToSettle."""
    return features.absorb_log(house.database.begin, progress=progress)


def check_skew(
    house: House,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = SKEW_DECISIONS_MAX,
    progress: Progress = silent,
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
