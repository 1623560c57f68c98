"""Ownership: a decision, and the hold and plan that came of it, belong to the source that asked for it.

What belongs to another source is answered like what does not exist, so that ids can not be tried out.
"""

from __future__ import annotations

from sqlalchemy import Connection

from shouxin import credit, decisions
from shouxin.entrypoints.api.problems import Problem
from shouxin.governance import ApiKey


def own_decision(db: Connection, decision_id: str, *, caller: ApiKey) -> decisions.DecisionRecord:
    """A decision that the caller's source asked for, else a 404 problem."""
    decision = decisions.find_decision(db, decision_id)
    if decision is None or decision.facts["request.source"] != caller.source:
        raise _missing("decision", decision_id)
    return decision


def own_hold(db: Connection, hold_id: str, *, caller: ApiKey) -> credit.Hold:
    """A hold that a decision for the caller's source made, else a 404 problem."""
    hold = credit.find_hold(db, hold_id)
    if hold is None or not is_own_hold(db, hold, caller=caller):
        raise _missing("hold", hold_id)
    return hold


def own_plan(db: Connection, plan_id: str, *, caller: ApiKey) -> credit.Plan:
    """A plan that began with a hold of the caller's source, else a 404 problem."""
    plan = credit.find_plan(db, plan_id)
    if plan is None or not is_own_plan(db, plan, caller=caller):
        raise _missing("plan", plan_id)
    return plan


def is_own_plan(db: Connection, plan: credit.Plan, *, caller: ApiKey) -> bool:
    """Whether the plan began with a hold of the caller's source."""
    hold = credit.find_hold(db, plan.hold_id)
    return hold is not None and is_own_hold(db, hold, caller=caller)


def is_own_hold(db: Connection, hold: credit.Hold, *, caller: ApiKey) -> bool:
    """Whether a decision for the caller's source made the hold."""
    decision = decisions.find_decision(db, hold.decision_id)
    return decision is not None and decision.facts["request.source"] == caller.source


def _missing(kind: str, name: str) -> Problem:
    return Problem(404, "Not found", f"there is no {kind} {name}")
