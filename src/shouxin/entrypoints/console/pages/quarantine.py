"""The quarantine desk: what was refused, one row with its repairs, and what can be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from shouxin.entrypoints.console.forms import field, one_of
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.names import people_of
from shouxin.entrypoints.console.visit import PER_PAGE, Refused, Visit, address
from shouxin.entrypoints.console.visits import does, redirect, shows
from shouxin.governance import Permission
from shouxin.ingestion import QuarantinedRow, desk
from shouxin.ingestion.desk import STATES, DeskRefusal, DeskRefusalReason, QuarantineFilter
from shouxin.ingestion.domain.desk import ENVELOPE
from shouxin.ingestion.quality import RULES, rule_of

_AGES = {"1": timedelta(days=1), "7": timedelta(days=7), "30": timedelta(days=30)}
_FIELD = "field:"
_FIELDS_SHOWN = 200


@shows("/quarantine", needs=Permission.QUALITY_READ)
def quarantine_list(visit: Visit) -> Response[Any]:
    """Refused rows, newest first; without any choice those that are open."""
    return _list_page(visit, visit.asked)


@shows("/quarantine/{number:int}", needs=Permission.QUALITY_READ)
def quarantined_row(visit: Visit) -> Response[Any]:
    """One row: where it stood, which rule refused it, its repairs. What it held stays sealed."""
    return _row_page(visit)


@does("/quarantine/{number:int}/reveal", needs=Permission.QUARANTINE_REPAIR)
def reveal(visit: Visit) -> Response[Any]:
    """Show what the row held, for a reason; the desk writes the audit entry."""
    number, why = visit.number("number"), visit.sent("reason")
    held = desk.reveal_quarantined(
        visit.db, visit.house.keyring, number, by=visit.operator.operator_id, why=why, now=visit.now
    )
    if isinstance(held, DeskRefusal):
        return _refused(visit, held)
    return _row_page(visit, held=held, why=why)


@does("/quarantine/{number:int}/check", needs=Permission.QUARANTINE_REPAIR)
def check(visit: Visit) -> Response[Any]:
    """Say what would still be wrong after this repair; change nothing."""
    number, typed, why = visit.number("number"), _typed(visit), visit.sent("reason")
    wrong = desk.check_repair(visit.db, visit.house.keyring, number, changes=typed, why=why, now=visit.now)
    if isinstance(wrong, DeskRefusal):
        return _refused(visit, wrong, held=typed, why=why)
    return _row_page(
        visit, held=typed, why=why, checked="quarantine.would_pass" if wrong is None else str(wrong)
    )


@does("/quarantine/{number:int}/repair", needs=Permission.QUARANTINE_REPAIR)
def repair(visit: Visit) -> Response[Any]:
    """Change fields and try the row at once; the desk writes the audit entry."""
    number, typed, why = visit.number("number"), _typed(visit), visit.sent("reason")
    answer = desk.repair_quarantined(
        visit.db,
        visit.house.keyring,
        number,
        changes=typed,
        by=visit.operator.operator_id,
        why=why,
        now=visit.now,
    )
    if isinstance(answer, DeskRefusal):
        return _refused(visit, answer, held=typed, why=why)
    said = f"quarantine_{answer.outcome}" if answer.outcome else "quarantine_still_wrong"
    return redirect(f"/quarantine/{number}", said=said)


@does("/quarantine/{number:int}/discard", needs=Permission.QUARANTINE_REPAIR)
def discard(visit: Visit) -> Response[Any]:
    """Give the row up, for a reason."""
    number = visit.number("number")
    answer = desk.discard_quarantined(
        visit.db, [number], by=visit.operator.operator_id, why=visit.sent("reason"), now=visit.now
    )
    if isinstance(answer, DeskRefusal):
        return _refused(visit, answer)
    if not answer:
        return _refused(visit, DeskRefusal(DeskRefusalReason.NOT_OPEN))
    return redirect(f"/quarantine/{number}", said="quarantine_discarded")


@does("/quarantine/discard", needs=Permission.QUARANTINE_REPAIR)
def discard_all(visit: Visit) -> Response[Any]:
    """Give up every row of the choice, if they are as many as the page said."""
    expected = visit.sent("expected")
    if not expected.isdecimal() or len(expected) > 12:
        raise Refused("not_usable")
    answer = desk.discard_chosen(
        visit.db,
        _chosen(visit, visit.sent),
        expected=int(expected),
        by=visit.operator.operator_id,
        why=visit.sent("reason"),
        now=visit.now,
    )
    if isinstance(answer, DeskRefusal):
        return _list_page(
            visit, visit.sent, status=422, refused=answer.text.in_language(visit.reader.language)
        )
    return _list_page(visit, visit.sent, said=visit.word("quarantine.discarded", rows=answer))


@does("/quarantine/replay", needs=Permission.QUARANTINE_REPAIR)
def replay(visit: Visit) -> Response[Any]:
    """Try every row of the choice again under today's rules."""
    chosen = _chosen(visit, visit.sent)
    receipt = desk.replay_quarantine(
        visit.db, visit.house.keyring, visit.now, chosen=chosen, by=visit.operator.operator_id
    )
    told = visit.word(
        "quarantine.replayed",
        read=receipt.read,
        accepted=receipt.accepted,
        duplicates=receipt.duplicates,
        refused=receipt.quarantined,
    )
    return _list_page(visit, visit.sent, said=told)


