"""Policy: the rules of one decision point as data, in one version that never changes.

The name of a version is the hash of its content. Reading a policy refuses what is unclear, with the
place (a JSON pointer) and how to mend it; a policy that was read can not fail while deciding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from shouxin.decisions.domain.conditions import Condition
from shouxin.kernel import Bilingual, Money


class Outcome(StrEnum):
    """What a decision says; the hardest that any rule asks for wins."""

    APPROVE = "approve"
    COUNTER_OFFER = "counter_offer"
    REVIEW = "review"
    DECLINE = "decline"


HARDNESS: Mapping[Outcome, int] = {outcome: rank for rank, outcome in enumerate(Outcome)}


class OnUnknown(StrEnum):
    """What a rule does when a fact that it needs is missing."""

    REVIEW = "review"  # a person looks; the default, for nothing is silently false
    APPLY = "apply"  # as if the rule had applied
    SKIP = "skip"  # as if it had not


class ExposureBasis(StrEnum):
    """What counts against a limit. One for now: everything that a checkout authorised."""

    AUTHORISED = "authorised"


class UnableToReadPolicy(ValueError):
    """The text is not a policy; ``pointer`` is the place (RFC 6901) and the message says how to mend it."""

    def __init__(self, pointer: str, problem: str) -> None:
        super().__init__(f"{pointer or '/'}: {problem}")
        self.pointer = pointer
        self.problem = problem


@dataclass(frozen=True, slots=True)
class PolicyReason:
    """Why a rule says what it says, in words for the customer."""

    code: str
    text: Bilingual


@dataclass(frozen=True, slots=True)
class Rule:
    """When ``when`` holds, the decision is at least as hard as ``outcome``.

    ``explained_by_score`` rules (a grade, a PD) give the score's own reasons: "low grade" is not a
    specific reason (Regulation B, 12 CFR 1002.9(b)(2)); ``reason`` then stands in when there is none.
    """

    rule_id: str
    meaning: Bilingual
    when: Condition
    outcome: Outcome
    reason: PolicyReason
    on_unknown: OnUnknown = OnUnknown.REVIEW
    explained_by_score: bool = False


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """A way to repay: equal instalments, due so many days after the capture, for these grades."""

    name: str
    meaning: Bilingual
    due_days: tuple[int, ...]
    grades: frozenset[str]


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the policy of a decision point. Amounts are minor units of ``currency``."""

    policy_hash: str
    name: str
    decision_point: str
    currency: str
    exposure_basis: ExposureBasis
    min_minor: int
    max_minor: int
    hold_hours: int
    limits: Mapping[str, int]
    plans: Mapping[str, PlanTerms]
    rules: tuple[Rule, ...]
    body: bytes = field(repr=False)

    @property
    def subject(self) -> str:
        """What an approval of this version is made out to."""
        return f"policy:{self.policy_hash}"

    def limit_for(self, grade: str) -> Money:
        """The line that a customer of ``grade`` may have; nothing for a grade that is not listed."""
        return Money(self.limits.get(grade, 0), self.currency)


def frozen(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A read-only copy."""
    return MappingProxyType(dict(values))
