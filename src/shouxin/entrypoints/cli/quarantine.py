"""`shouxin quarantine`: look at what was refused, mend it, try it again, or give it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from shouxin.entrypoints.cli.common import HomeOption, JsonOption, emit, fail, opened_house, print_table
from shouxin.ingestion import QuarantinedRow, desk
from shouxin.ingestion.desk import STATES, DeskRefusal, QuarantineFilter
from shouxin.ingestion.domain.quality import CAN_NOT_OPEN, RULES, rule_of

app = typer.Typer(
    help="Look at what was refused, mend it, try it again, give it up.",
    no_args_is_help=True,
    add_completion=False,
)
# Who has the command line of the house has its key file: the audit names the door, not a person.
_BY = "command line"
_COLUMNS = ("quarantine_no", "source", "adapter", "place", "rule", "field", "reason", "received_at", "state")

NumberArgument = Annotated[int, typer.Argument(min=1, help="Number of the row, from `quarantine list`.")]
SourceOption = Annotated[str | None, typer.Option("--source", help="Rows of this source only.")]
RuleOption = Annotated[
    str | None, typer.Option("--rule", help="Rows that this rule refused; codes: `shouxin quality rules`.")
]
AdapterOption = Annotated[
    str | None,
    typer.Option("--adapter", help="Rows that came this way: envelope, canonical, ..."),
]
AgeOption = Annotated[
    str | None, typer.Option("--older-than", help="Rows that have waited longer, as in 30d or 12h.")
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it goes into the audit trail.")]


@app.command("list")
def list_rows(
    source: SourceOption = None,
    rule: RuleOption = None,
    adapter: AdapterOption = None,
    older_than: AgeOption = None,
    state: Annotated[str, typer.Option(help=f"all, or one of {', '.join(STATES)}.")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many rows, newest first.")] = 50,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List refused rows: where each stood and why. What a row held stays sealed."""
    if state not in (*STATES, "all"):
        raise typer.BadParameter(f"{state!r} is no state; take one of all, {', '.join(STATES)}")
    with opened_house(home) as house:
        chosen = _chosen(source, rule, adapter, older_than, now=house.clock())
        chosen = replace(chosen, state=None if state == "all" else state)
        with house.database.begin() as db:
            rows = desk.list_quarantine(db, chosen, limit=limit)
            total = desk.count_quarantine(db, chosen)
    data = [_row_data(row) for row in rows]
    if as_json:
        emit({"total": total, "rows": data}, as_json=True)
    else:
        cells = [[one[name] for name in _COLUMNS] for one in data]
        print_table(f"{len(rows)} of {total} rows", _COLUMNS, cells)


