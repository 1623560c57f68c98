"""`shouxin customer`: what is known of one customer, masked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from shouxin import decisions, grading
from shouxin.entrypoints.cli import customer_rulings
from shouxin.entrypoints.cli.common import HomeOption, JsonOption, emit, fail, opened_house, read_instant
from shouxin.identity import find_customer, masked_profile, references_of
from shouxin.ingestion import consent

app = typer.Typer(help="Look at one customer.", no_args_is_help=True)
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
    """Look at one customer."""


@app.command()
def show(
    ref: Annotated[str, typer.Argument(help="The shop's reference of the customer, or our id (cus_..).")],
    source: Annotated[str, typer.Option(help="Which shop's reference it is.")] = "shop",
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
        found = find_customer(db, source=source, customer_ref=ref)
        found = found or find_customer(db, source="credit", customer_ref=ref)
        if found is None:
            fail(f"no customer is known by the reference {ref} of {source}")
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
