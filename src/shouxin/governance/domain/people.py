"""People: the operators of the house, their roles, and what each role is permitted to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shouxin.kernel import Bilingual

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_DISPLAY_NAME_MAX = 80


class Role(StrEnum):
    """What somebody is here for. ``admin`` stands alone: it runs the house and decides nothing in it."""

    RISK_ANALYST = "risk_analyst"
    RISK_MANAGER = "risk_manager"
    REVIEWER = "reviewer"
    COLLECTOR = "collector"
    AUDITOR = "auditor"
    EXECUTIVE = "executive"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that an operator may do: ``room.verb``."""

    OVERVIEW_READ = "overview.read"
    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_REVEAL = "customers.reveal"
    CUSTOMERS_EXPORT = "customers.export"
    CUSTOMERS_ERASE = "customers.erase"
    CUSTOMERS_MERGE = "customers.merge"
    ALERTS_READ = "alerts.read"
    ALERTS_HANDLE = "alerts.handle"
    CASES_READ = "cases.read"
    CASES_HANDLE = "cases.handle"
    LINES_FREEZE = "lines.freeze"
    LINES_APPROVE = "lines.approve"
    DECISIONS_READ = "decisions.read"
    POLICIES_READ = "policies.read"
    POLICIES_DRAFT = "policies.draft"
    POLICIES_APPROVE = "policies.approve"
    MODELS_READ = "models.read"
    MODELS_DRAFT = "models.draft"
    MODELS_APPROVE = "models.approve"
    WRITE_OFFS_APPROVE = "write_offs.approve"
    APPROVALS_DECIDE = "approvals.decide"
    REPORTS_READ = "reports.read"
    AUDIT_READ = "audit.read"
    OPERATORS_MANAGE = "operators.manage"
    API_KEYS_MANAGE = "api_keys.manage"
    QUALITY_READ = "quality.read"
    QUARANTINE_REPAIR = "quarantine.repair"


_P = Permission
_HANDLING = frozenset(
    {
        _P.CUSTOMERS_READ,
        _P.CUSTOMERS_REVEAL,
        _P.ALERTS_READ,
        _P.ALERTS_HANDLE,
        _P.CASES_READ,
        _P.CASES_HANDLE,
    }
)
_READING = frozenset(
    {
        _P.OVERVIEW_READ,
        _P.CUSTOMERS_READ,
        _P.ALERTS_READ,
        _P.CASES_READ,
        _P.DECISIONS_READ,
        _P.POLICIES_READ,
        _P.MODELS_READ,
        _P.REPORTS_READ,
        _P.QUALITY_READ,
    }
)
# What a customer may ask of us by law: to have all that is personal, and to have it erased.
_ANSWERING = frozenset({_P.CUSTOMERS_EXPORT, _P.CUSTOMERS_ERASE})
# Whoever drafts does not approve, whoever audits does not handle, whoever administers does neither.
PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.RISK_ANALYST: _READING
    | _HANDLING
    | _ANSWERING
    | {_P.CUSTOMERS_MERGE, _P.POLICIES_DRAFT, _P.MODELS_DRAFT, _P.QUARANTINE_REPAIR},
    Role.RISK_MANAGER: _READING
    | _HANDLING
    | _ANSWERING
    | {
        _P.CUSTOMERS_MERGE,
        _P.LINES_FREEZE,
        _P.LINES_APPROVE,
        _P.POLICIES_APPROVE,
        _P.MODELS_APPROVE,
        _P.WRITE_OFFS_APPROVE,
        _P.APPROVALS_DECIDE,
        _P.AUDIT_READ,
        _P.QUARANTINE_REPAIR,
    },
    Role.REVIEWER: _HANDLING | {_P.CUSTOMERS_MERGE, _P.OVERVIEW_READ, _P.DECISIONS_READ, _P.LINES_FREEZE},
    Role.COLLECTOR: _HANDLING | {_P.OVERVIEW_READ},
    Role.AUDITOR: _READING | {_P.AUDIT_READ},
    Role.EXECUTIVE: frozenset({_P.OVERVIEW_READ, _P.REPORTS_READ}),
    Role.ADMIN: frozenset({_P.OPERATORS_MANAGE, _P.API_KEYS_MANAGE}),
}

ROLE_NAMES: Mapping[Role, Bilingual] = {
    Role.RISK_ANALYST: Bilingual("风险分析师", "Risk analyst"),
    Role.RISK_MANAGER: Bilingual("风险经理", "Risk manager"),
    Role.REVIEWER: Bilingual("审核员", "Reviewer"),
    Role.COLLECTOR: Bilingual("催收专员", "Collector"),
    Role.AUDITOR: Bilingual("审计员", "Auditor"),
    Role.EXECUTIVE: Bilingual("管理层", "Executive"),
    Role.ADMIN: Bilingual("系统管理员", "Administrator"),
}


@dataclass(frozen=True, slots=True)
class Operator:
    """A person at the console. ``name`` signs in, ``display_name`` is shown, ``language`` is zh or en."""

    operator_id: str
    name: str
    display_name: str
    roles: frozenset[Role]
    language: str = "zh"


class UnableToInvite(ValueError):
    """The operator can not be: the name is not one or is taken, or the roles do not go together."""


def may(operator: Operator, permission: Permission) -> bool:
    """Whether any role of the operator permits this; an administrator has no business permission."""
    return any(permission in PERMISSIONS[role] for role in operator.roles)


def storable(text: str) -> str:
    """What somebody typed, without what a database can not hold (NUL, half a surrogate pair)."""
    return text.encode(errors="replace").decode().replace("\0", "?")


def check_invitation(*, name: str, display_name: str, roles: frozenset[Role], language: str) -> None:
    """Raise UnableToInvite unless this describes an operator that can be."""
    if not _NAME.fullmatch(name):
        raise UnableToInvite("a name is 2 to 40 of a-z, 0-9, dot, dash and underscore")
    if not display_name.strip():
        raise UnableToInvite("a display name is not empty")
    if len(display_name) > _DISPLAY_NAME_MAX or storable(display_name) != display_name:
        raise UnableToInvite(f"a display name is a text of at most {_DISPLAY_NAME_MAX} characters")
    if not roles:
        raise UnableToInvite("an operator has at least one role")
    if Role.ADMIN in roles and len(roles) > 1:
        raise UnableToInvite("admin stands alone: who runs the house decides nothing in it")
    if language not in {"zh", "en"}:
        raise UnableToInvite("a language is zh or en")
