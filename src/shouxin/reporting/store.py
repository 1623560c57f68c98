"""SQL of reporting: the only place that reads other rooms' tables, and it changes none of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, Row, text

from shouxin.kernel import CustomerId, Money
from shouxin.reporting.domain import (
    BUCKETS,
    DEFAULTED_DAYS,
    GRADES,
    LGD_ASSUMED,
    TOTAL_MAX,
    BucketRow,
    CountRow,
    CustomerFilter,
    CustomerRow,
    DayMetrics,
    GradeRow,
)
from shouxin.reporting.domain.overrides import OverrideLine
from shouxin.reporting.queries import QUERIES

# What a book without any line is counted in.
_CURRENCY = "CNY"


@dataclass(frozen=True, slots=True)
class Totals:
    """The book of one currency, in minor units."""

    currency: str
    lines: int
    exposure: int
    held: int
    limit: int


def totals(db: Connection) -> Totals:
    """The book in the currency that most lines have."""
    row = db.execute(text(QUERIES["portfolio_totals"])).one_or_none()
    if row is None:
        return Totals(_CURRENCY, 0, 0, 0, 0)
    return Totals(row.currency, row.lines, row.exposure, row.held, row.credit_limit)


def buckets(db: Connection, *, currency: str) -> tuple[BucketRow, ...]:
    """Lines that owe something, by bucket; every bucket has a row."""
    rows = db.execute(text(QUERIES["overdue_by_bucket"]), {"currency": currency})
    found = {r.bucket: BucketRow(r.bucket, r.lines, r.exposure) for r in rows}
    return tuple(found.get(bucket, BucketRow(bucket, 0, 0)) for bucket in BUCKETS)


def grades(db: Connection, *, currency: str) -> tuple[GradeRow, ...]:
    """Customers, exposure and expected loss by grade; every grade has a row."""
    rows = db.execute(
        text(QUERIES["grades"]), {"currency": currency, "lgd": LGD_ASSUMED, "defaulted_days": DEFAULTED_DAYS}
    )
    found = {r.grade: GradeRow(r.grade, r.customers, r.mean_pd, r.exposure, r.expected_loss) for r in rows}
    return tuple(found.get(grade, GradeRow(grade, 0, 0.0, 0, 0)) for grade in GRADES)


def exposure_without_grade(db: Connection, *, currency: str) -> int:
    """What ungraded customers owe; no expected loss can be said of it."""
    return int(db.scalar(text(QUERIES["exposure_without_grade"]), {"currency": currency}) or 0)


def counts(db: Connection, query: str, *, bound: Mapping[str, Any] | None = None) -> tuple[CountRow, ...]:
    """The rows of one of the counting queries."""
    return tuple(CountRow(r.name, r.number) for r in db.execute(text(QUERIES[query]), bound or {}))


def decisions_by_outcome(db: Connection, *, today: date, days: int) -> tuple[CountRow, ...]:
    """Decisions of the last ``days`` that end with ``today``."""
    until = datetime.combine(today + timedelta(days=1), time.min, tzinfo=UTC)
    return counts(
        db, "decisions_by_outcome_30d", bound={"since": until - timedelta(days=days), "until": until}
    )


def open_work(db: Connection) -> tuple[int, int]:
    """How many alerts and how many cases are open."""
    row = db.execute(text(QUERIES["open_work"])).one()
    return row.open_alerts, row.open_cases


def put_day(db: Connection, metrics: DayMetrics, *, now: datetime) -> None:
    """Keep the day's figures; a day that is recorded again is replaced."""
    db.execute(
        text(
            "INSERT INTO reporting.day_metrics (day, currency, exposure, held, credit_limit, overdue_m1,"
            " overdue_m2, overdue_m3, overdue_m3_plus, expected_loss, open_alerts, open_cases, grades,"
            " recorded_at) VALUES (:day, :currency, :exposure, :held, :limit, :overdue_m1, :overdue_m2,"
            " :overdue_m3, :overdue_m3_plus, :expected_loss, :open_alerts, :open_cases,"
            " CAST(:grades AS jsonb), :now)"
            " ON CONFLICT (day, currency) DO UPDATE SET exposure = excluded.exposure, held = excluded.held,"
            " credit_limit = excluded.credit_limit, overdue_m1 = excluded.overdue_m1,"
            " overdue_m2 = excluded.overdue_m2, overdue_m3 = excluded.overdue_m3,"
            " overdue_m3_plus = excluded.overdue_m3_plus, expected_loss = excluded.expected_loss,"
            " open_alerts = excluded.open_alerts, open_cases = excluded.open_cases,"
            " grades = excluded.grades, recorded_at = excluded.recorded_at"
        ),
        {name: getattr(metrics, name) for name in metrics.__slots__}
        | {"grades": json.dumps(dict(metrics.grades)), "now": now},
    )


def recorded_currency(db: Connection, *, day: date) -> str | None:
    """The currency of that day's figures, or None when the day is not recorded."""
    currency: str | None = db.scalar(
        text("SELECT currency FROM reporting.day_metrics WHERE day = :day ORDER BY recorded_at DESC LIMIT 1"),
        {"day": day},
    )
    return currency


