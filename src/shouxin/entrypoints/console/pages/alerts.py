"""The alert queue, its drawer, and what people do with an alert."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from shouxin import cases, early_warning, grading
from shouxin.early_warning import AlertDetail, AlertFilter, AlertRefusal
from shouxin.early_warning.domain import OPEN_STATES, SEVERITY_WORDS, STATE_WORDS, AlertOrder
from shouxin.entrypoints.console import svg
from shouxin.entrypoints.console.forms import local_path, one_of, whole_numbers
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.names import named, people_of, reference_of, references
from shouxin.entrypoints.console.rendering import html, render
from shouxin.entrypoints.console.visit import PER_PAGE, Refused, Visit, address
from shouxin.entrypoints.console.visits import does, redirect, shows
from shouxin.governance import Permission
from shouxin.kernel import Bilingual

_ORDERS: dict[str, AlertOrder] = {
    "priority": "priority",
    "time": "time",
    "severity": "severity",
    "exposure": "exposure",
    "days_past_due": "days_past_due",
}
_GRADES = ("S", "A", "B", "C", "D")


@shows("/alerts", needs=Permission.ALERTS_READ)
def alert_queue(visit: Visit) -> Response[Any]:
    """The queue; without any choice it shows the open alerts, the most pressing first."""
    chosen = _chosen(visit)
    found = early_warning.list_alerts(visit.db, chosen)
    filters = {
        "text": chosen.text,
        "severity": chosen.severity,
        "state": visit.asked("state"),
        "grade": chosen.grade,
    }
    return page(
        visit,
        "alerts.html",
        here="alerts",
        chosen=chosen,
        page=found,
        rows=named(visit, found.rows),
        references=references(visit, found.rows),
        people=people_of(visit),
        can_work=visit.may(Permission.ALERTS_HANDLE),
        sort_url=address("/alerts", filters),
        page_url=address("/alerts", {**filters, "order": chosen.order}),
    )


@shows("/alerts/{alert_no:int}", needs=Permission.ALERTS_READ)
def alert(visit: Visit) -> Response[Any]:
    """One alert: as a drawer when htmx asks, else as a page."""
    return _alert_answer(visit, visit.number("alert_no"))


@does("/alerts/{alert_no:int}", needs=Permission.ALERTS_HANDLE)
def work_on_alert(visit: Visit) -> Response[Any]:
    """Assign it to oneself, note something, dismiss it, or escalate it into a case."""
    alert_no, reason = visit.number("alert_no"), visit.sent("reason")
    work = _WORK.get(visit.sent("action"))
    if work is None:
        raise Refused("not_usable")
    answer = work(visit, alert_no, reason)
    if isinstance(answer, Bilingual):
        return _alert_answer(visit, alert_no, refused=answer)
    if not visit.by_htmx:
        return redirect(f"/alerts/{alert_no}", said=answer)
    return _alert_answer(visit, alert_no, done=answer)


@does("/alerts/assign", needs=Permission.ALERTS_HANDLE)
def assign_ticked(visit: Visit) -> Response[Any]:
    """Take every ticked alert."""
    return _each_ticked(visit, _assign)


@does("/alerts/dismiss", needs=Permission.ALERTS_HANDLE)
def dismiss_ticked(visit: Visit) -> Response[Any]:
    """Close every ticked alert with one reason."""
    if not visit.sent("reason"):
        raise Refused("not_usable", Bilingual("请说明关闭理由。", "Say why they are closed."))
    return _each_ticked(visit, _dismiss)


def _chosen(visit: Visit) -> AlertFilter:
    asked_state = visit.request.query_params.get("state")
    return AlertFilter(
        text=visit.asked("text")[:80],
        severity=one_of(visit.asked("severity"), frozenset(map(str, SEVERITY_WORDS))),
        state="open"
        if asked_state is None
        else one_of(asked_state, frozenset({"open", *map(str, STATE_WORDS)})),
        grade=one_of(visit.asked("grade"), _GRADES),
        page=visit.page_number(),
        per_page=PER_PAGE,
        order=_ORDERS.get(visit.asked("order"), "priority"),
    )


def _alert_answer(
    visit: Visit, alert_no: int, *, refused: Bilingual | None = None, done: str | None = None
) -> Response[Any]:
    detail = early_warning.get_alert(visit.db, alert_no)
    if detail is None:
        raise Refused("not_found")
    context = _alert_context(visit, detail) | {
        "refused": refused and refused.in_language(visit.reader.language)
    }
    status = 422 if refused else 200
    if not visit.by_htmx:
        return page(visit, "alert.html", here="alerts", status=status, fragment=False, **context)
    said = visit.word(f"said.{done}") if done else None
    content = render("_alert.html", visit.reader, fragment=True, said=said, **context)
    headers = {"HX-Trigger": "alert-changed"} if done else {}
    return html(content, status=status, reader=visit.reader, headers=headers)


def _alert_context(visit: Visit, detail: AlertDetail) -> dict[str, Any]:
    row = named(visit, (detail.row,))[0]
    scores = [point.score for point in grading.history(visit.db, row.customer_id)]
    return {
        "detail": detail,
        "alert": row,
        "reference": reference_of(visit, row.customer_id),
        "score_spark": svg.sparkline(scores, title=visit.word("alerts.score_trend"), width=400, height=64),
        "people": people_of(visit),
        "is_open": row.state in OPEN_STATES,
        "can_work": visit.may(Permission.ALERTS_HANDLE),
        "can_open_case": visit.may(Permission.CASES_HANDLE),
    }


def _assign(visit: Visit, alert_no: int, reason: str) -> str | Bilingual:
    me = visit.operator.operator_id
    answer = early_warning.assign_alert(visit.db, alert_no, assignee=me, by=me, now=visit.now, why=reason)
    return _audited(visit, answer, "alert.assign", alert_no, said="alert_assigned")


def _dismiss(visit: Visit, alert_no: int, reason: str) -> str | Bilingual:
    me = visit.operator.operator_id
    answer = early_warning.dismiss(visit.db, alert_no, reason=reason, by=me, now=visit.now)
    return _audited(visit, answer, "alert.dismiss", alert_no, said="alert_dismissed", reason=reason)


def _note(visit: Visit, alert_no: int, reason: str) -> str | Bilingual:
    me = visit.operator.operator_id
    answer = early_warning.note_alert(visit.db, alert_no, note=reason, by=me, now=visit.now)
    return _audited(visit, answer, "alert.note", alert_no, said="case_noted")


def _escalate(visit: Visit, alert_no: int, reason: str) -> str | Bilingual:
    """A case is opened and the alert is actioned by that; both or neither."""
    detail = early_warning.get_alert(visit.db, alert_no)
    if detail is None:
        raise Refused("not_found")
    me, row = visit.operator.operator_id, detail.row
    answer = early_warning.action(
        visit.db, alert_no, action="case_opened", reason=reason, by=me, now=visit.now
    )
    if isinstance(answer, AlertRefusal):
        return answer.text
    case = cases.open_case(
        visit.db,
        customer_id=row.customer_id,
        origin=f"alert:{alert_no}",
        title=row.title.in_language(visit.reader.language),
        opened_by=me,
        now=visit.now,
        severity=row.severity,
        note=reason,
    )
    visit.audit("alert.escalate", f"alert:{alert_no}", case_no=case.row.case_no, reason=reason)
    return "alert_escalated"


_WORK = {"assign": _assign, "note": _note, "dismiss": _dismiss, "escalate": _escalate}


def _audited(
    visit: Visit, answer: object, action: str, alert_no: int, *, said: str, **detail: Any
) -> str | Bilingual:
    if isinstance(answer, AlertRefusal):
        return answer.text
    visit.audit(action, f"alert:{alert_no}", **detail)
    return said


def _each_ticked(visit: Visit, work: Any) -> Response[Any]:
    numbers = whole_numbers(visit.form, "alert")[:PER_PAGE]
    answers = [work(visit, number, visit.sent("reason")) for number in numbers]
    partly = any(isinstance(answer, Bilingual) for answer in answers)
    back = local_path(visit.sent("back") or "/alerts")
    return redirect(back, said="alerts_partly" if partly else "alerts_done")


HANDLERS: tuple[HTTPRouteHandler, ...] = (alert_queue, alert, work_on_alert, assign_ticked, dismiss_ticked)
