"""Reporting, one function a verb: each gathers what other rooms know and hands back a read model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from shouxin import cases, credit, decisions, early_warning, features, grading, identity, ingestion, scoring
from shouxin.cases import CaseFilter
from shouxin.early_warning import AlertFilter
from shouxin.governance import Keyring
from shouxin.grading import SERVICE_POLICY, Standing
from shouxin.grading.domain import standing_from
from shouxin.ingestion import consent
from shouxin.kernel import Bilingual, CustomerId
from shouxin.reporting import store
from shouxin.reporting.domain import (
    BARS_MAX,
    NOTEWORTHY,
    TIMELINE_DAYS,
    TIMELINE_MAX,
    TREND_DAYS,
    TREND_POINTS,
    Bar,
    BucketRow,
    CustomerFilter,
    CustomerPage,
    CustomerView,
    DayMetrics,
    GradeRow,
    Overview,
    PortfolioReport,
    ScorePoint,
    TimelineEntry,
    figures_of,
    overdue_of,
    sampled,
    sections_of,
    tiles_of,
    told_alert,
    told_decision,
    told_event,
    told_freeze,
    told_grades,
)

DECISION_DAYS = 30
_COUNTED = ("alerts_by_state", "alerts_by_outcome", "cases_by_state")
_LATEST_ALERTS = 8
_DECISIONS_MAX = 20
_UNGRADED = Bilingual("尚未评级。", "Not graded yet.")


def overview(db: Connection, *, today: date) -> Overview:
    """The first page: six tiles with their trends, overdue by bucket, grades, the latest alerts.

    Money and grades are those recorded for ``today`` when there are any (``record_day`` may be run as
    often as wanted), else computed now; open alerts and cases are always counted now.
    """
    currency = store.recorded_currency(db, day=today) or store.totals(db).currency
    recorded = store.days(db, currency=currency, since=today - timedelta(days=TREND_DAYS), until=today)
    if not recorded or recorded[-1].day != today:
        recorded = (*recorded, measure(db, day=today))
    open_alerts, open_cases = store.open_work(db)
    recorded = (*recorded[:-1], replace(recorded[-1], open_alerts=open_alerts, open_cases=open_cases))
    shown = sampled(recorded, points_max=TREND_POINTS)
    alerts = early_warning.list_alerts(db, AlertFilter(state="open", order="time", per_page=_LATEST_ALERTS))
    return Overview(
        today=today,
        currency=currency,
        tiles=tiles_of(recorded, today=today, points_max=TREND_POINTS),
        overdue=overdue_of(shown),
        grades=recorded[-1].grades,
        latest_alerts=alerts.rows,
    )


@dataclass(frozen=True, slots=True)
class _Book:
    """What the queries over lines and grades found, each read once."""

    totals: store.Totals
    buckets: tuple[BucketRow, ...]
    grades: tuple[GradeRow, ...]


def _read(db: Connection) -> _Book:
    totals = store.totals(db)
    return _Book(
        totals, store.buckets(db, currency=totals.currency), store.grades(db, currency=totals.currency)
    )


def measure(db: Connection, *, day: date) -> DayMetrics:
    """The portfolio's figures as they stand now, named after ``day``."""
    return _measured(db, _read(db), day=day)


def _measured(db: Connection, book: _Book, *, day: date) -> DayMetrics:
    owed = {row.bucket: row.exposure for row in book.buckets}
    open_alerts, open_cases = store.open_work(db)
    return DayMetrics(
        day=day,
        currency=book.totals.currency,
        exposure=book.totals.exposure,
        held=book.totals.held,
        limit=book.totals.limit,
        overdue_m1=owed["M1"],
        overdue_m2=owed["M2"],
        overdue_m3=owed["M3"],
        overdue_m3_plus=owed["M3+"],
        expected_loss=sum(row.expected_loss for row in book.grades),
        open_alerts=open_alerts,
        open_cases=open_cases,
        grades=tuple((row.grade, row.customers) for row in book.grades),
    )


def record_day(db: Connection, *, day: date, now: datetime) -> DayMetrics:
    """Keep the figures of the day for trends; a day that is recorded again is replaced."""
    metrics = measure(db, day=day)
    store.put_day(db, metrics, now=now)
    return metrics


def list_customers(db: Connection, keyring: Keyring, chosen: CustomerFilter) -> CustomerPage:
    """One page of customers with their masked names."""
    rows, total = store.customers(db, chosen)
    names = identity.masked_names(db, keyring, [row.customer_id for row in rows])
    named = tuple(replace(row, name=names.get(row.customer_id) or "") for row in rows)
    return CustomerPage(named, total, max(chosen.page, 1), chosen.per_page)


