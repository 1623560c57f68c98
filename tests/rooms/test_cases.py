"""Cases with their database: opened once, worked on, closed with an outcome that reaches the alert."""

from datetime import timedelta

import pytest
import sqlalchemy

from shouxin import early_warning
from shouxin.cases import (
    CaseFilter,
    CaseOutcome,
    CaseState,
    add_note,
    assign,
    close,
    get_case,
    list_cases,
    move,
    open_case,
    reopen,
)
from shouxin.early_warning import AlertFilter, AlertOutcome, Observation, Severity
from shouxin.kernel import CustomerId, Money

CUSTOMER = CustomerId("cus_1")


def opened(db, now, *, origin="manual", severity=Severity.MEDIUM, title="Look at this"):
    return open_case(
        db, customer_id=CUSTOMER, origin=origin, title=title, opened_by="chen", now=now, severity=severity
    )


def test_a_case_is_worked_on_and_every_step_is_kept(db, now):
    case = opened(db, now, severity=Severity.HIGH)
    number = case.row.case_no
    assert (case.row.state, case.row.due_at) == (CaseState.OPEN, now + timedelta(hours=48))
    assign(db, number, assignee="li.wei", by="chen", now=now)
    move(db, number, to=CaseState.INVESTIGATING, by="li.wei", now=now)
    add_note(db, number, note="Called; promised Friday", by="li.wei", now=now)
    move(db, number, to=CaseState.WAITING, by="li.wei", now=now, reason="until Friday")
    done = close(db, number, outcome=CaseOutcome.NO_ACTION, reason="paid", by="li.wei", now=now)
    assert (done.row.state, done.row.outcome, done.row.closed_at) == (
        CaseState.CLOSED,
        CaseOutcome.NO_ACTION,
        now,
    )
    assert [(e.who, e.what, e.to_state) for e in done.timeline] == [
        ("chen", "opened", "open"),
        ("chen", "assigned", "open"),
        ("li.wei", "moved", "investigating"),
        ("li.wei", "noted", "investigating"),
        ("li.wei", "moved", "waiting"),
        ("li.wei", "closed", "closed"),
    ]


def test_an_alert_has_one_unfinished_case(db, now):
    first = opened(db, now, origin="alert:7")
    second = open_case(
        db, customer_id=CUSTOMER, origin="alert:7", title="Again", opened_by="li", now=now, note="me too"
    )
    assert second.row.case_no == first.row.case_no
    assert [e.what for e in second.timeline] == ["opened", "noted"]
    assert opened(db, now).row.case_no != opened(db, now).row.case_no


def test_closing_tells_the_alert_what_it_was_worth(db, now):
    seen = Observation(CUSTOMER, {"days_past_due": 31.0}, Money(5_000, "CNY"), 31)
    early_warning.watch(db, observations=[seen], now=now)
    no = early_warning.list_alerts(db, AlertFilter()).rows[0].alert_no
    case = opened(db, now, origin=f"alert:{no}")
    taken_up = early_warning.get_alert(db, no)
    assert (taken_up.row.state, taken_up.history[-1].what) == ("actioned", "case_opened")
    close(db, case.row.case_no, outcome=CaseOutcome.CONFIRMED_RISK, reason="fled", by="chen", now=now)
    assert early_warning.get_alert(db, no).row.outcome is AlertOutcome.CONFIRMED_RISK


def test_reopening_starts_the_time_again_but_not_beside_a_sibling(db, now):
    number = opened(db, now, origin="decision:dec_1").row.case_no
    close(db, number, outcome=CaseOutcome.FALSE_POSITIVE, reason="mistake", by="chen", now=now)
    sibling = opened(db, now, origin="decision:dec_1").row.case_no
    later = now + timedelta(days=9)
    assert reopen(db, number, reason="new facts", by="chen", now=later).code == "origin_has_case"
    close(db, sibling, outcome=CaseOutcome.NO_ACTION, reason="same", by="chen", now=later)
    again = reopen(db, number, reason="new facts", by="chen", now=later)
    assert (again.row.state, again.row.outcome) == (CaseState.OPEN, None)
    assert again.row.due_at == later + timedelta(hours=120)


def test_what_can_not_be_done_is_refused_and_changes_nothing(db, now):
    number = opened(db, now).row.case_no
    assert (
        close(db, number, outcome=CaseOutcome.NO_ACTION, reason="", by="x", now=now).code == "reason_missing"
    )
    assert move(db, number, to=CaseState.CLOSED, by="x", now=now).code == "move_not_allowed"
    assert assign(db, number + 1, assignee="y", by="x", now=now).code == "unknown_case"
    assert reopen(db, number, reason="x", by="x", now=now).code == "case_not_closed"
    assert len(get_case(db, number).timeline) == 1
    assert get_case(db, number + 1) is None


def test_the_queue_shows_what_is_due_first(db, now):
    for hours, severity in enumerate(Severity):
        opened(db, now + timedelta(hours=hours), severity=severity, title=f"Severity {severity}")
    page = list_cases(db, CaseFilter(state="unfinished", per_page=3))
    assert [row.severity for row in page.rows] == [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM]
    assert page.total == 4
    late = [row.is_late(now + timedelta(days=3)) for row in page.rows]
    assert late == [True, True, False]
    assert list_cases(db, CaseFilter(text="severity LOW")).total == 1
    assert list_cases(db, CaseFilter(text=str(page.rows[0].case_no))).rows == page.rows[:1]
    assert list_cases(db, CaseFilter(severity="low", order="severity")).total == 1
    assert list_cases(db, CaseFilter(customer_id="cus_2")).total == 0


def test_the_timeline_is_append_only(db, now):
    opened(db, now)
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="permission denied"):
        db.execute(sqlalchemy.text("UPDATE cases.case_event SET detail = 'x'"))
