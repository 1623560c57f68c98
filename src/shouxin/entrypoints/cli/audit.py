"""`shouxin audit`: read the audit chain, and prove that it holds."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from shouxin.entrypoints.cli.common import HomeOption, JsonOption, emit, fail, opened_house, print_table
from shouxin.governance import list_audit, verify_audit

app = typer.Typer(help="Read the audit chain, and prove that nobody rewrote it.", no_args_is_help=True)


@app.command()
def verify(
    head: Annotated[
        str | None,
        typer.Option(help="Hash of the last entry, as kept elsewhere: shows entries cut off the end, too."),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Walk the whole chain; exit 1 if an entry was changed, removed or slipped in."""
    with opened_house(home) as house, house.database.begin() as db:
        verdict = verify_audit(db, known_head=head)
    emit(asdict(verdict), as_json=as_json, title="Audit")
    if verdict.first_broken is not None:
        fail(f"the audit chain is broken at entry {verdict.first_broken}")
    if not verdict.head_found:
        fail("no entry has the hash that was kept elsewhere: entries were cut off the end")


@app.command("list")
def list_entries(
    limit: Annotated[int, typer.Option(help="How many entries.", min=1, max=10_000)] = 50,
    before: Annotated[int | None, typer.Option(help="Only entries before this number.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, as in sign_in.accepted.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show entries, newest first."""
    with opened_house(home) as house, house.database.begin() as db:
        entries = list_audit(db, limit=limit, before=before, action=action)
    if as_json:
        emit({"entries": [asdict(entry) for entry in entries]}, as_json=True)
        return
    rows = [
        (e.entry_no, f"{e.at:%Y-%m-%d %H:%M:%S}", e.actor, e.action, e.subject, _line(dict(e.detail)))
        for e in entries
    ]
    print_table("Audit", ("no", "at (UTC)", "actor", "action", "subject", "detail"), rows)


def _line(detail: dict[str, object]) -> str:
    return json.dumps(detail, ensure_ascii=False) if detail else ""