def _chosen(visit: Visit, told: Any) -> QuarantineFilter:
    """The choice as it stands in the address or in a form; what nobody knows chooses nothing."""
    age = _AGES.get(told("age"))
    state = told("state")
    return QuarantineFilter(
        source=told("source")[:200] or None,
        rule=one_of(told("rule"), frozenset(RULES)),
        adapter=told("adapter")[:80] or None,
        state=None if state == "all" else one_of(state, STATES) or "open",
        received_before=visit.now - age if age else None,
    )


def _list_page(visit: Visit, told: Any, *, status: int = 200, **context: Any) -> Response[Any]:
    chosen = _chosen(visit, told)
    before = visit.asked("before")
    number = int(before) if before.isdecimal() and len(before) < 16 else None
    rows = desk.list_quarantine(visit.db, chosen, limit=PER_PAGE + 1, before=number)
    choices = desk.quarantine_choices(visit.db)
    asked = {
        "source": chosen.source,
        "rule": chosen.rule,
        "adapter": chosen.adapter,
        "state": chosen.state or "all",
        "age": told("age") if told("age") in _AGES else "",
    }
    older = rows[PER_PAGE - 1].quarantine_no if len(rows) > PER_PAGE else None
    return page(
        visit,
        "quarantine.html",
        here="quarantine",
        status=status,
        rows=[(row, rule_of(row.reason)) for row in rows[:PER_PAGE]],
        total=desk.count_quarantine(visit.db, chosen),
        asked=asked,
        sources=choices.sources,
        adapters=choices.adapters,
        rules=[RULES[code] for code in choices.rules],
        states=(*STATES, "all"),
        ages=tuple(_AGES),
        older_url=address("/quarantine", {**asked, "before": str(older)}) if older else "",
        can_repair=visit.may(Permission.QUARANTINE_REPAIR),
        is_open=chosen.state == "open",
        **context,
    )


def _refused(visit: Visit, refusal: DeskRefusal, **context: Any) -> Response[Any]:
    if refusal.reason is DeskRefusalReason.UNKNOWN_ROW:
        raise Refused("not_found")
    told = refusal.text.in_language(visit.reader.language)
    return _row_page(visit, status=422, refused=told, **context)


def _row_page(
    visit: Visit,
    *,
    status: int = 200,
    held: Mapping[str, str] | None = None,
    why: str = "",
    checked: str = "",
    **context: Any,
) -> Response[Any]:
    row = desk.find_quarantined(visit.db, visit.number("number"))
    if row is None:
        raise Refused("not_found")
    would_pass = checked == "quarantine.would_pass"
    return page(
        visit,
        "quarantined.html",
        here="quarantine",
        status=status,
        row=row,
        rule=rule_of(row.reason),
        repairs=desk.list_repairs(visit.db, row.quarantine_no),
        people=people_of(visit),
        can_repair=visit.may(Permission.QUARANTINE_REPAIR) and row.state == "open",
        held=_with_missing(row, held) if held else {},
        why=why,
        checked=visit.word(checked) if would_pass else checked,
        would_pass=would_pass,
        **context,
    )


def _with_missing(row: QuarantinedRow, held: Mapping[str, str]) -> dict[str, str]:
    """The fields, and the one that is missing as an empty one, so that it can be filled in."""
    shown = dict(list(held.items())[:_FIELDS_SHOWN])
    name = row.field if row.adapter == ENVELOPE else row.field.removeprefix("personal/").partition("/")[0]
    if name and name != "row" and "" not in shown:
        shown.setdefault(name, "")
    return shown


def _typed(visit: Visit) -> dict[str, str]:
    """The fields of the form by their names in the row, and the one that was added."""
    typed = {
        name.removeprefix(_FIELD): field(visit.form, name) for name in visit.form if name.startswith(_FIELD)
    }
    added = visit.sent("new_name")
    return typed | ({added: visit.sent("new_value")} if added else {})


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    quarantine_list,
    quarantined_row,
    reveal,
    check,
    repair,
    discard,
    discard_all,
    replay,
)
