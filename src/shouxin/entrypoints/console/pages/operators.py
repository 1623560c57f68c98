"""The operators of the house: who they are, and inviting somebody or inviting them again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from shouxin import governance
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.visit import Refused, Visit
from shouxin.entrypoints.console.visits import does, shows
from shouxin.entrypoints.console.words import LANGUAGES
from shouxin.governance import Invitation, Permission, Role, UnableToInvite

_DISPLAY_NAME_LENGTH_MAX = 60


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form that invites."""

    name: str = ""
    display_name: str = ""
    language: str = ""
    roles: tuple[Role, ...] = ()


@shows("/operators", needs=Permission.OPERATORS_MANAGE)
def operator_list(visit: Visit) -> Response[str]:
    """Everybody who may sign in, and the form that invites."""
    return _list_page(visit)


@does("/operators", needs=Permission.OPERATORS_MANAGE)
def invite(visit: Visit) -> Response[str]:
    """Invite somebody; the answer is the only page that ever shows their link."""
    typed = _typed(visit)
    why_not = _why_not(visit, typed)
    if why_not:
        return _list_page(visit, refused=why_not, typed=typed)
    try:
        invitation = governance.invite_operator(
            visit.db,
            name=typed.name,
            display_name=typed.display_name,
            roles=typed.roles,
            language=typed.language,
            now=visit.now,
        )
    except UnableToInvite:
        return _list_page(visit, refused="operators.name_rule", typed=typed)
    roles = sorted(invitation.operator.roles)
    _audited(visit, invitation, "operator.invited", name=invitation.operator.name, roles=roles)
    return _list_page(visit, invitation=invitation)


@does("/operators/{name:str}/renew", needs=Permission.OPERATORS_MANAGE)
def renew(visit: Visit) -> Response[str]:
    """Invite an operator again who lost the link, the password or the phone; their sessions end."""
    try:
        invitation = governance.renew_invitation(visit.db, visit.place("name"), now=visit.now)
    except UnableToInvite:
        raise Refused("not_found") from None
    _audited(visit, invitation, "operator.invited_again")
    return _list_page(visit, invitation=invitation)


def _typed(visit: Visit) -> Typed:
    sent = visit.form.get("role", [])
    chosen = {str(value) for value in (sent if isinstance(sent, list) else [sent])}
    return Typed(
        visit.sent("name").lower(),
        visit.sent("display_name")[:_DISPLAY_NAME_LENGTH_MAX],
        visit.sent("language"),
        tuple(role for role in Role if role in chosen),
    )


def _why_not(visit: Visit, typed: Typed) -> str:
    """The key of what keeps this operator from being, by precedence; '' when nothing does."""
    if not typed.display_name:
        return "operators.no_display_name"
    if not typed.roles:
        return "operators.no_role"
    if Role.ADMIN in typed.roles and len(typed.roles) > 1:
        return "operators.admin_alone"
    if typed.language not in LANGUAGES:
        raise Refused("not_usable")
    return "operators.taken" if governance.find_operator(visit.db, typed.name) else ""


def _audited(visit: Visit, invitation: Invitation, action: str, **detail: Any) -> None:
    visit.audit(action, f"operator:{invitation.operator.operator_id}", **detail)


def _list_page(
    visit: Visit,
    *,
    invitation: Invitation | None = None,
    refused: str = "",
    typed: Typed | None = None,
) -> Response[str]:
    base = str(visit.request.base_url).rstrip("/")
    return page(
        visit,
        "operators.html",
        here="operators",
        status=422 if refused else 200,
        refused=visit.word(refused) if refused else None,
        operators=governance.list_operators(visit.db),
        invitation=invitation,
        link=f"{base}/setup/{invitation.setup_token}" if invitation else "",
        typed=typed or Typed(language=visit.reader.language),
        all_roles=list(Role),
    )


HANDLERS: tuple[HTTPRouteHandler, ...] = (operator_list, invite, renew)
