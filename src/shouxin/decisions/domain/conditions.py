"""Conditions: typed comparisons of one fact, in three values.

A fact that is missing makes a condition *unknown* (``None``), never silently false. ``all`` and
``any`` follow Kleene's strong logic: one false makes ``all`` false whatever is unknown, one true makes
``any`` true. Conditions are compiled once to closures; evaluating is calling them.
"""

from __future__ import annotations

import math
import operator as operators
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

Facts = Mapping[str, Any]


class FieldType(StrEnum):
    """What kind of value a fact is; money is integer minor units of the policy's currency."""

    NUMBER = "number"
    MONEY = "money"
    TEXT = "text"
    GRADE = "grade"
    FLAG = "flag"


# The facts that a checkout offers to a policy. Features are numbers, by the name of the catalogue.
FIELDS: Mapping[str, FieldType] = {
    "request.amount": FieldType.MONEY,
    "request.currency": FieldType.TEXT,
    "request.plan": FieldType.TEXT,
    "request.source": FieldType.TEXT,
    "line.open": FieldType.FLAG,
    "line.holder_proven": FieldType.FLAG,
    "line.frozen": FieldType.FLAG,
    "line.currency": FieldType.TEXT,
    "line.limit": FieldType.MONEY,
    "line.held": FieldType.MONEY,
    "line.outstanding": FieldType.MONEY,
    "line.available": FieldType.MONEY,
    "line.days_past_due": FieldType.NUMBER,
    "score.points": FieldType.NUMBER,
    "score.pd": FieldType.NUMBER,
    "score.grade": FieldType.GRADE,
}
FEATURE_PREFIX = "feature."

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operators.eq,
    "!=": operators.ne,
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
    "in": lambda read, values: read in values,
    "not_in": lambda read, values: read not in values,
}
ORDERINGS = frozenset({"<", "<=", ">", ">="})
MEMBERSHIPS = frozenset({"in", "not_in"})
PRESENCES = frozenset({"is_missing", "is_present"})


def field_type(name: str) -> FieldType | None:
    """The type of the fact ``name``, or None when no such fact exists."""
    if name.startswith(FEATURE_PREFIX) and len(name) > len(FEATURE_PREFIX):
        return FieldType.NUMBER
    return FIELDS.get(name)


def json_number(value: Any) -> Any:
    """``value`` as a fact: NaN and infinities are missing, for JSON has no word for them."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(frozen=True, slots=True)
class Comparison:
    """One fact against one value, or (``other``) against another fact."""

    field: str
    op: str
    value: Any = None
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Several conditions that must all hold, or of which any must."""

    quantifier: str
    conditions: tuple[Condition, ...]


Condition = Comparison | Group


class ConditionTrace(NamedTuple):
    """What a comparison read, what it compared with, and what came of it (None: unknown)."""

    field: str
    op: str
    expected: Any
    read: Any
    result: bool | None

    def as_data(self) -> dict[str, Any]:
        """The trace as JSON values."""
        return {
            "field": self.field,
            "op": self.op,
            "expected": self.expected,
            "read": self.read,
            "result": self.result,
        }


Compiled = Callable[[Facts, list[ConditionTrace]], bool | None]


def compile_condition(condition: Condition) -> Compiled:
    """A closure that evaluates ``condition`` and writes every comparison it made into the trace."""
    if isinstance(condition, Group):
        return _compile_group(condition)
    if condition.op in PRESENCES:
        return _compile_presence(condition)
    return _compile_comparison(condition)


def kleene_all(results: Sequence[bool | None]) -> bool | None:
    """True when all are true, false when one is false, else unknown."""
    if False in results:
        return False
    return None if None in results else True


def kleene_any(results: Sequence[bool | None]) -> bool | None:
    """True when one is true, false when all are false, else unknown."""
    if True in results:
        return True
    return None if None in results else False


def _compile_group(group: Group) -> Compiled:
    parts = tuple(compile_condition(condition) for condition in group.conditions)
    combine = kleene_all if group.quantifier == "all" else kleene_any

    # Every part is evaluated even when the first settles it: the trace shows them all.
    def evaluate(facts: Facts, trace: list[ConditionTrace]) -> bool | None:
        return combine([part(facts, trace) for part in parts])

    return evaluate


def _compile_presence(condition: Comparison) -> Compiled:
    name, op = condition.field, condition.op
    wanted = op == "is_present"

    def evaluate(facts: Facts, trace: list[ConditionTrace]) -> bool | None:
        read = facts.get(name)
        result = (read is not None) == wanted
        trace.append(ConditionTrace(name, op, None, read, result))
        return result

    return evaluate


def _compile_comparison(condition: Comparison) -> Compiled:
    name, op, value, other = condition.field, condition.op, condition.value, condition.other
    compare = COMPARISONS[op]
    shown = list(value) if isinstance(value, frozenset | tuple) else value

    def evaluate(facts: Facts, trace: list[ConditionTrace]) -> bool | None:
        read = facts.get(name)
        expected = shown if other is None else facts.get(other)
        unknown = read is None or expected is None
        result = None if unknown else compare(read, value if other is None else expected)
        trace.append(ConditionTrace(name, op, expected, read, result))
        return result

    return evaluate
