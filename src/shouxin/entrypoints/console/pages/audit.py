"""The audit trail: who did what, and whether the chain still holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from shouxin import governance
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.names import people_of
from shouxin.entrypoints.console.visit import PER_PAGE, Visit
from shouxin.entrypoints.console.visits import shows
from shouxin.entrypoints.console.words import catalogue
from shouxin.governance import AuditEntry, Permission

_ACTION = "audit_action."


@shows("/audit", needs=Permission.AUDIT_READ)
def audit_trail(visit: Visit) -> Response[Any]:
    """Newest first; walking the whole chain is done when asked for."""
    before, action = visit.asked("before"), visit.asked("action")[:60]
    # One more than a page tells whether there is an older one.
    entries = governance.list_audit(
        visit.db,
        limit=PER_PAGE + 1,
        before=int(before) if before.isdecimal() and len(before) < 18 else None,
        action=action or None,
    )
    people = people_of(visit)
    shown, more = entries[:PER_PAGE], len(entries) > PER_PAGE
    return page(
        visit,
        "audit.html",
        here="audit",
        entries=[(entry, _subject(entry, people), _detail(entry, people)) for entry in shown],
        older=shown[-1].entry_no if more else None,
        action=action,
        actions=_actions(),
        verdict=governance.verify_audit(visit.db) if visit.asked("verify") else None,
        people=people,
    )


def _subject(entry: AuditEntry, people: Mapping[str, str]) -> str:
    """What it was done to; an operator by the name people know."""
    kind, _, name = entry.subject.partition(":")
    return people.get(name, entry.subject) if kind == "operator" else entry.subject


def _detail(entry: AuditEntry, people: Mapping[str, str]) -> str:
    """What else is on record, as ``key: value``; operators by the name people know."""
    texts = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in entry.detail.items()
    }
    return " · ".join(f"{key}: {people.get(text, text)}" for key, text in texts.items())


def _actions() -> list[str]:
    """The actions that have a name for people, to choose from."""
    return [key.removeprefix(_ACTION) for key in catalogue() if key.startswith(_ACTION)]


HANDLERS: tuple[HTTPRouteHandler, ...] = (audit_trail,)
