"""``shouxin review``: the queues of alerts and cases on the terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from shouxin import cases, early_warning
from shouxin.cases import CaseFilter, CaseRow, CaseState
from shouxin.early_warning import AlertFilter, AlertRow, AlertState, Severity
from shouxin.entrypoints.cli.common import HomeOption, JsonOption, emit, opened_house, print_table

app = typer.Typer(help="Look at the queues: alerts that wait for somebody, and cases.", no_args_is_help=True)

SeverityOption = Annotated[Severity | None, typer.Option("--severity", help="Only this severity.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many rows.")]
_WHEN = "%Y-%m-%d %H:%M"


@app.command()
def alerts(
    severity: SeverityOption = None,
    state: Annotated[str, typer.Option("--state", help="open, all, or a state of an alert.")] = "open",
    limit: LimitOption = 20,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List alerts, the most urgent first: severity x exposure x confidence."""
    chosen = AlertFilter(severity=severity, state=_state(state, AlertState, "open"), per_page=limit)
    with opened_house(home) as house, house.database.begin() as db:
        page = early_warning.list_alerts(db, chosen)
    if as_json:
        emit({"total": page.total, "alerts": [_alert_data(row) for row in page.rows]}, as_json=True)
        return
    rows = [
        (
            row.alert_no,
            f"{row.raised_at:{_WHEN}}",
            row.severity,
            row.title.en,
            row.customer_id,
            row.grade or "",
            str(row.exposure),
            row.days_past_due,
            row.state,
            row.assignee or "",
        )
        for row in page.rows
    ]
    columns = ("no", "raised", "severity", "alert", "customer", "grade", "exposure", "DPD", "state", "owner")
    print_table(f"{len(rows)} of {page.total} alerts", columns, rows)


@app.command(name="cases")
def list_cases(
    severity: SeverityOption = None,
    state: Annotated[
        str, typer.Option("--state", help="unfinished, all, or a state of a case.")
    ] = "unfinished",
    limit: LimitOption = 20,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List cases, what is due first at the top."""
    chosen = CaseFilter(severity=severity, state=_state(state, CaseState, "unfinished"), per_page=limit)
    with opened_house(home) as house:
        now = house.clock()
        with house.database.begin() as db:
            page = cases.list_cases(db, chosen)
    if as_json:
        data = [_case_data(row) | {"late": row.is_late(now)} for row in page.rows]
        emit({"total": page.total, "cases": data}, as_json=True)
        return
    rows = [
        (
            row.case_no,
            f"{row.due_at:{_WHEN}}{' late' if row.is_late(now) else ''}",
            row.severity,
            row.title,
            row.customer_id,
            row.origin,
            row.state,
            row.assignee or "",
        )
        for row in page.rows
    ]
    columns = ("no", "due", "severity", "case", "customer", "origin", "state", "owner")
    print_table(f"{len(rows)} of {page.total} cases", columns, rows)


def _state(text: str, states: type[AlertState] | type[CaseState], several: str) -> str | None:
    if text == "all":
        return None
    known = [several, *states]
    if text not in known:
        raise typer.BadParameter(f"{text!r} is not a state; take one of all, {', '.join(known)}")
    return text


def _alert_data(row: AlertRow) -> dict[str, object]:
    return {
        "alert_no": row.alert_no,
        "raised_at": row.raised_at.isoformat(),
        "severity": row.severity,
        "indicator": row.indicator,
        "title": row.title.as_data(),
        "why": row.why.as_data(),
        "customer_id": row.customer_id,
        "grade": row.grade,
        "exposure": {"value": row.exposure.text, "currency": row.exposure.currency},
        "days_past_due": row.days_past_due,
        "state": row.state,
        "assignee": row.assignee,
    }


def _case_data(row: CaseRow) -> dict[str, object]:
    return {
        "case_no": row.case_no,
        "customer_id": row.customer_id,
        "origin": row.origin,
        "title": row.title,
        "severity": row.severity,
        "state": row.state,
        "assignee": row.assignee,
        "opened_at": row.opened_at.isoformat(),
        "due_at": row.due_at.isoformat(),
        "outcome": row.outcome,
    }
