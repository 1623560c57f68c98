"""Cases: the queue, one case with its timeline, and the moves of a case."""

from __future__ import annotations

from typing import Any, cast

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from shouxin import cases, identity
from shouxin.cases import TRANSITIONS, CaseFilter, CaseOutcome, CaseRefusal, CaseState, Origin
from shouxin.cases.domain import Case, CaseOrder
from shouxin.early_warning.domain import SEVERITY_WORDS
from shouxin.entrypoints.console.forms import one_of
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.names import named, people_of, reference_of, references
from shouxin.entrypoints.console.visit import PER_PAGE, Refused, Visit, address
from shouxin.entrypoints.console.visits import does, redirect, shows
from shouxin.governance import Permission
from shouxin.kernel import CustomerId

_STATES = frozenset({"unfinished", *map(str, CaseState)})
_TITLE_LENGTH_MAX = 120


@shows("/cases", needs=Permission.CASES_READ)
def case_queue(visit: Visit) -> Response[Any]:
    """The queue; without any choice it shows what is not closed, the most urgent first."""
    state = visit.request.query_params.get("state")
    order = one_of(visit.asked("order"), ("due", "time", "severity")) or "due"
    chosen = CaseFilter(
        text=visit.asked("text")[:80],
        state="unfinished" if state is None else one_of(state, _STATES),
        severity=one_of(visit.asked("severity"), frozenset(map(str, SEVERITY_WORDS))),
        page=visit.page_number(),
        per_page=PER_PAGE,
        order=cast(CaseOrder, order),
    )
    found = cases.list_cases(visit.db, chosen)
    filters = {"text": chosen.text, "state": visit.asked("state"), "severity": chosen.severity}
    return page(
        visit,
        "cases.html",
        here="cases",
        chosen=chosen,
        page=found,
        rows=named(visit, found.rows),
        references=references(visit, found.rows),
        people=people_of(visit),
        sort_url=address("/cases", filters),
        page_url=address("/cases", {**filters, "order": chosen.order}),
    )


@shows("/cases/{case_no:int}", needs=Permission.CASES_READ)
def case(visit: Visit) -> Response[Any]:
    """One case with everything that happened to it."""
    found = cases.get_case(visit.db, visit.number("case_no"))
    if found is None:
        raise Refused("not_found")
    origin = Origin.parse(found.row.origin)
    return page(
        visit,
        "case.html",
        here="cases",
        case=found,
        row=named(visit, (found.row,))[0],
        reference=reference_of(visit, found.row.customer_id),
        people=people_of(visit),
        origin_kind=origin.kind,
        origin_alert=origin.subject if origin.kind == "alert" else "",
        moves=sorted(TRANSITIONS[found.row.state]),
        outcomes=list(CaseOutcome),
        can_work=visit.may(Permission.CASES_HANDLE),
    )


@does("/cases", needs=Permission.CASES_HANDLE)
def open_case(visit: Visit) -> Response[Any]:
    """Open a case about a customer by hand."""
    title, customer_id = visit.sent("title")[:_TITLE_LENGTH_MAX], CustomerId(visit.sent("customer_id"))
    if not title or not identity.references_of(visit.db, customer_id):
        raise Refused("not_usable")
    opened = cases.open_case(
        visit.db,
        customer_id=customer_id,
        origin="manual",
        title=title,
        opened_by=visit.operator.operator_id,
        now=visit.now,
        note=visit.sent("note") or None,
    )
    number = opened.row.case_no
    visit.audit("case.open", f"case:{number}", customer_id=opened.row.customer_id)
    return redirect(f"/cases/{number}", said="case_opened")


@does("/cases/{case_no:int}/assign", needs=Permission.CASES_HANDLE)
def assign_case(visit: Visit) -> Response[Any]:
    """Take the case."""
    me = visit.operator.operator_id
    answer = cases.assign(visit.db, _number(visit), assignee=me, by=me, now=visit.now)
    return _done(visit, answer, "case.assign", said="case_assigned")


@does("/cases/{case_no:int}/note", needs=Permission.CASES_HANDLE)
def note_case(visit: Visit) -> Response[Any]:
    """Write something into the timeline."""
    answer = cases.add_note(
        visit.db, _number(visit), note=visit.sent("note"), by=visit.operator.operator_id, now=visit.now
    )
    return _done(visit, answer, "case.note", said="case_noted")


@does("/cases/{case_no:int}/move", needs=Permission.CASES_HANDLE)
def move_case(visit: Visit) -> Response[Any]:
    """Open, investigating or waiting."""
    to = visit.sent("to")
    if to not in frozenset(CaseState):
        raise Refused("not_usable")
    answer = cases.move(
        visit.db, _number(visit), to=CaseState(to), by=visit.operator.operator_id, now=visit.now
    )
    return _done(visit, answer, "case.move", said="case_moved", to=to)


@does("/cases/{case_no:int}/close", needs=Permission.CASES_HANDLE)
def close_case(visit: Visit) -> Response[Any]:
    """Decide the case: an outcome and a reason."""
    outcome = visit.sent("outcome")
    if outcome not in frozenset(CaseOutcome):
        raise Refused("not_usable")
    answer = cases.close(
        visit.db,
        _number(visit),
        outcome=CaseOutcome(outcome),
        reason=visit.sent("reason"),
        by=visit.operator.operator_id,
        now=visit.now,
    )
    return _done(visit, answer, "case.close", said="case_closed", outcome=outcome)


@does("/cases/{case_no:int}/reopen", needs=Permission.CASES_HANDLE)
def reopen_case(visit: Visit) -> Response[Any]:
    """There is more to it."""
    answer = cases.reopen(
        visit.db, _number(visit), reason=visit.sent("reason"), by=visit.operator.operator_id, now=visit.now
    )
    return _done(visit, answer, "case.reopen", said="case_reopened")


def _number(visit: Visit) -> int:
    return visit.number("case_no")


def _done(
    visit: Visit, answer: Case | CaseRefusal, action: str, *, said: str, **detail: Any
) -> Response[Any]:
    if isinstance(answer, CaseRefusal):
        raise Refused("not_found" if answer.code == "unknown_case" else "not_usable", answer.text)
    visit.audit(action, f"case:{_number(visit)}", **detail)
    return redirect(f"/cases/{_number(visit)}", said=said)


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    case_queue,
    case,
    open_case,
    assign_case,
    note_case,
    move_case,
    close_case,
    reopen_case,
)
