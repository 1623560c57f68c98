"""Evaluation: facts in, a verdict out, with everything that was read on the way.

A policy is compiled once; evaluating calls closures. The hardest outcome among the rules that apply
wins; among rules of that outcome the order in the policy is the order of the reasons. Behind every
policy stand the *house rules*, which no policy can waive: no open line, another currency, a plan that
is not offered, more than is available, a frozen line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from shouxin.decisions.domain.conditions import (
    Comparison,
    Compiled,
    Condition,
    ConditionTrace,
    Facts,
    Group,
    compile_condition,
)
from shouxin.decisions.domain.policy import (
    HARDNESS,
    OnUnknown,
    Outcome,
    Policy,
    PolicyReason,
    Rule,
)
from shouxin.kernel import Bilingual

REASONS_MAX = 4  # Regulation B commentary 9(b)(2)-1: more than four is unlikely to help


@dataclass(frozen=True, slots=True)
class Reason:
    """One specific reason that was really used; ``points`` where it came from the score."""

    code: str
    rank: int
    text: Bilingual
    points: int | None
    feature: str
    value: Any

    def as_data(self) -> dict[str, Any]:
        """The shape that the API answers with."""
        return {
            "code": self.code,
            "rank": self.rank,
            "text": self.text.as_data(),
            "points": self.points,
            "feature": self.feature,
            "value": self.value,
        }


class RuleTrace(NamedTuple):
    """What one rule did: whether it applied (None: unknown) and every comparison it made."""

    rule_id: str
    result: bool | None
    outcome: Outcome | None
    conditions: tuple[ConditionTrace, ...]

    def as_data(self) -> dict[str, Any]:
        """The trace as JSON values."""
        return {
            "rule": self.rule_id,
            "result": self.result,
            "outcome": self.outcome,
            "conditions": [condition.as_data() for condition in self.conditions],
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says of these facts, why, and how it came to that.

    ``limits`` names the amounts that bounded it, in minor units: ``max_amount`` is what the customer
    could be granted at once, ``grade_limit`` what the policy allows the grade.
    """

    outcome: Outcome
    reasons: tuple[Reason, ...]
    limits: Mapping[str, int]
    trace: tuple[RuleTrace, ...]


Evaluate = Callable[[Facts], Verdict]


def evaluate(policy: Policy, facts: Facts) -> Verdict:
    """What ``policy`` says of ``facts`` (names of ``FIELDS`` and ``feature.*``; absent or None: unknown)."""
    return compile_policy(policy)(facts)


def compile_policy(policy: Policy) -> Evaluate:
    """The policy as one callable; compiled once for each version."""
    return _compiled(_ByHash(policy))


class _ByHash:
    """A policy that equals another by the hash of its content, for the cache."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def __hash__(self) -> int:
        return hash(self.policy.policy_hash)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByHash) and other.policy.policy_hash == self.policy.policy_hash


@lru_cache(maxsize=64)
def _compiled(key: _ByHash) -> Evaluate:
    policy = key.policy
    rules = (*_house_rules(policy), *policy.rules)
    compiled = tuple((rule, compile_condition(rule.when)) for rule in rules)

    def evaluate_facts(facts: Facts) -> Verdict:
        traces: list[RuleTrace] = []
        applied: list[tuple[Rule, RuleTrace]] = []
        hardest = Outcome.APPROVE
        for rule, condition in compiled:
            trace = _run(rule, condition, facts)
            traces.append(trace)
            if trace.outcome is not None:
                applied.append((rule, trace))
                if HARDNESS[trace.outcome] > HARDNESS[hardest]:
                    hardest = trace.outcome
        decisive = [(rule, trace) for rule, trace in applied if trace.outcome is hardest]
        reasons = _reasons(decisive, facts)
        assert hardest is Outcome.APPROVE or reasons, "nobody is refused without a reason"
        return Verdict(hardest, reasons, _limits(policy, facts), tuple(traces))

    return evaluate_facts


def _run(rule: Rule, condition: Compiled, facts: Facts) -> RuleTrace:
    read: list[ConditionTrace] = []
    result = condition(facts, read)
    outcome: Outcome | None = None
    if result or (result is None and rule.on_unknown is OnUnknown.APPLY):
        outcome = rule.outcome
    elif result is None and rule.on_unknown is OnUnknown.REVIEW:
        outcome = Outcome.REVIEW
    return RuleTrace(rule.rule_id, result, outcome, tuple(read))


def _limits(policy: Policy, facts: Facts) -> dict[str, int]:
    available = max(0, facts.get("line.available") or 0)
    return {
        "max_amount": min(available, policy.max_minor),
        "grade_limit": policy.limits.get(facts.get("score.grade") or "", 0),
    }


def _reasons(decisive: list[tuple[Rule, RuleTrace]], facts: Facts) -> tuple[Reason, ...]:
    found: list[Reason] = []
    seen: set[str] = set()
    for rule, trace in decisive:
        for reason in _reasons_of_rule(rule, trace, facts):
            if reason.code not in seen:
                seen.add(reason.code)
                found.append(reason)
    if not decisive:
        found = score_reasons(facts)
    return tuple(
        Reason(reason.code, rank, reason.text, reason.points, reason.feature, reason.value)
        for rank, reason in enumerate(found[:REASONS_MAX], 1)
    )


def _reasons_of_rule(rule: Rule, trace: RuleTrace, facts: Facts) -> list[Reason]:
    if trace.result is None:
        return [_missing_fact(trace)]
    if rule.explained_by_score and (reasons := score_reasons(facts)):
        return reasons
    held = [condition for condition in trace.conditions if condition.result] or list(trace.conditions)
    return [Reason(rule.reason.code, 0, rule.reason.text, None, held[0].field, held[0].read)]


def _missing_fact(trace: RuleTrace) -> Reason:
    name = next(condition.field for condition in trace.conditions if condition.result is None)
    text = Bilingual(f"缺少判断所需的信息：{name}", f"A fact that the policy needs is missing: {name}")
    return Reason(f"MISSING_FACT.{name}", 0, text, None, name, None)


def score_reasons(facts: Facts) -> list[Reason]:
    """The model's own reasons among the facts (``score.reasons``), as reasons of a decision."""
    return [
        Reason(
            item["code"],
            item["rank"],
            Bilingual(item["text"]["zh"], item["text"]["en"]),
            item["points"],
            item["feature"],
            item["value"],
        )
        for item in facts.get("score.reasons") or ()
    ]


