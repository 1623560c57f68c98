"""`shouxin operator` and `shouxin api-key`: let people and programs in."""

from __future__ import annotations

from typing import Annotated

import typer

from shouxin.entrypoints.cli.common import (
    HomeOption,
    JsonOption,
    emit,
    opened_house,
    print_table,
    say,
)
from shouxin.governance import (
    Invitation,
    Role,
    Scope,
    add_api_key,
    invite_operator,
    list_operators,
    record_audit,
    renew_invitation,
)

app = typer.Typer(help="Invite the people who work at the console.", no_args_is_help=True)
api_key_app = typer.Typer(help="Give programs keys to the API.", no_args_is_help=True)

# Who has the command line of the house has its key file: the audit names the door, not a person.
_ACTOR = "command line"


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Name to sign in with, as in lin.yue.")],
    role: Annotated[list[Role], typer.Option(help="What for; may be given several times.")],
    display_name: Annotated[str | None, typer.Option(help="Name to show; default the same.")] = None,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Invite an operator; prints the path at which they set their password and code, once."""
    with opened_house(home) as house, house.database.begin() as db:
        invitation = invite_operator(
            db,
            name=name,
            display_name=display_name or name,
            roles=role,
            language=language,
            now=house.clock(),
        )
        detail = {"name": name, "roles": sorted(role)}
        subject = f"operator:{invitation.operator.operator_id}"
        record_audit(
            db, actor=_ACTOR, action="operator.invited", subject=subject, detail=detail, now=house.clock()
        )
    _show(invitation, as_json=as_json)


@app.command()
def renew(
    name: Annotated[str, typer.Argument(help="Name of the operator.")],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Invite an operator again who lost the invitation, the password or the phone."""
    with opened_house(home) as house, house.database.begin() as db:
        invitation = renew_invitation(db, name, now=house.clock())
        subject = f"operator:{invitation.operator.operator_id}"
        record_audit(
            db, actor=_ACTOR, action="operator.invited_again", subject=subject, detail={}, now=house.clock()
        )
    _show(invitation, as_json=as_json)


@app.command("list")
def list_people(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show the operators, their roles, and whether they have set their password."""
    with opened_house(home) as house, house.database.begin() as db:
        people = [
            {
                "name": operator.name,
                "display_name": operator.display_name,
                "roles": sorted(operator.roles),
                "language": operator.language,
                "ready": ready,
                "operator_id": operator.operator_id,
            }
            for operator, ready in list_operators(db)
        ]
    if as_json:
        emit({"operators": people}, as_json=True)
        return
    columns = ("name", "display_name", "roles", "language", "ready")
    print_table("Operators", columns, [[_cell(person[name]) for name in columns] for person in people])


@api_key_app.callback()
def api_key() -> None:
    """Give programs keys to the API."""


@api_key_app.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="Name of the program, as in checkout.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; may be given several times.")],
    source: Annotated[str, typer.Option(help="Source that everything it sends is booked under.")] = "shop",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key for a program; the key is printed once and can not be shown again."""
    with opened_house(home) as house, house.database.begin() as db:
        key, clear_text = add_api_key(db, name=name, scopes=scope, source=source, now=house.clock())
        detail = {"name": key.name, "scopes": sorted(key.scopes), "source": key.source}
        record_audit(
            db,
            actor=_ACTOR,
            action="api_key.added",
            subject=f"api_key:{key.key_id}",
            detail=detail,
            now=house.clock(),
        )
    emit({"key_id": key.key_id, **detail, "key": clear_text}, as_json=as_json, title="Key of a program")
    if not as_json:
        say("Keep the key now: it is stored as a hash only and can not be shown again.")


def _show(invitation: Invitation, *, as_json: bool) -> None:
    operator = invitation.operator
    figures = {
        "name": operator.name,
        "roles": sorted(operator.roles),
        "operator_id": operator.operator_id,
        "setup_path": f"/setup/{invitation.setup_token}",
        "expires_at": invitation.expires_at.isoformat(),
    }
    emit(figures, as_json=as_json, title="Invitation")
    if not as_json:
        say("Open the path at the console (shouxin serve) to set a password and a code. It works once.")


def _cell(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
