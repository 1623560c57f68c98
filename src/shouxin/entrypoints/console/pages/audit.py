"""The audit trail: who did what, and whether the chain still holds."""

from __future__ import annotations

import json
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from shouxin import governance
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.names import people_of
from shouxin.entrypoints.console.visit import PER_PAGE, Visit
from shouxin.entrypoints.console.visits import shows
from shouxin.governance import AuditEntry, Permission


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
    shown, more = entries[:PER_PAGE], len(entries) > PER_PAGE
    return page(
        visit,
        "audit.html",
        here="audit",
        entries=[(entry, _detail(entry)) for entry in shown],
        older=shown[-1].entry_no if more else None,
        action=action,
        verdict=governance.verify_audit(visit.db) if visit.asked("verify") else None,
        people=people_of(visit),
    )


def _detail(entry: AuditEntry) -> str:
    return json.dumps(dict(entry.detail), ensure_ascii=False) if entry.detail else ""


HANDLERS: tuple[HTTPRouteHandler, ...] = (audit_trail,)