def _house_rules(policy: Policy) -> tuple[Rule, ...]:
    """What no policy can waive, in the order in which a customer is told."""
    return (
        _house_rule(
            "no_line", Comparison("line.open", "!=", value=True), Outcome.DECLINE,
            "NO_LINE", "客户尚未开通信用额度", "The customer has no credit line",
        ),
        _house_rule(
            "holder", Comparison("line.holder_proven", "==", value=False), Outcome.REVIEW,
            "HOLDER_NOT_PROVEN", "尚未证实该账户属于额度持有人",
            "It is not proven that this account is the holder of the credit line's",
        ),
        _house_rule(
            "currency", Comparison("request.currency", "!=", value=policy.currency), Outcome.DECLINE,
            "CURRENCY_NOT_SERVED",
            f"仅支持以 {policy.currency} 结算的订单", f"Only orders in {policy.currency} are served",
        ),
        _house_rule(
            "line_currency", Comparison("line.currency", "!=", value=policy.currency), Outcome.DECLINE,
            "LINE_IN_ANOTHER_CURRENCY", "信用额度为其他币种", "The credit line is in another currency",
        ),
        _house_rule(
            "plan", Comparison("request.plan", "not_in", value=tuple(sorted(policy.plans))), Outcome.DECLINE,
            "PLAN_NOT_OFFERED", "不提供所选的还款计划", "The chosen repayment plan is not offered",
        ),
        *(_plan_for_grade(name, policy) for name in sorted(policy.plans)),
        _house_rule(
            "too_small", Comparison("request.amount", "<", value=policy.min_minor), Outcome.DECLINE,
            "AMOUNT_TOO_SMALL", "金额低于可使用信用支付的下限",
            "The amount is below the smallest that can be paid on credit",
        ),
        _house_rule(
            "exhausted", Comparison("line.available", "<", value=policy.min_minor), Outcome.DECLINE,
            "LIMIT_EXHAUSTED", "可用额度已用完", "Nothing is left of the credit line",
        ),
        _house_rule(
            "available", Comparison("request.amount", ">", other="line.available"), Outcome.COUNTER_OFFER,
            "ABOVE_AVAILABLE", "金额超过可用额度", "The amount is above what is available",
        ),
        _house_rule(
            "largest", Comparison("request.amount", ">", value=policy.max_minor), Outcome.COUNTER_OFFER,
            "ABOVE_ORDER_MAXIMUM", "金额超过单笔上限", "The amount is above the most for one order",
        ),
        _house_rule(
            "frozen", Comparison("line.frozen", "==", value=True), Outcome.DECLINE,
            "LINE_FROZEN", "信用额度已被冻结", "The credit line is frozen",
        ),
    )  # fmt: skip


def _plan_for_grade(name: str, policy: Policy) -> Rule:
    when = Group(
        "all",
        (
            Comparison("request.plan", "==", value=name),
            Comparison("score.grade", "not_in", value=tuple(sorted(policy.plans[name].grades))),
        ),
    )
    text = ("该信用等级不提供所选的还款计划", "The chosen repayment plan is not offered to this credit grade")
    rule = _house_rule(f"plan.{name}", when, Outcome.DECLINE, "PLAN_NOT_FOR_GRADE", *text)
    return Rule(
        rule.rule_id,
        rule.meaning,
        when,
        rule.outcome,
        rule.reason,
        rule.on_unknown,
        explained_by_score=True,
    )


def _house_rule(name: str, when: Condition, outcome: Outcome, code: str, zh: str, en: str) -> Rule:
    # Not knowing whether there is a line must never approve; without one its other facts are missing
    # too, and their "a person looks" is softer than the refusal that `no_line` gives.
    on_unknown = OnUnknown.APPLY if name == "no_line" else OnUnknown.REVIEW
    text = Bilingual(zh, en)
    return Rule(f"house.{name}", text, when, outcome, PolicyReason(code, text), on_unknown)