def days(db: Connection, *, currency: str, since: date, until: date) -> tuple[DayMetrics, ...]:
    """The recorded days from ``since`` to ``until`` (both included), oldest first."""
    rows = db.execute(
        text(
            "SELECT * FROM reporting.day_metrics WHERE currency = :currency"
            " AND day BETWEEN :since AND :until ORDER BY day"
        ),
        {"currency": currency, "since": since, "until": until},
    )
    return tuple(
        DayMetrics(
            r.day, r.currency, r.exposure, r.held, r.credit_limit, r.overdue_m1, r.overdue_m2, r.overdue_m3,
            r.overdue_m3_plus, r.expected_loss, r.open_alerts, r.open_cases,
            tuple((grade, r.grades.get(grade, 0)) for grade in GRADES),
        )
        for r in rows
    )  # fmt: skip


# Which table leads in which order: its customers come first, everybody else after them by id.
_LEADS = {
    "risk": ("grading.standing", "pd DESC"),
    "exposure": ("credit.line", "outstanding_minor DESC"),
    "days_past_due": ("credit.line", "days_past_due DESC, outstanding_minor DESC"),
    "registered": ("identity.customer", "customer_no DESC"),
}


def customers(db: Connection, chosen: CustomerFilter) -> tuple[list[CustomerRow], int]:
    """One page of customers without their names, and the total (counted up to TOTAL_MAX)."""
    skipped, wanted = (max(chosen.page, 1) - 1) * chosen.per_page, chosen.per_page
    named, bound = _named(db, chosen.text.strip())
    table, order = _LEADS[chosen.order]
    leading = f"FROM {table} t WHERE {_listed(table, chosen)} AND {named}"
    everybody = f"FROM identity.customer t WHERE {_listed('identity.customer', chosen)} AND {named}"
    graded = f"FROM grading.standing t WHERE {_listed('grading.standing', chosen)} AND {named}"
    bound |= {"grade": chosen.grade}
    ids = _ids(db, leading, order, bound, skipped=skipped, wanted=wanted)
    if len(ids) < wanted and table != "identity.customer":
        rest = f"{everybody} AND NOT EXISTS (SELECT FROM {table} o WHERE o.customer_id = t.customer_id)"
        passed = 0 if ids or not skipped else skipped - _count(db, leading, bound)
        ids += _ids(db, rest, "customer_id", bound, skipped=passed, wanted=wanted - len(ids))
    return _details(db, ids), _count(db, graded if chosen.grade else everybody, bound)


def _listed(table: str, chosen: CustomerFilter) -> str:
    """Which rows of the table the filter asks for, its text apart."""
    alive = "t.merged_into IS NULL" if table == "identity.customer" else "true"
    if not chosen.grade:
        return alive
    if table == "grading.standing":
        return "t.grade = :grade"
    graded = "SELECT FROM grading.standing g WHERE g.customer_id = t.customer_id AND g.grade = :grade"
    return f"{alive} AND EXISTS ({graded})"


def _named(db: Connection, said: str) -> tuple[str, dict[str, Any]]:
    """The condition that the filter's text puts on a customer."""
    if not said:
        return "true", {}
    found = db.execute(
        text("SELECT customer_id FROM identity.member WHERE customer_ref = :said"), {"said": said}
    )
    return "t.customer_id = ANY(CAST(:named AS text[]))", {"named": list(found.scalars())}


def _count(db: Connection, source: str, bound: Mapping[str, Any]) -> int:
    counted = text(f"SELECT count(*) FROM (SELECT {source} LIMIT :most) c")
    return int(db.scalar(counted, {**bound, "most": TOTAL_MAX}) or 0)


def _ids(
    db: Connection, source: str, order: str, bound: Mapping[str, Any], *, skipped: int, wanted: int
) -> list[str]:
    listed = text(
        f"SELECT t.customer_id {source} ORDER BY {order}, t.customer_id LIMIT :wanted OFFSET :skipped"
    )
    return list(db.execute(listed, {**bound, "wanted": wanted, "skipped": skipped}).scalars())


def _details(db: Connection, ids: Sequence[str]) -> list[CustomerRow]:
    rows = db.execute(
        text(
            "WITH member AS MATERIALIZED (SELECT m.customer_id, m.source, m.customer_ref, m.link_no"
            "   FROM identity.member m WHERE m.customer_id = ANY(CAST(:ids AS text[])))"
            " SELECT c.customer_id, s.grade, s.pd, s.score, l.currency, l.limit_minor,"
            " l.outstanding_minor, coalesce(l.days_past_due, 0) AS days_past_due,"
            " (SELECT m.customer_ref FROM member m WHERE m.customer_id = c.customer_id"
            "   AND m.source <> 'credit' ORDER BY m.link_no LIMIT 1) AS reference,"
            " (SELECT count(*) FROM early_warning.alert a WHERE a.customer_id = c.customer_id"
            "   AND a.state IN ('new', 'triaged')) AS open_alerts,"
            " (SELECT min(e.occurred_at) FROM member m JOIN ingestion.event e"
            "   USING (source, customer_ref) WHERE m.customer_id = c.customer_id) AS first_seen"
            " FROM identity.customer c LEFT JOIN grading.standing s USING (customer_id)"
            " LEFT JOIN credit.line l USING (customer_id)"
            " WHERE c.customer_id = ANY(CAST(:ids AS text[]))"
        ),
        {"ids": list(ids)},
    )
    found = {row.customer_id: _customer(row) for row in rows}
    return [found[customer_id] for customer_id in ids if customer_id in found]


