"""SQL of early warning: sets of signals in, alerts out. No decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, text

from shouxin.early_warning.domain import (
    AlertEntry,
    AlertFilter,
    AlertOutcome,
    AlertPage,
    AlertRow,
    AlertState,
    LastAlert,
    Observation,
    Severity,
    Signal,
    explain,
    indicator_named,
)
from shouxin.kernel import CustomerId, Money

_BY_WEIGHT = {severity.weight: severity for severity in Severity}
_OPEN = "('new', 'triaged')"
_ORDERS = {
    "priority": "priority DESC",
    "time": "raised_at DESC",
    "severity": "severity DESC, priority DESC",
    "exposure": "exposure_minor DESC",
    "days_past_due": "days_past_due DESC",
}

_UNNESTED = (
    "unnest(CAST(:customer_id AS text[]), CAST(:indicator AS text[]), CAST(:severity AS smallint[]),"
    " CAST(:measured AS double precision[]), CAST(:threshold AS double precision[]),"
    " CAST(:confidence AS double precision[]), CAST(:exposure_minor AS bigint[]), CAST(:currency AS text[]),"
    " CAST(:days_past_due AS integer[]), CAST(:grade AS text[]), CAST(:priority AS bigint[]))"
    " AS s(customer_id, indicator, severity, measured, threshold, confidence, exposure_minor, currency,"
    " days_past_due, grade, priority)"
)


def last_alerts(db: Connection, customers: Sequence[str]) -> dict[tuple[str, str], LastAlert]:
    """The newest alert of each of these customers and each indicator."""
    rows = db.execute(
        text(
            "SELECT DISTINCT ON (customer_id, indicator)"
            " customer_id, indicator, alert_no, severity, state, changed_at"
            " FROM early_warning.alert WHERE customer_id = ANY(CAST(:customers AS text[]))"
            " ORDER BY customer_id, indicator, alert_no DESC"
        ),
        {"customers": list(customers)},
    )
    return {
        (r.customer_id, r.indicator): LastAlert(
            r.alert_no, _BY_WEIGHT[r.severity], AlertState(r.state), r.changed_at
        )
        for r in rows
    }


def add_alerts(
    db: Connection, signals: Sequence[Signal], *, now: datetime
) -> dict[tuple[str, str], tuple[int, AlertState]]:
    """New alerts for these signals; one that another transaction opened meanwhile is left out."""
    rows = db.execute(
        text(
            "INSERT INTO early_warning.alert (customer_id, indicator, severity, measured, threshold,"
            " confidence, exposure_minor, currency, days_past_due, grade, priority,"
            " state, raised_at, changed_at)"
            f" SELECT s.*, 'new', :now, :now FROM {_UNNESTED}"
            f" ON CONFLICT (customer_id, indicator) WHERE state IN {_OPEN} DO NOTHING"
            " RETURNING customer_id, indicator, alert_no, state"
        ),
        _columns(signals) | {"now": now},
    )
    return _changed(rows)


def raise_alerts(
    db: Connection, signals: Sequence[Signal], *, now: datetime
) -> dict[tuple[str, str], tuple[int, AlertState]]:
    """Open alerts take the worse severity of these signals; what was not worse is left out."""
    rows = db.execute(
        text(
            "UPDATE early_warning.alert a SET severity = s.severity, measured = s.measured,"
            " threshold = s.threshold, confidence = s.confidence, exposure_minor = s.exposure_minor,"
            " days_past_due = s.days_past_due, grade = s.grade, priority = s.priority, changed_at = :now"
            f" FROM {_UNNESTED} WHERE a.customer_id = s.customer_id AND a.indicator = s.indicator"
            f" AND a.state IN {_OPEN} AND a.severity < s.severity"
            " RETURNING a.customer_id, a.indicator, a.alert_no, a.state"
        ),
        _columns(signals) | {"now": now},
    )
    return _changed(rows)


def _changed(rows: Iterable[Row[Any]]) -> dict[tuple[str, str], tuple[int, AlertState]]:
    return {(r.customer_id, r.indicator): (r.alert_no, AlertState(r.state)) for r in rows}


def _columns(signals: Sequence[Signal]) -> dict[str, list[Any]]:
    return {
        "customer_id": [s.customer_id for s in signals],
        "indicator": [s.indicator for s in signals],
        "severity": [s.severity.weight for s in signals],
        "measured": [float(s.measured) for s in signals],
        "threshold": [float(s.threshold) for s in signals],
        "confidence": [float(s.confidence) for s in signals],
        "exposure_minor": [s.exposure.minor for s in signals],
        "currency": [s.exposure.currency for s in signals],
        "days_past_due": [s.days_past_due for s in signals],
        "grade": [s.grade for s in signals],
        "priority": [s.priority for s in signals],
    }


def add_signals(db: Connection, signals: Sequence[tuple[int, Signal]], *, now: datetime) -> None:
    """Keep the signals that made or worsened alerts (``alert_no`` beside each)."""
    db.execute(
        text(
            "INSERT INTO early_warning.signal (alert_no, customer_id, indicator, severity, measured,"
            " threshold, confidence, detected_at)"
            " SELECT s.*, :now FROM unnest(CAST(:alert_no AS bigint[]), CAST(:customer_id AS text[]),"
            " CAST(:indicator AS text[]), CAST(:severity AS smallint[]),"
            " CAST(:measured AS double precision[]), CAST(:threshold AS double precision[]),"
            " CAST(:confidence AS double precision[])) s"
        ),
        {"alert_no": [no for no, _ in signals], "now": now} | _columns([s for _, s in signals]),
    )


def refresh_open(db: Connection, observations: Sequence[Observation]) -> None:
    """Open alerts of the observed customers show what is at stake now; the signal stays as it was."""
    db.execute(
        text(
            "UPDATE early_warning.alert a SET exposure_minor = o.exposure_minor,"
            " days_past_due = o.days_past_due, grade = o.grade,"
            # The same arithmetic as domain.priority; a test holds them together.
            " priority = trunc(a.severity * greatest(o.exposure_minor, 100) * a.confidence)"
            " FROM unnest(CAST(:customer_id AS text[]), CAST(:exposure_minor AS bigint[]),"
            " CAST(:days_past_due AS integer[]), CAST(:grade AS text[]))"
            " AS o(customer_id, exposure_minor, days_past_due, grade)"
            f" WHERE a.customer_id = o.customer_id AND a.state IN {_OPEN}"
            " AND (a.exposure_minor, a.days_past_due, a.grade)"
            " IS DISTINCT FROM (o.exposure_minor, o.days_past_due, o.grade)"
        ),
        {
            "customer_id": [o.customer_id for o in observations],
            "exposure_minor": [o.exposure.minor for o in observations],
            "days_past_due": [o.days_past_due for o in observations],
            "grade": [o.grade for o in observations],
        },
    )


def add_entries(db: Connection, entries: Sequence[tuple[int, AlertEntry]]) -> None:
    """Add to the histories of alerts (``alert_no`` beside each entry)."""
    db.execute(
        text(
            "INSERT INTO early_warning.alert_event (alert_no, at, who, what, why, from_state, to_state)"
            " SELECT * FROM unnest(CAST(:no AS bigint[]), CAST(:at AS timestamptz[]), CAST(:who AS text[]),"
            " CAST(:what AS text[]), CAST(:why AS text[]), CAST(:from AS text[]), CAST(:to AS text[]))"
        ),
        {
            "no": [no for no, _ in entries],
            "at": [e.at for _, e in entries],
            "who": [e.who for _, e in entries],
            "what": [e.what for _, e in entries],
            "why": [e.why for _, e in entries],
            "from": [e.from_state for _, e in entries],
            "to": [e.to_state for _, e in entries],
        },
    )


def find_alert(db: Connection, alert_no: int) -> AlertRow | None:
    """The alert, or None."""
    found = db.execute(text(f"{_SELECT} WHERE alert_no = :no"), {"no": alert_no}).mappings().one_or_none()
    return None if found is None else _row(found)


def locked_alert(db: Connection, alert_no: int) -> AlertRow | None:
    """The alert, held until this transaction ends."""
    found = (
        db.execute(text(f"{_SELECT} WHERE alert_no = :no FOR UPDATE"), {"no": alert_no})
        .mappings()
        .one_or_none()
    )
    return None if found is None else _row(found)


def history_of(db: Connection, alert_no: int) -> tuple[AlertEntry, ...]:
    """Everything that happened to the alert, oldest first."""
    rows = db.execute(
        text(
            "SELECT at, who, what, why, from_state, to_state FROM early_warning.alert_event"
            " WHERE alert_no = :no ORDER BY alert_event_no"
        ),
        {"no": alert_no},
    )
    return tuple(
        AlertEntry(
            r.at,
            r.who,
            r.what,
            r.why,
            AlertState(r.from_state) if r.from_state else None,
            AlertState(r.to_state),
        )
        for r in rows
    )


def move(
    db: Connection, alert_no: int, *, to: AlertState, outcome: AlertOutcome | None, now: datetime
) -> None:
    """The alert stands in another state from now on."""
    db.execute(
        text(
            "UPDATE early_warning.alert SET state = :to, outcome = :outcome, changed_at = :now"
            " WHERE alert_no = :no"
        ),
        {"no": alert_no, "to": to, "outcome": outcome, "now": now},
    )


def assign(db: Connection, alert_no: int, *, assignee: str) -> None:
    """Somebody answers for the alert."""
    db.execute(
        text("UPDATE early_warning.alert SET assignee = :assignee WHERE alert_no = :no"),
        {"no": alert_no, "assignee": assignee},
    )


def list_alerts(db: Connection, chosen: AlertFilter, *, customers: Sequence[str]) -> AlertPage:
    """One page of the queue; ``customers`` are those that the filter's text names."""
    where, bound = _conditions(chosen, customers)
    total = db.scalar(text(f"SELECT count(*) FROM early_warning.alert WHERE {where}"), bound)
    rows = db.execute(
        text(
            f"{_SELECT} WHERE {where} ORDER BY {_ORDERS[chosen.order]}, alert_no DESC"
            " LIMIT :per_page OFFSET :skipped"
        ),
        bound | {"per_page": chosen.per_page, "skipped": (max(chosen.page, 1) - 1) * chosen.per_page},
    ).mappings()
    return AlertPage(tuple(map(_row, rows)), int(total or 0), chosen.page, chosen.per_page)


