"""Early warning, one function a verb: observe, watch, and what people do with an alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from shouxin import credit, features, grading, identity
from shouxin.early_warning import store
from shouxin.early_warning.domain import (
    WATCHED_FEATURES,
    AlertDetail,
    AlertEntry,
    AlertFilter,
    AlertOutcome,
    AlertPage,
    AlertRefusal,
    AlertRow,
    AlertState,
    Observation,
    Signal,
    WatchCount,
    next_step,
    observation_of,
    refused_move,
    refused_work,
    signals_of,
)
from shouxin.kernel import CustomerId

if TYPE_CHECKING:
    import pyarrow as pa

# Where a reference that an operator types may come from.
SOURCES = ("shop", "online-retail", "olist")
# Who is named in an alert's history when nobody was at the desk.
WATCHMAN = "early_warning"


class UnableToObserve(ValueError):
    """The feature table is not of this instant, or lacks a feature that an indicator reads."""


def observe(db: Connection, *, feature_table: pa.Table, as_of: datetime) -> list[Observation]:
    """What is known of every customer who has a line or a row in ``feature_table``.

    The table is what ``features.compute(history, links, as_of=as_of, definitions=..)`` gives, with (at
    least) WATCHED_FEATURES. Raises UnableToObserve.
    """
    measured = _measured(feature_table, as_of=as_of)
    exposures = {exposure.customer_id: exposure for exposure in credit.exposures(db)}
    grades = grading.standings(db)
    return [
        observation_of(
            CustomerId(customer_id),
            measured=measured.get(customer_id, {}),
            borrowed=exposures.get(CustomerId(customer_id)),
            grade=grades.get(CustomerId(customer_id)),
        )
        for customer_id in sorted(measured.keys() | exposures.keys())
    ]


def watch(db: Connection, *, observations: Sequence[Observation], now: datetime) -> WatchCount:
    """Judge the observations: new alerts, worse severities, and nothing twice. Safe to run again."""
    signals = signals_of(observations)
    last = store.last_alerts(db, [signal.customer_id for signal in signals])
    steps = {
        (s.customer_id, s.indicator): next_step(last.get((s.customer_id, s.indicator)), s.severity, now=now)
        for s in signals
    }
    new = [s for s in signals if steps[s.customer_id, s.indicator] == "new"]
    worse = [s for s in signals if steps[s.customer_id, s.indicator] == "raise"]
    added = _kept(db, new, store.add_alerts(db, new, now=now), what="raised", now=now)
    raised = _kept(db, worse, store.raise_alerts(db, worse, now=now), what="severity_raised", now=now)
    store.refresh_open(db, observations)
    return WatchCount(len(observations), added + raised, added, raised)


def watch_history(
    db: Connection, history: Path, links: pa.Table, *, as_of: datetime, now: datetime
) -> WatchCount:
    """The whole round for every customer: compute the watched features as of then, observe, watch."""
    table = features.compute(history, links, as_of=as_of, definitions=WATCHED_FEATURES)
    return watch(db, observations=observe(db, feature_table=table, as_of=as_of), now=now)


def watch_customer(db: Connection, customer_id: CustomerId, *, as_of: datetime, now: datetime) -> WatchCount:
    """The same round for one customer, on an event: the features are computed from the events themselves."""
    values = features.values_at(db, customer_id, as_of=as_of, definitions=WATCHED_FEATURES)
    standing = grading.standing(db, customer_id)
    observation = observation_of(
        customer_id,
        measured=values,
        borrowed=credit.line_of(db, customer_id),
        grade=standing.grade if standing else None,
    )
    return watch(db, observations=[observation], now=now)


def list_alerts(db: Connection, chosen: AlertFilter) -> AlertPage:
    """One page of the queue."""
    said = chosen.text.strip()
    named = [identity.find_customer(db, source=source, customer_ref=said) for source in SOURCES if said]
    return store.list_alerts(db, chosen, customers=[customer for customer in named if customer])


def get_alert(db: Connection, alert_no: int) -> AlertDetail | None:
    """One alert with its history, or None."""
    row = store.find_alert(db, alert_no)
    return None if row is None else AlertDetail(row, store.history_of(db, alert_no))


def count_open_alerts(db: Connection) -> int:
    """How many alerts wait for somebody."""
    return store.count_open(db)


def assign_alert(
    db: Connection, alert_no: int, *, assignee: str, by: str, now: datetime, why: str = ""
) -> AlertRow | AlertRefusal:
    """Somebody answers for the alert; a new one is triaged by that."""
    row = store.locked_alert(db, alert_no)
    if refusal := refused_work(row.state if row else None):
        return refusal
    assert row is not None
    store.assign(db, alert_no, assignee=assignee)
    store.move(db, alert_no, to=AlertState.TRIAGED, outcome=None, now=now)
    entry = AlertEntry(now, by, "assigned", why or assignee, row.state, AlertState.TRIAGED)
    return _told(db, alert_no, entry)


def note_alert(
    db: Connection, alert_no: int, *, note: str, by: str, now: datetime
) -> AlertRow | AlertRefusal:
    """Write something down beside the alert."""
    row = store.locked_alert(db, alert_no)
    if refusal := refused_work(row.state if row else None, note=note):
        return refusal
    assert row is not None
    return _told(db, alert_no, AlertEntry(now, by, "noted", note.strip(), row.state, row.state))


def triage(db: Connection, alert_no: int, *, reason: str, by: str, now: datetime) -> AlertRow | AlertRefusal:
    """Somebody looked and it needs work."""
    return _move(db, alert_no, to=AlertState.TRIAGED, what="triaged", why=reason, by=by, now=now)


def dismiss(db: Connection, alert_no: int, *, reason: str, by: str, now: datetime) -> AlertRow | AlertRefusal:
    """Somebody looked and it needs no work."""
    return _move(db, alert_no, to=AlertState.DISMISSED, what="dismissed", why=reason, by=by, now=now)


def action(
    db: Connection, alert_no: int, *, action: str, reason: str, by: str, now: datetime
) -> AlertRow | AlertRefusal:
    """Somebody did something about it; ``action`` says what, e.g. ``case_opened`` or ``line_frozen``."""
    return _move(db, alert_no, to=AlertState.ACTIONED, what=action, why=reason, by=by, now=now)


def record_outcome(
    db: Connection, alert_no: int, *, outcome: AlertOutcome, reason: str, by: str, now: datetime
) -> AlertRow | AlertRefusal:
    """What the alert turned out to be worth."""
    return _move(
        db,
        alert_no,
        to=AlertState.OUTCOME_KNOWN,
        what=f"outcome:{outcome}",
        why=reason,
        by=by,
        now=now,
        outcome=outcome,
    )


def _move(
    db: Connection,
    alert_no: int,
    *,
    to: AlertState,
    what: str,
    why: str,
    by: str,
    now: datetime,
    outcome: AlertOutcome | None = None,
) -> AlertRow | AlertRefusal:
    row = store.locked_alert(db, alert_no)
    if refusal := refused_move(row.state if row else None, to, why=why):
        return refusal
    assert row is not None
    store.move(db, alert_no, to=to, outcome=outcome, now=now)
    return _told(db, alert_no, AlertEntry(now, by, what, why.strip(), row.state, to))


def _told(db: Connection, alert_no: int, entry: AlertEntry) -> AlertRow:
    store.add_entries(db, [(alert_no, entry)])
    row = store.find_alert(db, alert_no)
    assert row is not None, "alerts are never removed"
    return row


def _kept(
    db: Connection,
    signals: Sequence[Signal],
    changed: Mapping[tuple[str, str], tuple[int, AlertState]],
    *,
    what: str,
    now: datetime,
) -> int:
    """Keep the signals whose alerts did change, and tell it in the alerts' histories."""
    kept = [
        (changed[s.customer_id, s.indicator], s) for s in signals if (s.customer_id, s.indicator) in changed
    ]
    store.add_signals(db, [(alert_no, signal) for (alert_no, _), signal in kept], now=now)
    store.add_entries(
        db,
        [
            (
                alert_no,
                AlertEntry(now, WATCHMAN, what, _measurement(s), None if what == "raised" else state, state),
            )
            for (alert_no, state), s in kept
        ],
    )
    return len(kept)


def _measurement(signal: Signal) -> str:
    return f"{signal.severity}: {signal.measured:.4g} >= {signal.threshold:.4g}"


def _measured(feature_table: pa.Table, *, as_of: datetime) -> dict[str, dict[str, float | None]]:
    names = [definition.name for definition in WATCHED_FEATURES]
    missing = [name for name in names if name not in feature_table.column_names]
    if missing:
        raise UnableToObserve(
            f"the feature table has no column {', '.join(missing)}; compute it with WATCHED_FEATURES"
        )
    if any(moment.as_py() != as_of for moment in feature_table["as_of"].unique()):
        raise UnableToObserve(f"the feature table is not as of {as_of.isoformat()}")
    columns = [feature_table[name].to_pylist() for name in names]
    return {
        customer_id: dict(zip(names, values, strict=True))
        for customer_id, *values in zip(feature_table["customer_id"].to_pylist(), *columns, strict=True)
    }