@app.command("show")
def show_row(
    number: NumberArgument,
    reveal: Annotated[
        str | None, typer.Option("--reveal", help="Also show what it held; say why. It is audited.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one row: its rule, how to mend it, its repairs; with --reveal also what it held."""
    with opened_house(home) as house, house.database.begin() as db:
        row = desk.find_quarantined(db, number)
        if row is None:
            fail(f"there is no row {number} in the quarantine")
        repairs = desk.list_repairs(db, number)
        held: Mapping[str, str] | DeskRefusal = {}
        if reveal is not None:
            held = desk.reveal_quarantined(db, house.keyring, number, by=_BY, why=reveal, now=house.clock())
    if isinstance(held, DeskRefusal):
        fail(f"row {number}: {held.text.en}")
    rule = rule_of(row.reason)
    data = _row_data(row) | {
        "meaning": rule.meaning.as_data(),
        "mend": rule.mend.as_data(),
        "repairs": [
            {
                "at": one.repaired_at.isoformat(),
                "by": one.repaired_by,
                "reason": one.why,
                "fields": list(one.changed),
                "still_wrong": str(one.still_wrong) if one.still_wrong else None,
            }
            for one in repairs
        ],
    }
    emit(data | ({"held": dict(held)} if reveal is not None else {}), as_json=as_json, title=f"Row {number}")


@app.command("repair")
def repair(
    number: NumberArgument,
    changes: Annotated[
        list[str],
        typer.Option("--set", help="FIELD=VALUE, several times; nothing after = takes it out."),
    ],
    reason: ReasonOption,
    check_only: Annotated[
        bool, typer.Option("--check", help="Only say what would still be wrong; change nothing.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change fields of a row and try it at once: taken, or what is still wrong."""
    changed = _changes(changes)
    with opened_house(home) as house, house.database.begin() as db:
        how: dict[str, Any] = {"changes": changed, "why": reason, "now": house.clock()}
        if check_only:
            checked = desk.check_repair(db, house.keyring, number, **how)
            refusal = checked if isinstance(checked, DeskRefusal) else None
            outcome, wrong = None, None if isinstance(checked, DeskRefusal) else checked
        else:
            answer = desk.repair_quarantined(db, house.keyring, number, by=_BY, **how)
            refusal = answer if isinstance(answer, DeskRefusal) else None
            outcome = None if isinstance(answer, DeskRefusal) else answer.outcome
            wrong = None if isinstance(answer, DeskRefusal) else answer.still_wrong
    if refusal is not None:
        fail(f"row {number}: {refusal.text.en}")
    data = {
        "quarantine_no": number,
        "outcome": outcome or ("open" if wrong or not check_only else "would be taken"),
        "still_wrong": str(wrong) if wrong else None,
    }
    emit(data, as_json=as_json, title=f"Row {number}")


@app.command("discard")
def discard(
    reason: ReasonOption,
    numbers: Annotated[list[int] | None, typer.Argument(help="Numbers of rows; none: those chosen.")] = None,
    source: SourceOption = None,
    rule: RuleOption = None,
    adapter: AdapterOption = None,
    older_than: AgeOption = None,
    expect: Annotated[
        int | None, typer.Option(help="How many rows the choice means; without it they are only counted.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give rows up, by number or by choice. A choice is counted first and done with --expect N."""
    if not numbers and not (source or rule or adapter or older_than):
        raise typer.BadParameter(
            "name rows by number, or choose by --source, --rule, --adapter, --older-than"
        )
    answer: int | DeskRefusal
    with opened_house(home) as house, house.database.begin() as db:
        now = house.clock()
        chosen = replace(_chosen(source, rule, adapter, older_than, now=now), state="open")
        if numbers:
            answer = desk.discard_quarantined(db, numbers, by=_BY, why=reason, now=now)
        elif expect is None:
            emit({"discarded": 0, "would_discard": desk.count_quarantine(db, chosen)}, as_json=as_json)
            return
        else:
            answer = desk.discard_chosen(db, chosen, expected=expect, by=_BY, why=reason, now=now)
    if isinstance(answer, DeskRefusal):
        fail(answer.text.en)
    emit({"discarded": answer}, as_json=as_json, title="Discarded")


@app.command("replay")
def replay(
    source: SourceOption = None,
    rule: RuleOption = None,
    adapter: AdapterOption = None,
    older_than: AgeOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try refused rows again under today's rules: all that are open, or those chosen."""
    with opened_house(home) as house, house.database.begin() as db:
        now = house.clock()
        chosen = _chosen(source, rule, adapter, older_than, now=now)
        receipt = desk.replay_quarantine(db, house.keyring, now, chosen=chosen, by=_BY)
    lost = [item.position for item in receipt.refusals if item.reason == CAN_NOT_OPEN]
    emit(receipt.as_data() | {"can_not_open": lost}, as_json=as_json, title="Replay of the quarantine")


def _chosen(
    source: str | None, rule: str | None, adapter: str | None, older_than: str | None, *, now: datetime
) -> QuarantineFilter:
    if rule is not None and rule not in RULES:
        raise typer.BadParameter(f"{rule!r} is no rule; `shouxin quality rules` lists them")
    before = now - _age(older_than) if older_than else None
    return QuarantineFilter(source, rule, adapter, received_before=before)


def _age(text: str) -> timedelta:
    unit = {"d": "days", "h": "hours"}.get(text[-1:])
    if unit is None or not text[:-1].isdecimal() or len(text) > 6:
        raise typer.BadParameter(f"{text!r} is no age; write 30d or 12h")
    return timedelta(**{unit: int(text[:-1])})


def _changes(texts: list[str]) -> dict[str, str]:
    changed = {}
    for text in texts:
        field, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text!r} is no change; write FIELD=VALUE")
        changed[field.strip()] = value
    return changed


def _row_data(row: QuarantinedRow) -> dict[str, Any]:
    return {
        "quarantine_no": row.quarantine_no,
        "source": row.source,
        "adapter": row.adapter,
        "place": row.place,
        "rule": rule_of(row.reason).code,
        "field": row.field,
        "reason": row.reason,
        "received_at": row.received_at.isoformat(),
        "state": row.state,
        "released_at": row.released_at.isoformat() if row.released_at else None,
        "released_by": row.released_by,
        "why": row.why,
    }
