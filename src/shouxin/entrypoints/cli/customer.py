"""`shouxin customer`: what is known of one customer, masked."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from shouxin.entrypoints.cli.common import HomeOption, JsonOption, emit, fail, opened_house
from shouxin.identity import find_customer, masked_profile, references_of

app = typer.Typer(help="Look at one customer.", no_args_is_help=True)


@app.callback()
def customer() -> None:
    """Look at one customer."""


@app.command()
def show(
    ref: Annotated[str, typer.Argument(help="The shop's reference of the customer, or our id (cus_..).")],
    source: Annotated[str, typer.Option(help="Which shop's reference it is.")] = "shop",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the person behind a reference, masked; clear values are shown at the console, with a reason."""
    with opened_house(home) as house, house.database.begin() as db:
        found = find_customer(db, source=source, customer_ref=ref)
        found = found or find_customer(db, source="credit", customer_ref=ref)
        if found is None:
            fail(f"no customer is known by the reference {ref} of {source}")
        profile = masked_profile(db, house.keyring, found)
        references = [f"{source}:{reference}" for source, reference in references_of(db, found)]
    figures = {"customer_id": found, "references": references} | asdict(profile)
    emit(figures | {"verified": sorted(profile.verified)}, as_json=as_json, title="Customer")
