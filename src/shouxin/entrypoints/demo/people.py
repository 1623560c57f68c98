"""The people of the demo: operators of every duty, none with a password until they set one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from shouxin import governance
from shouxin.entrypoints.house import House
from shouxin.governance import Invitation, Operator, Role

# name, display name, roles, language
DEMO_OPERATORS: tuple[tuple[str, str, frozenset[Role], str], ...] = (
    ("chen.jing", "陈静", frozenset({Role.RISK_ANALYST}), "zh"),
    ("zhao.lei", "赵磊", frozenset({Role.RISK_MANAGER}), "zh"),
    ("maria.gomez", "Maria Gomez", frozenset({Role.REVIEWER}), "en"),
    ("sun.yue", "孙悦", frozenset({Role.AUDITOR}), "zh"),
    ("admin", "Administrator", frozenset({Role.ADMIN}), "en"),
)


def hire(db: Connection, *, now: datetime) -> int:
    """Invite the demo's operators who are not there yet; returns how many there are."""
    for name, display_name, roles, language in DEMO_OPERATORS:
        if governance.find_operator(db, name) is None:
            governance.invite_operator(
                db, name=name, display_name=display_name, roles=roles, language=language, now=now
            )
    return len(DEMO_OPERATORS)


def operator_named(db: Connection, name: str) -> Operator:
    """A demo operator."""
    found = governance.find_operator(db, name)
    assert found is not None, f"{name} was hired"
    return found


def setup_links(house: House) -> list[Invitation]:
    """Fresh one-time set-up links for the demo's operators who have not set their credentials yet."""
    with house.database.begin() as db:
        waiting = {operator.name for operator, is_set in governance.list_operators(db) if not is_set}
        return [
            governance.renew_invitation(db, name, now=house.clock())
            for name, *_ in DEMO_OPERATORS
            if name in waiting
        ]
