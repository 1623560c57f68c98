"""The approval desk: one asks, another decides, and what was agreed to happens at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from shouxin import decisions, governance, scoring
from shouxin.decisions import PolicyRefusal, Stage
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.names import people_of
from shouxin.entrypoints.console.visit import PER_PAGE, Refused, Visit
from shouxin.entrypoints.console.visits import does, redirect, shows
from shouxin.entrypoints.console.words import catalogue
from shouxin.governance import ApprovalRefusal, ApprovalRequest, ApprovalState, Permission, may
from shouxin.kernel import Approval
from shouxin.scoring import PromotionRefusal

_Answer = TypeVar("_Answer")
_WAITING_MAX = 100
_REASON_LENGTH_MAX = 500
# A version that could still become live; a retired one is drafted anew.
_ON_THE_WAY = frozenset({Stage.DRAFT, Stage.IN_REVIEW, Stage.APPROVED})


@dataclass(frozen=True, slots=True)
class RequestView:
    """A request as a page shows it; ``why_not`` is the key of what keeps the reader from deciding it."""

    request: ApprovalRequest
    kind: str
    name: str
    why_not: str


@shows("/approvals", needs=Permission.POLICIES_READ)
def approval_desk(visit: Visit) -> Response[str]:
    """What waits for a second person's word, the oldest first, and what was decided of late."""
    return _desk(visit)


@does("/approvals", needs=Permission.POLICIES_READ)
def request_approval(visit: Visit) -> Response[str]:
    """Ask for a model or a policy that is kept already."""
    subject, reason = visit.sent("subject"), visit.sent("reason")[:_REASON_LENGTH_MAX]
    if subject not in _candidates(visit, _names(visit)):
        raise Refused("not_usable")
    if not reason:
        return _desk(visit, refused="approvals.no_reason")
    governance.request_approval(
        visit.db, subject=subject, maker=visit.operator.operator_id, reason=reason, now=visit.now
    )
    return redirect("/approvals", said="approval_requested")


@does("/approvals/{request_id:str}/approve", needs=Permission.APPROVALS_DECIDE)
def approve(visit: Visit) -> Response[str]:
    """Agree; a model becomes champion and a policy live in the same transaction, or nothing is agreed."""
    _put_to_use(visit, _decided(visit, governance.approve))
    return redirect("/approvals", said="approval_approved")


@does("/approvals/{request_id:str}/reject", needs=Permission.APPROVALS_DECIDE)
def reject(visit: Visit) -> Response[str]:
    """Turn it down, with a reason."""
    _decided(visit, governance.reject)
    return redirect("/approvals", said="approval_rejected")


def _decided(visit: Visit, verb: Callable[..., _Answer | ApprovalRefusal]) -> _Answer:
    """Say yes or no to the request of this address in the operator's name; a refusal becomes a page."""
    answer = verb(
        visit.db,
        visit.place("request_id"),
        checker=visit.operator.operator_id,
        reason=visit.sent("reason")[:_REASON_LENGTH_MAX],
        now=visit.now,
    )
    if isinstance(answer, ApprovalRefusal):
        raise Refused("not_usable", answer.text)
    return answer


def _desk(visit: Visit, *, refused: str | None = None) -> Response[str]:
    waiting = governance.list_approvals(visit.db, state=ApprovalState.WAITING, limit=_WAITING_MAX)
    newest = governance.list_approvals(visit.db, limit=_WAITING_MAX + PER_PAGE)
    decided = [request for request in newest if request.state is not ApprovalState.WAITING][:PER_PAGE]
    names = _names(visit)
    return page(
        visit,
        "approvals.html",
        here="approvals",
        status=422 if refused else 200,
        refused=visit.word(refused) if refused else None,
        waiting=[_view(visit, request, names) for request in reversed(waiting)],
        decided=[_view(visit, request, names) for request in decided],
        candidates=_candidates(visit, names, waiting=waiting),
        people=people_of(visit),
    )


def _view(visit: Visit, request: ApprovalRequest, names: Mapping[str, str]) -> RequestView:
    kind, _, name = request.subject.partition(":")
    why_not = ""
    if request.maker in {visit.operator.operator_id, visit.operator.name}:
        why_not = "approvals.own"
    elif not (may(visit.operator, request.permission) and visit.may(Permission.APPROVALS_DECIDE)):
        why_not = "approvals.not_permitted"
    return RequestView(request, kind, names.get(request.subject, name), why_not)


def _names(visit: Visit) -> dict[str, str]:
    """What models and policies are called, by the subject of an approval."""
    models = {f"model:{row.model_hash}": row.name for row in scoring.list_models(visit.db)}
    policies = {f"policy:{row.policy_hash}": row.name for row in decisions.list_policies(visit.db)}
    return models | policies


def _candidates(
    visit: Visit, names: Mapping[str, str], *, waiting: list[ApprovalRequest] | None = None
) -> dict[str, str]:
    """What this operator may ask for: models that are not champion, policies that are not live yet."""
    subjects: list[str] = []
    if visit.may(Permission.MODELS_DRAFT):
        models = scoring.list_models(visit.db)
        subjects += [f"model:{row.model_hash}" for row in models if row.stage != "champion"]
    if visit.may(Permission.POLICIES_DRAFT):
        policies = decisions.list_policies(visit.db)
        subjects += [f"policy:{row.policy_hash}" for row in policies if row.stage in _ON_THE_WAY]
    asked = {request.subject for request in waiting or _waiting(visit)}
    return {subject: names[subject] for subject in subjects if subject not in asked}


def _waiting(visit: Visit) -> list[ApprovalRequest]:
    return governance.list_approvals(visit.db, state=ApprovalState.WAITING, limit=_WAITING_MAX)


def _put_to_use(visit: Visit, approval: Approval) -> None:
    """Turn the key where the room of its subject has a door for it; else it is kept for that room."""
    kind, _, name = approval.subject.partition(":")
    if kind == "model":
        promoted = scoring.promote(visit.db, name, approval=approval, now=visit.now)
        if isinstance(promoted, PromotionRefusal):
            raise Refused("not_usable", promoted.text)
    elif kind == "policy":
        policy = decisions.find_policy(visit.db, name)
        if policy is None:
            raise Refused("not_usable", catalogue()["approvals.policy_unknown"])
        published = decisions.publish(visit.db, policy, approval=approval, now=visit.now)
        if isinstance(published, PolicyRefusal):
            raise Refused("not_usable", published.text)


HANDLERS: tuple[HTTPRouteHandler, ...] = (approval_desk, request_approval, approve, reject)