def customer_360(
    db: Connection, keyring: Keyring, customer_id: CustomerId, *, as_of: datetime
) -> CustomerView | None:
    """Everything the house knows of one customer, identity masked; None for a customer nobody knows.

    What is told of the person is as it was known at ``as_of``; line, plans, alerts and cases are of now.
    """
    references = tuple(identity.references_of(db, customer_id))
    if not references:
        return None
    graded = grading.history(db, customer_id, known_at=as_of)
    standing = standing_from(graded)
    history = tuple(ScorePoint(a.as_of, a.score, a.grade) for a in graded)
    waiting = AlertFilter(state="open", customer_id=customer_id, per_page=1)
    return CustomerView(
        customer_id=customer_id,
        as_of=as_of,
        references=references,
        profile=identity.masked_profile(db, keyring, customer_id, as_of=as_of),
        standing=standing,
        score_history=history,
        contributions=_contributions(db, standing),
        line=credit.line_of(db, customer_id),
        plans=tuple(credit.plans_of(db, customer_id)),
        timeline=_timeline(db, customer_id, references=references, history=history, as_of=as_of),
        open_alerts=early_warning.list_alerts(db, waiting).total,
        cases=cases.list_cases(db, CaseFilter(customer_id=customer_id, order="time", per_page=20)).rows,
        service=SERVICE_POLICY[standing.grade] if standing else _UNGRADED,
        tags=tuple(decisions.persona_tags(db, customer_id, as_of=as_of)),
        consents=tuple(consent.standings(db, references, as_of=as_of)),
        consent_history=tuple(consent.history(db, references, as_of=as_of)),
    )


def portfolio(db: Connection, *, today: date) -> PortfolioReport:
    """The portfolio as it stands, dated ``today``; every figure says which query made it."""
    book = _read(db)
    figures = figures_of(
        _measured(db, book, day=today),
        lines=book.totals.lines,
        ungraded=store.exposure_without_grade(db, currency=book.totals.currency),
    )
    sections = sections_of(
        buckets=book.buckets,
        grades=book.grades,
        decisions=store.decisions_by_outcome(db, today=today, days=DECISION_DAYS),
        counts={name: store.counts(db, name) for name in _COUNTED},
    )
    return PortfolioReport(today, book.totals.currency, figures=figures, sections=sections)


def _contributions(db: Connection, standing: Standing | None) -> tuple[Bar, ...]:
    """What made the score, largest first: computed again from the same facts and the same model.

    When the champion or the catalogue has changed since, the reasons kept with the grade stand in.
    """
    if standing is None:
        return ()
    artefact = scoring.champion(db)
    made_with = (standing.model_hash, standing.features_hash)
    if artefact is None or made_with != (artefact.hash, features.catalogue_hash()):
        kept = [
            Bar(Bilingual(reason["text"]["zh"], reason["text"]["en"]), int(reason["points"]))
            for reason in standing.reasons
        ]
        return _largest(kept)
    labels = {feature.name: feature.label for feature in artefact.features}
    read = features.definitions_of(artefact.names)
    values = features.values_at(db, standing.customer_id, as_of=standing.as_of, definitions=read)
    score = scoring.score_one(artefact, values)
    return _largest([Bar(labels[item.feature], round(item.points)) for item in score.contributions])


def _largest(bars: Sequence[Bar]) -> tuple[Bar, ...]:
    moved = sorted((bar for bar in bars if bar.points), key=lambda bar: -abs(bar.points))
    return tuple(moved[:BARS_MAX])


def _timeline(
    db: Connection,
    customer_id: CustomerId,
    *,
    references: Sequence[tuple[str, str]],
    history: Sequence[ScorePoint],
    as_of: datetime,
) -> tuple[TimelineEntry, ...]:
    """What was noteworthy, newest first."""
    since = as_of - timedelta(days=TIMELINE_DAYS)
    events = ingestion.list_events(db, references, as_of=as_of, since=since, kinds=sorted(NOTEWORTHY))
    alerts = early_warning.list_alerts(db, AlertFilter(customer_id=customer_id, order="time", per_page=20))
    decisions = store.decisions_of(db, customer_id, as_of=as_of, most=_DECISIONS_MAX)
    entries = [
        *(entry for event in events if (entry := told_event(event)) is not None),
        *told_grades(history),
        *(told_alert(row) for row in alerts.rows if row.raised_at <= as_of),
        *(told_decision(d.at, d.outcome, amount=d.amount, order_ref=d.order_ref) for d in decisions),
        *(
            told_freeze(f.at, frozen=f.frozen, reason=f.reason, by=f.by)
            for f in store.freezes_of(db, customer_id, as_of=as_of)
        ),
    ]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return tuple(entries[:TIMELINE_MAX])