def _customer(r: Row[Any]) -> CustomerRow:
    return CustomerRow(
        customer_id=CustomerId(r.customer_id),
        reference=r.reference or "",
        name="",
        grade=r.grade,
        pd=r.pd,
        score=r.score,
        limit=None if r.currency is None else Money(r.limit_minor, r.currency),
        exposure=None if r.currency is None else Money(r.outstanding_minor, r.currency),
        days_past_due=r.days_past_due,
        open_alerts=r.open_alerts,
        registered_at=r.first_seen,
    )


@dataclass(frozen=True, slots=True)
class DecisionFact:
    """One decision about a customer, as a timeline tells it."""

    at: datetime
    outcome: str
    amount: Money
    order_ref: str


@dataclass(frozen=True, slots=True)
class FreezeFact:
    """A freeze of a customer's line, or the end of one."""

    at: datetime
    frozen: bool
    reason: str
    by: str


def decisions_of(
    db: Connection, customer_id: CustomerId, *, as_of: datetime, most: int
) -> list[DecisionFact]:
    """The newest decisions about a customer."""
    rows = db.execute(
        text(
            "SELECT created_at, outcome, amount_minor, currency, order_ref FROM decisions.decision"
            " WHERE customer_id = :customer AND created_at <= :as_of ORDER BY created_at DESC LIMIT :most"
        ),
        {"customer": customer_id, "as_of": as_of, "most": most},
    )
    return [
        DecisionFact(r.created_at, r.outcome, Money(r.amount_minor, r.currency), r.order_ref) for r in rows
    ]


def freezes_of(db: Connection, customer_id: CustomerId, *, as_of: datetime) -> list[FreezeFact]:
    """Every freeze of the customer's line and every end of one."""
    rows = db.execute(
        text(
            "SELECT f.at, true AS frozen, f.reason, f.by_operator FROM credit.freeze f"
            " JOIN credit.line l USING (line_id) WHERE l.customer_id = :customer AND f.at <= :as_of"
            " UNION ALL"
            " SELECT u.at, false, u.reason, u.by_operator FROM credit.unfreeze u"
            " JOIN credit.freeze f USING (freeze_no) JOIN credit.line l USING (line_id)"
            " WHERE l.customer_id = :customer AND u.at <= :as_of"
        ),
        {"customer": customer_id, "as_of": as_of},
    )
    return [FreezeFact(r.at, r.frozen, r.reason, r.by_operator) for r in rows]


def add_lift(db: Connection, *, as_of: datetime, body: Mapping[str, Any], now: datetime) -> None:
    """Keep a lift report."""
    db.execute(
        text("INSERT INTO reporting.lift_report (as_of, body, made_at) VALUES (:as_of, :body, :now)"),
        {"as_of": as_of, "body": json.dumps(body), "now": now},
    )


def newest_lift(db: Connection) -> Mapping[str, Any] | None:
    """The lift report that was made last."""
    found: Mapping[str, Any] | None = db.scalar(
        text("SELECT body FROM reporting.lift_report ORDER BY report_no DESC LIMIT 1")
    )
    return found


def count_shadowed(db: Connection, model_hash: str) -> int:
    """Of how many decisions a challenger has spoken."""
    statement = text("SELECT count(*) FROM scoring.shadow WHERE model_hash = :hash")
    return int(db.scalar(statement, {"hash": model_hash}) or 0)


def override_lines(db: Connection, *, defaulted_days: int) -> list[OverrideLine]:
    """Overrides by what they said, with the PD assigned last before and what the line came to since."""
    statement = text(
        "SELECT f.said, count(*) AS overrides,"
        " count(*) FILTER (WHERE EXISTS (SELECT 1 FROM credit.line l JOIN credit.bucket b USING (line_id)"
        " WHERE l.customer_id = f.customer_id AND b.days_past_due >= :days"
        " AND b.effective_on > f.as_of::date)) AS defaulted,"
        " avg((SELECT a.pd FROM grading.assignment a WHERE a.customer_id = f.customer_id AND a.as_of <= "
        "f.as_of"
        " ORDER BY a.as_of DESC, a.assignment_no DESC LIMIT 1)) AS mean_pd"
        " FROM scoring.feedback f WHERE f.kind = 'override' GROUP BY f.said ORDER BY f.said"
    )
    return [OverrideLine(**row._mapping) for row in db.execute(statement, {"days": defaulted_days})]
