"""Cases: who must look, until when, and what they decided. Values and decisions only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from shouxin.early_warning.domain import Severity
from shouxin.kernel import Bilingual, CustomerId


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    WAITING = "waiting"
    CLOSED = "closed"


class CaseOutcome(StrEnum):
    """What a closed case found."""

    CONFIRMED_RISK = "confirmed_risk"
    FALSE_POSITIVE = "false_positive"
    VALUABLE_ALERT = "valuable_alert"
    NO_ACTION = "no_action"


# The moves of a case while it is worked on; closing and reopening are verbs of their own.
TRANSITIONS: Mapping[CaseState, frozenset[CaseState]] = {
    CaseState.OPEN: frozenset({CaseState.INVESTIGATING, CaseState.WAITING}),
    CaseState.INVESTIGATING: frozenset({CaseState.WAITING, CaseState.OPEN}),
    CaseState.WAITING: frozenset({CaseState.INVESTIGATING}),
    CaseState.CLOSED: frozenset(),
}
STATE_WORDS: Mapping[CaseState, Bilingual] = {
    CaseState.OPEN: Bilingual("待受理", "Open"),
    CaseState.INVESTIGATING: Bilingual("调查中", "Investigating"),
    CaseState.WAITING: Bilingual("等待答复", "Waiting"),
    CaseState.CLOSED: Bilingual("已结案", "Closed"),
}
OUTCOME_WORDS: Mapping[CaseOutcome, Bilingual] = {
    CaseOutcome.CONFIRMED_RISK: Bilingual("确认为风险", "Confirmed risk"),
    CaseOutcome.FALSE_POSITIVE: Bilingual("误报", "False positive"),
    CaseOutcome.VALUABLE_ALERT: Bilingual("有价值的预警", "Valuable alert"),
    CaseOutcome.NO_ACTION: Bilingual("无需处理", "No action needed"),
}
# How long a case may take, in calendar hours from opening (or reopening); an assumption of ours, stated.
SLA_HOURS: Mapping[Severity, int] = {
    Severity.CRITICAL: 24,
    Severity.HIGH: 48,
    Severity.MEDIUM: 120,
    Severity.LOW: 240,
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a case came from: ``alert:<no>``, ``decision:<id>`` or ``manual``."""

    kind: Literal["alert", "decision", "manual"]
    subject: str = ""

    @classmethod
    def parse(cls, text: str) -> Origin:
        """Read an origin; ValueError for a text that is none."""
        kind, _, subject = text.partition(":")
        if kind == "manual" and not subject:
            return cls("manual")
        if kind == "alert" and subject.isdecimal():
            return cls("alert", subject)
        if kind == "decision" and subject:
            return cls("decision", subject)
        raise ValueError(f"{text!r} is not alert:<number>, decision:<id> or manual")

    @property
    def text(self) -> str:
        """The spelling that is stored."""
        return f"{self.kind}:{self.subject}" if self.subject else self.kind


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case as a queue shows it. ``customer_name`` is '' until a page fills in the masked name."""

    case_no: int
    customer_id: CustomerId
    customer_name: str
    origin: str
    title: str
    severity: Severity
    state: CaseState
    assignee: str | None
    opened_by: str
    opened_at: datetime
    due_at: datetime
    outcome: CaseOutcome | None
    closed_at: datetime | None

    def is_late(self, now: datetime) -> bool:
        """Whether it took, or is taking, longer than its SLA."""
        return (self.closed_at or now) > self.due_at


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """One thing that happened to a case. ``what`` is opened, assigned, noted, moved, closed or reopened."""

    at: datetime
    who: str
    what: str
    detail: str
    from_state: CaseState | None
    to_state: CaseState


@dataclass(frozen=True, slots=True)
class Case:
    """A case with its timeline, oldest first."""

    row: CaseRow
    timeline: tuple[CaseEntry, ...]


CaseOrder = Literal["due", "time", "severity"]


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases, in which order. ``state`` may be ``unfinished`` (all but closed); None means all.

    ``text`` is a case number, a customer id, or part of the title.
    """

    text: str = ""
    state: str | None = None
    severity: str | None = None
    assignee: str | None = None
    customer_id: str | None = None
    origin: str | None = None
    page: int = 1
    per_page: int = 50
    order: CaseOrder = "due"


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of a queue, and how many rows the filter found in all."""

    rows: tuple[CaseRow, ...]
    total: int
    page: int
    per_page: int


@dataclass(frozen=True, slots=True)
class CaseRefusal:
    """Why a case was left as it is."""

    code: Literal[
        "unknown_case",
        "case_closed",
        "case_not_closed",
        "origin_has_case",
        "move_not_allowed",
        "reason_missing",
    ]
    text: Bilingual


def due_at(severity: Severity, *, opened_at: datetime) -> datetime:
    """When a case must be closed."""
    return opened_at + timedelta(hours=SLA_HOURS[severity])


def refused_work(state: CaseState | None) -> CaseRefusal | None:
    """Why nobody may work on it (note, assign): there is none, or it is closed."""
    if state is None:
        return CaseRefusal("unknown_case", Bilingual("没有这个案件。", "There is no such case."))
    if state is CaseState.CLOSED:
        return CaseRefusal(
            "case_closed", Bilingual("案件已结案，请先重新打开。", "The case is closed; reopen it first.")
        )
    return None


def refused_move(state: CaseState | None, to: CaseState) -> CaseRefusal | None:
    """The first reason against a move, by precedence; None when it may be made."""
    if refusal := refused_work(state):
        return refusal
    assert state is not None
    if to in TRANSITIONS[state]:
        return None
    here, there = STATE_WORDS[state], STATE_WORDS[to]
    return CaseRefusal(
        "move_not_allowed",
        Bilingual(
            f"案件当前为“{here.zh}”，不能转为“{there.zh}”。",
            f"The case is {here.en.lower()}; it can not become {there.en.lower()} this way.",
        ),
    )


def refused_close(state: CaseState | None, *, reason: str) -> CaseRefusal | None:
    """The first reason against closing."""
    return refused_work(state) or _without_reason(reason)


def refused_reopen(state: CaseState | None, *, reason: str, sibling: int | None) -> CaseRefusal | None:
    """The first reason against reopening; ``sibling`` is an unfinished case of the same origin."""
    if state is None:
        return refused_work(state)
    if state is not CaseState.CLOSED:
        return CaseRefusal("case_not_closed", Bilingual("案件尚未结案。", "The case is not closed."))
    if sibling is not None:
        return CaseRefusal(
            "origin_has_case",
            Bilingual(
                f"同一来源已有未结案件 {sibling}。", f"Case {sibling} of the same origin is unfinished."
            ),
        )
    return _without_reason(reason)


def refused_note(state: CaseState | None, *, note: str) -> CaseRefusal | None:
    """The first reason against a note."""
    return refused_work(state) or _without_reason(note)


def _without_reason(reason: str) -> CaseRefusal | None:
    if reason.strip():
        return None
    return CaseRefusal("reason_missing", Bilingual("请填写说明。", "Write down why."))
