"""The frame of every page: the reader's choices, the menu, what was said, and refusals."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from litestar import Response

from shouxin import early_warning, governance, identity
from shouxin.entrypoints.console.forms import form_token
from shouxin.entrypoints.console.rendering import Reader, html, render
from shouxin.entrypoints.console.visit import ConsoleRequest, Refused, Visit
from shouxin.entrypoints.console.words import LANGUAGES, Language, words_in
from shouxin.governance import ApprovalState, Operator, Permission, Role

SESSION_COOKIE = "shouxin_session"
VISITOR_COOKIE = "shouxin_visitor"
STATUS = {"not_found": 404, "forbidden": 403, "stale_form": 403, "not_usable": 422}


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A line of the menu; ``count`` is the work that waits there."""

    key: str
    path: str
    needs: Permission
    count: int = 0


# The order of the rooms, after the overview; what controls the house stands apart.
MENU: tuple[tuple[str, tuple[MenuEntry, ...]], ...] = (
    (
        "menu.work",
        (
            MenuEntry("overview", "/", Permission.OVERVIEW_READ),
            MenuEntry("quality", "/quality", Permission.QUALITY_READ),
            MenuEntry("quarantine", "/quarantine", Permission.QUALITY_READ),
            MenuEntry("external", "/external", Permission.REPORTS_READ),
            MenuEntry("customers", "/customers", Permission.CUSTOMERS_READ),
            MenuEntry("consents", "/consents", Permission.CUSTOMERS_READ),
            MenuEntry("matches", "/matches", Permission.CUSTOMERS_MERGE),
            MenuEntry("features", "/features", Permission.MODELS_READ),
            MenuEntry("models", "/models", Permission.MODELS_READ),
            MenuEntry("alerts", "/alerts", Permission.ALERTS_READ),
            MenuEntry("cases", "/cases", Permission.CASES_READ),
            MenuEntry("approvals", "/approvals", Permission.POLICIES_READ),
            MenuEntry("reports", "/reports", Permission.REPORTS_READ),
        ),
    ),
    (
        "menu.control",
        (
            MenuEntry("operators", "/operators", Permission.OPERATORS_MANAGE),
            MenuEntry("audit", "/audit", Permission.AUDIT_READ),
        ),
    ),
)
# Where somebody who has this one role begins; everybody else begins at the overview.
_DESKS: Mapping[Role, str] = {Role.ADMIN: "/operators", Role.AUDITOR: "/audit"}


def landing(operator: Operator) -> str:
    """The page that an operator sees first."""
    return next((path for role, path in _DESKS.items() if operator.roles == {role}), "/")


def reader_of(request: ConsoleRequest, *, default: Language = "zh") -> Reader:
    """The reader's choices from their cookies; a new visitor gets a cookie for the forms."""
    chosen = request.cookies.get("shouxin_language", "")
    language = next((known for known in LANGUAGES if known == chosen), default)
    theme = request.cookies.get("shouxin_theme", "")
    basis, visitor = form_basis(request), None
    if not basis:
        basis = visitor = secrets.token_urlsafe(24)
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return Reader(language, theme if theme in {"light", "dark"} else "", form_token(basis), path, visitor)


def form_basis(request: ConsoleRequest) -> str:
    """The secret cookie that the forms of this browser are tied to; '' for a new visitor."""
    return request.cookies.get(SESSION_COOKIE, "") or request.cookies.get(VISITOR_COOKIE, "")


def page(visit: Visit, template: str, *, here: str = "", status: int = 200, **context: Any) -> Response[str]:
    """A page of the console, with its menu and who is signed in."""
    content = render(
        template,
        visit.reader,
        operator=visit.operator,
        menu=_menu(visit),
        here=here,
        now=visit.now,
        sees_customers=visit.may(Permission.CUSTOMERS_READ),
        **{"said": said(visit), "refused": None, **context},
    )
    return html(content, status=status, reader=visit.reader)


def said(visit: Visit) -> str | None:
    """What the action before this page did; only words of ours, whatever the address says."""
    key = visit.asked("said")
    try:
        return visit.word(f"said.{key}") if key else None
    except KeyError:
        return None


def _menu(visit: Visit) -> list[tuple[str, list[MenuEntry]]]:
    """The entries that this operator may open, with the work that waits."""
    menu = []
    for heading, entries in MENU:
        permitted = [_counted(visit, entry) for entry in entries if visit.may(entry.needs)]
        if permitted:
            menu.append((heading, permitted))
    return menu


def _counted(visit: Visit, entry: MenuEntry) -> MenuEntry:
    if entry.key == "alerts":
        return replace(entry, count=early_warning.count_open_alerts(visit.db))
    if entry.key == "matches":
        return replace(entry, count=identity.possible_matches(visit.db, limit=1)[1])
    if entry.key == "approvals":
        return replace(entry, count=len(governance.list_approvals(visit.db, state=ApprovalState.WAITING)))
    return entry


def refusal_page(visit: Visit, refused: Refused) -> Response[Any]:
    """Why nothing was done, with the menu; to htmx a part of a page."""
    title, text = _refusal_texts(refused, visit.reader.language)
    if visit.by_htmx:
        content = render("refused_part.html", visit.reader, title=title, text=text)
        return html(content, status=STATUS[refused.why], reader=visit.reader)
    return page(visit, "refusal.html", status=STATUS[refused.why], title=title, text=text)


def refusal_outside(request: ConsoleRequest, refused: Refused, *, status: int | None = None) -> Response[Any]:
    """A refusal for somebody who may not be signed in: no menu, no name, no database."""
    reader = reader_of(request)
    title, text = _refusal_texts(refused, reader.language)
    content = render("outside.html", reader, title=title, text=text, said=None, refused=None)
    return html(content, status=status or STATUS[refused.why], reader=reader)


def _refusal_texts(refused: Refused, language: Language) -> tuple[str, str]:
    word = words_in(language)
    text = refused.text.in_language(language) if refused.text else word(f"refusal.{refused.why}_text")
    return word(f"refusal.{refused.why}"), text