def count_open(db: Connection) -> int:
    """How many alerts wait for somebody."""
    return int(db.scalar(text(f"SELECT count(*) FROM early_warning.alert WHERE state IN {_OPEN}")) or 0)


_SELECT = (
    "SELECT alert_no, raised_at, severity, indicator, customer_id, grade, exposure_minor, currency,"
    " days_past_due, state, assignee, measured, threshold, priority, outcome FROM early_warning.alert"
)


def _conditions(chosen: AlertFilter, customers: Sequence[str]) -> tuple[str, dict[str, Any]]:
    terms, bound = ["true"], dict[str, Any]()
    if chosen.state == "open":
        terms.append(f"state IN {_OPEN}")
    elif chosen.state:
        terms.append("state = :state")
        bound["state"] = chosen.state
    if chosen.severity:
        terms.append("severity = :severity")
        bound["severity"] = Severity(chosen.severity).weight
    for name in ("grade", "indicator", "assignee", "customer_id"):
        if value := getattr(chosen, name):
            terms.append(f"{name} = :{name}")
            bound[name] = value
    if said := chosen.text.strip():
        terms.append("(alert_no = :text_no OR customer_id = ANY(CAST(:text_customers AS text[])))")
        bound["text_no"] = int(said) if said.isdecimal() and len(said) < 19 else -1  # bigint has 19 digits
        bound["text_customers"] = [said, *customers]
    return " AND ".join(terms), bound


def _row(found: RowMapping) -> AlertRow:
    indicator = indicator_named(found["indicator"])
    severity = _BY_WEIGHT[found["severity"]]
    return AlertRow(
        alert_no=found["alert_no"],
        raised_at=found["raised_at"],
        severity=severity,
        indicator=indicator.name,
        title=indicator.threshold_of(severity).title,
        customer_id=CustomerId(found["customer_id"]),
        customer_name="",
        grade=found["grade"],
        exposure=Money(found["exposure_minor"], found["currency"]),
        days_past_due=found["days_past_due"],
        state=AlertState(found["state"]),
        assignee=found["assignee"],
        stage=indicator.stage,
        why=explain(indicator, measured=found["measured"], threshold=found["threshold"]),
        measured=found["measured"],
        threshold=found["threshold"],
        priority=found["priority"],
        outcome=AlertOutcome(found["outcome"]) if found["outcome"] else None,
    )
