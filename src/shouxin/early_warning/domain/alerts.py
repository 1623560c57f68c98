"""Alerts: work that a signal made for somebody, and the moves that it may make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from shouxin.early_warning.domain.indicators import Severity, Stage
from shouxin.kernel import Bilingual, CustomerId, Money


class AlertState(StrEnum):
    """Where an alert stands in its life."""

    NEW = "new"
    TRIAGED = "triaged"
    ACTIONED = "actioned"
    DISMISSED = "dismissed"
    OUTCOME_KNOWN = "outcome_known"


class AlertOutcome(StrEnum):
    """What an alert turned out to be worth; this is how indicators are judged themselves."""

    CONFIRMED_RISK = "confirmed_risk"
    VALUABLE_ALERT = "valuable_alert"
    FALSE_POSITIVE = "false_positive"
    NO_ACTION = "no_action"


OPEN_STATES = frozenset({AlertState.NEW, AlertState.TRIAGED})
# The whole life of an alert; what is not in this table can not happen.
TRANSITIONS: Mapping[AlertState, frozenset[AlertState]] = {
    AlertState.NEW: frozenset({AlertState.TRIAGED, AlertState.ACTIONED, AlertState.DISMISSED}),
    AlertState.TRIAGED: frozenset({AlertState.ACTIONED, AlertState.DISMISSED}),
    AlertState.ACTIONED: frozenset({AlertState.OUTCOME_KNOWN}),
    AlertState.DISMISSED: frozenset({AlertState.OUTCOME_KNOWN}),
    AlertState.OUTCOME_KNOWN: frozenset(),
}
STATE_WORDS: Mapping[AlertState, Bilingual] = {
    AlertState.NEW: Bilingual("待处理", "New"),
    AlertState.TRIAGED: Bilingual("已分派", "Triaged"),
    AlertState.ACTIONED: Bilingual("已处置", "Actioned"),
    AlertState.DISMISSED: Bilingual("已排除", "Dismissed"),
    AlertState.OUTCOME_KNOWN: Bilingual("结果已知", "Outcome known"),
}
# After somebody looked and closed it, the same news is not news for a month; worse news always is.
QUIET_DAYS = 30


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert as a queue shows it. ``customer_name`` is '' until a page fills in the masked name."""

    alert_no: int
    raised_at: datetime
    severity: Severity
    indicator: str
    title: Bilingual
    customer_id: CustomerId
    customer_name: str
    grade: str | None
    exposure: Money
    days_past_due: int
    state: AlertState
    assignee: str | None
    stage: Stage
    why: Bilingual
    measured: float
    threshold: float
    priority: int
    outcome: AlertOutcome | None = None


@dataclass(frozen=True, slots=True)
class AlertEntry:
    """One thing that happened to an alert: who, when, what, why."""

    at: datetime
    who: str
    what: str
    why: str
    from_state: AlertState | None
    to_state: AlertState


@dataclass(frozen=True, slots=True)
class AlertDetail:
    """One alert with everything that happened to it, oldest first."""

    row: AlertRow
    history: tuple[AlertEntry, ...]


AlertOrder = Literal["priority", "time", "severity", "exposure", "days_past_due"]


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts, in which order. ``state`` may be ``open`` (new or triaged); None means every state.

    ``text`` is an alert number, a customer id, or a customer's reference at a source.
    """

    text: str = ""
    severity: str | None = None
    state: str | None = None
    grade: str | None = None
    indicator: str | None = None
    assignee: str | None = None
    customer_id: str | None = None
    page: int = 1
    per_page: int = 50
    order: AlertOrder = "priority"


@dataclass(frozen=True, slots=True)
class AlertPage:
    """One page of a queue, and how many rows the filter found in all."""

    rows: tuple[AlertRow, ...]
    total: int
    page: int
    per_page: int


@dataclass(frozen=True, slots=True)
class AlertRefusal:
    """Why an alert was left as it is."""

    code: Literal["unknown_alert", "alert_closed", "move_not_allowed", "reason_missing"]
    text: Bilingual


_UNKNOWN = AlertRefusal("unknown_alert", Bilingual("没有这条预警。", "There is no such alert."))
_SAY_WHY = AlertRefusal("reason_missing", Bilingual("请说明理由。", "Say why."))


@dataclass(frozen=True, slots=True)
class WatchCount:
    """What one watch saw and did: ``signals`` of ``observed`` customers made or worsened alerts."""

    observed: int
    signals: int
    alerts_new: int
    alerts_raised: int


@dataclass(frozen=True, slots=True)
class LastAlert:
    """The newest alert of one customer and one indicator, as far as the next signal needs it."""

    alert_no: int
    severity: Severity
    state: AlertState
    changed_at: datetime


def next_step(
    last: LastAlert | None, severity: Severity, *, now: datetime
) -> Literal["new", "raise", "known", "quiet"]:
    """What a signal does: a new alert, a worse severity on the open one, or nothing.

    One open alert for each customer and indicator. A closed one stays quiet for QUIET_DAYS unless the
    signal is worse than what was closed.
    """
    if last is None:
        return "new"
    worse = severity.weight > last.severity.weight
    if last.state in OPEN_STATES:
        return "raise" if worse else "known"
    return "new" if worse or now - last.changed_at >= timedelta(days=QUIET_DAYS) else "quiet"


def step_for(state: AlertState, to: AlertState) -> bool:
    """Whether the table of transitions has this move."""
    return to in TRANSITIONS[state]


def refused_work(state: AlertState | None, *, note: str | None = None) -> AlertRefusal | None:
    """The first reason against assigning or noting: there is none, it is closed, or nothing was said."""
    if state is None:
        return _UNKNOWN
    if state not in OPEN_STATES:
        return AlertRefusal("alert_closed", Bilingual("预警已处理完毕。", "The alert is no longer open."))
    return _SAY_WHY if note is not None and not note.strip() else None


def refused_move(state: AlertState | None, to: AlertState, *, why: str) -> AlertRefusal | None:
    """The first reason against a move, by precedence; None when it may be made."""
    if state is None:
        return _UNKNOWN
    if not step_for(state, to):
        here, there = STATE_WORDS[state], STATE_WORDS[to]
        return AlertRefusal(
            "move_not_allowed",
            Bilingual(
                f"预警当前为“{here.zh}”，不能转为“{there.zh}”。",
                f"The alert is {here.en.lower()}; it can not become {there.en.lower()}.",
            ),
        )
    return None if why.strip() else _SAY_WHY
