"""`shouxin customer`: what is known of one customer, masked; all of it handed out, or erased."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from shouxin import cases, decisions, governance, grading, reporting
from shouxin.entrypoints.cli import customer_rulings
from shouxin.entrypoints.cli.common import (
    HomeOption,
    JsonOption,
    emit,
    fail,
    opened_house,
    progress_bar,
    read_instant,
    say,
)
from shouxin.entrypoints.cli.named_customer import named_customer
from shouxin.entrypoints.console.export_page import export_page
from shouxin.governance import Operator
from shouxin.identity import DisclosureRefusal, ErasureRefusal, masked_profile, references_of
from shouxin.ingestion import consent
from shouxin.kernel import CustomerId
from shouxin.reporting import CustomerExport

app = typer.Typer(
    help="Look at one customer, hand out what is known of them, or erase it.", no_args_is_help=True
)
for command in (
    customer_rulings.merge,
    customer_rulings.split,
    customer_rulings.undo,
    customer_rulings.rulings,
    customer_rulings.history,
):
    app.command()(command)


@app.callback()
def customer() -> None:
    """Look at one customer, hand out what is known of them, or erase it."""


RefArgument = Annotated[str, typer.Argument(help="The shop's reference of the customer, or our id (cus_..).")]
SourceOption = Annotated[str, typer.Option(help="Which shop's reference it is.")]
OperatorOption = Annotated[str, typer.Option("--operator", help="Who does it: the name of an operator.")]


@app.command()
def show(
    ref: RefArgument,
    source: SourceOption = "shop",
    as_of: Annotated[
        str | None, typer.Option(help="The file as it was known on a day or at an instant; default now.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the person behind a reference, masked; clear values are shown at the console, with a reason."""
    asked = read_instant(as_of)
    with opened_house(home) as house, house.database.begin() as db:
        at = asked or house.clock()
        found = named_customer(db, ref, source=source)
        profile = masked_profile(db, house.keyring, found, as_of=at)
        tags = decisions.persona_tags(db, found, as_of=at)
        graded = grading.history(db, found, limit=1, known_at=at)
        standings = consent.standings(db, references_of(db, found), as_of=at)
        references = [f"{source}:{reference}" for source, reference in references_of(db, found)]
    figures = {"customer_id": found, "references": references} | asdict(profile)
    known = {
        "verified": sorted(profile.verified),
        "as_of": at,
        "grade": graded[0].grade.value if graded else None,
        "score": graded[0].score if graded else None,
        "tags": [tag.persona.code for tag in tags],
        "consents": {one.purpose: one.state.value for one in standings},
    }
    emit(figures | known, as_json=as_json, title="Customer")


@app.command()
def erase(
    ref: RefArgument,
    operator: OperatorOption,
    source: SourceOption = "shop",
    reason: Annotated[str, typer.Option(help="Why, without personal values; asks for a second person.")] = "",
    approval: Annotated[str | None, typer.Option(help="The request (apr_..) that was agreed to.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase what is personal of a customer, for good. First ask with --reason, then run with --approval."""
    with opened_house(home) as house:
        with house.database.begin() as db:
            found, person = named_customer(db, ref, source=source), _operator(db, operator)
            now = house.clock()
            if approval is None:
                asked = cases.ask_to_erase_customer(
                    db, house.keyring, found, operator=person, reason=reason, now=now
                )
                answer = None
            else:
                key = governance.find_approval(db, approval)
                answer = cases.erase_customer(
                    db, house.keyring, found, operator=person, approval=key, now=now
                )
        if answer is None:
            _tell_request(asked, found, as_json=as_json)
            return
        if isinstance(answer, ErasureRefusal):
            fail(f"{answer.text.en} {answer.text.zh}")
        with progress_bar("wrapping keys destroyed") as advance:
            governance.destroy_erased_keys(house.database.begin, house.keyring, progress=advance)
    emit({"state": "erased"} | asdict(answer), as_json=as_json, title="Erased")


@app.command()
def export(
    ref: RefArgument,
    operator: OperatorOption,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the audit.")],
    source: SourceOption = "shop",
    out: Annotated[Path | None, typer.Option(help="Folder for customer.json and customer.html.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand out all that is known of a customer, in clear: to files, or with --json alone to the output."""
    if out is None and not as_json:
        raise typer.BadParameter("name a folder with --out, or take --json")
    with opened_house(home) as house, house.database.begin() as db:
        found, person = named_customer(db, ref, source=source), _operator(db, operator)
        told = reporting.export_customer(
            db, house.keyring, found, operator=person, reason=reason, now=house.clock()
        )
    if isinstance(told, DisclosureRefusal):
        fail(f"{told.text.en} {told.text.zh}")
    if out is None:
        emit(told.as_data(), as_json=True)
        return
    files = _written(out, told)
    counts = {name: len(rows) for name, rows in told.sections.items()}
    emit({"customer_id": found, "files": files} | counts, as_json=as_json, title="Exported")


def _written(folder: Path, export: CustomerExport) -> list[str]:
    """Both forms, readable by their owner alone: they hold everything in clear."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    texts = {
        "customer.json": json.dumps(export.as_data(), ensure_ascii=False, indent=1, default=str),
        "customer.html": export_page(export),
    }
    for name, text in texts.items():
        (folder / name).unlink(missing_ok=True)
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    return [str(folder / name) for name in texts]


def _tell_request(asked: str | ErasureRefusal, customer_id: CustomerId, *, as_json: bool) -> None:
    if isinstance(asked, ErasureRefusal):
        fail(f"{asked.text.en} {asked.text.zh}")
    say("a second person agrees at the console (approvals); then run this again with --approval")
    emit(
        {"state": "waiting", "customer_id": customer_id, "request_id": asked}, as_json=as_json, title="Asked"
    )


def _operator(db: Connection, name: str) -> Operator:
    found = governance.find_operator(db, name)
    if found is None:
        fail(f"there is no operator {name}; see `shouxin operator list`")
    return found
