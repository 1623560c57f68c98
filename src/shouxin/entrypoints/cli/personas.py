"""`shouxin personas`: what kinds of customer there are, and which one somebody is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from shouxin import decisions
from shouxin.decisions import PersonaTag
from shouxin.decisions.domain import ConditionTrace
from shouxin.entrypoints.cli.common import (
    HomeOption,
    JsonOption,
    emit,
    opened_house,
    print_table,
    read_instant,
)
from shouxin.entrypoints.cli.named_customer import named_customer

app = typer.Typer(help="Kinds of customer, as data, and who is which.", no_args_is_help=True)


@app.command("list")
def list_personas(as_json: JsonOption = False) -> None:
    """List the personas: what each means. Their version is the hash of all of them."""
    found = decisions.standard_personas()
    if as_json:
        emit({"version": found.version, "personas": list(found.body)}, as_json=True)
        return
    rows = [(one.code, one.name.zh, one.name.en, one.meaning.en) for one in found.personas]
    print_table(f"Personas {found.version}", ("code", "名称", "name", "meaning"), rows)


@app.command()
def show(
    ref: Annotated[str, typer.Argument(help="The shop's reference of the customer, or our id (cus_..).")],
    source: Annotated[str, typer.Option(help="Which shop's reference it is.")] = "shop",
    as_of: Annotated[str | None, typer.Option(help="The day or instant to look from; default now.")] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the tags of one customer, each with the values that gave it."""
    at = read_instant(as_of)
    with opened_house(home) as house, house.database.begin() as db:
        found = named_customer(db, ref, source=source)
        seen_at = at or house.clock()
        tags = decisions.persona_tags(db, found, as_of=seen_at)
    if as_json:
        emit(_data(found, seen_at, tags), as_json=True)
        return
    rows = [(tag.persona.code, tag.persona.name.zh, tag.persona.name.en, _why(tag)) for tag in tags]
    print_table(f"Tags of {found}" if rows else f"No tag fits {found}", ("code", "名称", "name", "why"), rows)


def _data(customer_id: str, at: datetime, tags: list[PersonaTag]) -> dict[str, Any]:
    return {
        "customer_id": customer_id,
        "as_of": at.isoformat(),
        "version": decisions.standard_personas().version,
        "tags": [
            {
                "code": tag.persona.code,
                "name": tag.persona.name.as_data(),
                "meaning": tag.persona.meaning.as_data(),
                "why": [one.as_data() for one in tag.why],
            }
            for tag in tags
        ],
    }


def _why(tag: PersonaTag) -> str:
    return ", ".join(_comparison(one) for one in tag.why)


def _comparison(one: ConditionTrace) -> str:
    read = f"{one.read:.4g}" if isinstance(one.read, float) else str(one.read)
    return f"{one.field.removeprefix('feature.')} {read} {one.op} {one.expected}"
